"""The only way a person's request reaches a charge point, connector or command.

Foreign and missing look the same (``NotFound``); what may be seen but not done is ``NotPermitted``. Staff have no
access by being staff.
"""

from uuid import UUID

from django.db.models import QuerySet

from chargeamps.accounts.access import refuse_role, refuse_unknown
from chargeamps.accounts.models import Membership, User
from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.common.ids import parse_id


def visible_charge_points(user: User) -> QuerySet[ChargePoint]:
    """The charge points at the sites that a person belongs to."""
    return ChargePoint.objects.filter(site__memberships__user=user)


def access_charge_point(
    user: User, id: UUID | str, *, charge: bool = False, manage: bool = False, technical: bool = False
) -> ChargePoint:
    """Return a charge point the person may see and, as asked, charge at, manage, or look into the works of."""
    key = parse_id(str(id))
    charge_point = visible_charge_points(user).select_related("site").filter(pk=key).first() if key else None
    if charge_point is None:
        refuse_unknown("charge-point", id)
    _demand_role(user, charge_point, charge=charge, manage=manage, technical=technical)
    return charge_point


def access_connector(user: User, id: UUID | str, *, charge: bool = False, manage: bool = False) -> Connector:
    """Return a connector (with its charge point) the person may see and, as asked, charge at or manage."""
    key = parse_id(str(id))
    visible = Connector.objects.select_related("charge_point__site").filter(charge_point__site__memberships__user=user)
    connector = visible.filter(pk=key).first() if key else None
    if connector is None:
        refuse_unknown("connector", id)
    _demand_role(user, connector.charge_point, charge=charge, manage=manage)
    return connector


def access_command(user: User, id: UUID | str) -> Command:
    """Return a command to a charge point the person may see."""
    key = parse_id(str(id))
    visible = Command.objects.filter(charge_point__site__memberships__user=user)
    command = visible.filter(pk=key).first() if key else None
    if command is None:
        refuse_unknown("command", id)
    return command


def _demand_role(user: User, charge_point: ChargePoint, *, charge: bool, manage: bool, technical: bool = False) -> None:
    membership = Membership.objects.get(user=user, site=charge_point.site)
    for act, asked, roles in (
        ("charge", charge, Membership.CHARGING),
        ("manage", manage, Membership.MANAGING),
        ("look-into", technical, Membership.TECHNICAL),
    ):
        if asked and membership.role not in roles:
            refuse_role(membership, act)
