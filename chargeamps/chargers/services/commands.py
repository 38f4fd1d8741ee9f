"""Commands: what should happen once. Asked for here, carried out by the gateway, proved by what the charger does."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from chargeamps.accounts.models import User
from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.chargers.services.connections import publish_change
from chargeamps.common import clock
from chargeamps.common.bus import DOORBELL, bus
from chargeamps.common.problems import Conflict
from chargeamps.securitylog.services import record

Kind = Command.Kind
State = Command.State

# By when the effect must show, in seconds. A real charger and car take up to half a minute to let current flow.
TIME_ALLOWED = {
    Kind.CHARGE_NOW: 75,
    Kind.WAIT_FOR_SCHEDULE: 60,
    Kind.STOP: 60,
    Kind.RESET: 180,
    Kind.UNLOCK: 45,
    Kind.SET_AVAILABILITY: 60,
    Kind.REFRESH: 60,
}
# Kinds that change how the charger behaves for everyone; they are in the security log.
LOGGED_KINDS = frozenset({Kind.RESET, Kind.UNLOCK, Kind.SET_AVAILABILITY})
DELIVERING = frozenset({"Charging"})
PAUSED = frozenset({"SuspendedEVSE", "SuspendedEV", "Available", "Preparing", "Finishing"})
# Below this a socket is taken as not delivering: standby of the car's own charger, and noise of the meter.
FLOWING_W = 100.0


@transaction.atomic
def request(
    *,
    charge_point: ChargePoint,
    kind: str,
    user: User | None,
    connector: Connector | None = None,
    parameters: dict[str, Any] | None = None,
) -> Command:
    """Queue a command and ring the charger's doorbell; a second request finds the one that is still open.

    Raises ``Conflict`` (code ``charger-offline``) when the charger is not connected: it is refused now rather than
    carried out at some later hour by surprise.
    """
    if not charge_point.online:
        raise Conflict(
            "Your charger is offline, so this cannot reach it now. Try again when it is back online.",
            code="charger-offline",
        )
    now = clock.now()
    open_command = (
        Command.objects.filter(
            charge_point=charge_point, connector=connector, kind=kind, state__in=Command.OPEN, deadline__gt=now
        )
        .order_by("-created")
        .first()
    )
    if open_command is not None:
        return open_command
    expire_overdue(now=now, charge_point=charge_point.pk)
    try:
        with transaction.atomic():
            command = Command.objects.create(
                charge_point=charge_point,
                connector=connector,
                kind=kind,
                parameters=parameters or {},
                requested_by=user,
                created=now,
                deadline=now + timedelta(seconds=TIME_ALLOWED[Kind(kind)]),
            )
    except IntegrityError:  # the other phone was quicker by a moment
        return Command.objects.get(connector=connector, kind=kind, state__in=Command.OPEN)
    if command.kind in LOGGED_KINDS:
        record(
            kind=f"command-{command.kind}",
            outcome="success",
            actor=str(user.pk) if user else "",
            charge_point=str(charge_point.pk),
            site=str(charge_point.site_id or ""),
            detail={"command": str(command.pk), **command.parameters},
        )
    bus.publish_on_commit(DOORBELL, charge_point=str(charge_point.pk))
    publish_change(charge_point.pk)
    return command


@transaction.atomic
def claim_next(*, charge_point: UUID, now: datetime) -> Command | None:
    """Take the oldest queued command, marking it sent, so that no other process or task sends it too.

    The claim is a conditional update: whoever changes the row from ``queued`` has it. It is committed before the frame
    goes out, so a crash in between leaves a command that times out, never one that is carried out twice.
    """
    queued = Command.objects.filter(charge_point=charge_point, state=State.QUEUED, deadline__gt=now)
    for command in queued.select_related("connector", "charge_point").order_by("created"):
        if Command.objects.filter(pk=command.pk, state=State.QUEUED).update(state=State.SENT, sent=now):
            command.state, command.sent = State.SENT, now
            publish_change(charge_point)
            return command
    return None


@transaction.atomic
def accepted(*, command: UUID, now: datetime) -> None:
    """The charger agreed. If its effect already shows, the command is proved at once."""
    if _move(command, (State.SENT,), State.ACCEPTED, answered=now):
        row = Command.objects.select_related("connector").get(pk=command)
        if row.connector is not None:
            verify_by_status(connector=row.connector, received=now)


@transaction.atomic
def rejected(*, command: UUID, now: datetime, code: str, text: str) -> None:
    _move(command, (State.SENT,), State.REJECTED, answered=now, reason_code=code, reason_text=text)


@transaction.atomic
def timed_out(*, command: UUID) -> int:
    return _move(
        command,
        (State.SENT,),
        State.TIMED_OUT,
        reason_code="no-answer",
        reason_text="Your charger did not answer. Check that it has power and network, then try again.",
    )


@transaction.atomic
def verified(*, command: UUID, now: datetime) -> None:
    _move(command, (State.SENT, State.ACCEPTED), State.VERIFIED, verified=now)


def verify_by_status(*, connector: Connector, received: datetime) -> None:
    """Prove accepted commands by what the connector now does (its status or its power)."""
    flowing = connector.status in DELIVERING or (connector.power_w or 0) > FLOWING_W
    for command in Command.objects.filter(connector=connector, state=State.ACCEPTED):
        proved = {
            Kind.CHARGE_NOW: flowing,
            Kind.WAIT_FOR_SCHEDULE: not flowing or bool(command.parameters.get("allowed_now")),
            Kind.STOP: connector.status in PAUSED - {"SuspendedEVSE", "SuspendedEV"},
            Kind.SET_AVAILABILITY: (connector.status != "Unavailable") == bool(command.parameters.get("available")),
        }.get(Kind(command.kind), False)
        if proved:
            _move(command.pk, (State.ACCEPTED,), State.VERIFIED, verified=received)


def verify_stopped(*, connector: UUID, now: datetime) -> None:
    """Prove a stop by the end of the charging session, which may come before the charger's answer."""
    for command in Command.objects.filter(connector=connector, kind=Kind.STOP, state__in=(State.SENT, State.ACCEPTED)):
        verified(command=command.pk, now=now)


