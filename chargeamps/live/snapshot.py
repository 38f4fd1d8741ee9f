"""What a person may see, as one snapshot, and the changes that lead from one snapshot to the next."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from chargeamps.accounts.models import Membership, User
from chargeamps.accounts.selectors import site_json
from chargeamps.chargers.access import visible_charge_points
from chargeamps.chargers.models import Command
from chargeamps.chargers.selectors import charge_point_json, command_json, with_parts
from chargeamps.common import clock
from chargeamps.schedules.hours import site_hours
from chargeamps.schedules.selectors import COMMAND_SHOWN, connectors_json, hours_brief

Snapshot = dict[str, dict[str, dict[str, Any]]]
Change = dict[str, Any]

COLLECTIONS = ("sites", "charge_points", "connectors", "commands")


def read(user: User, charge_points: Iterable[UUID] | None = None) -> Snapshot:
    """All that ``user`` may see, or the part of it that belongs to some charge points (sites come always)."""
    now = clock.now()
    memberships = list(Membership.objects.filter(user=user).select_related("site"))
    roles: dict[UUID | None, str] = {membership.site_id: membership.role for membership in memberships}
    rows = with_parts(visible_charge_points(user).select_related("site"))
    if charge_points is not None:
        rows = rows.filter(pk__in=list(charge_points))
    found = list(rows)
    commands = Command.objects.filter(charge_point__in=found, created__gte=now - COMMAND_SHOWN)
    hours = site_hours([membership.site for membership in memberships], now)
    return {
        "sites": {
            str(m.site_id): {**site_json(m.site, m.role), "default_hours": hours_brief(hours[m.site_id], m.role)}
            for m in memberships
        },
        "charge_points": {str(row.pk): charge_point_json(row, role=roles.get(row.site_id)) for row in found},
        "connectors": connectors_json(found, roles, now),
        "commands": {str(command.pk): command_json(command) for command in commands},
    }


def changes(old: Snapshot, new: Snapshot) -> list[Change]:
    """What leads from ``old`` to ``new``: whole objects, None for one that is gone."""
    return [
        {"collection": collection, "id": key, "value": new[collection].get(key)}
        for collection in COLLECTIONS
        for key in sorted(old[collection].keys() | new[collection].keys())
        if old[collection].get(key) != new[collection].get(key)
    ]


def apply(snapshot: Snapshot, changes: Iterable[Change]) -> Snapshot:
    """The snapshot after ``changes``: what every client does."""
    result = {collection: dict(snapshot[collection]) for collection in COLLECTIONS}
    for change in changes:
        if change["value"] is None:
            result[change["collection"]].pop(change["id"], None)
        else:
            result[change["collection"]][change["id"]] = change["value"]
    return result


def replace_part(whole: Snapshot, part: Snapshot, charge_points: set[str]) -> Snapshot:
    """``whole`` with everything that belongs to ``charge_points`` taken from ``part`` instead."""

    def belongs(collection: str, key: str, value: dict[str, Any]) -> bool:
        return key in charge_points if collection == "charge_points" else value.get("charge_point") in charge_points

    result: Snapshot = {"sites": part["sites"]}
    for collection in COLLECTIONS[1:]:
        kept = {k: v for k, v in whole[collection].items() if not belongs(collection, k, v)}
        result[collection] = kept | part[collection]
    return result
