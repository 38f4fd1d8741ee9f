"""The present figures of many sockets at once: the hot path of MeterValues."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.db import connection, transaction

from chargeamps.chargers.models import Command, Connector
from chargeamps.chargers.services.commands import verify_by_status
from chargeamps.chargers.services.reporting import LiveReading
from chargeamps.common import sql
from chargeamps.common.bus import CHANGED, bus


@dataclass(frozen=True, slots=True)
class Live:
    """A reading and the socket it is of."""

    charge_point: UUID
    connector: UUID
    reading: LiveReading


@transaction.atomic(savepoint=False)
def readings_reported(readings: Sequence[Live]) -> None:
    """Show readings as their connectors' present figures, unless newer ones are known."""
    newest: dict[UUID, Live] = {}
    for live in readings:
        known = newest.get(live.connector)
        if known is None or known.reading.measured <= live.reading.measured:
            newest[live.connector] = live
    rows = [
        (r.measured, r.power_w, r.current_a, r.current_offered_a, r.voltage_v, live.connector)
        for live in newest.values()
        for r in (live.reading,)
    ]
    if not rows:
        return
    if connection.vendor == "postgresql":
        sql.execute(_SHOW_ALL, *(list(column) for column in zip(*rows, strict=True)))
    else:
        sql.execute_many(_SHOW, [(*row, row[0]) for row in rows])
    proving = Command.objects.filter(connector__in=list(newest), state=Command.State.ACCEPTED)
    for connector in Connector.objects.filter(pk__in=set(proving.values_list("connector", flat=True))):
        shown = newest[connector.pk].reading
        if connector.measured == shown.measured:
            verify_by_status(connector=connector, received=shown.measured)
    boxes = {live.charge_point for live in newest.values()}
    # One hook for all: a hook each would cost as much as the statement.
    transaction.on_commit(partial(_tell, boxes), robust=True)


def _tell(charge_points: Iterable[UUID]) -> None:
    for charge_point in charge_points:
        bus.publish(CHANGED, charge_point=str(charge_point), reading=True)


_SHOW = """
    UPDATE chargers_connector
    SET measured = %s, power_w = COALESCE(%s, power_w), current_a = COALESCE(%s, current_a),
        current_offered_a = COALESCE(%s, current_offered_a), voltage_v = COALESCE(%s, voltage_v)
    WHERE id = %s AND (measured IS NULL OR measured <= %s)
"""
_SHOW_ALL = """
    UPDATE chargers_connector AS connector
    SET measured = new.measured, power_w = COALESCE(new.power_w, connector.power_w),
        current_a = COALESCE(new.current_a, connector.current_a),
        current_offered_a = COALESCE(new.current_offered_a, connector.current_offered_a),
        voltage_v = COALESCE(new.voltage_v, connector.voltage_v)
    FROM unnest(%s::timestamptz[], %s::float8[], %s::float8[], %s::float8[], %s::float8[], %s::uuid[])
        AS new (measured, power_w, current_a, current_offered_a, voltage_v, id)
    WHERE connector.id = new.id AND (connector.measured IS NULL OR connector.measured <= new.measured)
"""
