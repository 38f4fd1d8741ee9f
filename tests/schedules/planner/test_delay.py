"""The decision table of the random delay, and the draws."""

from __future__ import annotations

import secrets
from collections import Counter
from itertools import pairwise, product

import pytest

from chargeamps.schedules.planner.delay import (
    Cause,
    Change,
    Outcome,
    RelevantTime,
    change_between,
    check_maximum,
    decide,
    draw,
)

START = RelevantTime(Change.START)


@pytest.mark.parametrize(
    ("event", "row", "outcome"),
    [
        pytest.param(RelevantTime(Change.DECREASE, cause=Cause.SAFETY), 1, Outcome.NONE, id="safety reduction"),
        pytest.param(RelevantTime(Change.DECREASE, cause=Cause.CAPACITY), 1, Outcome.NONE, id="supply protection"),
        pytest.param(RelevantTime(Change.DECREASE, cause=Cause.FAULT), 1, Outcome.NONE, id="fault"),
        pytest.param(RelevantTime(Change.DECREASE, cause=Cause.UNPLUG), 1, Outcome.NONE, id="unplug"),
        pytest.param(RelevantTime(Change.DECREASE, cause=Cause.CAR), 1, Outcome.NONE, id="car-side stop"),
        pytest.param(RelevantTime(Change.INCREASE, cause=Cause.CAPACITY), 5, Outcome.DRAW, id="capacity given back"),
        pytest.param(RelevantTime(Change.START, cause=Cause.SAFETY), 5, Outcome.DRAW, id="after a safety cut"),
    ],
)
@pytest.mark.requirement("R11-15")
def test_row_1(event, row, outcome):
    decision = decide(event)
    assert (decision.row, decision.outcome) == (row, outcome)


@pytest.mark.requirement("R11-7")
def test_row_2_an_override_counts_only_through_the_safety_gate():
    assert decide(RelevantTime(Change.START, overridden=True)).row == 2
    refused = decide(RelevantTime(Change.START, overridden=True, gate_open=False))
    assert (refused.row, refused.outcome, refused.ignored) == (5, Outcome.DRAW, ("override-refused",))


@pytest.mark.requirement("R11-8")
def test_row_3_an_equivalent_delay_counts_only_from_a_trusted_source():
    assert decide(RelevantTime(Change.START, equivalent_delay_applied=True, source_trusted=True)).row == 3
    forged = decide(RelevantTime(Change.START, equivalent_delay_applied=True))
    assert (forged.outcome, forged.ignored) == (Outcome.DRAW, ("untrusted-equivalent-delay",))


@pytest.mark.requirement("R11-9")
@pytest.mark.parametrize(("response", "allowed", "live"), list(product([False, True], repeat=3)))
def test_row_4_only_response_from_an_allowed_source_while_live(response, allowed, live):
    decision = decide(RelevantTime(Change.DECREASE, response_dsr=response, source_allowed=allowed, live=live))
    assert (decision.row == 4) is (response and allowed and live)
    assert (decision.outcome is Outcome.DRAW) is not (response and allowed and live)


@pytest.mark.requirement("R11-10")
@pytest.mark.requirement("R11-11")
@pytest.mark.parametrize("change", list(Change))
def test_row_5_every_other_start_increase_and_decrease_draws(change):
    assert decide(RelevantTime(change)).outcome is Outcome.DRAW


@pytest.mark.requirement("R11-14")
@pytest.mark.parametrize("change", list(Change))
def test_row_6_a_running_delay_is_kept(change):
    decision = decide(RelevantTime(change, delay_running=True))
    assert (decision.row, decision.outcome) == (6, Outcome.KEEP)


