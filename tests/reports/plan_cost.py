"""What a plan costs, on one core: figures for the benchmarks."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from random import Random
from statistics import median
from time import perf_counter, process_time

from chargeamps.gateway.profiles import Capabilities, ConnectorPlan, changes, desired_profiles, exact_days_needed
from chargeamps.schedules.planner import (
    Connector,
    Pause,
    PlanRequest,
    Schedule,
    Weekday,
    Window,
    build_plan,
    draw,
    draw_weekly,
    rules_at,
    weekly_draws,
)
from tests.benchmarks.report import Line

NOW = datetime(2027, 3, 25, 17, 11, tzinfo=UTC)
WEEK = timedelta(days=7)
PLAN_MS = 2.0
FLEET_S = 60.0


def connector_of(random: Random) -> Connector:
    """A connector with the preset hours, two schedules of its own and a holiday; its week crosses a clock change."""
    weekdays = frozenset(Weekday(day) for day in range(5))
    cheap = Window(weekdays, time(random.randrange(0, 4)), time(random.randrange(5, 7), 30))
    noon = Window(frozenset(Weekday), time(12), time(random.randrange(13, 16)))
    away = NOW + timedelta(days=random.randrange(2, 5))
    return Connector(
        1,
        32.0,
        hours=rules_at(NOW).preset_hours,
        schedules=(Schedule("cheap", (cheap,), 32.0), Schedule("sun", (noon,), 10.0)),
        pauses=(Pause(away, away + timedelta(days=1)),),
    )


def plan_ms(runs: int = 300) -> float:
    """The median of a seven-day plan of one connector, each switch drawn, ms."""
    random = Random(1)
    took = []
    for _ in range(runs):
        request = PlanRequest(NOW, NOW + WEEK, (connector_of(random),))
        began = perf_counter()
        build_plan(request, lambda connector, nominal: draw(random.randrange, 600))
        took.append(perf_counter() - began)
    return median(took) * 1_000


def fleet_s(count: int = 10_000, sample: int = 300) -> float:
    """Seconds of one core to plan `count` connectors for a week and compare with what they have, from a sample."""
    random, able = Random(1), Capabilities(max_stack_level=8)
    jobs = []
    for _ in range(sample):
        connector = connector_of(random)
        delays = draw_weekly(connector, NOW, lambda: draw(random.randrange, 600))
        had = desired_profiles([ConnectorPlan(connector, delays, start_delay=211)], able, NOW).profiles
        jobs.append((connector, delays, weekly_draws(connector, delays, NOW, NOW + WEEK), had))
    began = process_time()
    for connector, delays, draws, had in jobs:
        drawn = Connector(1, 32.0, connector.hours, schedules=connector.schedules, pauses=connector.pauses, draws=draws)
        timeline = build_plan(PlanRequest(NOW, NOW + WEEK, (drawn,))).timelines[1]
        exact = timeline if exact_days_needed(timeline, connector, delays) else ()
        wanted = desired_profiles([ConnectorPlan(connector, delays, exact, 211)], able, NOW).profiles
        changes(had, wanted, able, NOW)
    return (process_time() - began) / sample * count


def figures(*, quick: bool = False) -> list[Line]:
    """The figures of the plan for the table of the benchmarks."""
    one, many = plan_ms(50 if quick else 300), fleet_s(sample=50 if quick else 300)
    return [
        Line("seven-day plan of one connector", f"≤ {PLAN_MS:.0f} ms", f"{one:.2f} ms", "", one <= PLAN_MS),
        Line(
            "10,000 connectors planned and compared, without the database",
            f"≤ {FLEET_S:.0f} s of a core",
            f"{many:.0f} s",
            "",
            many <= FLEET_S,
        ),
    ]
