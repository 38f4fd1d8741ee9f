"""Kill the server, lock or cut the database, break the line: what was answered is kept, and nothing counts twice."""

import asyncio
import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator

import psycopg
import pytest
import redis
from psycopg import sql

from tests.faults.steadfast import Steadfast, stored
from tests.gateway.installation import Installation, Pair
from tests.gateway.wire import charger, until
from tests.harness.proxy import FaultProxy

pytestmark = pytest.mark.requirement("R9-11")
SESSIONS = 16
SCALED = bool(os.environ.get("REDIS_URL"))


@pytest.fixture(scope="module")
def house(start_installation: Callable[..., Installation]) -> Installation:
    return start_installation(more=12)


@contextlib.asynccontextmanager
async def charging(house: Installation, *identities: str, sessions: int) -> AsyncIterator[list[Steadfast]]:
    """Chargers that go through their sessions during the block and are done after it."""
    boxes = [Steadfast(house, identity) for identity in identities]
    lines = [asyncio.create_task(box.run()) for box in boxes]
    works = [asyncio.create_task(box.charge_on(sessions)) for box in boxes]
    try:
        yield boxes
        await asyncio.wait_for(asyncio.gather(*works), 120)
    finally:
        for task in (*lines, *works):
            task.cancel()
        await asyncio.gather(*lines, *works, return_exceptions=True)


async def test_a_server_that_is_killed_loses_nothing_it_answered(house):
    """REL-01: kills in the midst of charging."""
    identities = [f"AURA-{n}" for n in range(1, 4)]
    async with charging(house, *identities, sessions=SESSIONS) as boxes:
        for kill in (1, 2):
            await until(lambda kill=kill: all(len(box.history) >= SESSIONS * kill // 4 for box in boxes), seconds=60)
            house.server.process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(house.server.process.wait, seconds=10)
            await asyncio.to_thread(house.server.start)
    for box in boxes:
        assert box.connections >= 3
        assert len(box.history) == SESSIONS
        assert stored(house, box.identity) == box.history


@pytest.mark.skipif(SCALED, reason="SQLite")
async def test_while_the_database_is_locked_nothing_is_answered_and_then_all_of_it(house):
    identities = [f"AURA-{n}" for n in range(5, 8)]
    async with charging(house, *identities, sessions=8) as boxes:
        await until(lambda: all(len(box.history) >= 2 for box in boxes))
        with locked(house):
            await asyncio.sleep(0.5)
            answered = [box.answers for box in boxes]
            await asyncio.sleep(4)
            assert [box.answers for box in boxes] == answered
    for box in boxes:
        assert box.connections == 1
        assert stored(house, box.identity) == box.history


@contextlib.contextmanager
def locked(house: Installation) -> Iterator[None]:
    """Somebody else holds the one write lock of SQLite."""
    line = sqlite3.connect(house.server.data / "chargeamps.sqlite3", isolation_level=None, timeout=30)
    line.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        line.execute("ROLLBACK")
        line.close()


@pytest.mark.skipif(not SCALED, reason="PostgreSQL and Redis")
class TestPostgresAndRedis:
    async def test_a_redis_that_hangs_or_forgets_only_makes_things_slower(self, pair: Pair):
        """REL-04: charging goes on, and a command finds its charger by the sweep."""
        house = pair.house
        with redis.Redis.from_url(house.server.environment["REDIS_URL"]) as line:
            line.flushall()
            server: int = line.info("server")["process_id"]
        async with charger(pair.second, "AURA-3", house.key("AURA-3")) as wire:
            await wire.boot()
            await wire.until_asked("TriggerMessage")
            os.kill(server, signal.SIGSTOP)
            try:
                start = {"connectorId": 1, "idTag": "S", "meterStart": 1, "timestamp": "2026-01-01T00:00:00Z"}
                begun = time.monotonic()
                assert (await wire.call("StartTransaction", start))["transactionId"] > 0
                assert time.monotonic() - begun < 2
                path = f"charge-points/{house.charge_points['AURA-3']['id']}/commands"
                command = await asyncio.to_thread(house.rest().post, path, {"kind": "reset"})
                await wire.until_asked("Reset", seconds=12)
            finally:
                os.kill(server, signal.SIGCONT)
            await wire.boot()
            await asyncio.to_thread(house.wait_command, command, "verified")

    async def test_cut_database_connections_are_made_again_and_nothing_is_lost(self, pair: Pair):
        house = pair.house
        url = house.server.environment["DATABASE_URL"]
        server, name = url.rsplit("/", 1)
        async with charging(house, "AURA-1", "AURA-2", sessions=SESSIONS) as boxes:
            for _ in range(5):
                await asyncio.sleep(0.3)
                await asyncio.to_thread(self._cut, server, name)
        for box in boxes:
            assert stored(house, box.identity) == box.history

    @staticmethod
    def _cut(server: str, name: str) -> None:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as line:
            line.execute(
                sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(name)
            )


class TestTheLine:
    async def test_frames_in_crumbs_on_a_slow_line_are_frames(self, house):
        with FaultProxy(house.server.tls_port) as network:
            network.slice(7)
            async with charger(house.server, "AURA-9", house.key("AURA-9"), port=network.port) as wire:
                await wire.boot()
                await wire.status("Preparing")
                network.delay(0.05)
                assert "currentTime" in await wire.call("Heartbeat")

    async def test_resets_of_the_line_lose_nothing(self, house):
        """The answer may be lost after the commit: what is sent again counts once."""
        with FaultProxy(house.server.tls_port) as network:
            box = Steadfast(house, "AURA-10", port=network.port)
            line, work = asyncio.create_task(box.run()), asyncio.create_task(box.charge_on(40))
            cuts = 0
            while not work.done():
                await asyncio.sleep(0.3)
                if cuts < 5:
                    network.cut()
                    cuts += 1
            await work
            line.cancel()
            await asyncio.gather(line, return_exceptions=True)
        assert box.connections >= 3
        assert stored(house, "AURA-10") == box.history
