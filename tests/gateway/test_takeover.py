"""The newest authenticated socket of a charge point is the only one that counts, in one process and across two."""

import asyncio
import contextlib
import signal
import time

import pytest

from tests.gateway.installation import Installation
from tests.gateway.wire import charger, now, until

REPLACED = 4001
pytestmark = pytest.mark.requirement("S1-30")


@pytest.fixture(scope="module")
def house(start_installation) -> Installation:
    return start_installation(more=6)


def start(meter: int = 0) -> dict:
    return {"connectorId": 1, "idTag": "T", "meterStart": meter, "timestamp": now()}


async def test_the_newest_socket_wins_and_the_old_one_is_told(house):
    key = house.key("AURA-1")
    async with charger(house.server, "AURA-1", key) as old:
        await old.boot()
        async with charger(house.server, "AURA-1", key) as new:
            assert await old.until_closed(seconds=5) == REPLACED
            await new.boot()
            assert house.charge_point("AURA-1")["online"] is True
            assert "currentTime" in await new.call("Heartbeat")
    house.wait_online("AURA-1", online=False)


async def test_commands_go_to_the_new_socket_only(house):
    key = house.key("AURA-2")
    async with charger(house.server, "AURA-2", key) as old:
        await old.boot()
        async with charger(house.server, "AURA-2", key) as new:
            await new.boot()
            command = house.rest().post(
                f"charge-points/{house.charge_points['AURA-2']['id']}/commands", {"kind": "reset"}
            )
            assert await new.until_asked("Reset") == {"type": "Soft"}
            assert "Reset" not in [action for action, _ in old.asked]
            await new.boot()
            house.wait_command(command, "verified")


async def test_the_takeover_is_in_the_security_log_with_both_addresses(house):
    key = house.key("AURA-3")
    async with charger(house.server, "AURA-3", key), charger(house.server, "AURA-3", key) as new:
        await new.boot()
    entries = house.ask(
        "[(e.outcome, e.source_address, e.detail) for e in Entry.objects.filter(kind='socket-takeover', "
        f"charge_point='{house.charge_points['AURA-3']['id']}')]"
    )
    assert entries == [["notice", "127.0.0.1", {"previous_address": "127.0.0.1"}]]


async def test_the_late_close_of_the_old_socket_does_not_show_the_charger_offline(house):
    key = house.key("AURA-4")
    for _ in range(20):
        async with contextlib.AsyncExitStack() as stack:
            old = await stack.enter_async_context(charger(house.server, "AURA-4", key))
            async with charger(house.server, "AURA-4", key) as new:
                await old.until_closed()
                await old.close()
                await new.call("Heartbeat")
                assert house.charge_point("AURA-4")["online"] is True
    house.wait_online("AURA-4", online=False)


async def test_many_sockets_at_once_leave_one_that_works(house):
    key = house.key("AURA-5")
    async with contextlib.AsyncExitStack() as stack:
        wires = await asyncio.gather(
            *(stack.enter_async_context(charger(house.server, "AURA-5", key)) for _ in range(15))
        )
        await until(lambda: [wire.closed_with for wire in wires].count(None) == 1)
        (left,) = [wire for wire in wires if wire.closed_with is None]
        await left.boot()
        assert {wire.closed_with for wire in wires if wire is not left} == {REPLACED}
        assert house.charge_point("AURA-5")["online"] is True


