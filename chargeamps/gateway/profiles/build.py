"""From the plan to the profiles a charge point should have, layer by layer, and what to send to get there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chargeamps.schedules.planner.delay import CEILING_S
from chargeamps.schedules.planner.plan import build_plan
from chargeamps.schedules.planner.request import Connector, PlanRequest
from chargeamps.schedules.planner.timeline import MINIMUM_A, Timeline, snap_cap
from chargeamps.schedules.planner.weekly import WeeklyDelays, repeating, weekly_draws

from .capabilities import Capabilities
from .evaluate import expected_schedule
from .payload import ANCHOR, MAX_PROFILE, TX_DEFAULT, TX_PROFILE, DesiredProfile, Layer, desired, schedule
from .stored import SUMMERS, Shortfall, stored

# The exact days are worth sending anew once less than this is left of them, if that gains as much as this.
DAYS_LEFT = timedelta(hours=24)
DAYS_GAINED = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class ConnectorPlan:
    """One connector: its hours and schedules, the weekly delays, and, for the next days exactly, its timeline.

    `start_delay` is the delay drawn for its next transaction, in seconds (SI 2021/1467 reg 11(3)(a)); 0 is drawn too,
    and needs no profile. `None` where none is wanted.
    """

    connector: Connector
    delays: WeeklyDelays
    timeline: Timeline = ()
    start_delay: int | None = None


@dataclass(frozen=True, slots=True)
class Desired:
    """All profiles the charge point should have, in the order to send, and what it cannot keep."""

    profiles: tuple[DesiredProfile, ...]
    shortfalls: frozenset[Shortfall]


def desired_profiles(
    plans: Sequence[ConnectorPlan],
    capabilities: Capabilities,
    now: datetime,
    *,
    installation_a: float | None = None,
) -> Desired:
    """The profiles of a charge point at the aware instant `now`, which only decides which seasons are near.

    `installation_a` is what its connectors may draw together, amperes per phase. A charger without
    ChargePointMaxProfile gets an equal part of it as the top of each connector's own limits.
    """
    out: list[DesiredProfile] = []
    short: set[Shortfall] = set()
    if installation_a is not None and capabilities.charge_point_max:
        out.append(installation_profile(installation_a, capabilities))
    elif installation_a is not None and sum(plan.connector.max_a for plan in plans) > installation_a:
        short.add(Shortfall.NO_CHARGE_POINT_MAX)
        part_a = max(MINIMUM_A, snap_cap(installation_a / len(plans))) if installation_a >= MINIMUM_A else 0.0
        plans = [_topped(plan, part_a) for plan in plans]
    room = max(1, (capabilities.max_profiles - len(out)) // max(1, len(plans)))
    levels = min(capabilities.max_stack_level + 1, room)
    lasting: list[DesiredProfile] = []
    days: list[DesiredProfile] = []
    starts: list[DesiredProfile] = []
    for plan in plans:
        exact = bool(plan.timeline) and capabilities.tx_default
        shape = _shape(levels, exact=exact, recurring=capabilities.recurring)
        week = stored(plan.connector, plan.delays, capabilities, now, levels=shape.lasting, room=room)
        lasting.extend(week.profiles)
        short |= week.shortfalls
        number = plan.connector.number
        if exact and shape.days is not None:
            days.append(days_profile(number, plan.timeline, capabilities, stack_level=shape.days))
        if plan.start_delay is None:
            continue
        if shape.start is None or not (capabilities.relative and capabilities.tx_default):
            short.add(Shortfall.NO_START_DELAY)
        elif plan.start_delay > 0:
            starts.append(start_delay_profile(number, plan.start_delay, capabilities, stack_level=shape.start))
    # An upper layer must stand before the one below it changes, lest current flows for a moment between two calls.
    return Desired((*out, *starts, *days, *lasting), frozenset(short))


@dataclass(frozen=True, slots=True)
class _Shape:
    """Who gets which stack levels: the lasting layer those from 0 up to `lasting`; `None` where none is left."""

    lasting: int
    days: int | None
    start: int | None


def _shape(levels: int, *, exact: bool, recurring: bool) -> _Shape:
    """Deal out the stack levels.

    A layer keeps its level while another one is absent, since a profile replaces only what has its own purpose, level
    and connector (OCPP 1.6 §3.13.2). With few levels there give way, in this order:

    1. the second summer, for it is a year ahead (without Recurring: weeks further ahead than the first three lots);
    2. the start delay while exact days are given, for those may carry a safety cut or a pause, which must hold while
       a car charges, not only when it is plugged in; the two then share a level, and one replaces the other;
    3. the start delay and, while exact days are given, the first summer, with two levels.

    The week itself is never given up.
    """
    least = 2 if recurring else 3
    if levels >= least + 2:
        lasting = min(1 + SUMMERS, levels - 2) if recurring else levels - 2
        return _Shape(lasting, lasting, lasting + 1)
    if levels >= 3:
        lasting = levels - 1
        return _Shape(lasting, lasting, None if exact else lasting)
    if levels == 2 and exact:
        return _Shape(1, 1, None)
    return _Shape(levels, None, None)


def _topped(plan: ConnectorPlan, top_a: float) -> ConnectorPlan:
    connector = replace(plan.connector, max_a=min(plan.connector.max_a, top_a))
    timeline = tuple(replace(slot, limit_a=min(slot.limit_a, top_a)) for slot in plan.timeline)
    return replace(plan, connector=connector, timeline=timeline)


def installation_profile(limit_a: float, capabilities: Capabilities) -> DesiredProfile:
    """What the whole charge point may draw, for ever (ChargePointMaxProfile, OCPP 1.6 §3.13.1)."""
    steps = [(0, snap_cap(limit_a))]
    return desired(
        Layer.INSTALLATION, 0, schedule(steps, capabilities, start=ANCHOR), purpose=MAX_PROFILE, stack_level=0
    )


def start_delay_profile(
    connector_number: int, seconds: int, capabilities: Capabilities, *, stack_level: int
) -> DesiredProfile:
    """The random delay at plug-in, kept by the charger itself: 0 A for the first `seconds` of a transaction.

    A Relative TxDefaultProfile begins with each transaction (OCPP 1.6 §7.13) and, once its duration is over, leaves
    the say to the level below. Raises `ValueError` outside 1...1800 s (SI 2021/1467 reg 11(1)(a)).
    """
    if not 1 <= seconds <= CEILING_S:
        raise ValueError(f"a delay on the charger is 1 to {CEILING_S} s")
    return desired(
        Layer.START,
        connector_number,
        schedule([(0, 0.0)], capabilities, start=None, duration_s=seconds),
        purpose=TX_DEFAULT,
        stack_level=stack_level,
        kind="Relative",
    )


def exact_days_needed(plan_timeline: Timeline, connector: Connector, delays: WeeklyDelays) -> bool:
    """Whether a plan differs, in any whole second, from what the stored week does by itself over the same span.

    The week knows hours, schedules and the weekly delays; overrides, pauses, events and capacity are beyond it.
    """
    if not plan_timeline:
        return False
    start, end = plan_timeline[0].start, plan_timeline[-1].end
    plain = repeating(connector, weekly_draws(connector, delays, start, end))
    week = build_plan(PlanRequest(start, end, (plain,))).timelines[connector.number]
    return _limits(plan_timeline) != _limits(week)


def _limits(timeline: Timeline) -> list[tuple[datetime, float]]:
    """The changes of the limit, each at its whole second; of several in one second the last."""
    by_second = {slot.start.replace(microsecond=0): slot.limit_a for slot in timeline}
    changed: list[tuple[datetime, float]] = []
    for second, limit_a in by_second.items():
        if not changed or changed[-1][1] != limit_a:
            changed.append((second, limit_a))
    return changed


def days_profile(
    connector_number: int, timeline: Timeline, capabilities: Capabilities, *, stack_level: int
) -> DesiredProfile:
    """The next days exactly, above the stored week, to which it falls back when it ends.

    It ends in the middle of hours that allow charging where there are any: the week below then says the same, and a
    charger that overlooks the end is not left at 0 A.
    """
    start, steps, end = _steps(timeline, capabilities.max_periods)
    length = int((end - start).total_seconds())
    return desired(
        Layer.DAYS,
        connector_number,
        schedule(steps, capabilities, start=start, duration_s=length),
        purpose=TX_DEFAULT,
        stack_level=stack_level,
        valid_to=end,
    )


def _steps(timeline: Timeline, max_periods: int) -> tuple[datetime, list[tuple[int, float]], datetime]:
    """Start (midnight UTC, thus in the past), steps in seconds from it, and end."""
    start = timeline[0].start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    edges: list[tuple[datetime, float]] = []
    end = timeline[-1].end
    for slot in timeline:
        if edges and edges[-1][1] == slot.limit_a:
            continue
        if len(edges) == max_periods:
            end = slot.start
            break
        edges.append((slot.start, slot.limit_a))
    while edges[-1][1] == 0 and any(limit_a > 0 for _, limit_a in edges):
        end = edges.pop()[0]
    if edges[-1][1] > 0:
        middle = (end - edges[-1][0]) / 2
        end = edges[-1][0] + timedelta(seconds=int(middle.total_seconds()))
    steps = [(int((at - start).total_seconds()), limit_a) for at, limit_a in edges]
    return start, [(0, steps[0][1]), *steps[1:]], end


def charge_now_profile(
    connector_number: int,
    limit_a: float,
    capabilities: Capabilities,
    now: datetime,
    *,
    transaction_id: int | None = None,
    until: datetime | None = None,
) -> DesiredProfile:
    """Full limit for this transaction (TxProfile at the highest level); without `until`, to its end.

    Leave `transaction_id` out inside RemoteStartTransaction (OCPP 1.6 §5.11). It starts a minute before `now`, for
    chargers whose clock is behind.
    """
    start = now.astimezone(UTC).replace(microsecond=0) - timedelta(minutes=1)
    length = None if until is None else max(1, int((until - start).total_seconds()))
    return desired(
        Layer.SESSION,
        connector_number,
        schedule([(0, limit_a)], capabilities, start=start, duration_s=length),
        purpose=TX_PROFILE,
        stack_level=capabilities.max_stack_level,
        valid_to=until,
        transaction_id=transaction_id,
    )


def session_profile(
    connector_number: int, timeline: Timeline, capabilities: Capabilities, *, transaction_id: int | None = None
) -> DesiredProfile:
    """The timeline for this transaction only: for demand response, and for chargers that store no default."""
    start, steps, end = _steps(timeline, capabilities.max_periods)
    return desired(
        Layer.SESSION,
        connector_number,
        schedule(steps, capabilities, start=start, duration_s=int((end - start).total_seconds())),
        purpose=TX_PROFILE,
        stack_level=max(0, capabilities.max_stack_level - 1),
        valid_to=end,
        transaction_id=transaction_id,
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """What to send: profiles to set, in order, then ids to clear."""

    to_set: tuple[DesiredProfile, ...]
    to_clear: tuple[int, ...]


def changes(
    installed: Iterable[DesiredProfile], wanted: Iterable[DesiredProfile], capabilities: Capabilities, now: datetime
) -> Changes:
    """The calls that lead from what the charge point accepted to what it should have; none if the plan is the same.

    The exact days are compared by what they will do, not by how they are written, since they lose their past as time
    goes by. Session profiles are left alone: they end with their transaction.
    """
    have = {profile.slot: profile for profile in installed if profile.layer is not Layer.SESSION}
    want = [profile for profile in wanted if profile.layer is not Layer.SESSION]
    to_set = [profile for profile in want if not _same(have.get(profile.slot), profile, capabilities, now)]
    kept = {profile.slot for profile in want}
    to_clear = [profile.profile_id for slot, profile in have.items() if slot not in kept]
    return Changes(tuple(to_set), tuple(to_clear))


def _same(have: DesiredProfile | None, want: DesiredProfile, capabilities: Capabilities, now: datetime) -> bool:
    if have is None or have.layer is not want.layer:
        return False
    if have.digest == want.digest:
        return True
    if want.layer is not Layer.DAYS:
        return False
    left = min(_end(have), _end(want)) - now
    if left < DAYS_LEFT and _end(want) - _end(have) >= DAYS_GAINED:
        return False
    seconds = int(left.total_seconds())
    ours = [expected_schedule([each], each.connector_number, now, seconds, capabilities) for each in (have, want)]
    return seconds > 0 and ours[0] == ours[1]


def _end(profile: DesiredProfile) -> datetime:
    return datetime.fromisoformat(profile.payload["validTo"])
