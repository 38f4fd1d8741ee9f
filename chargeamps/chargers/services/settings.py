"""What an owner, or for the installation's limit an installer, may change of a charge point."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.chargers.models import ChargePoint
from chargeamps.common.bus import CHANGED, DOORBELL, bus
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record

# Who may charge, and what the installation carries, bear on safety and security, so they are in the log.
LOGGED = ("free_charging", "installation_limit_a")


@transaction.atomic
def change_settings(*, charge_point: ChargePoint, user: User, changes: Mapping[str, Any]) -> ChargePoint:
    """Change the fields given: ``name``, ``free_charging``, ``installation_limit_a`` (6 to 80 A, None for no limit)."""
    before = {name: getattr(charge_point, name) for name in LOGGED}
    for name, value in changes.items():
        setattr(charge_point, name, value)
    charge_point.save(update_fields=list(changes))
    bus.publish_on_commit(CHANGED, charge_point=str(charge_point.pk), site=str(charge_point.site_id or ""))
    detail = {name: getattr(charge_point, name) for name in LOGGED if getattr(charge_point, name) != before[name]}
    if detail:
        bus.publish_on_commit(DOORBELL, charge_point=str(charge_point.pk))
        record(
            kind="settings-changed",
            outcome=Entry.Outcome.SUCCESS,
            actor=str(user.pk),
            charge_point=str(charge_point.pk),
            site=str(charge_point.site_id or ""),
            detail=detail,
        )
    return charge_point
