"""From a saved schedule to the frame at the charger; a skipped delay; a fleet's stored plans worked out anew."""

import asyncio
import http.client
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.latency import Arrivals, calls_over, spread
from tests.benchmarks.report import Line
from tests.benchmarks.rig import OurServer, client_tls, percentile
from tests.benchmarks.wire import Charger
from tests.harness.processes import ROOT

SAVED_MS = 1_000.0
CHARGE_NOW_MS = 50.0
FLEET_S = 60.0
FLEET = 10_000
PAUSE_SECONDS = 0.1


def schedule(*, quick: bool) -> list[Line]:
    """One process, SQLite: chargers on line, their owners saving, and tapping while a random delay runs."""
    count = 15 if quick else 60
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder, OurServer(data=Path(folder)) as our:
        rows = our.populate(count, owners=count)
        hours, schedules, taps = asyncio.run(_measure(our, rows))
    both = [*hours, *schedules]
    lines = [
        Line(
            f"schedule saved to frame at the charger, one process, SQLite ({len(hours)} default hours,"
            f" {len(schedules)} schedules)",
            f"p95 ≤ {SAVED_MS:.0f} ms",
            spread(both),
            met=percentile(both, 0.95) <= SAVED_MS,
        ),
        Line(
            f"charge now during a random delay to frame, one process, SQLite ({len(taps)} taps)",
            f"p95 ≤ {CHARGE_NOW_MS:.0f} ms",
            spread(taps),
            met=percentile(taps, 0.95) <= CHARGE_NOW_MS,
        ),
    ]
    return lines + stored_plans(100 if quick else 500)


async def _measure(our: OurServer, rows: Sequence[dict[str, Any]]) -> tuple[list[float], list[float], list[float]]:
    tls, arrivals = client_tls(our), Arrivals()
    fleet = [
        Charger(row["identity"], bytes.fromhex(row["key_hex"]), on_call=partial(_called, arrivals, row["identity"]))
        for row in rows
    ]
    for charger in fleet:
        await charger.connect(our.tls_port, tls)
        await charger.boot()
    await calls_over(fleet)
    line = http.client.HTTPConnection("127.0.0.1", our.http_port, timeout=30)
    line.connect()
    sites = {row["api_key"]: _send(line, row, "GET", "sites")["results"][0]["id"] for row in rows}
    hours = await _saved(line, rows, arrivals, lambda row: ("PUT", f"sites/{sites[row['api_key']]}/default-hours", OWN))
    await calls_over(fleet)
    own = await _saved(line, rows, arrivals, lambda row: ("POST", f"connectors/{row['connectors'][0]}/schedules", CAP))
    await calls_over(fleet)
    taps = await _taps_in_a_delay(our, line, rows, fleet, arrivals)
    line.close()
    for charger in fleet:
        charger.drop()
    return hours, own, taps


# Open at any time of day, so that a car that comes waits its delay and not for the hours.
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
OWN = {
    "choice": "changed",
    "windows": [
        {"days": DAYS, "start": "00:00", "end": "11:50"},
        {"days": DAYS, "start": "11:55", "end": "23:40"},
        {"days": DAYS, "start": "23:45", "end": "00:00"},
    ],
}
CAP = {"windows": [{"days": DAYS, "start": "17:00", "end": "19:00"}], "limit_a": 10}


def _called(arrivals: Arrivals, identity: str, action: str, payload: dict[str, Any]) -> None:
    # Which profile comes first is the gateway's to choose: the first one is when the charger begins to know.
    arrivals.arrived(f"{action} {identity}")


def _send(line: http.client.HTTPConnection, row: dict[str, Any], method: str, path: str, body: Any = None) -> Any:
    line.request(
        method,
        f"/api/v1/{path}",
        body=None if body is None else json.dumps(body),
        headers={
            "Authorization": f"Bearer {row['api_key']}",
            "Idempotency-Key": str(uuid.uuid4()),
            "Content-Type": "application/json",
        },
    )
    answer = line.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
    return json.loads(text) if text else None


async def _saved(
    line: http.client.HTTPConnection, rows: Sequence[dict[str, Any]], arrivals: Arrivals, request: Any
) -> list[float]:
    """One owner after the other saves; each time until the first SetChargingProfile arrives."""
    times = []
    for row in rows:
        arrival = arrivals.expect(f"SetChargingProfile {row['identity']}")
        began = time.perf_counter()
        await asyncio.to_thread(_send, line, row, *request(row))
        times.append((await asyncio.wait_for(arrival, 30) - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    return times


async def _taps_in_a_delay(
    our: OurServer,
    line: http.client.HTTPConnection,
    rows: Sequence[dict[str, Any]],
    fleet: Sequence[Charger],
    arrivals: Arrivals,
) -> list[float]:
    """A car is plugged in and waits its delay; its owner taps Charge now: the session's profile goes out at once."""
    for charger in fleet:
        await charger.status(1, "Preparing")
        await charger.call(
            "StartTransaction",
            {"connectorId": 1, "idTag": "", "meterStart": 0, "timestamp": "2020-01-01T00:00:00Z"},
        )
        await charger.status(1, "SuspendedEVSE")
    await calls_over(fleet)
    times = []
    for row in rows:
        path = f"connectors/{row['connectors'][0]}"
        if (await asyncio.to_thread(_send, line, row, "GET", path))["state"] != "random_delay":
            continue  # one in some hundred draws is over by now
        arrival = arrivals.expect(f"SetChargingProfile {row['identity']}")
        began = time.perf_counter()
        await asyncio.to_thread(_send, line, row, "POST", f"{path}/charge-now")
        times.append((await asyncio.wait_for(arrival, 30) - began) * 1000)
        await asyncio.sleep(PAUSE_SECONDS)
    return times


def stored_plans(count: int) -> list[Line]:
    """A sample of charge points, two connectors each, from the database: what a sweep over the fleet costs."""
    with TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder, OurServer(data=Path(folder)) as our:
        our.populate(count, owners=count)
        environment = our.environment
        our.stop()
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.stored_plans"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    found = json.loads(done.stdout)
    scaled = found["seconds"] / found["connectors"] * FLEET
    calls = f"{found['idle_calls']} calls; after one owner's change {found['changed_calls']} calls to that one charger"
    return [
        Line(
            f"{FLEET:,} connectors re-planned and compared with the chargers', from the database"
            f" (measured on {found['connectors']:,})",
            f"≤ {FLEET_S:.0f} s of a core",
            f"{scaled:.0f} s",
            "",
            scaled <= FLEET_S,
        ),
        Line(
            "calls made where nothing has changed, and where it has",
            "0, and only there",
            calls,
            "",
            found["idle_calls"] == 0 and found["changed_calls"] > 0 and found["others_calls"] == 0,
        ),
    ]
