"""Against the real server: what was answered survives a kill, and a download is made by itself and streams."""

import asyncio
import csv
import io
import os
import signal
import urllib.request
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from tests.gateway.installation import Installation
from tests.gateway.wire import charger, now
from tests.harness.server import Worker

CHARGERS = 10


def moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.requirement("R9-6", "R9-7", "R9-11")
async def test_seconds_that_were_answered_outlive_a_kill_and_come_down_as_a_file(server):
    house = await asyncio.to_thread(Installation, server, more=CHARGERS)
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    answered: dict[str, int] = {}
    numbers: dict[str, int] = {}

    async def say_seconds(identity: str) -> None:
        async with charger(server, identity, house.key(identity)) as wire:
            await wire.boot()
            start = {"connectorId": 1, "idTag": "T", "meterStart": 0, "timestamp": moment(begin)}
            numbers[identity] = (await wire.call("StartTransaction", start))["transactionId"]
            for second in range(600):
                sampled = [
                    {"value": str(second * 2), "measurand": "Energy.Active.Import.Register"},
                    {"value": "7200", "measurand": "Power.Active.Import"},
                ]
                entry = {"timestamp": moment(begin + timedelta(seconds=second)), "sampledValue": sampled}
                report = {"connectorId": 1, "transactionId": numbers[identity], "meterValue": [entry]}
                try:
                    assert await wire.call("MeterValues", report) == {}
                except (ConnectionError, asyncio.CancelledError):
                    return
                answered[identity] = second + 1
                if sum(answered.values()) == CHARGERS * 30:
                    os.kill(server.process.pid, signal.SIGKILL)

    await asyncio.gather(*(say_seconds(f"AURA-{n + 1}") for n in range(CHARGERS)), return_exceptions=True)
    assert sum(answered.values()) >= CHARGERS * 30
    await asyncio.to_thread(server.process.stop)
    await asyncio.to_thread(server.start)

    rest = house.rest()
    rows = (await asyncio.to_thread(rest.get, "usage/sessions?limit=50"))["results"]
    names = {point["id"]: identity for identity, point in house.charge_points.items()}
    assert len(rows) == CHARGERS
    for row in rows:
        power = await asyncio.to_thread(rest.get, f"usage/sessions/{row['id']}/power")
        seconds = [point[0] for point in power["points"]]
        assert seconds == list(range(len(seconds))), "each second once, none made up"
        assert len(seconds) in (answered[names[row["charge_point"]]], answered[names[row["charge_point"]]] + 1)
        assert row["energy_import_wh"] == (len(seconds) - 1) * 2

    identity = "AURA-1"
    async with charger(server, identity, house.key(identity)) as wire:
        await wire.boot()
        stop = {"transactionId": numbers[identity], "meterStop": 1234, "timestamp": now()}
        assert await wire.call("StopTransaction", stop) == {}
    export = await asyncio.to_thread(rest.post, "usage/exports", {"format": "csv"})

    with Worker(server) if server.environment.get("CELERY_BROKER_URL") else nullcontext():
        done = await asyncio.to_thread(
            house.wait,
            lambda: rest.get(f"usage/exports/{export['id']}"),
            lambda seen: seen["state"] in ("ready", "failed"),
        )
    assert done["state"] == "ready"
    request = urllib.request.Request(server.url + done["url"], headers={"Authorization": f"Bearer {rest._key}"})
    content = await asyncio.to_thread(lambda: urllib.request.urlopen(request, timeout=30).read())
    table = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(table) == CHARGERS
    assert "1234" in [row["energy_import_wh"] for row in table]
