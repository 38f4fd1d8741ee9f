"""Reading MeterValues (OCPP 1.6 §4.7, §7.31): the figures a person sees, out of whatever notation a charger uses."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chargeamps.chargers.services.reporting import LiveReading
from chargeamps.gateway.reading import Reader, number_of

PHASES = ("L1", "L2", "L3", "L1-N", "L2-N", "L3-N")
SCALE = {"kWh": 1000.0, "kW": 1000.0, "mA": 0.001, "kV": 1000.0}
# No Aura delivers more; a larger figure is a mistake of unit or of the meter.
MAX_POWER_W = 60_000.0
MAX_CURRENT_A = 100.0
MAX_VOLTAGE_V = 500.0
MAX_REGISTER_WH = 1e12
ENTRIES = 2000


@dataclass(slots=True)
class Sample:
    """The figures of one instant: W, A (highest phase), V (mean of phases), Wh; None where not sent or not credible."""

    time: datetime
    power_w: float | None = None
    current_a: float | None = None
    current_offered_a: float | None = None
    voltage_v: float | None = None
    register_wh: float | None = None

    def live_reading(self) -> LiveReading:
        return LiveReading(
            measured=self.time,
            power_w=self.power_w,
            current_a=self.current_a,
            current_offered_a=self.current_offered_a,
            voltage_v=self.voltage_v,
        )


def read(reader: Reader, received: datetime) -> list[Sample]:
    """The samples of a MeterValues payload, in the order sent. What cannot be read is flagged and left out."""
    entries = reader.payload.get("meterValue")
    if not isinstance(entries, list) or not entries:
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
    for measurand, phase, number in _numbers(values, flags):
        found.setdefault(measurand, {})[phase] = number
    voltage, current = found.get("Voltage", {}), found.get("Current.Import", {})
    sample.voltage_v = _credible(_mean(voltage), MAX_VOLTAGE_V, "voltage", flags)
    sample.current_a = _credible(max(current.values(), default=None), MAX_CURRENT_A, "current", flags)
    sample.current_offered_a = _credible(
        max(found.get("Current.Offered", {}).values(), default=None), MAX_CURRENT_A, "current-offered", flags
    )
    power = _total(found.get("Power.Active.Import", {}))
    if power is None and current:
        power = sum(a * voltage.get(phase, sample.voltage_v or 230.0) for phase, a in current.items())
    sample.power_w = _credible(power, MAX_POWER_W, "power", flags)
    sample.register_wh = _credible(
        _total(found.get("Energy.Active.Import.Register", {})), MAX_REGISTER_WH, "register", flags
    )
    return sample


def _numbers(values: Any, flags: list[str]) -> Iterator[tuple[str, str, float]]:
    """(measurand, phase, value in base units) of each sampledValue; the defaults are those of OCPP 1.6 §7.43."""
    for value in values if isinstance(values, list) else ():
        if not isinstance(value, dict):
            flags.append("sampled-value-not-an-object")
            continue
        # The register at the start of the transaction is not a reading of now.
        if value.get("context") == "Transaction.Begin" and len(values) > 1:
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
        if phase == "" and measurand.rpartition(".")[2] in PHASES:
            measurand, _, phase = measurand.rpartition(".")
        unit = value.get("unit")
        yield measurand, phase, number * (SCALE.get(unit, 1.0) if isinstance(unit, str) else 1.0)


def _total(by_phase: dict[str, float]) -> float | None:
    """The charger's own total, else the sum of the phases."""
    if not by_phase:
        return None
    if "" in by_phase:
        return by_phase[""]
    return sum(value for phase, value in by_phase.items() if phase in PHASES)


def _mean(by_phase: dict[str, float]) -> float | None:
    live = [value for value in by_phase.values() if value > 0]
    return sum(live) / len(live) if live else None


def _credible(value: float | None, limit: float, name: str, flags: list[str]) -> float | None:
    if value is None:
        return None
    if not 0 <= value <= limit:
        flags.append(f"{name}-not-credible")
        return None
    return value
