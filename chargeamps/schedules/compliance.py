"""The compliance check: what the journal of random delays proves, worked out anew (SI 2021/1467 reg 11)."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Min

from chargeamps.chargers.models import Command, Connector
from chargeamps.common.clock import isoformat
from chargeamps.schedules.models import DelayDraw, Override
from chargeamps.schedules.plan import LONGEST_DELAY
from chargeamps.usage.models import ChargingSession

CEILING_S = 1800
# A charger's clock and its reports are not more exact than this.
TOLERANCE = timedelta(seconds=5)
# What a person asked and what it did to the journal are one commit, cut to whole seconds.
SAME = timedelta(seconds=2)
# Less than this is what a contactor and a meter's rounding let through, not charging.
NO_ENERGY_WH = 20
CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the law does not allow, or that the journal cannot show."""

    code: str
    charge_point: str
    connector: int
    at: datetime
    text: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"at": isoformat(self.at)}


@dataclass(frozen=True, slots=True)
class Report:
    """What was looked at, from when, and what was found."""

    since: datetime
    delays: int
    sessions: int
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "since": isoformat(self.since),
            "delays": self.delays,
            "sessions": self.sessions,
            "findings": [finding.as_json() for finding in self.findings],
        }


def check(now: datetime, since: datetime | None = None) -> Report:
    """Check every delay that was due from ``since`` (the first on record) up to ``now``, and every session."""
    if since is None:
        since = DelayDraw.objects.aggregate(first=Min("nominal"))["first"] or now
    findings: list[Finding] = []
    delays = sessions = 0
    for connector in Connector.objects.select_related("charge_point").order_by("charge_point__identity", "number"):
        draws = list(
            DelayDraw.objects.filter(connector=connector, nominal__gte=since - LONGEST_DELAY, nominal__lte=now)
            .order_by("nominal")
            .iterator(chunk_size=CHUNK)
        )
        due = [draw for draw in draws if draw.nominal >= since]
        delays += len(due)
        wishes = _wishes(connector.pk, since) if any(draw.skipped and not draw.skipped_by_id for draw in due) else []
        for code, at, text in (*_of_each(due, wishes), *_overlaps(due)):
            findings.append(Finding(code, connector.charge_point.identity, connector.number, at, text))
        begun = list(ChargingSession.objects.filter(connector=connector, started__gte=since, started__lte=now))
        sessions += len(begun)
        for at, text in _without_delay(begun, draws, connector.pk, now):
            findings.append(Finding("no-delay-on-record", connector.charge_point.identity, connector.number, at, text))
    return Report(since, delays, sessions, tuple(findings))


def _of_each(draws: Iterable[DelayDraw], wishes: Iterable[datetime]) -> Iterator[tuple[str, datetime, str]]:
    """Each delay for itself: within its maximum, waited out unless a known person skipped it."""
    for draw in draws:
        if not 0 <= draw.seconds <= draw.maximum_s <= CEILING_S:
            yield "out-of-range", draw.nominal, f"{draw.seconds} s of at most {draw.maximum_s} s"
        if draw.skipped is not None and draw.skipped_by_id is None and not _asked(draw.skipped, wishes):
            yield "skipped-by-nobody", draw.nominal, f"skipped at {isoformat(draw.skipped)}, and nobody knows by whom"
        if draw.actual is not None and draw.actual < _over(draw) - TOLERANCE:
            early = (_over(draw) - draw.actual).total_seconds()
            yield (
                "too-early",
                draw.nominal,
                f"{draw.change} {early:.0f} s before its delay of {draw.seconds} s was over",
            )


def _asked(skipped: datetime, wishes: Iterable[datetime]) -> bool:
    """Whether a command of that moment shows that a person asked, who has had their account deleted since."""
    return any(abs(wish - skipped) <= SAME for wish in wishes)


def _wishes(connector: UUID, since: datetime) -> list[datetime]:
    kinds = (Command.Kind.SKIP_DELAY, Command.Kind.CHARGE_NOW)
    return list(
        Command.objects.filter(connector=connector, kind__in=kinds, created__gte=since - SAME).values_list(
            "created", flat=True
        )
    )


def _overlaps(draws: Iterable[DelayDraw]) -> Iterator[tuple[str, datetime, str]]:
    """At one socket one delay runs at a time: a switch met while one runs is served when that ends."""
    before: DelayDraw | None = None
    for draw in draws:
        if before is not None and draw.nominal < _over(before):
            yield "overlapping", draw.nominal, f"drawn while the delay of {isoformat(before.nominal)} ran"
        if before is None or _over(draw) >= _over(before):
            before = draw


def _without_delay(
    sessions: Iterable[ChargingSession], draws: Iterable[DelayDraw], connector: UUID, now: datetime
) -> Iterator[tuple[datetime, str]]:
    """Sessions in which energy flowed though neither a delay nor a person let it."""
    starts = [draw.nominal for draw in draws if draw.change != DelayDraw.Change.DECREASE]
    overrides: list[tuple[datetime, datetime]] | None = None
    for session in sessions:
        end = session.stopped or now
        if session.energy_import_wh < NO_ENERGY_WH or _told_late(session):
            continue
        if any(session.started - LONGEST_DELAY <= nominal <= end for nominal in starts):
            continue
        if overrides is None:
            rows = Override.objects.filter(connector=connector).values_list("created", "ended")
            overrides = [(created, ended or now) for created, ended in rows]
        if not any(created <= end and ended >= session.started - SAME for created, ended in overrides):
            yield session.started, f"{session.energy_import_wh} Wh in a session without a delay or an override"


def _told_late(session: ChargingSession) -> bool:
    """Whether the charger was alone when it began: its stored delay held, and it tells nobody of its own waiting."""
    return session.start_received is None or session.start_received - session.started > LONGEST_DELAY


def _over(draw: DelayDraw) -> datetime:
    end = draw.nominal + timedelta(seconds=draw.seconds)
    return end if draw.skipped is None else max(draw.nominal, min(end, draw.skipped))
