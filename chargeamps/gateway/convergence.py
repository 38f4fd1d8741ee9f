"""Desired less reported is what is left to do: bring a charger to what the database says should last on it.

Runs after every boot or reconnect, at every ring of the doorbell, and daily. It may run at any time and any number of
times: where nothing differs it makes no call but the proof that the schedule still stands.
"""

from datetime import timedelta
from uuid import UUID

from chargeamps.chargers.models import ChargePoint, ConfigurationKey, Connector
from chargeamps.chargers.selectors import WRONG_CLOCK_SECONDS
from chargeamps.common import clock
from chargeamps.gateway.charging_profiles import converge
from chargeamps.gateway.commands import going_on
from chargeamps.gateway.configuration import read_configuration, set_key
from chargeamps.gateway.connection import Connection
from chargeamps.schedules.services import delays, ready_by
from chargeamps.usage.selectors import open_sessions
from chargeamps.usage.services.power import wanted_sample_interval

CONFIGURATION_AGE = timedelta(days=1)
WANTED_CONFIGURATION = {
    "MeterValuesSampledData": (
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Current.Offered,Voltage"
    ),
}


async def settle(connection: Connection) -> None:
    """Make all the calls that are left to make."""
    charge_point = connection.opened.charge_point
    if await connection.commit(_configuration_old, charge_point):
        with going_on():
            await read_configuration(connection)
    for key, value in await connection.commit(_keys_to_set, charge_point):
        await set_key(connection, key, value)
    await connection.commit(_freshen, charge_point)
    await converge(connection)
    await _ask_for_status(connection)
    if await connection.commit(_clock_is_wrong, charge_point):
        # A Heartbeat.conf carries the time (OCPP 1.6 §4.6).
        await _ask(connection, "TriggerMessage", {"requestedMessage": "Heartbeat"})


def _configuration_old(charge_point: UUID) -> bool:
    reported = ChargePoint.objects.values_list("configuration_reported", flat=True).get(pk=charge_point)
    return reported is None or clock.now() - reported > CONFIGURATION_AGE


def _freshen(charge_point: UUID) -> None:
    """Draw anew the delays that are used or a day old, and look again at what was asked to be ready in time."""
    now = clock.now()
    connectors = Connector.objects.filter(charge_point=charge_point).values_list("pk", flat=True)
    ready_by.look_again(charge_point=charge_point, now=now)
    delays.freshen(charge_point=charge_point, now=now, busy=open_sessions(connectors))


def _clock_is_wrong(charge_point: UUID) -> bool:
    offset = ChargePoint.objects.values_list("clock_offset_seconds", flat=True).get(pk=charge_point)
    return offset is not None and abs(offset) > WRONG_CLOCK_SECONDS


async def _ask_for_status(connection: Connection) -> None:
    """Ask for the status of connectors that have told none on this socket: it may have changed while they were away."""
    silent = set(connection.opened.connectors) - connection.statuses_told
    for number in sorted(silent):
        await _ask(connection, "TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": number})
        connection.statuses_told.add(number)


def _keys_to_set(charge_point: UUID) -> list[tuple[str, str]]:
    """Keys that the charger has, may be written and hold something else."""
    wanted = {"MeterValueSampleInterval": str(wanted_sample_interval(charge_point)), **WANTED_CONFIGURATION}
    reported = {row.key: row for row in ConfigurationKey.objects.filter(charge_point=charge_point)}
    return [
        (key, value)
        for key, value in wanted.items()
        if key in reported and not reported[key].read_only and reported[key].value != value
    ]


async def _ask(connection: Connection, action: str, payload: dict[str, object]) -> None:
    """Make a call whose refusal changes nothing."""
    with going_on():
        await connection.call(action, payload)
