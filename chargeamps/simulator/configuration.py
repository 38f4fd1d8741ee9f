"""Configuration keys of the Aura: OCPP 1.6 §9, the security white paper, and the vendor's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Check = Callable[[str], bool]

MEASURANDS = (
    "Energy.Active.Import.Register", "Power.Active.Import", "Current.Import", "Current.Offered", "Voltage",
    "Frequency", "Temperature",
)  # fmt: skip
DEFAULT_MEASURANDS = "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Voltage"


def _whole(low: int = 0, high: int = 2**31 - 1) -> Check:
    return lambda v: v.isascii() and v.isdigit() and low <= int(v) <= high


def _flag(v: str) -> bool:
    return v.lower() in ("true", "false")


def _measurands(v: str) -> bool:
    return all(m.strip() in MEASURANDS for m in v.split(",")) if v else True


def _text(limit: int) -> Check:
    return lambda v: len(v) <= limit


def parse_per_connector(text: str) -> dict[int, str]:
    """The vendor's notation ``"0.32,1.16,2.16"``: connector before the first dot, value after it. Raises ValueError."""
    out: dict[int, str] = {}
    for part in text.split(","):
        number, dot, value = part.strip().partition(".")
        if not dot or not value:
            raise ValueError(f"not <connector>.<value>: {part!r}")
        out[int(number)] = value
    return out


def _currents(v: str) -> bool:
    try:
        return all(n in (0, 1, 2) and (int(a) == 0 or 6 <= int(a) <= 32) for n, a in parse_per_connector(v).items())
    except ValueError:
        return False


def _flags(v: str) -> bool:
    if _flag(v):
        return True
    try:
        return all(n in (0, 1, 2) and _flag(x) for n, x in parse_per_connector(v).items())
    except ValueError:
        return False


@dataclass(frozen=True)
class Key:
    default: str
    check: Check | None = None  # None: read-only
    secret: bool = False  # may be written, is never read back
    reboot: bool = False  # takes effect after a restart


KEYS: dict[str, Key] = {
    "AllowOfflineTxForUnknownId": Key("false", _flag),
    "AuthorizationCacheEnabled": Key("true", _flag),
    "AuthorizeRemoteTxRequests": Key("false", _flag),
    "ClockAlignedDataInterval": Key("0", _whole(0, 86_400)),
    "ConnectionTimeOut": Key("60", _whole()),
    "ConnectorPhaseRotation": Key("NotApplicable", _text(100)),
    "ConnectorPhaseRotationMaxLength": Key("1"),
    "GetConfigurationMaxKeys": Key("100"),
    "HeartbeatInterval": Key("60", _whole()),
    "LightIntensity": Key("100", _whole(0, 100)),
    "LocalAuthorizeOffline": Key("true", _flag),
    "LocalPreAuthorize": Key("false", _flag),
    "MeterValuesAlignedData": Key("Energy.Active.Import.Register", _measurands),
    "MeterValuesAlignedDataMaxLength": Key("1"),
    "MeterValuesSampledData": Key(DEFAULT_MEASURANDS, _measurands),
    "MeterValuesSampledDataMaxLength": Key("11"),
    "MeterValueSampleInterval": Key("30", _whole(0, 86_400)),
    "NumberOfConnectors": Key("2"),
    "ResetRetries": Key("1", _whole()),
    "StopTransactionOnEVSideDisconnect": Key("true"),
    "StopTransactionOnInvalidId": Key("true", _flag),
    "StopTxnAlignedData": Key("", _measurands),
    "StopTxnAlignedDataMaxLength": Key("0"),
    "StopTxnSampledData": Key("", _measurands),
    "StopTxnSampledDataMaxLength": Key("0"),
    "SupportedFeatureProfiles": Key(
        "Core,FirmwareManagement,LocalAuthListManagement,RemoteTrigger,SmartCharging,Security"
    ),
    "TransactionMessageAttempts": Key("3", _whole()),
    "TransactionMessageRetryInterval": Key("60", _whole()),
    "UnlockConnectorOnEVSideDisconnect": Key("true", _flag),
    "WebSocketPingInterval": Key("30", _whole()),
    "LocalAuthListEnabled": Key("true", _flag),
    "LocalAuthListMaxLength": Key("60"),
    "SendLocalListMaxLength": Key("10"),
    "ReserveConnectorZeroSupported": Key("false"),
    "ChargeProfileMaxStackLevel": Key("8"),
    "ChargingScheduleAllowedChargingRateUnit": Key("Current,Power"),
    "ChargingScheduleMaxPeriods": Key("48"),
    "ConnectorSwitch3to1PhaseSupported": Key("false"),
    "MaxChargingProfilesInstalled": Key("32"),
    "AdditionalRootCertificateCheck": Key("false"),
    "AuthorizationKey": Key("", _text(40), secret=True),
    "CertificateSignedMaxChainSize": Key("10000"),
    "CertificateStoreMaxLength": Key("4"),
    "CpoName": Key("Charge Amps", _text(255)),
    "SecurityProfile": Key("2", _whole(0, 3)),
    "SupportedFileTransferProtocols": Key("HTTP,HTTPS,FTP"),
    "ACPhaseSwitchingSupported": Key("false"),
    "AssignedCurrent": Key("0.32,1.32,2.32"),
    "AssignedPhase": Key("1.L123,2.L123"),
    "CableLock": Key("1.false,2.false", _flags),
    "ChargePointID": Key(""),
    "ConnectedWifiSSID": Key("Home"),
    "Downlight": Key("0", _whole(0, 1)),
    "EarthingSystem": Key("TN"),
    "FirmwareVersion": Key("184"),
    "FreeCharging": Key("true", _flags),
    "HardwareVersion": Key("C"),
    "InstallationCurrent": Key("32"),
    "InstallationOfflineCurrent": Key("1.16,2.16", _currents),
    "LoadBalanced": Key("true"),
    "LteAPN": Key("", _text(100), reboot=True),
    "ManagementInterface": Key("WiFi"),
    "MaxCurrent": Key("0.32,1.32,2.32"),
    "MaxPhases": Key("3"),
    "RfidTagFreeCharging": Key("00000000000000", _text(20)),
    "UserCurrentLimit": Key("1.32,2.32", _currents),
    "WeldCheck": Key("true"),
    "WifiPassword": Key("", _text(63), secret=True, reboot=True),
    "WifiSSID": Key("Home", _text(32), reboot=True),
}


