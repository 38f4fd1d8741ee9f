"""The layer that lasts: default charging hours and schedules as TxDefaultProfiles that work for ever without us.

At best, one weekly profile for winter at stack level 0, always valid, and above it one for each of the next two
summers, valid from one clock change to the other. What a charger cannot keep gives way to the next best, see `stored`.

A switch inside the repeated hour of the autumn night (01:00-02:00) is met twice by a stored week, since each clock has
it once; the exact days above the week have it once, as the plan has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from chargeamps.schedules.planner.hours import DAY_S, WEEK_S
from chargeamps.schedules.planner.plan import build_plan
from chargeamps.schedules.planner.request import Connector, PlanRequest
from chargeamps.schedules.planner.weekly import (
    Pattern,
    Season,
    Variant,
    WeeklyDelays,
    changes_only,
    delayed_pattern,
    pattern_at,
    repeating,
    seasons,
    variant_of,
    weekly_draws,
    weekly_patterns,
)

from .capabilities import Capabilities
from .payload import ANCHOR, TX_DEFAULT, DesiredProfile, Layer, desired, schedule

SUMMERS = 2
# With room for one week, a charger gets the cautious one this long before the clock changes: we may be gone by then.
CAUTIOUS = timedelta(days=45)
# As far ahead as a charger without recurring profiles is given its hours, room permitting.
UNROLLED = timedelta(days=84)


class Shortfall(StrEnum):
    """What the owner should know about a charger that cannot keep the whole plan."""

    ONE_STACK_LEVEL = "one-stack-level"
    FEW_PERIODS = "few-periods"
    NO_RECURRING = "no-recurring"
    NO_CHARGE_POINT_MAX = "no-charge-point-max"
    NOT_STORED = "not-stored"
    NO_START_DELAY = "no-start-delay"


@dataclass(frozen=True, slots=True)
class Stored:
    """The lasting profiles of one connector, in the order to send, and what is missing from them."""

    profiles: tuple[DesiredProfile, ...]
    shortfalls: frozenset[Shortfall]


def stored(
    connector: Connector, delays: WeeklyDelays, capabilities: Capabilities, now: datetime, *, levels: int, room: int
) -> Stored:
    """The lasting profiles of a connector.

    `levels` is the number of stack levels, from 0, that may be used and `room` the number of profiles. The ladder: no
    TxDefaultProfile, nothing; hours that never switch, one limit; no Recurring, absolute profiles for the coming weeks;
    few periods, a day that suits every day instead of a week; one level, this season's week, or when the clock is about
    to change the hours that are allowed on both sides of it.
    """
    patterns = weekly_patterns(connector, now)
    if not capabilities.tx_default:
        return Stored((), frozenset({Shortfall.NOT_STORED}))
    winter = patterns[Variant.WINTER]
    if all(len(pattern) == 1 for pattern in patterns.values()):
        constant = schedule([(0, winter[0][1])], capabilities, start=ANCHOR)
        return Stored((_tx_default(connector, 0, constant),), frozenset())
    levels = max(1, min(levels, room))
    if not capabilities.recurring:
        return _unrolled(connector, delays, capabilities, now, levels)
    weeks: list[tuple[int, Variant, Season | None]] = [(0, Variant.WINTER, None)]
    short: set[Shortfall] = set()
    if Variant.SUMMER in patterns and levels == 1:
        weeks = [(0, _single_variant(connector.zone, now), None)]
        short.add(Shortfall.ONE_STACK_LEVEL)
    elif Variant.SUMMER in patterns:
        for season in _summers(connector.zone, now)[: levels - 1]:
            # A summer keeps its level by its year, so that the next one never pushes out the one that is on.
            level = 1 + season.start.year % SUMMERS if levels > SUMMERS else 1
            weeks.append((level, Variant.SUMMER, season))
    out = []
    for level, variant, valid in weeks:
        week = _lasting(variant, patterns[variant], delays, capabilities)
        out.append(_recurring(connector, level, week, capabilities, valid))
        if week.thinned:
            short.add(Shortfall.FEW_PERIODS)
    return Stored(tuple(out), frozenset(short))


@dataclass(frozen=True, slots=True)
class _Round:
    """A pattern that repeats every `round_s` seconds from `start`, its first step at 0."""

    steps: Pattern
    start: datetime
    round_s: int
    thinned: bool


def _lasting(variant: Variant, pattern: Pattern, delays: WeeklyDelays, capabilities: Capabilities) -> _Round:
    mine = {second: seconds for (kind, second), seconds in delays.items() if kind is variant}
    week = _round(delayed_pattern(pattern, mine), WEEK_S, capabilities.max_periods)
    if week is not None:
        return week
    daily = _daily(pattern)
    by_day = {second % DAY_S: mine[second] for second, _ in reversed(pattern) if second in mine}
    day = _round(delayed_pattern(daily, by_day, DAY_S), DAY_S, capabilities.max_periods)
    while day is None:
        daily = _without_shortest(daily)
        day = _round(delayed_pattern(daily, by_day, DAY_S), DAY_S, capabilities.max_periods)
    return replace(day, thinned=True)


def _round(pattern: Pattern, round_s: int, max_periods: int) -> _Round | None:
    """Anchored at midnight, or where that takes a period too many, at the first switch; `None` if that is too many."""
    opening = [] if pattern[0][0] == 0 else [(0, pattern[-1][1])]
    if len(pattern) + len(opening) <= max_periods:
        return _Round((*opening, *pattern), ANCHOR, round_s, thinned=False)
    if len(pattern) > max_periods:
        return None
    first = pattern[0][0]
    steps = tuple((second - first, limit_a) for second, limit_a in pattern)
    return _Round(steps, ANCHOR + timedelta(seconds=first), round_s, thinned=False)


def _daily(pattern: Pattern) -> Pattern:
    """The lowest limit of the seven days at each time of the day."""
    edges = sorted({0, *(second % DAY_S for second, _ in pattern)})
    return changes_only(
        [(second, min(pattern_at(pattern, second + day * DAY_S) for day in range(7))) for second in edges]
    )


def _without_shortest(daily: Pattern) -> Pattern:
    lengths = [
        ((daily[(index + 1) % len(daily)][0] - second) % DAY_S, index)
        for index, (second, limit_a) in enumerate(daily)
        if limit_a > 0
    ]
    drop = min(lengths)[1]
    return changes_only([(second, 0.0 if index == drop else limit_a) for index, (second, limit_a) in enumerate(daily)])


def _single_variant(zone: ZoneInfo, now: datetime) -> Variant:
    season = seasons(zone, now, now + timedelta(seconds=1))[0]
    return Variant.BOTH if season.end - now < CAUTIOUS else variant_of(season, zone)


def _summers(zone: ZoneInfo, now: datetime) -> list[Season]:
    ahead = seasons(zone, now, now + timedelta(days=366 * SUMMERS))
    return [season for season in ahead if variant_of(season, zone) is Variant.SUMMER][:SUMMERS]


def _recurring(
    connector: Connector, level: int, week: _Round, capabilities: Capabilities, season: Season | None = None
) -> DesiredProfile:
    return desired(
        Layer.WEEKLY,
        connector.number,
        schedule(week.steps, capabilities, start=week.start, duration_s=week.round_s),
        purpose=TX_DEFAULT,
        stack_level=level,
        kind="Recurring",
        recurrency="Weekly" if week.round_s == WEEK_S else "Daily",
        valid_from=season.start if season else None,
        valid_to=season.end if season else None,
    )


def _tx_default(
    connector: Connector, level: int, charging_schedule: dict[str, object], end: datetime | None = None
) -> DesiredProfile:
    return desired(
        Layer.WEEKLY, connector.number, charging_schedule, purpose=TX_DEFAULT, stack_level=level, valid_to=end
    )


def _unrolled(
    connector: Connector, delays: WeeklyDelays, capabilities: Capabilities, now: datetime, levels: int
) -> Stored:
    """The coming weeks as absolute profiles: the highest level holds the first of them, and each falls to the next.

    The last one has no end. It is cut inside hours that allow charging, for a charger that we never reach again should
    charge rather than be dead.
    """
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=midnight.weekday())
    end = start + UNROLLED
    plain = repeating(connector, weekly_draws(connector, delays, start, end))
    timeline = build_plan(PlanRequest(start, end, (plain,))).timelines[connector.number]
    steps: list[tuple[int, float]] = []
    for slot in timeline:
        if not steps or steps[-1][1] != slot.limit_a:
            steps.append((int((slot.start - start).total_seconds()), slot.limit_a))
    fresh = capabilities.max_periods - 1
    chunks = [steps[at : at + fresh] for at in range(0, len(steps), fresh)][:levels]
    if chunks[-1][-1][1] == 0 and len(chunks[-1]) > 1:
        chunks[-1].pop()
    out = []
    for index, chunk in enumerate(chunks):
        level = len(chunks) - 1 - index
        opening = [] if chunk[0][0] == 0 else [(0, chunk[0][1])]
        length = chunks[index + 1][0][0] if level else None
        until = start + timedelta(seconds=length) if length is not None else None
        steps_of = schedule([*opening, *chunk], capabilities, start=start, duration_s=length)
        out.append(_tx_default(connector, level, steps_of, until))
    return Stored(tuple(reversed(out)), frozenset({Shortfall.NO_RECURRING}))
