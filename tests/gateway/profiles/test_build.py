"""The profiles a charge point should have: obeyed for weeks without us, they charge in allowed hours and only there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import cycle, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeamps.gateway.profiles import (
    Capabilities,
    ConnectorPlan,
    DesiredProfile,
    Layer,
    Refusal,
    Shortfall,
    changes,
    charge_now_profile,
    desired_profiles,
    expected_schedule,
    limit_at,
    session_profile,
    suspect,
)
from chargeamps.gateway.profiles.evaluate import Transaction
from chargeamps.schedules.planner import (
    Connector,
    Pause,
    PlanRequest,
    Schedule,
    Timeline,
    Window,
    build_plan,
    draw_weekly,
    in_peak,
    intervals,
    rules_at,
    weekly_draws,
)
from chargeamps.schedules.planner.hours import EVERY_DAY, WORKDAYS, Weekday
from chargeamps.schedules.planner.rules import LONDON

PRESET = rules_at(datetime(2027, 1, 1, tzinfo=UTC)).preset_hours
AURA = Connector(1, 32.0, hours=PRESET)
CHANGES = [datetime(2027, 3, 28, 1, tzinfo=UTC), datetime(2027, 10, 31, 1, tzinfo=UTC)]
MONTH = timedelta(days=30)
ABLE = Capabilities()


def delays_of(connector: Connector, now: datetime, seconds: int | None = None):
    numbers = cycle(range(7, 1_800, 29))
    return draw_weekly(connector, now, lambda: next(numbers) if seconds is None else seconds)


def planned(
    connector: Connector, now: datetime, capabilities: Capabilities = ABLE, *, days: int = 0, seconds: int | None = None
):
    delays = delays_of(connector, now, seconds)
    timeline: Timeline = ()
    if days:
        end = now + timedelta(days=days)
        drawn = replace(connector, draws=weekly_draws(connector, delays, now, end))
        timeline = build_plan(PlanRequest(now, end, (drawn,))).timelines[connector.number]
    return desired_profiles([ConnectorPlan(connector, delays, timeline)], capabilities, now)


def obeyed(profiles, now: datetime, length: timedelta = MONTH, capabilities: Capabilities = ABLE, connector: int = 1):
    return expected_schedule(profiles, connector, now, int(length.total_seconds()), capabilities)


def assert_only_inside(steps, windows, now: datetime, length: timedelta = MONTH, longest: int = 1800) -> None:
    """Every second with current lies in the hours or in the delay after them."""
    allowed = intervals(windows, LONDON, now - timedelta(days=1), now + length + timedelta(days=1))
    for step in steps:
        assert step.limit_a is not None
        if step.limit_a > 0:
            assert any(
                start <= step.start and step.end <= end + timedelta(seconds=longest) for start, end in allowed
            ), step


def hours_charged(steps) -> float:
    return sum((step.end - step.start).total_seconds() for step in steps if step.limit_a) / 3600


@pytest.mark.requirement("B-5")
@pytest.mark.requirement("R10-9")
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("days", [0, 7])
@pytest.mark.parametrize("seconds", [None, 0, 1800])
def test_thirty_days_alone_across_a_clock_change(change, days, seconds):
    now = change - timedelta(days=15, hours=7)
    steps = obeyed(planned(AURA, now, days=days, seconds=seconds).profiles, now)
    assert_only_inside(steps, PRESET, now)
    for step in steps:
        if step.limit_a:
            assert not in_peak(step.start)
            assert not in_peak(step.end - timedelta(seconds=1))
    expected = sum((end - start).total_seconds() for start, end in intervals(PRESET, LONDON, now, now + MONTH)) / 3600
    assert hours_charged(steps) == pytest.approx(expected, abs=0.5 * 30)


@pytest.mark.parametrize("change", CHANGES)
def test_the_stored_week_is_the_plan_to_the_second(change):
    now = change - timedelta(days=3)
    end = now + timedelta(days=7)
    delays = delays_of(AURA, now)
    drawn = replace(AURA, draws=weekly_draws(AURA, delays, now, end))
    timeline = build_plan(PlanRequest(now, end, (drawn,))).timelines[1]
    steps = obeyed(desired_profiles([ConnectorPlan(AURA, delays)], ABLE, now).profiles, now, timedelta(days=7))
    ours = [(slot.start, slot.limit_a) for slot in timeline]
    changed = [pair for n, pair in enumerate(ours) if n == 0 or pair[1] != ours[n - 1][1]]
    assert [(step.start, step.limit_a) for step in steps] == changed


clock = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
window = st.builds(Window, st.frozensets(st.sampled_from(list(Weekday)), min_size=1), clock, clock)


@settings(max_examples=60, deadline=None)
@given(st.lists(window, max_size=4).map(tuple), st.integers(0, 1_800), st.integers(1, 7_919))
def test_any_hours_are_stored_as_planned(windows, longest, mixing):
    now = datetime(2027, 1, 13, 10, 7, tzinfo=UTC)
    end = now + timedelta(days=8)
    connector = replace(AURA, hours=windows)
    delays = {key: key[1] * mixing % 7_907 % (longest + 1) for key in delays_of(connector, now)}
    drawn = replace(connector, draws=weekly_draws(connector, delays, now, end))
    timeline = build_plan(PlanRequest(now, end, (drawn,))).timelines[1]
    profiles = desired_profiles([ConnectorPlan(connector, delays)], Capabilities(max_periods=99), now).profiles
    for slot in timeline:
        for instant in (slot.start, slot.end - timedelta(seconds=1)):
            # Which delay ran when the plan began is a matter of what came before it.
            if instant - now > timedelta(hours=1):
                assert limit_at(profiles, 1, instant, ABLE) == slot.limit_a


def test_two_summers_ahead_the_week_is_still_right():
    now = datetime(2027, 1, 5, tzinfo=UTC)
    length = timedelta(days=660)
    steps = obeyed(planned(AURA, now, Capabilities(max_stack_level=4)).profiles, now, length)
    assert_only_inside(steps, PRESET, now, length)


HOURS = {
    "overnight": (Window(EVERY_DAY, time(23), time(5)),),
    "working day": (Window(WORKDAYS, time(11), time(16)),),
    "sunday into monday": (Window(frozenset({Weekday.SUNDAY}), time(12), time(6)),),
    "many": tuple(Window(EVERY_DAY, time(hour), time(hour, 30)) for hour in range(0, 24, 3) if hour != 1),
}


@pytest.mark.parametrize("windows", HOURS.values(), ids=HOURS)
@pytest.mark.parametrize("change", CHANGES)
def test_other_hours_across_a_clock_change(windows, change):
    now = change - timedelta(days=10)
    connector = replace(AURA, hours=windows)
    steps = obeyed(planned(connector, now, Capabilities(max_periods=200)).profiles, now)
    assert_only_inside(steps, windows, now)
    assert hours_charged(steps) > 0


LADDER = {
    "one stack level": (Capabilities(max_stack_level=0), {Shortfall.ONE_STACK_LEVEL}),
    "two stack levels": (Capabilities(max_stack_level=1), None),
    "three profiles in all": (Capabilities(max_profiles=3), None),
    "few periods": (Capabilities(max_periods=4), {Shortfall.FEW_PERIODS}),
    "two periods": (Capabilities(max_periods=2), {Shortfall.FEW_PERIODS}),
    "watts only": (Capabilities(watts_only=True, phases=3), set()),
    "no recurring": (Capabilities(recurring=False), {Shortfall.NO_RECURRING}),
    "no recurring, many periods, one level": (
        Capabilities(recurring=False, max_periods=100, max_stack_level=0),
        {Shortfall.NO_RECURRING},
    ),
}


@pytest.mark.parametrize(("capabilities", "shortfalls"), LADDER.values(), ids=LADDER)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("days", [0, 5])
def test_every_rung_charges_in_allowed_hours_and_still_charges(capabilities, shortfalls, change, days):
    now = change - timedelta(days=12, hours=-3)
    wanted = planned(AURA, now, capabilities, days=days)
    if shortfalls is not None:
        assert wanted.shortfalls == shortfalls
    steps = obeyed(wanted.profiles, now, capabilities=capabilities)
    assert_only_inside(steps, PRESET, now)
    assert hours_charged(steps) > 5 * 30
    for profile in wanted.profiles:
        assert profile.payload["stackLevel"] <= capabilities.max_stack_level
        assert len(profile.payload["chargingSchedule"]["chargingSchedulePeriod"]) <= capabilities.max_periods
    assert len(wanted.profiles) <= capabilities.max_profiles


def test_one_level_far_from_a_clock_change_keeps_the_whole_night():
    now = datetime(2027, 6, 15, tzinfo=UTC)
    steps = obeyed(planned(AURA, now, Capabilities(max_stack_level=0), seconds=0).profiles, now, timedelta(days=1))
    assert [(step.start.hour, step.limit_a) for step in steps] == [(0, 32), (6, 0), (21, 32)]


def test_without_tx_default_nothing_is_stored_and_it_is_said():
    now = CHANGES[0]
    wanted = planned(AURA, now, Capabilities(tx_default=False), days=3)
    assert wanted.profiles == ()
    assert wanted.shortfalls == {Shortfall.NOT_STORED}


def test_an_installation_limit_stands_below_everything():
    now = CHANGES[0]
    plans = [ConnectorPlan(replace(AURA, number=number), delays_of(AURA, now)) for number in (1, 2)]
    wanted = desired_profiles(plans, ABLE, now, installation_a=20.55)
    first = wanted.profiles[0]
    assert (first.layer, first.connector_number, first.payload["chargingProfilePurpose"]) == (
        Layer.INSTALLATION,
        0,
        "ChargePointMaxProfile",
    )
    assert first.payload["chargingSchedule"]["chargingSchedulePeriod"] == [{"startPeriod": 0, "limit": 20.5}]
    assert {step.limit_a for step in obeyed(wanted.profiles, now, connector=2)} == {0, 20.5}


def test_without_charge_point_max_each_connector_gets_its_part():
    now = CHANGES[0]
    able = Capabilities(charge_point_max=False)
    timeline = build_plan(PlanRequest(now, now + timedelta(days=2), (AURA,))).timelines[1]
    plans = [ConnectorPlan(replace(AURA, number=number), delays_of(AURA, now), timeline) for number in (1, 2)]
    wanted = desired_profiles(plans, able, now, installation_a=40)
    assert wanted.shortfalls == {Shortfall.NO_CHARGE_POINT_MAX}
    assert {step.limit_a for step in obeyed(wanted.profiles, now)} == {0, 20}
    assert desired_profiles(plans, able, now, installation_a=64).shortfalls == set()


def test_hours_that_never_switch_are_one_limit():
    now = CHANGES[0]
    for hours, limit_a in ((None, 32), ((), 0), ((Window(EVERY_DAY, time(0), time(0)),), 32)):
        (only,) = planned(replace(AURA, hours=hours), now).profiles
        assert only.payload["chargingProfileKind"] == "Absolute"
        assert {step.limit_a for step in obeyed([only], now)} == {limit_a}


def test_a_tariff_on_utc_and_a_slower_limit_are_stored_too():
    now = CHANGES[0] - timedelta(days=5, hours=13)
    tariff = Schedule("t", (Window(EVERY_DAY, time(0), time(5)),), 10.0, ZoneInfo("UTC"))
    steps = obeyed(
        planned(replace(AURA, hours=(), schedules=(tariff,)), now, seconds=0).profiles, now, timedelta(days=9)
    )
    assert {(step.start.hour, step.end.hour) for step in steps if step.limit_a} == {(0, 5)}
    assert {step.limit_a for step in steps} == {0, 10}


def test_a_zone_without_summer_time_needs_one_week():
    (only,) = planned(replace(AURA, zone=ZoneInfo("UTC")), CHANGES[0]).profiles
    assert only.payload["recurrencyKind"] == "Weekly"


@pytest.mark.requirement("R11-4")
def test_switches_have_delays_of_their_own():
    base = planned(AURA, CHANGES[0]).profiles[0]
    seconds = [period["startPeriod"] for period in base.payload["chargingSchedule"]["chargingSchedulePeriod"][1:]]
    assert len({second % 1800 for second in seconds}) == len(seconds)


def test_a_delay_longer_than_its_window_leaves_no_stray_switch():
    short = replace(AURA, hours=(Window(EVERY_DAY, time(2), time(2, 10)), Window(EVERY_DAY, time(22), time(23))))
    now = datetime(2027, 1, 5, tzinfo=UTC)
    delays = {key: 1200 if key[1] % 86_400 == 7200 else 0 for key in delays_of(short, now)}
    profiles = desired_profiles([ConnectorPlan(short, delays)], Capabilities(max_periods=99), now).profiles
    assert hours_charged(obeyed(profiles, now, timedelta(days=7))) == 7


def test_what_is_sent_is_as_the_standard_wants_it():
    now = CHANGES[1] - timedelta(days=2)
    for capabilities in (ABLE, Capabilities(recurring=False), Capabilities(watts_only=True)):
        profiles = planned(AURA, now, capabilities, days=5).profiles
        assert len({profile.profile_id for profile in profiles}) == len(profiles)
        assert len({profile.slot for profile in profiles}) == len(profiles)
        for profile in profiles:
            schedule = profile.payload["chargingSchedule"]
            periods = schedule["chargingSchedulePeriod"]
            assert datetime.fromisoformat(schedule["startSchedule"]) <= now
            assert schedule["startSchedule"].endswith("Z")
            assert periods[0]["startPeriod"] == 0
            assert all(one["startPeriod"] < other["startPeriod"] for one, other in pairwise(periods))
            assert all(round(period["limit"], 1) == period["limit"] for period in periods)
            assert ("duration" in schedule) or profile.payload["chargingProfileKind"] == "Absolute"
            # An end that never comes must not be an end to charging.
            assert "duration" in schedule or periods[-1]["limit"] > 0
            assert json.loads(json.dumps(profile.payload)) == profile.payload


def test_a_summer_never_pushes_out_the_one_that_is_on():
    installed: dict[tuple[int, str, int], DesiredProfile] = {}
    now = datetime(2027, 1, 4, 12, tzinfo=UTC)
    delays = delays_of(AURA, now)
    while now < datetime(2029, 12, 1, tzinfo=UTC):
        wanted = desired_profiles([ConnectorPlan(AURA, delays)], ABLE, now).profiles
        todo = changes(installed.values(), wanted, ABLE, now)
        for profile in todo.to_set:
            replaced = installed.get(profile.slot)
            if "validFrom" in profile.payload and datetime.fromisoformat(profile.payload["validFrom"]) > now:
                assert replaced is None or datetime.fromisoformat(replaced.payload["validTo"]) <= now
            installed[profile.slot] = profile
        assert not todo.to_clear
        now += timedelta(days=1)


@pytest.mark.parametrize("days", [0, 5])
def test_equal_plans_make_no_calls(days):
    now = CHANGES[0] - timedelta(days=20)
    one, other = planned(AURA, now, days=days), planned(AURA, now, days=days)
    assert [profile.digest for profile in one.profiles] == [profile.digest for profile in other.profiles]
    assert changes(one.profiles, other.profiles, ABLE, now) == changes((), (), ABLE, now)


def test_the_exact_days_are_sent_again_only_when_they_differ_or_run_out():
    now = CHANGES[0] - timedelta(days=20)
    installed = planned(AURA, now, days=5).profiles
    sent = []
    for hour in range(1, 5 * 24):
        later = now + timedelta(hours=hour)
        todo = changes(installed, planned(AURA, later, days=5).profiles, ABLE, later)
        if todo.to_set:
            sent.append(hour)
            kept = {profile.slot: profile for profile in (*installed, *todo.to_set)}
            installed = tuple(kept.values())
    assert 1 <= len(sent) <= 3
    holiday = planned(replace(AURA, pauses=(Pause(now),)), now, days=5).profiles
    (only,) = changes(planned(AURA, now, days=5).profiles, holiday, ABLE, now).to_set
    assert only.layer is Layer.DAYS


def test_what_is_no_longer_wanted_is_cleared():
    now = CHANGES[0]
    installed = planned(AURA, now, days=3).profiles
    todo = changes(installed, planned(replace(AURA, hours=None), now).profiles, ABLE, now)
    assert [profile.payload["stackLevel"] for profile in todo.to_set] == [0]
    assert set(todo.to_clear) == {profile.profile_id for profile in installed if profile.payload["stackLevel"]}


def test_the_exact_days_fit_the_periods_and_end_inside_allowed_hours():
    now = CHANGES[0] - timedelta(days=20)
    days = planned(AURA, now, Capabilities(max_periods=5), days=7).profiles[0]
    assert days.layer is Layer.DAYS
    periods = days.payload["chargingSchedule"]["chargingSchedulePeriod"]
    assert len(periods) <= 5
    assert periods[-1]["limit"] == 32
    end = datetime.fromisoformat(days.payload["validTo"])
    assert any(start < end < stop for start, stop in intervals(PRESET, LONDON, now, now + timedelta(days=9)))


@pytest.mark.requirement("R10-10")
def test_charge_now_beats_the_week_for_this_transaction_only():
    now = datetime(2027, 6, 15, 16, tzinfo=UTC)
    week = planned(AURA, now, days=2).profiles
    order = charge_now_profile(1, 32.0, ABLE, now, transaction_id=77)
    mine, other = Transaction(77, now), Transaction(78, now)
    assert limit_at([*week, order], 1, now, ABLE) == 0
    assert limit_at([*week, order], 1, now, ABLE, transaction=mine) == 32
    assert limit_at([*week, order], 1, now, ABLE, transaction=other) == 0
    assert order.payload["stackLevel"] == ABLE.max_stack_level
    within_start = charge_now_profile(1, 32.0, ABLE, now, until=now + timedelta(hours=2))
    assert "transactionId" not in within_start.payload
    assert limit_at([*week, within_start], 1, now + timedelta(hours=3), ABLE, transaction=mine) == 0


def test_a_session_can_carry_the_plan_where_no_default_is_stored():
    now = datetime(2027, 6, 15, 16, tzinfo=UTC)
    timeline = build_plan(PlanRequest(now, now + timedelta(days=1), (AURA,))).timelines[1]
    carried = session_profile(1, timeline, ABLE, transaction_id=5)
    steps = expected_schedule([carried], 1, now, 6 * 3600, ABLE, transaction=Transaction(5, now))
    assert [(step.start.hour, step.limit_a) for step in steps] == [(16, 0), (21, 32)]
    assert not changes((), [carried], ABLE, now).to_set


def test_a_rejected_profile_leads_down_the_ladder_to_its_end():
    now = CHANGES[0]
    capabilities = ABLE
    learnt = []
    while True:
        plans = [ConnectorPlan(AURA, delays_of(AURA, now), start_delay=211)]
        wanted = desired_profiles(plans, capabilities, now, installation_a=32).profiles
        if not wanted:
            break
        refusal = suspect(wanted[-1 if capabilities.relative is False else 1].payload, capabilities)
        assert refusal is not None
        assert refusal not in learnt
        learnt.append(refusal)
        capabilities = capabilities.having_refused(refusal)
    assert set(learnt) == set(Refusal)
    order = charge_now_profile(1, 32.0, capabilities, now)
    assert suspect(order.payload, capabilities) is None
