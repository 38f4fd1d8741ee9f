"""The trace of a charger's messages holds no key and no card number, stays small, and is forgotten in time."""

import asyncio
import json
import secrets
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from chargeamps.common import clock
from chargeamps.gateway import trace
from chargeamps.gateway.models import TraceFrame
from chargeamps.gateway.trace import FRAME_CHARACTERS, Tracer, redact
from chargeamps.runtime.periodic import forget_traces
from tests.gateway.wire import charger

CANARY = "canary5ecret"


@pytest.mark.requirement("S1-15")
@pytest.mark.parametrize(
    "frame",
    [
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"canary5ecret"}]',
        '[2,"1","ChangeConfiguration",{"value":"canary5ecret","key":"AuthorizationKey"}]',
        '[2, "1", "ChangeConfiguration", { "key" : "AuthorizationKey" , "value" : "canary5ecret" }]',
        '[2,"1","ChangeConfiguration",{"key":"authorizationkey","value":"canary5ecret"}]',
        '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false,"value":"canary5ecret"}]}]',
        '[3,"1",{"configurationKey":[{"key":"WifiPassword","readonly":false,"value":"canary5ecret"}]}]',
        '[3,"1",{"configurationKey":[{"key":"WiFi_Passwd","value":"canary5ecret"},{"key":"A","value":"b"}]}]',
        '[2,"1","DataTransfer",{"vendorId":"x","WifiPassword":"canary5ecret"}]',
        '[2,"1","DataTransfer",{"ClientSecret":"canary5ecret\\""}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"canary5ecret',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"x\\"canary5ecret',
        '[2,"1","ChangeConfiguration",{"key":"Wi-FiKey","value":"canary5ecret"}]',
        '[2,"1","Authorize",{"idTag":"canary5ecret"}]',
        '[2,"1","Authorize",{"IDTAG":"canary5ecret"}]',
        '[2,"1","Authorize",{"idTag":"canary5ecret',
        '[3,"1",{"idTagInfo":{"parentIdTag":"canary5ecret","status":"Accepted"}}]',
        '[2,"1","SendLocalList",{"localAuthorizationList":[{"idTag":"canary5ecret"},{"idTag":"canary5ecret"}]}]',
    ],
)
@pytest.mark.once
def test_secrets_are_masked(frame):
    assert CANARY not in redact(frame)
    assert "***" in redact(frame)


@pytest.mark.parametrize("value", ["12345678", "-12345678", "123456.78"])
@pytest.mark.once
def test_secrets_that_came_as_numbers_are_masked(value):
    for frame in (f'{{"idTag":{value}}}', f'{{"key":"PIN","value":{value}}}', f'{{"pin":{value}}}'):
        assert "345" not in redact(frame)


@pytest.mark.once
def test_a_card_is_told_from_another_by_its_end():
    assert redact('{"idTag":"04A1B2C3"}') == '{"idTag":"***C3"}'
    assert redact('{"idTag":"1234"}') == '{"idTag":"***"}'


@pytest.mark.once
def test_what_is_no_secret_is_left_as_it_was():
    frame = '[2,"1","ChangeConfiguration",{"key":"MeterValueSampleInterval","value":"10"}]'
    assert redact(frame) == frame
    beside = '{"key":"HeartbeatInterval","value":"60"}'
    assert beside in redact('[3,"1",{"configurationKey":[{"key":"WifiPassword","value":"x"},' + beside + "]}]")


@pytest.mark.once
def test_a_secret_at_the_cut_is_masked_whichever_part_came_first():
    filling = "x" * (FRAME_CHARACTERS - 40)
    for frame in (
        f'{{"a":"{filling}","value":"{CANARY * 9}","key":"AuthorizationKey"}}',
        f'{{"a":"{filling}","value":"x\\\\{CANARY * 9}","key":"AuthorizationKey"}}',
        f'{{"a":"{filling}","idTag":"{CANARY * 9}"}}',
    ):
        assert CANARY not in redact(frame)
        assert len(redact(frame)) <= FRAME_CHARACTERS + 10


@pytest.mark.parametrize(
    "hostile",
    [
        *('"' * 20_000, '"value":"' * 3000, '"key":"AuthorizationKey"' * 900, "password" * 3000, '"passw' * 4000),
        *('"idTag":"' * 3000, '{"key":"psk","value":' * 1000, '"' + "a" * 20_000 + "psk"),
    ],
    ids=range(8),
)
@pytest.mark.once
def test_hostile_frames_are_masked_quickly(hostile):
    begun = time.perf_counter()
    redact(hostile)
    assert time.perf_counter() - begun < 0.5


