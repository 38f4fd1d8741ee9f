"""The requests chargers make, one function for each action of OCPP 1.6 and its security extension.

``begin`` reads the payload on the event loop and returns how to answer: at once, or by an operation that the writer
runs in its next transaction. Every known action gets a result, whatever its payload holds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chargeamps.chargers.models import ChargePoint, InstalledProfile
from chargeamps.chargers.services import commands, reporting
from chargeamps.chargers.services.connections import Opened, publish_change
from chargeamps.common import clock, sql
from chargeamps.gateway import meter_values, samples
from chargeamps.gateway.profiles import Layer
from chargeamps.gateway.reading import Reader, clean, parse_time
from chargeamps.gateway.source import Source, StaleConnection
from chargeamps.schedules.services import delays, overrides
from chargeamps.securitylog.services import record
from chargeamps.usage import services as usage
from chargeamps.usage.selectors import open_sessions

Result = dict[str, Any]
Operation = Callable[[], Result]

# Seconds between heartbeats of an idle charger (OCPP 1.6 §9.1.7). The socket's pings tell a dead line sooner.
HEARTBEAT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Handling:
    """How to answer a call: with ``result`` at once, or after ``operation`` is committed.

    ``fallback`` is the result where the operation fails by our own fault.
    """

    reader: Reader
    result: Result
    operation: Operation | None = None
    # Readings, which are stored together with those of other sockets.
    measured: samples.Measured | None = None

    @property
    def fallback(self) -> Result:
        return self.result


Action = Callable[[Source, Reader, datetime], Handling]


def authorize(source: Source, reader: Reader, received: datetime) -> Handling:
    """OCPP 1.6 §4.1."""
    id_tag = reader.text("idTag", 255)

    def operation() -> Result:
        charge_point = ChargePoint.objects.get(pk=source.opened.charge_point)
        authorised = usage.may_charge(charge_point=charge_point, id_tag=id_tag)
        record(
            kind="card",
            outcome="success" if authorised else "refused",
            charge_point=str(charge_point.pk),
            site=str(charge_point.site_id or ""),
            source_address=charge_point.source_address,
        )
        return _id_tag_info(authorised)

    return Handling(reader, _id_tag_info(False), operation)


def boot_notification(source: Source, reader: Reader, received: datetime) -> Handling:
    """OCPP 1.6 §4.2."""
    fields = {
        "vendor": reader.text("chargePointVendor"),
        "model": reader.text("chargePointModel"),
        "serial_number": reader.text("chargePointSerialNumber") or reader.text("chargeBoxSerialNumber"),
        "firmware_version": reader.text("firmwareVersion"),
    }
    everything = Reader(reader.payload)
    raw = {clean(key[:50]): everything.text(key) for key in list(reader.payload)[:30]}
    result = {"status": "Accepted", "currentTime": clock.isoformat(received), "interval": HEARTBEAT_SECONDS}

    def operation() -> Result:
        reporting.boot_reported(charge_point=source.opened.charge_point, raw=raw, received=received, **fields)
        if sql.fetch(_COMMAND_OPEN, source.opened.charge_point):
            commands.verify_restarted(charge_point=source.opened.charge_point, now=received)
        return result

    return Handling(reader, result, operation)


def heartbeat(source: Source, reader: Reader, received: datetime) -> Handling:
    """OCPP 1.6 §4.6. The contact itself is stored with others, once every few seconds."""
    return Handling(reader, {"currentTime": clock.isoformat(received)})


def status_notification(source: Source, reader: Reader, received: datetime) -> Handling:
    """OCPP 1.6 §4.9."""
    number = reader.integer("connectorId")
    since = reader.time("timestamp", received)
    status = reader.text("status", 50)
    if status not in STATUSES:
        reader.flags.append("status-unknown")
    fields = {
        "error_code": reader.text("errorCode", 50),
        "vendor_error_code": reader.text("vendorErrorCode", 50),
        "info": reader.text("info", 50),
    }

    offset = _clock_offset(source, reader.payload, received)

    def operation() -> Result:
        if offset is not None:
            reporting.clock_told(charge_point=source.opened.charge_point, offset_s=offset)
        if number is None or not 0 <= number <= MAX_CONNECTOR or status not in STATUSES:
            reader.flags.append("not-used")
            return {}
        known = reporting.status_reported(
            charge_point=source.opened.charge_point,
            connector_number=number,
            status=status,
            since=since,
            received=received,
            **fields,
        )
        if not known:
            reader.flags.append("not-used")
        elif number in source.opened.connectors:
            charge_point, connector = source.opened.charge_point, source.opened.connectors[number]
            [(session, override, plugged)] = sql.fetch(
                _BEARS_ON, connector, connector, charge_point, number, Layer.SESSION.value, connector
            )
            if session or status in FLOW_STATUSES:
                usage.flow_reported(connector=connector, flowing=status == "Charging", at=since)
            if status in PLUG_STATUSES and bool(plugged) != PLUG_STATUSES[status]:
                usage.plug_reported(connector=connector, plugged=PLUG_STATUSES[status], at=since)
                if PLUG_STATUSES[status]:
                    delays.plugged_in(connector=connector, at=received)
            if status in ("Charging", "SuspendedEVSE"):
                delays.effect_seen(connector=connector, flowing=status == "Charging", at=received)
            if override and status == "Available":
                _session_over(source, connector, "car-left")
        return {}

    return Handling(reader, {}, operation)


def start_transaction(source: Source, reader: Reader, received: datetime) -> Handling:
    """OCPP 1.6 §4.8."""
    number = reader.integer("connectorId")
    id_tag = reader.text("idTag", 255)
    meter_start = reader.integer("meterStart")
    raw_timestamp = reader.text("timestamp")
    started = reader.time("timestamp", received)
    offset = _clock_offset(source, reader.payload, received)

    def operation() -> Result:
        if offset is not None:
            reporting.clock_told(charge_point=source.opened.charge_point, offset_s=offset)
        outcome = usage.start_transaction(
            charge_point=source.opened.charge_point,
            connector_number=number if number is not None and 0 < number <= MAX_CONNECTOR else None,
            id_tag=id_tag,
            meter_start_wh=meter_start,
            started=started,
            received=received,
            raw_timestamp=raw_timestamp,
            flags=list(reader.flags),
        )
        if outcome.session is None:
            reader.flags.append("no-such-connector")
        elif number is not None and (connector := source.opened.connectors.get(number)):
            delays.transaction_started(connector=connector, started=started, received=received)
        return {"transactionId": outcome.transaction_id, **_id_tag_info(outcome.authorised)}

    return Handling(reader, {"transactionId": 0, **_id_tag_info(False)}, operation)


def stop_transaction(source: Source, reader: Reader, received: datetime) -> Handling:
    """OCPP 1.6 §4.10."""
    transaction_id = reader.integer("transactionId")
    meter_stop = reader.integer("meterStop")
    raw_timestamp = reader.text("timestamp")
    stopped = reader.time("timestamp", received)
    reason = reader.text("reason", 50)
    id_tag = reader.text("idTag", 255)
    last_readings = [s.reading() for s in meter_values.read(reader, received, "transactionData")]

    def operation() -> Result:
        session = usage.stop_transaction(
            charge_point=source.opened.charge_point,
            transaction_id=transaction_id,
            meter_stop_wh=meter_stop,
            stopped=stopped,
            received=received,
            reason=reason,
            flags=list(reader.flags),
            id_tag=id_tag,
            raw_timestamp=raw_timestamp,
        )
        if session is not None and any(last_readings):
            usage.store_readings({session.connector_id: [r for r in last_readings if r is not None]})
        if session is None:
            reader.flags.append("no-such-transaction")
            return {}
        # A late or repeated stop must not end what belongs to a session that has begun since.
        running = open_sessions([session.connector_id]).get(session.connector_id)
        if running is None or running.started <= session.started:
            _session_over(source, session.connector_id, "session-ended")
            delays.transaction_ended(connector=session.connector_id)
        return {}

    return Handling(reader, {}, operation)


def meter_values_reported(source: Source, reader: Reader, received: datetime) -> Handling:
    """OCPP 1.6 §4.7."""
    number = reader.integer("connectorId")
    measured = samples.measured(source.opened, number, meter_values.read(reader, received))
    offset = _clock_offset(source, _last_meter_value(reader.payload), received)
    if measured is None and offset is None:
        return Handling(reader, {})

    def operation() -> Result:
        if offset is not None:
            reporting.clock_told(charge_point=source.opened.charge_point, offset_s=offset)
        if measured is not None:
            samples.store([measured])
        return {}

    # A clock that is news is stored apart; all other readings go together.
    return Handling(reader, {}, operation, measured if offset is None else None)


def _last_meter_value(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    values = payload.get("meterValue")
    last = values[-1] if isinstance(values, list) and values else None
    return last if isinstance(last, dict) else {}


def _clock_offset(source: Source, payload: Mapping[str, Any], received: datetime) -> float | None:
    """What the charger's clock shows less ours, in seconds, where that is news."""
    told = parse_time(payload.get("timestamp"))
    return None if told is None else source.clock.heard(told, received)


