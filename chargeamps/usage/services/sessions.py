"""Charging sessions from OCPP transactions, whatever order and however often the messages come."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Q

from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.chargers.services import commands
from chargeamps.chargers.services.connections import publish_change
from chargeamps.common.ids import new_transaction_id
from chargeamps.usage.models import ChargingSession, UnmatchedStop
from chargeamps.usage.services.recounting import AT_ONCE_READINGS, recount

# The idTag of a charge point whose card reader is off (Charge Amps' RfidTagFreeCharging).
FREE_CHARGING_ID_TAG = "00000000000000"
# A start follows the tap that asked for it within this time.
TAP_TO_START = timedelta(minutes=15)
HOME_TIME_ZONE = "Europe/London"


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

    A start that names no known connector gets an id and no session: the message stays in the trace. A start whose stop
    came before it gets that stop.
    """
    owner = ChargePoint.objects.select_related("site").get(pk=charge_point)
    authorised = may_charge(charge_point=owner, id_tag=id_tag)
    connector = (
        Connector.objects.filter(charge_point=charge_point, number=connector_number).first()
        if connector_number is not None
        else None
    )
    if connector is None:
        return Started(new_transaction_id(), False, None)
    # A time that was repaired says nothing: only while that session runs is the same start the same one.
    timeless = raw_timestamp == "" or any(flag.startswith("timestamp-") for flag in flags)
    key = start_key(connector_number, id_tag, meter_start_wh, raw_timestamp)
    known = ChargingSession.objects.filter(charge_point=charge_point, start_key=key).first()
    if known is not None and timeless and known.stopped is not None:
        key = start_key(connector_number, id_tag, meter_start_wh, raw_timestamp, received)
        known = None
    if known is not None:
        return Started(known.transaction_id, known.authorised, known.pk)
    session = _create_with_fresh_id(
        charge_point_id=charge_point,
        connector=connector,
        site_id=owner.site_id,
        person_id=_person(owner, connector, id_tag, started),
        start_key=key,
        id_tag=id_tag,
        authorised=authorised,
        started=started,
        start_received=received,
        start_told=raw_timestamp[:100],
        local_day=local_day(started, owner),
        meter_start_wh=plausible_register(meter_start_wh),
        flags=flags,
    )
    _give_stops_to_late_starts(session)
    recount(session.pk)
    # What ran before on this socket is over by now, even where its stop has not come yet.
    for before in ChargingSession.objects.filter(
        connector=connector, started__lt=started, stopped=None
    ) | ChargingSession.objects.filter(connector=connector, started__lt=started, stopped__gt=started):
        _finish_counting(before)
    publish_change(charge_point)
    return Started(session.transaction_id, authorised, session.pk)


def start_key(
    connector: int | None, id_tag: str, meter_start_wh: int | None, raw_timestamp: str, received: datetime | None = None
) -> str:
    """What makes a StartTransaction the same one, in SHA-256."""
    parts = (connector, id_tag, meter_start_wh, raw_timestamp, *([received.isoformat()] if received else []))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def local_day(started: datetime, charge_point: ChargePoint) -> date:
    """The day that a session counts in: that of its start, in the site's time zone."""
    zone = charge_point.site.time_zone if charge_point.site else HOME_TIME_ZONE
    return started.astimezone(ZoneInfo(zone)).date()


def plausible_register(wh: int | None) -> int | None:
    """A register value that can be one: no meter of a socket counts to a terawatt-hour, nor below nothing."""
    return wh if wh is not None and 0 <= wh <= 10**12 else None


