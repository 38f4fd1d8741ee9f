"""The real server as a process: at another time, behind a bad network, and with a simulated Aura on it."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest

from tests.harness.charger import ChargerError
from tests.harness.moments import recent_peak_hour
from tests.harness.proxy import FaultProxy

pytestmark = pytest.mark.once


def test_a_server_at_another_time_serves_a_charger_that_follows_its_clock(start_server, start_charger):
    peak = recent_peak_hour()
    server = start_server(at=peak)
    with urllib.request.urlopen(f"{server.url}/healthz") as answer:
        date = parsedate_to_datetime(answer.headers["Date"]) if answer.headers["Date"] else None
        assert json.load(answer) == {"status": "ok"}
    if date is not None:
        assert peak <= date < peak + timedelta(minutes=10)

    known = server.command("add_charge_point", "AURA-1", "--json")
    with FaultProxy(server.tls_port) as network:
        charger = start_charger(
            url=f"wss://127.0.0.1:{network.port}/ocpp",
            identity="AURA-1",
            key_hex=known["key_hex"],
            authority=server.authority,
        )
        charger.wait_online()
        clock = datetime.fromisoformat(charger.state["clock"])
        assert peak <= clock < peak + timedelta(minutes=10)
        assert clock < datetime.now(UTC)
        with pytest.raises(ChargerError, match="unknown verb"):
            charger.do("dance")
        network.cut()
        charger.wait(lambda state: state["link"]["connections"] >= 2 and state["online"], what="online again")
