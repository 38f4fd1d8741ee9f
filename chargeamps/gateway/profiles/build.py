"""From the plan to the profiles a charge point should have, layer by layer, and what to send to get there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from chargeamps.schedules.planner.request import Connector
from chargeamps.schedules.planner.timeline import MINIMUM_A, Timeline, snap_cap
from chargeamps.schedules.planner.weekly import WeeklyDelays

from .capabilities import Capabilities
from .evaluate import expected_schedule
from .payload import ANCHOR, MAX_PROFILE, TX_DEFAULT, TX_PROFILE, DesiredProfile, Layer, desired, schedule
from .stored import SUMMERS, Shortfall, stored

# The exact days are worth sending anew once less than this is left of them, if that gains as much as this.
DAYS_LEFT = timedelta(hours=24)
DAYS_GAINED = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class ConnectorPlan:
    """One connector: its hours and schedules, the weekly delays, and, for the next days exactly, its timeline."""

    connector: Connector
    delays: WeeklyDelays
    timeline: Timeline = ()


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
    for plan in plans:
        levels = min(capabilities.max_stack_level + 1, room)
        exact = bool(plan.timeline) and levels > 1 and capabilities.tx_default
        below = levels - 1 if exact else levels
        lasting = stored(plan.connector, plan.delays, capabilities, now, levels=below, room=room)
        out.extend(lasting.profiles)
        short |= lasting.shortfalls
        if exact:
            level = 1 + max(min(SUMMERS, below - 1), *(profile.payload["stackLevel"] for profile in lasting.profiles))
            out.append(days_profile(plan.connector.number, plan.timeline, capabilities, stack_level=level))
    return Desired(tuple(out), frozenset(short))


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
