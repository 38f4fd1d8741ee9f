"""Desired and reported: the schedule is set, proved, set again when it is lost, and never claimed when it is not."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.gateway.installation import Installation
from tests.gateway.simulated import simulated
from tests.gateway.wire import charger, until
from tests.harness.moments import recent_peak_hour

in_thread = asyncio.to_thread


@pytest.fixture(scope="module")
def house(start_installation) -> Iterator[Installation]:
    return start_installation(more=26, at=recent_peak_hour())


async def schedule(house: Installation, identity: str, *states: str, seconds: float = 60) -> dict[str, Any]:
    """Wait until the owner is told so of the schedule on the charger."""
    shown: dict[str, Any] = await in_thread(
        house.wait,
        lambda: house.charge_point(identity)["schedule_on_charger"],
        lambda seen: seen["state"] in states,
        seconds=seconds,
        what=f"schedule on {identity} {states}",
    )
    return shown


# By persona: AURA-1 and so on, all at the same time.
FOLLOWING = [
    "aura",
    "watts-only",
    "amps-only",
    "one-stack-level",
    "few-periods",
    "few-profiles",
    "no-recurring",
    "no-max-profile",
    "tx-hides-default",
    "odd-configuration",
    "slow",
    "deaf-before-boot",
    "no-boot-on-reconnect",
    "reboot-required",
    "never-answers-trigger",
    "numbers-as-strings",
    "naive-time",
]


@pytest.mark.requirement("R10-6", "R10-9")
async def test_every_kind_of_charger_keeps_the_hours_it_was_given(house):
    """Whatever it can do, it holds the car back in a peak hour, and the owner is told that this is proved."""
    async with contextlib.AsyncExitStack() as stack:
        boxes = []
        for number, persona in enumerate(FOLLOWING, 1):
            identity = f"AURA-{number}"
            boxes.append(
                await stack.enter_async_context(simulated(house.server, identity, house.key(identity), persona))
            )
        await asyncio.gather(*(schedule(house, f"AURA-{n}", "verified", seconds=120) for n in range(1, len(boxes) + 1)))
        for box in boxes:
            box.do("plug", connector=1, car={"soc": 0.4})
        for number in range(1, len(boxes) + 1):
            await in_thread(house.wait_state, f"AURA-{number}", "waiting_for_schedule")
        await asyncio.sleep(3)
        drawn = {persona: box.drawn_a() for persona, box in zip(FOLLOWING, boxes, strict=True)}
        assert drawn == dict.fromkeys(FOLLOWING, 0.0)
        for box in boxes:
            assert box.profiles


async def test_what_is_lost_at_a_reconnect_is_set_and_proved_again(house):
    async with simulated(house.server, "AURA-18", house.key("AURA-18"), "forgets-profiles") as box:
        await schedule(house, "AURA-18", "verified")
        before = house.ask(VERIFIED.format(identity="AURA-18"))
        assert box.profiles
        connections = box.driver.connections
        box.do("network", state="down")
        await in_thread(house.wait_online, "AURA-18", online=False)
        box.do("network", state="up")
        await until(lambda: box.driver.connections > connections)
        await in_thread(
            house.wait, lambda: house.ask(VERIFIED.format(identity="AURA-18")), lambda now: now > before, seconds=40
        )
        await schedule(house, "AURA-18", "verified")
        assert box.profiles


VERIFIED = (
    "str(min(InstalledProfile.objects.filter(charge_point__identity='{identity}').values_list('verified', flat=True),"
    " key=str))"
)


async def test_a_schedule_that_is_accepted_and_not_kept_is_not_called_kept(house):
    async with simulated(house.server, "AURA-19", house.key("AURA-19"), "accepts-without-effect"):
        shown = await schedule(house, "AURA-19", "refused", "verified")
        assert shown["state"] == "refused"
        assert "does not keep to them" in shown["text"]
        # Tried twice and then left alone until the next connection or half hour.
        await asyncio.sleep(3)
        sent = await in_thread(house.trace, "AURA-19")
        set_again = [row for row in sent if row["direction"] == "out" and row["action"] == "SetChargingProfile"]
        profiles = house.ask("InstalledProfile.objects.filter(charge_point__identity='AURA-19').count()")
        assert len(set_again) == 2 * profiles


async def test_a_charger_that_takes_no_default_profile_is_said_to_have_none(house):
    async with simulated(house.server, "AURA-20", house.key("AURA-20"), "no-default-profile"):
        shown = await schedule(house, "AURA-20", "refused", "verified")
        assert shown["state"] == "refused"


@pytest.mark.parametrize(
    ("identity", "answer"),
    [("AURA-21", "NotImplemented"), ("AURA-22", {"status": "Rejected"}), ("AURA-23", {"status": "Accepted"})],
)
async def test_a_charger_that_will_not_show_its_schedule_is_neither_right_nor_wrong(house, identity, answer):
    answers = {"GetCompositeSchedule": answer}
    async with charger(house.server, identity, house.key(identity), answers=answers) as wire:
        await wire.boot()
        shown = await schedule(house, identity, "unknown")
        assert "has not shown it yet" in shown["text"]


async def test_a_charger_that_has_everything_is_asked_for_nothing(house):
    """The doorbell may ring at any time: where nothing differs no call is made."""
    keys = [
        {"key": "NumberOfConnectors", "readonly": True, "value": "2"},
        {"key": "MeterValueSampleInterval", "readonly": False, "value": "60"},
        {"key": "MeterValuesSampledData", "readonly": False, "value": "Voltage"},
    ]
    answers = {"GetConfiguration": {"configurationKey": keys}, "GetCompositeSchedule": "NotImplemented"}
    path = f"charge-points/{house.charge_points['AURA-24']['id']}"
    async with charger(house.server, "AURA-24", house.key("AURA-24"), answers=answers) as wire:
        await wire.boot()
        await wire.status("Available", 1)
        await wire.status("Available", 2)
        await schedule(house, "AURA-24", "unknown")
        changed = [payload["key"] for action, payload in wire.asked if action == "ChangeConfiguration"]
        assert changed == ["MeterValueSampleInterval", "MeterValuesSampledData"]
        await asyncio.sleep(1)
        wire.asked.clear()
        for free in (False, True):
            status, _ = await in_thread(house.rest().request, "PATCH", path, {"free_charging": free})
            assert status == 200
        await asyncio.sleep(2)
        # Only what could not be proved is asked about again.
        assert {action for action, _ in wire.asked} <= {"GetCompositeSchedule"}
    # After a reconnect it is not configured anew, nor sent what it has.
    async with charger(house.server, "AURA-24", house.key("AURA-24"), answers=answers) as wire:
        await wire.boot()
        await wire.until_asked("GetCompositeSchedule")
        assert {"GetConfiguration", "ChangeConfiguration", "SetChargingProfile"}.isdisjoint(
            action for action, _ in wire.asked
        )


async def test_connectors_that_said_nothing_on_this_socket_are_asked(house):
    async with charger(house.server, "AURA-25", house.key("AURA-25")) as wire:
        await wire.boot()
        await wire.status("Available", 2)
        asked = await wire.until_asked("TriggerMessage")
        assert asked == {"requestedMessage": "StatusNotification", "connectorId": 1}
        await asyncio.sleep(0.5)
        assert [payload["connectorId"] for action, payload in wire.asked if action == "TriggerMessage"] == [1]


@pytest.mark.parametrize(
    "odd",
    [
        [],
        "NotSupported",
        {},
        {"configurationKey": None},
        {"configurationKey": {"a": 1}},
        {"configurationKey": [None, 7, {"key": 7}, {"value": "x"}, {"key": "A\x00", "value": ["x"]}]},
        {"configurationKey": [{"key": f"K{n}", "value": "v" * 3000} for n in range(30)]},
    ],
    ids=range(7),
)
async def test_odd_configurations_are_taken_as_far_as_they_go(house, odd):
    house.run("ChargePoint.objects.filter(identity='AURA-26').update(configuration_reported=None)")
    async with charger(house.server, "AURA-26", house.key("AURA-26"), answers={"GetConfiguration": odd}) as wire:
        await wire.boot()
        await wire.until_asked("GetConfiguration")
        # Whatever came of it, the schedule is next.
        await wire.until_asked("GetCompositeSchedule")
    for sign in ("Traceback", "work_failed"):
        assert sign not in house.server.log()
