"""Downloads of any size, made in the background: resumable, with progress, in flat memory.

The file is kept in the database in parts, each stored together with how far it reaches. A run that was killed goes on
after its last part (CSV, JSON) or begins anew (XLSX, PDF, which can only be written whole).
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from chargeamps.accounts.models import User
from chargeamps.common import clock
from chargeamps.common.problems import Conflict
from chargeamps.usage.access import visible_sessions
from chargeamps.usage.models import ChargingSession, Export, ExportPart
from chargeamps.usage.questions import Question
from chargeamps.usage.selectors.reports import RULE, asked, summary_json
from chargeamps.usage.writers import pdf, xlsx
from chargeamps.usage.writers.rows import Document, Row, group_rows, session_row
from chargeamps.usage.writers.text import CsvWriter, JsonWriter

log = structlog.get_logger(__name__)

State = Export.State
PAGE = 2000
PART_BYTES = 256 * 1024
HELD = timedelta(seconds=60)
ATTEMPTS = 5
OPEN_AT_ONCE = 5
KEPT = timedelta(days=7)


class Lost(Exception):
    """Another process has taken the export over, or it was deleted."""


def request_export(*, user: User, format: str, question: Question) -> Export:
    """Queue a file. A person may wait for a few at a time."""
    if Export.objects.filter(user=user, state__in=(State.QUEUED, State.RUNNING)).count() >= OPEN_AT_ONCE:
        raise Conflict("Your other downloads are still being made. Please wait for them.", code="too-many-exports")
    return Export.objects.create(
        user=user,
        format=format,
        first_day=question.first_day,
        last_day=question.last_day,
        question={
            "time_zone": question.time_zone,
            "group": question.group,
            "filters": {name: str(value) for name, value in question.filters.items()},
        },
    )


def make_waiting(limit: int = 100) -> int:
    """Make the exports that wait, those of killed runs among them; returns how many."""
    made = 0
    while made < limit:
        now = clock.now()
        export = Export.objects.filter(_waiting(now)).order_by("created").values_list("pk", flat=True).first()
        if export is None:
            break
        make_export(export)
        made += 1
    return made


def make_export(export_id: UUID) -> bool:
    """Make one export, unless somebody else does; True if it is ready now."""
    now = clock.now()
    mine = Export.objects.filter(_waiting(now), pk=export_id).update(
        state=State.RUNNING, held_until=now + HELD, attempts=F("attempts") + 1
    )
    if not mine:
        return False
    export = Export.objects.select_related("user").get(pk=export_id)
    if export.attempts > ATTEMPTS:
        _end(export, State.FAILED)
        return False
    try:
        if export.format in (Export.Format.CSV, Export.Format.JSON):
            _write_text(export)
        else:
            _write_whole(export)
    except Lost:
        return False
    except Exception:
        log.exception("export_failed", export=str(export.pk))
        # Tried again after a while; a part that was being written is not there.
        if export.attempts >= ATTEMPTS:
            _end(export, State.FAILED)
        return False
    _end(export, State.READY)
    return True


def forget_exports() -> int:
    """Delete files nobody is likely to fetch any more."""
    old = list(Export.objects.filter(created__lt=clock.now() - KEPT).values_list("pk", flat=True)[:1000])
    for export in old:
        while parts := list(ExportPart.objects.filter(export=export).values_list("pk", flat=True)[:200]):
            ExportPart.objects.filter(pk__in=parts).delete()
        Export.objects.filter(pk=export).delete()
    return len(old)


def question_of(export: Export) -> Question:
    asked_for = export.question
    return Question(
        export.first_day, export.last_day, asked_for["time_zone"], asked_for["group"], dict(asked_for["filters"])
    )


def _waiting(now: datetime) -> Q:
    return Q(state=State.QUEUED) | Q(state=State.RUNNING, held_until__lt=now)


def _end(export: Export, state: str) -> None:
    Export.objects.filter(pk=export.pk).update(state=state, finished=clock.now(), held_until=None)


def _document(export: Export) -> Document:
    question = question_of(export)
    totals = Question(question.first_day, question.last_day, question.time_zone, "month", question.filters)
    total = summary_json(visible_sessions(export.user), totals, export.user)["total"]
    # Of a run that goes on, the time is that of its beginning, like its first part.
    return Document("Charging statement", question, RULE, total, export.created)


@dataclass(slots=True)
class _Page:
    rows: list[Row]
    cursor: list[str] | None


def _pages(export: Export, document: Document) -> Iterator[_Page]:
    """The rows after the export's cursor, in order of time, so many at a time. Only what its asker may see now."""
    question, zone = document.question, ZoneInfo(document.question.time_zone)
    if question.group != "session":
        groups = summary_json(visible_sessions(export.user), question, export.user)["groups"]
        if export.cursor is None:
            yield _Page(list(group_rows(groups)), ["done"])
        return
    sessions = visible_sessions(export.user).filter(**question.filters)
    days = asked(visible_sessions(export.user), question).order_by("local_day").values_list("local_day", flat=True)
    after = export.cursor
    # Day by day, which the reports' index finds at once; to order all of a fleet's year for each page would not do.
    for day in list(days.distinct()):
        if after is not None and day.isoformat() < after[0]:
            continue
        of_day = sessions.filter(local_day=day).select_related("charge_point", "connector", "person")
        place = after[1:] if after is not None and day.isoformat() == after[0] else None
        while page := _next(of_day, place):
            # Sessions that run are shown as they were when the export was asked for, whichever run writes them.
            rows = [session_row(session, zone, document.written) for session in page]
            place = [page[-1].started.isoformat(), str(page[-1].pk)]
            yield _Page(rows, [day.isoformat(), *place])


