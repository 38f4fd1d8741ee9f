"""The shape of every call a central system may send, and what is wrong with one (OCPP-J 1.6 §4.2.3, OCPP 1.6 §6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """One field: ``kind`` is int, number, str, object or list; ``limit`` a length; ``fields`` of objects and items."""

    kind: str
    needed: bool = True
    limit: int | None = None
    choice: tuple[str, ...] = ()
    low: float | None = None
    fields: dict[str, Field] | None = None
    item: Field | None = None


class CallError(Exception):
    """A CALLERROR to send."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code


def _text(limit: int | None = None, *choice: str, needed: bool = True) -> Field:
    return Field("str", needed, limit, choice)


def _int(low: float | None = None, *, needed: bool = True) -> Field:
    return Field("int", needed, low=low)


_PERIOD = Field("object", fields={"startPeriod": _int(), "limit": Field("number"), "numberPhases": _int(needed=False)})
_SCHEDULE = Field(
    "object",
    fields={
        "duration": _int(needed=False),
        "startSchedule": _text(needed=False),
        "chargingRateUnit": _text(None, "A", "W"),
        "chargingSchedulePeriod": Field("list", item=_PERIOD),
        "minChargingRate": Field("number", False),
    },
)
_PURPOSES = ("ChargePointMaxProfile", "TxDefaultProfile", "TxProfile")
_PROFILE = {
    "chargingProfileId": _int(),
    "transactionId": _int(needed=False),
    "stackLevel": _int(0),
    "chargingProfilePurpose": _text(None, *_PURPOSES),
    "chargingProfileKind": _text(None, "Absolute", "Recurring", "Relative"),
    "recurrencyKind": _text(None, "Daily", "Weekly", needed=False),
    "validFrom": _text(needed=False),
    "validTo": _text(needed=False),
    "chargingSchedule": _SCHEDULE,
}
_TAG_INFO = Field(
    "object",
    False,
    fields={
        "expiryDate": _text(needed=False),
        "parentIdTag": _text(20, needed=False),
        "status": _text(None, "Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"),
    },
)
_HASH = Field(
    "object",
    fields={
        "hashAlgorithm": _text(None, "SHA256", "SHA384", "SHA512"),
        "issuerNameHash": _text(128),
        "issuerKeyHash": _text(128),
        "serialNumber": _text(40),
    },
)
_CERTIFICATE = _text(None, "CentralSystemRootCertificate", "ManufacturerRootCertificate")
_RETRY = {"retries": _int(needed=False), "retryInterval": _int(needed=False)}
REQUESTS: dict[str, dict[str, Field]] = {
    "CancelReservation": {"reservationId": _int()},
    "ChangeAvailability": {"connectorId": _int(0), "type": _text(None, "Inoperative", "Operative")},
    "ChangeConfiguration": {"key": _text(50), "value": _text(500)},
    "ClearCache": {},
    "ClearChargingProfile": {"id": _int(needed=False), "connectorId": _int(needed=False),
                             "chargingProfilePurpose": _text(None, *_PURPOSES, needed=False),
                             "stackLevel": _int(needed=False)},
    "DataTransfer": {"vendorId": _text(255), "messageId": _text(50, needed=False), "data": _text(needed=False)},
    "GetCompositeSchedule": {"connectorId": _int(0), "duration": _int(),
                             "chargingRateUnit": _text(None, "A", "W", needed=False)},
    "GetConfiguration": {"key": Field("list", False, item=_text(50))},
    "GetDiagnostics": {"location": _text(), **_RETRY, "startTime": _text(needed=False),
                       "stopTime": _text(needed=False)},
    "GetLocalListVersion": {},
    "RemoteStartTransaction": {"connectorId": _int(needed=False), "idTag": _text(20),
                               "chargingProfile": Field("object", False, fields=_PROFILE)},
    "RemoteStopTransaction": {"transactionId": _int()},
    "ReserveNow": {"connectorId": _int(0), "expiryDate": _text(), "idTag": _text(20),
                   "parentIdTag": _text(20, needed=False), "reservationId": _int()},
    "Reset": {"type": _text(None, "Hard", "Soft")},
    "SendLocalList": {"listVersion": _int(), "updateType": _text(None, "Differential", "Full"),
                      "localAuthorizationList": Field("list", False, item=Field(
                          "object", fields={"idTag": _text(20), "idTagInfo": _TAG_INFO}))},
    "SetChargingProfile": {"connectorId": _int(0), "csChargingProfiles": Field("object", fields=_PROFILE)},
    "TriggerMessage": {"connectorId": _int(needed=False), "requestedMessage": _text(
        None, "BootNotification", "DiagnosticsStatusNotification", "FirmwareStatusNotification", "Heartbeat",
        "MeterValues", "StatusNotification")},
    "UnlockConnector": {"connectorId": _int(1)},
    "UpdateFirmware": {"location": _text(), "retrieveDate": _text(), **_RETRY},
    "CertificateSigned": {"certificateChain": _text(10_000)},
    "DeleteCertificate": {"certificateHashData": _HASH},
    "ExtendedTriggerMessage": {"connectorId": _int(needed=False), "requestedMessage": _text(
        None, "BootNotification", "LogStatusNotification", "FirmwareStatusNotification", "Heartbeat", "MeterValues",
        "SignChargePointCertificate", "StatusNotification")},
    "GetInstalledCertificateIds": {"certificateType": _CERTIFICATE},
    "GetLog": {"logType": _text(None, "DiagnosticsLog", "SecurityLog"), "requestId": _int(), **_RETRY,
               "log": Field("object", fields={"remoteLocation": _text(512), "oldestTimestamp": _text(needed=False),
                                              "latestTimestamp": _text(needed=False)})},
    "InstallCertificate": {"certificateType": _CERTIFICATE, "certificate": _text(5500)},
    "SignedUpdateFirmware": {"requestId": _int(), **_RETRY, "firmware": Field("object", fields={
        "location": _text(512), "retrieveDateTime": _text(), "installDateTime": _text(needed=False),
        "signingCertificate": _text(5500), "signature": _text(800)})},
}  # fmt: skip
UNSUPPORTED = ("ReserveNow", "CancelReservation")  # SupportedFeatureProfiles has no Reservation
_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "number": (int, float), "str": (str,), "object": (dict,),
                                       "list": (list,)}  # fmt: skip


