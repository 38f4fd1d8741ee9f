"""One-second power: asked for while somebody looks, kept packed, thinned with age."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from chargeamps.accounts.models import User
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common import clock
from chargeamps.common.bus import DOORBELL, bus
from chargeamps.usage.models import PowerBlock, Watch
from chargeamps.usage.packing import pack_day, pack_hour, read_day
from chargeamps.usage.selectors.power import means_by_minute, readings_by_hour
from chargeamps.usage.services.readings import forget_plugging

# Seconds between samples when nobody looks. OCPP 1.6 §9.1.17 MeterValueSampleInterval.
SPARING_SECONDS = 10
WATCH_FOR = timedelta(seconds=60)
# Minutes this old get no more readings but late ones.
COMPACT_AFTER = timedelta(minutes=15)
# 14 months, so that "this month last year" is always whole.
MINUTES_KEPT = timedelta(days=430)


@transaction.atomic
def watch(*, connector: Connector, user: User) -> datetime:
    """Have a socket sampled each second for the next minute, or for a minute more; returns until when."""
    now = clock.now()
    until = now + WATCH_FOR
    watched = Watch.objects.filter(connector=connector, watched_until__gt=now).exists()
    Watch.objects.update_or_create(connector=connector, defaults={"watched_until": until, "watched_by": user})
    if not watched:
        bus.publish_on_commit(DOORBELL, charge_point=str(connector.charge_point_id))
    return until


def wanted_sample_interval(charge_point: UUID | ChargePoint) -> int:
    """Seconds between samples that this charge point should be set to: 1 while any of its sockets is watched."""
    watched = Watch.objects.filter(connector__charge_point=charge_point, watched_until__gt=clock.now())
    return 1 if watched.exists() else SPARING_SECONDS


def end_watches() -> int:
    """Ring for the charge points that nobody watches any more, once each; returns how many watches ended."""
    ended = Watch.objects.filter(watched_until__lte=clock.now())
    rows = list(ended.values_list("pk", "connector__charge_point"))
    with transaction.atomic():
        Watch.objects.filter(pk__in=[pk for pk, _ in rows], watched_until__lte=clock.now()).delete()
        for charge_point in {charge_point for _, charge_point in rows}:
            bus.publish_on_commit(DOORBELL, charge_point=str(charge_point))
    return len(rows)


def compact() -> int:
    """Press minutes that are over into their hours, a socket's hour at a time; returns how many hours."""
    limit = clock.now() - COMPACT_AFTER
    pressed = 0
    while True:
        minutes = PowerBlock.objects.filter(span=PowerBlock.MINUTE, start__lt=limit - timedelta(hours=1))
        rows = minutes.order_by("start").values_list("connector", "start")[:2000]
        hours = {(connector, start.replace(minute=0)) for connector, start in rows}
        if not hours:
            return pressed
        for connector, hour in sorted(hours, key=lambda key: key[1]):
            _compact_hour(connector, hour)
            pressed += 1


@transaction.atomic
def _compact_hour(connector: UUID, hour: datetime) -> None:
    blocks = PowerBlock.objects.filter(
        connector=connector,
        start__gte=hour,
        start__lt=hour + timedelta(hours=1),
        span__in=(PowerBlock.MINUTE, PowerBlock.HOUR),
    )
    # Locked, so that a late reading waits for the hour and then begins a new minute.
    list(blocks.select_for_update().values_list("start", "span"))
    for _, readings in readings_by_hour(connector, hour, hour + timedelta(minutes=59)):
        blocks.delete()
        data = pack_hour(round(hour.timestamp() * 1000), readings)
        PowerBlock.objects.create(connector_id=connector, start=hour, span=PowerBlock.HOUR, data=data)


def thin_out() -> int:
    """Turn whole days older than ``POWER_SECONDS_DAYS`` into a mean a minute, and forget what is older than 14 months.

    Returns how many days of a socket were thinned. The counts of sessions stay as they are.
    """
    now = clock.now()
    limit = (now - timedelta(days=settings.POWER_SECONDS_DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    fine = PowerBlock.objects.filter(span__in=(PowerBlock.MINUTE, PowerBlock.HOUR), start__lt=limit)
    thinned = 0
    while rows := list(fine.order_by("start").values_list("connector", "start")[:500]):
        for connector, day in sorted({(c, start.replace(hour=0, minute=0)) for c, start in rows}, key=lambda k: k[1]):
            _thin_day(connector, day)
            thinned += 1
    while old := list(
        PowerBlock.objects.filter(start__lt=now - MINUTES_KEPT).values_list("connector", "start", "span")[:500]
    ):
        for connector, start, span in old:
            PowerBlock.objects.filter(connector=connector, start=start, span=span).delete()
    forget_plugging(before=now - MINUTES_KEPT)
    return thinned


@transaction.atomic
def _thin_day(connector: UUID, day: datetime) -> None:
    blocks = PowerBlock.objects.filter(connector=connector, start__gte=day, start__lt=day + timedelta(days=1))
    list(blocks.select_for_update().values_list("start", "span"))
    known = blocks.filter(span=PowerBlock.DAY).values_list("data", flat=True).first()
    means = {minute: (mean, count) for minute, mean, count in (read_day(bytes(known)) if known is not None else ())}
    for _, readings in readings_by_hour(connector, day, day + timedelta(hours=23, minutes=59)):
        for minute, mean, count in means_by_minute(readings):
            before, had = means.get(minute % 1440, (0, 0))
            means[minute % 1440] = (round((before * had + mean * count) / (had + count)), had + count)
    blocks.delete()
    if means:
        data = pack_day((minute, *rest) for minute, rest in means.items())
        PowerBlock.objects.create(connector_id=connector, start=day, span=PowerBlock.DAY, data=data)
