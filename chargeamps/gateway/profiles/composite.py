"""Whether a charger's GetCompositeSchedule answer is what our profiles ask of it.

"Accepted" proves nothing. The answer is only indicative (OCPP 1.6 §5.7), so rounding, units, split periods and a clock
that is a little off are forgiven; a limit that differs for longer than that is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from .capabilities import Capabilities
from .evaluate import Step, Transaction, expected_schedule
from .payload import TX_PROFILE, DesiredProfile, moment

TOLERANCE_A = 0.6
TOLERANCE = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class Agreement:
    """The verdict. `code` is `agrees`, `differs`, `rejected` or `unreadable`.

    Where it differs: when first, and the limits there in amperes per phase (`None`: no limit).
    """

    code: str
    at: datetime | None = None
    expected_a: float | None = None
    reported_a: float | None = None

    @property
    def agrees(self) -> bool:
        """Whether the charger will do what the plan says."""
        return self.code == "agrees"


def composite_agrees(
    answer: Mapping[str, Any],
    profiles: Sequence[DesiredProfile],
    connector: int,
    asked_at: datetime,
    capabilities: Capabilities,
    *,
    max_a: float,
    transaction: Transaction | None = None,
    tolerance: timedelta = TOLERANCE,
    tolerance_a: float = TOLERANCE_A,
) -> Agreement:
    """Compare a GetCompositeSchedule.conf, asked at `asked_at`, with the profiles the charge point should have.

    `max_a` is what the connector can do: any limit above it, or none, is the same to a car. `transaction` is the one
    that runs there; without one, a Relative profile may be shown or not.
    """
    if answer.get("status") != "Accepted":
        return Agreement("rejected")
    reported = _read(answer, asked_at, capabilities)
    if reported is None:
        return Agreement("unreadable")
    start, end = reported[0].start, reported[-1].end
    readings: list[tuple[Sequence[DesiredProfile], Transaction | None]] = [(profiles, transaction)]
    if transaction is None:
        # What a Relative default shows while no transaction runs is left open: nothing, or as if one began now.
        defaults = [profile for profile in profiles if profile.payload["chargingProfilePurpose"] != TX_PROFILE]
        if any(profile.payload["chargingProfileKind"] == "Relative" for profile in defaults):
            readings += [(defaults, Transaction(0, instant)) for instant in dict.fromkeys((start, asked_at))]
    verdicts = []
    for read, running in readings:
        seconds = int((end - start).total_seconds())
        expected = expected_schedule(read, connector, start, seconds, capabilities, transaction=running)
        verdict = _compare(reported, expected, end, max_a=max_a, tolerance=tolerance, tolerance_a=tolerance_a)
        if verdict.agrees:
            return verdict
        verdicts.append(verdict)
    return verdicts[0]


def _compare(
    reported: Sequence[Step],
    expected: Sequence[Step],
    end: datetime,
    *,
    max_a: float,
    tolerance: timedelta,
    tolerance_a: float,
) -> Agreement:
    start = reported[0].start
    edges = sorted({step.start for step in (*reported, *expected)} | {end})
    differing: Agreement | None = None
    since = start
    for at, until in pairwise(edges):
        wanted_a, told_a = _limit(expected, at), _limit(reported, at)
        capped = [max_a if limit_a is None else min(limit_a, max_a) for limit_a in (wanted_a, told_a)]
        if abs(capped[0] - capped[1]) <= tolerance_a:
            differing = None
            continue
        if differing is None:
            differing, since = Agreement("differs", at, wanted_a, told_a), at
        if until - since > tolerance:
            return differing
    return Agreement("agrees")


def _limit(steps: Sequence[Step], at: datetime) -> float | None:
    return next((step.limit_a for step in reversed(steps) if step.start <= at), None)


def _read(answer: Mapping[str, Any], asked_at: datetime, capabilities: Capabilities) -> list[Step] | None:
    """The answer's periods as steps, or `None` if they make no sense."""
    schedule = answer.get("chargingSchedule")
    if not isinstance(schedule, Mapping):
        return None
    start = moment(answer.get("scheduleStart")) or moment(schedule.get("startSchedule")) or asked_at
    try:
        unit = str(schedule["chargingRateUnit"]).strip().upper()[:1]
        periods = sorted(
            (
                int(period["startPeriod"]),
                capabilities.in_amperes(float(period["limit"]), unit, _phases(period.get("numberPhases"))),
            )
            for period in schedule["chargingSchedulePeriod"]
        )
        seconds = int(schedule["duration"]) if schedule.get("duration") is not None else periods[-1][0] + 1
    except (KeyError, TypeError, ValueError, IndexError):
        return None
    periods = [(second, limit_a) for second, limit_a in periods if 0 <= second < seconds]
    if not periods or unit not in ("A", "W"):
        return None
    edges = [second for second, _ in periods] + [seconds]
    return [
        Step(start + timedelta(seconds=begin), start + timedelta(seconds=end), limit_a)
        for (begin, limit_a), end in zip(periods, edges[1:], strict=True)
    ]


def _phases(value: object) -> int | None:
    return value if isinstance(value, int) and 1 <= value <= 3 else None
