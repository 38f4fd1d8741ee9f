"""The plan: what each connector may draw, from when to when, and why. Nothing else decides whether a car charges.

1. `demand` says what the owner's plan asks for.
2. Every switch of it is a relevant time of SI 2021/1467 reg 11: it waits for its random delay, unless exempt.
3. `capacity` takes away what the installation cannot give, at once; what it gives back waits for a delay again.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from .capacity import allocate
from .delay import Cause, DelayDecision, Outcome, RelevantTime, change_between, decide
from .demand import Exempt, Want, wants
from .request import Connector, Draw, PlanRequest
from .timeline import Reason, Slot, Timeline, merged


@dataclass(frozen=True, slots=True)
class Switch:
    """One relevant time met by the plan, as the journal keeps it (limits in amperes per phase).

    `seconds` is the delay that applies: `None` where a draw is due but none was given, and then the plan shows the
    nominal instant.
    """

    connector: int
    nominal: datetime
    before_a: float
    after_a: float
    reason: Reason
    decision: DelayDecision
    seconds: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A timeline for each connector over the whole plan, and the relevant times in order of time."""

    timelines: Mapping[int, Timeline]
    switches: tuple[Switch, ...]

    @property
    def undrawn(self) -> tuple[Switch, ...]:
        """The switches whose delay has yet to be drawn."""
        return tuple(
            switch for switch in self.switches if switch.decision.outcome is Outcome.DRAW and switch.seconds is None
        )


DrawFor = Callable[[Connector, datetime], int | None]


def build_plan(request: PlanRequest, draw_for: DrawFor | None = None) -> Plan:
    """The plan for a request.

    Delays come from the connectors' draws, matched by the nominal instant of the switch; for a switch without one,
    `draw_for(connector, nominal)` is asked, if given, and may answer `None`. Draws of switches that turn out not to
    happen are ignored.
    """
    switches: list[Switch] = []
    delayed: dict[int, list[Slot]] = {}
    delays: dict[int, _Delays] = {}
    for connector in request.connectors:
        delays[connector.number] = _Delays(connector, request.start, draw_for, switches)
        delayed[connector.number] = _delay(connector, request, delays[connector.number])
    capped = _cap(request, delayed)
    timelines = {
        connector.number: merged(_delay_rises(connector, capped[connector.number], delays[connector.number]))
        for connector in request.connectors
    }
    switches.sort(key=lambda switch: (switch.nominal, switch.connector))
    return Plan(timelines, tuple(switches))


class _Delays:
    """Answers, for one connector, how long a switch waits, and notes each switch."""

    def __init__(self, connector: Connector, start: datetime, draw_for: DrawFor | None, switches: list[Switch]) -> None:
        self.connector = connector
        self.draw_for = draw_for
        self.switches = switches
        self.draws = {draw.nominal: draw for draw in connector.draws}
        # A draw for the first instant belongs to a switch met there, if the past is known; all others run already.
        known = connector.present is not None
        under_way = (d for d in connector.draws if d.nominal <= start < d.until and not (known and d.nominal == start))
        self.running = max(under_way, key=lambda draw: draw.until, default=None)

    def until(self, at: datetime, before_a: float, after_a: float, reason: Reason, event: RelevantTime) -> datetime:
        """When the switch may take effect: `at` or later."""
        decision = decide(event)
        until, seconds = at, None
        if decision.outcome is Outcome.DRAW:
            draw = self.draws.get(at)
            if draw is None and self.draw_for is not None:
                drawn = self.draw_for(self.connector, at)
                draw = None if drawn is None else Draw(at, drawn)
            if draw is not None:
                until, seconds = draw.until, draw.seconds
        self.switches.append(Switch(self.connector.number, at, before_a, after_a, reason, decision, seconds))
        return until


def _delay(connector: Connector, request: PlanRequest, delays: _Delays) -> list[Slot]:
    """The owner's plan with every switch moved later by its delay; a running delay leads to the newest target."""
    start, end = request.start.astimezone(UTC), request.end.astimezone(UTC)
    planned = wants(connector, start, end)
    until: datetime | None = None
    nominal = start
    held_a = connector.present.wanted_a if connector.present is not None else planned[0].limit_a
    if delays.running is not None:
        until, nominal = delays.running.until, delays.running.nominal
        held_a = _held(connector, delays.running)
    out: list[Slot] = []
    for want in planned:
        at = want.start
        change = change_between(held_a, want.limit_a)
        if change is not None:
            waiting = until is not None and at <= until
            event = _event(want, change_running=waiting, held_a=held_a)
            if not waiting:
                until, nominal = delays.until(at, held_a, want.limit_a, want.reason, event), at
            elif decide(event).outcome is Outcome.NONE:
                until = delays.until(at, held_a, want.limit_a, want.reason, event)
        hold = min(until, want.end) if until is not None and until > at else at
        if hold > at:
            waiting_slot = held_a != want.limit_a
            reason = _waiting(nominal, until, want) if waiting_slot and until is not None else want.reason
            out.append(Slot(at, hold, held_a, reason, held_a))
        if hold < want.end:
            out.append(Slot(hold, want.end, want.limit_a, want.reason, want.limit_a))
            held_a = want.limit_a
    return out


