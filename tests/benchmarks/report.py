"""The table: what was promised, what was measured, and whether it holds."""

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HEADINGS = ("figure", "goal", "measured", "ratio", "verdict")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. ``met`` is None where nothing was promised."""

    figure: str
    goal: str = ""
    measured: str = ""
    ratio: str = ""
    met: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        verdict = "" if self.met is None else "met" if self.met else "MISSED"
        return (self.figure, self.goal, self.measured, self.ratio, verdict)


def plain(lines: Iterable[Line]) -> str:
    """Columns for a terminal."""
    rows = [HEADINGS, *(line.cells for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([text[0], "  ".join("-" * width for width in widths), *text[1:]])


def markdown(lines: Iterable[Line], *, quick: bool, seconds: float) -> str:
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(line.cells for line in lines)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return (
        f"# Benchmarks\n\n{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python"
        f" {platform.python_version()}, {seconds:.0f} s{', quick' if quick else ''}, {load()}. Medians; cases"
        " interleaved. A bare"
        " server accepts and echoes over the same TLS, Daphne and Channels, and does nothing else.\n\n"
        f"{table}\n"
    )


def load() -> str:
    """How busy the machine was: on a busy one the latencies say more about it than about us."""
    return "load of the last 1, 5, 15 minutes " + ", ".join(f"{figure:.1f}" for figure in os.getloadavg())


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
