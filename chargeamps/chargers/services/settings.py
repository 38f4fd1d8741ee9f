"""What an owner may change of a charge point."""

from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.chargers.models import ChargePoint
from chargeamps.common.bus import CHANGED, DOORBELL, bus
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record


@transaction.atomic
def change_settings(
    *, charge_point: ChargePoint, user: User, name: str | None = None, free_charging: bool | None = None
) -> ChargePoint:
    """Change what is given; who may charge is a security setting, so it is in the log."""
    if name is not None:
        charge_point.name = name
    opened = free_charging is not None and free_charging != charge_point.free_charging
    if free_charging is not None:
        charge_point.free_charging = free_charging
    charge_point.save(update_fields=["name", "free_charging"])
    bus.publish_on_commit(CHANGED, charge_point=str(charge_point.pk), site=str(charge_point.site_id or ""))
    if opened:
        bus.publish_on_commit(DOORBELL, charge_point=str(charge_point.pk))
        record(
            kind="settings-changed",
            outcome=Entry.Outcome.SUCCESS,
            actor=str(user.pk),
            charge_point=str(charge_point.pk),
            site=str(charge_point.site_id or ""),
            detail={"free_charging": charge_point.free_charging},
        )
    return charge_point