def verify_restarted(*, charge_point: UUID, now: datetime) -> None:
    """Prove a restart by the BootNotification that follows it."""
    for command in Command.objects.filter(
        charge_point=charge_point, kind=Kind.RESET, state__in=(State.SENT, State.ACCEPTED)
    ):
        verified(command=command.pk, now=now)


@transaction.atomic
def expire_overdue(*, now: datetime, charge_point: UUID | None = None) -> list[Command]:
    """Close commands whose time is up, with what went wrong and what to do. Returns them as they ended."""
    overdue = Command.objects.filter(state__in=Command.OPEN, deadline__lte=now).select_related("connector")
    if charge_point is not None:
        overdue = overdue.filter(charge_point=charge_point)
    ended = []
    for command in overdue:
        if command.state == State.QUEUED:
            moved = _move(
                command.pk,
                (State.QUEUED,),
                State.EXPIRED,
                reason_code="not-sent",
                reason_text="Your charger could not be reached in time, so nothing was sent. Try again.",
            )
        elif command.state == State.SENT:
            moved = timed_out(command=command.pk)
        else:
            code, text = _why_no_effect(command)
            moved = _move(command.pk, (State.ACCEPTED,), State.NO_EFFECT, reason_code=code, reason_text=text)
        if moved:
            command.refresh_from_db()
            ended.append(command)
    return ended


def _why_no_effect(command: Command) -> tuple[str, str]:
    """What went wrong with an accepted command, and what to do, in plain words."""
    status = command.connector.status if command.connector else ""
    if command.kind == Kind.CHARGE_NOW:
        if status == "SuspendedEV":
            return "car-not-taking-power", (
                "The charger is offering power, but the car is not taking it. Check the charge limit and the timer in "
                "the car."
            )
        if status in ("Available", "Preparing", "Finishing"):
            return "not-started", (
                "The charger agreed but did not start. Unplug the cable from the car, plug it in again, and try once "
                "more."
            )
        if status == "SuspendedEVSE":
            return "held-back", (
                "The charger agreed but is still holding back power. Another limit may be in force. Try again, or "
                "restart the charger."
            )
        if status == "Faulted":
            return "fault", "The charger reports a fault and cannot charge. Call your installer."
    if command.kind == Kind.STOP:
        return "still-charging", "The charger agreed but is still charging. Try again, or end charging in the car."
    return "no-effect", "The charger agreed, but nothing changed. Try again."


def _move(command: UUID, origin: tuple[str, ...], state: str, **fields: Any) -> int:
    """Change a command's state if it still is in one of ``origin``; publish if it was."""
    moved = Command.objects.filter(pk=command, state__in=origin).update(state=state, **fields)
    if moved:
        publish_change(Command.objects.values_list("charge_point_id", flat=True).get(pk=command))
    return moved
