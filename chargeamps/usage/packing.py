"""Readings packed to bytes: what a socket measured, some two bytes a reading once an hour is compressed.

A reading is ``(ms, power, imported, exported, flow)``: milliseconds since 1970, W (negative where exported), register
values in mWh, and what a status said of the flow (1 on, 0 off); None where not told. Blocks are appended to as
messages come, so they hold readings in any order and more than once; ``merged`` makes that one series.
"""

import struct
import zlib
from array import array
from collections.abc import Iterable
from itertools import accumulate
from typing import NamedTuple


class Reading(NamedTuple):
    ms: int
    power: int | None = None
    imported: int | None = None
    exported: int | None = None
    flow: int | None = None


POWER, IMPORT, EXPORT, FLOW_ON, FLOW_OFF = 1, 2, 4, 8, 16
MINUTE_MS, HOUR_MS = 60_000, 3_600_000

_HEAD = struct.Struct("<BH")
_POWER = struct.Struct("<i")
_REGISTER = struct.Struct("<q")
_COLUMNS = struct.Struct("<IIII")
_ONE = struct.Struct("<BHiq")  # what nearly every reading is: power and import


def append(reading: Reading) -> bytes:
    """The bytes to add to the block of the reading's minute."""
    ms, power, imported, exported, flow = reading
    if power is not None and imported is not None and exported is None and flow is None:
        return _ONE.pack(POWER | IMPORT, ms % MINUTE_MS, power, imported)
    kind, parts = 0, [b""]
    if power is not None:
        kind |= POWER
        parts.append(_POWER.pack(power))
    if imported is not None:
        kind |= IMPORT
        parts.append(_REGISTER.pack(imported))
    if exported is not None:
        kind |= EXPORT
        parts.append(_REGISTER.pack(exported))
    if flow is not None:
        kind |= FLOW_ON if flow else FLOW_OFF
    parts[0] = _HEAD.pack(kind, ms % MINUTE_MS)
    return b"".join(parts)


def read_minute(start_ms: int, data: bytes) -> list[Reading]:
    """The readings of a block that was appended to, as they came."""
    readings, at, end = [], 0, len(data)
    while at < end:
        kind = data[at]
        if kind == POWER | IMPORT:
            _, offset, power, imported = _ONE.unpack_from(data, at)
            readings.append(Reading(start_ms + offset, power, imported))
            at += _ONE.size
            continue
        _, offset = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        power = imported = exported = None
        if kind & POWER:
            (power,) = _POWER.unpack_from(data, at)
            at += _POWER.size
        if kind & IMPORT:
            (imported,) = _REGISTER.unpack_from(data, at)
            at += _REGISTER.size
        if kind & EXPORT:
            (exported,) = _REGISTER.unpack_from(data, at)
            at += _REGISTER.size
        flow = 1 if kind & FLOW_ON else 0 if kind & FLOW_OFF else None
        readings.append(Reading(start_ms + offset, power, imported, exported, flow))
    return readings


def merged(readings: Iterable[Reading]) -> list[Reading]:
    """One reading for each moment, in order of time, whatever order they came in.

    Where a moment was told twice and differently the higher figures hold (a register never runs back) and a status
    that says the flow is over.
    """
    ordered = sorted(readings, key=lambda reading: reading[0])
    result: list[Reading] = []
    for reading in ordered:
        if result and result[-1].ms == reading.ms:
            if result[-1] != reading:
                result[-1] = _both(result[-1], reading)
        else:
            result.append(reading)
    return result


def _both(one: Reading, other: Reading) -> Reading:
    def higher(a: int | None, b: int | None) -> int | None:
        return b if a is None else a if b is None else max(a, b)

    flow = other.flow if one.flow is None else one.flow if other.flow is None else min(one.flow, other.flow)
    return Reading(
        one.ms,
        higher(one.power, other.power),
        higher(one.imported, other.imported),
        higher(one.exported, other.exported),
        flow,
    )


def pack_hour(start_ms: int, readings: list[Reading]) -> bytes:
    """Columns of differences, compressed. ``readings`` must be merged and lie within the hour."""
    kinds = bytearray()
    times, powers, imports, exports = [], [], [], []
    for ms, power, imported, exported, flow in readings:
        kind = 0 if flow is None else FLOW_ON if flow else FLOW_OFF
        times.append(ms - start_ms)
        if power is not None:
            kind |= POWER
            powers.append(power)
        if imported is not None:
            kind |= IMPORT
            imports.append(imported)
        if exported is not None:
            kind |= EXPORT
            exports.append(exported)
        kinds.append(kind)
    head = _COLUMNS.pack(len(readings), len(powers), len(imports), len(exports))
    body = bytes(kinds) + b"".join(
        (_column("i", times), _column("i", powers), _column("q", imports), _column("q", exports))
    )
    return head + zlib.compress(body, 6)


def read_hour(start_ms: int, data: bytes) -> list[Reading]:
    count, powers_count, imports_count, exports_count = _COLUMNS.unpack_from(data)
    body = zlib.decompress(data[_COLUMNS.size :])
    kinds, at = body[:count], count

    def column(code: str, length: int) -> list[int]:
        nonlocal at
        size = length * (4 if code == "i" else 8)
        values, at = _values(code, body[at : at + size], length), at + size
        return values

    times = column("i", count)
    powers = iter(column("i", powers_count))
    imports = iter(column("q", imports_count))
    exports = iter(column("q", exports_count))
    return [
        Reading(
            start_ms + offset,
            next(powers) if kind & POWER else None,
            next(imports) if kind & IMPORT else None,
            next(exports) if kind & EXPORT else None,
            1 if kind & FLOW_ON else 0 if kind & FLOW_OFF else None,
        )
        for kind, offset in zip(kinds, times, strict=True)
    ]


def pack_day(means: Iterable[tuple[int, int, int]]) -> bytes:
    """A day at a minute: ``(minute of the day, mean W, number of readings)``."""
    rows = sorted(means)
    columns = [_column("i", [row[n] for row in rows]) for n in range(3)]
    return _COLUMNS.pack(len(rows), 0, 0, 0) + zlib.compress(b"".join(columns), 6)


def read_day(data: bytes) -> list[tuple[int, int, int]]:
    count, *_ = _COLUMNS.unpack_from(data)
    body, size = zlib.decompress(data[_COLUMNS.size :]), count * 4
    columns = [_values("i", body[n * size : (n + 1) * size], count) for n in range(3)]
    return list(zip(*columns, strict=True))


def _column(code: str, values: list[int]) -> bytes:
    """Differences, their low bytes first, then the next ones: long runs of zeros, which compress to nothing."""
    differences = array(code, [b - a for a, b in zip([0, *values], values, strict=False)])
    plain, width = differences.tobytes(), differences.itemsize
    return b"".join(plain[n::width] for n in range(width))


def _values(code: str, planes: bytes, length: int) -> list[int]:
    differences = array(code)
    plain, width = bytearray(len(planes)), differences.itemsize
    for n in range(width):
        plain[n::width] = planes[n * length : (n + 1) * length]
    differences.frombytes(bytes(plain))
    return list(accumulate(differences))
