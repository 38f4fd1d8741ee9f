"""What a session's readings amount to: energy, the time it flowed, and what is missing or odd. Pure.

Everything follows from the set of things told, not from the order in which they came. Registers are in mWh, times in
milliseconds since 1970.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median_low

from chargeamps.usage.packing import Reading

# No socket of an Aura delivers more; a register that rises faster has jumped.
MAX_POWER_W = 60_000
# A register that rises by more than a car's battery beyond what can have flowed has moved; less may be the clock's
# fault.
SLACK_MWH = 100_000_000
# Where the unit is in question, less is forgiven: two kWh, for registers that count whole ones.
UNIT_SLACK_MWH = 2_000_000
# What nobody believes of a single session, whatever the meter says.
INCREDIBLE_MWH = 200_000_000
# Below this a car draws nothing that one would call charging (a contactor, a meter's noise).
FLOWING_W = 20
# A register and the power beside it may differ by so much before one of them is doubted.
DISAGREE = 3.0
DISAGREE_FROM_MWH = 300_000
# Late readings of a session's end still belong to it.
TRAILING_MS = 60_000

Point = tuple[int, int]


@dataclass(slots=True)
class Energy:
    """mWh between first and last register, by steps ``(ms, mWh so far)``; codes of what was found."""

    mwh: int = 0
    steps: list[Point] = field(default_factory=list)
    findings: set[str] = field(default_factory=set)
    base: int | None = None
    last: int | None = None


@dataclass(slots=True)
class Totals:
    """A session counted from its start to its end, or to its newest reading while it runs."""

    imported: Energy
    exported: Energy
    flow_ms: int = 0
    flowing_since_ms: int | None = None
    readings: int = 0
    missing: int = 0
    counted_to_ms: int | None = None
    findings: set[str] = field(default_factory=set)


def count(
    readings: Sequence[Reading],
    *,
    started_ms: int,
    ended_ms: int | None,
    stop_known: bool,
    meter_start_wh: int | None,
    meter_stop_wh: int | None,
) -> Totals:
    """Count merged ``readings`` (some from before the start tell whether it flowed then).

    ``ended_ms`` is the end as told, or the beginning of the next session on the socket; None while it runs.
    """
    within = [r for r in readings if r.ms >= started_ms and (ended_ms is None or r.ms <= ended_ms + TRAILING_MS)]
    start = None if meter_start_wh is None else (started_ms, meter_start_wh * 1000)
    stop_ms = ended_ms if ended_ms is not None else (within[-1].ms if within else started_ms)
    stop = None if meter_stop_wh is None else (stop_ms, meter_stop_wh * 1000)
    by_power = _integral(within, ended_ms)
    totals = Totals(
        imported=imported_energy(
            [(r.ms, r.imported) for r in within if r.imported is not None], start, stop, by_power, stop_known=stop_known
        ),
        exported=exported_energy([(r.ms, r.exported) for r in within if r.exported is not None]),
    )
    totals.flow_ms, totals.flowing_since_ms = flow(readings, started_ms, ended_ms)
    times = [r.ms for r in within if r.flow is None or r.power is not None]
    totals.readings = len(times)
    totals.missing = sum(lost for _, _, lost in gaps(times))
    totals.counted_to_ms = within[-1].ms if within else None
    totals.findings = totals.imported.findings | totals.exported.findings
    return totals


def rise_possible(ms: int, mwh: int, slack: int = SLACK_MWH) -> bool:
    """Whether a register may rise by ``mwh`` in ``ms`` milliseconds."""
    return mwh <= MAX_POWER_W * max(0, ms) / 3600 + slack


def imported_energy(
    points: list[Point], start: Point | None, stop: Point | None, by_power: int | None, *, stop_known: bool = True
) -> Energy:
    """Energy from register differences, with the unit put right and resets bridged.

    The meter's own difference between start and stop holds wherever it can be true.
    """
    findings: set[str] = set()
    points, start, stop = _unit_repaired(points, start, stop, by_power, findings)
    walked = _walk([p for p in (start, *points, stop) if p is not None], findings)
    if walked.mwh == 0 and start is None and stop is None and not points and by_power:
        walked = Energy(by_power, [], {"energy-from-power"})
        findings |= walked.findings
    if start is None:
        findings.add("meter-start-missing")
    if stop is None and stop_known:
        findings.add("meter-stop-missing")
    if start is not None and stop is not None:
        difference = stop[1] - start[1]
        if difference < 0:
            findings.add("meter-stop-below-start")
        elif "register-reset" not in findings or _close(walked.mwh, difference):
            if rise_possible(stop[0] - start[0], difference):
                findings -= {"register-of-its-own", "register-reset", "register-jump", "reading-out-of-line"}
                walked = _stretched(walked, start, stop, difference)
            else:
                findings.add("register-jump")
                if not points and difference < INCREDIBLE_MWH:
                    walked = _stretched(walked, start, stop, difference)
    if (
        by_power is not None
        and len(points) > 1
        and max(walked.mwh, by_power) > DISAGREE_FROM_MWH
        and not by_power / DISAGREE <= walked.mwh <= by_power * DISAGREE
    ):
        findings.add("power-disagrees")
    walked.findings = findings
    return walked


def exported_energy(points: list[Point]) -> Energy:
    """Energy sent out, by its register: OCPP 1.6 tells no export register at start and stop."""
    findings: set[str] = set()
    walked = _walk(points, findings)
    walked.findings = {f"export-{code}" for code in findings}
    return walked


def _walk(points: list[Point], findings: set[str]) -> Energy:
    """Add up the rises. A reading out of line is left out when the next one denies it, else it begins anew."""
    if not points:
        return Energy()

    def follows(a: Point, b: Point) -> bool:
        return b[1] >= a[1] and rise_possible(b[0] - a[0], b[1] - a[1])

    energy, out_of_line = Energy(steps=[(points[0][0], 0)], base=points[0][1]), 0
    last: Point = points[0]
    doubted: Point | None = None
    for point in points[1:]:
        if not follows(last, point):
            if doubted is None or not follows(doubted, point):
                out_of_line += doubted is not None
                doubted = point
                continue
            # Two agree against what was before: the register itself has moved.
            added = _begin_anew(last, doubted, findings, first=last == points[0])
            if added is None:  # a little back: the highest so far holds until it is passed
                continue
            energy.mwh += added + point[1] - doubted[1]
            energy.base = point[1] - energy.mwh
        else:
            out_of_line += doubted is not None
            energy.mwh += point[1] - last[1]
        last, doubted = point, None
        energy.steps.append((point[0], energy.mwh))
    if out_of_line or doubted is not None:
        findings.add("reading-out-of-line")
    energy.last = last[1]
    return energy


def _begin_anew(last: Point, begin: Point, findings: set[str], *, first: bool) -> int | None:
    """What was added when a register began anew at ``begin``; None where it only wavers."""
    if begin[1] > last[1]:
        findings.add("register-jump")
        return 0
    if begin[1] * 10 <= last[1]:
        # From the first reading on: a register that counts each transaction by itself.
        findings.add("register-of-its-own" if first else "register-reset")
        return begin[1] if rise_possible(begin[0] - last[0], begin[1], UNIT_SLACK_MWH) else 0
    return None


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= max(2_000, 0.01 * max(abs(one), abs(other)))


def _stretched(walked: Energy, start: Point, stop: Point, difference: int) -> Energy:
    """The meter's difference as the total, its course over time as walked."""
    if walked.mwh == difference:
        return walked
    scale = difference / walked.mwh if walked.mwh else 0.0
    steps = [(ms, round(mwh * scale)) for ms, mwh in walked.steps] if scale else [(start[0], 0)]
    return Energy(difference, [*steps, (stop[0], difference)], base=start[1], last=stop[1])


