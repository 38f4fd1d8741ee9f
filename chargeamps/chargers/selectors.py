"""Reads of charge points and commands, in the shapes of the API."""

from typing import Any

from django.db.models import QuerySet

from chargeamps.accounts.models import Membership
from chargeamps.chargers.models import ChargePoint, Command, InstalledProfile
from chargeamps.common.clock import isoformat

Kind = Command.Kind

# What a role may ask of the charger as a whole. The rest are refused with ``not-permitted``.
ACTIONS_OF_CHARGING_ROLES = (Kind.UNLOCK, Kind.REFRESH)
ACTIONS = (Kind.RESET, Kind.UNLOCK, Kind.REFRESH)


def with_parts(charge_points: QuerySet[ChargePoint]) -> QuerySet[ChargePoint]:
    """Fetch what ``charge_point_json`` shows, in three queries however many there are."""
    return charge_points.prefetch_related("connectors", "profiles")


def charge_point_json(charge_point: ChargePoint, *, role: str | None = None) -> dict[str, Any]:
    """A charge point as the API shows it; with a ``role``, its ``actions`` are those open to that role."""
    return {
        "id": str(charge_point.pk),
        "identity": charge_point.identity,
        "name": charge_point.name or charge_point.identity,
        "site": str(charge_point.site_id) if charge_point.site_id else None,
        "vendor": charge_point.vendor or None,
        "model": charge_point.model or None,
        "serial_number": charge_point.serial_number or None,
        "firmware_version": charge_point.firmware_version or None,
        "online": charge_point.online,
        "connected_since": isoformat(charge_point.connected_since),
        "offline_since": None if charge_point.online else isoformat(charge_point.disconnected_since),
        "last_contact": isoformat(charge_point.last_contact),
        "free_charging": charge_point.free_charging,
        "schedule_on_charger": schedule_on_charger(charge_point),
        "connectors": [
            {"id": str(connector.pk), "number": connector.number}
            for connector in sorted(charge_point.connectors.all(), key=lambda connector: connector.number)
        ],
        "actions": [str(action) for action in _actions(charge_point, role)],
    }


def schedule_on_charger(charge_point: ChargePoint) -> dict[str, str]:
    """Whether the charging profiles that should stand on the charger do, as far as it proved."""
    profiles = list(charge_point.profiles.all())
    refused = [profile for profile in profiles if profile.refusal and not _proved(profile)]
    if not profiles and "no_tx_default" in charge_point.refusals:
        return {"state": "refused", "text": "Your charging hours are not on the charger: it cannot keep any."}
    if not profiles:
        return {"state": "not_yet", "text": "Your schedule has not been sent to the charger yet."}
    if refused:
        return {
            "state": "refused",
            "text": f"Your charging hours are not on the charger: {refused[0].refusal}",
        }
    if all(_proved(profile) for profile in profiles):
        return {"state": "verified", "text": "Your schedule is on the charger and keeps working without a network."}
    if charge_point.online and all(profile.accepted_digest == profile.desired_digest for profile in profiles):
        return {"state": "unknown", "text": "The charger has accepted your schedule, but has not shown it yet."}
    if charge_point.online:
        return {"state": "sending", "text": "Your schedule is being sent to the charger."}
    return {"state": "unknown", "text": "Your schedule will be sent when the charger is back online."}


def command_json(command: Command) -> dict[str, Any]:
    reason = {"code": command.reason_code, "text": command.reason_text} if command.reason_code else None
    return {
        "id": str(command.pk),
        "kind": command.kind,
        "charge_point": str(command.charge_point_id),
        "connector": str(command.connector_id) if command.connector_id else None,
        "state": command.state,
        "reason": reason,
        "created": isoformat(command.created),
        "sent": isoformat(command.sent),
        "answered": isoformat(command.answered),
        "verified": isoformat(command.verified),
        "deadline": isoformat(command.deadline),
    }


def configuration_json(charge_point: ChargePoint) -> dict[str, Any]:
    return {
        "reported_at": isoformat(charge_point.configuration_reported),
        "keys": list(charge_point.configuration.order_by("key").values("key", "value", "read_only")),
    }


def _proved(profile: InstalledProfile) -> bool:
    return profile.verified_digest == profile.desired_digest


def _actions(charge_point: ChargePoint, role: str | None) -> tuple[Kind, ...]:
    if not charge_point.online:
        return ()
    if role is None or role in Membership.MANAGING:
        return ACTIONS
    return ACTIONS_OF_CHARGING_ROLES if role in Membership.CHARGING else ()
