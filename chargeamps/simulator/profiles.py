"""Reading one charging profile: which limit it sets at a given moment (OCPP 1.6 §3.13, §5.16, §7.7 ff.)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .clock import parse_iso
from .meter import NOMINAL_V

JSON = dict[str, Any]
RECURRENCE_S = {"Daily": 86_400.0, "Weekly": 604_800.0}
FOREVER = float("inf")


class ProfileError(ValueError):
    """The profile contradicts the standard; the answer is Rejected."""


@dataclass(frozen=True)
class Period:
    start: float  # seconds after the start of the schedule
    limit: float  # in the schedule's unit
    phases: int


@dataclass(frozen=True)
class Profile:
    """One charging profile as installed on ``connector``; times are epoch seconds of the charger's clock."""

    id: int
    connector: int
    stack: int
    purpose: str
    kind: str
    recurrence: float | None
    valid_from: float
    valid_to: float
    transaction_id: int | None
    unit: str
    duration: float | None
    start: float | None
    periods: tuple[Period, ...]
    min_rate: float | None
    raw: JSON
    tx: str | None = None  # local id of the transaction a TxProfile belongs to

    def run_at(self, t: float, anchor: float) -> tuple[float, float] | None:
        """Start and end of the run of the schedule that holds ``t``; None when none does.

        ``anchor`` is where a relative schedule, or one without startSchedule, begins: the start of charging (§7.13).
        A recurrence is cut at its own length (§5.16.4)."""
        if self.recurrence is not None and self.start is not None:
            if t < self.start:
                return None
            begin = self.start + (t - self.start) // self.recurrence * self.recurrence
            end = begin + min(self.duration or self.recurrence, self.recurrence)
        else:
            begin = anchor if self.kind == "Relative" or self.start is None else self.start
            end = begin + (FOREVER if self.duration is None else self.duration)
        return (begin, end) if begin <= t < end else None

    def period_at(self, t: float, anchor: float) -> Period | None:
        """The period in force at ``t``, or None when the profile sets no limit then."""
        if not self.valid_from <= t < self.valid_to:
            return None
        run = self.run_at(t, anchor)
        if run is None:
            return None
        return next((p for p in reversed(self.periods) if run[0] + p.start <= t), None)

    def next_change(self, t: float, anchor: float) -> float:
        """The first moment after ``t`` at which this profile may set another limit; infinity if never again."""
        marks = [self.valid_from, self.valid_to]
        if self.start is not None:
            marks.append(self.start)
        run = self.run_at(t, anchor)
        if run is not None:
            marks += [run[0] + p.start for p in self.periods if run[0] + p.start < run[1]]
            marks.append(run[1])
        if self.recurrence is not None and self.start is not None and t >= self.start:
            marks.append(self.start + ((t - self.start) // self.recurrence + 1) * self.recurrence)
        if self.kind == "Relative" or self.start is None:
            marks.append(anchor)
        return min((m for m in marks if m > t), default=FOREVER)

    def amperes(self, period: Period) -> float:
        """The limit per phase in A; watts are spread over ``numberPhases``, by default 3 (§7.14)."""
        return period.limit if self.unit == "A" else period.limit / (NOMINAL_V * period.phases)


def read_profile(raw: JSON, connector: int, *, tx: str | None = None) -> Profile:
    """The profile inside SetChargingProfile.req or RemoteStartTransaction.req. Raises ProfileError."""
    schedule = raw["chargingSchedule"]
    kind, recurrency = raw["chargingProfileKind"], raw.get("recurrencyKind")
    try:
        start = parse_iso(schedule["startSchedule"]) if "startSchedule" in schedule else None
        valid_from = parse_iso(raw["validFrom"]) if "validFrom" in raw else -FOREVER
        valid_to = parse_iso(raw["validTo"]) if "validTo" in raw else FOREVER
    except ValueError as error:
        raise ProfileError(str(error)) from error
    periods = tuple(
        Period(float(p["startPeriod"]), float(p["limit"]), int(p.get("numberPhases", 3)))
        for p in schedule["chargingSchedulePeriod"]
    )
    if not periods or periods[0].start != 0:
        raise ProfileError("the first period must start at 0")
    if any(a.start >= b.start for a, b in pairwise(periods)):
        raise ProfileError("periods must be in order")
    if any(p.limit < 0 or p.phases not in (1, 2, 3) for p in periods):
        raise ProfileError("limits are not negative, phases are 1 to 3")
    if kind == "Recurring" and (recurrency is None or start is None):
        raise ProfileError("a recurring profile needs recurrencyKind and startSchedule")
    if valid_to <= valid_from:
        raise ProfileError("validTo lies before validFrom")
    duration = schedule.get("duration")
    return Profile(
        id=raw["chargingProfileId"],
        connector=connector,
        stack=raw["stackLevel"],
        purpose=raw["chargingProfilePurpose"],
        kind=kind,
        recurrence=RECURRENCE_S[str(recurrency)] if kind == "Recurring" else None,
        valid_from=valid_from,
        valid_to=valid_to,
        transaction_id=raw.get("transactionId"),
        unit=schedule["chargingRateUnit"],
        duration=None if duration is None else float(duration),
        start=start,
        periods=periods,
        min_rate=schedule.get("minChargingRate"),
        raw=raw,
        tx=tx,
    )
