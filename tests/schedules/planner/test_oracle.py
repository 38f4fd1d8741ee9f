"""The planner against the slow second opinion, over both clock changes and an ordinary evening."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargeamps.schedules.planner.hours import Weekday, Window
from chargeamps.schedules.planner.plan import Plan, build_plan
from chargeamps.schedules.planner.request import (
    CapacityLimit,
    ChargeNow,
    Connector,
    Draw,
    DsrEvent,
    Pause,
    PlanRequest,
    ReadyBySlots,
    SafetyCut,
    Schedule,
)
from chargeamps.schedules.planner.timeline import idle

from .oracle import LONDON, simulate

LENGTH = timedelta(hours=3)
STARTS = [
    datetime(2027, 3, 28, 0, 0, tzinfo=UTC),
    datetime(2027, 10, 30, 23, 30, tzinfo=UTC),
    datetime(2027, 6, 15, 19, 30, tzinfo=UTC),
    # From Sunday into Monday, where the week ends; and over midnight into a clock change.
    datetime(2027, 1, 10, 22, 30, tzinfo=UTC),
    datetime(2027, 3, 27, 23, 0, tzinfo=UTC),
]
ZONES = [LONDON, LONDON, ZoneInfo("UTC")]


def drawn(number: int, nominal: datetime) -> int:
    """A draw that looks like chance and is not; it often ends just where another switch falls."""
    mixed = (int(nominal.timestamp()) * 2_654_435_761 + number * 40_503) % 1_000_003
    return (0, 300, 600, 900)[mixed % 4] if mixed % 3 else mixed % 601


@st.composite
def requests(draw: st.DrawFn) -> PlanRequest:
    start = draw(st.sampled_from(STARTS))
    instants = st.integers(-6, 40).map(lambda step: start + timedelta(minutes=5 * step))
    spans = st.tuples(instants, st.integers(1, 20)).map(
        lambda span: (span[0], span[0] + timedelta(minutes=5 * span[1]))
    )
    clocks = st.integers(0, 47).map(lambda step: time((start.hour + step // 12) % 24, step % 12 * 5))
    limits = st.sampled_from([0.0, 6.0, 10.0, 16.0])

    @st.composite
    def window(draw: st.DrawFn) -> Window:
        return Window(draw(st.frozensets(st.sampled_from(list(Weekday)), min_size=2)), draw(clocks), draw(clocks))

    windows = st.lists(window(), max_size=3).map(tuple)
    connectors = []
    for number in range(1, draw(st.integers(1, 2)) + 1):
        schedules = draw(st.lists(st.tuples(windows, st.none() | limits, st.sampled_from(ZONES)), max_size=2))
        caps = draw(st.lists(st.tuples(windows, st.none() | limits, st.sampled_from(ZONES)), max_size=2))
        orders = draw(st.lists(st.tuples(spans, st.booleans(), st.booleans()), max_size=2))
        events = draw(st.lists(st.tuples(spans, limits, *[st.booleans()] * 3, st.none() | instants), max_size=2))
        picked = draw(st.none() | st.tuples(spans, spans))
        connectors.append(
            Connector(
                number,
                draw(st.sampled_from([16.0, 32.0])),
                hours=draw(st.none() | windows),
                schedules=tuple(Schedule(f"s{n}", *each) for n, each in enumerate(schedules)),
                limits=tuple(Schedule(f"c{n}", *each) for n, each in enumerate(caps)),
                pauses=tuple(Pause(*each) for each in draw(st.lists(spans, max_size=1))),
                charge_now=tuple(
                    ChargeNow(span[0], None if endless else span[1], person) for span, endless, person in orders
                ),
                dsr=tuple(
                    DsrEvent(f"e{n}", span[0], span[1], limit_a, response, trusted, applied, opted)
                    for n, (span, limit_a, response, trusted, applied, opted) in enumerate(events)
                ),
                ready_by=None if picked is None else ReadyBySlots(*picked[0], (picked[1],)),
                cuts=tuple(SafetyCut("fault", 0.0, *each) for each in draw(st.lists(spans, max_size=1))),
                present=draw(st.none() | st.just(idle(start))),
            )
        )
    members = frozenset({1, 2})
    shared = draw(st.lists(st.sampled_from([5.0, 10.0, 20.0, 25.0, 40.0]), max_size=1))
    return PlanRequest(start, start + LENGTH, tuple(connectors), tuple(CapacityLimit(a, members) for a in shared))


@pytest.mark.requirement("R11-11", "R11-13", "R11-14", "B-1", "B-2", "B-4")
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(requests())
def test_the_plan_is_what_the_second_opinion_says_at_every_second(request):
    plan = build_plan(request, lambda connector, nominal: drawn(connector.number, nominal))
    assert_same(request, plan, simulate(request, drawn))


@pytest.mark.requirement("R11-6")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(requests(), st.data())
def test_delays_on_record_and_skipped_ones_are_what_the_second_opinion_says(request, data):
    first = build_plan(request, lambda connector, nominal: drawn(connector.number, nominal))
    record: dict[tuple[int, datetime], Draw] = {}
    for switch in first.switches:
        if switch.seconds and switch.nominal > request.start and data.draw(st.booleans()):
            skipped = switch.nominal + timedelta(seconds=switch.seconds * data.draw(st.integers(0, 4)) // 4)
            record[switch.connector, switch.nominal] = Draw(switch.nominal, switch.seconds, skipped=skipped)
    known = tuple(
        replace(connector, draws=tuple(each for (number, _), each in record.items() if number == connector.number))
        for connector in request.connectors
    )
    skipped = replace(request, connectors=known)

    def waited(number: int, nominal: datetime) -> int:
        found = record.get((number, nominal))
        return drawn(number, nominal) if found is None else int((found.until - nominal).total_seconds())

    plan = build_plan(skipped, lambda connector, nominal: drawn(connector.number, nominal))
    assert_same(skipped, plan, simulate(skipped, waited))


def assert_same(request: PlanRequest, plan: Plan, expected: dict[int, list[float]]) -> None:
    """The plan has no gap, only limits a charger can keep, and at every second what the second opinion has."""
    for number, timeline in plan.timelines.items():
        assert timeline[0].start == request.start
        assert timeline[-1].end == request.end
        at = request.start
        seen: list[float] = []
        for slot in timeline:
            assert slot.start == at < slot.end
            at = slot.end
            assert slot.limit_a == 0 or slot.limit_a >= 6
            seen += [slot.limit_a] * int((slot.end - slot.start).total_seconds())
        wrong = next(
            (n for n, (ours, theirs) in enumerate(zip(seen, expected[number], strict=True)) if ours != theirs), None
        )
        assert wrong is None, (number, request.start + timedelta(seconds=wrong), seen[wrong], expected[number][wrong])
    for limit in request.capacity:
        assert all(sum(at_once) <= limit.limit_a for at_once in zip(*expected.values(), strict=True))
