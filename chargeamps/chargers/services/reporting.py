"""What a charge point reports of itself: boot, status, readings, configuration."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from chargeamps.chargers.models import ChargePoint, ConfigurationKey, Connector
from chargeamps.chargers.selectors import WRONG_CLOCK_SECONDS
from chargeamps.chargers.services.commands import verify_by_status
from chargeamps.chargers.services.connections import publish_change
from chargeamps.common import sql
from chargeamps.common.bus import DOORBELL, bus


@transaction.atomic(savepoint=False)
def boot_reported(
    *,
    charge_point: UUID,
    vendor: str,
    model: str,
    serial_number: str,
    firmware_version: str,
    raw: dict[str, Any],
    received: datetime,
) -> None:
    """Store a BootNotification (OCPP 1.6 §4.2)."""
    reported = (vendor, model, serial_number, firmware_version, json.dumps(raw), received)
    sql.execute(_BOOT, *reported, charge_point)
    publish_change(charge_point)


_BOOT = """
    UPDATE chargers_chargepoint
    SET vendor = %s, model = %s, serial_number = %s, firmware_version = %s, boot_notification = %s, last_boot = %s
    WHERE id = %s
"""


@transaction.atomic(savepoint=False)
def status_reported(
    *,
    charge_point: UUID,
    connector_number: int,
    status: str,
    error_code: str,
    vendor_error_code: str,
    info: str,
    since: datetime,
    received: datetime,
) -> bool:
    """Store a StatusNotification (OCPP 1.6 §4.9). False when the charge point has no such connector.

    A status that only repeats what was known keeps its first time. A status never ends a charging session: chargers
    report Available before their StopTransaction.
    """
    if connector_number == 0:
        sql.execute(_STATUS_OF_BOX, status, error_code, charge_point)
        publish_change(charge_point)
        return True
    details = (status, error_code, vendor_error_code, info, charge_point, connector_number)
    if status in SILENT_STATUSES:
        # Readings stop with the flow; an old figure must not look like a present one.
        changed = sql.fetch(_STATUS_SILENT, status, since, received, *details)
    else:
        # Flow begins: unknown until the first reading, which is not the same as none.
        changed = sql.fetch(_STATUS_FLOWING, status, since, status, status, status, *details)
    for key, command_waits in changed:
        if command_waits:
            connector = Connector.objects.get(pk=key)
            verify_by_status(connector=connector, received=received, anew=connector.status_since == since)
    if changed:
        publish_change(charge_point)
    return bool(changed)


_STATUS_OF_BOX = "UPDATE chargers_chargepoint SET status = %s, error_code = %s WHERE id = %s"
_STATUS = """
    UPDATE chargers_connector
    SET status_since = CASE WHEN status = %s AND status_since IS NOT NULL THEN status_since ELSE %s END, {readings},
        status = %s, error_code = %s, vendor_error_code = %s, info = %s
    WHERE charge_point_id = %s AND number = %s
    RETURNING id, EXISTS (
        SELECT 1 FROM chargers_command WHERE connector_id = chargers_connector.id AND state = 'accepted')
"""
_STATUS_SILENT = _STATUS.format(readings="power_w = 0.0, current_a = 0.0, measured = %s")
_STATUS_FLOWING = _STATUS.format(
    # Without a time: a charger whose clock is behind must not find its readings older than our own zero.
    readings="""power_w = CASE WHEN status = %s THEN power_w END, current_a = CASE WHEN status = %s THEN current_a END,
        measured = CASE WHEN status = %s THEN measured END"""
)

# In these no current flows, whatever the last reading said.
SILENT_STATUSES = frozenset(
    {"Available", "Preparing", "SuspendedEVSE", "SuspendedEV", "Finishing", "Reserved", "Unavailable", "Faulted"}
)


# Less of a difference to what is stored is not worth a write.
CLOCK_CHANGE_SECONDS = 30.0


@transaction.atomic(savepoint=False)
def clock_told(*, charge_point: UUID, offset_s: float) -> None:
    """Note by how many seconds a charger's clock is ahead of ours; one that is wrong is told the time."""
    if sql.fetch(_CLOCK, offset_s, charge_point, offset_s, CLOCK_CHANGE_SECONDS):
        publish_change(charge_point)
        if abs(offset_s) > WRONG_CLOCK_SECONDS:
            bus.publish_on_commit(DOORBELL, charge_point=str(charge_point))


_CLOCK = """
    UPDATE chargers_chargepoint SET clock_offset_seconds = %s
    WHERE id = %s AND (clock_offset_seconds IS NULL OR ABS(clock_offset_seconds - %s) > %s)
    RETURNING id
"""


@dataclass(frozen=True, slots=True)
class LiveReading:
    """The newest figures of a connector: power in W, current in A (highest phase), voltage in V."""

    measured: datetime
    power_w: float | None = None
    current_a: float | None = None
    current_offered_a: float | None = None
    voltage_v: float | None = None


@transaction.atomic
def reading_reported(*, charge_point: UUID, connector_number: int, reading: LiveReading) -> None:
    """Show a reading as the connector's present figures, unless a newer one is known."""
    connector = Connector.objects.filter(charge_point=charge_point, number=connector_number).first()
    if connector is None or (connector.measured is not None and connector.measured > reading.measured):
        return
    changed = ["measured"]
    connector.measured = reading.measured
    for name in ("power_w", "current_a", "current_offered_a", "voltage_v"):
        value = getattr(reading, name)
        if value is not None:
            setattr(connector, name, value)
            changed.append(name)
    connector.save(update_fields=changed)
    verify_by_status(connector=connector, received=reading.measured)
    publish_change(charge_point, reading=True)


@transaction.atomic
def configuration_reported(
    *, charge_point: UUID, keys: Iterable[tuple[str, str | None, bool]], received: datetime
) -> None:
    """Replace what is known of the configuration by (key, value, read-only) as reported."""
    rows = {
        key: ConfigurationKey(charge_point_id=charge_point, key=key, value=value, read_only=read_only)
        for key, value, read_only in keys
    }
    ConfigurationKey.objects.filter(charge_point=charge_point).exclude(key__in=rows).delete()
    ConfigurationKey.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=["charge_point", "key"],
        update_fields=["value", "read_only"],
    )
    ChargePoint.objects.filter(pk=charge_point).update(configuration_reported=received)
    publish_change(charge_point)


@transaction.atomic
def key_changed(*, charge_point: UUID, key: str, value: str) -> None:
    """Note a key that the charger has taken from us, so that it is not set again and again."""
    ConfigurationKey.objects.filter(charge_point=charge_point, key=key).update(value=value)
