"""A phone that watches while chargers live: what it has built from changes is what a fresh snapshot says."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from chargeamps.live import snapshot
from tests.gateway.installation import Installation, Pair
from tests.gateway.wire import Wire, charger, now, until
from tests.harness.server import Server

Json = dict[str, Any]


@pytest.fixture(scope="module")
def house(start_installation: Callable[..., Installation]) -> Installation:
    return start_installation(more=90)


class Phone:
    """Applies every change as it comes; ``gaps`` would be numbers that were left out."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.seen: Json = {}
        self.snapshots: list[Json] = []
        self.seq = 0
        self.gaps = 0
        self.changes: list[tuple[float, Json]] = []
        self.closed_with: int | None = None
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                self._take(json.loads(text))
        self.closed_with = self.socket.close_code

    def _take(self, message: Json) -> None:
        if message["type"] == "snapshot":
            self.seq = message["seq"]
            self.seen = {name: message[name] for name in snapshot.COLLECTIONS}
            self.snapshots.append(self.seen)
        elif message["type"] == "changes":
            self.gaps += message["seq"] != self.seq + 1
            self.seq = message["seq"]
            self.seen = snapshot.apply(self.seen, message["changes"])
            self.changes.append((time.monotonic(), message))

    async def fresh(self) -> Json:
        """A snapshot asked for now."""
        count = len(self.snapshots)
        await self.socket.send('{"type":"snapshot"}')
        await until(lambda: len(self.snapshots) > count)
        return self.snapshots[-1]


@contextlib.asynccontextmanager
async def phone(house: Installation, name: str = "alice", *, server: Server | None = None) -> AsyncIterator[Phone]:
    async with connect(
        (server or house.server).live_url,
        additional_headers={"Cookie": house.people[name]["cookie"]},
        open_timeout=30,
        max_size=2**24,
        proxy=None,
    ) as socket:
        watching = Phone(socket)
        await until(lambda: bool(watching.snapshots))
        yield watching
        with contextlib.suppress(ConnectionClosed):
            await socket.close()
        await watching._reader


async def live_a_little(wire: Wire, turns: int, *, pause: float = 0.0) -> None:
    """A car comes, charges and goes."""
    await wire.boot()
    for turn in range(turns):
        await wire.status("Preparing")
        start = {"connectorId": 1, "idTag": f"T{turn}", "meterStart": turn * 100, "timestamp": now()}
        number = (await wire.call("StartTransaction", start))["transactionId"]
        await wire.status("Charging")
        for power in (1000, 3000, 7000):
            await report(wire, power)
            await asyncio.sleep(pause)
        stop = {"transactionId": number, "meterStop": turn * 100 + 50, "timestamp": now()}
        await wire.call("StopTransaction", stop)
        await wire.status("Finishing")
        await wire.status("Available")


async def report(wire: Wire, power_w: float) -> None:
    sampled = [{"value": str(power_w), "measurand": "Power.Active.Import", "unit": "W"}]
    values = {"connectorId": 1, "meterValue": [{"sampledValue": sampled}]}
    assert await wire.call("MeterValues", values) == {}


def still(seen: Json) -> Json:
    """Without what time alone changes between two looks."""
    dropped = ("flow_seconds", "until", "last_contact")
    return json.loads(json.dumps(seen), object_hook=lambda row: {k: v for k, v in row.items() if k not in dropped})


async def agrees(watching: Phone) -> None:
    """What was built from changes and what a fresh snapshot says are the same."""
    await asyncio.sleep(1.5)
    built = still(watching.seen)
    assert built == still(await watching.fresh())
    assert watching.gaps == 0


async def test_a_phone_follows_three_chargers(house):
    async with phone(house) as watching, contextlib.AsyncExitStack() as stack:
        wires = [
            await stack.enter_async_context(charger(house.server, f"AURA-{n}", house.key(f"AURA-{n}")))
            for n in (1, 2, 3)
        ]
        await asyncio.gather(*(live_a_little(wire, 3, pause=0.05) for wire in wires))
        await agrees(watching)
        online = [row["identity"] for row in watching.seen["charge_points"].values() if row["online"]]
        assert sorted(online) == ["AURA-1", "AURA-2", "AURA-3"]
    assert watching.changes


