"""Our reading of what a charge point does with its profiles, to compare with what it says it will do.

OCPP 1.6 §3.13: the limit is the lowest of ChargePointMaxProfile and of TxProfile, or TxDefaultProfile where no
TxProfile applies; in each purpose the highest stack level among the profiles valid at that moment decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from .capabilities import Capabilities
from .payload import MAX_PROFILE, TX_DEFAULT, TX_PROFILE, DesiredProfile, moment

_ROUND_S = {"Daily": 86_400, "Weekly": 604_800}


@dataclass(frozen=True, slots=True)
class Transaction:
    """The transaction that runs on a connector: its id and when it began."""

    transaction_id: int
    started: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """From `start` up to `end` (aware UTC) the limit in amperes per phase; `None` where no profile sets one."""

    start: datetime
    end: datetime
    limit_a: float | None


def expected_schedule(
    profiles: Sequence[DesiredProfile],
    connector: int,
    start: datetime,
    seconds: int,
    capabilities: Capabilities,
    *,
    transaction: Transaction | None = None,
) -> tuple[Step, ...]:
    """What a connector should offer over `seconds` from `start`, in merged steps. Connector 0 is the whole charger."""
    end = start + timedelta(seconds=seconds)
    mine = _read(profiles, connector, capabilities, transaction)
    edges = {start, end}
    for read in mine:
        edges.update(edge for edge in read.edges(start, end) if start < edge < end)
    out: list[Step] = []
    for at, until in pairwise(sorted(edges)):
        limit_a = _limit_at(mine, at)
        if out and out[-1].limit_a == limit_a:
            out[-1] = Step(out[-1].start, until, limit_a)
        else:
            out.append(Step(at, until, limit_a))
    return tuple(out)


def limit_at(
    profiles: Sequence[DesiredProfile],
    connector: int,
    at: datetime,
    capabilities: Capabilities,
    *,
    transaction: Transaction | None = None,
) -> float | None:
    """The limit in amperes per phase at one instant; `None` where no profile sets one."""
    mine = _read(profiles, connector, capabilities, transaction)
    return _limit_at(mine, at)


def _read(
    profiles: Sequence[DesiredProfile], connector: int, capabilities: Capabilities, transaction: Transaction | None
) -> list[_Read]:
    mine = (profile for profile in profiles if profile.connector_number in (0, connector))
    return [_Read(profile, capabilities, transaction) for profile in mine]


def _limit_at(mine: Sequence[_Read], at: datetime) -> float | None:
    by_purpose: dict[str, tuple[tuple[int, bool], float]] = {}
    for read in mine:
        limit_a = read.limit_at(at)
        # A connector's own default overrules the one for all connectors (OCPP 1.6 §3.13.1).
        rank = (read.stack_level, read.specific)
        if limit_a is not None and (read.purpose not in by_purpose or rank > by_purpose[read.purpose][0]):
            by_purpose[read.purpose] = (rank, limit_a)
    chosen = [by_purpose.get(MAX_PROFILE), by_purpose.get(TX_PROFILE) or by_purpose.get(TX_DEFAULT)]
    limits = [choice[1] for choice in chosen if choice is not None]
    return min(limits) if limits else None


class _Read:
    """One profile, read once."""

    def __init__(self, profile: DesiredProfile, capabilities: Capabilities, transaction: Transaction | None) -> None:
        payload = profile.payload
        schedule = payload["chargingSchedule"]
        self.purpose: str = payload["chargingProfilePurpose"]
        self.stack_level: int = payload["stackLevel"]
        self.specific = profile.connector_number != 0
        self.valid_from = moment(payload.get("validFrom"))
        self.valid_to = moment(payload.get("validTo"))
        self.duration: int | None = schedule.get("duration")
        recurs = payload["chargingProfileKind"] == "Recurring"
        self.round_s = _ROUND_S.get(payload.get("recurrencyKind", "")) if recurs else None
        relative = payload["chargingProfileKind"] == "Relative"
        began = transaction.started if transaction else None
        self.start = began if relative else moment(schedule.get("startSchedule")) or began
        bound = payload.get("transactionId")
        self.applies = self.purpose != TX_PROFILE or (
            transaction is not None and bound in (None, transaction.transaction_id)
        )
        self.periods = sorted(
            (
                int(period["startPeriod"]),
                round(
                    capabilities.in_amperes(period["limit"], schedule["chargingRateUnit"], period.get("numberPhases")),
                    1,
                ),
            )
            for period in schedule["chargingSchedulePeriod"]
        )

    def limit_at(self, at: datetime) -> float | None:
        if not self.applies or self.start is None or at < self.start:
            return None
        if self.valid_from is not None and at < self.valid_from:
            return None
        if self.valid_to is not None and at >= self.valid_to:
            return None
        passed = int((at - self.start).total_seconds())
        if self.round_s is not None:
            passed %= self.round_s
        if self.duration is not None and passed >= self.duration:
            return None
        limits = [limit_a for second, limit_a in self.periods if second <= passed]
        return limits[-1] if limits else None

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        out = [edge for edge in (self.valid_from, self.valid_to, self.start) if edge is not None]
        if self.start is None:
            return out
        offsets = [second for second, _ in self.periods] + ([self.duration] if self.duration is not None else [])
        origin = self.start
        if self.round_s is None:
            return out + [origin + timedelta(seconds=offset) for offset in offsets]
        rounds = max(0, int((start - origin).total_seconds()) // self.round_s)
        origin += timedelta(seconds=rounds * self.round_s)
        while origin < end:
            out += [origin + timedelta(seconds=offset) for offset in offsets]
            origin += timedelta(seconds=self.round_s)
        return out
