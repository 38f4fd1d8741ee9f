"""``make requirements``: every row of the law, the tests that prove it and how they last went, as docs/requirements.md.

Fails where a test claims a row that does not exist.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.proof.plugin import OUTCOMES, REPORT

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "requirements.csv"
PAGE = ROOT / "docs" / "requirements.md"
# Why software alone cannot prove a row.
BEYOND = {
    "hardware": "the charger's hardware",
    "sale": "the seller's papers",
    "document": "a document",
    "guidance": "nothing to prove",
    "coming law": "not in force yet",
}
HEAD = """# Requirements

Every row of the law we keep, from [requirements.csv](requirements.csv); the tests that say they prove it
(`@pytest.mark.requirement`), and how they went when they last ran. Written by `make requirements`, and at the end of
`make test`. A row without a test is not claimed.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One requirement. ``beyond`` says what else must prove it, or is empty."""

    id: str
    regulation: str
    title: str
    beyond: str


def rows_of(table: Path = TABLE) -> list[Row]:
    with table.open(newline="") as lines:
        return [Row(**line) for line in csv.DictReader(lines)]


def unknown_rows(rows: Iterable[Row], proofs: Mapping[str, Sequence[str]]) -> list[str]:
    """What is wrong with the marks: rows that do not exist, each with a test that claims it."""
    known = {row.id for row in rows}
    return [f"{tests[0]} claims {row}, which is no row" for row, tests in proofs.items() if row not in known]


def page(rows: Sequence[Row], proofs: Mapping[str, Sequence[str]], results: Sequence[Mapping[str, str]]) -> str:
    """The page. ``proofs`` are the tests of each row, ``results`` the outcomes of tests in each arrangement."""
    counts = dict.fromkeys(("proved", "failed", "not run", "no test", "beyond software"), 0)
    lines = []
    for row in rows:
        tests = proofs.get(row.id, ())
        outcomes = [_outcome(test, results) for test in tests]
        text, kind = _verdict(row, outcomes)
        counts[kind] += 1
        lines.append(f"| {row.id} | {row.regulation} | {row.title} | {_names(tests)} | {text} |")
    total = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    head = "| row | law | title | tests | result |\n| --- | --- | --- | --- | --- |"
    return f"{HEAD}\n{len(rows)} rows: {total}.\n\n{head}\n" + "\n".join(lines) + "\n"


def _outcome(test: str, results: Sequence[Mapping[str, str]]) -> str:
    return max((outcomes.get(test, "skipped") for outcomes in results), key=OUTCOMES.index, default="skipped")


def _verdict(row: Row, outcomes: Sequence[str]) -> tuple[str, str]:
    """What to say of a row, and what it counts as."""
    beyond = f"; also needs {BEYOND[row.beyond]}" if row.beyond else ""
    passed, failed = outcomes.count("passed"), outcomes.count("failed")
    left = len(outcomes) - passed - failed
    if failed:
        return f"**failed** ({failed} of {len(outcomes)})", "failed"
    if passed:
        return f"passed ({passed})" + (f", {left} not run" if left else "") + beyond, "proved"
    if outcomes:
        return "not run" + beyond, "not run"
    if row.beyond:
        return f"beyond software: {BEYOND[row.beyond]}", "beyond software"
    return "no test", "no test"


def _names(tests: Iterable[str]) -> str:
    """Tests by file, without what they are parametrised with."""
    files: dict[str, dict[str, None]] = {}
    for test in tests:
        path, _, name = test.partition("::")
        files.setdefault(path.removeprefix("tests/"), {})[name.split("[")[0].split("::")[-1]] = None
    return "<br>".join(f"{path}: {', '.join(f'`{name}`' for name in names)}" for path, names in files.items())


def _collected() -> dict[str, list[str]]:
    """The tests of each row, as pytest finds them. Ends the program where a file cannot be read."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "proofs.json"
        arguments = ["--collect-only", "-qq", "-p", "no:cacheprovider", f"--list-proofs={target}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise SystemExit(done.stdout[-4000:] + done.stderr[-4000:])
        found: dict[str, list[str]] = json.loads(target.read_text())
        return found


def main() -> None:
    rows, proofs = rows_of(), _collected()
    if wrong := unknown_rows(rows, proofs):
        raise SystemExit("\n".join(wrong))
    results = [json.loads(path.read_text()) for path in sorted(REPORT.glob("requirements-*.json"))]
    text = page(rows, proofs, results)
    PAGE.write_text(text)
    print(next(line for line in text.splitlines() if " rows: " in line), f"See {PAGE.relative_to(ROOT)}.")
    if "**failed**" in text:
        sys.exit(1)


if __name__ == "__main__":
    main()
