"""The week that repeats for ever, in UTC: what a charger can keep without us.

London hours are two weeks in UTC, one for winter and one for summer. Each switch of each has a delay of its own, keyed
by `(variant, second of the UTC week)`, drawn afresh whenever the week is sent anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from .hours import WEEK_S, Run, Window, weekly_runs
from .request import Connector, Draw
from .timeline import snap_cap, snap_wish


class Variant(StrEnum):
    """Which clock a week is written for; `BOTH` allows only what both allow, and is right on either."""

    WINTER = "winter"
    SUMMER = "summer"
    BOTH = "both"


# Changes of the limit, as (second of the UTC week, amperes), sorted; the last one lasts into the next week. A week
# without any change is one entry at 0.
Pattern = tuple[tuple[int, float], ...]
WeeklyDelays = Mapping[tuple[Variant, int], int]


@dataclass(frozen=True, slots=True)
class Season:
    """From `start` up to `end` the clock is `offset` ahead of UTC."""

    start: datetime
    end: datetime
    offset: timedelta


def seasons(zone: ZoneInfo, start: datetime, end: datetime) -> tuple[Season, ...]:
    """The seasons of the clock that meet `[start, end)`, each from one change to the next."""
    changes = [change for year in range(start.year - 1, end.year + 2) for change in _changes(zone, year)]
    edges = [
        datetime(start.year - 1, 1, 1, tzinfo=UTC),
        *changes,
        datetime(end.year + 2, 1, 1, tzinfo=UTC),
    ]
    found = (Season(a, b, _offset(zone, a)) for a, b in pairwise(edges) if a < b)
    return tuple(season for season in found if season.start < end and season.end > start)


@lru_cache(maxsize=256)
def _changes(zone: ZoneInfo, year: int) -> tuple[datetime, ...]:
    out = []
    at = datetime(year, 1, 1, tzinfo=UTC)
    while at.year == year:
        after = at + timedelta(days=1)
        if _offset(zone, at) != _offset(zone, after):
            low, high = at, after
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
                low, high = (middle, high) if _offset(zone, middle) == _offset(zone, at) else (low, middle)
            out.append(high)
        at = after
    return tuple(out)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def variant_of(season: Season, zone: ZoneInfo) -> Variant:
    """Whether a season has the clock ahead of the zone's winter time."""
    around = seasons(zone, season.start, season.start + timedelta(days=366))
    return Variant.SUMMER if season.offset > min(other.offset for other in around) else Variant.WINTER


def weekly_patterns(connector: Connector, at: datetime) -> dict[Variant, Pattern]:
    """The weeks of a connector's hours and schedules: winter, and summer and both where the clock has two seasons.

    Overrides, pauses and events are not part of the week. `at` says which year's rules of the clock to use.
    """
    found = {variant_of(season, connector.zone): season for season in seasons(connector.zone, at, at + _YEAR)}
    middles = {variant: season.start + (season.end - season.start) / 2 for variant, season in found.items()}
    out = {variant: weekly_pattern(connector, middles[variant]) for variant in Variant if variant in middles}
    if Variant.SUMMER in out:
        out[Variant.BOTH] = _lower(out[Variant.WINTER], out[Variant.SUMMER])
    return out


_YEAR = timedelta(days=366)


def weekly_pattern(connector: Connector, at: datetime) -> Pattern:
    """The week with every clock as it is at the instant `at`."""
    top_a = snap_cap(connector.max_a)
    layers: list[tuple[list[Run], float]] = []
    if connector.hours is None:
        layers.append(([(0, WEEK_S)], top_a))
    else:
        layers.append((_utc_runs(connector.hours, connector.zone, at), top_a))
    for schedule in connector.schedules:
        limit_a = top_a if schedule.limit_a is None else min(top_a, snap_wish(schedule.limit_a))
        layers.append((_utc_runs(schedule.windows, schedule.zone, at), limit_a))
    caps = [
        (
            _utc_runs(schedule.windows, schedule.zone, at),
            top_a if schedule.limit_a is None else snap_wish(schedule.limit_a),
        )
        for schedule in connector.limits
    ]
    edges = {0, *(edge for runs, _ in (*layers, *caps) for run in runs for edge in run if edge < WEEK_S)}
    steps = []
    for second in sorted(edges):
        inside = _inside(layers, second)
        steps.append((second, min([inside[-1] if inside else 0.0, *_inside(caps, second)])))
    return changes_only(steps)


