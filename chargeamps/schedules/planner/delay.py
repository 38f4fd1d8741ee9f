"""The randomised delay: when one is due, and how long it is (SI 2021/1467 reg 11).

A *relevant time* is the moment at which electricity would start to flow, or its rate would be increased or decreased.
The table below is the whole decision; a stop is a decrease to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

CEILING_S = 1800

RandRange = Callable[[int], int]


class Change(StrEnum):
    """What happens to the rate at a relevant time (reg 11(3))."""

    START = "start"
    INCREASE = "increase"
    DECREASE = "decrease"


class Cause(StrEnum):
    """Who brings the change about."""

    PLAN = "plan"
    SAFETY = "safety"
    CAPACITY = "capacity"
    FAULT = "fault"
    UNPLUG = "unplug"
    CAR = "car"


class Outcome(StrEnum):
    """What to do: change at once, draw a delay, or let the delay that already runs lead to the new target."""

    NONE = "none"
    DRAW = "draw"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class RelevantTime:
    """One relevant time of one connector, with everything the decision rests on.

    `gate_open` is the answer of the safety gate of reg 8: an override counts only through it. `response_dsr` means a
    *response* service in the sense of reg 2, not any demand-side response.
    """

    change: Change
    cause: Cause = Cause.PLAN
    overridden: bool = False
    gate_open: bool = True
    equivalent_delay_applied: bool = False
    source_trusted: bool = False
    response_dsr: bool = False
    source_allowed: bool = False
    live: bool = True
    delay_running: bool = False


@dataclass(frozen=True, slots=True)
class DelayDecision:
    """The outcome, the row of the table that gave it, and its stable reason code.

    `ignored` names claims that were made but not honoured (for the security log): `override-refused`,
    `untrusted-equivalent-delay`, `response-not-allowed`.
    """

    outcome: Outcome
    row: int
    reason: str
    ignored: tuple[str, ...] = ()


def _cannot_wait(at: RelevantTime) -> bool:
    supply = at.cause in (Cause.SAFETY, Cause.CAPACITY) and at.change is Change.DECREASE
    return supply or at.cause in (Cause.FAULT, Cause.UNPLUG, Cause.CAR)


def _overridden(at: RelevantTime) -> bool:
    return at.overridden and at.gate_open


def _already_delayed(at: RelevantTime) -> bool:
    return at.equivalent_delay_applied and at.source_trusted


def _response(at: RelevantTime) -> bool:
    return at.response_dsr and at.source_allowed and at.live


def _running(at: RelevantTime) -> bool:
    return at.delay_running


def _any(_at: RelevantTime) -> bool:
    return True


# First match wins. Row 6 stands before row 5, which matches whatever is left.
TABLE: tuple[tuple[int, Callable[[RelevantTime], bool], Outcome, str], ...] = (
    (1, _cannot_wait, Outcome.NONE, "safety"),
    (2, _overridden, Outcome.NONE, "overridden"),
    (3, _already_delayed, Outcome.NONE, "already-delayed"),
    (4, _response, Outcome.NONE, "response-dsr"),
    (6, _running, Outcome.KEEP, "delay-running"),
    (5, _any, Outcome.DRAW, "relevant-time"),
)


def decide(at: RelevantTime) -> DelayDecision:
    """The decision for one relevant time: the first row of `TABLE` that matches."""
    ignored = tuple(
        name
        for name, claimed in (
            ("override-refused", at.overridden and not at.gate_open),
            ("untrusted-equivalent-delay", at.equivalent_delay_applied and not at.source_trusted),
            ("response-not-allowed", at.response_dsr and not (at.source_allowed and at.live)),
        )
        if claimed
    )
    row, outcome, reason = next((row, outcome, reason) for row, matches, outcome, reason in TABLE if matches(at))
    return DelayDecision(outcome, row, reason, ignored)


def change_between(before_a: float, after_a: float) -> Change | None:
    """Which relevant time a change of the limit from `before_a` to `after_a` amperes is; `None` if it is none."""
    if after_a == before_a:
        return None
    if after_a < before_a:
        return Change.DECREASE
    return Change.START if before_a == 0 else Change.INCREASE


def draw(randrange: RandRange, maximum_s: int) -> int:
    """A delay in whole seconds, uniform on 0...`maximum_s` with both ends included.

    `randrange(n)` gives a uniform integer in 0...n-1; in production that of `secrets.SystemRandom`, so that chargers
    and connectors draw independently. Raises `ValueError` outside 0...1800 (reg 11(1)(a)).
    """
    check_maximum(maximum_s)
    return randrange(maximum_s + 1)


def check_maximum(maximum_s: int) -> None:
    """Raise `ValueError` unless the maximum is a whole number of seconds from 0 to 1800."""
    if type(maximum_s) is not int or not 0 <= maximum_s <= CEILING_S:
        raise ValueError(f"the maximum delay must be 0 to {CEILING_S} whole seconds")