def check_request(action: str, payload: object) -> JSON:
    """The payload, if it conforms; raises CallError with the code of OCPP-J 1.6 §4.2.3 otherwise."""
    if action not in REQUESTS:
        raise CallError("NotImplemented", f"{action} is unknown")
    if action in UNSUPPORTED:
        raise CallError("NotSupported", f"{action} is not supported")
    if not isinstance(payload, dict):
        raise CallError("FormationViolation", "the payload is not an object")
    _check_object(payload, REQUESTS[action], "")
    return payload


def _check_object(value: JSON, shape: dict[str, Field], where: str) -> None:
    for name in value:
        if name not in shape:
            raise CallError("FormationViolation", f"{where}{name} does not belong here")
    for name, want in shape.items():
        if name in value:
            _check(value[name], want, where + name)
        elif want.needed:
            raise CallError("ProtocolError", f"{where}{name} is missing")


def _check(value: object, want: Field, where: str) -> None:
    if not isinstance(value, _TYPES[want.kind]) or isinstance(value, bool):
        raise CallError("TypeConstraintViolation", f"{where} is not of type {want.kind}")
    if isinstance(value, str):
        if want.limit is not None and len(value) > want.limit:
            raise CallError("PropertyConstraintViolation", f"{where} is longer than {want.limit}")
        if want.choice and value not in want.choice:
            raise CallError("PropertyConstraintViolation", f"{where} is not one of {', '.join(want.choice)}")
    elif isinstance(value, (int, float)) and want.low is not None and value < want.low:
        raise CallError("PropertyConstraintViolation", f"{where} is below {want.low}")
    elif isinstance(value, dict):
        _check_object(value, want.fields or {}, f"{where}.")
    elif isinstance(value, list) and want.item is not None:
        for n, entry in enumerate(value):
            _check(entry, want.item, f"{where}[{n}]")
