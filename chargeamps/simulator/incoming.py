"""What the central system asks of the charger: one function per action (OCPP 1.6 §5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import metering, transactions
from .clock import iso
from .profile_store import TX, in_unit
from .profiles import Profile, ProfileError, read_profile
from .requests import CallError

if TYPE_CHECKING:
    from .aura import Aura
    from .outlet import Outlet

JSON = dict[str, Any]
Handler = Callable[["Aura", JSON], JSON]
HANDLERS: dict[str, Handler] = {}


def handles(action: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        HANDLERS[action] = handler
        return handler

    return register


def perform(aura: Aura, action: str, request: JSON) -> JSON:
    """Carry out a well-formed request and return the answer's payload."""
    aura.dirty = True
    if action in HANDLERS:
        return HANDLERS[action](aura, request)
    return aura.security.perform(action, request)


def _soon(aura: Aura, name: str, seconds: float, act: Callable[[], None]) -> None:
    aura.timers.at(name, aura.clock.world + seconds, act)


@handles("ChangeAvailability")
def change_availability(aura: Aura, request: JSON) -> JSON:
    """§5.2: connector 0 means all; what is in use changes when its transaction ends."""
    number, operative = request["connectorId"], request["type"] == "Operative"
    if number > 2:
        return {"status": "Rejected"}
    status = "Accepted"
    for outlet in aura.outlets.values():
        if number not in (0, outlet.number):
            continue
        if outlet.transaction is not None and not operative:
            outlet.operative_later = False
            status = "Scheduled"
        else:
            outlet.operative, outlet.operative_later = operative, None
    return {"status": status}


@handles("ChangeConfiguration")
def change_configuration(aura: Aura, request: JSON) -> JSON:
    name, value = aura.configuration.spelled(request["key"]), request["value"]
    if name == "AuthorizationKey":
        return {"status": _change_key(aura, value)}
    if name == "SecurityProfile":
        return {"status": "Accepted" if value == aura.configuration["SecurityProfile"] else "Rejected"}
    status = aura.configuration.write(name, value)
    if status == "Accepted":
        if name in aura.persona.reboot_required_for:
            return {"status": "RebootRequired"}
        if name == "MeterValueSampleInterval":
            for outlet in aura.outlets.values():
                metering.arm_sampling(aura, outlet)
        elif name == "ClockAlignedDataInterval":
            metering.arm_aligned(aura)
        elif name == "HeartbeatInterval":
            aura.arm_heartbeat()
    return {"status": status}


def _change_key(aura: Aura, value: str) -> str:
    """White paper A01: 16 to 20 raw bytes, written as hexadecimal digits; the charger comes back with the new key."""
    try:
        key = bytes.fromhex(value) if value.isalnum() else b""
    except ValueError:
        key = b""
    if not 16 <= len(key) <= 20:
        return "Rejected"
    aura.key = key
    aura.security.event("ReconfigurationOfSecurityParameters", "AuthorizationKey")

    def reconnect() -> None:
        aura.reconnect_wanted = True

    _soon(aura, "reconnect", 1, reconnect)
    return "Accepted"


@handles("ClearCache")
def clear_cache(aura: Aura, request: JSON) -> JSON:
    if not aura.configuration.flag("AuthorizationCacheEnabled"):
        return {"status": "Rejected"}
    aura.cache.clear()
    return {"status": "Accepted"}


@handles("ClearChargingProfile")
def clear_charging_profile(aura: Aura, request: JSON) -> JSON:
    gone = aura.profiles.clear(
        request.get("id"), request.get("connectorId"), request.get("chargingProfilePurpose"), request.get("stackLevel")
    )
    return {"status": "Accepted" if gone else "Unknown"}


@handles("DataTransfer")
def data_transfer(aura: Aura, request: JSON) -> JSON:
    return {"status": "UnknownVendorId"}