def _unit_repaired(
    points: list[Point], start: Point | None, stop: Point | None, by_power: int | None, findings: set[str]
) -> tuple[list[Point], Point | None, Point | None]:
    """Bring kWh told as Wh, and Wh told as kWh, to one measure, where start, readings, stop and power show it."""

    def times(point: Point | None, factor: float) -> Point | None:
        return None if point is None else (point[0], round(point[1] * factor))

    def possible(*chain: Point | None) -> bool:
        told = [p for p in chain if p is not None]
        return all(b[1] >= a[1] and rise_possible(b[0] - a[0], b[1] - a[1], UNIT_SLACK_MWH) for a, b in pairwise(told))

    def telling(before: Point, after: Point | None) -> bool:
        """Whether landing between these by chance would be a wonder: the register is far above what may flow."""
        return after is not None and MAX_POWER_W * (after[0] - before[0]) / 3600 + UNIT_SLACK_MWH < 0.2 * after[1]

    first, last = (points[0], points[-1]) if points else (None, None)
    if start is not None and first is not None and start[1] > 0 and first[1] > 0 and not possible(start, first, last):
        scaled, raised = times(first, 1000), times(start, 1000)
        if possible(start, scaled, times(last, 1000)) and telling(start, scaled):
            findings.add("unit-repaired")
            points = [(ms, mwh * 1000) for ms, mwh in points]
        elif possible(raised, first, last) and telling(start, first):
            findings.add("unit-repaired")
            if stop is None or possible(last, stop):
                start = raised
            else:
                points = [(ms, round(mwh / 1000)) for ms, mwh in points]
    if start is not None and stop is not None and start[1] > 0 and stop[1] > 0 and not possible(start, stop):
        last = points[-1] if points else None
        for factor in (1000, 0.001):
            scaled = times(stop, factor)
            if possible(start, last, scaled) and telling(last or start, scaled):
                findings.add("unit-repaired")
                stop = times(stop, factor)
                break
    told = [p for p in (start, *points, stop) if p is not None]
    if by_power is not None and by_power > 50_000 and len(told) > 1:
        difference = told[-1][1] - told[0][1]
        for factor in (1000, 0.001):
            if 0.5 <= difference * factor / by_power <= 2:
                findings.add("unit-repaired")
                return (
                    [(ms, round(mwh * factor)) for ms, mwh in points],
                    times(start, factor),
                    times(stop, factor),
                )
    return points, start, stop


