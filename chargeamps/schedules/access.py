"""The only way a person's request reaches a schedule. Foreign and missing look the same: ``NotFound``."""

from uuid import UUID

from chargeamps.accounts.access import refuse_unknown
from chargeamps.accounts.models import User
from chargeamps.chargers.access import access_connector
from chargeamps.chargers.models import Connector
from chargeamps.common.ids import parse_id
from chargeamps.schedules.models import Schedule


def access_schedule(user: User, connector_id: str, id: UUID | str) -> tuple[Connector, Schedule]:
    """A schedule of a socket (or of its whole charger) that the person manages, with the socket."""
    connector = access_connector(user, connector_id, manage=True)
    key = parse_id(str(id))
    rows = Schedule.objects.select_related("charge_point").filter(charge_point=connector.charge_point_id)
    schedule = rows.filter(pk=key).first() if key else None
    if schedule is None or schedule.connector_id not in (None, connector.pk):
        refuse_unknown("schedule", id)
    return connector, schedule
