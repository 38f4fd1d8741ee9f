"""Commands from a tap to the charger's own proof: a real server at a weekday peak hour, real sockets.

In the scaled run the chargers' sockets are held by one process and the owners' requests answered by another.
"""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.gateway.installation import Installation
from tests.gateway.wire import Wire, charger, until
from tests.harness.charger import Charger
from tests.harness.moments import recent_peak_hour
from tests.harness.server import Client, Server

in_thread = asyncio.to_thread


@dataclass
class Stage:
    """``house`` is where people tap, ``gateway`` where chargers connect."""

    house: Installation
    gateway: Server

    def tap(self, identity: str, act: str, *, number: int = 1, name: str = "alice", **headers: str) -> tuple[int, Any]:
        """Status and answer of a POST such as ``charge-now``."""
        return self.phone(name).request(
            "POST", f"connectors/{self.house.connector_id(identity, number)}/{act}", {}, **headers
        )

    def ask(self, identity: str, kind: str, *, name: str = "alice", **more: Any) -> tuple[int, Any]:
        """The same for a command to the charge point."""
        path = f"charge-points/{self.house.charge_points[identity]['id']}/commands"
        return self.phone(name).request("POST", path, {"kind": kind, **more})

    def phone(self, name: str) -> Client:
        return self.house.rest(name)

    def commands(self, identity: str) -> list[dict[str, Any]]:
        """Newest first."""
        found: list[dict[str, Any]] = self.phone("alice").get(
            f"charge-points/{self.house.charge_points[identity]['id']}/commands"
        )["results"]
        return found


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    moment, begun = recent_peak_hour(), time.monotonic()
    environment = request.getfixturevalue("module_arrangement")
    with ExitStack() as stack:
        first = stack.enter_context(Server(environment=environment, at=moment))
        house = Installation(first, more=17)
        second = first
        if os.environ.get("REDIS_URL"):
            at = moment + timedelta(seconds=time.monotonic() - begun)
            second = stack.enter_context(Server(environment=environment, data=first.data, at=at))
        yield Stage(house, second)


@pytest.fixture
def aura(stage: Stage, start_charger: Callable[..., Charger]) -> Callable[..., Charger]:
    """Start a simulated Aura that is online and has its schedule."""

    def begin(identity: str, *arguments: str) -> Charger:
        started = start_charger(
            url=stage.gateway.charger_url,
            identity=identity,
            key_hex=stage.house.charge_points[identity]["key_hex"],
            authority=stage.gateway.authority,
            arguments=["--first-retry", "0.5", "--longest-retry", "2", *arguments],
        )
        started.wait_online()
        stage.house.wait(
            lambda: stage.house.charge_point(identity),
            lambda seen: seen["schedule_on_charger"]["state"] == "verified",
            what="schedule on the charger",
        )
        return started

    return begin


def drawn_a(aura: Charger, number: int = 1) -> float:
    return max(aura.state["outlets"][number - 1]["current_a"], default=0.0)


