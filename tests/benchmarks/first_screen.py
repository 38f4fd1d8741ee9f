"""The JavaScript that a phone loads before the first screen, as the built PWA's page names it."""

import gzip
import re

from tests.benchmarks.report import Line
from tests.harness.processes import ROOT

PWA = ROOT / "static" / "pwa"
GOAL_KB = 45.0
_SCRIPT = re.compile(r'<(?:script|link)[^>]*(?:src|href)="/(assets/[^"]+\.js)"')


def first_screen() -> list[Line]:
    page = PWA / "index.html"
    if not page.is_file():
        return [Line("first screen of the PWA, JavaScript gzip", f"≤ {GOAL_KB:.0f} kB", "not built", met=False)]
    names = sorted(set(_SCRIPT.findall(page.read_text())))
    size = sum(len(gzip.compress((PWA / name).read_bytes(), 9)) for name in names) / 1000
    return [
        Line(
            f"first screen of the PWA, JavaScript gzip ({len(names)} files)",
            f"≤ {GOAL_KB:.0f} kB",
            f"{size:.1f} kB",
            met=size <= GOAL_KB and bool(names),
        )
    ]
