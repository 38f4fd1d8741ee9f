"""All chargers come back at once: how long it takes, what it costs beside a bare server, and what they weigh."""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from tests.benchmarks.report import Line
from tests.benchmarks.rig import BareServer, OurServer, Prober, Process, chargers, client_tls, median, percentile
from tests.benchmarks.wire import Charger

Come = Callable[[Charger], Awaitable[None]]


def storm(*, quick: bool, environment: Mapping[str, str] | None = None, name: str = "SQLite") -> list[Line]:
    """2,000 chargers reconnect to one process while an owner uses the app; then what each of them weighs."""
    count = 500 if quick else 2000
    with OurServer(environment=environment) as server:
        rows = server.populate(count, owners=1)
        asyncio.run(_warm_up(server, rows[:40]))
        weigh = environment is None and not quick
        idle = server.usage.memory() if weigh else 0.0
        paths = ("charge-points", f"connectors/{rows[0]['connectors'][0]}", "me")
        prober = Prober(server, rows[0]["api_key"], *paths)
        outcome = asyncio.run(_storm(server, rows, prober, weigh=weigh))
        lines = [
            Line(
                f"{count} chargers back at once, {name}: TLS, Basic auth, boot, status x3, all answered",
                "≤ 60 s",
                f"{outcome['seconds']:.1f} s (median charger {outcome['median']:.1f} s)",
                met=outcome["seconds"] <= 60,
            ),
            Line("  refused or lost of them", "0", str(outcome["failed"]), met=outcome["failed"] == 0),
            Line(
                f"  owner's API meanwhile ({len(prober.times)} requests)",
                "p95 ≤ 2 s",
                f"p50 {percentile(prober.times, 0.5):.0f} ms, p95 {percentile(prober.times, 0.95):.0f} ms",
                met=percentile(prober.times, 0.95) <= 2000,
            ),
            Line("  processor time of all of it, per charger", "", f"{outcome['cpu'] / count * 1000:.2f} ms"),
        ]
        if weigh:
            lines.append(_memory_line((outcome["loaded"] - idle) / count, server=server, rows=rows))
    return lines


async def _warm_up(server: OurServer, rows: Sequence[dict[str, Any]]) -> None:
    """Bring in what is loaded at first use, so that it is not counted as a charger's."""
    tls = client_tls(server)
    some = chargers(rows)
    await asyncio.gather(*(_come_and_boot(c, server.tls_port, tls) for c in some))
    await _until_quiet(server.usage)
    for charger in some:
        charger.drop()
    await _until_quiet(server.usage)


async def _come_and_boot(charger: Charger, port: int, tls: ssl.SSLContext) -> None:
    await charger.connect(port, tls)
    await charger.boot()


async def _until_quiet(process: Process) -> None:
    """Let the sockets go on answering until the server does next to nothing."""
    for _ in range(300):
        before = process.cpu()
        await asyncio.sleep(0.4)
        if process.cpu() - before < 0.03:
            return


async def _storm(server: OurServer, rows: Sequence[dict[str, Any]], prober: Prober, *, weigh: bool) -> dict[str, float]:
    tls = client_tls(server)
    fleet = chargers(rows)
    done: list[float] = []

    async def come(charger: Charger) -> None:
        await _come_and_boot(charger, server.tls_port, tls)
        done.append(time.perf_counter() - began)

    with prober:
        cpu, began = server.usage.cpu(), time.perf_counter()
        outcomes = await asyncio.gather(*(come(charger) for charger in fleet), return_exceptions=True)
        spent = server.usage.cpu() - cpu
    failed = [outcome for outcome in outcomes if outcome is not None]
    if failed:
        print(f"    first of {len(failed)} failures: {failed[0]!r}")
    loaded = 0.0
    if weigh:
        await _until_quiet(server.usage)
        loaded = await asyncio.to_thread(server.usage.memory)
    lost = sum(charger.lost for charger in fleet)
    online = await asyncio.to_thread(server.metric, "chargeamps_connected_charge_points")
    for charger in fleet:
        charger.drop()
    return {
        "seconds": max(done, default=0.0),
        "median": median(done or [0.0]),
        "failed": max(len(failed) + lost, len(rows) - int(online)),
        "cpu": spent,
        "loaded": loaded,
    }


