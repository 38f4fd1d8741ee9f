"""Every odd frame there is, on a real socket that also carries an honest session: the session loses nothing."""

import asyncio
import json
from pathlib import Path

import pytest

from chargeamps.gateway.actions import KNOWN
from tests.gateway.installation import Installation
from tests.gateway.odd_frames import TOO_LONG, UNSOLICITED, cases
from tests.gateway.wire import Wire, charger, now

MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def house(start_installation) -> Installation:
    return start_installation(more=3)


def resident(house: Installation) -> int:
    """Bytes of memory that the server's process holds."""
    status = Path(f"/proc/{house.server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


async def begin(wire: Wire, meter: int) -> int:
    await wire.boot()
    await wire.status("Preparing")
    answer = await wire.call(
        "StartTransaction", {"connectorId": 1, "idTag": "HONEST", "meterStart": meter, "timestamp": now()}
    )
    assert answer["idTagInfo"]["status"] == "Accepted"
    await wire.status("Charging")
    return answer["transactionId"]


async def meter(wire: Wire, number: int, wh: int) -> None:
    values = [{"value": str(wh)}, {"value": "7200", "measurand": "Power.Active.Import", "unit": "W"}]
    report = {
        "connectorId": 1,
        "transactionId": number,
        "meterValue": [{"timestamp": now(), "sampledValue": values}],
    }
    assert await wire.call("MeterValues", report) == {}


async def end(wire: Wire, number: int, wh: int) -> None:
    stop = {"transactionId": number, "meterStop": wh, "timestamp": now(), "reason": "Local"}
    assert await wire.call("StopTransaction", stop) == {}


def sessions(house: Installation, identity: str) -> list:
    return house.ask(
        f"list(ChargingSession.objects.filter(charge_point__identity='{identity}', id_tag='HONEST')"
        ".order_by('started').values('transaction_id', 'energy_import_wh', 'stop_reason', 'flags'))"
    )


def readable_id(text: str) -> bool:
    """Whether the frame is a call whose id can be told, by a strict reader of its own."""
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return text.startswith('[2,"')
    return isinstance(frame, list) and len(frame) > 1 and frame[0] in (2, "2") and isinstance(frame[1], str | int)


@pytest.mark.requirement("R9-11")
async def test_an_honest_session_among_all_odd_frames(house):
    async with charger(house.server, "AURA-1", house.key("AURA-1")) as wire:
        number, wh = await begin(wire, 10_000), 10_000
        for name, frame in cases().items():
            if name in TOO_LONG:
                continue
            text = frame.decode() if isinstance(frame, bytes) else frame
            message_id = "x" * 10_000 if name == "id of 10000 characters" else "7" if name == "id number" else "1"
            message_id = "" if name == "id empty" else message_id
            answer = wire.expect(message_id)
            # A binary frame is sent as one.
            await wire.socket.send(frame)
            if readable_id(text):
                result = await asyncio.wait_for(answer, 30)
                known = any(f'"{action}"' in text for action in KNOWN) and "action is" not in name
                assert isinstance(result, dict) is known, (name, result)
            wh += 10
            await meter(wire, number, wh)
            assert not answer.done() or readable_id(text), name
        await end(wire, number, wh)
        assert wire.closed_with is None
    (session,) = sessions(house, "AURA-1")
    assert session == {
        "transaction_id": number,
        "energy_import_wh": wh - 10_000,
        "stop_reason": "Local",
        "flags": [],
    }


@pytest.mark.parametrize("name", TOO_LONG)
async def test_a_frame_that_is_too_long_closes_its_socket_and_the_charger_comes_back_to_its_session(house, name):
    before, wh = resident(house), 100 * len(sessions(house, "AURA-2"))
    async with charger(house.server, "AURA-2", house.key("AURA-2")) as wire:
        number = await begin(wire, wh)
        await meter(wire, number, wh + 10)
        for _ in range(5):
            async with charger(house.server, "AURA-3", house.key("AURA-3")) as hostile:
                await hostile.socket.send(cases()[name])
                assert await hostile.until_closed(seconds=5) == 1009
        await wire.socket.send(cases()[name])
        assert await wire.until_closed(seconds=5) == 1009
    async with charger(house.server, "AURA-2", house.key("AURA-2")) as wire:
        await meter(wire, number, wh + 20)
        await end(wire, number, wh + 30)
    session = sessions(house, "AURA-2")[-1]
    assert (session["transaction_id"], session["energy_import_wh"]) == (number, 30)
    assert resident(house) - before < 20 * MEBIBYTE


async def test_50_000_answers_nobody_asked_for_leave_the_session_and_the_memory_as_they_were(house):
    async with charger(house.server, "AURA-3", house.key("AURA-3")) as wire:
        number = await begin(wire, 0)
        await meter(wire, number, 1)
        before = resident(house)
        for count in range(UNSOLICITED):
            await wire.socket.send('[3,"n",{}]')
            if count % 10_000 == 5_000:
                # In the midst of it the session goes on.
                await meter(wire, number, count)
        await meter(wire, number, 60_000)
        await end(wire, number, 60_000)
        assert resident(house) - before < 20 * MEBIBYTE
    (session,) = sessions(house, "AURA-3")
    assert session["energy_import_wh"] == 60_000


async def test_what_chargers_say_is_stored_as_text_and_shown_as_data(house):
    script, formula = "<script>alert(1)</script>", "=cmd()|A1"
    async with charger(house.server, "AURA-2", house.key("AURA-2")) as wire:
        await wire.call(
            "BootNotification",
            {"chargePointVendor": script, "chargePointModel": '" onload=x', "chargePointSerialNumber": formula}
            | {"firmwareVersion": "a\x00b\r\nSet-Cookie: x", "evil\x00key\ud800": "\ud800"},
        )
        shown = house.charge_point("AURA-2")
    assert (shown["vendor"], shown["model"], shown["serial_number"]) == (script, '" onload=x', formula)
    assert "\x00" not in shown["firmware_version"]
    assert "Traceback" not in house.server.log()


async def test_no_frame_left_an_error_in_the_log(house):
    log = house.server.log()
    for sign in ("Traceback", "action_failed", "trace_not_stored", "work_failed", "sweep_failed"):
        assert sign not in log
