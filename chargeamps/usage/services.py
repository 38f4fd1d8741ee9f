"""Charging sessions from OCPP transactions, whatever order and however often the messages come."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.chargers.services import commands
from chargeamps.chargers.services.connections import publish_change
from chargeamps.common.ids import new_transaction_id
from chargeamps.usage.models import ChargingSession

# The idTag of a charge point whose card reader is off (Charge Amps' RfidTagFreeCharging).
FREE_CHARGING_ID_TAG = "00000000000000"


@dataclass(frozen=True, slots=True)
class Started:
    transaction_id: int
    authorised: bool
    session: UUID | None


def may_charge(*, charge_point: ChargePoint, id_tag: str) -> bool:
    """Whether a tag may start charging: the app's own, or anyone's where the owner chose charging without a card."""
    return charge_point.free_charging or (id_tag != "" and id_tag == charge_point.app_id_tag)


@transaction.atomic
def start_transaction(
    *,
    charge_point: UUID,
    connector_number: int | None,
    id_tag: str,
    meter_start_wh: int | None,
    started: datetime,
    received: datetime,
    raw_timestamp: str,
    flags: list[str],
) -> Started:
    """Open a session for StartTransaction (OCPP 1.6 §4.8). The same start, sent again, gets the same transactionId.

    A start that names no known connector gets an id and no session: the message stays in the trace.
    """
    owner = ChargePoint.objects.get(pk=charge_point)
    authorised = may_charge(charge_point=owner, id_tag=id_tag)
    connector = (
        Connector.objects.filter(charge_point=charge_point, number=connector_number).first()
        if connector_number is not None
        else None
    )
    if connector is None:
        return Started(new_transaction_id(), False, None)
    key = hashlib.sha256(
        repr((connector_number, id_tag, meter_start_wh, raw_timestamp or started.isoformat())).encode()
    ).hexdigest()
    known = ChargingSession.objects.filter(charge_point=charge_point, start_key=key).first()
    if known is not None:
        return Started(known.transaction_id, known.authorised, known.pk)
    session = _create_with_fresh_id(
        charge_point_id=charge_point,
        connector=connector,
        start_key=key,
        id_tag=id_tag,
        authorised=authorised,
        started=started,
        start_received=received,
        meter_start_wh=meter_start_wh,
        flags=flags,
    )
    publish_change(charge_point)
    return Started(session.transaction_id, authorised, session.pk)


def _create_with_fresh_id(**fields: Any) -> ChargingSession:
    while True:
        try:
            with transaction.atomic():
                return ChargingSession.objects.create(transaction_id=new_transaction_id(), **fields)
        except IntegrityError:
            if ChargingSession.objects.filter(
                charge_point_id=fields["charge_point_id"], start_key=fields["start_key"]
            ).exists():
                raise  # the same start, not the same number


@transaction.atomic
def stop_transaction(
    *,
    charge_point: UUID,
    transaction_id: int | None,
    meter_stop_wh: int | None,
    stopped: datetime,
    received: datetime,
    reason: str,
    flags: list[str],
) -> ChargingSession | None:
    """Close the session of StopTransaction (OCPP 1.6 §4.10), once; None when this charge point has no such session.

    A transaction belongs to the charge point that opened it: another's id finds nothing.
    """
    session = (
        ChargingSession.objects.select_for_update()
        .filter(charge_point=charge_point, transaction_id=transaction_id)
        .first()
        if transaction_id is not None and 0 < transaction_id < 2**31
        else None
    )
    if session is None:
        return None
    if session.stop_received is None:
        if stopped < session.started:
            stopped, flags = session.started, [*flags, "stopped-before-start"]
        session.stopped, session.stop_received = stopped, received
        _count_flow(session, stopped)
        session.meter_stop_wh, session.stop_reason = meter_stop_wh, reason
        if meter_stop_wh is not None and session.meter_start_wh is not None:
            if meter_stop_wh >= session.meter_start_wh:
                session.energy_import_wh = meter_stop_wh - session.meter_start_wh
            else:
                flags = [*flags, "meter-stop-below-start"]
        session.flags = sorted({*session.flags, *flags})
        session.save()
        commands.verify_stopped(connector=session.connector_id, now=received)
        publish_change(charge_point)
    return session


@transaction.atomic
def flow_reported(*, charge_point: UUID, connector_number: int, flowing: bool, at: datetime) -> None:
    """Count the time that current flows in the running session, from the connector's status."""
    session = (
        ChargingSession.objects.filter(charge_point=charge_point, connector__number=connector_number, stopped=None)
        .order_by("-started")
        .first()
    )
    if session is None or (session.flowing_since is not None) == flowing:
        return
    if flowing:
        session.flowing_since = max(at, session.started)
    else:
        _count_flow(session, at)
    session.save(update_fields=["flow_seconds", "flowing_since"])


def _count_flow(session: ChargingSession, until: datetime) -> None:
    if session.flowing_since is not None:
        session.flow_seconds += max(0, round((until - session.flowing_since).total_seconds()))
        session.flowing_since = None


@transaction.atomic
def register_reported(
    *, charge_point: UUID, connector_number: int, transaction_id: int | None, register_wh: float, measured: datetime
) -> None:
    """Move a session's energy on by a register reading (Wh); older and lower readings change nothing."""
    sessions = ChargingSession.objects.filter(charge_point=charge_point, connector__number=connector_number)
    if transaction_id is not None and 0 < transaction_id < 2**31:
        session = sessions.filter(transaction_id=transaction_id).first()
    else:
        session = sessions.filter(stopped=None).order_by("-started").first()
    if session is None or (session.last_register_time is not None and session.last_register_time >= measured):
        return
    session.last_register_wh, session.last_register_time = register_wh, measured
    if session.stop_received is None and session.meter_start_wh is not None:
        session.energy_import_wh = max(session.energy_import_wh, round(register_wh - session.meter_start_wh), 0)
    session.save(update_fields=["last_register_wh", "last_register_time", "energy_import_wh"])
