"""Default charging hours, the owner's own schedules, the holiday pause, and the longest random delay."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from chargeamps.accounts.models import Membership, Site, User
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common import clock
from chargeamps.common.bus import CHANGED, bus
from chargeamps.common.problems import Conflict, Invalid, NotPermitted
from chargeamps.schedules import planner
from chargeamps.schedules.models import HolidayPause, HoursChoice, Schedule
from chargeamps.schedules.services.delays import changing_plan, freshen, ring
from chargeamps.securitylog.services import record
from chargeamps.usage.selectors import open_sessions

MOST_SCHEDULES = 20
LEAST_LIMIT_A = 6
MOST_LIMIT_A = 32
CEILING_S = 1800


def read_windows(data: object, *, empty: bool = False) -> list[dict[str, object]]:
    """Windows as stored, normalised: equal hours are written alike. Raises ``Invalid`` naming the field."""
    try:
        windows = planner.parse_windows(data)
    except planner.HoursError as error:
        raise Invalid({error.field: [f"{error.message[0].upper()}{error.message[1:]}."]}) from error
    if not windows and not empty:
        raise Invalid({"windows": ["Give at least one window of hours."]})
    return [window.as_json() for window in planner.normalise(windows)]


@transaction.atomic
def choose(*, site: Site, user: User, choice: str, windows: object = None) -> HoursChoice:
    """Keep the owner's choice of the default charging hours, with what was shown (SI 2021/1467 reg 10).

    Hours inside the peaks are the owner's to choose: the law limits the preset only. Raises ``Invalid``.
    """
    now = clock.now()
    shown = [window.as_json() for window in planner.rules_at(now).preset_hours]
    if choice == HoursChoice.Choice.ACCEPTED:
        stored = shown
    elif choice == HoursChoice.Choice.REMOVED:
        stored = []
    else:
        stored = read_windows(windows)
    keys = list(ChargePoint.objects.filter(site=site).values_list("pk", flat=True))
    with changing_plan(keys, now):
        made = HoursChoice.objects.create(
            site=site, choice=choice, windows=stored, shown=shown, created=now, created_by=user
        )
    record(
        kind="default-hours-chosen",
        outcome="success",
        actor=str(user.pk),
        site=str(site.pk),
        detail={"choice": choice, "windows": stored},
    )
    for key in keys:
        bus.publish_on_commit(CHANGED, charge_point=str(key), site=str(site.pk))
    return made


@transaction.atomic
def save_schedule(
    *, connector: Connector, user: User, fields: dict[str, Any], schedule: Schedule | None = None
) -> Schedule:
    """Make a schedule, or change the ``fields`` given of one. Raises ``Invalid`` naming the field."""
    charge_point = ChargePoint.objects.select_for_update().get(pk=connector.charge_point_id)
    if "windows" in fields:
        fields["windows"] = read_windows(fields["windows"])
    limit_a = fields.get("limit_a")
    if limit_a is not None and limit_a != 0 and not LEAST_LIMIT_A <= limit_a <= MOST_LIMIT_A:
        raise Invalid({"limit_a": [f"0 for no charging, or {LEAST_LIMIT_A} to {MOST_LIMIT_A} A."]})
    scope = fields.pop("scope", None)
    if scope is not None:
        fields["connector"] = connector if scope == "socket" else None
    if schedule is None:
        if Schedule.objects.filter(charge_point=charge_point).count() >= MOST_SCHEDULES:
            raise Conflict(f"A charger keeps at most {MOST_SCHEDULES} schedules. Delete one first.", code="too-many")
        schedule = Schedule(charge_point=charge_point, connector=connector, created_by=user)
    for name, value in fields.items():
        setattr(schedule, name, value)
    with changing_plan([charge_point.pk], clock.now()):
        schedule.save()
    _note(charge_point, user, "schedule-saved", {"schedule": str(schedule.pk), "windows": schedule.windows})
    return schedule


@transaction.atomic
def delete_schedule(*, schedule: Schedule, user: User) -> None:
    """Forget a schedule; what lies below it holds again."""
    charge_point, key = schedule.charge_point, str(schedule.pk)
    with changing_plan([charge_point.pk], clock.now()):
        schedule.delete()
    _note(charge_point, user, "schedule-deleted", {"schedule": key})


@transaction.atomic
def pause(
    *, connector: Connector, user: User, start: datetime | None, end: datetime | None, whole_charger: bool
) -> HolidayPause:
    """Charge nothing from ``start`` (now) to ``end`` (until it is ended). Replaces a pause of the same scope."""
    now = clock.now().replace(microsecond=0)
    start = now if start is None else start.replace(microsecond=0)
    if end is not None and end <= max(start, now):
        raise Invalid({"to": ["The pause must end after it begins, and not in the past."]})
    charge_point = connector.charge_point
    scope: dict[str, Any] = {"charge_point": charge_point, "connector": None if whole_charger else connector}
    with changing_plan([charge_point.pk], now):
        _end_pauses(HolidayPause.objects.filter(**scope), now)
        made = HolidayPause.objects.create(**scope, start=start, end=end, created_by=user)
    _note(charge_point, user, "pause-set", {"from": clock.isoformat(start), "to": clock.isoformat(end)})
    return made


@transaction.atomic
def end_pause(*, connector: Connector, user: User) -> None:
    """End what pauses this socket, its own pause and the charger's; nothing happens where there is none."""
    now = clock.now().replace(microsecond=0)
    charge_point = connector.charge_point
    with changing_plan([charge_point.pk], now):
        _end_pauses(HolidayPause.objects.filter(charge_point=charge_point, connector__in=[connector]), now)
        _end_pauses(HolidayPause.objects.filter(charge_point=charge_point, connector=None), now)
    _note(charge_point, user, "pause-ended", {})


