"""Hours on the wall clock: reading, merging, the two nights on which the clock changes, the peaks and the preset."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargeamps.schedules.planner.hours import (
    EVERY_DAY,
    HoursError,
    Weekday,
    Window,
    intervals,
    normalise,
    parse_windows,
    to_utc,
    weekly_runs,
)
from chargeamps.schedules.planner.rules import LONDON, in_peak, minutes_in_peak, rules_at

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "peak-hours-london.json").read_text())
NIGHT = (Window(EVERY_DAY, time(22), time(7, 30)),)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.requirement("B-2")
@pytest.mark.parametrize("vector", VECTORS["instants"], ids=lambda vector: vector["utc"])
def test_peak_vectors(vector):
    assert in_peak(at(vector["utc"])) is vector["peak"]


@pytest.mark.requirement("B-2")
@pytest.mark.parametrize("night", VECTORS["nights"], ids=lambda night: night["case"])
def test_night_vectors(night):
    evening = date.fromisoformat(night["evening"])
    noon = datetime.combine(evening, time(12), UTC)
    (found,) = intervals(NIGHT, LONDON, noon, noon + timedelta(days=1))
    assert found == (at(night["start_utc"]), at(night["end_utc"]))
    assert (found[1] - found[0]).total_seconds() == night["seconds"]


@pytest.mark.requirement("B-2")
def test_a_start_that_does_not_exist_is_the_jump_and_one_that_comes_twice_is_the_first():
    half_past_one = Window(EVERY_DAY, time(1, 30), time(5))
    for edge in VECTORS["edges"]:
        start = at(edge["starts_utc"])
        day = start.replace(hour=0, minute=0) - timedelta(hours=2)
        found = intervals((half_past_one,), LONDON, day, day + timedelta(hours=20))
        assert [begin for begin, _ in found] == [start]


@pytest.mark.requirement("B-2")
def test_ends_follow_the_same_rule_as_starts():
    window = (Window(EVERY_DAY, time(0), time(1, 30)),)
    spring = intervals(window, LONDON, at("2027-03-27T12:00Z"), at("2027-03-28T12:00Z"))
    autumn = intervals(window, LONDON, at("2027-10-30T12:00Z"), at("2027-10-31T12:00Z"))
    assert spring == [(at("2027-03-28T00:00Z"), at("2027-03-28T01:00Z"))]
    assert autumn == [(at("2027-10-30T23:00Z"), at("2027-10-31T00:30Z"))]


@pytest.mark.requirement("B-2")
def test_a_window_inside_the_skipped_hour_is_empty():
    window = (Window(EVERY_DAY, time(1, 15), time(1, 45)),)
    assert intervals(window, LONDON, at("2027-03-27T12:00Z"), at("2027-03-28T12:00Z")) == []


@pytest.mark.parametrize("change", VECTORS["clock_changes_utc"])
def test_the_clock_changes_when_the_vectors_say(change):
    jump = at(change)
    before, after = (jump - timedelta(seconds=1)).astimezone(LONDON), jump.astimezone(LONDON)
    assert before.utcoffset() != after.utcoffset()


@pytest.mark.requirement("R10-2")
@pytest.mark.requirement("R10-17")
def test_the_preset_has_no_minute_in_peak_for_two_years_even_with_the_longest_delay():
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2028, 11, 5, tzinfo=UTC)
    rules = rules_at(start)
    minute = timedelta(minutes=1)
    for opens, closes in intervals(rules.preset_hours, LONDON, start, end):
        moment = opens
        last = closes + timedelta(seconds=rules.delay_ceiling_s)
        while moment < last:
            assert not in_peak(moment), moment
            moment += minute
        assert not in_peak(last - timedelta(seconds=1))


@pytest.mark.requirement("R10-2")
def test_the_preset_charges_every_night_and_all_weekend():
    rules = rules_at(datetime(2027, 1, 1, tzinfo=UTC))
    assert minutes_in_peak(rules.preset_hours, rules) == 0
    assert sum(end - start for start, end in weekly_runs(rules.preset_hours)) == (4 * 9.5 + 57.5) * 3600


@pytest.mark.requirement("R10-5")
def test_hours_in_the_peak_are_counted_not_refused():
    rules = rules_at(datetime(2027, 1, 1, tzinfo=UTC))
    windows = parse_windows([{"days": ["monday", "saturday"], "start": "17:00", "end": "20:00"}])
    assert minutes_in_peak(windows, rules) == 180
    assert minutes_in_peak((), rules) == 0
    assert minutes_in_peak(None, rules) == 5 * 9 * 60


def test_rules_before_the_law_are_the_first_rules():
    assert rules_at(datetime(2000, 1, 1, tzinfo=UTC)) is rules_at(datetime(2027, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ("monday", "windows", "not-a-list"),
        (None, "windows", "not-a-list"),
        ([{}] * 71, "windows", "too-many"),
        ([3], "windows[0]", "not-an-object"),
        ([{"days": [], "start": "22:00", "end": "23:00"}], "windows[0].days", "no-days"),
        ([{"days": "monday", "start": "22:00", "end": "23:00"}], "windows[0].days", "no-days"),
        ([{"days": ["mon"], "start": "22:00", "end": "23:00"}], "windows[0].days", "unknown-day"),
        ([{"days": [0], "start": "22:00", "end": "23:00"}], "windows[0].days", "unknown-day"),
        ([{"days": ["monday"], "end": "23:00"}], "windows[0].start", "not-a-time"),
        ([{"days": ["monday"], "start": "24:00", "end": "23:00"}], "windows[0].start", "not-a-time"),
        ([{"days": ["monday"], "start": "22:60", "end": "23:00"}], "windows[0].start", "not-a-time"),
        ([{"days": ["monday"], "start": "٢٢:00", "end": "23:00"}], "windows[0].start", "not-a-time"),
        ([{"days": ["monday"], "start": "22:00", "end": "24:01"}], "windows[0].end", "not-a-time"),
        ([{"days": ["monday"], "start": "22:00", "end": 2300}], "windows[0].end", "not-a-time"),
        ([{"days": ["monday"], "start": "22:00", "end": "22:00"}], "windows[0].end", "empty"),
        ([{"days": ["monday"], "start": "00:00", "end": "00:00"}], "windows[0].end", "empty"),
    ],
)
def test_hours_without_one_meaning_are_refused_by_field(data, field, code):
    with pytest.raises(HoursError) as caught:
        parse_windows(data)
    assert (caught.value.field, caught.value.code) == (field, code)


def test_hours_read_back_as_they_were_written():
    data = [
        {"days": ["monday", "sunday"], "start": "22:00", "end": "07:30"},
        {"days": ["saturday"], "start": "00:00", "end": "24:00"},
        {"days": ["friday"], "start": "23:30", "end": "00:15"},
    ]
    assert [window.as_json() for window in parse_windows(data)] == data
    assert parse_windows([]) == ()


def test_windows_refuse_what_has_no_meaning():
    with pytest.raises(ValueError, match="day"):
        Window(frozenset(), time(1), time(2))
    with pytest.raises(ValueError, match="zone"):
        Window(EVERY_DAY, time(1, tzinfo=UTC), time(2))


clock = st.integers(0, 287).map(lambda n: time(n // 12, n % 12 * 5))
window = st.builds(Window, st.frozensets(st.sampled_from(list(Weekday)), min_size=1), clock, clock)
windows = st.lists(window, max_size=5).map(tuple)


@given(windows)
def test_normalised_hours_are_the_same_hours_in_one_form(some):
    once = normalise(some)
    assert weekly_runs(once) == weekly_runs(some)
    assert normalise(once) == once
    assert normalise(tuple(reversed(some))) == once


@settings(max_examples=40)
@given(windows, st.sampled_from(["2027-03-27T18:00Z", "2027-10-30T18:00Z", "2027-06-13T18:00Z"]))
def test_intervals_agree_with_a_look_at_the_clock_each_minute(some, start):
    begin = at(start)
    found = intervals(some, LONDON, begin, begin + timedelta(days=2))
    for minute in range(0, 2 * 24 * 60, 5):
        moment = begin + timedelta(minutes=minute)
        assert any(opens <= moment < closes for opens, closes in found) is clock_inside(some, moment)


def clock_inside(some: tuple[Window, ...], moment: datetime) -> bool:
    """Read the wall clock; while an hour is repeated it stands just before the next one."""
    wall = moment.astimezone(LONDON)
    clock = time(1, 59, 59) if wall.fold else wall.time()
    today, yesterday = Weekday(wall.weekday()), Weekday((wall.weekday() - 1) % 7)
    for each in some:
        if each.start < each.end:
            if today in each.days and each.start <= clock < each.end:
                return True
        elif (today in each.days and clock >= each.start) or (yesterday in each.days and clock < each.end):
            return True
    return False


def test_to_utc_never_turns_two_wall_times_round():
    for night in ("2027-03-28", "2027-10-31"):
        walls = [datetime.fromisoformat(night) + timedelta(minutes=minute) for minute in range(0, 240, 3)]
        instants = [to_utc(wall, LONDON) for wall in walls]
        assert instants == sorted(instants)