class TestTheAura:
    """Whole flows with the simulated Aura."""

    @pytest.mark.requirement("R10-6", "R10-10")
    def test_charge_now_wait_for_schedule_charge_now_stop(self, stage, aura):
        house, box = stage.house, aura("AURA-1")
        box.do("plug", connector=1, car={"soc": 0.4})
        waiting = house.wait_state("AURA-1", "waiting_for_schedule")
        assert waiting["reason"]["code"] == "default-hours"
        assert waiting["until"] is not None
        assert waiting["actions"] == ["charge-now"]
        assert drawn_a(box) == 0

        status, command = stage.tap("AURA-1", "charge-now")
        assert (status, command["state"]) == (202, "queued")
        command = house.wait_command(command, "verified", seconds=40)
        assert command["sent"] <= command["answered"] <= command["verified"]
        connector = house.connector("AURA-1")
        assert (connector["state"], connector["reason"]["code"]) == ("charging", "charge-now")
        assert drawn_a(box) >= 6
        house.wait(lambda: house.connector("AURA-1")["power_w"], lambda power: (power or 0) > 1000, seconds=30)

        status, command = stage.tap("AURA-1", "wait-for-schedule")
        assert status == 202
        house.wait_command(command, "verified")
        assert house.wait_state("AURA-1", "waiting_for_schedule")["reason"]["code"] == "default-hours"
        assert drawn_a(box) == 0

        house.wait_command(stage.tap("AURA-1", "charge-now")[1], "verified", seconds=40)
        status, command = stage.tap("AURA-1", "stop")
        assert status == 202
        house.wait_command(command, "verified")
        assert house.wait_state("AURA-1", "finished")["reason"]["code"] == "unplug-needed"
        assert box.state["outlets"][0]["transaction"] is None
        assert '"TxProfile"' not in json.dumps(box.state["profiles"])

    def test_charge_now_of_a_car_that_no_card_has_started(self, stage, aura):
        house, box = stage.house, aura("AURA-2", "--set", "FreeCharging=false")
        house.run("ChargePoint.objects.filter(identity='AURA-2').update(free_charging=False)")
        box.do("plug", connector=2, car={"soc": 0.4})
        waiting = house.wait(
            lambda: house.connector("AURA-2", 2), lambda seen: "charge-now" in seen["actions"], what="plugged in"
        )
        assert waiting["plug"] == "in"
        assert waiting["session"] is None
        status, command = stage.tap("AURA-2", "charge-now", number=2)
        assert status == 202
        house.wait_command(command, "verified", seconds=40)
        charging = house.wait_state("AURA-2", "charging", number=2)
        assert charging["session"] is not None
        assert drawn_a(box, 2) >= 6
        # The next session keeps to the hours again.
        box.do("unplug", connector=2)
        house.wait_state("AURA-2", "available", number=2)
        box.do("plug", connector=2, car={"soc": 0.4})
        again = house.wait(lambda: house.connector("AURA-2", 2), lambda seen: seen["plug"] == "in")
        assert "charge-now" in again["actions"]
        time.sleep(3)
        assert drawn_a(box, 2) == 0

    def test_reset_is_proved_by_the_boot_that_follows(self, stage, aura):
        house, box = stage.house, aura("AURA-3")
        status, command = stage.ask("AURA-3", "reset")
        assert (status, command["connector"]) == (202, None)
        house.wait_command(command, "accepted", "verified")
        house.wait_command(command, "verified", seconds=40)
        box.wait_online()

    def test_refresh_and_unlock_are_proved_by_their_answers(self, stage, aura):
        house = stage.house
        aura("AURA-4")
        for kind, more in (("refresh", {}), ("unlock", {"connector": 1})):
            status, command = stage.ask("AURA-4", kind, **more)
            assert status == 202
            house.wait_command(command, "verified")

    def test_a_fault_shuts_the_gate(self, stage, aura):
        house, box = stage.house, aura("AURA-5")
        box.do("plug", connector=1)
        house.wait_state("AURA-5", "waiting_for_schedule")
        box.do("fault", connector=1, error="GroundFailure")
        faulted = house.wait_state("AURA-5", "faulted")
        assert "earth fault" in faulted["reason"]["text"]
        assert faulted["actions"] == []
        status, problem = stage.tap("AURA-5", "charge-now")
        assert (status, problem["code"]) == (409, "not-possible-now")
        assert stage.commands("AURA-5") == []


