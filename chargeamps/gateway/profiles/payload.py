"""One charging profile as OCPP 1.6 writes it (`csChargingProfiles`, OCPP 1.6 §7.8), with a stable identity."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from .capabilities import Capabilities

# A Monday at 00:00 UTC that every charger's clock has passed: no profile of ours starts in the future.
ANCHOR = datetime(2024, 1, 1, tzinfo=UTC)

MAX_PROFILE = "ChargePointMaxProfile"
TX_DEFAULT = "TxDefaultProfile"
TX_PROFILE = "TxProfile"


class Layer(StrEnum):
    """What a profile is for, from the ground up."""

    INSTALLATION = "installation"
    WEEKLY = "weekly"
    DAYS = "days"
    START = "start"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class DesiredProfile:
    """A profile the charge point should have: the `connectorId` and `csChargingProfiles` of a SetChargingProfile.req.

    Equal plans give equal digests, so that nothing is sent twice.
    """

    connector_number: int
    payload: dict[str, Any]
    digest: str
    layer: Layer

    @property
    def profile_id(self) -> int:
        """The `chargingProfileId`, unique in the charge point."""
        return int(self.payload["chargingProfileId"])

    @property
    def slot(self) -> tuple[int, str, int]:
        """What it would replace: connector, purpose and stack level (OCPP 1.6 §3.13.2)."""
        return self.connector_number, self.payload["chargingProfilePurpose"], self.payload["stackLevel"]


Steps = Sequence[tuple[int, float]]


def schedule(
    steps: Steps, capabilities: Capabilities, *, start: datetime | None, duration_s: int | None = None
) -> dict[str, Any]:
    """A `chargingSchedule` of `(second from start, amperes)`, the first at 0, in the charger's unit.

    Without `start` it is for a Relative profile, which has no `startSchedule` (OCPP 1.6 §7.13).
    """
    out: dict[str, Any] = {
        "chargingRateUnit": capabilities.unit,
        "chargingSchedulePeriod": [
            {"startPeriod": second, "limit": capabilities.in_unit(limit_a)} for second, limit_a in steps
        ],
    }
    if start is not None:
        out["startSchedule"] = stamp(start)
    if duration_s is not None:
        out["duration"] = duration_s
    return out


def desired(
    layer: Layer,
    connector_number: int,
    charging_schedule: dict[str, Any],
    *,
    purpose: str,
    stack_level: int,
    kind: str = "Absolute",
    recurrency: str | None = None,
    valid_from: datetime | None = None,
    valid_to: datetime | None = None,
    transaction_id: int | None = None,
) -> DesiredProfile:
    """Put a profile together; its id follows from connector, layer and stack level."""
    payload: dict[str, Any] = {
        "chargingProfileId": profile_id(layer, connector_number, stack_level),
        "stackLevel": stack_level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": kind,
        "chargingSchedule": charging_schedule,
    }
    if recurrency is not None:
        payload["recurrencyKind"] = recurrency
    if valid_from is not None:
        payload["validFrom"] = stamp(valid_from)
    if valid_to is not None:
        payload["validTo"] = stamp(valid_to)
    if transaction_id is not None:
        payload["transactionId"] = transaction_id
    return DesiredProfile(connector_number, payload, digest(connector_number, payload), layer)


_LAYER_BASE = {Layer.INSTALLATION: 0, Layer.WEEKLY: 100, Layer.DAYS: 200, Layer.SESSION: 300, Layer.START: 400}


def profile_id(layer: Layer, connector_number: int, stack_level: int) -> int:
    """The id of a layer's profile at a stack level; levels above 99 share one id, since a charger keeps few."""
    return connector_number * 1000 + _LAYER_BASE[layer] + min(stack_level, 99) + 1


def digest(connector_number: int, payload: dict[str, Any]) -> str:
    """A fingerprint of connector and payload (SHA-256, hex)."""
    canonical = json.dumps([connector_number, payload], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def stamp(instant: datetime) -> str:
    """An instant as RFC 3339 UTC with `Z`, whole seconds."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: object) -> datetime | None:
    """A charger's or our own timestamp as aware UTC; one without a zone is UTC; `None` if it is none at all."""
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
