"""A charge point nobody here wrote holds a whole conversation with the real server, over TLS, in strict mode."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.harness.processes import wait_until
from tests.harness.server import Client, Server
from tests.harness.stranger import Stranger

pytestmark = [pytest.mark.node]

EMAIL = "alice@example.com"


class Installation:
    """A server with Alice, her home and one charge point that no simulator of ours plays."""

    def __init__(self, server: Server) -> None:
        alice = server.command("add_person", EMAIL, "--home", "Home", "--json")
        self.charge_point = server.command("add_charge_point", "STRANGER-1", "--site", alice["site"], "--json")
        self.rest: Client = server.client(server.command("add_api_key", EMAIL, "--json")["key"])
        self.connector = self.charge_point["connectors"][0]["id"]

    def wait_state(self, *states: str) -> dict[str, Any]:
        connector: dict[str, Any] = {}

        def reached() -> bool:
            connector.update(self.rest.get(f"connectors/{self.connector}"))
            return connector["state"] in states

        try:
            wait_until(reached, seconds=20, what=f"connector {' or '.join(states)}")
        except TimeoutError as error:
            raise AssertionError(f"{error}; it is {connector}") from None
        return connector

    def wait_command(self, command: dict[str, Any], state: str) -> None:
        wait_until(
            lambda: self.rest.get(f"commands/{command['id']}")["state"] == state, seconds=30, what=f"command {state}"
        )


@pytest.fixture(scope="module")
def installation(module_server: Server) -> Installation:
    return Installation(module_server)


@pytest.fixture
def connect(module_server: Server, installation: Installation, node_tools) -> Iterator[Any]:
    """Connect the stranger; keyword arguments replace the right ones."""
    open_lines: list[Stranger] = []

    def begin(**wrong: Any) -> Stranger:
        right = {
            "folder": node_tools,
            "url": module_server.charger_url,
            "identity": installation.charge_point["identity"],
            "key_hex": installation.charge_point["key_hex"],
            "authority": module_server.authority,
        }
        open_lines.append(Stranger(**(right | wrong)))
        return open_lines[-1]

    yield begin
    for line in open_lines:
        line.__exit__(None, None, None)


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def boot(stranger: Stranger) -> None:
    answer = stranger.call(
        "BootNotification",
        {"chargePointVendor": "Nobody here", "chargePointModel": "Stranger", "firmwareVersion": "1.0"},
    )
    assert answer["status"] == "Accepted"
    for connector in (0, 1, 2):
        status(stranger, "Available", connector=connector)


def status(stranger: Stranger, text: str, *, connector: int = 1) -> None:
    report = {"connectorId": connector, "errorCode": "NoError", "status": text, "timestamp": now()}
    assert stranger.call("StatusNotification", report) == {}


def meter_values(stranger: Stranger, transaction: int, *, energy_wh: int, power_w: int) -> None:
    sampled = [
        {"value": str(energy_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": str(power_w), "measurand": "Power.Active.Import", "unit": "W"},
        {"value": str(round(power_w / 230, 1)), "measurand": "Current.Import", "unit": "A"},
    ]
    report = {
        "connectorId": 1,
        "transactionId": transaction,
        "meterValue": [{"timestamp": now(), "sampledValue": sampled}],
    }
    assert stranger.call("MeterValues", report) == {}


def test_a_whole_session(connect, installation):
    rest = installation.rest
    stranger = connect()
    assert stranger.wait_said("open", "refused") == {"said": "open", "protocol": "ocpp1.6"}
    boot(stranger)
    # What the server wants to know, and what must go on when it is gone.
    stranger.wait_asked("GetConfiguration")
    stranger.wait_asked("SetChargingProfile")

    status(stranger, "Preparing")
    start = rest.post(f"connectors/{installation.connector}/charge-now")
    id_tag = stranger.wait_asked("RemoteStartTransaction")["payload"]["idTag"]
    assert stranger.call("Authorize", {"idTag": id_tag})["idTagInfo"]["status"] == "Accepted"
    begun = stranger.call(
        "StartTransaction", {"connectorId": 1, "idTag": id_tag, "meterStart": 100_000, "timestamp": now()}
    )
    assert begun["idTagInfo"]["status"] == "Accepted"
    transaction = begun["transactionId"]
    status(stranger, "Charging")
    meter_values(stranger, transaction, energy_wh=100_000, power_w=3680)
    time.sleep(1)
    meter_values(stranger, transaction, energy_wh=100_250, power_w=3680)

    connector = installation.wait_state("charging")
    assert connector["power_w"] == pytest.approx(3680)
    assert connector["plug"] == "in"
    installation.wait_command(start, "verified")
    assert connector["session"]["energy_wh"] == pytest.approx(250)

    stop = rest.post(f"connectors/{installation.connector}/stop")
    asked = stranger.wait_asked("RemoteStopTransaction")
    assert asked["payload"] == {"transactionId": transaction}
    stranger.call(
        "StopTransaction",
        {
            "transactionId": transaction,
            "idTag": id_tag,
            "meterStop": 100_500,
            "timestamp": now(),
            "reason": "Remote",
        },
    )
    status(stranger, "Finishing")
    connector = installation.wait_state("finished")
    assert connector["session"] is None
    installation.wait_command(stop, "verified")
    status(stranger, "Available")
    installation.wait_state("available")
    assert stranger.close()["code"] == 1000
    assert stranger.invalid == []


def test_a_key_sent_as_its_hexadecimal_text_is_taken_too(connect):
    stranger = connect(key_form="hex-text")
    assert stranger.wait_said("open", "refused")["said"] == "open"


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"key_hex": "00" * 20}, id="wrong key"),
        pytest.param({"identity": "STRANGER-2"}, id="unknown identity"),
    ],
)
def test_who_cannot_prove_an_identity_is_refused_before_the_upgrade(connect, wrong):
    stranger = connect(**wrong)
    answer = stranger.wait_said("open", "refused")
    assert (answer["said"], answer["status"]) == ("refused", 401)
