"""``python -m tests.reports.thirty_days``: a month without the server, and a fleet at one tariff edge, to look at.

Writes build/reports/thirty-days.md with thirty-days.svg and fleet-ramp.svg.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chargeamps.schedules.planner import LONDON, in_peak
from tests.benchmarks.report import Line
from tests.reports import svg
from tests.reports.fleet import BOOT_S, CAR_KW, Fleet, fleet
from tests.simulator.month import Month

FOLDER = Path(__file__).resolve().parents[2] / "build" / "reports"
CHANGES = {"spring": datetime(2027, 3, 28, 1, tzinfo=UTC), "autumn": datetime(2027, 10, 31, 1, tzinfo=UTC)}
PERSONAS = (
    "aura",
    "watts-only",
    "one-stack-level",
    "few-periods",
    "few-profiles",
    "no-recurring",
    "no-relative",
    "no-max-profile",
    "no-default-profile",
    "accepts-without-effect",
    "forgets-profiles",
    "wakes-late",
    "sleeps",
)
DAYS = 30
COLUMNS = ("charger", "clock change", "energy", "in peak", "outside hours", "full by morning", "told to the owner")


def lived(persona: str, change: datetime) -> Month:
    """A month around a clock change: the plan is set, the server goes, thirty days pass."""
    month = Month((persona,), change - timedelta(days=15, hours=10))
    month.converge()
    month.live(DAYS)
    return month


def energy_kwh(month: Month) -> float:
    """What went through the socket."""
    return sum(flow.watts * (flow.end - flow.start).total_seconds() for flow in month.flows) / 3.6e6


def peak_s(month: Month) -> int:
    """Seconds of current in the peak hours; the peaks begin and end on whole minutes."""
    total = 0.0
    for flow in month.flows:
        at = flow.start
        while at < flow.end:
            until = min(flow.end, at.replace(second=0, microsecond=0) + timedelta(minutes=1))
            total += (until - at).total_seconds() if in_peak(at) else 0.0
            at = until
    return round(total)


def row(persona: str, name: str, month: Month) -> tuple[str, ...]:
    """One line of the table of chargers."""
    told = [str(shortfall) for shortfall in sorted(month.wanted.shortfalls)]
    if not all(verdict.agrees for verdict in month.asked[-1]):
        told.append("does not do what it accepted")
    outside = sum((flow.end - flow.start).total_seconds() for flow in month.outside())
    full = sum(visit.satisfied for visit in month.visits)
    return (
        persona,
        name,
        f"{energy_kwh(month):.0f} kWh",
        f"{peak_s(month)} s",
        f"{outside:.0f} s",
        f"{full} of {len(month.visits)}",
        ", ".join(told) or "nothing",
    )


def figures(*, quick: bool = False) -> list[Line]:
    """What the benchmarks' table says of a month alone and of the fleet; writes the report as well."""
    return write(FOLDER, personas=PERSONAS[:1] if quick else PERSONAS, count=200 if quick else 1_000)


def write(folder: Path, *, personas: tuple[str, ...] = PERSONAS, count: int = 1_000) -> list[Line]:
    """Write the report into `folder`; return its figures."""
    folder.mkdir(parents=True, exist_ok=True)
    months = {(persona, name): lived(persona, change) for persona in personas for name, change in CHANGES.items()}
    plain = months["aura", "autumn"]
    first = plain.now.astimezone(LONDON).date()
    title = "Thirty days of an Aura without its server, across the end of summer time"
    picture = svg.month(plain.flows, first, DAYS + 1, title, top_w=7_360)
    (folder / "thirty-days.svg").write_text(picture, encoding="utf-8")
    started = fleet(count)
    curves = (
        ("after the tariff edge at 22:00", "a", started.edge_s),
        ("after a power cut of all", "b", tuple(second - BOOT_S for second in started.cut_s)),
    )
    title = f"{count:,} Auras on one tariff edge"
    (folder / "fleet-ramp.svg").write_text(svg.ramp(curves, started.maximum_s, CAR_KW, title), encoding="utf-8")
    rows = [row(persona, name, month) for (persona, name), month in months.items()]
    (folder / "thirty-days.md").write_text(_markdown(rows, started), encoding="utf-8")
    steepest = started.rise_per_minute(started.edge_s)
    aura = [month for (persona, _), month in months.items() if persona == "aura"]
    seconds = sum(peak_s(month) for month in aura)
    full = all(visit.satisfied for month in aura for visit in month.visits)
    return [
        Line(
            "current in the peak, an Aura alone for 30 days, both clock changes", "0 s", f"{seconds} s", "", not seconds
        ),
        Line("the car is full every morning meanwhile", "yes", "yes" if full else "no", "", full),
        Line(
            f"{count:,} Auras on one tariff edge: steepest minute",
            "a tenth of the fleet, within 4.5 σ",
            f"{steepest:.1%}",
            "",
            steepest < 0.1 + 4.5 * (0.09 / count) ** 0.5,
        ),
    ]


def _markdown(rows: list[tuple[str, ...]], started: Fleet) -> str:
    table = "\n".join("| " + " | ".join(each) + " |" for each in (COLUMNS, ("---",) * len(COLUMNS), *rows))
    spread = [
        f"- {name}: first current after {min(seconds):.0f} s, last after {max(seconds):.0f} s, steepest minute"
        f" {started.rise_per_minute(seconds):.1%} of the fleet"
        for name, seconds in (("tariff edge", started.edge_s), ("power cut", started.cut_s))
    ]
    return f"""# Thirty days without the server

A simulated Aura gets its plan (the preset hours, a delay of its own at every switch and at every plug-in), then its
server is gone for thirty days around a clock change. The family comes home in the early evening, late at night, and at
noon of weekends. Rows R7-1, R10-1, R10-9, R11-10, R11-12, B-5.

![Power against the peaks](thirty-days.svg)

{table}

"Outside hours" counts what is neither in the hours nor in the random delay after them. Chargers that store no default
profile, or accept profiles without effect, cannot be held to any hours without the server; that is what the owner is
told. A car that sleeps through its wait is beyond a charger that nobody talks to.

## A fleet on one tariff edge

{len(started.edge_s):,} Auras, each with a car that waits, and delays of up to {started.maximum_s} s, drawn as the
product does.

![How the power rises](fleet-ramp.svg)

{chr(10).join(spread)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    for line in figures(quick=parser.parse_args().quick):
        print(*line.cells, sep=" | ")
    print(FOLDER / "thirty-days.md")


if __name__ == "__main__":
    main()
