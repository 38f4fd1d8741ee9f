"""The one gate in front of every override, for owners and for everybody else who charges (SI 2021/1467 reg 8)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.chargers.services.credentials import issue_key
from chargeamps.common import clock
from chargeamps.schedules.models import DelayDraw, DemandResponse, Override, StoredDelays
from chargeamps.schedules.services import delays, demand
from tests.cast import Phone
from tests.gateway.box import Box

# A Wednesday, 23:00 in London: inside the preset hours.
NIGHT = datetime(2026, 7, 1, 22, 0, tzinfo=UTC)

ACTS = [
    pytest.param("charge-now", marks=pytest.mark.requirement("R8-3")),
    pytest.param("refuse-response", marks=pytest.mark.requirement("R8-4")),
    pytest.param("skip-delay", marks=pytest.mark.requirement("R8-5")),
]
ROLES = [("aura", "alice"), ("aura", "bob"), ("work_aura", "wendy"), ("work_aura", "dan")]


@dataclass
class Place:
    """A charger with a car that waits out its delay, and demand response announced."""

    box: Box
    charge_point: ChargePoint
    socket: Connector

    def ask(self, user, act: str):
        return Phone(user).send("POST", f"connectors/{self.socket.pk}/{act}")


@pytest.fixture
def travel():
    with time_machine.travel(NIGHT, tick=False) as travel:
        yield travel


@pytest.fixture
def places(cast, travel) -> dict[str, Place]:
    return {name: _place(getattr(cast, name)) for name in ("aura", "work_aura")}


def _place(charge_point: ChargePoint) -> Place:
    ChargePoint.objects.filter(pk=charge_point.pk).update(free_charging=True, claimed=NIGHT - timedelta(days=1))
    box = Box(charge_point, issue_key(charge_point))
    socket = charge_point.connectors.get(number=1)
    box.status("Available", connector=0)
    box.status("Available")
    delays.freshen(charge_point=charge_point.pk, now=clock.now(), busy=())
    StoredDelays.objects.filter(connector=socket).update(start_s=300, start_accepted=True)
    box.status("Preparing")
    box.start()
    box.status("SuspendedEVSE")
    demand.announce(
        charge_point=charge_point,
        start=NIGHT + timedelta(hours=1),
        end=NIGHT + timedelta(hours=2),
        limit_a=0,
        source="grid",
    )
    return Place(box, charge_point, socket)


def nothing_happened() -> bool:
    return not (
        Override.objects.exists()
        or Command.objects.exists()
        or DelayDraw.objects.exclude(skipped=None).exists()
        or DemandResponse.objects.exclude(opted_out=None).exists()
    )


def fault_of_the_box(place: Place) -> None:
    place.box.status("Faulted", connector=0)


def fault_of_the_socket(place: Place) -> None:
    place.box.say("StatusNotification", {"connectorId": 1, "errorCode": "GroundFailure", "status": "Faulted"})


def above_the_installation_s_limit(place: Place) -> None:
    ChargePoint.objects.filter(pk=place.charge_point.pk).update(installation_limit_a=16)
    Connector.objects.filter(charge_point=place.charge_point, number=2).update(current_a=24.0)


UNSAFE = [
    pytest.param(fault_of_the_box, "fault", id="box"),
    pytest.param(fault_of_the_socket, "fault", id="socket"),
    pytest.param(above_the_installation_s_limit, "installation", id="overload"),
]


@pytest.mark.requirement("R8-1", "R8-2")
@pytest.mark.parametrize(("place", "person"), ROLES)
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(("unsafe", "said"), UNSAFE)
def test_nobody_overrides_anything_while_it_would_not_be_safe(*, cast, places, unsafe, said, act, place, person):
    unsafe(places[place])
    answer = places[place].ask(getattr(cast, person), act)
    assert (answer.status_code, answer.json()["code"]) == (409, "not-possible-now")
    assert said in answer.json()["detail"]
    assert nothing_happened()


@pytest.mark.requirement("R8-2")
@pytest.mark.parametrize(("place", "person"), ROLES)
@pytest.mark.parametrize("act", ["charge-now", "refuse-response", "skip-delay"])
def test_all_who_charge_may_where_it_is_safe(cast, places, act, place, person):
    assert places[place].ask(getattr(cast, person), act).status_code in (202, 204)
    assert not nothing_happened()


@pytest.mark.requirement("R8-2")
@pytest.mark.parametrize("act", ["charge-now", "refuse-response", "skip-delay"])
def test_and_nobody_else(cast, places, act):
    assert places["work_aura"].ask(cast.ivy, act).status_code == 403
    assert places["aura"].ask(cast.charlie, act).status_code == 404
    assert nothing_happened()