def _next(sessions: QuerySet[ChargingSession], after: list[str] | None) -> list[ChargingSession]:
    """The next rows of a day, after ``[started, id]``."""
    if after is not None:
        started = datetime.fromisoformat(after[0])
        sessions = sessions.filter(started__gte=started).exclude(started=started, pk__lte=UUID(after[1]))
    return list(sessions.order_by("started", "pk")[:PAGE])


def _count(export: Export, document: Document) -> int:
    if document.question.group != "session":
        return sum(1 for _ in document.question.pieces())
    return asked(visible_sessions(export.user), document.question).count()


def _write_text(export: Export) -> None:
    document = _document(export)
    writer = CsvWriter(document) if export.format == Export.Format.CSV else JsonWriter(document)
    if export.parts == 0:
        Export.objects.filter(pk=export.pk).update(rows_total=_count(export, document))
        _store(export, writer.begin(), rows=0, cursor=None)
    for page in _pages(export, document):
        _store(export, writer.rows(page.rows, export.rows), rows=len(page.rows), cursor=page.cursor)
    _store(export, writer.end(), rows=0, cursor=export.cursor)


def _write_whole(export: Export) -> None:
    ExportPart.objects.filter(export=export).delete()
    export.parts = export.rows = export.bytes = 0
    export.cursor = None
    document = _document(export)
    Export.objects.filter(pk=export.pk).update(
        rows_total=_count(export, document), rows=0, bytes=0, parts=0, cursor=None
    )
    with tempfile.TemporaryDirectory(prefix="chargeamps-export-") as folder:
        path = Path(folder) / export.file_name
        if export.format == Export.Format.XLSX:
            with closing(xlsx.XlsxFile(str(path), document)) as book:
                for page in _pages(export, document):
                    for row in page.rows:
                        book.add(row)
                    _progress(export, len(page.rows))
        else:
            with path.open("wb") as file:
                for data in pdf.pages(_statement(document), _statement_rows(export, document)):
                    file.write(data)
        with path.open("rb") as file:
            while data := file.read(PART_BYTES):
                _store(export, data, rows=0, cursor=None)


