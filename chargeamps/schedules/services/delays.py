"""Random delays: drawn from the operating system's source, journalled, and kept where the charger needs them.

Every change of a plan goes through ``replan``: it draws for each relevant time ahead that has no draw yet, and forgets
the draws of switches that will not happen. The journal is the evidence for SI 2021/1467 reg 11.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from secrets import SystemRandom
from uuid import UUID

from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.chargers.services.connections import publish_change
from chargeamps.common import clock
from chargeamps.common.bus import DOORBELL, bus
from chargeamps.schedules import planner
from chargeamps.schedules.models import DelayDraw, StoredDelays
from chargeamps.schedules.plan import LONGEST_DELAY, PLUGGED, PlanBook, book_of

# How far ahead switches are drawn for: beyond, the stored week holds draws of its own.
DRAWN_AHEAD = timedelta(hours=72)
# Stored delays are drawn anew this often, as long as the charger can be reached.
FRESH = timedelta(hours=24)
# After so long the switches that have come within sight are drawn for.
PLANNED_FOR = timedelta(hours=12)

_random = SystemRandom()


@transaction.atomic
def replan(
    *,
    charge_point: UUID,
    now: datetime,
    present: Mapping[int, planner.Slot] | None = None,
    plugged: UUID | None = None,
) -> None:
    """Draw for every relevant time ahead, and drop the draws of switches that will not happen.

    ``present`` says what held just before ``now``, by connector number, where that may differ from the plan. Of the
    connector ``plugged`` the cable has gone in: the delay is the one that the charger keeps for it, if it keeps one.
    """
    now = now.replace(microsecond=0)
    ChargePoint.objects.select_for_update().get(pk=charge_point)
    book, row = book_of(charge_point, now)
    _store_delays(book, row, now)
    book, row = book_of(charge_point, now)
    keys = {connector.number: connector for connector in book.connectors(row)}

    def draw_for(connector: planner.Connector, nominal: datetime) -> int:
        key = keys[connector.number]
        stored = book.stored(key)
        # Also where its acceptance is still on the way to us: it is a draw like any other until it is used.
        kept = stored is not None and (stored.start_accepted or not stored.start_used)
        if key.pk == plugged and nominal == now and stored is not None and kept:
            return stored.start_s
        return draw(row)

    plan = book.build(row, now, now + DRAWN_AHEAD, present=present, capacity=False, draw_for=draw_for)
    known = {(each.connector_id, each.nominal) for key in keys.values() for each in book.draws(key)}
    planned = set()
    for switch in plan.switches:
        if switch.decision.outcome is not planner.Outcome.DRAW or switch.seconds is None:
            continue
        connector = keys[switch.connector]
        planned.add((connector.pk, switch.nominal))
        if (connector.pk, switch.nominal) not in known:
            DelayDraw.objects.create(
                connector=connector,
                nominal=switch.nominal,
                change=str(planner.change_between(switch.before_a, switch.after_a)),
                cause=(
                    DelayDraw.Cause.PLUG_IN
                    if connector.pk == plugged and switch.nominal == now
                    else DelayDraw.Cause.PLAN
                ),
                seconds=switch.seconds,
                # What was drawn under a maximum that has been lowered since still stands until it is over.
                maximum_s=max(row.delay_maximum_s, switch.seconds),
                before_a=switch.before_a,
                after_a=switch.after_a,
                reason=switch.reason.code,
                drawn=now,
            )
    StoredDelays.objects.filter(connector__in=[key.pk for key in keys.values()]).update(planned=now)
    gone = [nominal for nominal in known - planned if nominal[1] > now]
    for key, nominal in gone:
        DelayDraw.objects.filter(connector=key, nominal=nominal).delete()
    publish_change(charge_point)


def draw(charge_point: ChargePoint) -> int:
    """A fresh delay in whole seconds, 0 to the charge point's maximum, both included."""
    return planner.draw(_random.randrange, charge_point.delay_maximum_s)


@contextmanager
def changing_plan(charge_points: Iterable[UUID], now: datetime) -> Iterator[None]:
    """Around a change of what the plan is made from: a socket whose limit it changes at once waits its delay."""
    keys = sorted(charge_points)
    with transaction.atomic():
        before = {key: slots_at(key, now) for key in keys}
        yield
        for key in keys:
            replan(charge_point=key, now=now, present=before[key])
            ring(key)