def data_transfer(source: Source, reader: Reader, received: datetime) -> Handling:
    """OCPP 1.6 §4.3. No vendor's private messages are known to us."""
    return Handling(reader, {"status": "UnknownVendorId"})


def security_event(source: Source, reader: Reader, received: datetime) -> Handling:
    """SecurityEventNotification (OCPP security whitepaper §5.3): into the security log, with both times."""
    kind = reader.text("type", 50)
    tech_info = reader.text("techInfo", 255)
    occurred = reader.time("timestamp", received)

    def operation() -> Result:
        record(
            kind="charger-event",
            outcome="notice",
            charge_point=str(source.opened.charge_point),
            site=str(source.opened.site or ""),
            detail={"type": kind, "tech_info": tech_info, "occurred": clock.isoformat(occurred)},
        )
        return {}

    return Handling(reader, {}, operation)


def noted(source: Source, reader: Reader, received: datetime) -> Handling:
    """Progress reports whose only trace, so far, is the frame itself."""
    return Handling(reader, {})


def sign_certificate(source: Source, reader: Reader, received: datetime) -> Handling:
    """SignCertificate: this installation signs no client certificates (Security Profile 2)."""
    return Handling(reader, {"status": "Rejected"})


ACTIONS: dict[str, Action] = {
    "Authorize": authorize,
    "BootNotification": boot_notification,
    "DataTransfer": data_transfer,
    "DiagnosticsStatusNotification": noted,
    "FirmwareStatusNotification": noted,
    "Heartbeat": heartbeat,
    "LogStatusNotification": noted,
    "MeterValues": meter_values_reported,
    "SecurityEventNotification": security_event,
    "SignCertificate": sign_certificate,
    "SignedFirmwareStatusNotification": noted,
    "StartTransaction": start_transaction,
    "StatusNotification": status_notification,
    "StopTransaction": stop_transaction,
}
KNOWN = frozenset(ACTIONS)

