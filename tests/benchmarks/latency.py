"""From a tap to the frame at the charger, and from the charger's status to the phone."""

import asyncio
import http.client
import json
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.report import Line
from tests.benchmarks.rig import OurServer, client_tls, percentile
from tests.benchmarks.wire import Charger, WebSocket, open_socket

PHONES = 20
PAUSE_SECONDS = 0.08


def latency(*, quick: bool, environment: Mapping[str, str] | None = None) -> list[Line]:
    """Embedded in one process, or with ``environment`` across two: chargers at the first, phones at the second."""
    count = 15 if quick else 60
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)))
        gateway = stack.enter_context(OurServer(data=folder, environment=environment))
        phones = stack.enter_context(OurServer(data=folder, environment=environment)) if environment else gateway
        rows = gateway.populate(count, owners=count)
        taps, statuses = asyncio.run(_measure(gateway, phones, rows))
    goal = 100 if environment else 50
    where = "two processes, PostgreSQL and Redis" if environment else "one process, SQLite"
    return [
        Line(
            f"tap to frame at the charger, {where} ({len(taps)} taps on {count} chargers)",
            f"p95 ≤ {goal} ms",
            spread(taps),
            met=percentile(taps, 0.95) <= goal,
        ),
        Line(
            f"charger's status to the phone, {where} ({len(statuses)})",
            "p95 ≤ 100 ms",
            spread(statuses),
            met=percentile(statuses, 0.95) <= 100,
        ),
    ]


def spread(times: Sequence[float]) -> str:
    """Median, 95th percentile and worst, in ms."""
    return f"p50 {percentile(times, 0.5):.0f} ms, p95 {percentile(times, 0.95):.0f} ms, most {max(times):.0f} ms"


class Arrivals:
    """Waits for one thing to arrive somewhere, and says when it did."""

    def __init__(self) -> None:
        self._awaited: dict[str, asyncio.Future[float]] = {}

    def expect(self, name: str) -> "asyncio.Future[float]":
        self._awaited[name] = asyncio.get_running_loop().create_future()
        return self._awaited[name]

    def called(self, identity: str, action: str, payload: dict[str, Any]) -> None:
        self.arrived(f"{action} {identity} {payload.get('connectorId')}")

    def arrived(self, name: str) -> None:
        awaited = self._awaited.pop(name, None)
        if awaited is not None and not awaited.done():
            awaited.set_result(time.perf_counter())


async def _measure(
    gateway: OurServer, phones: OurServer, rows: Sequence[dict[str, Any]]
) -> tuple[list[float], list[float]]:
    tls = client_tls(gateway)
    arrivals = Arrivals()
    fleet = [
        Charger(
            row["identity"],
            bytes.fromhex(row["key_hex"]),
            on_call=partial(arrivals.called, row["identity"]),
        )
        for row in rows
    ]
    for charger in fleet:
        await charger.connect(gateway.tls_port, tls)
        await charger.boot()
        for number in (1, 2):
            await charger.status(number, "Preparing")
    await calls_over(fleet)
    taps = await _taps(phones, rows, arrivals)
    await calls_over(fleet)
    sockets = [await _phone(phones, row, arrivals) for row in rows[:PHONES]]
    statuses = await _statuses(fleet, rows, arrivals, len(taps))
    for socket in sockets:
        socket.drop()
    for charger in fleet:
        charger.drop()
    return taps, statuses


async def calls_over(fleet: Sequence[Charger]) -> None:
    """Wait until our own calls to the chargers have come to an end."""
    while True:
        before = sum(charger.calls for charger in fleet)
        await asyncio.sleep(1.5)
        if sum(charger.calls for charger in fleet) == before:
            return


async def _taps(phones: OurServer, rows: Sequence[dict[str, Any]], arrivals: Arrivals) -> list[float]:
    """One tap after the other: every first socket, then every second one."""
    line = http.client.HTTPConnection("127.0.0.1", phones.http_port, timeout=30)

    def tap(row: dict[str, Any], number: int) -> None:
        line.request(
            "POST",
            f"/api/v1/connectors/{row['connectors'][number - 1]}/charge-now",
            headers={"Authorization": f"Bearer {row['api_key']}", "Idempotency-Key": str(uuid.uuid4())},
        )
        answer = line.getresponse()
        body = answer.read()
        if answer.status != 202:
            raise RuntimeError(f"charge-now: {answer.status} {body[:300]!r}")

    times = []
    line.connect()
    for number in (1, 2):
        for row in rows:
            arrival = arrivals.expect(f"RemoteStartTransaction {row['identity']} {number}")
            began = time.perf_counter()
            await asyncio.to_thread(tap, row, number)
            times.append((await asyncio.wait_for(arrival, 30) - began) * 1000)
            await asyncio.sleep(PAUSE_SECONDS)
    line.close()
    return times


async def _phone(phones: OurServer, row: dict[str, Any], arrivals: Arrivals) -> WebSocket:
    """A phone that looks at its owner's charger."""
    ready = asyncio.get_running_loop().create_future()

    def on_text(frame: bytes) -> None:
        message = json.loads(frame)
        if message["type"] == "snapshot" and not ready.done():
            ready.set_result(None)
        for change in message.get("changes", ()):
            value = change["value"]
            if change["collection"] == "connectors" and value is not None:
                arrivals.arrived(f"phone {change['id']} {value['state']}")

    socket = await open_socket(
        port=phones.http_port, path="/ws/live/", on_text=on_text, headers=(f"Cookie: {row['cookie']}",)
    )
    await asyncio.wait_for(ready, 30)
    return socket


async def _statuses(
    fleet: Sequence[Charger], rows: Sequence[dict[str, Any]], arrivals: Arrivals, count: int
) -> list[float]:
    """Faulted and Available in turn, which nothing else can change: chargers with a phone looking on, one by one."""
    times = []
    for number in range(count):
        which, status = number % PHONES, ("Faulted", "Available")[number // PHONES % 2]
        arrival = arrivals.expect(f"phone {rows[which]['connectors'][0]} {status.lower()}")
        began = time.perf_counter()
        await fleet[which].status(1, status)
        times.append((await asyncio.wait_for(arrival, 30) - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    return times
