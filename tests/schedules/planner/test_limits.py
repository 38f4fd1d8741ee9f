"""Schedules that only take away: in the plan, and in the week that repeats on the charger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargeamps.schedules.planner import (
    Connector,
    PlanRequest,
    Schedule,
    Variant,
    Weekday,
    Window,
    build_plan,
    rules_at,
    weekly_patterns,
)
from chargeamps.schedules.planner.hours import WEEK_S
from chargeamps.schedules.planner.weekly import pattern_at

WINTER = datetime(2027, 1, 11, tzinfo=UTC)  # Mondays, 00:00Z
SUMMER = datetime(2027, 7, 12, tzinfo=UTC)
ALL = frozenset(Weekday)
UTC_ZONE = ZoneInfo("UTC")
H = 3600


def night(**options) -> Connector:
    return Connector(1, 32.0, hours=(Window(ALL, time(22), time(7)),), **options)


def capped(limit_a: float | None, start: time, end: time, zone: ZoneInfo | None = None) -> Schedule:
    windows = (Window(ALL, start, end),)
    return Schedule("cap", windows, limit_a) if zone is None else Schedule("cap", windows, limit_a, zone)


def at(connector: Connector, variant: Variant, hour: float) -> float:
    """The limit on a Tuesday at an hour of UTC."""
    return pattern_at(weekly_patterns(connector, WINTER)[variant], int((24 + hour) * H))


def test_a_limit_lowers_the_hours_and_opens_none():
    connector = night(limits=(capped(10.0, time(20), time(23)),))
    assert [at(connector, Variant.WINTER, hour) for hour in (20, 21, 22, 22.99, 23, 3)] == [0, 0, 10, 10, 32, 32]
    assert [at(connector, Variant.SUMMER, hour) for hour in (20, 21, 21.99, 22)] == [0, 10, 10, 32]


def test_a_limit_on_the_utc_clock_does_not_move_with_summer():
    connector = night(limits=(capped(10.0, time(1), time(3), UTC_ZONE),))
    for variant in (Variant.WINTER, Variant.SUMMER, Variant.BOTH):
        assert [at(connector, variant, hour) for hour in (0.99, 1, 2.99, 3)] == [32, 10, 10, 32]


def test_no_charging_is_a_limit_of_nothing():
    connector = night(limits=(capped(0.0, time(2), time(4)),))
    assert [at(connector, Variant.WINTER, hour) for hour in (1, 2, 3.99, 4)] == [32, 0, 0, 32]


def test_of_two_limits_the_lower_one_holds_whichever_comes_last():
    low, high = capped(8.0, time(1), time(4)), capped(16.0, time(2), time(6))
    for limits in ((low, high), (high, low)):
        connector = night(limits=limits)
        assert [at(connector, Variant.WINTER, hour) for hour in (0, 1, 3, 4, 6)] == [32, 8, 8, 16, 32]


def test_a_limit_above_the_socket_s_own_changes_nothing():
    plain = replace(night(), max_a=16.0)
    assert weekly_patterns(replace(plain, limits=(capped(32.0, time(0), time(12)),)), WINTER) == weekly_patterns(
        plain, WINTER
    )


def test_limits_hold_where_the_hours_were_removed():
    connector = Connector(1, 32.0, hours=None, limits=(capped(6.0, time(16), time(22)),))
    assert [at(connector, Variant.WINTER, hour) for hour in (15, 16, 21.99, 22)] == [32, 6, 6, 32]


def test_the_week_for_both_clocks_has_the_lower_of_the_two():
    connector = night(limits=(capped(10.0, time(2), time(3)),))
    assert [at(connector, Variant.BOTH, hour) for hour in (0.99, 1, 2, 2.99, 3, 6, 21, 22)] == [
        *(32, 10, 10, 10, 32),
        *(0, 0, 32),
    ]


def test_the_plan_says_that_it_is_the_schedule_and_how_much():
    connector = night(limits=(capped(10.0, time(2), time(3)),))
    slots = build_plan(PlanRequest(WINTER, WINTER + timedelta(hours=5), (connector,))).timelines[1]
    limited = next(slot for slot in slots if slot.limit_a == 10)
    assert (limited.reason.code, limited.reason.get("schedule"), limited.reason.get("limit_a")) == (
        *("schedule-limit", "cap"),
        10.0,
    )


@st.composite
def connectors(draw: st.DrawFn) -> Connector:
    clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))
    windows = st.lists(
        st.builds(Window, st.frozensets(st.sampled_from(list(Weekday)), min_size=1), clocks, clocks),
        min_size=1,
        max_size=2,
    ).map(tuple)
    amounts = st.sampled_from([None, 0.0, 6.0, 10.0, 16.0, 40.0])
    zones = st.sampled_from([ZoneInfo("Europe/London"), UTC_ZONE])
    rows = st.lists(st.tuples(windows, amounts, zones), max_size=2)
    return Connector(
        1,
        draw(st.sampled_from([16.0, 32.0])),
        hours=draw(st.none() | st.just(rules_at(WINTER).preset_hours) | windows),
        schedules=tuple(Schedule(f"s{n}", *row) for n, row in enumerate(draw(rows))),
        limits=tuple(Schedule(f"c{n}", *row) for n, row in enumerate(draw(rows))),
    )


@pytest.mark.requirement("B-4", "B-5")
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(connectors())
def test_the_week_that_repeats_is_the_plan_without_delays(connector):
    patterns = weekly_patterns(connector, WINTER)
    weeks = {}
    for variant, monday in ((Variant.WINTER, WINTER), (Variant.SUMMER, SUMMER)):
        plan = build_plan(PlanRequest(monday, monday + timedelta(seconds=WEEK_S), (connector,)))
        edges = [(int((slot.start - monday).total_seconds()), slot.limit_a) for slot in plan.timelines[1]]
        for second, limit_a in edges:
            assert pattern_at(patterns[variant], second) == limit_a
        weeks[variant] = {second for second, _ in edges}
    for second in weeks[Variant.WINTER] | weeks[Variant.SUMMER]:
        both = min(pattern_at(patterns[variant], second) for variant in (Variant.WINTER, Variant.SUMMER))
        assert pattern_at(patterns[Variant.BOTH], second) == both
