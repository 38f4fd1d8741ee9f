"""What the reports show holds: a thousand chargers never begin together, and an Aura alone keeps out of the peak."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from tests.reports import plan_cost
from tests.reports.fleet import BOOT_S, WAKE_S, Fleet, fleet
from tests.reports.thirty_days import write

pytestmark = pytest.mark.once

COUNT = 1_000


@pytest.fixture(scope="module")
def thousand() -> Fleet:
    return fleet(COUNT)


@pytest.mark.requirement("R11-2", "R11-4")
def test_a_thousand_chargers_on_one_tariff_edge_ramp_over_the_whole_window(thousand):
    assert_even([second - WAKE_S for second in thousand.edge_s], thousand.maximum_s)


@pytest.mark.requirement("R11-4", "R11-12")
def test_a_thousand_chargers_after_one_power_cut_do_too(thousand):
    assert_even([second - BOOT_S for second in thousand.cut_s], thousand.maximum_s)


@pytest.mark.requirement("R11-3", "R11-4")
def test_the_delay_of_one_switch_says_nothing_of_the_next(thousand):
    mean_edge, mean_cut = sum(thousand.edge_s) / COUNT, sum(thousand.cut_s) / COUNT
    pairs = [(one - mean_edge, other - mean_cut) for one, other in zip(thousand.edge_s, thousand.cut_s, strict=True)]
    spread = [sum(pair[n] ** 2 for pair in pairs) for n in (0, 1)]
    correlation = sum(one * other for one, other in pairs) / (spread[0] * spread[1]) ** 0.5
    # Five standard errors: 1 in 1.7 million by chance.
    assert abs(correlation) < 5 / COUNT**0.5


def assert_even(seconds: list[float], maximum_s: int) -> None:
    """Nobody early, nobody late, and each tenth of the window has its tenth of the fleet."""
    assert min(seconds) >= -0.1
    assert max(seconds) <= maximum_s + 1.1
    tenths = [0] * 10
    for second in seconds:
        tenths[min(9, int(max(0.0, second) / (maximum_s + 1) * 10))] += 1
    expected = len(seconds) / 10
    # The point of chi-square with 9 degrees of freedom that chance passes once in a million.
    assert sum((found - expected) ** 2 / expected for found in tenths) < 46.0, tenths


@pytest.mark.requirement("R7-1", "R10-9")
def test_the_report_is_written_and_its_figures_hold(tmp_path):
    lines = write(tmp_path, personas=("aura", "one-stack-level"), count=60)
    # Sixty chargers are too few to judge the ramp.
    assert [line.met for line in lines[:2]] == [True, True]
    text = (tmp_path / "thirty-days.md").read_text()
    assert text.count("| 0 s | 0 s | 30 of 30 |") == 4
    assert "no-start-delay" in text
    for name in ("thirty-days.svg", "fleet-ramp.svg"):
        root = ET.fromstring((tmp_path / name).read_text())
        assert root.tag.endswith("svg")
        assert name in text


def test_the_plan_has_its_figures():
    assert [line.figure for line in plan_cost.figures(quick=True)] == [
        "seven-day plan of one connector",
        "10,000 connectors planned and compared, without the database",
    ]
