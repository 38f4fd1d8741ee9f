"""Readings as they come in: stored packed, and counted to the session they belong to.

This is the hot path. Readings of many sockets are stored by a handful of statements together; a session in order moves
on by what is in its row, and one that is not is counted anew from all its readings.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from chargeamps.common import sql
from chargeamps.usage.counting import TRAILING_MS, flowing_by, rise_possible
from chargeamps.usage.models import ChargingSession, PlugEvent
from chargeamps.usage.packing import MINUTE_MS, Reading, append
from chargeamps.usage.selectors.power import instant, milliseconds
from chargeamps.usage.services.recounting import AT_ONCE_READINGS, recount

# Counting an odd session anew for each of its readings is for short ones.
ODD_AT_ONCE_READINGS = 500


@transaction.atomic(savepoint=False)
def store_readings(batch: Mapping[UUID, Sequence[Reading]]) -> None:
    """Keep readings by connector, and count them. All or nothing."""
    running: dict[UUID, list[_Running]] = defaultdict(list)
    for row in _open_sessions(batch):
        running[row.connector].append(row)
    _append(batch)
    moved: list[_Running] = []
    late: dict[UUID, list[int]] = {}
    for connector, readings in batch.items():
        elsewhere = []
        for reading in sorted(readings, key=lambda r: r.ms):
            session = next((s for s in running.get(connector, ()) if s.started_ms <= reading.ms), None)
            if session is None:
                elsewhere.append(reading.ms)
            elif not session.recount and not session.advance(reading):
                session.recount = True
        if elsewhere:
            late[connector] = elsewhere
        moved += [s for s in running.get(connector, ()) if s.changed or s.recount]
    _save([s for s in moved if s.changed])
    if waiting := [s.id for s in moved if s.recount and not s.changed]:
        ChargingSession.objects.filter(pk__in=waiting).update(recount=True)
    stale = [s.id for s in moved if s.recount and s.readings <= (ODD_AT_ONCE_READINGS if s.odd else AT_ONCE_READINGS)]
    for key in [*stale, *_ended_sessions(late)]:
        recount(key)


@transaction.atomic(savepoint=False)
def flow_reported(*, connector: UUID, flowing: bool, at: datetime) -> None:
    """Keep what a status says of the flow."""
    store_readings({connector: [Reading(milliseconds(at), flow=int(flowing))]})


def plug_reported(*, connector: UUID, plugged: bool, at: datetime) -> None:
    """Keep that a cable went in or out."""
    sql.execute(_PLUG, connector, at, plugged)
    sessions = ChargingSession.objects.filter(connector=connector, started__gte=at) if plugged else None
    if sessions is None:
        sessions = ChargingSession.objects.filter(
            connector=connector, stopped__lte=at + timedelta(minutes=1), plugged_until=None
        )
    newest = sessions.order_by("started" if plugged else "-started").values_list("pk", "readings").first()
    if newest is not None:
        if newest[1] <= AT_ONCE_READINGS:
            recount(newest[0])
        else:
            ChargingSession.objects.filter(pk=newest[0]).update(recount=True)


def forget_plugging(*, before: datetime) -> None:
    """Delete what is older than any session's detail needs."""
    PlugEvent.objects.filter(time__lt=before).delete()