def _memory_line(weight: float, *, server: OurServer, rows: Sequence[dict[str, Any]]) -> Line:
    bare = asyncio.run(_bare_weight(server, rows))
    return Line(
        f"memory per connected charger, after that storm ({len(rows)} sockets, above the idle process)",
        "≤ 64 KiB",
        f"{weight:.1f} KiB (bare {bare:.1f} KiB)",
        f"{weight / bare:.2f}",
        weight <= 64,
    )


async def _bare_weight(server: OurServer, rows: Sequence[dict[str, Any]]) -> float:
    tls = client_tls(server)
    with BareServer(server) as bare:
        fleet = chargers(rows)
        await asyncio.gather(*(charger.connect(bare.tls_port, tls, path="/lean/") for charger in fleet[:40]))
        for charger in fleet[:40]:
            charger.drop()
        await _until_quiet(bare.usage)
        idle = await asyncio.to_thread(bare.usage.memory)
        await asyncio.gather(*(charger.connect(bare.tls_port, tls, path="/lean/") for charger in fleet))
        await _until_quiet(bare.usage)
        loaded = await asyncio.to_thread(bare.usage.memory)
        for charger in fleet:
            charger.drop()
        return (loaded - idle) / len(fleet)


def connect_cost(*, quick: bool) -> list[Line]:
    """Processor time of the server for a connect: waves to each case in turn, a fresh wave each time."""
    wave, rounds = (150, 2) if quick else (300, 5)
    with OurServer() as server, BareServer(server) as bare:
        rows = server.populate(wave)
        asyncio.run(_warm_up(server, rows[:40]))
        costs = asyncio.run(_connect_waves(server, bare, rows, rounds))
    lean, stock = median(costs["lean"]), median(costs["stock"])
    ours, whole = median(costs["connect"]), median(costs["boot"])
    return [
        Line(
            "processor time per connect: TLS, Basic auth, taken over, committed",
            "≤ 1.5 x bare",
            f"{ours:.2f} ms (bare {lean:.2f}, stock bare {stock:.2f})",
            f"{ours / lean:.2f}",
            ours / lean <= 1.5,
        ),
        Line(
            "  the same with BootNotification and StatusNotification x3, committed",
            "",
            f"{whole:.2f} ms",
            f"{whole / lean:.2f}",
        ),
    ]


async def _connect_waves(
    server: OurServer, bare: BareServer, rows: Sequence[dict[str, Any]], rounds: int
) -> dict[str, list[float]]:
    tls = client_tls(server)

    async def to_us(charger: Charger) -> None:
        await charger.connect(server.tls_port, tls)

    async def to_us_and_boot(charger: Charger) -> None:
        await _come_and_boot(charger, server.tls_port, tls)

    async def to_lean(charger: Charger) -> None:
        await charger.connect(bare.tls_port, tls, path="/lean/")

    async def to_stock(charger: Charger) -> None:
        await charger.connect(bare.tls_port, tls, path="/stock/")

    cases: dict[str, tuple[Process, Come]] = {
        "lean": (bare.usage, to_lean),
        "connect": (server.usage, to_us),
        "stock": (bare.usage, to_stock),
        "boot": (server.usage, to_us_and_boot),
    }
    costs: dict[str, list[float]] = {name: [] for name in cases}
    for round_number in range(rounds + 1):
        for name, (process, come) in cases.items():
            # Our own calls stay unanswered, so that convergence, which comes after, is not in the figure.
            fleet = chargers(rows, answering=False)
            before = process.cpu()
            await asyncio.gather(*(come(charger) for charger in fleet))
            spent = process.cpu() - before
            if round_number > 0:
                costs[name].append(spent / len(fleet) * 1000)
            for charger in fleet:
                charger.drop()
            await _until_quiet(process)
    return costs