@pytest.fixture
def kept(monkeypatch) -> list[trace.Frame]:
    """What a tracer would store."""
    found: list[trace.Frame] = []

    async def submit(operation, frames) -> None:
        found.extend(frames)

    monkeypatch.setattr("chargeamps.gateway.trace.writer.submit", submit)
    monkeypatch.setattr(trace, "FLUSH_SECONDS", 0)
    return found


class TestThinning:
    async def test_what_says_little_and_comes_often_is_kept_once_a_minute(self, kept, monkeypatch):
        tracer, now = Tracer(), clock.now()
        one, other = uuid4(), uuid4()
        for second in range(0, 300, 10):
            at = now + timedelta(seconds=second)
            tracer.add(one, at, "in", "MeterValues", "[]")
            tracer.add(one, at, "out", "MeterValues", "[]")
            tracer.add(one, at, "in", "StatusNotification", "[]")
        tracer.add(other, now, "in", "MeterValues", "[]")
        tracer.add(one, now + timedelta(seconds=301), "in", "MeterValues", "[odd]", ("odd",))
        tracer.add(one, now + timedelta(seconds=302), "in", "MeterValues", "[odd]", ("odd",))
        await asyncio.sleep(0.05)
        assert Counter((charge_point, direction, action) for charge_point, _, direction, action, *_ in kept) == {
            (one, "in", "MeterValues"): 5 + 2,
            (one, "out", "MeterValues"): 5,
            (one, "in", "StatusNotification"): 30,
            (other, "in", "MeterValues"): 1,
        }

    async def test_a_database_that_is_away_does_not_fill_the_memory(self, monkeypatch):
        tracer = Tracer()
        monkeypatch.setattr(trace, "WAITING_FRAMES", 100)
        for _ in range(1000):
            tracer.add(uuid4(), clock.now(), "in", "StatusNotification", "[]")
        assert len(tracer._frames) == 100
        assert tracer._flush is not None
        tracer._flush.cancel()


def test_frames_are_forgotten_after_their_days(cast):
    limit = clock.now() - timedelta(days=settings.TRACE_DAYS)
    # More than are deleted in one piece.
    times = [limit - timedelta(hours=1)] * 4500 + [limit + timedelta(hours=1)] * 2
    TraceFrame.objects.bulk_create(
        TraceFrame(charge_point=cast.aura, time=at, direction="in", frame="[]") for at in times
    )
    forget_traces()
    assert TraceFrame.objects.count() == 2
    assert not TraceFrame.objects.filter(time__lt=limit).exists()


@pytest.mark.requirement("S1-15")
async def test_a_whole_conversation_leaves_no_secret_anywhere(start_installation):
    """SEC-17: canaries in every place where a charger may send a secret; then everything is searched."""
    house = start_installation(more=1)
    key = house.key("AURA-1")
    wifi, echoed, card = (secrets.token_hex(9) for _ in range(3))
    answers = {
        "GetConfiguration": {
            "configurationKey": [
                {"key": "WifiPassword", "readonly": False, "value": wifi},
                {"key": "AuthorizationKey", "readonly": False, "value": echoed},
                {"key": "HeartbeatInterval", "readonly": False, "value": "60"},
            ]
        }
    }
    async with charger(house.server, "AURA-1", key, answers=answers) as wire:
        await wire.boot()
        await wire.status("Preparing")
        await wire.until_asked("GetConfiguration")
        await wire.call("Authorize", {"idTag": card})
        begun = await wire.call("StartTransaction", {"connectorId": 1, "idTag": card, "meterStart": 0})
        await wire.call("StopTransaction", {"transactionId": begun["transactionId"], "idTag": card, "meterStop": 1})
        await wire.call("DataTransfer", {"vendorId": "v", "WifiPassword": wifi, "idTag": card})
        await wire.send(f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{echoed}"')
        await wire.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": ["not", "text"]})
        await asyncio.sleep(2.5)
    shown = json.dumps(house.trace("AURA-1"))
    charge_point = house.charge_points["AURA-1"]["id"]
    configuration = json.dumps(house.rest().get(f"charge-points/{charge_point}/configuration"))
    everything = json.dumps(
        house.ask("[list(m.objects.values()) for m in apps.get_models() if m.__name__ != 'ChargingSession']")
    )
    log = house.server.log()
    for place in (shown, configuration, everything, log):
        for canary in (wifi, echoed, key.decode(), key.hex(), card):
            assert canary not in place
    assert "HeartbeatInterval" in configuration
    assert card[-2:] in shown
    files = await asyncio.to_thread(lambda: [path for path in Path(house.server.data).iterdir() if path.is_file()])
    # The session itself knows whose card it was; nothing else on disk knows any of it.
    for canary in (wifi, echoed, key.decode(), key.hex()):
        for path in files:
            assert canary.encode() not in path.read_bytes(), path


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
