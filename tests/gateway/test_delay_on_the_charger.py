"""The random delay, as a simulated Aura keeps it: no blip of current, skipped by a tap, kept with the server gone."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.gateway.installation import Installation
from tests.gateway.simulated import Simulated, simulated
from tests.gateway.wire import until
from tests.harness.moments import recent

in_thread = asyncio.to_thread
LONGEST_S = 12


@pytest.fixture(scope="module")
def house(start_installation) -> Iterator[Installation]:
    """At 23:00 on a Wednesday: inside the preset hours. Delays of up to 12 s, which only an operator may set."""
    house = start_installation(more=8, at=recent(2, 23))
    house.run(
        f"ChargePoint.objects.update(delay_maximum_s={LONGEST_S}, claimed=None)",
    )
    return house


def with_delay(house: Installation, identity: str, least_s: int) -> int:
    """The delay that socket 1 keeps for its next transaction; drawn anew until it is long enough to be seen."""
    lines = (
        "from chargeamps.schedules.services import delays",
        "from chargeamps.common import clock",
        f"key = ChargePoint.objects.get(identity={identity!r}).pk",
        "delays.freshen(charge_point=key, now=clock.now(), busy=())",
        "row = StoredDelays.objects.get(connector__charge_point=key, connector__number=1)",
        f"row.start_s = {least_s}",
        "row.save()",
        "print(row.start_s)",
    )
    seconds: int = house.run(*lines)
    return seconds


def held_profiles(box: Simulated, kind: str) -> list[dict]:
    """The profiles of a kind (or purpose) that the Aura holds."""
    every = [each["profile"] for each in box.profiles]
    return [each for each in every if kind in (each["chargingProfileKind"], each["chargingProfilePurpose"])]


async def kept(box: Simulated, seconds: int) -> None:
    """Wait until the Aura holds the delay of its next transaction."""

    def held() -> bool:
        return any(each["chargingSchedule"].get("duration") == seconds for each in held_profiles(box, "Relative"))

    await until(held, seconds=30)


@pytest.mark.requirement("R11-10", "R11-16", "R11-6")
async def test_waits_without_a_blip_shows_it_and_can_be_skipped_once(house):
    with_delay(house, "AURA-1", 12)
    async with simulated(house.server, "AURA-1", house.key("AURA-1")) as box:
        await kept(box, 12)
        drawn: list[float] = []
        box.do("plug", connector=1, car={"soc": 0.4})

        async def watch() -> None:
            while True:
                drawn.append(box.drawn_a())
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        await in_thread(
            house.wait,
            lambda: house.connector("AURA-1"),
            lambda seen: seen["state"] == "random_delay" and "skip-delay" in seen["actions"],
        )
        assert set(drawn) == {0.0}
        command = await in_thread(house.rest().post, f"connectors/{house.connector_id('AURA-1')}/skip-delay")
        await in_thread(house.wait_command, command, "verified")
        watching.cancel()
        assert (await in_thread(house.connector, "AURA-1"))["state"] == "charging"
        [row] = house.rest().get(f"connectors/{house.connector_id('AURA-1')}/delays")["results"]
        assert (row["seconds"], row["cause"], row["skipped_by"]) == (12, "plug-in", "alice@example.com")


@pytest.mark.requirement("R11-10", "R11-3")
async def test_starts_by_itself_after_its_delay_and_draws_afresh_for_the_next(house):
    with_delay(house, "AURA-2", 10)
    async with simulated(house.server, "AURA-2", house.key("AURA-2")) as box:
        await kept(box, 10)
        box.do("plug", connector=1, car={"soc": 0.4})
        seen = await in_thread(house.wait_state, "AURA-2", "random_delay")
        assert box.drawn_a() == 0.0
        seen = await in_thread(house.wait_state, "AURA-2", "charging", seconds=60)
        assert seen["reason"]["code"] == "in-charging-hours"
        [row] = house.rest().get(f"connectors/{house.connector_id('AURA-2')}/delays")["results"]
        assert row["actual"] is not None
        box.do("unplug", connector=1)
        await in_thread(
            house.wait,
            lambda: house.ask(
                "[StoredDelays.objects.get(connector__charge_point__identity='AURA-2', connector__number=1).start_used]"
            ),
            lambda used: used == [False],
        )


@pytest.mark.requirement("R7-1", "R11-12")
async def test_the_charger_waits_by_itself_with_the_server_gone(house):
    with_delay(house, "AURA-3", 4)
    async with simulated(house.server, "AURA-3", house.key("AURA-3")) as box:
        await kept(box, 4)
        box.do("network", state="down")
        await in_thread(house.wait_online, "AURA-3", online=False)
        box.do("plug", connector=1, car={"soc": 0.4})
        loop = asyncio.get_running_loop()
        began = loop.time()
        await until(lambda: box.drawn_a() > 0, seconds=15)
        assert loop.time() - began >= 3.9


async def test_a_charger_that_knows_no_relative_profile_is_told_when_a_car_comes(house):
    with_delay(house, "AURA-4", 7)
    async with simulated(house.server, "AURA-4", house.key("AURA-4"), "no-relative") as box:
        await in_thread(
            house.wait,
            lambda: house.charge_point("AURA-4"),
            lambda seen: seen["schedule_on_charger"]["state"] == "verified" and seen["notices"] != [],
            seconds=30,
        )
        notices = (await in_thread(house.charge_point, "AURA-4"))["notices"]
        assert [notice["code"] for notice in notices] == ["no-start-delay"]
        box.do("plug", connector=1, car={"soc": 0.4})
        await in_thread(house.wait, lambda: delays(house, "AURA-4"), lambda rows: rows != [])
        await in_thread(house.wait_state, "AURA-4", "charging", seconds=LONGEST_S + 15)
        [row] = delays(house, "AURA-4")[:1]
        assert row["cause"] == "plug-in"
        assert row["actual"] is None or row["actual"] >= row["nominal"]


def delays(house: Installation, identity: str) -> list[dict]:
    found: list[dict] = house.rest().get(f"connectors/{house.connector_id(identity)}/delays")["results"]
    return found


async def test_hours_reach_the_charger_and_are_proved_there(house):
    """Saved, sent, accepted, and read back; the owner is not told so before."""
    async with simulated(house.server, "AURA-5", house.key("AURA-5")) as box:
        path = f"connectors/{house.connector_id('AURA-5')}/schedules"
        await in_thread(house.wait, lambda: on_charger(house, "AURA-5"), lambda state: state == "verified", seconds=60)
        before = held_profiles(box, "Recurring")
        windows = [{"days": ["monday", "thursday"], "start": "01:15", "end": "03:45"}]
        made = await in_thread(house.rest().post, path, {"windows": windows})
        assert made["windows"] == windows
        await until(lambda: held_profiles(box, "Recurring") != before, seconds=20)
        await in_thread(house.wait, lambda: on_charger(house, "AURA-5"), lambda state: state == "verified", seconds=60)


def on_charger(house: Installation, identity: str) -> str:
    state: str = house.charge_point(identity)["schedule_on_charger"]["state"]
    return state


@pytest.mark.requirement("R10-10")
async def test_charge_now_for_a_time_ends_at_the_charger_by_itself(house):
    """The end is in the profile that the charger got, so it ends also without us."""
    async with simulated(house.server, "AURA-6", house.key("AURA-6")) as box:
        rest = house.rest()
        path = f"connectors/{house.connector_id('AURA-6')}"
        await in_thread(house.wait_online, "AURA-6")
        await in_thread(house.wait, lambda: on_charger(house, "AURA-6"), lambda state: state == "verified", seconds=60)
        await in_thread(rest.put, f"{path}/pause", {"to": None, "scope": "socket"})
        await until(lambda: held_profiles(box, "Absolute") != [], seconds=20)
        box.do("plug", connector=1, car={"soc": 0.4})
        await in_thread(house.wait_state, "AURA-6", "waiting_for_schedule")
        command = await in_thread(rest.post, f"{path}/charge-now", {"for": {"minutes": 30}})
        await in_thread(house.wait_command, command, "verified")
        seen = await in_thread(house.connector, "AURA-6")
        assert seen["charge_now"]["until"] == seen["until"]
        session = held_profiles(box, "TxProfile")
        [drawn] = house.ask(
            "list(DelayDraw.objects.filter(connector__charge_point__identity='AURA-6', connector__number=1,"
            " change='decrease').values_list('seconds', flat=True))"
        )
        assert session[0]["validTo"] >= seen["until"][:19]
        assert 0 <= drawn <= LONGEST_S
        command = await in_thread(rest.post, f"{path}/wait-for-schedule")
        await in_thread(house.wait_command, command, "verified")
        assert box.drawn_a() == 0.0


async def test_a_change_that_no_doorbell_told_of_is_found_soon(house):
    """A command on the server's own machine rings where no gateway may hear it."""
    with_delay(house, "AURA-7", 8)
    async with simulated(house.server, "AURA-7", house.key("AURA-7")) as box:
        await kept(box, 8)
        await in_thread(house.wait, lambda: on_charger(house, "AURA-7"), lambda state: state == "verified", seconds=60)
        await in_thread(house.server.manage, "set_random_delay", "0", "--charge-point", "AURA-7")
        await until(lambda: held_profiles(box, "Relative") == [], seconds=30)