def ring(charge_point: UUID) -> None:
    """Have the charger brought to its plan: by the doorbell, or where no gateway hears it, by the next sweep."""
    ChargePoint.objects.filter(pk=charge_point).update(plan_changed=clock.now())
    bus.publish_on_commit(DOORBELL, charge_point=str(charge_point))


def slots_at(charge_point: UUID, now: datetime) -> dict[int, planner.Slot]:
    """What holds now for each socket with a car, by number: only there can a change be a relevant time."""
    now = now.replace(microsecond=0)
    book, row = book_of(charge_point, now)
    plan = book.build(row, now, now + timedelta(seconds=1), capacity=False)
    return {
        connector.number: plan.timelines[connector.number][0]
        for connector in book.connectors(row)
        if connector.status in PLUGGED
    }


@transaction.atomic
def plugged_in(*, connector: UUID, at: datetime) -> None:
    """The cable has gone in: where electricity would now start to flow, it waits its delay (reg 11(3)(a))."""
    row = Connector.objects.get(pk=connector)
    replan(
        charge_point=row.charge_point_id,
        now=at,
        present={row.number: planner.idle(at.replace(microsecond=0))},
        plugged=connector,
    )
    if not StoredDelays.objects.filter(connector=connector, start_accepted=True).exists():
        # This charger cannot keep the delay by itself, so it must be told.
        bus.publish_on_commit(DOORBELL, charge_point=str(row.charge_point_id))


@transaction.atomic
def transaction_started(*, connector: UUID, started: datetime, received: datetime) -> None:
    """A transaction has begun: the delay kept on the charger runs from here (OCPP 1.6 §7.13)."""
    stored = StoredDelays.objects.filter(connector=connector).first()
    if stored is not None:
        StoredDelays.objects.filter(pk=stored.pk).update(start_used=True)
    at = started.replace(microsecond=0)
    if received - started > LONGEST_DELAY:
        if stored is not None and stored.start_accepted:
            _journal_offline(connector, at, stored)
        return
    # As of now, for a charger's clock that is a little behind would have it start before it was plugged in.
    running = _running(connector, received, cause=DelayDraw.Cause.PLUG_IN)
    if running is None:
        plugged_in(connector=connector, at=received)
    elif stored is not None and stored.start_accepted and at > running.nominal:
        DelayDraw.objects.filter(pk=running.pk).update(nominal=at)
        publish_change(Connector.objects.values_list("charge_point_id", flat=True).get(pk=connector))


def _journal_offline(connector: UUID, started: datetime, stored: StoredDelays) -> None:
    """A start that is told long after waited, if it was inside the hours, the delay that the charger kept for it."""
    row = Connector.objects.get(pk=connector)
    book, charge_point = book_of(row.charge_point_id, started)
    plan = book.build(charge_point, started, started + timedelta(seconds=1), capacity=False)
    slot = plan.timelines[row.number][0]
    if slot.limit_a > 0:
        DelayDraw.objects.get_or_create(
            connector=row,
            nominal=started,
            defaults={
                "change": DelayDraw.Change.START,
                "cause": DelayDraw.Cause.PLUG_IN,
                "seconds": stored.start_s,
                "maximum_s": max(stored.maximum_s, stored.start_s),
                "before_a": 0.0,
                "after_a": slot.limit_a,
                "reason": slot.reason.code,
                "drawn": stored.drawn,
            },
        )


def transaction_ended(*, connector: UUID) -> None:
    """A transaction is over: the next one needs a delay of its own."""
    if StoredDelays.objects.filter(connector=connector, start_used=True).exists():
        charge_point = Connector.objects.values_list("charge_point_id", flat=True).get(pk=connector)
        bus.publish_on_commit(DOORBELL, charge_point=str(charge_point))


def running_draw(connector: UUID, now: datetime) -> DelayDraw | None:
    """The delay that runs at ``now`` and that nobody has skipped."""
    return _running(connector, now)


def _running(connector: UUID, at: datetime, **only: str) -> DelayDraw | None:
    draws = DelayDraw.objects.filter(
        connector=connector, nominal__lte=at, nominal__gt=at - LONGEST_DELAY, skipped=None, **only
    )
    running = (draw for draw in draws if draw.nominal + timedelta(seconds=draw.seconds) > at)
    return max(running, key=lambda draw: draw.nominal, default=None)