@handles("GetCompositeSchedule")
def get_composite_schedule(aura: Aura, request: JSON) -> JSON:
    """§5.7: what the charger expects to offer; connector 0 is the box as a whole."""
    number, unit, duration = request["connectorId"], request.get("chargingRateUnit", "A"), request["duration"]
    if number > 2 or unit not in aura.persona.abilities.units or duration <= 0:
        return {"status": "Rejected"}
    now = float(int(aura.clock.now()))
    rows: list[tuple[float, float]] = []
    parts = [_composite(aura, o, now, duration) for o in aura.outlets.values() if number in (0, o.number)]
    for moment in sorted({start for part in parts for start, _ in part}):
        total = sum(next(a for start, a in reversed(part) if start <= moment) for part in parts)
        station = aura.profiles.station_limit(now + moment)
        least = min(x for x in (total, aura.fuse(), station) if x is not None)
        if not rows or rows[-1][1] != least:
            rows.append((moment, least))
    schedule = {
        "duration": duration,
        "startSchedule": iso(now),
        "chargingRateUnit": unit,
        "chargingSchedulePeriod": [
            {"startPeriod": round(s), "limit": in_unit(a, unit), "numberPhases": 3} for s, a in rows
        ],
    }
    return {"status": "Accepted", "connectorId": number, "scheduleStart": iso(now), "chargingSchedule": schedule}


def _composite(aura: Aura, outlet: Outlet, now: float, duration: float) -> list[tuple[float, float]]:
    tx = outlet.transaction
    user = aura.configuration.current_for("UserCurrentLimit", outlet.number)
    return aura.profiles.schedule(
        outlet.number,
        now,
        duration,
        min(user, aura.fuse()),
        tx=tx.uid if tx else None,
        # In whole seconds, as everything else in the answer: no period may begin before it.
        anchor=float(int(tx.anchor(aura.clock))) if tx else None,
    )


@handles("GetConfiguration")
def get_configuration(aura: Aura, request: JSON) -> JSON:
    names = request.get("key", [])
    if aura.persona.configuration_max_keys_lies:
        names = []
    elif len(names) > aura.configuration.number("GetConfigurationMaxKeys"):
        raise CallError("OccurrenceConstraintViolation", "more keys than GetConfigurationMaxKeys")
    known, unknown = aura.configuration.read(names)
    for row in known:
        if row["key"] == "ChargePointID":
            row["value"] = aura.identity
    return {"configurationKey": known, **({"unknownKey": unknown} if unknown else {})}


@handles("GetLocalListVersion")
def get_local_list_version(aura: Aura, request: JSON) -> JSON:
    enabled = aura.configuration.flag("LocalAuthListEnabled")
    return {"listVersion": aura.local_list.version if enabled else -1}


@handles("SendLocalList")
def send_local_list(aura: Aura, request: JSON) -> JSON:
    if not aura.configuration.flag("LocalAuthListEnabled"):
        return {"status": "NotSupported"}
    rows = request.get("localAuthorizationList", [])
    return {"status": aura.local_list.update(request["listVersion"], request["updateType"], rows)}


@handles("RemoteStartTransaction")
def remote_start_transaction(aura: Aura, request: JSON) -> JSON:
    """§5.11; without a connectorId the outlet with a waiting car is taken."""
    number = request.get("connectorId")
    candidates = [o for o in aura.outlets.values() if number in (None, o.number)]
    candidates = [o for o in candidates if o.operative and not o.fault and o.transaction is None]
    candidates.sort(key=lambda o: not o.plugged)
    if not candidates:
        return {"status": "Rejected"}
    outlet, profile = candidates[0], None
    if "chargingProfile" in request:
        raw = request["chargingProfile"]
        try:
            profile = read_profile(raw, outlet.number)
        except ProfileError:
            return {"status": "Rejected"}
        if profile.purpose != TX or profile.transaction_id is not None or aura.profiles.check(profile) != "Accepted":
            return {"status": "Rejected"}
    if not aura.persona.ignores_remote_start:
        _soon(
            aura,
            f"remote-start-{outlet.number}",
            0.5,
            lambda: transactions.remote_start(aura, outlet, request["idTag"], profile),
        )
    return {"status": "Accepted"}