def _held(connector: Connector, running: Draw) -> float:
    if running.held_a is not None:
        return running.held_a
    if connector.present is not None:
        return connector.present.wanted_a
    return wants(connector, running.nominal - timedelta(seconds=1), running.nominal)[-1].limit_a


def _event(want: Want, *, change_running: bool, held_a: float) -> RelevantTime:
    change = change_between(held_a, want.limit_a)
    assert change is not None
    return RelevantTime(
        change,
        overridden=want.exempt is Exempt.OVERRIDE,
        equivalent_delay_applied=want.exempt is Exempt.ALREADY_DELAYED,
        response_dsr=want.exempt is Exempt.RESPONSE,
        source_trusted=want.trusted,
        source_allowed=want.trusted,
        delay_running=change_running,
    )


def _waiting(nominal: datetime, until: datetime, target: Want) -> Reason:
    return Reason(
        "random-delay",
        (("nominal", nominal), ("until", until), ("target_a", target.limit_a), ("then", target.reason.code)),
    )


def _cap(request: PlanRequest, delayed: Mapping[int, list[Slot]]) -> Mapping[int, list[Slot]]:
    """Take away what the installation cannot give, at every instant at which anything changes."""
    connectors = request.connectors
    cut_edges = {edge for c in connectors for cut in c.cuts for edge in (cut.start, cut.end) if edge is not None}
    if not cut_edges and not request.capacity:
        return delayed
    first, last = request.start, request.end
    edges = {slot.start for slots in delayed.values() for slot in slots} | {first, last} | cut_edges
    ordered = sorted(edge for edge in edges if first <= edge <= last)
    out: dict[int, list[Slot]] = {connector.number: [] for connector in connectors}
    position = dict.fromkeys(out, 0)
    cuts = sorted(cut_edges)
    shared: dict[tuple[float, ...], dict[int, tuple[float, Reason | None]]] = {}
    for at, until in pairwise(ordered):
        now: dict[int, Slot] = {}
        for number, slots in delayed.items():
            while slots[position[number]].end <= at:
                position[number] += 1
            now[number] = slots[position[number]]
        wanted = {number: slot.limit_a for number, slot in now.items()}
        # The same wants between the same cuts share alike, and a week is mostly the same few wants.
        case = (bisect_right(cuts, at), *wanted.values())
        if case not in shared:
            shared[case] = allocate(wanted, connectors, request.capacity, at)
        for number, (limit_a, why) in shared[case].items():
            out[number].append(Slot(at, until, limit_a, why or now[number].reason, now[number].limit_a))
    return out


def _delay_rises(connector: Connector, slots: list[Slot], delays: _Delays) -> list[Slot]:
    """Let a limit that capacity gives back wait for its delay, as any other increase. Reductions are never held up."""
    out: list[Slot] = []
    present = connector.present
    before_a, wanted_a = (present.limit_a, present.wanted_a) if present else (slots[0].limit_a, slots[0].wanted_a)
    running = delays.running
    until = running.until if running else None
    nominal = running.nominal if running else slots[0].start
    for slot in slots:
        at = slot.start
        if slot.wanted_a > wanted_a:
            # This rise has waited for its own delay already.
            until = None
        elif slot.limit_a > before_a and (until is None or at > until):
            change = change_between(before_a, slot.limit_a)
            assert change is not None
            event = RelevantTime(change, cause=Cause.CAPACITY)
            until, nominal = delays.until(at, before_a, slot.limit_a, slot.reason, event), at
        wanted_a = slot.wanted_a
        hold = min(until, slot.end) if until is not None and until > at else at
        if until is not None and hold > at and slot.limit_a > before_a:
            reason = Reason(
                "random-delay",
                (("nominal", nominal), ("until", until), ("target_a", slot.limit_a), ("then", slot.reason.code)),
            )
            out.append(Slot(at, hold, before_a, reason, slot.wanted_a))
        elif hold > at:
            out.append(Slot(at, hold, slot.limit_a, slot.reason, slot.wanted_a))
            before_a = slot.limit_a
        if hold < slot.end:
            out.append(Slot(hold, slot.end, slot.limit_a, slot.reason, slot.wanted_a))
            before_a = slot.limit_a
    return out