_PLUG = """
    INSERT INTO usage_plugevent (connector_id, time, plugged) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""


@dataclass(slots=True)
class _Running:
    """A session that has not stopped, as far as it was counted."""

    id: UUID
    connector: UUID
    started_ms: int
    counted_to_ms: int | None
    base_import: int | None
    last_import: int | None
    base_export: int | None
    last_export: int | None
    flow_ms: int
    flowing_since_ms: int | None
    readings: int
    recount: bool
    odd: bool
    changed: bool = False

    def advance(self, reading: Reading) -> bool:
        """Move on by a reading that is in order; False where the session must be counted anew."""
        ms, _, imported, exported, _ = reading
        told_to = self.counted_to_ms
        if told_to is not None and ms <= told_to:
            return False
        since = ms - (told_to if told_to is not None else self.started_ms)
        if imported is not None:
            if self.last_import is None:
                self.base_import = imported
            elif imported < self.last_import or not rise_possible(since, imported - self.last_import):
                return False
            self.last_import = imported
        if exported is not None:
            if self.last_export is None:
                self.base_export = exported
            elif exported < self.last_export or not rise_possible(since, exported - self.last_export):
                return False
            self.last_export = exported
        flowing = flowing_by(reading)
        if flowing and self.flowing_since_ms is None:
            self.flowing_since_ms = ms
        elif flowing is False and self.flowing_since_ms is not None:
            self.flow_ms += ms - self.flowing_since_ms
            self.flowing_since_ms = None
        self.counted_to_ms = ms
        if reading.flow is None or reading.power is not None:
            self.readings += 1
        self.changed = True
        return True


_FIELDS = (
    *("id", "connector_id", "started", "counted_to", "base_import_mwh", "last_import_mwh", "base_export_mwh"),
    *("last_export_mwh", "flow_ms", "flowing_since", "readings", "recount", "findings"),
)


def _open_sessions(connectors: Iterable[UUID]) -> list[_Running]:
    """The sessions that have not stopped, newest first."""
    rows = (
        ChargingSession.objects.select_for_update()
        .filter(connector__in=list(connectors), stopped=None)
        .order_by("-started")
        .values_list(*_FIELDS)
    )
    return [
        _Running(
            id=row[0],
            connector=row[1],
            started_ms=milliseconds(row[2]),
            counted_to_ms=None if row[3] is None else milliseconds(row[3]),
            base_import=row[4],
            last_import=row[5],
            base_export=row[6],
            last_export=row[7],
            flow_ms=row[8],
            flowing_since_ms=None if row[9] is None else milliseconds(row[9]),
            readings=row[10],
            # A unit that was repaired, or energy from power, does not follow from the last register alone.
            recount=row[11] or "unit-repaired" in row[12] or "energy-from-power" in row[12],
            odd=bool(row[12]),
        )
        for row in rows
        # One that another has followed on its socket is over, though its stop has not come.
        if "stop-missing" not in row[12]
    ]


def _ended_sessions(late: Mapping[UUID, Sequence[int]]) -> list[UUID]:
    """The sessions, stopped by now, that late readings belong to. Long ones are marked to be counted in a moment."""
    if not late:
        return []
    oldest = min(min(moments) for moments in late.values())
    rows = list(
        ChargingSession.objects.filter(
            connector__in=list(late), stopped__gte=instant(oldest - TRAILING_MS)
        ).values_list("pk", "connector", "started", "stopped", "readings")
    )
    rows += [
        (pk, connector, started, stopped, readings)
        for pk, connector, started, stopped, readings, findings in ChargingSession.objects.filter(
            connector__in=list(late), stopped=None
        ).values_list("pk", "connector", "started", "stopped", "readings", "findings")
        if "stop-missing" in findings
    ]
    concerned = {
        (pk, readings)
        for pk, connector, started, stopped, readings in rows
        if any(
            milliseconds(started) - TRAILING_MS <= ms and (stopped is None or ms <= milliseconds(stopped) + TRAILING_MS)
            for ms in late[connector]
        )
    }
    long = [pk for pk, readings in concerned if readings > AT_ONCE_READINGS]
    if long:
        ChargingSession.objects.filter(pk__in=long).update(recount=True)
    return [pk for pk, readings in concerned if readings <= AT_ONCE_READINGS]


def _append(batch: Mapping[UUID, Sequence[Reading]]) -> None:
    """Add readings to the blocks of their minutes."""
    pieces: dict[tuple[UUID, int], bytes] = defaultdict(bytes)
    for connector, readings in batch.items():
        for reading in readings:
            pieces[connector, reading.ms // MINUTE_MS] += append(reading)
    keys = sorted(pieces)
    connectors = [connector for connector, _ in keys]
    starts = [instant(minute * MINUTE_MS) for _, minute in keys]
    data = [pieces[key] for key in keys]
    if connection.vendor == "postgresql":
        sql.execute(_APPEND_ALL, connectors, starts, data)
    else:
        sql.execute_many(_APPEND, list(zip(connectors, starts, data, strict=True)))


_APPEND_ALL = """
    INSERT INTO usage_powerblock AS known (connector_id, start, span, data)
    SELECT new.connector, new.start, 60, new.data
    FROM unnest(%s::uuid[], %s::timestamptz[], %s::bytea[]) AS new (connector, start, data)
    ON CONFLICT (connector_id, start, span)
    DO UPDATE SET data = known.data || EXCLUDED.data WHERE length(known.data) < 65536
"""
# A flood of readings for one minute is not kept beyond 64 KiB; an honest charger sends a fiftieth of it.
_APPEND = """
    INSERT INTO usage_powerblock AS known (connector_id, start, span, data) VALUES (%s, %s, 60, %s)
    ON CONFLICT (connector_id, start, span)
    DO UPDATE SET data = CAST(known.data || excluded.data AS BLOB) WHERE length(known.data) < 65536
"""


def _save(sessions: Sequence[_Running]) -> None:
    rows = [
        (
            None if s.counted_to_ms is None else instant(s.counted_to_ms),
            s.base_import,
            s.last_import,
            s.base_export,
            s.last_export,
            s.flow_ms,
            None if s.flowing_since_ms is None else instant(s.flowing_since_ms),
            s.readings,
            s.recount,
            round(s.flow_ms / 1000),
            _wh(s.base_import, s.last_import),
            _wh(s.base_export, s.last_export),
            s.id,
        )
        for s in sessions
    ]
    if not rows:
        return
    if connection.vendor == "postgresql":
        sql.execute(_SAVE_ALL, *(list(column) for column in zip(*rows, strict=True)))
    else:
        sql.execute_many(_SAVE, rows)


def _wh(base: int | None, last: int | None) -> int:
    return 0 if base is None or last is None else max(0, round((last - base) / 1000))


_SAVE = """
    UPDATE usage_chargingsession
    SET counted_to = %s, base_import_mwh = %s, last_import_mwh = %s, base_export_mwh = %s, last_export_mwh = %s,
        flow_ms = %s, flowing_since = %s, readings = %s, recount = %s, flow_seconds = %s, energy_import_wh = %s,
        energy_export_wh = %s
    WHERE id = %s
"""
_SAVE_ALL = """
    UPDATE usage_chargingsession AS session
    SET counted_to = new.counted_to, base_import_mwh = new.base_import, last_import_mwh = new.last_import,
        base_export_mwh = new.base_export, last_export_mwh = new.last_export, flow_ms = new.flow_ms,
        flowing_since = new.flowing_since, readings = new.readings, recount = new.recount,
        flow_seconds = new.flow_seconds, energy_import_wh = new.energy_import, energy_export_wh = new.energy_export
    FROM unnest(
        %s::timestamptz[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[],
        %s::integer[], %s::boolean[], %s::integer[], %s::bigint[], %s::bigint[], %s::uuid[]
    ) AS new (
        counted_to, base_import, last_import, base_export, last_export, flow_ms, flowing_since, readings, recount,
        flow_seconds, energy_import, energy_export, id
    )
    WHERE session.id = new.id
"""
