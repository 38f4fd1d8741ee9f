"""Doing things to the charger that no network message can: plugs, cards, faults, the network, time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from .car import Car
from .clock import iso, parse_iso

if TYPE_CHECKING:
    from .aura import Aura
    from .outlet import Outlet
    from .wire import Driver

JSON = dict[str, Any]
SPELLINGS = {"idTag": "id_tag", "set": "set_to"}
CAR_FIELDS = {f.name for f in fields(Car) if not f.name.startswith("_")}


def outlet_state(aura: Aura, outlet: Outlet) -> JSON:
    """One outlet in full: currents in A per phase, power in W, energy in Wh (true and as registered)."""
    tx, car, meter = outlet.transaction, outlet.car, outlet.meter
    return {
        "number": outlet.number,
        "status": outlet.status,
        "plugged": outlet.plugged,
        "operative": outlet.operative,
        "fault": outlet.fault,
        "relay": outlet.relay_closed,
        "offered_a": outlet.offered_a,
        "current_a": [round(i, 3) for i in meter.currents],
        "voltage_v": [round(v, 2) for v in meter.voltages],
        "power_w": round(meter.power_w, 1),
        "true_wh": meter.true_wh,
        "register_wh": meter.register_wh,
        "car": {k: v for k, v in asdict(car).items() if not k.startswith("_")} if car else None,
        "transaction": asdict(tx) if tx else None,
    }


def state(aura: Aura) -> JSON:
    """Everything about the charger, as JSON; ``memory`` is its non-volatile memory without the key."""
    memory = aura.dump_memory()
    memory.pop("key")
    queue = aura.messaging.queue
    return {
        "identity": aura.identity,
        "running": aura.running,
        "linked": aura.messaging.linked,
        "online": aura.online,
        "world": iso(aura.clock.world),
        "clock": iso(aura.clock.now()),
        "outlets": [outlet_state(aura, o) for o in aura.outlets.values()],
        "supply_a": aura.fuse(),
        "profiles": aura.profiles.dump(),
        "local_list": aura.local_list.dump(),
        "configuration": {row["key"]: row.get("value") for row in aura.configuration.read([])[0]},
        "queue": {"lasting": len(queue.lasting), "ordinary": len(queue.ordinary), "dropped": queue.dropped},
        "memory": memory,
    }


class Control:
    """The verbs, for a test in the same process or over the socket. ``do`` never raises: errors come as answers."""

    def __init__(self, aura: Aura, driver: Driver | None = None) -> None:
        self.aura = aura
        self.driver = driver

    def do(self, request: Mapping[str, Any]) -> JSON:
        """Carry out ``{"do": verb, …}``; answers ``{"ok": true, …}`` or ``{"ok": false, "error": text}``."""
        verb = str(request.get("do", "")).replace("-", "_")
        act: Callable[..., JSON | None] | None = getattr(self, f"do_{verb}", None)
        if act is None:
            return {"ok": False, "error": f"unknown verb {request.get('do')!r}"}
        arguments = {SPELLINGS.get(k, k): v for k, v in request.items() if k not in ("do", "identity")}
        try:
            if self.driver is not None:
                self.driver.step()
            answer = act(**arguments) or {}
            if self.driver is not None:
                self.driver.step()
        except (TypeError, ValueError, KeyError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}
        return {"ok": True, **answer}

    def do_plug(self, connector: int = 1, car: JSON | None = None) -> None:
        """``car`` holds fields of Car; ``{}`` is an ordinary car, null a cable without one."""
        unknown = set(car or {}) - CAR_FIELDS
        if unknown:
            raise ValueError(f"a car has no {', '.join(sorted(unknown))}")
        if self.aura.outlets[connector].plugged:
            raise ValueError("something is plugged in already")
        self.aura.plug(connector, Car(**car) if car is not None else None)

    def do_unplug(self, connector: int = 1) -> None:
        self.aura.unplug(connector)

    def do_tap(self, id_tag: str, connector: int | None = None) -> JSON:
        return {"result": self.aura.tap(id_tag, connector)}

    def do_fault(self, connector: int = 1, error: str = "InternalError") -> None:
        self.aura.set_fault(connector, error)

    def do_clear_fault(self, connector: int = 1) -> None:
        self.aura.set_fault(connector, None)

    def do_tamper(self) -> None:
        self.aura.tamper()

    def do_network(self, state: str) -> None:
        """up, cut (half-open), down (reset) or close (closing handshake)."""
        if self.driver is None:
            raise ValueError("no network here")
        self.driver.set_network(state)

    def do_reboot(self, reason: str = "PowerLoss") -> None:
        self.aura.reboot(reason)

    def do_state(self) -> JSON:
        driver = self.driver
        link = (
            {
                "network": driver.network,
                "connections": driver.connections,
                "refusals": driver.refusals,
                "speed": driver.speed,
            }
            if driver is not None
            else None
        )
        return {"state": state(self.aura) | {"link": link}}

    def do_clock(self, set_to: str | None = None, offset: float | None = None, drift_ppm: float | None = None) -> None:
        """Set the charger's clock, or how far it is off from the world's (s), or how fast it runs (ppm)."""
        clock = self.aura.clock
        if set_to is not None:
            clock.set(parse_iso(set_to))
        if offset is not None:
            clock.offset = offset
        if drift_ppm is not None:
            clock.drift_ppm = drift_ppm

    def do_speed(self, factor: float) -> None:
        """World seconds per real second."""
        if self.driver is None or factor < 0:
            raise ValueError("there is no real time here, or it cannot run backwards")
        self.driver.set_speed(factor)

    def do_advance(self, seconds: float) -> None:
        """Jump ahead: everything in between happens at once."""
        self.aura.advance(seconds)


async def _line(reader: asyncio.StreamReader) -> bytes:
    """The next line; nothing at the end, or when the other side is gone."""
    try:
        return await reader.readline()
    except (ConnectionError, ValueError):
        return b""


async def serve(controls: Mapping[str, Control], port: int) -> asyncio.Server:
    """JSON lines on the loopback interface, one answer a line; ``identity`` picks one charger of several."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await _line(reader):
            try:
                request = json.loads(line)
                control = controls[request.get("identity", next(iter(controls)))]
                answer = control.do(request)
            except (ValueError, KeyError, AttributeError) as error:
                answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", port, limit=2**20)