@pytest.mark.requirement("R11-15")
def test_the_whole_truth_table_is_first_match_wins():
    flags = list(product([False, True], repeat=8))
    for cause, change, values in product(Cause, Change, flags):
        overridden, gate, equivalent, trusted, response, allowed, live, running = values
        event = RelevantTime(change, cause, *values)
        at_once = cause in {Cause.FAULT, Cause.UNPLUG, Cause.CAR}
        at_once = at_once or (cause in {Cause.SAFETY, Cause.CAPACITY} and change is Change.DECREASE)
        claims = {
            1: at_once,
            2: overridden and gate,
            3: equivalent and trusted,
            4: response and allowed and live,
            6: running,
            5: True,
        }
        assert decide(event).row == next(row for row, claim in claims.items() if claim)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (0, 16, Change.START),
        (16, 32, Change.INCREASE),
        (32, 16, Change.DECREASE),
        (16, 0, Change.DECREASE),
        (16, 16, None),
    ],
)
@pytest.mark.requirement("R11-11")
def test_what_kind_of_change(before, after, change):
    assert change_between(before, after) is change


@pytest.mark.requirement("R11-2")
@pytest.mark.requirement("R11-3")
def test_ten_thousand_draws_are_uniform_on_whole_seconds_and_reach_both_ends():
    # 1 in 10,000 by chance: the 99.99 % point of chi-square with 600 degrees of freedom.
    random = secrets.SystemRandom()
    for attempt in range(2):
        draws = [draw(random.randrange, 600) for _ in range(10_000)]
        counts = Counter(draws)
        expected = len(draws) / 601
        chi_square = sum((counts[second] - expected) ** 2 / expected for second in range(601))
        if chi_square < 735 and {0, 600} <= set(counts):
            break
        assert attempt == 0
    assert all(type(second) is int and 0 <= second <= 600 for second in draws)


@pytest.mark.requirement("R11-1")
@pytest.mark.requirement("R11-5")
def test_the_maximum_is_bounded():
    assert draw(lambda n: n - 1, 1800) == 1800
    assert draw(lambda n: n - 1, 0) == 0
    for bad in (1801, -1, 600.0, True):
        with pytest.raises(ValueError, match="1800"):
            draw(lambda n: 0, bad)
    check_maximum(600)


@pytest.mark.requirement("R11-4")
def test_connectors_draw_independently():
    random = secrets.SystemRandom()
    pairs = [(draw(random.randrange, 600), draw(random.randrange, 600)) for _ in range(1_000)]
    mean = 300
    covariance = sum((one - mean) * (other - mean) for one, other in pairs) / len(pairs)
    # Five standard errors of a correlation over 1,000 pairs, times the variance of a draw.
    assert abs(covariance) < 5 / 1_000**0.5 * (601**2 - 1) / 12


@pytest.mark.requirement("R11-4")
def test_ten_thousand_pairs_of_chargers_draw_independently_of_each_other():
    # Both draws fall into tenths of the window; the 100 cells are equally likely if neither knows of the other. The
    # bound is the point of chi-square with 99 degrees of freedom that chance passes once in a million.
    one, other = secrets.SystemRandom(), secrets.SystemRandom()
    cells = Counter((draw(one.randrange, 599) // 60, draw(other.randrange, 599) // 60) for _ in range(10_000))
    assert sum((cells[row, column] - 100) ** 2 / 100 for row in range(10) for column in range(10)) < 181.1


@pytest.mark.requirement("R11-3")
def test_each_relevant_time_has_a_draw_of_its_own():
    # Successive draws of one charger, by the same measure.
    random = secrets.SystemRandom()
    drawn = [draw(random.randrange, 599) // 60 for _ in range(10_001)]
    cells = Counter(pairwise(drawn))
    assert sum((cells[row, column] - 100) ** 2 / 100 for row in range(10) for column in range(10)) < 181.1


@pytest.mark.requirement("R11-4")
def test_a_maximum_of_nothing_draws_nothing():
    random = secrets.SystemRandom()
    assert {draw(random.randrange, 0) for _ in range(100)} == {0}
    assert {draw(random.randrange, 1) for _ in range(100)} == {0, 1}


@pytest.mark.requirement("R11-1")
def test_the_whole_of_half_an_hour_can_be_drawn():
    random = secrets.SystemRandom()
    draws = [draw(random.randrange, 1800) for _ in range(10_000)]
    assert max(draws) > 1_700
    assert sum(second > 600 for second in draws) > 6_000