async def test_a_status_is_on_the_phone_at_once_and_figures_once_a_second(house):
    async with phone(house) as watching, charger(house.server, "AURA-4", house.key("AURA-4")) as wire:
        connector = house.connector_id("AURA-4")
        await wire.boot()
        await wire.status("Preparing")
        await until(lambda: watching.seen["connectors"][connector]["plug"] == "in")
        begun = time.monotonic()
        await wire.status("Charging")
        await until(lambda: watching.seen["connectors"][connector]["state"] == "charging")
        assert time.monotonic() - begun < 2
        await asyncio.sleep(1.2)
        watching.changes.clear()
        begun = time.monotonic()
        while time.monotonic() - begun < 4:
            await report(wire, 1000 + (time.monotonic() - begun) * 100)
            await asyncio.sleep(0.02)
        mine = [
            at
            for at, message in watching.changes
            if any(change["collection"] == "connectors" and change["id"] == connector for change in message["changes"])
        ]
        assert 2 <= len(mine) <= 6


async def test_a_snapshot_may_be_long(house):
    """Longer than what a charger may send in one message: the bound is for what comes in."""
    async with phone(house) as watching:
        assert len(json.dumps(watching.seen)) > 128 * 1024
        assert len(watching.seen["charge_points"]) == 91


async def test_nobody_elses_charger_is_heard(house):
    async with phone(house, "charlie") as stranger, phone(house, "wendy") as other:
        async with charger(house.server, "AURA-5", house.key("AURA-5")) as wire:
            await live_a_little(wire, 2)
        await asyncio.sleep(1)
        assert (stranger.changes, other.changes) == ([], [])


@pytest.mark.parametrize("hostile", ["[" * 2000, '{"type":' * 200, '{"type":"snapshot"', "\x00", "9" * 2000])
async def test_hostile_text_leaves_the_socket_as_it_was(house, hostile):
    async with phone(house) as watching:
        await watching.socket.send(hostile)
        await watching.fresh()
        assert watching.closed_with is None


async def test_many_asking_for_snapshots_while_things_change_get_no_old_one_last(house):
    async with phone(house) as watching, charger(house.server, "AURA-6", house.key("AURA-6")) as wire:
        living = asyncio.create_task(live_a_little(wire, 3))
        while not living.done():
            await watching.socket.send('{"type":"snapshot"}')
            await asyncio.sleep(0.01)
        await living
        await agrees(watching)


async def test_who_signs_out_is_cut_off_although_figures_keep_coming(house):
    """Figures that ring every second must not keep the look at the session from coming round."""
    async with charger(house.server, "AURA-7", house.key("AURA-7")) as wire:
        await wire.boot()
        await wire.status("Charging")
        async with phone(house, "bob") as watching:
            house.run(
                "from django.contrib.sessions.models import Session",
                f"Session.objects.filter(session_key='{house.people['bob']['cookie'].split('=')[1]}').delete()",
            )
            begun = time.monotonic()
            while watching.closed_with is None and time.monotonic() - begun < 20:
                await report(wire, 1000 + time.monotonic() % 500)
                await asyncio.sleep(0.3)
            assert watching.closed_with == 4401


async def test_who_is_shown_the_door_sees_it_no_more(house):
    async with phone(house, "dan") as watching:
        assert len(watching.seen["charge_points"]) == 1
        house.run(f"Membership.objects.filter(user_id='{house.people['dan']['id']}').delete()")
        await until(lambda: watching.seen["charge_points"] == {}, seconds=15)
        assert watching.seen["connectors"] == watching.seen["sites"] == watching.seen["commands"] == {}


@pytest.mark.postgres
@pytest.mark.redis
async def test_a_phone_at_one_process_follows_a_charger_at_the_other(pair: Pair):
    house = pair.house
    async with (
        phone(house, server=house.server) as watching,
        charger(pair.second, "AURA-1", house.key("AURA-1")) as wire,
    ):
        begun = time.monotonic()
        await wire.status("Preparing")
        connector = house.connector_id("AURA-1")
        await until(lambda: watching.seen["connectors"][connector]["plug"] == "in", seconds=5)
        assert time.monotonic() - begun < 5
        await live_a_little(wire, 2)
        await agrees(watching)
