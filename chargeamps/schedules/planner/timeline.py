"""What the planner gives back: for one connector, slots of time that follow each other without a gap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

MINIMUM_A = 6.0

ParamValue = str | int | float | datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a limit holds: a stable kebab-case `code` and its parameters, from which the screen makes words."""

    code: str
    params: tuple[tuple[str, ParamValue], ...] = ()

    def get(self, name: str) -> ParamValue | None:
        """The parameter `name`, or `None`."""
        return dict(self.params).get(name)


@dataclass(frozen=True, slots=True)
class Slot:
    """From `start` up to but not including `end` (aware UTC) the connector may draw `limit_a` amperes per phase.

    `limit_a` is 0 or at least 6 (IEC 61851). `wanted_a` is what the owner's plan asks for before the capacity of the
    installation and safety cuts; it equals `limit_a` where nothing is short.
    """

    start: datetime
    end: datetime
    limit_a: float
    reason: Reason
    wanted_a: float


Timeline = tuple[Slot, ...]


def idle(instant: datetime, code: str = "unplugged") -> Slot:
    """The slot to give as a connector's present when no current can flow: nothing plugged in, or just powered up."""
    return Slot(instant, instant, 0.0, Reason(code), 0.0)


def merged(slots: Iterable[Slot]) -> Timeline:
    """Slots in order, empty ones dropped and neighbours that say the same made one."""
    out: list[Slot] = []
    for slot in slots:
        if slot.end <= slot.start:
            continue
        last = out[-1] if out else None
        if last and (last.limit_a, last.reason, last.wanted_a) == (slot.limit_a, slot.reason, slot.wanted_a):
            out[-1] = Slot(last.start, slot.end, slot.limit_a, slot.reason, slot.wanted_a)
        else:
            out.append(slot)
    return tuple(out)


def state_at(timeline: Timeline, instant: datetime) -> Slot:
    """The slot that holds at `instant`. Raises `LookupError` outside the timeline."""
    index = bisect_right(timeline, instant, key=lambda slot: slot.start) - 1
    if index < 0 or instant >= timeline[index].end:
        raise LookupError(f"{instant} is outside the timeline")
    return timeline[index]


def next_change(timeline: Timeline, instant: datetime) -> Slot | None:
    """The first slot after `instant` whose limit differs from the limit at `instant`; `None` if none is planned."""
    now = state_at(timeline, instant)
    return next((slot for slot in timeline if slot.start > instant and slot.limit_a != now.limit_a), None)


def next_start(timeline: Timeline, instant: datetime) -> Slot | None:
    """The slot in which current may flow, now or next, as from `instant`; `None` if none is planned."""
    return next((slot for slot in timeline if slot.end > instant and slot.limit_a > 0), None)


def snap_wish(limit_a: float) -> float:
    """A wish in amperes as a charger can do it: below 6 A the nearer of 0 and 6. Rounded to a tenth."""
    if limit_a >= MINIMUM_A:
        return round(limit_a, 1)
    return 0.0 if limit_a < MINIMUM_A / 2 else MINIMUM_A


def snap_cap(limit_a: float) -> float:
    """A cap in amperes as a charger can keep it: below 6 A nothing, since 6 would break it. Rounded down to a tenth."""
    return 0.0 if limit_a < MINIMUM_A else int(limit_a * 10 + 1e-6) / 10
