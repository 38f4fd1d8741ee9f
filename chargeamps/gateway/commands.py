"""Carrying out commands: claim the row, make the call, store the answer. The effect proves itself by later reports."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog

from chargeamps.chargers.models import ChargePoint, Command, ConfigurationKey, InstalledProfile
from chargeamps.chargers.services import commands
from chargeamps.common import clock, sql
from chargeamps.gateway.configuration import read_configuration
from chargeamps.gateway.connection import CallFailed, Connection
from chargeamps.gateway.profiles import Capabilities, DesiredProfile, Layer, charge_now_profile
from chargeamps.gateway.source import StaleConnection
from chargeamps.gateway.writer import writer
from chargeamps.schedules.plan import CONNECTOR_MAX_A
from chargeamps.schedules.services import overrides
from chargeamps.usage.selectors import open_sessions

log = structlog.get_logger(__name__)

Kind = Command.Kind

REFUSED = {
    Kind.CHARGE_NOW: "Your charger refused to start. Unplug the car, plug it in again, and try once more.",
    Kind.WAIT_FOR_SCHEDULE: "Your charger refused to go back to its schedule. Try again, or stop charging.",
    Kind.SKIP_DELAY: "Your charger refused to start yet. Try again, or wait: charging starts by itself.",
    Kind.STOP: "Your charger refused to stop. Try again, or end charging in the car.",
    Kind.RESET: "Your charger refused to restart. Try again later.",
    Kind.UNLOCK: "Your charger could not release the cable. Stop charging first, then try again.",
    Kind.SET_AVAILABILITY: "Your charger refused. Try again later.",
    Kind.REFRESH: "Your charger did not give its details.",
}


# What a limit in watts is spread over where nobody says otherwise (OCPP 1.6 §7.14).
DEFAULT_PHASES = 3


class Refused(Exception):
    """The charger answered, and the answer was no."""

    def __init__(self, status: str) -> None:
        super().__init__(status)
        self.status = status


@contextmanager
def going_on() -> Iterator[None]:
    """A call that was refused or not answered leaves the rest to be done; a broken connection does not."""
    try:
        yield
    except Refused:
        pass
    except CallFailed as failure:
        if failure.code == "Disconnected":
            raise


async def carry_out_commands(connection: Connection) -> None:
    """Carry out all queued commands of a charger, oldest first."""
    charge_point = connection.opened.charge_point
    while not connection.closed:
        command, start = await connection.commit(_claim_next, charge_point)
        if command is None:
            return
        await _carry_out(connection, command, start)


def _claim_next(charge_point: UUID) -> "tuple[Command | None, _Start | None]":
    """The next command and, where current is to flow, what to send: one commit, since a person waits for each."""
    # Asked at every boot and ring, and mostly there is none.
    if not sql.fetch(_QUEUED, charge_point):
        return None, None
    command = commands.claim_next(charge_point=charge_point, now=clock.now())
    if command is None or command.kind not in (Kind.CHARGE_NOW, Kind.SKIP_DELAY):
        return command, None
    return command, _charge_now_start(command)


_QUEUED = "SELECT 1 FROM chargers_command WHERE charge_point_id = %s AND state = 'queued' LIMIT 1"


async def _carry_out(connection: Connection, command: Command, start: "_Start | None") -> None:
    try:
        if start is not None:
            await _charge_now(connection, command, start)
        else:
            await ACTS[Kind(command.kind)](connection, command)
    except CallFailed as failure:
        await writer.submit(_failed, command, failure.code)
    except StaleConnection:
        await writer.submit(_failed, command, "Disconnected")
    except Refused as refusal:
        await writer.submit(_failed, command, refusal.status)
    else:
        await writer.submit(lambda: commands.accepted(command=command.pk, now=clock.now()))


def _failed(command: Command, answer: str) -> None:
    """Store a refusal, or that there was no answer. Not guarded by the epoch: the command was this socket's."""
    match answer:
        case "Timeout":
            ended = commands.timed_out(command=command.pk)
        case "Disconnected":
            ended = commands.timed_out(command=command.pk, reason=commands.CONNECTION_LOST)
        case "NotImplemented" | "NotSupported":
            ended = commands.rejected(
                command=command.pk, now=clock.now(), code="not-supported", text="This charger cannot do that."
            )
        case _:
            ended = commands.rejected(
                command=command.pk, now=clock.now(), code="refused", text=REFUSED[Kind(command.kind)]
            )
    if ended:
        command.refresh_from_db()
        overrides.charge_now_failed(command=command)


def expect(answer: dict[str, Any], *accepted: str) -> str:
    """Return the answer's status if it is one of ``accepted``; raise ``Refused`` otherwise."""
    status = str(answer.get("status", ""))
    if status not in accepted:
        raise Refused(status)
    return status