def _person(charge_point: ChargePoint, connector: Connector, id_tag: str, started: datetime) -> UUID | None:
    """Who started it: with the app's tag, whoever tapped last."""
    if id_tag == "" or id_tag != charge_point.app_id_tag:
        return None
    taps = Command.objects.filter(
        connector=connector, kind=Command.Kind.CHARGE_NOW, created__gte=started - TAP_TO_START, created__lte=started
    )
    return taps.order_by("-created").values_list("requested_by", flat=True).first()


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
    id_tag: str = "",
    raw_timestamp: str = "",
) -> ChargingSession | None:
    """Close the session of StopTransaction (OCPP 1.6 §4.10), once; None when this charge point has no such session.

    A transaction belongs to the charge point that opened it: another's id finds nothing. A stop of nothing we know is
    kept for a start that may come later.
    """
    session = (
        ChargingSession.objects.select_for_update()
        .filter(charge_point=charge_point, transaction_id=transaction_id)
        .first()
        if transaction_id is not None and 0 < transaction_id < 2**31
        else None
    )
    if session is None:
        UnmatchedStop.objects.get_or_create(
            charge_point_id=charge_point,
            key=_stop_key(transaction_id, meter_stop_wh, raw_timestamp, reason),
            defaults={
                "told": {"transaction_id": transaction_id, "meter_stop_wh": meter_stop_wh, "timestamp": raw_timestamp},
                "id_tag": id_tag,
                "meter_stop_wh": plausible_register(meter_stop_wh),
                "stopped": stopped,
                "stop_told": raw_timestamp[:100],
                "received": received,
                "reason": reason,
                "flags": flags,
            },
        )
        return None
    # A stop that was only thought to be this session's makes room for its own.
    lent = UnmatchedStop.objects.filter(session=session)
    if session.stop_received is None or lent.exists():
        lent.update(session=None)
        _reopen(session)
        _stop(session, meter_stop_wh, stopped, received, reason, flags, raw_timestamp)
        session.save()
        _finish_counting(session)
        commands.verify_stopped(connector=session.connector_id, now=received)
        publish_change(charge_point)
    return session


def _stop(  # noqa: PLR0917 - what a stop says, in its order
    session: ChargingSession,
    meter_stop_wh: int | None,
    stopped: datetime,
    received: datetime,
    reason: str,
    flags: list[str],
    told: str,
) -> None:
    if stopped < session.started:
        stopped, flags = session.started, [*flags, "stopped-before-start"]
    session.stopped, session.stop_received, session.stop_told = stopped, received, told[:100]
    session.meter_stop_wh, session.stop_reason = plausible_register(meter_stop_wh), reason
    session.flags = sorted({*session.flags, *flags})


def _stop_key(transaction_id: int | None, meter_stop_wh: int | None, raw_timestamp: str, reason: str) -> str:
    return hashlib.sha256(repr((transaction_id, meter_stop_wh, raw_timestamp, reason)).encode()).hexdigest()


def _give_stops_to_late_starts(session: ChargingSession) -> None:
    """Give starts that came late the stops that came before them: no number fits, so time, register and tag decide.

    With each further start the matter is decided anew: a stop belongs to the newest start before it.
    """
    stops = list(
        UnmatchedStop.objects.select_for_update()
        .filter(charge_point=session.charge_point_id, stopped__gte=session.started)
        .order_by("stopped")
    )
    if not stops:
        return
    waiting = list(
        ChargingSession.objects.select_for_update()
        .filter(charge_point=session.charge_point_id, started__lte=stops[-1].stopped)
        .filter(Q(stopped=None) | Q(pk__in=[stop.session_id for stop in stops if stop.session_id]))
        .order_by("-started")
    )
    for stop in stops:
        taker = next((s for s in waiting if _may_be_its_stop(s, stop)), None)
        if taker is not None:
            waiting.remove(taker)
        before, stop.session = stop.session_id, taker
        stop.save(update_fields=["session"])
        if taker is not None and taker.pk != before:
            flags = [*stop.flags, "stop-came-before-start"]
            _stop(taker, stop.meter_stop_wh, stop.stopped, stop.received, stop.reason, flags, stop.stop_told)
            taker.save()
            recount(taker.pk)
    for left in waiting:
        if left.stopped is not None:
            _reopen(left)
            left.save()
            recount(left.pk)


def _may_be_its_stop(session: ChargingSession, stop: UnmatchedStop) -> bool:
    return (
        session.started <= stop.stopped
        and (session.start_received is None or stop.received <= session.start_received)
        and not (stop.id_tag and session.id_tag and stop.id_tag != session.id_tag)
        and (
            session.meter_start_wh is None or stop.meter_stop_wh is None or stop.meter_stop_wh >= session.meter_start_wh
        )
    )


def _reopen(session: ChargingSession) -> None:
    session.stopped = session.stop_received = session.meter_stop_wh = None
    session.stop_told = session.stop_reason = ""
    session.flags = [flag for flag in session.flags if flag != "stop-came-before-start"]


def _finish_counting(session: ChargingSession) -> None:
    """Count a session that has ended: at once, or a moment later where it is long."""
    if session.readings <= AT_ONCE_READINGS:
        recount(session.pk)
        session.refresh_from_db()
        return
    if session.meter_stop_wh is not None and session.meter_start_wh is not None:
        session.energy_import_wh = max(0, session.meter_stop_wh - session.meter_start_wh)
    session.recount = True
    session.save(update_fields=["energy_import_wh", "recount"])
