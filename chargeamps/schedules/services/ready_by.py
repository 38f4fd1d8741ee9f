"""Ready by: so much energy by a point in time, picked out of the hours in which charging is allowed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.chargers.models import Connector
from chargeamps.common import clock
from chargeamps.common.problems import Invalid
from chargeamps.schedules import planner
from chargeamps.schedules.models import ReadyByRequest
from chargeamps.schedules.plan import HORIZON, book_of
from chargeamps.schedules.services.delays import changing_plan
from chargeamps.usage.selectors import open_sessions

# One phase of 32 A at 230 V: what most cars take, where nobody says otherwise.
USUAL_POWER_W = 7360
LEAST_ENERGY_WH, MOST_ENERGY_WH = 500, 200_000
LEAST_POWER_W, MOST_POWER_W = 1000, 22_080
# What is still missing is looked at again this often, for a car may take less than it was thought to.
LOOK_AGAIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Picked:
    """What a request would come to."""

    promise: planner.ReadyBy
    since: datetime
    power_w: int


def pick(*, connector: Connector, energy_wh: int, by: datetime, power_w: int | None, now: datetime) -> Picked:
    """Pick the hours, storing nothing. Raises ``Invalid`` naming the field."""
    since, by = now.replace(microsecond=0), by.replace(second=0, microsecond=0)
    power_w = power_w or USUAL_POWER_W
    errors = {}
    if not LEAST_ENERGY_WH <= energy_wh <= MOST_ENERGY_WH:
        errors["energy_wh"] = [f"From {LEAST_ENERGY_WH} Wh to {MOST_ENERGY_WH} Wh."]
    if not LEAST_POWER_W <= power_w <= MOST_POWER_W:
        errors["power_w"] = [f"From {LEAST_POWER_W} W to {MOST_POWER_W} W."]
    if by <= since:
        errors["by"] = ["This time has passed."]
    elif by > since + HORIZON:
        errors["by"] = ["At most seven days ahead."]
    if errors:
        raise Invalid(errors)
    book, charge_point = book_of(connector.charge_point_id, since)
    plan = book.build(charge_point, since, by, capacity=False, ready_by=False)
    slots = plan.timelines[connector.number]
    # The delays that are drawn belong to today's plan; the picked hours will have others, so the longest is counted.
    allowed: list[planner.Interval] = []
    for slot in slots:
        if slot.limit_a <= 0:
            continue
        if allowed and allowed[-1][1] == slot.start:
            allowed[-1] = (allowed[-1][0], slot.end)
        else:
            allowed.append((slot.start, slot.end))
    promise = planner.pick_ready_by(
        energy_wh, since, by, allowed=allowed, power_w=power_w, delay_maximum_s=charge_point.delay_maximum_s
    )
    return Picked(promise, since, power_w)


@transaction.atomic
def ask(*, connector: Connector, user: User, energy_wh: int, by: datetime, power_w: int | None) -> ReadyByRequest:
    """Keep a request and plan by it; a new one takes the place of the one before. Raises ``Invalid``."""
    now = clock.now()
    picked = pick(connector=connector, energy_wh=energy_wh, by=by, power_w=power_w, now=now)
    session = open_sessions([connector.pk]).get(connector.pk)
    with changing_plan([connector.charge_point_id], now):
        request, _ = ReadyByRequest.objects.update_or_create(
            connector=connector,
            defaults={
                "energy_wh": energy_wh,
                "session": session.pk if session else None,
                "session_wh": session.energy_import_wh if session else 0,
                "created": now,
                "created_by": user,
                "by": picked.promise.slots.by,
                **_picked_fields(picked),
            },
        )
    return request


@transaction.atomic
def drop(*, connector: Connector) -> None:
    """Forget the request: the plain hours hold again."""
    with changing_plan([connector.charge_point_id], clock.now()):
        ReadyByRequest.objects.filter(connector=connector).delete()


@transaction.atomic
def look_again(*, charge_point: UUID, now: datetime) -> None:
    """Pick anew for what is still missing, from what has flowed since."""
    for request in ReadyByRequest.objects.filter(
        connector__charge_point=charge_point, by__gt=now, since__lte=now - LOOK_AGAIN
    ).select_related("connector__charge_point"):
        left = request.energy_wh - delivered_wh(request)
        with changing_plan([charge_point], now):
            if left < LEAST_ENERGY_WH:
                ReadyByRequest.objects.filter(pk=request.pk).update(chosen=[], short_wh=0, since=now)
                continue
            picked = pick(connector=request.connector, energy_wh=left, by=request.by, power_w=request.power_w, now=now)
            ReadyByRequest.objects.filter(pk=request.pk).update(**_picked_fields(picked))


def delivered_wh(request: ReadyByRequest) -> int:
    """Wh that have flowed for a request."""
    session = open_sessions([request.connector_id]).get(request.connector_id)
    if session is None:
        return 0
    return max(0, session.energy_import_wh - (request.session_wh if session.pk == request.session else 0))


def _picked_fields(picked: Picked) -> dict[str, object]:
    return {
        "power_w": picked.power_w,
        "since": picked.since,
        "chosen": [[start.isoformat(), end.isoformat()] for start, end in picked.promise.slots.chosen],
        "short_wh": picked.promise.short_wh,
        "ready_at": picked.promise.ready_at,
    }
