"""What the owner's plan asks for: layers of intention painted over one another, before delays and capacity.

From the bottom: default charging hours, the owner's schedules, ready-by, holiday pause, demand-side response, charge
now. A layer either *paints* its limit, or *caps* what lies below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise

from .hours import Interval, intervals
from .request import Connector, DsrEvent
from .timeline import Reason, snap_cap, snap_wish


class Exempt(Enum):
    """Why a switch that a layer brings about needs no delay of ours."""

    NO = 0
    OVERRIDE = 1
    ALREADY_DELAYED = 2
    RESPONSE = 3


@dataclass(frozen=True, slots=True)
class Layer:
    """One intention. `spans` are sorted, disjoint UTC intervals; `enter` and `leave` are for switches at their ends."""

    spans: Sequence[Interval]
    limit_a: float
    reason: Reason
    caps: bool = False
    enter: Exempt = Exempt.NO
    leave: Exempt = Exempt.NO
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Want:
    """The limit for `[start, end)`, why, and what exempts the switch into it (by a `trusted` source or not)."""

    start: datetime
    end: datetime
    limit_a: float
    reason: Reason
    exempt: Exempt
    trusted: bool


def wants(connector: Connector, start: datetime, end: datetime) -> list[Want]:
    """The connector's wants over `[start, end)`: contiguous, each with a limit or reason of its own."""
    layers = list(_layers(connector, start, end))
    edges = sorted({start, end, *(edge for layer in layers for span in layer.spans for edge in span)})
    edges = [edge for edge in edges if start <= edge <= end]
    positions = [0] * len(layers)
    out: list[Want] = []
    before: Layer | None = None
    for at, until in pairwise(edges):
        top: Layer | None = None
        for index, layer in enumerate(layers):
            spans = layer.spans
            position = positions[index]
            while position < len(spans) and spans[position][1] <= at:
                position += 1
            positions[index] = position
            inside = position < len(spans) and spans[position][0] <= at
            if inside and (top is None or not layer.caps or layer.limit_a < top.limit_a):
                top = layer
        assert top is not None  # the bottom layer covers the whole plan
        if out and before is top and out[-1].end == at:
            out[-1] = Want(out[-1].start, until, top.limit_a, top.reason, out[-1].exempt, out[-1].trusted)
            continue
        exempt, trusted = _exemption(before, top, at) if before else _first_exemption(layers, top, at)
        out.append(Want(at, until, top.limit_a, top.reason, exempt, trusted))
        before = top
    return out


def _first_exemption(layers: Iterable[Layer], after: Layer, at: datetime) -> tuple[Exempt, bool]:
    """Where the plan begins: what is in force, or else what a person has just put an end to."""
    if after.enter is not Exempt.NO:
        return after.enter, after.trusted
    ended = (layer for layer in layers if any(end == at for _, end in layer.spans))
    return max(((layer.leave, layer.trusted) for layer in ended), key=lambda found: found[0].value, default=_NONE)


_NONE = (Exempt.NO, False)


def _exemption(before: Layer, after: Layer, at: datetime) -> tuple[Exempt, bool]:
    """The switch belongs to the layer that begins at this instant, or else to the one that ends."""
    if any(start == at for start, _ in after.spans):
        return after.enter, after.trusted
    if any(end == at for _, end in before.spans):
        return before.leave, before.trusted
    return _NONE


def _layers(connector: Connector, start: datetime, end: datetime) -> Iterable[Layer]:
    whole = [(start, end)]
    top_a = snap_cap(connector.max_a)
    if connector.hours is None:
        yield Layer(whole, top_a, Reason("always"))
    else:
        yield Layer(whole, 0.0, Reason("outside-hours"))
        yield Layer(intervals(connector.hours, connector.zone, start, end), top_a, Reason("default-hours"))
    for schedule in connector.schedules:
        limit_a = top_a if schedule.limit_a is None else min(top_a, snap_wish(schedule.limit_a))
        reason = Reason("schedule", (("schedule", schedule.schedule_id),))
        yield Layer(intervals(schedule.windows, schedule.zone, start, end), limit_a, reason)
    for schedule in connector.limits:
        limit_a = snap_wish(top_a if schedule.limit_a is None else schedule.limit_a)
        reason = Reason("schedule-limit", (("schedule", schedule.schedule_id), ("limit_a", limit_a)))
        yield Layer(intervals(schedule.windows, schedule.zone, start, end), limit_a, reason, caps=True)
    if connector.ready_by is not None:
        picked = connector.ready_by
        waiting = _without(picked.since, picked.by, picked.chosen)
        yield Layer(waiting, 0.0, Reason("ready-by", (("by", picked.by),)), caps=True)
    for pause in connector.pauses:
        yield Layer(_span(pause.start, pause.end, end), 0.0, Reason("holiday-pause"))
    for event in connector.dsr:
        yield _response_layer(event, end)
    for order in connector.charge_now:
        leave = Exempt.OVERRIDE if order.ended_by_person else Exempt.NO
        spans = _span(order.start, order.end, end)
        yield Layer(spans, top_a, Reason("charge-now"), enter=Exempt.OVERRIDE, leave=leave)


def _response_layer(event: DsrEvent, end: datetime) -> Layer:
    stop = event.end if event.opted_out is None else min(event.end, event.opted_out)
    enter = Exempt.RESPONSE if event.response else Exempt.ALREADY_DELAYED if event.delay_applied else Exempt.NO
    # The end of a response is no response: a fleet that comes back together is what the delay is there to prevent.
    leave = Exempt.OVERRIDE if event.opted_out is not None and event.opted_out <= event.end else Exempt.NO
    reason = Reason("demand-response", (("event", event.event_id),))
    spans = _span(event.start, stop, end)
    return Layer(spans, snap_cap(event.limit_a), reason, caps=True, enter=enter, leave=leave, trusted=event.trusted)


def _span(start: datetime, end: datetime | None, horizon: datetime) -> list[Interval]:
    start = start.astimezone(UTC)
    stop = horizon if end is None else end.astimezone(UTC)
    return [(start, stop)] if start < stop else []


def _without(start: datetime, end: datetime, holes: Iterable[Interval]) -> list[Interval]:
    out: list[Interval] = []
    at = start
    for hole_start, hole_end in sorted(holes):
        if hole_start > at:
            out.append((at, min(hole_start, end)))
        at = max(at, hole_end)
    if at < end:
        out.append((at, end))
    return [(begin, stop) for begin, stop in out if begin < stop]
