"""A pytest plugin: keeps the results of the tests that prove a row of the requirements, and can list all such tests.

Each run brings build/test-report/requirements-ARRANGEMENT.json up to date by what it ran, so that single files and
whole runs end in one place.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

REPORT = Path(__file__).resolve().parents[2] / "build" / "test-report"
ROWS = "requirement"
# From the weakest: of a test's phases and parameters the strongest counts.
OUTCOMES = ("skipped", "passed", "failed")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--list-proofs", metavar="FILE", help="write {row: [test, ...]} of all tests collected")


def pytest_configure(config: pytest.Config) -> None:
    # Workers of xdist hand their reports to the process that started them.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Results(), "requirement-results")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have every report carry its rows, for reports cross to xdist's main process and items do not."""
    for item in items:
        item.user_properties += [(ROWS, row) for row in _rows(item)]


def pytest_collection_finish(session: pytest.Session) -> None:
    target = session.config.getoption("--list-proofs")
    if not target:
        return
    proofs: dict[str, list[str]] = {}
    for item in session.items:
        for row in _rows(item):
            proofs.setdefault(row, []).append(item.nodeid)
    Path(target).write_text(json.dumps(proofs))


def _rows(item: pytest.Item) -> Iterator[str]:
    seen = set()
    for mark in item.iter_markers("requirement"):
        for row in mark.args:
            if row not in seen:
                seen.add(row)
                yield row


class _Results:
    """The outcome of each test with rows, by its id."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not any(name == ROWS for name, _ in report.user_properties):
            return
        before = self.outcomes.get(report.nodeid, OUTCOMES[0])
        self.outcomes[report.nodeid] = max(before, report.outcome, key=OUTCOMES.index)

    def pytest_sessionfinish(self) -> None:
        if not self.outcomes:
            return
        arrangement = "scaled" if os.environ.get("REDIS_URL") else "embedded"
        path = REPORT / f"requirements-{arrangement}.json"
        known = json.loads(path.read_text()) if path.exists() else {}
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: another run may be reading it.
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(known | self.outcomes, indent=0, sort_keys=True))
        fresh.replace(path)
