"""What a charge point's socket means for its row: connected, heard from, gone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from chargeamps.chargers.models import ChargePoint, Connector, Credential
from chargeamps.chargers.services import credentials
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


@transaction.atomic
def open_connection(*, identity: str, key: bytes, process: str, source_address: str, now: datetime) -> Opened | None:
    """Check a charger's key and make its socket the newest; None when identity and key do not belong together.

    An unknown identity costs the same work as a wrong key.
    """
    charge_point = ChargePoint.objects.filter(identity=identity).first()
    candidates = list(Credential.objects.filter(charge_point=charge_point)) if charge_point else []
    matched = False
    for salt, digest in [(bytes(c.salt), bytes(c.digest)) for c in candidates] or [credentials.DUMMY]:
        matched |= credentials.matches(key, salt, digest)
    if charge_point is None or not matched:
        return None
    takes_over = charge_point.online
    ChargePoint.objects.filter(pk=charge_point.pk).update(
        epoch=F("epoch") + 1,
        gateway_process=process,
        connected_since=now,
        disconnected_since=None,
        last_contact=now,
        source_address=source_address,
    )
    charge_point.refresh_from_db(fields=["epoch"])
    if takes_over:
        record(
            kind="socket-takeover",
            outcome="notice",
            charge_point=str(charge_point.pk),
            site=str(charge_point.site_id or ""),
            source_address=source_address,
            detail={"previous_address": charge_point.source_address},
        )
    bus.publish_on_commit(TAKEOVER, charge_point=str(charge_point.pk), epoch=charge_point.epoch)
    publish_change(charge_point.pk)
    return Opened(
        charge_point=charge_point.pk,
        site=charge_point.site_id,
        epoch=charge_point.epoch,
        connectors=dict(Connector.objects.filter(charge_point=charge_point).values_list("number", "id")),
        takes_over=takes_over,
    )


@transaction.atomic
def close_connection(*, charge_point: UUID, epoch: int, now: datetime) -> bool:
    """Mark a charge point as gone, unless a newer socket has come meanwhile. True if it was the newest."""
    closed = ChargePoint.objects.filter(pk=charge_point, epoch=epoch, connected_since__isnull=False).update(
        connected_since=None, disconnected_since=now, gateway_process=""
    )
    if closed:
        publish_change(charge_point)
    return bool(closed)


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
def note_contacts(contacts: Mapping[UUID, datetime]) -> None:
    """Store when charge points were last heard, many at once."""
    by_time: dict[datetime, list[UUID]] = {}
    for charge_point, instant in contacts.items():
        by_time.setdefault(instant.replace(microsecond=0), []).append(charge_point)
    for instant, charge_points in by_time.items():
        ChargePoint.objects.filter(pk__in=charge_points).update(last_contact=instant)


def newest_epochs(charge_points: Collection[UUID]) -> dict[UUID, int]:
    return dict(ChargePoint.objects.filter(pk__in=charge_points).values_list("pk", "epoch"))


def publish_change(charge_point: UUID, *, reading: bool = False) -> None:
    """Tell whoever watches that this charge point looks different, once the change is committed.

    ``reading`` says that only figures moved, which may wait for the next second.
    """
    bus.publish_on_commit(CHANGED, charge_point=str(charge_point), reading=reading)
