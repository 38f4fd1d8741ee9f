"""Reads of charge points and commands, in the shapes of the API."""

from typing import Any

from django.db.models import QuerySet

from chargeamps.accounts.models import Membership
from chargeamps.chargers.models import ChargePoint, Command, InstalledProfile
from chargeamps.common.clock import isoformat

Kind = Command.Kind

# A charger's clock that is off by more than this moves its charging hours noticeably.
WRONG_CLOCK_SECONDS = 120.0
# What a charger cannot keep of the plan (codes of chargeamps.gateway.profiles.Shortfall), and what is done instead.
SHORTFALLS = {
    "one-stack-level": (
        "This charger keeps one schedule at a time. It is sent a new one when the clocks change; around that day it "
        "keeps the hours that are right on both sides."
    ),
    "few-periods": "This charger keeps few switching times, so it charges in fewer hours than you chose while offline.",
    "no-recurring": (
        "This charger cannot repeat a schedule by itself. It holds the coming weeks and is sent more while online."
    ),
    "no-charge-point-max": (
        "This charger cannot share the installation's limit between its sockets, so each gets an equal part."
    ),
    "not-stored": (
        "This charger cannot keep charging hours. They are sent to it for each session, and only while it is online."
    ),
    "no-start-delay": (
        "This charger cannot wait the random delay by itself when a car is plugged in. It waits while it is online."
    ),
}

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
        "installation_limit_a": charge_point.installation_limit_a,
        "schedule_on_charger": schedule_on_charger(charge_point),
        "notices": notices(charge_point),
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


def notices(charge_point: ChargePoint) -> list[dict[str, str]]:
    """What the owner should know of this charger, in plain words."""
    found = [{"code": code, "text": SHORTFALLS[code]} for code in charge_point.shortfalls if code in SHORTFALLS]
    offset = charge_point.clock_offset_seconds
    if offset is not None and abs(offset) > WRONG_CLOCK_SECONDS:
        way = "ahead" if offset > 0 else "behind"
        minutes = abs(offset) / 60
        length = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"
        text = (
            f"The charger's own clock is about {length} {way}, so while it is offline it may charge at the wrong time. "
            "It is told the time whenever it is online."
        )
        found.append({"code": "clock-wrong", "text": text})
    return found


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
