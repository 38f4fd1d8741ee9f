"""Overrides: "charge now" for one session, and back to the schedule."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.chargers.services import commands
from chargeamps.common import clock
from chargeamps.common.bus import DOORBELL, bus
from chargeamps.common.problems import Conflict
from chargeamps.schedules import planner
from chargeamps.schedules.models import Override
from chargeamps.schedules.selectors import view_of
from chargeamps.schedules.state import PLUGGED, View

CAR_DECIDES = "car-not-taking-power"
UNSAFE = frozenset({"Faulted", "Unavailable"})


def override_gate(view: View) -> None:
    """The one gate in front of every override (SI 2021/1467 reg 8): raises ``Conflict`` while it would not be safe."""
    if view.connector.status == "Faulted" or view.charge_point.status == "Faulted":
        raise Conflict(
            "The charger reports a fault, so it must not be told to charge. Call your installer.",
            code="not-possible-now",
        )
    if view.connector.status in UNSAFE:
        raise Conflict("This socket is switched off.", code="not-possible-now")


@transaction.atomic
def charge_now(*, connector: Connector, user: User) -> Command:
    """Charge at once, for this session, whatever the hours say (SI 2021/1467 reg 10)."""
    charge_point = _lock(connector)
    now = clock.now()
    expire_overdue(now=now, charge_point=charge_point.pk)
    view = view_of(connector, now)
    if charge_point.online:
        override_gate(view)
        if view.connector.status not in PLUGGED:
            raise Conflict("No car is plugged in. Plug the cable into the car first.", code="car-not-connected")
        if view.connector.status == "Finishing":
            raise Conflict("Unplug the car and plug it in again, then tap Charge now.", code="not-possible-now")
    command = commands.request(charge_point=charge_point, connector=connector, kind=Command.Kind.CHARGE_NOW, user=user)
    if view.override is None:
        Override.objects.create(connector=connector, created_by=user)
    return command


@transaction.atomic
def wait_for_schedule(*, connector: Connector, user: User) -> Command:
    """Take "charge now" back: from here on the hours hold again."""
    charge_point = _lock(connector)
    now = clock.now()
    view = view_of(connector, now)
    waiting = Command.objects.filter(
        connector=connector, kind=Command.Kind.WAIT_FOR_SCHEDULE, state__in=Command.OPEN, deadline__gt=now
    ).first()
    if view.override is None and waiting is not None:
        return waiting
    if view.override is None:
        raise Conflict("It already keeps to the schedule.", code="not-possible-now")
    end_override(connector=connector.pk, reason="wait-for-schedule")
    allowed = planner.state_at(view_of(connector, now).timeline, now).limit_a > 0
    return commands.request(
        charge_point=charge_point,
        connector=connector,
        kind=Command.Kind.WAIT_FOR_SCHEDULE,
        user=user,
        parameters={"allowed_now": allowed},
    )


@transaction.atomic
def stop(*, connector: Connector, user: User) -> Command:
    """End the charging session that is going on."""
    charge_point = _lock(connector)
    view = view_of(connector, clock.now())
    if charge_point.online and view.session is None:
        raise Conflict("Nothing is charging on this socket.", code="not-possible-now")
    return commands.request(charge_point=charge_point, connector=connector, kind=Command.Kind.STOP, user=user)


@transaction.atomic
def expire_overdue(*, now: datetime, charge_point: UUID | None = None) -> int:
    """Close commands whose time is up; a "charge now" that came to nothing does not stay in force. Returns how many."""
    ended = commands.expire_overdue(now=now, charge_point=charge_point)
    for command in ended:
        charge_now_failed(command=command)
    return len(ended)


def charge_now_failed(*, command: Command) -> None:
    """End the override of a "charge now" that the charger did not carry out, so that the person may try again.

    A car that takes no power although it is offered leaves the override standing: the charger did its part. What may
    have reached the charger all the same is cleared from it.
    """
    if (
        command.kind == Command.Kind.CHARGE_NOW
        and command.connector_id
        and command.reason_code != CAR_DECIDES
        and end_override(connector=command.connector_id, reason=command.state)
    ):
        bus.publish_on_commit(DOORBELL, charge_point=str(command.charge_point_id))


@transaction.atomic
def end_override(*, connector: UUID, reason: str) -> bool:
    """End "charge now" where it is in force: the session is over, the car has left, or it was taken back."""
    return bool(Override.objects.filter(connector=connector, ended=None).update(ended=clock.now(), end_reason=reason))


def _lock(connector: Connector) -> ChargePoint:
    """Put requests for one charge point in line, so that two phones at once make one override."""
    return ChargePoint.objects.select_for_update().get(pk=connector.charge_point_id)