def _integral(readings: Sequence[Reading], ended_ms: int | None) -> int | None:
    """mWh by power over time, each power held until the next; None without powers. Only a check on the register."""
    told = [(r.ms, r.power) for r in readings if r.power is not None]
    if not told:
        return None
    longest = 15 * 60_000
    total = 0
    for (ms, power), (until, _) in zip(told, [*told[1:], (ended_ms or told[-1][0], 0)], strict=True):
        total += max(0, power) * min(max(0, until - ms), longest)
    return total // 3600


def flow(readings: Sequence[Reading], started_ms: int, ended_ms: int | None) -> tuple[int, int | None]:
    """Milliseconds in which current flowed, either way, and since when the running piece does.

    A status tells when it began and ended, to the moment; a power of nothing in between tells that it did not flow.
    """
    total, since = 0, None
    for reading in readings:
        flowing = flowing_by(reading)
        if flowing is None:
            continue
        at = max(reading.ms, started_ms)
        if ended_ms is not None and at > ended_ms:
            break
        if flowing and since is None:
            since = at
        elif not flowing and since is not None:
            total, since = total + at - since, None
    if ended_ms is not None and since is not None:
        total, since = total + max(0, ended_ms - since), None
    return total, since


def flowing_by(reading: Reading) -> bool | None:
    """Whether a reading says that current flows; None where it says nothing of it."""
    if reading.flow == 0:
        return False
    if reading.power is not None:
        return abs(reading.power) >= FLOWING_W
    return True if reading.flow == 1 else None


def gaps(times: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """``(from, to, readings missing)`` wherever readings are further apart than those around them are."""
    spacings = [b - a for a, b in pairwise(times)]
    for n, spacing in enumerate(spacings):
        around = spacings[max(0, n - 4) : n + 5]
        # Only a spacing above all others around it can be a gap, and most are not above the next one.
        if len(around) < 3 or spacing * 2 <= 3 * min(around):
            continue
        usual = median_low(around)
        if usual > 0 and spacing > 1.5 * usual:
            yield times[n], times[n + 1], round(spacing / usual) - 1


def energy_at(steps: Sequence[Point], ms: int) -> float:
    """mWh that had flowed by a moment, evenly between steps: to lay energy into the hours of a price."""
    if not steps:
        return 0.0
    n = bisect_right(steps, (ms, 1 << 62))
    if n == 0:
        return 0.0
    if n == len(steps):
        return float(steps[-1][1])
    (before, low), (after, high) = steps[n - 1], steps[n]
    return low + (high - low) * (ms - before) / (after - before) if after > before else float(high)
