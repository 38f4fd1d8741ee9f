"""Security events, logs, firmware, certificates (white paper "Improved security for OCPP 1.6-J"; OCPP 1.6 §5.9, §5.19).

Nothing is downloaded, uploaded or verified: the persona decides how such a process ends, and the charger reports the
steps a real one would."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from .certificates import hash_data
from .clock import parse_iso
from .incoming import trigger
from .outgoing import Call

if TYPE_CHECKING:
    from .aura import Aura

JSON = dict[str, Any]
ROOT = "CentralSystemRootCertificate"
SCHEMES = ("http://", "https://", "ftp://", "ftps://")
STEP_S = 3.0


class Security:
    """This part of the charger's behaviour, and the little it remembers."""

    def __init__(self, aura: Aura) -> None:
        self.aura = aura
        self.certificates: list[tuple[str, str]] = []  # (type, PEM)
        self.firmware_status = "Idle"
        self.diagnostics_status = "Idle"
        self.log_status: JSON = {"status": "Idle"}
        self.signed_request: int | None = None
        self.installing: str | None = None  # the version that runs after the restart

    def dump(self) -> JSON:
        return {"certificates": self.certificates, "installing": self.installing, "signed": self.signed_request}

    def load(self, saved: JSON) -> None:
        self.certificates = [(kind, pem) for kind, pem in saved["certificates"]]
        self.installing, self.signed_request = saved["installing"], saved["signed"]

    def event(self, kind: str, info: str | None = None) -> None:
        """SecurityEventNotification; waits for the connection when there is none (A04)."""
        payload = {"type": kind, "timestamp": self.aura.stamp(), **({"techInfo": info} if info else {})}
        self.aura.send(Call("SecurityEventNotification", payload, kept=True))

    def perform(self, action: str, request: JSON) -> JSON:
        """The calls this module answers."""
        match action:
            case "ExtendedTriggerMessage":
                return self._extended_trigger(request)
            case "GetDiagnostics":
                return self._get_diagnostics(request)
            case "GetLog":
                return self._get_log(request)
            case "UpdateFirmware":
                self._update(request["location"], request["retrieveDate"], None)
                return {}
            case "SignedUpdateFirmware":
                return self._signed_update(request)
            case "InstallCertificate":
                return {"status": self._install(request["certificateType"], request["certificate"])}
            case "GetInstalledCertificateIds":
                return self._installed(request["certificateType"])
            case "DeleteCertificate":
                return {"status": self._delete(request["certificateHashData"])}
            case _:  # CertificateSigned: this charger has made no signing request
                return {"status": "Rejected"}

    def report(self, what: str) -> None:
        """A status notification asked for by a trigger."""
        aura = self.aura
        if what == "DiagnosticsStatusNotification":
            aura.send(Call(what, {"status": self.diagnostics_status}, forced=True))
        elif what == "LogStatusNotification":
            aura.send(Call(what, self.log_status, forced=True))
        else:
            self._firmware(self.firmware_status, forced=True)

    def _extended_trigger(self, request: JSON) -> JSON:
        what, connector = request["requestedMessage"], request.get("connectorId")
        if what == "SignChargePointCertificate":
            return {"status": "NotImplemented"}
        return {"status": trigger(self.aura, what, connector)}

    def _later(self, name: str, steps: float, act: Any) -> None:
        self.aura.timers.at(name, self.aura.clock.world + steps * STEP_S, act)

    # --- logs -------------------------------------------------------------------------------------------------------

    def _get_diagnostics(self, request: JSON) -> JSON:
        ends = "Uploaded" if self._reachable(request["location"]) else "UploadFailed"

        def tell(status: str) -> None:
            self.diagnostics_status = status
            self.aura.send(Call("DiagnosticsStatusNotification", {"status": status}))

        self._later("diagnostics-1", 1, lambda: tell("Uploading"))
        self._later("diagnostics-2", 2, lambda: tell(ends))
        return {"fileName": f"{self.aura.identity}-diagnostics.log"}

    def _get_log(self, request: JSON) -> JSON:
        number = request["requestId"]
        ends = "Uploaded" if self._reachable(request["log"]["remoteLocation"]) else "UploadFailure"
        busy = "log-2" in self.aura.timers

        def tell(status: str) -> None:
            self.log_status = {"status": status, "requestId": number}
            self.aura.send(Call("LogStatusNotification", self.log_status))

        self._later("log-1", 1, lambda: tell("Uploading"))
        self._later("log-2", 2, lambda: tell(ends))
        name = f"{self.aura.identity}-{request['logType']}-{number}.log"
        return {"status": "AcceptedCanceled" if busy else "Accepted", "filename": name}

    def _reachable(self, location: str) -> bool:
        return location.lower().startswith(SCHEMES) and self.aura.persona.upload == "Uploaded"

    # --- firmware ---------------------------------------------------------------------------------------------------

    def _firmware(self, status: str, *, forced: bool = False) -> None:
        self.firmware_status = status
        if self.signed_request is None:
            self.aura.send(Call("FirmwareStatusNotification", {"status": status}, forced=forced))
            return
        payload: JSON = {"status": status, "requestId": self.signed_request}
        self.aura.send(Call("SignedFirmwareStatusNotification", payload, forced=forced))

    def _signed_update(self, request: JSON) -> JSON:
        firmware = request["firmware"]
        if "BEGIN CERTIFICATE" not in firmware["signingCertificate"]:
            return {"status": "InvalidCertificate"}
        busy = "firmware" in self.aura.timers
        self._update(firmware["location"], firmware["retrieveDateTime"], request["requestId"])
        return {"status": "AcceptedCanceled" if busy else "Accepted"}

    def _update(self, location: str, when: str, request_id: int | None) -> None:
        """Downloading, Downloaded, (SignatureVerified,) Installing, restart, Installed (§5.19, L01)."""
        aura, ends = self.aura, self.aura.persona.firmware
        self.signed_request = request_id
        if not location.lower().startswith(SCHEMES):
            ends = "DownloadFailed"
        steps = ["Downloading", "DownloadFailed"] if ends == "DownloadFailed" else ["Downloading", "Downloaded"]
        if ends == "InvalidSignature" and request_id is not None:
            steps.append("InvalidSignature")
        elif ends != "DownloadFailed":
            steps += ["SignatureVerified"] * (request_id is not None) + ["Installing"]
        try:
            delay = max(0.0, parse_iso(when) - aura.clock.now())
        except ValueError:
            delay = 0.0

        def step(n: int = 0) -> None:
            if steps[n] == "Installing" and any(o.transaction for o in aura.outlets.values()):
                self._later("firmware", 20, lambda: step(n))  # it waits for the cars to finish
                return
            self._firmware(steps[n])
            if n + 1 < len(steps):
                self._later("firmware", 1, lambda: step(n + 1))
            elif steps[n] == "Installing":
                self._later("firmware", 1, lambda: self._install_firmware(location, ends))
            elif steps[n] == "InvalidSignature":
                self.event("InvalidFirmwareSignature")

        aura.timers.at("firmware", aura.clock.world + delay + STEP_S, step)

    def _install_firmware(self, location: str, ends: str) -> None:
        if ends == "InstallationFailed":
            self._firmware("InstallationFailed")
            return
        number = re.search(r"(\d+(?:\.\d+)*)[^/\d]*$", location)
        self.installing = number[1] if number else str(int(self.aura.configuration["FirmwareVersion"]) + 1)
        self.aura.reboot("Reboot")

    def after_boot(self) -> None:
        """After the restart the new firmware reports itself installed."""
        if self.installing is None:
            return
        self.aura.configuration.written["FirmwareVersion"] = self.installing
        self.installing = None
        self.event("FirmwareUpdated")

        def tell() -> None:
            if self.aura.online:
                self._firmware("Installed")
            else:
                self._later("firmware", 1, tell)

        self._later("firmware", 1, tell)

    # --- certificates -----------------------------------------------------------------------------------------------

    def _install(self, kind: str, pem: str) -> str:
        try:
            new = hash_data(pem)
        except (ValueError, IndexError):
            return "Rejected"
        kept = [(k, p) for k, p in self.certificates if hash_data(p) != new]
        if len(kept) >= self.aura.configuration.number("CertificateStoreMaxLength"):
            return "Rejected"
        self.certificates = [*kept, (kind, pem)]
        return "Accepted"

    def _installed(self, kind: str) -> JSON:
        found = [hash_data(pem) for k, pem in self.certificates if k == kind]
        return {"status": "Accepted", "certificateHashData": found} if found else {"status": "NotFound"}

    def _delete(self, wanted: JSON) -> str:
        for kind, pem in self.certificates:
            mine = hash_data(pem, wanted["hashAlgorithm"])
            if {k: str(v).lower() for k, v in mine.items()} == {k: str(v).lower() for k, v in wanted.items()}:
                if kind == ROOT and sum(k == ROOT for k, _ in self.certificates) == 1:
                    return "Failed"  # without a root it could never connect again
                self.certificates.remove((kind, pem))
                return "Accepted"
        return "NotFound"
