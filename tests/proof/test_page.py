"""The page of requirements: what it says of a row, and what it does not let pass."""

import pytest

from tests.proof.page import Row, page, rows_of, unknown_rows

pytestmark = pytest.mark.once

ROWS = [Row("R1-1", "reg 1", "One", ""), Row("R1-2", "reg 1", "Two", "hardware")]
TESTS = ["tests/a/test_a.py::test_one[1]", "tests/a/test_a.py::test_one[2]"]


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ([dict.fromkeys(TESTS, "passed")], "passed (2)"),
        ([{TESTS[0]: "passed"}], "passed (1), 1 not run"),
        ([dict.fromkeys(TESTS, "passed"), {TESTS[0]: "failed"}], "**failed** (1 of 2)"),
        ([{TESTS[0]: "skipped"}], "not run"),
        ([], "not run"),
    ],
)
def test_a_row_is_as_good_as_its_tests_in_every_arrangement(results, said):
    assert f"| R1-1 | reg 1 | One | a/test_a.py: `test_one` | {said} |" in page(ROWS, {"R1-1": TESTS}, results)


def test_rows_without_tests_say_so_and_what_software_cannot_prove():
    text = page(ROWS, {}, [])
    assert "| R1-1 | reg 1 | One |  | no test |" in text
    assert "| R1-2 | reg 1 | Two |  | beyond software: the charger's hardware |" in text
    assert "2 rows: 1 no test, 1 beyond software." in text


def test_a_row_that_does_not_exist_is_named_with_its_test():
    assert unknown_rows(ROWS, {"R1-1": TESTS, "R9-99": ["tests/b.py::test_b"]}) == [
        "tests/b.py::test_b claims R9-99, which is no row"
    ]


def test_the_table_has_each_row_once():
    ids = [row.id for row in rows_of()]
    assert len(ids) == len(set(ids)) > 150
