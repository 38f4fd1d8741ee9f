"""MeterValues: which samples, in which form (OCPP 1.6 §3.16, §7.32, §7.43)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .outgoing import Call

if TYPE_CHECKING:
    from .aura import Aura
    from .outlet import Outlet

JSON = dict[str, Any]
PHASES = ("L1", "L2", "L3")


def _sample(value: float, digits: int, measurand: str, unit: str, context: str, *, phase: str | None = None) -> JSON:
    out: JSON = {"value": f"{value:.{digits}f}", "context": context, "measurand": measurand, "location": "Outlet"}
    if phase is not None:
        out["phase"] = phase
    return out | {"unit": unit}


def sampled_values(aura: Aura, outlet: Outlet, context: str, measurands: list[str]) -> list[JSON]:
    """The samples of one moment, as ``sampledValue``."""
    meter, persona, out = outlet.meter, aura.persona, []
    energy = float(meter.register_wh)
    if persona.register_per_transaction and outlet.transaction is not None:
        energy -= outlet.transaction.meter_start
    scale, digits, unit = (0.001, 3, "kWh") if persona.energy_unit == "kWh" else (1.0, 0, "Wh")
    for name in measurands:
        if name == "Energy.Active.Import.Register":
            if persona.per_phase_only:
                out += [_sample(energy / 3 * scale, digits, name, unit, context, phase=p) for p in PHASES]
            else:
                out.append(_sample(energy * scale, digits, name, unit, context))
        elif name == "Power.Active.Import":
            if persona.per_phase_only:
                out += [_sample(w, 1, name, "W", context, phase=p) for w, p in zip(meter.powers, PHASES, strict=True)]
            else:
                out.append(_sample(meter.power_w, 1, name, "W", context))
        elif name == "Current.Import":
            out += [_sample(a, 2, name, "A", context, phase=p) for a, p in zip(meter.currents, PHASES, strict=True)]
        elif name == "Current.Offered":
            out.append(_sample(outlet.offered_a, 1, name, "A", context))
        elif name == "Voltage":
            out += [
                _sample(v, 1, name, "V", context, phase=f"{p}-N") for v, p in zip(meter.voltages, PHASES, strict=True)
            ]
        elif name == "Frequency":
            out.append(
                {
                    "value": f"{50 + aura.rng.uniform(-0.05, 0.05):.2f}",
                    "context": context,
                    "measurand": name,
                    "location": "Outlet",
                }
            )
        elif name == "Temperature":
            out.append(_sample(22 + meter.power_w / 1500, 1, name, "Celsius", context))
    return out


def send_meter_values(aura: Aura, outlet: Outlet, context: str, key: str, *, forced: bool = False) -> None:
    """Queue one MeterValues for the measurands of a configuration key; inside a transaction it is not to be lost."""
    names = [n.strip() for n in aura.configuration[key].split(",") if n.strip()]
    values = sampled_values(aura, outlet, context, names)
    if not values:
        return
    tx = outlet.transaction
    payload: JSON = {"connectorId": outlet.number, "meterValue": [{"timestamp": aura.stamp(), "sampledValue": values}]}
    if tx is None and not aura.online:
        return
    aura.send(
        Call("MeterValues", payload, tx=tx.uid if tx else None, lasting=tx is not None and not forced, forced=forced)
    )


def arm_sampling(aura: Aura, outlet: Outlet) -> None:
    """(Re)start the sampling of a running transaction at MeterValueSampleInterval, 0 meaning none (§9.1.17)."""
    name = f"sample-{outlet.number}"
    interval = aura.configuration.number("MeterValueSampleInterval")
    if outlet.transaction is None or interval == 0:
        aura.timers.cancel(name)
        return
    started = aura.clock.world

    def sample(turn: int = 1) -> None:
        send_meter_values(aura, outlet, "Sample.Periodic", "MeterValuesSampledData")
        aura.timers.at(name, started + (turn + 1) * interval, lambda: sample(turn + 1))

    aura.timers.at(name, started + interval, sample)


def arm_aligned(aura: Aura) -> None:
    """(Re)start clock-aligned readings (§3.16.2), on multiples of the interval since midnight UTC."""
    interval = aura.configuration.number("ClockAlignedDataInterval")
    if interval == 0:
        aura.timers.cancel("aligned")
        return
    now = aura.clock.now()

    def read() -> None:
        for outlet in aura.outlets.values():
            send_meter_values(aura, outlet, "Sample.Clock", "MeterValuesAlignedData")
        arm_aligned(aura)

    aura.timers.at("aligned", aura.clock.world + interval - now % interval, read)
