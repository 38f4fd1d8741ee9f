"""Commands: what should happen once. Asked for here, carried out by the gateway, proved by what the charger does."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

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
    Kind.SKIP_DELAY: 75,
    Kind.RESET: 180,
    Kind.UNLOCK: 45,
    Kind.SET_AVAILABILITY: 60,
    Kind.REFRESH: 60,
}
# Once power is offered, a car that wants it takes it within this time; a person need not wait longer to be told.
CAR_MAY_TAKE = timedelta(seconds=20)
# Kinds that change how the charger behaves for everyone; they are in the security log.
LOGGED_KINDS = frozenset({Kind.RESET, Kind.UNLOCK, Kind.SET_AVAILABILITY})
DELIVERING = frozenset({"Charging"})
PAUSED = frozenset({"SuspendedEVSE", "SuspendedEV", "Available", "Preparing", "Finishing"})
# Below this a socket is taken as not delivering: standby of the car's own charger, and noise of the meter.
FLOWING_W = 100.0
# A reading proves a command where it was taken after it, give or take a charger's clock.
CLOCK_TOLERANCE = timedelta(seconds=30)
# What a person asks for later takes the place of what they asked for before.
REPLACES: Mapping[str, tuple[str, ...]] = {
    Kind.CHARGE_NOW: (Kind.WAIT_FOR_SCHEDULE, Kind.STOP, Kind.SKIP_DELAY),
    Kind.WAIT_FOR_SCHEDULE: (Kind.CHARGE_NOW, Kind.SKIP_DELAY),
    Kind.STOP: (Kind.CHARGE_NOW, Kind.WAIT_FOR_SCHEDULE, Kind.SKIP_DELAY),
}

Reason = tuple[str, str]
NO_ANSWER: Reason = (
    "no-answer",
    "Your charger did not answer. Check that it has power and network, then try again.",
)
CONNECTION_LOST: Reason = ("disconnected", "The connection to your charger broke. Try again when it is back online.")
REPLACED: Reason = ("replaced", "You asked for something else before this was done.")


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

    Requests for one charge point stand in line for its row, so that two phones at once make one command. Raises
    ``Conflict`` (code ``charger-offline``) when the charger is not connected: it is refused now rather than carried out
    at some later hour by surprise.
    """
    charge_point = ChargePoint.objects.select_for_update().get(pk=charge_point.pk)
    expire_overdue(now=clock.now(), charge_point=charge_point.pk)
    return request_in_line(charge_point=charge_point, kind=kind, user=user, connector=connector, parameters=parameters)


def request_in_line(
    *,
    charge_point: ChargePoint,
    kind: str,
    user: User | None,
    connector: Connector | None = None,
    parameters: dict[str, Any] | None = None,
) -> Command:
    """As ``request``, for a caller who has locked the charge point's row and closed what was overdue."""
    parameters = parameters or {}
    if not charge_point.online:
        raise Conflict(
            "Your charger is offline, so this cannot reach it now. Try again when it is back online.",
            code="charger-offline",
        )
    now = clock.now()
    for other in Command.objects.filter(charge_point=charge_point, connector=connector, state__in=Command.OPEN):
        if other.kind == kind and other.parameters == parameters:
            return other
        if other.kind == kind or other.kind in REPLACES.get(kind, ()):
            _end(other.pk, Command.OPEN, State.EXPIRED, REPLACED)
    command = Command.objects.create(
        charge_point=charge_point,
        connector=connector,
        kind=kind,
        parameters=parameters,
        requested_by=user,
        created=now,
        deadline=now + timedelta(seconds=TIME_ALLOWED[Kind(kind)]),
    )
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
            since = row.connector.status_since
            anew = row.sent is not None and since is not None and since > row.sent
            verify_by_status(connector=row.connector, received=now, anew=anew)


@transaction.atomic
def rejected(*, command: UUID, now: datetime, code: str, text: str) -> bool:
    """The charger said no. True if the command was still waiting for its answer, and ended by this."""
    # Accepted once before: the second asking changes nothing about what may still come of the first.
    if _move(command, (State.SENT,), State.ACCEPTED, only={"answered__isnull": False}):
        return False
    return _end(command, (State.SENT,), State.REJECTED, (code, text), answered=now)