async def _charge_now(connection: Connection, command: Command, start: "_Start") -> None:
    """A TxProfile for the running transaction, else a remote start that carries it (OCPP 1.6 §5.11, §5.16).

    The profile is on record before it is sent: where the answer is lost, or nothing comes of it, it is cleared again.
    """
    assert command.connector is not None
    number = command.connector.number
    if start.transaction_id is not None:
        answer = await connection.call(
            "SetChargingProfile", {"connectorId": number, "csChargingProfiles": start.profile.payload}
        )
        expect(answer, "Accepted")
    else:
        answer = await connection.call(
            "RemoteStartTransaction",
            {"connectorId": number, "idTag": start.id_tag, "chargingProfile": start.profile.payload},
        )
        expect(answer, "Accepted")


class _Start:
    __slots__ = ("id_tag", "profile", "transaction_id")

    def __init__(self, profile: DesiredProfile, transaction_id: int | None, id_tag: str) -> None:
        self.profile = profile
        self.transaction_id = transaction_id
        self.id_tag = id_tag


def _charge_now_start(command: Command) -> _Start:
    assert command.connector is not None
    session = open_sessions([command.connector.pk]).get(command.connector.pk)
    charge_point = command.charge_point
    transaction_id = session.transaction_id if session else None
    now = clock.now()
    _, until = overrides.session_until(command.connector.pk, now)
    profile = charge_now_profile(
        command.connector.number,
        CONNECTOR_MAX_A,
        capabilities_of(charge_point),
        now,
        transaction_id=transaction_id,
        until=until,
    )
    expect_session_profile(charge_point.pk, profile)
    return _Start(profile, transaction_id, charge_point.app_id_tag)


def capabilities_of(charge_point: ChargePoint) -> Capabilities:
    """What this charge point can do with charging profiles, as far as it said and was seen to refuse."""
    configuration = dict(ConfigurationKey.objects.filter(charge_point=charge_point).values_list("key", "value"))
    said = configuration.get("MaxPhases")
    phases = int(said) if said in ("1", "2", "3") else DEFAULT_PHASES
    return Capabilities.from_configuration(configuration, charge_point.refusals, phases=phases)


def expect_session_profile(charge_point: UUID, profile: DesiredProfile) -> None:
    """Have a session's profile on record, so that it is cleared again whatever comes of sending it."""
    InstalledProfile.objects.update_or_create(
        charge_point_id=charge_point,
        connector_number=profile.connector_number,
        profile_id=profile.profile_id,
        defaults={
            "layer": Layer.SESSION,
            "payload": profile.payload,
            "desired_digest": profile.digest,
            "accepted_digest": profile.digest,
            "accepted": clock.now(),
            "verified_digest": profile.digest,
        },
    )


async def _wait_for_schedule(connection: Connection, command: Command) -> None:
    """Clear the session's profile; what is stored below it holds again (OCPP 1.6 §5.3)."""
    assert command.connector is not None
    await clear_session_profiles(connection, command.connector.number)


async def clear_session_profiles(connection: Connection, number: int) -> None:
    """Clear what "charge now" put on a connector. ``Unknown`` means that it had gone already."""
    rows = InstalledProfile.objects.filter(
        charge_point=connection.opened.charge_point, connector_number=number, layer=Layer.SESSION
    )
    for profile_id in await connection.commit(lambda: list(rows.values_list("profile_id", flat=True))):
        expect(await connection.call("ClearChargingProfile", {"id": profile_id}), "Accepted", "Unknown")
        await connection.commit(rows.filter(profile_id=profile_id).delete)


async def _stop(connection: Connection, command: Command) -> None:
    connector = command.connector
    assert connector is not None
    session = await connection.commit(lambda: open_sessions([connector.pk]).get(connector.pk))
    if session is None:
        await connection.commit(lambda: commands.verified(command=command.pk, now=clock.now()))
        return
    expect(await connection.call("RemoteStopTransaction", {"transactionId": session.transaction_id}), "Accepted")


async def _reset(connection: Connection, command: Command) -> None:
    kind = "Hard" if command.parameters.get("type") == "hard" else "Soft"
    expect(await connection.call("Reset", {"type": kind}), "Accepted")


async def _unlock(connection: Connection, command: Command) -> None:
    number = command.connector.number if command.connector else 1
    expect(await connection.call("UnlockConnector", {"connectorId": number}), "Unlocked")
    await connection.commit(lambda: commands.verified(command=command.pk, now=clock.now()))


async def _set_availability(connection: Connection, command: Command) -> None:
    number = command.connector.number if command.connector else 0
    kind = "Operative" if command.parameters.get("available") else "Inoperative"
    expect(await connection.call("ChangeAvailability", {"connectorId": number, "type": kind}), "Accepted", "Scheduled")


async def _refresh(connection: Connection, command: Command) -> None:
    await read_configuration(connection)
    await connection.commit(lambda: commands.verified(command=command.pk, now=clock.now()))


ACTS: dict[Kind, Callable[[Connection, Command], Awaitable[None]]] = {
    Kind.WAIT_FOR_SCHEDULE: _wait_for_schedule,
    Kind.STOP: _stop,
    Kind.RESET: _reset,
    Kind.UNLOCK: _unlock,
    Kind.SET_AVAILABILITY: _set_availability,
    Kind.REFRESH: _refresh,
}
