"""What bore on a session: its delays, what was asked for, pauses."""

from datetime import timedelta

import pytest

from chargeamps.chargers.models import ChargePoint
from chargeamps.common import clock
from chargeamps.schedules.models import StoredDelays
from chargeamps.schedules.services import delays
from chargeamps.usage.models import ChargingSession
from tests.cast import Phone
from tests.gateway.box import Box
from tests.schedules.test_random_delay import NIGHT, travel  # noqa: F401 - a fixture


@pytest.fixture
def session(cast, travel) -> ChargingSession:  # noqa: F811
    """A car that waited 4 min 12 s of delay, was told to charge 10 kWh now, and was taken back."""
    ChargePoint.objects.filter(pk=cast.aura.pk).update(free_charging=True, claimed=NIGHT - timedelta(days=1))
    box = Box(cast.aura, cast.aura_key)
    box.status("Available")
    delays.freshen(charge_point=cast.aura.pk, now=clock.now(), busy=())
    StoredDelays.objects.update(start_s=252, start_accepted=True)
    box.status("Preparing")
    box.start()
    box.status("SuspendedEVSE")
    travel.shift(300)
    box.status("Charging")
    phone, path = Phone(cast.bob), f"connectors/{cast.socket.pk}"
    assert phone.send("POST", f"{path}/charge-now", {"for": {"energy_wh": 10_000}}).status_code == 202
    travel.shift(60)
    assert phone.send("POST", f"{path}/wait-for-schedule").status_code == 202
    return ChargingSession.objects.get()


def test_is_told_in_order_to_those_who_may_see_the_session(cast, session):
    path = f"usage/sessions/{session.pk}/story"
    events = Phone(cast.alice).send("GET", path).json()["events"]
    assert [event["text"] for event in events] == [
        "Charging waited a random delay of 4 min 12 s.",
        "Charge now was asked for by Bob for 10 kWh.",
        "Back to the schedule, as asked.",
    ]
    assert events[0]["time"] == clock.isoformat(NIGHT)
    assert Phone(cast.charlie).send("GET", path).status_code == 404
