"""What a charge point's socket means for its row: connected, heard from, gone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from chargeamps.chargers.models import ChargePoint
from chargeamps.chargers.services import credentials
from chargeamps.common import sql
from chargeamps.common.bus import CHANGED, TAKEOVER, bus
from chargeamps.securitylog.services import record


@dataclass(frozen=True, slots=True)
class Opened:
    """An accepted socket. ``epoch`` numbers it: only the newest may change anything."""

    charge_point: UUID
    site: UUID | None
    epoch: int
    connectors: Mapping[int, UUID]
    takes_over: bool


@transaction.atomic(savepoint=False)
def open_connection(*, identity: str, key: bytes, process: str, source_address: str, now: datetime) -> Opened | None:
    """Check a charger's key and make its socket the newest; None when identity and key do not belong together.

    An unknown identity costs the same work as a wrong key.
    """
    candidates = sql.fetch(_CREDENTIALS, identity)
    matched = False
    for salt, digest in [(bytes(row[0]), bytes(row[1])) for row in candidates] or [credentials.DUMMY]:
        matched |= credentials.matches(key, salt, digest)
    if not candidates or not matched:
        return None
    charge_point, takes_over, previous_address = sql.as_uuid(candidates[0][2]), *candidates[0][3:]
    [(epoch, site)] = sql.fetch(_OPEN, process, now, now, source_address, charge_point)
    site = None if site is None else sql.as_uuid(site)
    if takes_over:
        record(
            kind="socket-takeover",
            outcome="notice",
            charge_point=str(charge_point),
            site=str(site or ""),
            source_address=source_address,
            detail={"previous_address": previous_address},
        )
    bus.publish_on_commit(TAKEOVER, charge_point=str(charge_point), epoch=epoch)
    publish_change(charge_point)
    return Opened(
        charge_point=charge_point,
        site=site,
        epoch=epoch,
        connectors={number: sql.as_uuid(connector) for number, connector in sql.fetch(_CONNECTORS, charge_point)},
        takes_over=bool(takes_over),
    )


_CREDENTIALS = """
    SELECT credential.salt, credential.digest, box.id, box.connected_since IS NOT NULL, box.source_address
    FROM chargers_credential credential JOIN chargers_chargepoint box ON box.id = credential.charge_point_id
    WHERE box.identity = %s
"""
_OPEN = """
    UPDATE chargers_chargepoint
    SET epoch = epoch + 1, gateway_process = %s, connected_since = %s, disconnected_since = NULL, last_contact = %s,
        source_address = %s
    WHERE id = %s
    RETURNING epoch, site_id
"""
_CONNECTORS = "SELECT number, id FROM chargers_connector WHERE charge_point_id = %s"


@transaction.atomic(savepoint=False)
def close_connection(*, charge_point: UUID, epoch: int, now: datetime) -> bool:
    """Mark a charge point as gone, unless a newer socket has come meanwhile. True if it was the newest."""
    closed = sql.execute(_CLOSE, now, charge_point, epoch)
    if closed:
        publish_change(charge_point)
    return bool(closed)


_CLOSE = """
    UPDATE chargers_chargepoint SET connected_since = NULL, disconnected_since = %s, gateway_process = ''
    WHERE id = %s AND epoch = %s AND connected_since IS NOT NULL
"""


@transaction.atomic
def close_connections_of(*, process: str, now: datetime) -> int:
    """Mark all charge points of a process that died as gone. Returns how many."""
    charge_points = list(ChargePoint.objects.filter(gateway_process=process).values_list("pk", flat=True))
    ChargePoint.objects.filter(gateway_process=process).update(
        connected_since=None, disconnected_since=now, gateway_process=""
    )
    for charge_point in charge_points:
        publish_change(charge_point)
    return len(charge_points)


@transaction.atomic
def close_lost_connections(*, process: str, held: Collection[UUID], before: datetime) -> None:
    """Mark as gone what a process is said to hold since ``before`` and does not: its end could not be stored."""
    rows = ChargePoint.objects.filter(gateway_process=process, connected_since__lt=before)
    for charge_point, epoch, last_contact in rows.values_list("pk", "epoch", "last_contact"):
        if charge_point not in held:
            close_connection(charge_point=charge_point, epoch=epoch, now=last_contact or before)


@transaction.atomic
def note_contacts(contacts: Mapping[UUID, datetime]) -> None:
    """Store when charge points were last heard, many at once."""
    by_time: dict[datetime, list[UUID]] = {}
    for charge_point, instant in contacts.items():
        by_time.setdefault(instant.replace(microsecond=0), []).append(charge_point)
    for instant, charge_points in by_time.items():
        ChargePoint.objects.filter(pk__in=charge_points).update(last_contact=instant)


def newest_sockets(charge_points: Collection[UUID]) -> dict[UUID, tuple[int, str]]:
    """The epoch of each charge point's newest socket, and the process that holds it."""
    rows = ChargePoint.objects.filter(pk__in=charge_points).values_list("pk", "epoch", "gateway_process")
    return {charge_point: (epoch, process) for charge_point, epoch, process in rows}


def publish_change(charge_point: UUID, *, reading: bool = False) -> None:
    """Tell whoever watches that this charge point looks different, once the change is committed.

    ``reading`` says that only figures moved, which may wait for the next second.
    """
    bus.publish_on_commit(CHANGED, charge_point=str(charge_point), reading=reading)
