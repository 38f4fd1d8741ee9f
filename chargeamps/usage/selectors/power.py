"""Reads of packed readings."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Any
from uuid import UUID

from chargeamps.common.clock import isoformat
from chargeamps.usage.counting import gaps
from chargeamps.usage.models import PowerBlock
from chargeamps.usage.packing import MINUTE_MS, Reading, merged, read_day, read_hour, read_minute


def milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


def instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def readings_between(connector: UUID, start: datetime, end: datetime | None) -> list[Reading]:
    """A socket's readings from ``start`` until ``end``, both included, in order of time."""
    first, last = milliseconds(start), milliseconds(end) if end is not None else None
    found: list[Reading] = []
    for _, readings in readings_by_hour(connector, start, end):
        found += readings
    return [r for r in found if r.ms >= first and (last is None or r.ms <= last)]


def readings_by_hour(
    connector: UUID, start: datetime, end: datetime | None
) -> Iterator[tuple[datetime, list[Reading]]]:
    """The hours that hold readings between two moments, each with all of its readings, merged and in order."""
    blocks = PowerBlock.objects.filter(
        connector=connector,
        span__in=(PowerBlock.MINUTE, PowerBlock.HOUR),
        start__gt=start - timedelta(seconds=PowerBlock.HOUR),
    )
    if end is not None:
        blocks = blocks.filter(start__lte=end)
    hour: datetime | None = None
    readings: list[Reading] = []
    rows = blocks.order_by("start", "span").values_list("start", "span", "data")
    for block_start, span, data in rows.iterator(chunk_size=200):
        if hour != block_start.replace(minute=0):
            if hour is not None:
                yield hour, merged(readings)
            hour, readings = block_start.replace(minute=0), []
        read = read_minute if span == PowerBlock.MINUTE else read_hour
        readings += read(milliseconds(block_start), bytes(data))
    if hour is not None:
        yield hour, merged(readings)


def means_by_minute(readings: list[Reading]) -> Iterator[tuple[int, int, int]]:
    """``(minute since 1970, mean W, readings)`` of the powers in merged readings."""
    minute, total, count = -1, 0, 0
    for reading in readings:
        if reading.power is None:
            continue
        if reading.ms // MINUTE_MS != minute:
            if count:
                yield minute, round(total / count), count
            minute, total, count = reading.ms // MINUTE_MS, 0, 0
        total += reading.power
        count += 1
    if count:
        yield minute, round(total / count), count


def points_by_second(connector: UUID, start: datetime, end: datetime | None) -> Iterator[tuple[int, int]]:
    """``(ms, W)`` of every reading of power between two moments; nothing where there is none."""
    first, last = milliseconds(start), milliseconds(end) if end is not None else None
    for _, readings in readings_by_hour(connector, start, end):
        for reading in readings:
            if reading.power is not None and first <= reading.ms and (last is None or reading.ms <= last):
                yield reading.ms, reading.power


def points_by_minute(connector: UUID, start: datetime, end: datetime | None) -> Iterator[tuple[int, int, int]]:
    """``(ms of the minute, mean W, readings)`` between two moments, whether kept by the second or by the minute."""
    first, last = milliseconds(start) // MINUTE_MS, milliseconds(end) // MINUTE_MS if end is not None else None
    days = PowerBlock.objects.filter(
        connector=connector, span=PowerBlock.DAY, start__gt=start - timedelta(seconds=PowerBlock.DAY)
    )
    if end is not None:
        days = days.filter(start__lte=end)
    for day, data in days.order_by("start").values_list("start", "data").iterator(chunk_size=20):
        offset = milliseconds(day) // MINUTE_MS
        for minute, mean, count in read_day(bytes(data)):
            if first <= offset + minute and (last is None or offset + minute <= last):
                yield (offset + minute) * MINUTE_MS, mean, count
    for _, readings in readings_by_hour(connector, start, end):
        for minute, mean, count in means_by_minute(readings):
            if first <= minute and (last is None or minute <= last):
                yield minute * MINUTE_MS, mean, count


def power_json(connector: UUID, start: datetime, end: datetime, resolution: str) -> dict[str, Any]:
    """Points and gaps between two moments, in the shape of the API; ``resolution`` 1s or 1min."""
    if resolution == "1s":
        points = list(points_by_second(connector, start, end))
        found = list(gaps([ms for ms, _ in points]))
        interval = _usual([ms for ms, _ in points])
    else:
        points = [(ms, mean) for ms, mean, _ in points_by_minute(connector, start, end)]
        found = [
            (a + MINUTE_MS, b, (b - a) // MINUTE_MS - 1) for (a, _), (b, _) in pairwise(points) if b - a > MINUTE_MS
        ]
        interval = MINUTE_MS
    zero = milliseconds(start)
    return {
        "from": isoformat(start),
        "to": isoformat(end),
        "interval_seconds": None if interval is None else interval / 1000,
        "points": [[(ms - zero) / 1000, power] for ms, power in points],
        "gaps": [
            {"from": isoformat(instant(a)), "to": isoformat(instant(b)), "missing": missing} for a, b, missing in found
        ],
        "missing": sum(missing for _, _, missing in found),
    }


def _usual(times: list[int]) -> int | None:
    spacings = [b - a for a, b in pairwise(times)]
    return median_low(spacings) if spacings else None