STATUSES = frozenset(
    {
        "Available",
        "Preparing",
        "Charging",
        "SuspendedEVSE",
        "SuspendedEV",
        "Finishing",
        "Reserved",
        "Unavailable",
        "Faulted",
    }
)
MAX_CONNECTOR = 32767
# These say when the flow began and ended even where the session itself is told later.
FLOW_STATUSES = frozenset({"Charging", "SuspendedEVSE", "SuspendedEV", "Finishing"})
# Whether a cable is in; the others do not say.
PLUG_STATUSES = {"Available": False} | dict.fromkeys(("Preparing", *FLOW_STATUSES), True)


def begin(source: Source, action: str, payload: dict[str, Any], received: datetime) -> Handling:
    """Read a call's payload and say how to answer it."""
    return ACTIONS[action](source, Reader(payload), received)


def _session_over(source: Source, connector: UUID, reason: str) -> None:
    """ "Charge now" was for this session; its profile on the charger ended with the transaction (OCPP 1.6 §3.13.1)."""
    if overrides.end_override(connector=connector, reason=reason):
        publish_change(source.opened.charge_point)
    numbers = [number for number, key in source.opened.connectors.items() if key == connector]
    InstalledProfile.objects.filter(
        charge_point=source.opened.charge_point, connector_number__in=numbers, layer=Layer.SESSION
    ).delete()


def _id_tag_info(authorised: bool) -> Result:
    return {"idTagInfo": {"status": "Accepted" if authorised else "Invalid"}}


def require_newest(opened: Opened) -> None:
    """Raise ``StaleConnection`` unless this is the newest socket of its charge point."""
    if not sql.fetch(_NEWEST, opened.charge_point, opened.epoch):
        raise StaleConnection


_NEWEST = "SELECT 1 FROM chargers_chargepoint WHERE id = %s AND epoch = %s"
_COMMAND_OPEN = """
    SELECT 1 FROM chargers_command WHERE charge_point_id = %s AND state IN ('queued', 'sent', 'accepted') LIMIT 1
"""
# What a connector's status may bear on: a running session, an override, a session's profile. Mostly there is none.
_BEARS_ON = """
    SELECT EXISTS (SELECT 1 FROM usage_chargingsession WHERE connector_id = %s AND stopped IS NULL),
           EXISTS (SELECT 1 FROM schedules_override WHERE connector_id = %s AND ended IS NULL)
        OR EXISTS (SELECT 1 FROM chargers_installedprofile
                   WHERE charge_point_id = %s AND connector_number = %s AND layer = %s),
           (SELECT plugged FROM usage_plugevent WHERE connector_id = %s ORDER BY time DESC LIMIT 1)
"""
