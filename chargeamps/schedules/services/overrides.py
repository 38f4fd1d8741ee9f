"""Overrides: "charge now", back to the schedule, stop, skip the delay, refuse demand response.

One gate stands in front of all of them (SI 2021/1467 reg 8).
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from chargeamps.accounts.models import User
from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.chargers.services import commands
from chargeamps.chargers.services.connections import publish_change
from chargeamps.common import clock
from chargeamps.common.bus import DOORBELL, bus
from chargeamps.common.problems import Conflict
from chargeamps.schedules import planner
from chargeamps.schedules.models import DelayDraw, DemandResponse, Override
from chargeamps.schedules.plan import LONGEST_DELAY, PLUGGED
from chargeamps.schedules.selectors import view_of
from chargeamps.schedules.services import delays
from chargeamps.securitylog.services import record
from chargeamps.usage.models import ChargingSession
from chargeamps.usage.selectors import open_sessions

CAR_DECIDES = "car-not-taking-power"
BACK_TO_SCHEDULE = "wait-for-schedule"
UNSAFE = frozenset({"Faulted", "Unavailable"})
# A meter's noise and a car's slow reaction are no overload.
OVERLOAD_A = 2.0
# What is laid over a skipped delay stays until the charger has surely ended it by itself.
SKIP_MARGIN = timedelta(seconds=60)


def override_gate(charge_point: ChargePoint, connector: Connector) -> None:
    """The one gate in front of every override (SI 2021/1467 reg 8): raises ``Conflict`` while it would not be safe."""
    if connector.status == "Faulted" or charge_point.status == "Faulted":
        raise Conflict(
            "The charger reports a fault, so it must not be told to charge. Call your installer.",
            code="not-possible-now",
        )
    if connector.status in UNSAFE:
        raise Conflict("This socket is switched off.", code="not-possible-now")
    limit_a = charge_point.installation_limit_a
    if limit_a is not None:
        drawn_a = sum(each.current_a or 0.0 for each in charge_point.connectors.all())
        if drawn_a > limit_a + OVERLOAD_A:
            raise Conflict(
                f"The charger is drawing {drawn_a:.0f} A, more than the {limit_a} A its installation allows. Stop a "
                "car first.",
                code="not-possible-now",
            )


@transaction.atomic
def charge_now(
    *, connector: Connector, user: User, minutes: int | None = None, energy_wh: int | None = None
) -> Command:
    """Charge at once, whatever the hours say (SI 2021/1467 reg 10): for this session, a time, or an amount of energy.

    Asked again with another amount, the newest wish holds.
    """
    now = clock.now()
    charge_point = _lock(connector, now)
    connector.refresh_from_db(fields=["status"])
    if charge_point.online:
        override_gate(charge_point, connector)
        if connector.status not in PLUGGED:
            raise Conflict("No car is plugged in. Plug the cable into the car first.", code="car-not-connected")
        if connector.status == "Finishing":
            raise Conflict("Unplug the car and plug it in again, then tap Charge now.", code="not-possible-now")
    command = commands.request_in_line(
        charge_point=charge_point,
        connector=connector,
        kind=Command.Kind.CHARGE_NOW,
        user=user,
        parameters={
            name: value for name, value in (("minutes", minutes), ("energy_wh", energy_wh)) if value is not None
        },
    )
    if command.created < now:
        return command  # the same wish, tapped twice
    start = now.replace(microsecond=0)
    override = Override.objects.filter(connector=connector, ended=None).first()
    session = open_sessions([connector.pk]).get(connector.pk)
    wish = {
        "until": start + timedelta(minutes=minutes) if minutes is not None else None,
        "energy_wh": energy_wh,
        "session_wh": session.energy_import_wh if session is not None else 0,
    }
    if override is None:
        Override.objects.create(connector=connector, created=start, created_by=user, **wish)
    else:
        Override.objects.filter(pk=override.pk).update(**wish)
    delays.skip(connector=connector, user=user, now=now)
    if minutes is not None or (override is not None and override.until is not None):
        delays.replan(charge_point=charge_point.pk, now=now)
    return command


@transaction.atomic
def wait_for_schedule(*, connector: Connector, user: User) -> Command:
    """Take "charge now" back: from here on the hours hold again."""
    now = clock.now()
    charge_point = _lock(connector, now)
    view = view_of(connector, now)
    waiting = Command.objects.filter(
        connector=connector, kind=Command.Kind.WAIT_FOR_SCHEDULE, state__in=Command.OPEN, deadline__gt=now
    ).first()
    if view.override is None and waiting is not None:
        return waiting
    if view.override is None:
        raise Conflict("It already keeps to the schedule.", code="not-possible-now")
    end_override(connector=connector.pk, reason=BACK_TO_SCHEDULE)
    allowed = planner.state_at(view_of(connector, now).timeline, now).limit_a > 0
    return commands.request_in_line(
        charge_point=charge_point,
        connector=connector,
        kind=Command.Kind.WAIT_FOR_SCHEDULE,
        user=user,
        parameters={"allowed_now": allowed},
    )


@transaction.atomic
def skip_delay(*, connector: Connector, user: User) -> Command:
    """Start without waiting out the random delay, this once (SI 2021/1467 reg 11(1)(d))."""
    now = clock.now()
    charge_point = _lock(connector, now)
    view = view_of(connector, now)
    waiting = Command.objects.filter(
        connector=connector, kind=Command.Kind.SKIP_DELAY, state__in=Command.OPEN, deadline__gt=now
    ).first()
    if waiting is not None:
        return waiting
    running = delays.running_draw(connector.pk, now)
    if running is None or running.after_a <= running.before_a or view.session is None:
        raise Conflict("No delay is running on this socket.", code="not-possible-now")
    if charge_point.online:
        override_gate(charge_point, view.connector)
    command = commands.request_in_line(
        charge_point=charge_point, connector=connector, kind=Command.Kind.SKIP_DELAY, user=user
    )
    delays.skip(connector=connector, user=user, now=now)
    return command


@transaction.atomic
def stop(*, connector: Connector, user: User) -> Command:
    """End the charging session that is going on."""
    now = clock.now()
    charge_point = _lock(connector, now)
    view = view_of(connector, now)
    if charge_point.online and view.session is None:
        raise Conflict("Nothing is charging on this socket.", code="not-possible-now")
    return commands.request_in_line(charge_point=charge_point, connector=connector, kind=Command.Kind.STOP, user=user)


@transaction.atomic
def refuse_response(*, connector: Connector, user: User) -> int:
    """Refuse the demand response that holds now or is announced (SI 2021/1467 reg 10); returns how many events.

    It is the owner's to refuse also while the charger cannot be reached: the charger is told when it is back.
    """
    now = clock.now().replace(microsecond=0)
    charge_point = _lock(connector, now)
    connector.refresh_from_db(fields=["status"])
    override_gate(charge_point, connector)
    events = DemandResponse.objects.filter(charge_point=charge_point, end__gt=now, opted_out=None)
    if not events.exists():
        raise Conflict("There is no demand response to refuse.", code="not-possible-now")
    with delays.changing_plan([charge_point.pk], now):
        refused = events.update(opted_out=now, opted_out_by=user)
    record(
        kind="demand-response-refused",
        outcome="success",
        actor=str(user.pk),
        charge_point=str(charge_point.pk),
        site=str(charge_point.site_id or ""),
        detail={"events": refused},
    )
    return refused


def session_until(connector: UUID, now: datetime) -> tuple[bool, datetime | None]:
    """Whether the running session is to charge whatever the stored hours say, and until when (None: to its end).

    An end by the clock is a relevant time, so it waits its delay; a skipped delay is charged through.
    """
    override = Override.objects.filter(connector=connector, ended=None).first()
    if override is not None and override.until is None:
        return True, None
    recent = list(DelayDraw.objects.filter(connector=connector, nominal__gt=now - LONGEST_DELAY).order_by("nominal"))
    if override is not None and override.until is not None:
        drawn = next((each for each in recent if each.nominal == override.until), None)
        return True, override.until + timedelta(seconds=drawn.seconds if drawn else 0)
    for each in recent:
        over = each.nominal + timedelta(seconds=each.seconds)
        if each.nominal > now or over <= now:
            continue
        if each.skipped is not None and each.after_a > each.before_a:
            return True, over + SKIP_MARGIN
        if each.skipped is None and each.before_a > each.after_a and each.reason != "charge-now" and _ended_at(each):
            return True, over
    return False, None


def _ended_at(each: DelayDraw) -> bool:
    return Override.objects.filter(connector=each.connector_id, ended=each.nominal).exists()


@transaction.atomic
def tend(*, now: datetime) -> None:
    """End what has run its time or has its energy, and close commands whose time is up."""
    expire_overdue(now=now)
    for override in Override.objects.filter(ended=None, until__lte=now).select_related("connector"):
        Override.objects.filter(pk=override.pk).update(ended=override.until, end_reason="time-over")
        _tell(override.connector)
    done = ChargingSession.objects.filter(
        stopped=None,
        connector__overrides__ended=None,
        connector__overrides__energy_wh__isnull=False,
        energy_import_wh__gte=F("connector__overrides__session_wh") + F("connector__overrides__energy_wh"),
    ).select_related("connector")
    for session in done:
        end = now.replace(microsecond=0)
        with delays.changing_plan([session.charge_point_id], end):
            Override.objects.filter(connector=session.connector_id, ended=None).update(
                ended=end, end_reason="energy-reached"
            )


def _tell(connector: Connector) -> None:
    publish_change(connector.charge_point_id)
    bus.publish_on_commit(DOORBELL, charge_point=str(connector.charge_point_id))


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
    ended = clock.now().replace(microsecond=0)
    return bool(Override.objects.filter(connector=connector, ended=None).update(ended=ended, end_reason=reason))


def _lock(connector: Connector, now: datetime) -> ChargePoint:
    """Put requests for one charge point in line, so that two phones make one override; close what is overdue."""
    charge_point = ChargePoint.objects.select_for_update().get(pk=connector.charge_point_id)
    expire_overdue(now=now, charge_point=charge_point.pk)
    return charge_point