class Configuration:
    """The keys and their present values; only what was written differs from the defaults and is kept."""

    def __init__(self, overrides: Mapping[str, str] | None = None) -> None:
        self.base = dict(overrides or {})
        self.written: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self.written.get(name, self.base.get(name, KEYS[name].default))

    def number(self, name: str) -> int:
        return int(self[name])

    def flag(self, name: str) -> bool:
        return self[name].lower() == "true"

    def flag_for(self, name: str, connector: int) -> bool:
        """A flag that is either ``true``/``false`` for the box or ``1.true,2.false``."""
        value = self[name]
        if "." not in value:
            return value.lower() == "true"
        per = parse_per_connector(value)
        return per.get(connector, per.get(0, "false")).lower() == "true"

    def current_for(self, name: str, connector: int) -> float:
        """A current limit in the vendor's notation, A; 32 where nothing is said."""
        per = parse_per_connector(self[name])
        return float(per.get(connector, per.get(0, "32")))

    def write(self, name: str, value: str) -> str:
        """ChangeConfiguration's answer (§5.3); a key nobody knows is ``NotSupported``."""
        name = self.spelled(name)
        key = KEYS.get(name)
        if key is None:
            return "NotSupported"
        if key.check is None or not key.check(value):
            return "Rejected"
        self.written[name] = value
        return "RebootRequired" if key.reboot else "Accepted"

    @staticmethod
    def spelled(name: str) -> str:
        """Key names are CiString: case does not matter (§7.29)."""
        return next((k for k in KEYS if k.lower() == name.lower()), name)

    def read(self, names: list[str]) -> tuple[list[dict[str, object]], list[str]]:
        """GetConfiguration's configurationKey and unknownKey; all readable keys when ``names`` is empty (§5.8)."""
        known: list[dict[str, object]] = []
        unknown: list[str] = []
        for name in names or list(KEYS):
            name = self.spelled(name)
            key = KEYS.get(name)
            if key is None:
                unknown.append(name)
            elif key.secret:
                if names:
                    known.append({"key": name, "readonly": False})
            else:
                known.append({"key": name, "readonly": key.check is None, "value": self[name]})
        return known, unknown
