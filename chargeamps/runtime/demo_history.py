"""A year of charging for the demo, told as a charger would have told it: starts, readings, stops."""

import random
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common import clock
from chargeamps.usage import services as usage
from chargeamps.usage.packing import Reading
from chargeamps.usage.selectors.power import milliseconds

DAYS = 365
LONDON = ZoneInfo("Europe/London")
# How often each socket's car is plugged in of an evening, its power in W, and what it may take in Wh.
CARS = ((0.55, 7_200, (6_000, 42_000)), (0.25, 10_900, (9_000, 60_000)))
# Seconds between readings: fine for the last days, sparing before, as many chargers are.
FINE, FINE_DAYS, SPARING = 10, 3, 300


def tell_a_year(charge_point: ChargePoint) -> int:
    """Make up the sessions of the last year, the same ones for the same day; returns how many."""
    dice = random.Random(2021)
    today = clock.now().astimezone(LONDON).date()
    told = 0
    for connector, (often, power_w, (least, most)) in zip(
        charge_point.connectors.order_by("number"), CARS, strict=False
    ):
        register_wh = dice.randrange(100_000, 900_000)
        for days_ago in range(DAYS, 0, -1):
            winter = (today - timedelta(days=days_ago)).month in (11, 12, 1, 2)
            if dice.random() > often * (1.15 if winter else 1):
                continue
            evening = datetime.combine(today - timedelta(days=days_ago), time(22), tzinfo=LONDON)
            begun = evening + timedelta(seconds=dice.randrange(601))
            energy_wh = dice.randrange(least, most)
            _tell_session(
                charge_point,
                connector,
                plugged=evening - timedelta(minutes=dice.randrange(20, 280)),
                begun=begun,
                power_w=power_w + dice.randrange(-150, 150),
                energy_wh=energy_wh,
                register_wh=register_wh,
                every=FINE if days_ago <= FINE_DAYS else SPARING,
            )
            register_wh += energy_wh
            told += 1
    return told


def _tell_session(
    charge_point: ChargePoint,
    connector: Connector,
    *,
    plugged: datetime,
    begun: datetime,
    power_w: int,
    energy_wh: int,
    register_wh: int,
    every: int,
) -> None:
    """Plugged in before the hours, charging from ``begun`` until the car has its energy, unplugged next morning."""
    ended = begun + timedelta(seconds=energy_wh * 3600 // power_w)
    usage.plug_reported(connector=connector.pk, plugged=True, at=plugged)
    started = usage.start_transaction(
        charge_point=charge_point.pk,
        connector_number=connector.number,
        id_tag=usage.FREE_CHARGING_ID_TAG,
        meter_start_wh=register_wh,
        started=plugged,
        received=plugged,
        raw_timestamp=plugged.isoformat(),
        flags=[],
    )
    readings = [Reading(milliseconds(plugged) + 1000, 0, register_wh * 1000, flow=0)]
    seconds = int((ended - begun).total_seconds())
    for second in range(0, seconds, every):
        taken_mwh = power_w * second * 1000 // 3600
        at = milliseconds(begun) + second * 1000
        readings.append(Reading(at, power_w + (second * 7919) % 61 - 30, register_wh * 1000 + taken_mwh, flow=1))
    readings.append(Reading(milliseconds(ended), 0, (register_wh + energy_wh) * 1000, flow=0))
    usage.store_readings({connector.pk: readings})
    unplugged = max(ended, begun + timedelta(hours=9))
    usage.stop_transaction(
        charge_point=charge_point.pk,
        transaction_id=started.transaction_id,
        meter_stop_wh=register_wh + energy_wh,
        stopped=unplugged,
        received=unplugged,
        reason="EVDisconnected",
        flags=[],
        raw_timestamp=unplugged.isoformat(),
    )
    usage.plug_reported(connector=connector.pk, plugged=False, at=unplugged)
