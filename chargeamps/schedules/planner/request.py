"""What the planner is asked: everything that bears on the limit of a connector, as plain data.

All instants are aware UTC, currents amperes per phase, spans half-open. Nothing here is read from a clock: the caller
says from when to when to plan, and which delays were drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from .delay import CEILING_S
from .hours import Interval, Window
from .rules import LONDON
from .timeline import Slot


@dataclass(frozen=True, slots=True)
class Schedule:
    """An owner's own hours, painted over the default charging hours; of two, the later one in the list wins.

    `limit_a` is the limit inside them: `None` for all the connector can do, 0 for hours without charging. `zone` is the
    time base: tariffs may run on UTC all year.
    """

    schedule_id: str
    windows: tuple[Window, ...]
    limit_a: float | None = None
    zone: ZoneInfo = LONDON


@dataclass(frozen=True, slots=True)
class Pause:
    """A holiday: no charging from `start` to `end` (or for good), unless the person says charge now."""

    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class ChargeNow:
    """A person's order to charge at once, from `start` until `end`, or to the end of the session (`None`).

    Give one that is over too, as long as its end may lie in the plan. `ended_by_person` says that somebody took it back
    at `end`, which is an override as well and needs no delay; an end by the clock gets one.
    """

    start: datetime
    end: datetime | None = None
    ended_by_person: bool = False


@dataclass(frozen=True, slots=True)
class DsrEvent:
    """Demand-side response: a cap of `limit_a` (0 is a pause) from `start` to `end`.

    `response` marks a *response* service, `trusted` a source allowed to say so and to say that an equivalent random
    delay was applied already. `opted_out` is when the owner refused it; from then on it has no effect (reg 10).
    """

    event_id: str
    start: datetime
    end: datetime
    limit_a: float
    response: bool = False
    trusted: bool = False
    delay_applied: bool = False
    opted_out: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReadyBySlots:
    """The hours picked for a ready-by request: in `[since, by)` the connector charges only in `chosen`."""

    since: datetime
    by: datetime
    chosen: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class SafetyCut:
    """A reduction to `limit_a` that waits for nothing: fault, tamper lock, supply protection. `code` is the reason."""

    code: str
    limit_a: float
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class CapacityLimit:
    """`limit_a` amperes for all the connectors in `members` together: an installation's cable, a site's supply.

    Give inner limits (one charge point) before outer ones (the site). In a shortage the connectors share equally; where
    a share would fall below 6 A, those earlier in the request are served first.
    """

    limit_a: float
    members: frozenset[int]


@dataclass(frozen=True, slots=True)
class Draw:
    """A delay drawn for the switch at `nominal`: `seconds` of 0...1800, cut short at `skipped` if a person did so.

    `held_a` is the limit that held before the switch, as journalled; without it, it is worked out from the request.
    """

    nominal: datetime
    seconds: int
    held_a: float | None = None
    skipped: datetime | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seconds <= CEILING_S:
            raise ValueError(f"a delay is 0 to {CEILING_S} s")

    @property
    def until(self) -> datetime:
        """When the delay is over."""
        end = self.nominal + timedelta(seconds=self.seconds)
        return end if self.skipped is None else max(self.nominal, min(end, self.skipped))


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector and its part of the plan. `number` is unique in the request.

    `hours` are the default charging hours, `None` where the owner removed them. `limits` are schedules that only take
    away: inside their hours at most `limit_a`. `present` is the slot of the previous
    plan that held just before the start of this one (`idle` when nothing could flow): a plan that begins with another
    limit begins with a relevant time. Without it the plan is taken to have held before as well.
    """

    number: int
    max_a: float
    hours: tuple[Window, ...] | None = None
    zone: ZoneInfo = LONDON
    schedules: tuple[Schedule, ...] = ()
    limits: tuple[Schedule, ...] = ()
    pauses: tuple[Pause, ...] = ()
    charge_now: tuple[ChargeNow, ...] = ()
    dsr: tuple[DsrEvent, ...] = ()
    ready_by: ReadyBySlots | None = None
    cuts: tuple[SafetyCut, ...] = ()
    draws: tuple[Draw, ...] = ()
    present: Slot | None = None


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Plan `connectors` from `start` up to `end`, under the capacity limits they share."""

    start: datetime
    end: datetime
    connectors: tuple[Connector, ...]
    capacity: tuple[CapacityLimit, ...] = ()

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a plan needs aware instants")
        if self.end <= self.start:
            raise ValueError("a plan must end after it starts")
        _unique(connector.number for connector in self.connectors)


def _unique(numbers: Iterable[int]) -> None:
    seen = list(numbers)
    if len(set(seen)) != len(seen):
        raise ValueError("two connectors have the same number")
