"""Ready by: which hours are picked, and what is promised."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chargeamps.schedules.planner import Connector, PlanRequest, build_plan, intervals, pick_ready_by, rules_at
from chargeamps.schedules.planner.rules import LONDON

EVENING = datetime(2027, 1, 12, 18, tzinfo=UTC)
SEVEN = datetime(2027, 1, 13, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def pick(energy_wh, allowed, delay=600, power_w=7_200.0):
    return pick_ready_by(energy_wh, EVENING, SEVEN, allowed=allowed, power_w=power_w, delay_maximum_s=delay)


def test_forty_kilowatt_hours_by_seven_in_the_earliest_stretch():
    allowed = intervals(rules_at(EVENING).preset_hours, LONDON, EVENING, SEVEN)
    picked = pick(40_000, allowed)
    start = EVENING.replace(hour=22)
    assert picked.slots.chosen == ((start, start + timedelta(seconds=20_000 + 600)),)
    assert (picked.achievable, picked.short_wh, picked.energy_wh) == (True, 0, 40_000)
    assert picked.ready_at < SEVEN


def test_what_cannot_be_made_is_said_in_watt_hours():
    picked = pick(80_000, [(EVENING.replace(hour=22), SEVEN + HOUR)])
    assert picked.slots.chosen == ((EVENING.replace(hour=22), SEVEN),)
    assert picked.short_wh == 80_000 - (9 * 3600 - 600) * 2
    assert not picked.achievable


def test_one_later_stretch_is_better_than_two_early_pieces():
    early, late = (EVENING, EVENING + HOUR), (EVENING + 4 * HOUR, EVENING + 8 * HOUR)
    assert pick(14_400, [early, late]).slots.chosen == ((late[0], late[0] + 2 * HOUR + timedelta(seconds=600)),)


def test_pieces_where_no_stretch_holds_it_all():
    pieces = [(EVENING + n * 2 * HOUR, EVENING + n * 2 * HOUR + HOUR) for n in range(4)]
    picked = pick(12_000, [*pieces, (SEVEN + HOUR, SEVEN + 3 * HOUR)])
    assert picked.slots.chosen == (pieces[0], (pieces[1][0], pieces[1][0] + HOUR))
    assert picked.achievable


def test_nothing_is_allowed_and_nothing_is_promised():
    picked = pick(1_000, [(EVENING, EVENING + timedelta(seconds=600))])
    assert (picked.energy_wh, picked.short_wh, picked.ready_at, picked.slots.chosen) == (0, 1_000, None, ())


@pytest.mark.parametrize(("energy", "power", "delay"), [(0, 7_200, 600), (1, 0, 600), (1, 7_200, 1801)])
def test_wishes_without_meaning_are_refused(energy, power, delay):
    with pytest.raises(ValueError, match="must be"):
        pick(energy, [], delay, power)


def test_the_plan_delivers_what_was_promised_whatever_the_draws():
    hours = rules_at(EVENING).preset_hours
    picked = pick(40_000, intervals(hours, LONDON, EVENING, SEVEN))
    connector = Connector(1, 32.0, hours=hours, ready_by=picked.slots)
    for drawn in (0, 600):
        request = PlanRequest(EVENING, SEVEN + 3 * HOUR, (replace(connector),))
        timeline = build_plan(request, lambda _connector, _nominal, drawn=drawn: drawn).timelines[1]
        charged = sum(
            (slot.end - slot.start).total_seconds() for slot in timeline if slot.limit_a and slot.end <= SEVEN
        )
        assert charged * 7_200 / 3600 >= 40_000
        assert any(slot.reason.code == "ready-by" for slot in timeline)
