"""The server is gone for thirty days: whatever the charger is like, it charges in allowed hours, and it does charge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from chargeamps.gateway.profiles import Layer, Shortfall
from chargeamps.schedules.planner import LONDON, Pause, in_peak
from tests.simulator.month import Month

pytestmark = pytest.mark.once

CLOCK_CHANGES = [datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)]
ONE_LEVEL = {Shortfall.ONE_STACK_LEVEL, Shortfall.NO_START_DELAY}

# What each kind of charger cannot keep, as the owner is told.
SHORTFALLS = {
    "aura": set(),
    "amps-only": set(),
    "watts-only": set(),
    "one-stack-level": ONE_LEVEL,
    "few-profiles": ONE_LEVEL,
    "few-periods": {Shortfall.FEW_PERIODS},
    "no-recurring": {Shortfall.NO_RECURRING},
    "no-relative": {Shortfall.NO_START_DELAY},
    "no-max-profile": {Shortfall.NO_CHARGE_POINT_MAX},
    "hides-idle-relative": set(),
    "tx-hides-default": set(),
    "forgets-profiles": set(),
    "wakes-late": set(),
    "sleeps": set(),
}
WAKES_S = {"wakes-late": 90.0}


def month(change: datetime, *personas: str, **options) -> Month:
    """A month around a clock change, its plan on the charger as far as that goes."""
    return Month(personas, change - timedelta(days=15, hours=10), **options)


def assert_obeyed(lived: Month) -> None:
    """Current only in the hours or the delay after them, and none on weekdays in the peak."""
    assert list(lived.outside()) == []
    for flow in lived.flows:
        assert not in_peak(flow.start)
        assert not in_peak(flow.end - timedelta(seconds=1))


@pytest.mark.requirement("R7-1", "R10-1", "R10-6", "R10-9", "R11-10", "B-1", "B-2", "B-5")
@pytest.mark.parametrize("change", CLOCK_CHANGES, ids=["spring", "autumn"])
@pytest.mark.parametrize("persona", SHORTFALLS)
def test_thirty_days_alone(persona, change):
    lived = month(change, persona)
    verdicts = lived.converge()
    assert [verdict.code for verdict in verdicts] == ["agrees", "agrees"]
    assert lived.wanted.shortfalls == SHORTFALLS[persona]
    lived.live(30)
    assert_obeyed(lived)
    for visit in lived.visits:
        # A car that sleeps through its wait is beyond any charger that nobody talks to.
        assert visit.satisfied or (persona == "sleeps" and not visit.inside)
    delayed = Shortfall.NO_START_DELAY not in lived.wanted.shortfalls
    # With few periods every day is like a weekday: the weekend's noon is left out.
    nights = {visit.plugged for visit in lived.visits if visit.plugged.astimezone(LONDON).hour >= 22}
    inside = nights if persona == "few-periods" else {visit.plugged for visit in lived.visits if visit.inside}
    assert len(inside) >= 10
    wakes_s = WAKES_S.get(persona, 2.0)
    waited = {began: seconds for began, seconds in lived.waits() if began - timedelta(seconds=1) in inside}
    assert len(waited) == len(inside)
    for seconds in waited.values():
        if delayed:
            # Not a second less than drawn, and no more than the car takes to notice.
            assert lived.start_delay <= seconds <= lived.start_delay + wakes_s + 2
        else:
            assert seconds <= wakes_s + 2


@pytest.mark.requirement("R7-1", "R11-12")
@pytest.mark.parametrize("change", CLOCK_CHANGES, ids=["spring", "autumn"])
def test_power_cuts_on_the_way(change):
    lived = month(change, "aura")
    lived.converge()
    cuts = (1, 5, 9, 14, 15, 22)
    lived.live(30, cuts)
    assert_obeyed(lived)
    assert len(lived.begun) == 30 + len(cuts)
    assert all(visit.satisfied for visit in lived.visits)
    assert all(seconds >= lived.start_delay for _, seconds in lived.waits())


@pytest.mark.requirement("R7-1")
@pytest.mark.parametrize("change", CLOCK_CHANGES, ids=["spring", "autumn"])
def test_profiles_lost_at_reconnect_are_seen_and_set_again(change):
    lived = month(change, "forgets-profiles")
    assert all(verdict.agrees for verdict in lived.converge())
    lived.live(12)
    assert all(verdict.agrees for verdict in lived.converge())
    assert [{verdict.code for verdict in asked} for asked in lived.asked] == [{"agrees"}, {"differs"}, {"agrees"}]
    lived.live(18)
    assert_obeyed(lived)
    assert all(visit.satisfied for visit in lived.visits)


@pytest.mark.parametrize("change", CLOCK_CHANGES, ids=["spring", "autumn"])
def test_accepted_without_effect_is_seen(change):
    lived = month(change, "accepts-without-effect")
    assert {verdict.code for verdict in lived.converge()} == {"differs"}
    lived.live(3)
    assert all(visit.satisfied for visit in lived.visits)


@pytest.mark.parametrize("change", CLOCK_CHANGES, ids=["spring", "autumn"])
def test_a_charger_that_stores_no_default_says_so_and_charges(change):
    lived = month(change, "no-default-profile")
    lived.converge()
    assert lived.wanted.shortfalls == {Shortfall.NOT_STORED, Shortfall.NO_START_DELAY}
    assert [profile.layer for profile in lived.wanted.profiles] == [Layer.INSTALLATION]
    lived.live(3)
    assert all(visit.satisfied for visit in lived.visits)


@pytest.mark.requirement("R7-1")
@pytest.mark.parametrize("change", CLOCK_CHANGES, ids=["spring", "autumn"])
def test_a_holiday_is_kept_without_the_server_and_the_week_goes_on_after_it(change):
    now = change - timedelta(days=15, hours=10)
    away = Pause(now + timedelta(days=2), now + timedelta(days=5))
    lived = month(change, "aura", pause=away)
    assert all(verdict.agrees for verdict in lived.converge())
    assert Layer.DAYS in {profile.layer for profile in lived.wanted.profiles}
    lived.live(14)
    assert_obeyed(lived)
    assert not [flow for flow in lived.flows if flow.end > away.start + timedelta(minutes=11) and flow.start < away.end]
    for visit in lived.visits:
        home = visit.leaves < away.start or visit.plugged.astimezone(LONDON).date() >= away.end.date()
        assert visit.satisfied == home
