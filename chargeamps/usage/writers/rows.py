"""The rows and columns that every format shows, and text that no spreadsheet takes for a formula."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from chargeamps.usage.models import ChargingSession
from chargeamps.usage.questions import Question
from chargeamps.usage.selectors.reports import session_json

# A cell that begins with one of these would be calculated by a spreadsheet (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

SESSION_COLUMNS = (
    *("session", "charger", "socket", "started_utc", "started_local", "stopped_utc", "stopped_local", "counts_in_day"),
    *("energy_import_wh", "energy_export_wh", "flow_seconds", "plugged_seconds", "card", "person"),
    *("cost", "currency", "exact", "notes"),
)
GROUP_COLUMNS = (
    *("first_day", "last_day", "from_utc", "to_utc", "sessions", "energy_import_wh", "energy_export_wh"),
    *("flow_seconds", "cost", "currency"),
)
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What a file is of: its heading, and the question it answers."""

    title: str
    question: Question
    rule: str
    total: dict[str, Any]
    written: datetime

    @property
    def columns(self) -> tuple[str, ...]:
        return SESSION_COLUMNS if self.question.group == "session" else GROUP_COLUMNS


def inert(value: Any) -> Any:
    """A value as a cell may hold it: text that looks like a formula is marked as text."""
    if not isinstance(value, str):
        return value
    text = "".join(c for c in value if c.isprintable() or c == " ") if not value.isprintable() else value
    return f"'{text}" if value.startswith(_FORMULA) or text.startswith(_FORMULA) else text


def session_row(session: ChargingSession, zone: ZoneInfo, now: datetime) -> Row:
    """A session by ``SESSION_COLUMNS``. Text is inert already."""
    shown = session_json(session, now)
    cost = shown["cost"]
    return (
        shown["id"],
        inert(shown["charge_point_name"]),
        shown["number"],
        utc(session.started),
        local(session.started, zone),
        utc(session.stopped),
        local(session.stopped, zone),
        shown["local_day"],
        shown["energy_import_wh"],
        shown["energy_export_wh"],
        shown["flow_seconds"],
        shown["plugged_seconds"],
        inert(shown["id_tag_label"]),
        inert(shown["person"]["name"]) if shown["person"] else "",
        Decimal(cost["exact"]) if cost else None,
        cost["currency"] if cost else "",
        "yes" if shown["quality"]["exact"] else "no",
        inert(" ".join(shown["quality"]["notes"])),
    )


def group_rows(groups: list[dict[str, Any]]) -> Iterator[Row]:
    """Totals by ``GROUP_COLUMNS``; a second currency has a line of its own, without energy, so that sums hold."""
    for group in groups:
        first, *others = group["costs"] or [None]
        yield (
            *(group["first_day"], group["last_day"], group["from"], group["to"], group["sessions"]),
            *(group["energy_import_wh"], group["energy_export_wh"], group["flow_seconds"]),
            *((Decimal(first["exact"]), first["currency"]) if first else (None, "")),
        )
        for cost in others:
            yield (
                *(group["first_day"], group["last_day"], group["from"], group["to"], 0, 0, 0, 0),
                *(Decimal(cost["exact"]), cost["currency"]),
            )


def utc(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """Wall time with its offset, so that the hour that comes twice in October is told apart."""
    return "" if moment is None else moment.astimezone(zone).isoformat(sep=" ", timespec="seconds")
