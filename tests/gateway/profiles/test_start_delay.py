"""The random delay at plug-in, kept on the charger: where it stands, what it does, what gives way to what."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chargeamps.gateway.profiles import (
    Capabilities,
    ConnectorPlan,
    Layer,
    Refusal,
    Shortfall,
    Transaction,
    changes,
    desired_profiles,
    exact_days_needed,
    expected_schedule,
    limit_at,
    start_delay_profile,
    suspect,
)
from chargeamps.schedules.planner import Pause, PlanRequest, build_plan, weekly_draws

from .test_build import ABLE, AURA, CHANGES, delays_of

BEGAN = datetime(2027, 1, 13, 23, tzinfo=UTC)
RUNNING = Transaction(5, BEGAN)


def with_start(capabilities: Capabilities = ABLE, *, seconds: int | None = 211, days: int = 0, now: datetime = BEGAN):
    """What the charger should have, with a delay drawn for the next plug-in."""
    end = now + timedelta(days=max(1, days))
    timeline = build_plan(PlanRequest(now, end, (AURA,))).timelines[1] if days else ()
    plan = ConnectorPlan(AURA, delays_of(AURA, now), timeline, seconds)
    return desired_profiles([plan], capabilities, now)


@pytest.mark.requirement("R11-10")
@pytest.mark.requirement("R7-1")
@pytest.mark.parametrize("days", [0, 5])
def test_a_car_plugged_in_inside_the_hours_waits_its_delay_on_the_charger(days):
    profiles = with_start(days=days).profiles
    steps = expected_schedule(profiles, 1, BEGAN, 3600, ABLE, transaction=RUNNING)
    over = BEGAN + timedelta(seconds=211)
    assert [(step.start, step.limit_a) for step in steps] == [(BEGAN, 0), (over, 32)]
    assert limit_at(profiles, 1, BEGAN, ABLE) == 32
    outside = BEGAN + timedelta(hours=11)
    late = expected_schedule(profiles, 1, outside, 3600, ABLE, transaction=Transaction(6, outside))
    assert {step.limit_a for step in late} == {0}


def test_the_start_delay_is_written_as_the_standard_has_it():
    start = with_start().profiles[0]
    assert start.payload == {
        "chargingProfileId": 1404,
        "stackLevel": 3,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": {
            "chargingRateUnit": "A",
            "duration": 211,
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 0.0}],
        },
    }
    for seconds in (0, -1, 1801):
        with pytest.raises(ValueError, match="1800"):
            start_delay_profile(1, seconds, ABLE, stack_level=3)


@pytest.mark.parametrize("levels", range(1, 9))
@pytest.mark.parametrize("recurring", [True, False])
def test_layers_keep_their_levels_whoever_is_absent(levels, recurring):
    able = Capabilities(max_stack_level=levels - 1, recurring=recurring)
    found: dict[Layer, set[int]] = {layer: set() for layer in Layer}
    for days in (0, 5):
        for seconds in (None, 0, 211):
            wanted = with_start(able, seconds=seconds, days=days)
            order = [profile.layer for profile in wanted.profiles]
            assert order == sorted(order, key=[Layer.START, Layer.DAYS, Layer.WEEKLY].index)
            assert Layer.WEEKLY in order
            assert (Layer.START in order) == (seconds == 211 and Shortfall.NO_START_DELAY not in wanted.shortfalls)
            assert len({profile.slot for profile in wanted.profiles}) == len(wanted.profiles)
            for profile in wanted.profiles:
                found[profile.layer].add(profile.payload["stackLevel"])
    assert max(len(found[Layer.START]), len(found[Layer.DAYS])) <= 1
    if found[Layer.START]:
        assert max(found[Layer.START]) == max(level for taken in found.values() for level in taken)
    if levels >= (4 if recurring else 5):
        assert min(found[Layer.START]) > min(found[Layer.DAYS]) > max(found[Layer.WEEKLY])
    assert bool(found[Layer.START]) == (levels >= 3)


def test_exact_days_push_the_start_delay_out_where_levels_are_few_and_it_is_said():
    able = Capabilities(max_stack_level=2)
    assert with_start(able).shortfalls == set()
    both = with_start(able, days=5)
    assert both.shortfalls == {Shortfall.NO_START_DELAY}
    assert [profile.layer for profile in both.profiles] == [Layer.DAYS, Layer.WEEKLY, Layer.WEEKLY]
    todo = changes(with_start(able).profiles, both.profiles, able, BEGAN)
    assert ([profile.layer for profile in todo.to_set], todo.to_clear) == ([Layer.DAYS], ())


def test_a_charger_without_relative_profiles_says_so_whatever_was_drawn():
    for seconds in (0, 211):
        wanted = with_start(Capabilities(relative=False), seconds=seconds)
        assert wanted.shortfalls == {Shortfall.NO_START_DELAY}
        assert {profile.layer for profile in wanted.profiles} == {Layer.WEEKLY}
    assert with_start(Capabilities(relative=False), seconds=None).shortfalls == set()
    assert suspect(with_start().profiles[0].payload, ABLE) is Refusal.NO_RELATIVE


def test_a_fresh_draw_is_one_call_and_a_draw_of_nothing_clears():
    installed = with_start().profiles
    assert changes(installed, with_start().profiles, ABLE, BEGAN) == changes((), (), ABLE, BEGAN)
    again = changes(installed, with_start(seconds=9).profiles, ABLE, BEGAN)
    assert ([profile.layer for profile in again.to_set], again.to_clear) == ([Layer.START], ())
    nothing = changes(installed, with_start(seconds=0).profiles, ABLE, BEGAN)
    assert (nothing.to_set, nothing.to_clear) == ((), (installed[0].profile_id,))


def test_the_exact_days_are_needed_only_where_they_say_something_else():
    now = CHANGES[0] - timedelta(days=3) + timedelta(microseconds=7)
    end = now + timedelta(days=7)
    delays = delays_of(AURA, now)

    def needed(**options) -> bool:
        drawn = replace(AURA, **{"draws": weekly_draws(AURA, delays, now, end)} | options)
        return exact_days_needed(build_plan(PlanRequest(now, end, (drawn,))).timelines[1], AURA, delays)

    assert not needed()
    assert not needed(pauses=(Pause(now - timedelta(days=9), now - timedelta(days=8)),))
    assert needed(pauses=(Pause(now, now + timedelta(days=1)),))
    assert needed(draws=())
    assert not exact_days_needed((), AURA, delays)
