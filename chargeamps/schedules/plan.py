"""From the database to the planner: what holds for each connector of a charge point, as one plan."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.schedules import planner
from chargeamps.schedules.models import Override

# A socket of the Aura delivers at most 32 A a phase.
CONNECTOR_MAX_A = 32.0
# How far ahead the plan is looked at to say when charging starts or ends: over any weekend.
HORIZON = timedelta(days=7)


def overrides_in_force(connectors: Sequence[UUID]) -> dict[UUID, Override]:
    """The "charge now" of each connector that has not ended."""
    return {o.connector_id: o for o in Override.objects.filter(connector__in=connectors, ended=None)}


def default_hours(charge_point: ChargePoint, at: datetime) -> tuple[planner.Window, ...]:
    """The default charging hours: until the owner chooses, the preset holds (SI 2021/1467 reg 10)."""
    return planner.rules_at(at).preset_hours


def planned_connector(
    charge_point: ChargePoint, connector: Connector, override: Override | None, at: datetime
) -> planner.Connector:
    """One connector as the planner takes it."""
    return planner.Connector(
        number=connector.number,
        max_a=CONNECTOR_MAX_A,
        hours=default_hours(charge_point, at),
        zone=ZoneInfo(charge_point.site.time_zone) if charge_point.site else planner.LONDON,
        charge_now=(planner.ChargeNow(start=override.created),) if override else (),
    )


def timelines(
    charge_point: ChargePoint,
    connectors: Sequence[Connector],
    overrides: Mapping[UUID, Override],
    start: datetime,
    end: datetime,
) -> Mapping[int, planner.Timeline]:
    """The plan of each connector (by number) from ``start`` up to ``end``."""
    request = planner.PlanRequest(
        start=start,
        end=end,
        connectors=tuple(planned_connector(charge_point, c, overrides.get(c.pk), start) for c in connectors),
    )
    return planner.build_plan(request).timelines
