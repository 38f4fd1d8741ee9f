"""Reading MeterValues (OCPP 1.6 §4.7, §7.31): the figures a person sees, out of whatever notation a charger uses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chargeamps.chargers.services.reporting import LiveReading
from chargeamps.gateway.reading import Reader, number_of
from chargeamps.usage.packing import Reading

PHASES = ("L1", "L2", "L3")
SCALE = {"kwh": 1000.0, "kw": 1000.0, "ma": 0.001, "kv": 1000.0}
ENERGY, EXPORTED, POWER, POWER_OUT, CURRENT, OFFERED, VOLTAGE = (
    "energy.active.import.register",
    "energy.active.export.register",
    "power.active.import",
    "power.active.export",
    "current.import",
    "current.offered",
    "voltage",
)
# No Aura delivers more; a larger figure is a mistake of unit or of the meter.
MAX_POWER_W = 60_000.0
MAX_CURRENT_A = 100.0
MAX_VOLTAGE_V = 500.0
MAX_REGISTER_WH = 1e12
ENTRIES = 2000


@dataclass(slots=True)
class Sample:
    """The figures of one instant: W, A (highest phase), V (mean of phases), Wh; None where not sent or not credible.

    ``power_w`` is what the car takes; ``power_out_w`` what it gives.
    """

    time: datetime
    power_w: float | None = None
    power_out_w: float | None = None
    current_a: float | None = None
    current_offered_a: float | None = None
    voltage_v: float | None = None
    register_wh: float | None = None
    exported_wh: float | None = None

    def reading(self) -> Reading | None:
        """What is kept of it for good: power in W, less than nothing where the car gives, and registers in mWh."""
        power = self.power_w
        if self.power_out_w:
            power = (power or 0.0) - self.power_out_w
        if power is None and self.register_wh is None and self.exported_wh is None:
            return None
        # Rounded to the nearest, never cut: an error that always leans one way would be systematic.
        return Reading(
            round(self.time.timestamp() * 1000),
            None if power is None else round(power),
            None if self.register_wh is None else round(self.register_wh * 1000),
            None if self.exported_wh is None else round(self.exported_wh * 1000),
        )

    def live_reading(self) -> LiveReading:
        return LiveReading(
            measured=self.time,
            power_w=self.power_w,
            current_a=self.current_a,
            current_offered_a=self.current_offered_a,
            voltage_v=self.voltage_v,
        )


def read(reader: Reader, received: datetime, key: str = "meterValue") -> list[Sample]:
    """The samples of a MeterValues payload, in the order sent. What cannot be read is flagged and left out.

    With ``transactionData`` as ``key``: those that StopTransaction brings along, which are optional.
    """
    entries = reader.payload.get(key)
    if not isinstance(entries, list) or not entries:
        if key == "meterValue":
            reader.flags.append("no-meter-values")
        return []
    samples = []
    for entry in entries[:ENTRIES]:
        if isinstance(entry, dict):
            timed = Reader(entry, reader.flags)
            samples.append(_sample(entry.get("sampledValue"), timed.time("timestamp", received), reader.flags))
        else:
            reader.flags.append("meter-value-not-an-object")
    return samples


def _sample(values: Any, time: datetime, flags: list[str]) -> Sample:
    sample = Sample(time)
    found: dict[str, dict[str, float]] = {}
    for measurand, phase, number, secondary in _numbers(values, flags):
        by_phase = found.setdefault(measurand, {})
        if not secondary or phase not in by_phase:
            by_phase[phase] = number
    voltage, current = found.get(VOLTAGE, {}), found.get(CURRENT, {})
    sample.voltage_v = _credible(_mean(voltage), MAX_VOLTAGE_V, "voltage", flags)
    sample.current_a = _credible(_highest(current), MAX_CURRENT_A, "current", flags)
    sample.current_offered_a = _credible(_highest(found.get(OFFERED, {})), MAX_CURRENT_A, "current-offered", flags)
    power = _total(found.get(POWER, {}))
    if power is None and current:
        power = sum(a * voltage.get(phase, sample.voltage_v or 230.0) for phase, a in _live(current).items())
    sample.power_w = _credible(power, MAX_POWER_W, "power", flags)
    sample.power_out_w = _credible(_total(found.get(POWER_OUT, {})), MAX_POWER_W, "power-out", flags)
    sample.register_wh = _credible(_total(found.get(ENERGY, {})), MAX_REGISTER_WH, "register", flags)
    sample.exported_wh = _credible(_total(found.get(EXPORTED, {})), MAX_REGISTER_WH, "exported", flags)
    return sample


def _numbers(values: Any, flags: list[str]) -> Iterator[tuple[str, str, float, bool]]:
    """(measurand, phase, value in base units, secondary) of each sampledValue; defaults as in OCPP 1.6 §7.43.

    A secondary value only stands in for one that is missing: taken when the transaction began, or not at the outlet.
    """
    for value in values if isinstance(values, list) else ():
        if not isinstance(value, dict):
            flags.append("sampled-value-not-an-object")
            continue
        number = number_of(value.get("value"))
        if number is None:
            flags.append("sampled-value-not-a-number")
            continue
        measurand = value.get("measurand") or "Energy.Active.Import.Register"
        phase = value.get("phase") or ""
        if not isinstance(measurand, str) or not isinstance(phase, str):
            flags.append("measurand-not-text")
            continue
        measurand, phase = measurand.strip().lower(), phase.strip().upper().removesuffix("-N")
        if phase == "" and measurand.rpartition(".")[2].upper() in PHASES:
            measurand, _, phase = measurand.rpartition(".")
            phase = phase.upper()
        unit = value.get("unit")
        scale = SCALE.get(unit.strip().lower(), 1.0) if isinstance(unit, str) else 1.0
        secondary = value.get("context") == "Transaction.Begin" or value.get("location", "Outlet") != "Outlet"
        yield measurand, phase, number * scale, secondary


def _total(by_phase: dict[str, float]) -> float | None:
    """The charger's own total, else the sum of the phases."""
    live = _live(by_phase)
    return live.get("", sum(live.values())) if live else None


def _highest(by_phase: dict[str, float]) -> float | None:
    return max(_live(by_phase).values(), default=None)


def _mean(by_phase: dict[str, float]) -> float | None:
    live = [value for value in _live(by_phase).values() if value > 0]
    return sum(live) / len(live) if live else None


def _live(by_phase: dict[str, float]) -> dict[str, float]:
    """What stands for the whole or for one phase against neutral: not the neutral itself, nor phase against phase."""
    return {phase: value for phase, value in by_phase.items() if phase in ("", *PHASES)}


def _credible(value: float | None, limit: float, name: str, flags: list[str]) -> float | None:
    if value is None:
        return None
    if not 0 <= value <= limit:
        flags.append(f"{name}-not-credible")
        return None
    return value
