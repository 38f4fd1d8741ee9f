"""The driver, the control socket and the fleet on real loopback sockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from functools import partial
from typing import Any

from websockets.asyncio.server import serve

from chargeamps.simulator.car import Car
from chargeamps.simulator.control import Control
from chargeamps.simulator.control import serve as serve_control
from chargeamps.simulator.fleet import Fleet, credentials_from, numbered
from chargeamps.simulator.main import parser, run
from chargeamps.simulator.personas import combine
from chargeamps.simulator.storage import Keeper, read_memory
from chargeamps.simulator.wire import Driver, Transport
from tests.simulator.central import MONDAY, SocketCentral, make

FAST: dict[str, Any] = {"first_retry_s": 0.01, "longest_retry_s": 0.05}


@contextlib.asynccontextmanager
async def running(aura, url, **options):
    driver = Driver(aura, Transport(url, **FAST, **options))
    task = asyncio.create_task(driver.run())
    try:
        yield driver
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_a_session_over_a_socket_in_quick_time():
    async with SocketCentral() as central, running(make(), central.url, speed=200) as driver:
        await central.until(lambda: driver.aura.online)
        assert central.paths == ["/ocpp/2000000001A"]
        assert base64.b64decode(central.headers[0][6:]) == b"2000000001A:0123456789abcdef"
        driver.aura.plug(1, Car())
        driver.step()
        await central.until(lambda: central.saw("MeterValues") >= 3)
        assert await central.call("RemoteStopTransaction", {"transactionId": 7}) == {"status": "Accepted"}
        await central.until(lambda: central.saw("StopTransaction") == 1)


async def test_the_charger_comes_back_with_a_new_key():
    async with SocketCentral() as central, running(make(), central.url) as driver:
        await central.until(lambda: driver.aura.online)
        change = {"key": "AuthorizationKey", "value": "FF3A" * 9}
        assert await central.call("ChangeConfiguration", change) == {"status": "Accepted"}
        await central.until(lambda: len(central.headers) == 2)
        assert base64.b64decode(central.headers[1][6:]) == b"2000000001A:" + bytes.fromhex("FF3A" * 9)


async def test_half_open_then_a_new_socket_without_closing_the_old():
    aura = make(configuration={"WebSocketPingInterval": "1"})
    async with SocketCentral() as central, running(aura, central.url) as driver:
        await central.until(lambda: aura.online)
        driver.set_network("cut")
        aura.plug(1, Car())
        driver.step()
        await asyncio.sleep(0.3)
        assert central.saw("StartTransaction") == 0
        assert len(central.connections) == 1
        await central.until(lambda: not aura.messaging.linked, 5)
        assert central.connections[0].close_code is None
        driver.set_network("up")
        await central.until(lambda: central.saw("StartTransaction") == 1)
        assert len(central.connections) == 2
        assert central.connections[0].close_code is None


async def test_a_short_cut_delays_but_loses_nothing():
    async with SocketCentral() as central, running(make(), central.url) as driver:
        await central.until(lambda: driver.aura.online)
        driver.set_network("cut")
        assert Control(driver.aura, driver).do({"do": "plug", "connector": 1, "car": {}}) == {"ok": True}
        await asyncio.sleep(0.05)
        driver.set_network("up")
        await central.until(lambda: central.saw("StartTransaction") == 1)
        assert len(central.connections) == 1


async def test_down_and_closed_networks():
    async with SocketCentral() as central, running(make(), central.url) as driver:
        for turn, state in enumerate(("down", "close")):
            await central.until(lambda: driver.aura.online)
            driver.set_network(state)
            await central.until(lambda: not driver.aura.messaging.linked)
            await asyncio.sleep(0.1)
            assert driver.connections == turn + 1
            driver.set_network("up")
        await central.until(lambda: driver.connections == 3)


async def test_a_refused_charger_keeps_trying_and_notes_it():
    async def refuse(connection, request):
        return connection.respond(401, "no\n")

    async def nobody(_):
        raise AssertionError

    async with serve(nobody, "127.0.0.1", 0, process_request=refuse) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/ocpp"
        async with running(make(), url) as driver:
            async with asyncio.timeout(5):
                while driver.refusals < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            events = [c.payload["type"] for c in driver.aura.messaging.queue.ordinary]
            assert events == ["StartupOfTheDevice", "FailedToAuthenticateAtCentralSystem"]


async def test_the_control_socket(unused_tcp_port):
    async with SocketCentral() as central, running(make(), central.url) as driver:
        server = await serve_control({driver.aura.identity: Control(driver.aura, driver)}, unused_tcp_port)
        reader, writer = await asyncio.open_connection("127.0.0.1", unused_tcp_port, limit=2**20)

        async def do(verb, **more):
            writer.write(json.dumps({"do": verb, **more}).encode() + b"\n")
            return json.loads(await asyncio.wait_for(reader.readline(), 5))

        await central.until(lambda: driver.aura.online)
        assert await do("plug", connector=1, car={"soc": 0.5, "max_a": 10}) == {"ok": True}
        assert (await do("plug", connector=1, car={}))["ok"] is False
        assert (await do("plug", connector=2, car={"wings": 2}))["ok"] is False
        assert (await do("advance", seconds=3600))["ok"]
        seen = (await do("state"))["state"]
        outlet = seen["outlets"][0]
        assert (outlet["status"], outlet["relay"], outlet["offered_a"]) == ("Charging", True, 32)
        assert outlet["true_wh"] > 6000
        assert seen["link"]["network"] == "up"
        assert b"0123456789abcdef".hex() not in json.dumps(seen)
        assert (await do("clock", set="2026-01-01T00:00:00Z"))["ok"]
        assert (await do("state"))["state"]["clock"].startswith("2026-01-01T00:00:0")
        for verb, more in (
            ("fault", {"connector": 1, "error": "GroundFailure"}), ("clear-fault", {"connector": 1}), ("tamper", {}),
            ("tap", {"idTag": "CARD", "connector": 2}), ("unplug", {"connector": 1}), ("speed", {"factor": 5}),
            ("network", {"state": "cut"}), ("network", {"state": "up"}), ("reboot", {}),
        ):  # fmt: skip
            assert (await do(verb, **more))["ok"], verb
        assert (await do("dance"))["ok"] is False
        writer.write(b"nonsense\n")
        assert json.loads(await reader.readline())["ok"] is False
        writer.close()
        server.close()
        await central.until(lambda: central.saw("BootNotification") == 2)


def test_the_memory_file_is_private_and_complete(tmp_path):
    path = tmp_path / "aura.json"
    aura = make()
    aura.plug(1, Car())
    aura.advance(600)
    Keeper(aura, path)()
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_memory(path) == json.loads(json.dumps(aura.dump_memory()))
    assert read_memory(tmp_path / "none") is None


async def test_a_fleet_storms_in(tmp_path):
    rows = [{"identity": f"F{n}", "key_hex": f"{n:032x}"} for n in range(50)]
    (tmp_path / "keys.json").write_text(json.dumps(rows))
    async with SocketCentral() as central:
        fleet = Fleet(
            credentials_from(tmp_path / "keys.json"), Transport(central.url, **FAST), persona=combine([]),
            start=MONDAY, plugged=[1],
        )  # fmt: skip
        task = asyncio.create_task(fleet.run())
        await central.until(lambda: fleet.online == 50 and central.saw("StartTransaction") == 50, 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert sorted(central.paths) == sorted(f"/ocpp/F{n}" for n in range(50))
    assert [c.identity for c in numbered("X{:03d}", 2, None)] == ["X001", "X002"]
    assert [c.identity for c in numbered("X", 1, None)] == ["X00001"]


async def test_the_command_line_runs_and_remembers(tmp_path):
    path = tmp_path / "aura.json"
    async with SocketCentral() as central:
        argv = ["--url", central.url, "--identity", "CLI1", "--key", "41" * 16, "--persona", "kwh", "--persona", "slow",
                "--state", str(path), "--clock", "2026-11-23T17:00:00Z", "--plug", "1", "--seed", "4"]  # fmt: skip
        for turn in range(2):
            task = asyncio.create_task(run(parser().parse_args(argv)))
            await central.until(partial(lambda t: central.saw("StartTransaction") > t, turn))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert central.saw("StopTransaction") == 1
    memory = read_memory(path)
    assert memory is not None
    assert (memory["boots"], memory["key"]) == (2, "41" * 16)