class TestAWireThatSaysWhatItLikes:
    """The charger's word, and nothing else, moves a command."""

    @pytest.fixture
    async def connect(self, stage) -> AsyncIterator[Callable[..., Any]]:
        """Connect a charger with a car that waits for its hours, or in another status."""
        async with contextlib.AsyncExitStack() as stack:

            async def begin(identity: str, status: str = "SuspendedEVSE", **answers: Any) -> Wire:
                wire = await stack.enter_async_context(
                    charger(stage.gateway, identity, stage.house.key(identity), answers=answers)
                )
                await wire.boot()
                await wire.status("Available", 2)
                await wire.status(status, 1)
                if status in ("SuspendedEVSE", "SuspendedEV", "Charging"):
                    start = {"connectorId": 1, "idTag": "T", "meterStart": 0}
                    wire.transaction = (await wire.call("StartTransaction", start))["transactionId"]
                return wire

            yield begin

    async def test_a_command_is_verified_by_the_status_alone(self, stage, connect):
        wire = await connect("AURA-6")
        status, command = await in_thread(stage.tap, "AURA-6", "charge-now")
        assert status == 202
        profile = await until_tx_profile(wire)
        assert profile["csChargingProfiles"]["transactionId"] == wire.transaction
        await in_thread(stage.house.wait_command, command, "accepted")
        # An old reading, from before it was asked for, proves nothing.
        await meter(wire, 7000, "2026-01-01T00:00:00Z")
        await asyncio.sleep(1.5)
        assert (await in_thread(stage.house.wait_command, command, "accepted"))["verified"] is None
        await wire.status("Charging")
        await in_thread(stage.house.wait_command, command, "verified")

    async def test_a_command_is_verified_by_power_that_flows(self, stage, connect):
        wire = await connect("AURA-7", "Preparing")
        _, command = await in_thread(stage.tap, "AURA-7", "charge-now")
        start = await wire.until_asked("RemoteStartTransaction")
        assert start["connectorId"] == 1
        assert len(start["idTag"]) <= 20
        assert start["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
        await in_thread(stage.house.wait_command, command, "accepted")
        await meter(wire, 7200, None)
        await in_thread(stage.house.wait_command, command, "verified")

    async def test_a_start_that_crosses_with_the_charger_s_own_is_made_good(self, stage, connect):
        """The charger started by itself and forgot the profile of our start: it is set for the transaction."""
        wire = await connect("AURA-17", "Preparing")
        _, command = await in_thread(stage.tap, "AURA-17", "charge-now")
        await wire.until_asked("RemoteStartTransaction")
        start = {"connectorId": 1, "idTag": "FREE", "meterStart": 0}
        number = (await wire.call("StartTransaction", start))["transactionId"]
        await wire.status("SuspendedEVSE")
        profile = await until_tx_profile(wire)
        assert profile["csChargingProfiles"]["transactionId"] == number
        await wire.status("SuspendedEV")
        ended = await in_thread(stage.house.wait_command, command, "no_effect", seconds=40)
        assert ended["reason"]["code"] == "car-not-taking-power"
        assert [action for action, _ in wire.asked].count("RemoteStartTransaction") == 1

    async def test_what_comes_to_nothing_says_why_and_can_be_tried_again(self, stage, connect):
        """Refused, unanswered, and accepted without effect: all at once, since each waits for its time to run out."""
        rejects = {"SetChargingProfile": tx_answer({"status": "Rejected"})}
        silent = {"SetChargingProfile": tx_answer(None)}
        cannot = {"SetChargingProfile": tx_answer("NotSupported")}
        odd = {"SetChargingProfile": tx_answer({"state": 7})}
        cases: list[tuple[str, str, dict[str, Any], str, str]] = [
            ("AURA-8", "SuspendedEVSE", rejects, "rejected", "refused"),
            ("AURA-9", "SuspendedEVSE", silent, "timed_out", "no-answer"),
            ("AURA-10", "SuspendedEVSE", cannot, "rejected", "not-supported"),
            ("AURA-11", "SuspendedEVSE", odd, "rejected", "refused"),
            ("AURA-12", "SuspendedEVSE", {}, "no_effect", "held-back"),
            ("AURA-13", "Preparing", {}, "no_effect", "not-started"),
            ("AURA-14", "SuspendedEV", {}, "no_effect", "car-not-taking-power"),
        ]
        wires = [await connect(identity, status, **answers) for identity, status, answers, _, _ in cases]
        given = [await in_thread(stage.tap, identity, "charge-now") for identity, *_ in cases]
        assert [status for status, _ in given] == [202] * len(cases)
        ended = await asyncio.gather(
            *(
                in_thread(stage.house.wait_command, command, state, seconds=100)
                for (_, command), (*_, state, _) in zip(given, cases, strict=True)
            )
        )
        for command, (identity, status, _, _, code) in zip(ended, cases, strict=True):
            assert command["reason"]["code"] == code, identity
            assert command["reason"]["text"].endswith("."), identity
            assert command["verified"] is None
            connector = await in_thread(stage.house.connector, identity)
            assert connector["command"]["id"] == command["id"]
            assert ("charge-now" in connector["actions"]) is (status != "SuspendedEV"), identity
        # What may have reached the charger all the same is taken from it.
        for wire in (wires[1], wires[4], wires[5]):
            cleared = await wire.until_asked("ClearChargingProfile")
            assert cleared["id"] == tx_profile_id(wire)

    async def test_two_taps_on_two_phones_are_one_command(self, stage, connect):
        wire = await connect("AURA-15")
        taps = [("alice", {}), ("alice", {}), ("bob", {}), ("bob", {"Idempotency_Key": "k"})] * 5
        with ThreadPoolExecutor(20) as pool:
            loop = asyncio.get_running_loop()
            answers = await asyncio.gather(
                *(
                    loop.run_in_executor(
                        pool, lambda name=name, more=more: stage.tap("AURA-15", "charge-now", name=name, **more)
                    )
                    for name, more in taps
                )
            )
        # On SQLite a request may meet another with its key still at work; a phone then asks again.
        assert {status for status, _ in answers} <= {202, 409}
        assert {body["id"] for status, body in answers if status == 202} == {
            (await in_thread(stage.commands, "AURA-15"))[0]["id"]
        }
        await until_tx_profile(wire)
        await wire.status("Charging")
        await asyncio.sleep(1)
        assert len(tx_profiles(wire)) == 1
        assert len(await in_thread(stage.commands, "AURA-15")) == 1

    async def test_twenty_resets_at_once_are_one_command(self, stage, connect):
        wire = await connect("AURA-15", "Available", Reset=None)
        with ThreadPoolExecutor(20) as pool:
            loop = asyncio.get_running_loop()
            answers = await asyncio.gather(
                *(loop.run_in_executor(pool, stage.ask, "AURA-15", "reset") for _ in range(20))
            )
        assert len({body["id"] for _, body in answers}) == 1
        await wire.until_asked("Reset")
        await asyncio.sleep(0.5)
        assert [action for action, _ in wire.asked].count("Reset") == 1

    async def test_the_same_idempotency_key_gives_the_same_answer(self, stage, connect):
        wire = await connect("AURA-16")
        key = str(uuid4())
        first = await in_thread(stage.tap, "AURA-16", "charge-now", Idempotency_Key=key)
        await until_tx_profile(wire)
        await wire.status("Charging")
        await in_thread(stage.house.wait_command, first[1], "verified")
        # Long after, as a phone does that was in a tunnel: the stored answer, and nothing happens.
        assert await in_thread(stage.tap, "AURA-16", "charge-now", Idempotency_Key=key) == first
        assert len(tx_profiles(wire)) == 1

    async def test_a_later_wish_takes_the_place_of_an_earlier_one(self, stage, connect):
        wire = await connect("AURA-8")
        _, first = await in_thread(stage.tap, "AURA-8", "charge-now")
        await until_tx_profile(wire)
        await in_thread(stage.house.wait_command, first, "accepted")
        status, wait = await in_thread(stage.tap, "AURA-8", "wait-for-schedule")
        assert status == 202
        replaced = await in_thread(stage.house.wait_command, first, "expired")
        assert replaced["reason"]["code"] == "replaced"
        await in_thread(stage.house.wait_command, wait, "verified")
        status, second = await in_thread(stage.tap, "AURA-8", "charge-now")
        assert (status, second["id"] != first["id"]) == (202, True)
        await until(lambda: len(tx_profiles(wire)) == 2)
        await wire.status("Charging")
        await in_thread(stage.house.wait_command, second, "verified")
        assert (await in_thread(stage.house.connector, "AURA-8"))["reason"]["code"] == "charge-now"

    async def test_a_second_tap_on_wait_for_schedule_finds_the_first(self, stage, connect):
        wire = await connect("AURA-9", "Charging", ClearChargingProfile=None)
        await in_thread(stage.tap, "AURA-9", "charge-now")
        await until_tx_profile(wire)
        taps = [await in_thread(stage.tap, "AURA-9", "wait-for-schedule", name=name) for name in ("alice", "bob")]
        assert [status for status, _ in taps] == [202, 202]
        assert taps[0][1]["id"] == taps[1][1]["id"]

    async def test_the_last_parameters_win(self, stage, connect):
        wire = await connect("AURA-10", "Available", ChangeAvailability=None, Reset=None)
        _, soft = await in_thread(stage.ask, "AURA-10", "reset")
        _, hard = await in_thread(stage.ask, "AURA-10", "reset", parameters={"type": "hard"})
        assert soft["id"] != hard["id"]
        assert (await in_thread(stage.house.wait_command, soft, "expired"))["reason"]["code"] == "replaced"
        await wire.until_asked("Reset")

    async def test_a_line_that_breaks_fails_the_command_and_leaves_nothing_behind(self, stage, connect):
        wire = await connect("AURA-11", SetChargingProfile=tx_answer(None))
        _, command = await in_thread(stage.tap, "AURA-11", "charge-now")
        await until_tx_profile(wire)
        await wire.close()
        ended = await in_thread(stage.house.wait_command, command, "timed_out")
        assert ended["reason"]["code"] == "disconnected"
        again = await connect("AURA-11")
        cleared = await again.until_asked("ClearChargingProfile")
        assert cleared["id"] == tx_profile_id(wire)
        assert (await in_thread(stage.house.connector, "AURA-11"))["reason"]["code"] == "default-hours"

    async def test_nothing_is_asked_of_a_charger_before_it_has_booted(self, stage):
        async with charger(stage.gateway, "AURA-12", stage.house.key("AURA-12")) as wire:
            await in_thread(stage.house.wait_online, "AURA-12")
            _, command = await in_thread(stage.ask, "AURA-12", "refresh")
            await asyncio.sleep(2)
            assert wire.asked == []
            await wire.boot()
            await in_thread(stage.house.wait_command, command, "verified")

    async def test_a_charger_that_never_boots_is_asked_after_a_few_seconds(self, stage):
        async with charger(stage.gateway, "AURA-12", stage.house.key("AURA-12")) as wire:
            await wire.call("Heartbeat")
            await wire.until_asked("TriggerMessage", seconds=15)


class TestWhoMay:
    """Foreign and missing are 404 alike; seen but not allowed is 403."""

    @pytest.mark.parametrize("name", ["charlie", "wendy", "dan", "sam"])
    @pytest.mark.parametrize("act", ["charge-now", "wait-for-schedule", "stop"])
    def test_a_stranger_s_tap_finds_nothing(self, stage, name, act):
        status, problem = stage.tap("AURA-ALICE", act, name=name)
        missing = stage.phone(name).request("POST", f"connectors/{uuid4()}/{act}", {})
        assert status == 404
        assert problem == missing[1]
        assert stage.ask("AURA-ALICE", "reset", name=name)[0] == 404

    def test_a_stranger_cannot_read_a_command(self, stage, aura):
        aura("AURA-ALICE")
        _, command = stage.ask("AURA-ALICE", "refresh")
        assert stage.phone("charlie").request("GET", f"commands/{command['id']}")[0] == 404
        assert stage.phone("bob").request("GET", f"commands/{command['id']}")[0] == 200

    @pytest.mark.parametrize(("name", "status"), [("ivy", 403), ("dan", 409), ("wendy", 409)])
    def test_an_installer_does_not_charge_and_a_driver_does(self, stage, name, status):
        """The charger is offline, so whoever may is told so."""
        found, problem = stage.tap("AURA-WORK", "charge-now", name=name)
        assert found == status
        assert problem["code"] == ("charger-offline" if status == 409 else "not-permitted")

    @pytest.mark.parametrize(("name", "status"), [("ivy", 403), ("dan", 403), ("wendy", 409)])
    def test_who_may_restart_a_charger(self, stage, name, status):
        assert stage.ask("AURA-WORK", "reset", name=name)[0] == status

    @pytest.mark.parametrize("act", ["charge-now", "wait-for-schedule", "stop"])
    def test_an_offline_charger_is_told_of_at_once(self, stage, act):
        status, problem = stage.tap("AURA-WORK", act, name="wendy")
        assert status == 409
        assert problem["code"] in ("charger-offline", "not-possible-now")
        assert stage.house.ask("Command.objects.filter(charge_point__identity='AURA-WORK').count()") == 0

    async def test_without_a_car_there_is_nothing_to_charge(self, stage):
        async with charger(stage.gateway, "AURA-13", stage.house.key("AURA-13")) as wire:
            await wire.boot()
            await wire.status("Available")
            status, problem = await in_thread(stage.tap, "AURA-13", "charge-now")
            assert (status, problem["code"]) == (409, "car-not-connected")
            await wire.status("Finishing")
            status, problem = await in_thread(stage.tap, "AURA-13", "charge-now")
            assert (status, problem["code"]) == (409, "not-possible-now")
            status, problem = await in_thread(stage.tap, "AURA-13", "stop")
            assert (status, problem["code"]) == (409, "not-possible-now")


def tx_answer(answer: Any) -> Callable[[dict[str, Any]], Any]:
    """An answer to "charge now" alone: the stored schedule is accepted."""

    def choose(payload: dict[str, Any]) -> Any:
        session = payload["csChargingProfiles"]["chargingProfilePurpose"] == "TxProfile"
        return answer if session else {"status": "Accepted"}

    return choose


def tx_profiles(wire: Wire) -> list[dict[str, Any]]:
    """The SetChargingProfile calls for one session."""
    return [
        payload
        for action, payload in wire.asked
        if action == "SetChargingProfile" and payload["csChargingProfiles"]["chargingProfilePurpose"] == "TxProfile"
    ]


def tx_profile_id(wire: Wire) -> int:
    """The id of the session's profile, set by itself or with a remote start."""
    started = [payload["chargingProfile"] for action, payload in wire.asked if action == "RemoteStartTransaction"]
    profile = (tx_profiles(wire) or [{"csChargingProfiles": started[0] if started else {}}])[0]["csChargingProfiles"]
    number: int = profile["chargingProfileId"]
    return number


async def until_tx_profile(wire: Wire, *, seconds: float = 20) -> dict[str, Any]:
    await until(lambda: bool(tx_profiles(wire)), seconds=seconds)
    return tx_profiles(wire)[-1]


async def meter(wire: Wire, power_w: float, timestamp: str | None) -> None:
    sampled = {"value": str(power_w), "measurand": "Power.Active.Import", "unit": "W"}
    entry: dict[str, Any] = {"sampledValue": [sampled]}
    if timestamp is not None:
        entry["timestamp"] = timestamp
    assert await wire.call("MeterValues", {"connectorId": 1, "meterValue": [entry]}) == {}