@transaction.atomic
def skip(*, connector: Connector, user: User, now: datetime) -> DelayDraw | None:
    """Skip the delay that runs, this once (reg 11(1)(d)); None where none does."""
    running = _running(connector.pk, now)
    if running is not None:
        running.skipped, running.skipped_by = now.replace(microsecond=0), user
        running.save(update_fields=["skipped", "skipped_by"])
    return running


def effect_seen(*, connector: UUID, flowing: bool, at: datetime) -> None:
    """Note in the journal when the charger was seen to start or to hold back, for the newest delay it belongs to."""
    changes = (DelayDraw.Change.START, DelayDraw.Change.INCREASE) if flowing else (DelayDraw.Change.DECREASE,)
    newest = (
        DelayDraw.objects.filter(
            connector=connector, nominal__lte=at, nominal__gt=at - 2 * LONGEST_DELAY, actual=None, change__in=changes
        )
        .order_by("-nominal")
        .first()
    )
    if newest is not None:
        DelayDraw.objects.filter(pk=newest.pk).update(actual=at)


@transaction.atomic
def freshen(*, charge_point: UUID, now: datetime, busy: Iterable[UUID]) -> None:
    """Draw the stored delays anew where they are used or a day old, and plan ahead.

    Not while a delay runs, and the one at the beginning of a transaction not for a connector in ``busy``, where a
    transaction runs: a longer one would hold back a car that has waited already.
    """
    now = now.replace(microsecond=0)
    row = ChargePoint.objects.select_for_update().get(pk=charge_point)
    busy = set(busy)
    every = list(StoredDelays.objects.filter(connector__charge_point=charge_point))
    stale = len(every) < Connector.objects.filter(charge_point=charge_point).count()
    for stored in every:
        running = _running(stored.connector_id, now)
        old = now - stored.drawn >= FRESH or stored.maximum_s != row.delay_maximum_s
        if running is not None:
            continue
        stale |= old or now - stored.planned >= PLANNED_FOR
        if (stored.start_used or old) and stored.connector_id not in busy:
            seconds = draw(row)
            if seconds != stored.start_s:
                stored.start_accepted = False
            stored.start_s, stored.start_used = seconds, False
        if old:
            stored.weekly = [[variant, second, draw(row)] for variant, second, _ in stored.weekly]
            stored.drawn, stored.maximum_s = now, row.delay_maximum_s
            DelayDraw.objects.filter(
                connector=stored.connector_id, nominal__gt=now, cause=DelayDraw.Cause.PLAN
            ).delete()
        stored.save()
    if stale:
        replan(charge_point=charge_point, now=now)


@transaction.atomic
def start_delay_kept(*, connector: UUID, seconds: int) -> None:
    """The charger has taken the delay for the beginning of the next transaction."""
    StoredDelays.objects.filter(connector=connector, start_s=seconds).update(start_accepted=True)


@transaction.atomic
def start_delay_lost(*, connector: UUID) -> None:
    """The charger does not keep a delay for the next transaction."""
    StoredDelays.objects.filter(connector=connector).update(start_accepted=False)


def _store_delays(book: PlanBook, charge_point: ChargePoint, now: datetime) -> None:
    """Have a delay for every switch of every socket's week: drawn anew where the hours have become others."""
    for connector in book.connectors(charge_point):
        lasting = book.lasting(charge_point, connector)
        patterns = planner.weekly_patterns(lasting, now)
        pattern = hashlib.sha256(repr(sorted(patterns.items())).encode()).hexdigest()
        stored = book.stored(connector)
        if stored is not None and stored.pattern == pattern:
            continue
        weekly = planner.draw_weekly(lasting, now, lambda: draw(charge_point))
        rows = [[str(variant), second, seconds] for (variant, second), seconds in weekly.items()]
        StoredDelays.objects.update_or_create(
            connector=connector,
            defaults={"weekly": rows, "pattern": pattern, "maximum_s": charge_point.delay_maximum_s, "drawn": now},
            create_defaults={
                "weekly": rows,
                "pattern": pattern,
                "maximum_s": charge_point.delay_maximum_s,
                "drawn": now,
                "start_s": draw(charge_point),
            },
        )