def _inside(layers: list[tuple[list[Run], float]], second: int) -> list[float]:
    return [limit_a for runs, limit_a in layers if any(start <= second < end for start, end in runs)]


def _utc_runs(windows: tuple[Window, ...], zone: ZoneInfo, at: datetime) -> list[Run]:
    offset = int(_offset(zone, at).total_seconds())
    out: list[Run] = []
    for start, end in weekly_runs(windows):
        begin = (start - offset) % WEEK_S
        stop = begin + end - start
        out.append((begin, min(stop, WEEK_S)))
        if stop > WEEK_S:
            out.append((0, stop - WEEK_S))
    return out


def changes_only(steps: list[tuple[int, float]]) -> Pattern:
    """Steps of one round (sorted, `(second, amperes)`), without those that change nothing."""
    out = [step for index, step in enumerate(steps) if step[1] != steps[index - 1][1]]
    return tuple(out) or ((0, steps[0][1]),)


def pattern_at(pattern: Pattern, second: int) -> float:
    """The limit of a pattern at a second of the week."""
    passed = [limit_a for start, limit_a in pattern if start <= second]
    return passed[-1] if passed else pattern[-1][1]


def repeating(connector: Connector, draws: tuple[Draw, ...] = ()) -> Connector:
    """The connector with what repeats alone, hours and schedules, and these delays."""
    return replace(connector, pauses=(), charge_now=(), dsr=(), ready_by=None, cuts=(), draws=draws, present=None)


def _lower(one: Pattern, other: Pattern) -> Pattern:
    edges = sorted({0, *(second for second, _ in one), *(second for second, _ in other)})
    return changes_only([(second, min(pattern_at(one, second), pattern_at(other, second))) for second in edges])


def delayed_pattern(pattern: Pattern, delays: Mapping[int, int], round_s: int = WEEK_S) -> Pattern:
    """The pattern with each switch moved later by its delay (0 where none is given), still one round of `round_s`.

    A switch met while an earlier delay runs is served when that one ends, as in the plan.
    """
    if len(pattern) < 2:
        return pattern
    out: list[tuple[int, float]] = []
    until = -2 * round_s
    for turn in (-1, 0, 1):
        for second, limit_a in pattern:
            at = second + turn * round_s
            if at <= until:
                out[-1] = (until, limit_a)
            else:
                until = at + delays.get(second, 0)
                out.append((until, limit_a))
    inside = [(at, limit_a) for at, limit_a in out if 0 <= at < round_s]
    return changes_only(inside)


def draw_weekly(connector: Connector, at: datetime, draw: Callable[[], int]) -> dict[tuple[Variant, int], int]:
    """A fresh delay for every switch of the connector's weeks."""
    return {
        (variant, second): draw()
        for variant, pattern in weekly_patterns(connector, at).items()
        if len(pattern) > 1
        for second, _ in pattern
    }


def weekly_draws(connector: Connector, delays: WeeklyDelays, start: datetime, end: datetime) -> tuple[Draw, ...]:
    """The weekly delays as draws of the switches they stand for, from a day before `start` up to `end`.

    With these in `Connector.draws`, a plan shows to the second what the stored week will do.
    """
    out = []
    first = start - timedelta(days=1)
    for season in seasons(connector.zone, first, end):
        variant = variant_of(season, connector.zone)
        begin, stop = max(season.start, first), min(season.end, end)
        monday = datetime(begin.year, begin.month, begin.day, tzinfo=UTC) - timedelta(days=begin.weekday())
        while monday < stop:
            for (kind, second), seconds in delays.items():
                nominal = monday + timedelta(seconds=second)
                if kind is variant and begin <= nominal < stop:
                    out.append(Draw(nominal, seconds))
            monday += timedelta(days=7)
    out.sort(key=lambda draw: draw.nominal)
    kept: list[Draw] = []
    for draw in out:
        # Before the plan begins only one delay can have run at a time: a switch inside it drew none of its own.
        if draw.nominal >= start or not kept or draw.nominal > kept[-1].until:
            kept.append(draw)
    return tuple(kept)
