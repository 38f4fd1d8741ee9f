"""An own price per kWh: by hours, by version, and never rewritten."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine

from chargeamps.chargers.models import ChargePoint
from chargeamps.usage.models import ChargingSession
from chargeamps.usage.services.recounting import recount
from tests.cast import Phone
from tests.gateway.box import Box

# A Wednesday, 18:30 in London.
NOW = datetime(2026, 7, 1, 17, 30, tzinfo=UTC)
NIGHT = {"days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "start": "22:00", "end": "07:00"}


@pytest.fixture(autouse=True)
def clock_of_test():
    with time_machine.travel(NOW, tick=False) as travel:
        yield travel


@pytest.fixture
def alice(cast):
    ChargePoint.objects.update(free_charging=True)
    return Phone(cast.alice)


def put(phone, site, **tariff):
    return phone.send("PUT", f"sites/{site.pk}/tariff", tariff)


def charge(cast, travel, *, hours: float, wh: int, told: int = 0) -> ChargingSession:
    """A session of so many hours, with its readings spread evenly."""
    box = Box(cast.aura, cast.aura_key)
    started = datetime.now(UTC)
    number = box.start(meter=10_000)
    travel.shift(timedelta(hours=hours))
    for n in range(1, told):
        box.meter(
            wh=10_000 + wh * n / told, power_w=wh / hours, number=number, at=started + timedelta(hours=hours) * n / told
        )
    box.stop(number, meter=10_000 + wh)
    return ChargingSession.objects.latest("started")


def test_a_flat_price(cast, alice, clock_of_test):
    assert put(alice, cast.home, price="0.2857", currency="GBP").status_code == 200
    session = charge(cast, clock_of_test, hours=2, wh=7_351)
    shown = alice.get(f"/api/v1/usage/sessions/{session.pk}").json()["cost"]
    assert shown == {"currency": "GBP", "amount": "2.10", "exact": f"{Decimal('7.351') * Decimal('0.2857'):.6f}"}
    total = alice.get("/api/v1/usage/summary").json()["total"]
    assert total["costs"] == [shown]


@pytest.mark.parametrize("told", [0, 8, 240])
def test_hours_have_their_own_price(cast, alice, clock_of_test, told):
    """18:30 to 02:30: three and a half hours by day, four and a half by night."""
    put(alice, cast.home, price="0.40", windows=[NIGHT | {"price": "0.10"}])
    session = charge(cast, clock_of_test, hours=8, wh=16_000, told=told)
    assert session.cost_micros == round((7 * 0.40 + 9 * 0.10) * 1_000_000)


def test_the_energy_follows_the_readings_not_the_clock(cast, alice, clock_of_test):
    put(alice, cast.home, price="0.40", windows=[NIGHT | {"price": "0.10"}])
    box = Box(cast.aura, cast.aura_key)
    number = box.start(meter=0)
    clock_of_test.shift(timedelta(hours=8))
    for minute, wh in ((210, 0), (300, 9000)):  # nothing before ten, all of it after
        box.meter(wh=wh, number=number, at=NOW + timedelta(minutes=minute))
    box.stop(number, meter=9000)
    assert ChargingSession.objects.get().cost_micros == 900_000


def test_a_past_price_is_never_rewritten(cast, alice, clock_of_test):
    put(alice, cast.home, price="0.10")
    first = charge(cast, clock_of_test, hours=1, wh=10_000)
    clock_of_test.shift(60)
    put(alice, cast.home, price="0.90")
    clock_of_test.shift(60)
    second = charge(cast, clock_of_test, hours=1, wh=10_000)
    for session, expected in ((first, 1_000_000), (second, 9_000_000)):
        recount(session.pk)
        session.refresh_from_db()
        assert session.cost_micros == expected
    answer = put(alice, cast.home, price="0.01", valid_from="2026-06-01T00:00:00Z")
    assert list(answer.json()["errors"]) == ["valid_from"]
    tariff = alice.get(f"/api/v1/sites/{cast.home.pk}/tariff").json()
    assert (tariff["in_force"]["price"], [t["price"] for t in tariff["past"]]) == ("0.90000", ["0.10000"])


def test_a_price_that_changes_within_a_session_holds_from_then(cast, alice, clock_of_test):
    put(alice, cast.home, price="0.10")
    put(alice, cast.home, price="0.30", valid_from="2026-07-01T18:30:00Z")
    assert charge(cast, clock_of_test, hours=4, wh=8_000).cost_micros == 200_000 + 1_800_000


def test_without_a_price_there_is_no_cost(cast, alice, clock_of_test):
    session = charge(cast, clock_of_test, hours=1, wh=1000)
    put(alice, cast.home, price="0.10")
    recount(session.pk)
    session.refresh_from_db()
    assert session.cost_micros is None
    assert alice.get("/api/v1/usage/summary").json()["total"]["costs"] == []


@pytest.mark.parametrize(
    "tariff",
    [
        {"price": "-1"},
        {"price": "1e9"},
        {"price": "cheap"},
        {"price": "0.1", "currency": "pounds"},
        {"price": "0.1", "windows": [NIGHT]},
        {"price": "0.1", "windows": [NIGHT | {"price": "0.1", "start": "25:00"}]},
        {"price": "0.1", "windows": [NIGHT | {"price": "0.1", "days": []}]},
        {"price": "0.1", "valid_from": "never"},
    ],
)
def test_prices_that_are_none_are_refused(cast, alice, tariff):
    assert put(alice, cast.home, **tariff).status_code == 400


def test_who_may_set_it(cast):
    for name, expected in (("alice", 200), ("bob", 403), ("charlie", 404)):
        assert put(Phone(cast.people[name]), cast.home, price="0.1").status_code == expected