@handles("RemoteStopTransaction")
def remote_stop_transaction(aura: Aura, request: JSON) -> JSON:
    for outlet in aura.outlets.values():
        tx = outlet.transaction
        if tx is not None and tx.number == request["transactionId"]:
            _soon(aura, f"remote-stop-{outlet.number}", 0.5, lambda o=outlet: transactions.stop(aura, o, "Remote"))  # type: ignore[misc]
            return {"status": "Accepted"}
    return {"status": "Rejected"}


@handles("Reset")
def reset(aura: Aura, request: JSON) -> JSON:
    """§5.14: a soft reset stops transactions first, a hard one reports them after the restart."""
    soft = request["type"] == "Soft"
    aura.security.event("ResetOrReboot", request["type"])

    def begin() -> None:
        if soft:
            for outlet in aura.outlets.values():
                transactions.stop(aura, outlet, "SoftReset")
        _soon(aura, "restart", 4 if soft else 0, lambda: aura.reboot("SoftReset" if soft else "HardReset"))

    _soon(aura, "reset", 1, begin)
    return {"status": "Accepted"}


@handles("SetChargingProfile")
def set_charging_profile(aura: Aura, request: JSON) -> JSON:
    """§5.16: a TxProfile needs its transaction."""
    number = request["connectorId"]
    if number > 2:
        return {"status": "Rejected"}
    try:
        profile = _read_for(aura, number, request["csChargingProfiles"])
    except ProfileError:
        return {"status": "Rejected"}
    status = aura.profiles.check(profile)
    if status == "Accepted" and not aura.persona.ignores_profiles:
        aura.profiles.put(profile)
    return {"status": status}


def _read_for(aura: Aura, number: int, raw: JSON) -> Profile:
    if raw["chargingProfilePurpose"] != TX:
        return read_profile(raw, number)
    tx = aura.outlets[number].transaction if number else None
    wanted = raw.get("transactionId")
    if tx is None or (wanted is not None and wanted != tx.number):
        raise ProfileError("no such transaction on this connector")
    return read_profile(raw, number, tx=tx.uid)


@handles("TriggerMessage")
def trigger_message(aura: Aura, request: JSON) -> JSON:
    return {"status": trigger(aura, request["requestedMessage"], request.get("connectorId"))}


def trigger(aura: Aura, what: str, connector: int | None) -> str:
    """§5.17: the answer goes first, then the message."""
    if connector is not None and not 0 <= connector <= 2:
        return "Rejected"
    outlets = [o for o in aura.outlets.values() if connector in (None, o.number)]

    def act() -> None:
        if what == "BootNotification":
            aura.send_boot(forced=True)
        elif what == "Heartbeat":
            aura.send_heartbeat(forced=True)
        elif what == "StatusNotification":
            if connector in (None, 0):
                aura.announce_box(forced=True)
            for outlet in outlets:
                aura.announce(outlet, forced=True)
        elif what == "MeterValues":
            for outlet in outlets:
                metering.send_meter_values(aura, outlet, "Trigger", "MeterValuesSampledData", forced=True)
        else:
            aura.security.report(what)

    _soon(aura, f"trigger-{what}-{connector}", 0, act)
    return "Accepted"


@handles("UnlockConnector")
def unlock_connector(aura: Aura, request: JSON) -> JSON:
    """§5.18: a running transaction ends first."""
    outlet = aura.outlets.get(request["connectorId"])
    if outlet is None:
        return {"status": "NotSupported"}
    transactions.stop(aura, outlet, "UnlockCommand")
    return {"status": "UnlockFailed" if outlet.fault == "ConnectorLockFailure" else "Unlocked"}