def _statement(document: Document) -> pdf.Statement:
    question, total = document.question, document.total
    costs = ", ".join(f"{cost['amount']} {cost['currency']}" for cost in total["costs"]) or "no price set"
    lines = [
        f"{_day(question.first_day)} to {_day(question.last_day)}, times in {question.time_zone}",
        "    ".join(
            (
                f"{total['sessions']} sessions",
                f"imported {_kwh(total['energy_import_wh'])} kWh",
                f"exported {_kwh(total['energy_export_wh'])} kWh",
                f"flow time {_hours(total['flow_seconds'])}",
                f"cost {costs}",
            )
        ),
        document.rule,
    ]
    columns: list[pdf.Column]
    if question.group == "session":
        columns = [
            pdf.Column("Started", 100),
            pdf.Column("Stopped", 100),
            pdf.Column("Charger", 120),
            pdf.Column("Socket", 36, right=True),
            pdf.Column("Card", 90),
            pdf.Column("Person", 90),
            pdf.Column("In kWh", 56, right=True),
            pdf.Column("Out kWh", 56, right=True),
            pdf.Column("Flow time", 56, right=True),
            pdf.Column("Cost", 58, right=True),
        ]
    else:
        columns = [
            pdf.Column("From", 130),
            pdf.Column("To", 130),
            pdf.Column("Sessions", 90, right=True),
            pdf.Column("Imported kWh", 110, right=True),
            pdf.Column("Exported kWh", 110, right=True),
            pdf.Column("Flow time", 90, right=True),
            pdf.Column("Cost", 100, right=True),
        ]
    return pdf.Statement(document.title, lines, columns, f"Written {document.written:%Y-%m-%d %H:%M} UTC.")


def _statement_rows(export: Export, document: Document) -> Iterator[list[str]]:
    for page in _pages(export, document):
        for row in page.rows:
            by_name = dict(zip(document.columns, row, strict=True))
            cost = f"{by_name['cost']:.2f} {by_name['currency']}" if by_name["cost"] is not None else ""
            if document.question.group == "session":
                names = [by_name[name] for name in ("charger", "socket", "card", "person")]
                yield [
                    by_name["started_local"][:16],
                    by_name["stopped_local"][:16] or "running",
                    *(str(name) for name in names),
                    _kwh(by_name["energy_import_wh"]),
                    _kwh(by_name["energy_export_wh"]),
                    _hours(by_name["flow_seconds"]),
                    cost,
                ]
            else:
                yield [
                    by_name["first_day"],
                    by_name["last_day"],
                    str(by_name["sessions"]),
                    _kwh(by_name["energy_import_wh"]),
                    _kwh(by_name["energy_export_wh"]),
                    _hours(by_name["flow_seconds"]),
                    cost,
                ]
        _progress(export, len(page.rows))


def _store(export: Export, data: bytes, *, rows: int, cursor: Any) -> None:
    """Add a part and, in the same commit, how far it reaches."""
    with transaction.atomic():
        mine = Export.objects.filter(pk=export.pk, state=State.RUNNING, attempts=export.attempts).update(
            rows=F("rows") + rows,
            bytes=F("bytes") + len(data),
            parts=F("parts") + 1,
            cursor=cursor,
            held_until=clock.now() + HELD,
        )
        if not mine:
            raise Lost
        ExportPart.objects.create(export=export, number=export.parts, data=data)
    export.parts, export.rows, export.cursor = export.parts + 1, export.rows + rows, cursor


def _progress(export: Export, rows: int) -> None:
    mine = Export.objects.filter(pk=export.pk, state=State.RUNNING, attempts=export.attempts).update(
        rows=F("rows") + rows, held_until=clock.now() + HELD
    )
    if not mine:
        raise Lost


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _kwh(wh: int) -> str:
    return f"{wh / 1000:.3f}"


def _hours(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}"
