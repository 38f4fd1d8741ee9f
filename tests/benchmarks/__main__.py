"""``make bench``: all figures as one table, also in build/bench/report.md. Names choose some: storm connect …

``--quick`` takes about a minute: the same cases with fewer chargers, for a look rather than a verdict.
"""

import argparse
import os
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack

from tests.benchmarks import report
from tests.benchmarks.first_screen import first_screen
from tests.benchmarks.latency import latency
from tests.benchmarks.report import Line
from tests.benchmarks.rig import raise_file_limit
from tests.benchmarks.schedule import schedule
from tests.benchmarks.storm import connect_cost, storm
from tests.benchmarks.throughput import throughput
from tests.harness.processes import ROOT
from tests.harness.services import drop_database, new_database
from tests.reports import plan_cost, thirty_days

POSTGRES = os.environ.get("CHARGEAMPS_TEST_POSTGRES", "")
REDIS = os.environ.get("CHARGEAMPS_TEST_REDIS", "")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "names", nargs="*", help="storm, connect, latency, throughput, screen, plan, schedule; all without any"
    )
    options = parser.parse_args()
    raise_file_limit()
    began = time.monotonic()
    lines: list[Line] = []
    with ExitStack() as stack:
        for name, work in _cases(options.quick, stack):
            if options.names and name.split("-")[0] not in options.names and name not in options.names:
                continue
            print(f"==> {name}", flush=True)
            started = time.monotonic()
            found = work()
            print(f"{report.plain(found)}\n({time.monotonic() - started:.0f} s)", flush=True)
            lines += found
    took = time.monotonic() - began
    report.write(ROOT / "build" / "bench" / "report.md", report.markdown(lines, quick=options.quick, seconds=took))
    print(f"\n{report.plain(lines)}\n\n{took:.0f} s, {report.load()}; also in build/bench/report.md")
    return any(line.met is False for line in lines) and not options.quick


def _cases(quick: bool, stack: ExitStack) -> list[tuple[str, Callable[[], list[Line]]]]:
    cases: list[tuple[str, Callable[[], list[Line]]]] = [
        ("storm", lambda: storm(quick=quick)),
        ("connect", lambda: connect_cost(quick=quick)),
        ("latency", lambda: latency(quick=quick)),
        ("throughput", lambda: throughput(quick=quick)),
        ("screen", first_screen),
        ("plan", lambda: [*plan_cost.figures(quick=quick), *thirty_days.figures(quick=quick)]),
        ("schedule", lambda: schedule(quick=quick)),
    ]
    if POSTGRES and REDIS and not quick:
        cases.insert(3, ("latency-scaled", lambda: latency(quick=quick, environment=_scaled(stack))))
        cases.insert(1, ("storm-scaled", lambda: storm(quick=quick, environment=_scaled(stack), name="PostgreSQL")))
    return cases


def _scaled(stack: ExitStack) -> Mapping[str, str]:
    """A database of its own in the PostgreSQL that ``tests.harness.services`` started."""
    name = f"bench_{time.monotonic_ns()}"
    stack.callback(drop_database, POSTGRES, name)
    broker = REDIS.removesuffix("/0") + "/1"
    return {"DATABASE_URL": new_database(POSTGRES, name), "REDIS_URL": REDIS, "CELERY_BROKER_URL": broker}


if __name__ == "__main__":
    raise SystemExit(main())
