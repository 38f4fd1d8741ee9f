"""Heartbeat and StatusNotification, answered after the commit, beside an echo of the same frames on the same server."""

import asyncio
import itertools
import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.report import Line
from tests.benchmarks.rig import BareServer, OurServer, Process, chargers, client_tls, median
from tests.benchmarks.wire import Charger

CONNECTIONS = 200
# What a session goes through; every second message, between heartbeats.
STATUSES = ("Preparing", "Charging", "SuspendedEV", "Finishing", "Available")


def throughput(*, quick: bool, environment: Mapping[str, str] | None = None, name: str = "SQLite") -> list[Line]:
    """Messages answered in a second on one core, one outstanding on each socket, bursts in turn."""
    seconds, rounds = (1.5, 2) if quick else (3.0, 5)
    cores = sorted(os.sched_getaffinity(0))
    with OurServer(environment=environment) as server, BareServer(server) as bare:
        rows = server.populate(CONNECTIONS)
        server.usage.pin(cores[0])
        bare.usage.pin(cores[0])
        os.sched_setaffinity(0, {cores[-1]})
        try:
            found = asyncio.run(_bursts(server, bare, rows, seconds, rounds))
        finally:
            os.sched_setaffinity(0, cores)
    rate = {case: median([rate for rate, _ in bursts]) for case, bursts in found.items()}
    cost = {case: median([cost for _, cost in bursts]) for case, bursts in found.items()}
    ratio = rate["ours"] / rate["lean"]
    return [
        Line(
            f"Heartbeat + StatusNotification per second and core, committed, {name}",
            "≥ 0.3 x bare echo",
            f"{rate['ours']:.0f}/s (bare echo {rate['lean']:.0f}/s, stock {rate['stock']:.0f}/s)",
            f"{ratio:.2f}",
            ratio >= 0.3,
        ),
        Line(
            "  the same by processor time of the server alone",
            "",
            f"{cost['ours']:.0f} us a message (bare echo {cost['lean']:.0f} us, stock {cost['stock']:.0f} us)",
            f"{cost['lean'] / cost['ours']:.2f}",
        ),
    ]


async def _bursts(
    server: OurServer, bare: BareServer, rows: Sequence[dict[str, Any]], seconds: float, rounds: int
) -> dict[str, list[tuple[float, float]]]:
    tls = client_tls(server)
    fleets = {name: chargers(rows) for name in ("lean", "ours", "stock")}
    await asyncio.gather(*(c.connect(bare.tls_port, tls, path="/lean/") for c in fleets["lean"]))
    await asyncio.gather(*(c.connect(bare.tls_port, tls, path="/stock/") for c in fleets["stock"]))
    await asyncio.gather(*(c.connect(server.tls_port, tls) for c in fleets["ours"]))
    await asyncio.gather(*(c.boot() for c in fleets["ours"]))
    usage = {"lean": bare.usage, "ours": server.usage, "stock": bare.usage}
    for process in (bare.usage, server.usage):
        while True:
            before = process.cpu()
            await asyncio.sleep(0.4)
            if process.cpu() - before < 0.03:
                break
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in fleets}
    for round_number in range(rounds + 1):
        for name, fleet in fleets.items():
            burst = await _burst(fleet, usage[name], seconds if round_number else 0.5)
            if round_number:
                found[name].append(burst)
    for fleet in fleets.values():
        for charger in fleet:
            charger.drop()
    return found


async def _burst(fleet: Sequence[Charger], process: Process, seconds: float) -> tuple[float, float]:
    """(messages answered in a second, processor microseconds of the server for each)."""
    answered = 0
    end = time.perf_counter() + seconds
    done = asyncio.get_running_loop().create_future()
    busy = len(fleet)

    def drive(charger: Charger, number: int) -> None:
        socket = charger.socket
        assert socket is not None
        frames = itertools.cycle(_frames(number))
        former = socket.on_text

        def on_text(frame: bytes) -> None:
            nonlocal answered, busy
            if frame.startswith(b"[2,") and b'"bench-' not in frame[:14]:
                former(frame)  # a call of ours
                return
            answered += 1
            if time.perf_counter() < end:
                socket.send(next(frames))
                return
            socket.on_text = former
            busy -= 1
            if busy == 0:
                done.set_result(None)

        socket.on_text = on_text
        socket.send(next(frames))

    cpu, began = process.cpu(), time.perf_counter()
    for number, charger in enumerate(fleet):
        drive(charger, number)
    async with asyncio.timeout(seconds + 60):
        await done
    return answered / (time.perf_counter() - began), (process.cpu() - cpu) / answered * 1e6


def _frames(number: int) -> list[bytes]:
    frames = []
    for status in STATUSES:
        fields = {
            "connectorId": 1 + number % 2,
            "errorCode": "NoError",
            "status": status,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        frames += [[2, f"bench-{number}", "Heartbeat", {}], [2, f"bench-{number}", "StatusNotification", fields]]
    return [json.dumps(frame, separators=(",", ":")).encode() for frame in frames]