def _end_pauses(pauses: Any, now: datetime) -> None:
    pauses.filter(start__gte=now).delete()
    pauses.filter(end=None).update(end=now)
    pauses.filter(end__gt=now).update(end=now)


@transaction.atomic
def set_delay_maximum(
    *, charge_points: Iterable[ChargePoint], maximum_s: int, actor: User | None, operator: bool
) -> None:
    """Set the longest random delay, effective at the next event (SI 2021/1467 reg 11(1)(c)).

    An operator may set 0 to 1800 s. Owners may ask more of themselves than the 600 s of the law, not less: there is no
    permanent way round the delay. Raises ``Invalid`` or ``NotPermitted``.
    """
    try:
        planner.check_maximum(maximum_s)
    except ValueError as error:
        raise Invalid({"maximum_s": [f"A whole number of seconds from 0 to {CEILING_S}."]}) from error
    floor_s = planner.rules_at(clock.now()).delay_default_s
    if not operator and maximum_s < floor_s:
        raise NotPermitted(
            f"The law asks for random delays of up to {floor_s} seconds. Only your operator may set less.",
            attempt={"act": "lower-random-delay", "maximum_s": str(maximum_s)},
        )
    for charge_point in charge_points:
        before = charge_point.delay_maximum_s
        ChargePoint.objects.filter(pk=charge_point.pk).update(delay_maximum_s=maximum_s)
        connectors = Connector.objects.filter(charge_point=charge_point).values_list("pk", flat=True)
        freshen(charge_point=charge_point.pk, now=clock.now(), busy=open_sessions(connectors))
        ring(charge_point.pk)
        record(
            kind="random-delay-maximum",
            outcome="success",
            actor=str(actor.pk) if actor else "operator",
            charge_point=str(charge_point.pk),
            site=str(charge_point.site_id or ""),
            detail={"before_s": before, "after_s": maximum_s},
        )


def is_operator(user: User, membership: Membership) -> bool:
    """Staff who belong to the site may set any delay that the law allows."""
    return user.is_staff and membership.user_id == user.pk


def peak_warnings(windows: Iterable[dict[str, object]] | None) -> list[dict[str, Any]]:
    """What a person should know of hours inside the peaks; never a refusal."""
    parsed = None if windows is None else planner.parse_windows(list(windows))
    minutes = planner.minutes_in_peak(parsed, planner.rules_at(clock.now()))
    if not minutes:
        return []
    hours, rest = divmod(minutes, 60)
    length = " ".join(part for part in (f"{hours} h" if hours else "", f"{rest} min" if rest else "") if part)
    text = (
        f"{length} a week lie in peak hours (weekdays 8 to 11 and 16 to 22), when electricity is scarce and often dear."
    )
    return [{"code": "in-peak", "minutes": minutes, "text": text}]


def _note(charge_point: ChargePoint, user: User, kind: str, detail: dict[str, Any]) -> None:
    record(
        kind=kind,
        outcome="success",
        actor=str(user.pk),
        charge_point=str(charge_point.pk),
        site=str(charge_point.site_id or ""),
        detail=detail,
    )