@pytest.mark.postgres
@pytest.mark.redis
class TestTwoProcesses:
    async def test_a_socket_at_the_other_process_takes_over(self, pair):
        house, key = pair.house, pair.house.key("AURA-1")
        async with charger(house.server, "AURA-1", key) as old:
            await old.boot()
            begun = await old.call("StartTransaction", start())
            async with charger(pair.second, "AURA-1", key) as new:
                assert await old.until_closed(seconds=5) == REPLACED
                await new.boot()
                stop = {"transactionId": begun["transactionId"], "meterStop": 700, "timestamp": now()}
                assert await new.call("StopTransaction", stop) == {}
                # The old one's end does not show it offline.
                await asyncio.sleep(0.5)
                assert house.charge_point("AURA-1")["online"] is True
        house.wait_online("AURA-1", online=False)
        energy = house.ask("list(ChargingSession.objects.values_list('energy_import_wh', flat=True))")
        assert energy == [700]

    async def test_the_old_socket_can_change_nothing_even_before_it_hears_of_it(self, pair):
        """The first process is frozen while the charger moves on; what the old socket says then comes too late."""
        house, key = pair.house, pair.house.key("AURA-2")
        async with charger(house.server, "AURA-2", key) as old:
            await old.boot()
            house.server.process.send_signal(signal.SIGSTOP)
            try:
                async with charger(pair.second, "AURA-2", key) as new:
                    await new.boot()
                    await new.status("Preparing")
                    late = old.expect("late")
                    await old.send([2, "late", "StatusNotification", {"connectorId": 1, "status": "Faulted"}])
                    house.server.process.send_signal(signal.SIGCONT)
                    assert await old.until_closed() in (REPLACED, 1000, 1006)
                    assert late.cancelled()
                    status = house.ask("Connector.objects.get(charge_point__identity='AURA-2', number=1).status")
                    assert status == "Preparing"
                    assert await new.call("Heartbeat")
            finally:
                house.server.process.send_signal(signal.SIGCONT)

    async def test_a_command_given_at_one_process_reaches_the_socket_at_the_other(self, pair):
        house = pair.house
        async with charger(pair.second, "AURA-3", house.key("AURA-3")) as wire:
            await wire.boot()
            path = f"charge-points/{house.charge_points['AURA-3']['id']}/commands"
            command = house.rest(server=house.server).post(path, {"kind": "reset", "parameters": {"type": "hard"}})
            assert await wire.until_asked("Reset", seconds=5) == {"type": "Hard"}
            await wire.boot()
            house.wait_command(command, "verified")

    async def test_a_process_taken_for_dead_sends_its_chargers_round_again(self, pair):
        """Frozen for longer than its lease: it is shown offline, and not for ever once the process goes on."""
        house, key = pair.house, pair.house.key("AURA-4")
        async with charger(pair.second, "AURA-4", key) as wire:
            await wire.boot()
            pair.second.process.send_signal(signal.SIGSTOP)
            try:
                house.wait_online("AURA-4", online=False, seconds=60)
            finally:
                pair.second.process.send_signal(signal.SIGCONT)
            assert await wire.until_closed(seconds=20) == 1013
        async with charger(pair.second, "AURA-4", key) as wire:
            await wire.boot()
            assert house.charge_point("AURA-4")["online"] is True

    async def test_a_process_that_is_killed_leaves_its_chargers_offline_within_a_minute(self, pair):
        house = pair.house
        with contextlib.suppress(ConnectionError):
            async with charger(pair.second, "AURA-5", house.key("AURA-5")) as wire:
                await wire.boot()
                begun = await wire.call("StartTransaction", start())
                await wire.status("Charging")
                assert begun["transactionId"] > 0
                pair.second.process.send_signal(signal.SIGKILL)
                killed = time.monotonic()
                shown = house.wait_online("AURA-5", online=False, seconds=60)
                assert time.monotonic() - killed < 60
                assert shown["offline_since"] is not None
        assert house.connector("AURA-5")["state"] == "offline"
        async with charger(house.server, "AURA-5", house.key("AURA-5")) as wire:
            await wire.boot()
            stop = {"transactionId": begun["transactionId"], "meterStop": 42, "timestamp": now()}
            assert await wire.call("StopTransaction", stop) == {}
        session = house.ask(
            "list(ChargingSession.objects.filter(charge_point__identity='AURA-5').values_list('energy_import_wh'))"
        )
        assert session == [[42]]