@transaction.atomic
def timed_out(*, command: UUID, reason: Reason = NO_ANSWER) -> bool:
    """There was no answer. True if the command was still waiting for one."""
    return _end(command, (State.SENT,), State.TIMED_OUT, reason)


@transaction.atomic
def verified(*, command: UUID, now: datetime) -> None:
    _move(command, (State.SENT, State.ACCEPTED), State.VERIFIED, verified=now)


def verify_by_status(*, connector: Connector, received: datetime, anew: bool = False) -> None:
    """Prove accepted commands by what the connector does at ``received`` (its status or its power).

    ``anew`` says that the status was another before.
    """
    flowing = connector.status in DELIVERING or (connector.power_w or 0) > FLOWING_W
    for command in Command.objects.filter(
        connector=connector, state=State.ACCEPTED, sent__lte=received + CLOCK_TOLERANCE
    ):
        proved = {
            Kind.CHARGE_NOW: flowing,
            Kind.SKIP_DELAY: flowing,
            Kind.WAIT_FOR_SCHEDULE: not flowing or bool(command.parameters.get("allowed_now")),
            Kind.STOP: connector.status in PAUSED - {"SuspendedEVSE", "SuspendedEV"},
            Kind.SET_AVAILABILITY: (connector.status != "Unavailable") == bool(command.parameters.get("available")),
        }.get(Kind(command.kind), False)
        if proved:
            _move(command.pk, (State.ACCEPTED,), State.VERIFIED, verified=received)
        elif command.kind == Kind.CHARGE_NOW and connector.status == "SuspendedEV":
            sooner = min(command.deadline, clock.now() + CAR_MAY_TAKE)
            Command.objects.filter(pk=command.pk).update(deadline=sooner)
        elif command.kind == Kind.CHARGE_NOW and connector.status == "SuspendedEVSE" and anew:
            _ask_again(command)


def _ask_again(command: Command) -> None:
    """Send "charge now" once more, with its time anew, when charging began after it and is held back all the same.

    A charger that starts by itself, or by a card, while our remote start is on its way forgets the profile that came
    with it. The second time there is a transaction to set the profile for.
    """
    allowed = timedelta(seconds=TIME_ALLOWED[Kind.CHARGE_NOW])
    # Moved, it was asked again already, or power was offered and it is another limit that holds it back now.
    untouched = command.deadline == command.created + allowed
    if untouched and _move(command.pk, (State.ACCEPTED,), State.QUEUED, deadline=clock.now() + allowed):
        bus.publish_on_commit(DOORBELL, charge_point=str(command.charge_point_id))


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
        if command.state == State.QUEUED and command.answered is None:
            reason = ("not-sent", "Your charger could not be reached in time, so nothing was sent. Try again.")
            moved = _end(command.pk, (State.QUEUED,), State.EXPIRED, reason)
        elif command.state == State.SENT:
            moved = timed_out(command=command.pk)
        else:
            moved = _end(command.pk, (command.state,), State.NO_EFFECT, _why_no_effect(command))
        if moved:
            command.refresh_from_db()
            ended.append(command)
    return ended


def _why_no_effect(command: Command) -> Reason:
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


def _end(command: UUID, origin: tuple[str, ...], state: str, reason: Reason, **fields: Any) -> bool:
    """Close a command that came to nothing, with a reason that a person understands."""
    return _move(command, origin, state, reason_code=reason[0], reason_text=reason[1], **fields)


def _move(
    command: UUID, origin: tuple[str, ...], state: str, *, only: Mapping[str, Any] | None = None, **fields: Any
) -> bool:
    """Change a command's state if it still is in one of ``origin`` (and as ``only`` says); publish if it was."""
    moved = Command.objects.filter(pk=command, state__in=origin, **(only or {})).update(state=state, **fields)
    if moved:
        publish_change(Command.objects.values_list("charge_point_id", flat=True).get(pk=command))
    return bool(moved)
