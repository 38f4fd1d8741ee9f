"""A running server with the cast in it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.harness.processes import ROOT, wait_until
from tests.harness.server import Client, Server

# Every model goes by its own name in what is run.
SET_UP = (
    "import json, os",
    "os.environ['DJANGO_SETTINGS_MODULE'] = 'chargeamps.settings'",
    "import django; django.setup()",
    "from django.apps import apps",
    "globals().update({model.__name__: model for model in apps.get_models()})",
)


class Installation:
    """People, their charge points and keys, and what they see over REST.

    Args:
        server: any process of the installation; its database must be empty.
        more: so many charge points AURA-1, AURA-2 … at Alice's home besides AURA-ALICE.
        vectors: also the charge points of ``authorization-keys.json``.
    """

    def __init__(self, server: Server, *, more: int = 0, vectors: bool = False) -> None:
        self.server = server
        made = self.run(
            "from tests.gateway.populate import populate", f"print(json.dumps(populate({more}, vectors={vectors})))"
        )
        self.people: dict[str, dict[str, str]] = made["people"]
        self.charge_points: dict[str, dict[str, Any]] = made["charge_points"]
        self.sites: dict[str, str] = made["sites"]

    def run(self, *lines: str) -> Any:
        """Run lines of Python in the installation's environment; what they print, read as JSON."""
        done = subprocess.run(
            [sys.executable, "-c", "\n".join([*SET_UP, *lines])],
            cwd=ROOT,
            env=self.server.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    def ask(self, expression: str) -> Any:
        """The value of an expression over all models, such as ``Command.objects.count()``."""
        return self.run(f"print(json.dumps({expression}, default=str))")

    def rest(self, name: str = "alice", server: Server | None = None) -> Client:
        return (server or self.server).client(self.people[name]["key"])

    def key(self, identity: str) -> bytes:
        return bytes.fromhex(self.charge_points[identity]["key_hex"])

    def charge_point(self, identity: str, name: str = "alice") -> dict[str, Any]:
        found: dict[str, Any] = self.rest(name).get(f"charge-points/{self.charge_points[identity]['id']}")
        return found

    def connector(self, identity: str, number: int = 1, name: str = "alice") -> dict[str, Any]:
        found: dict[str, Any] = self.rest(name).get(f"connectors/{self.connector_id(identity, number)}")
        return found

    def connector_id(self, identity: str, number: int = 1) -> str:
        key: str = self.charge_points[identity]["connectors"][number - 1]
        return key

    def wait(self, read: Callable[[], Any], good: Callable[[Any], bool], *, seconds: float = 20, what: str = "") -> Any:
        """Read again and again until it is good; the failure shows what was read last."""
        last: list[Any] = [None]

        def reached() -> bool:
            last[0] = read()
            return good(last[0])

        try:
            wait_until(reached, seconds=seconds, what=what)
        except TimeoutError as error:
            raise AssertionError(f"{error}; last seen: {last[0]}") from None
        return last[0]

    def wait_online(self, identity: str, *, online: bool = True, seconds: float = 20) -> dict[str, Any]:
        found: dict[str, Any] = self.wait(
            lambda: self.charge_point(identity),
            lambda seen: seen["online"] is online,
            seconds=seconds,
            what=f"{identity} online {online}",
        )
        return found

    def wait_state(self, identity: str, *states: str, number: int = 1, seconds: float = 20) -> dict[str, Any]:
        found: dict[str, Any] = self.wait(
            lambda: self.connector(identity, number),
            lambda seen: seen["state"] in states,
            seconds=seconds,
            what=f"{identity} {' or '.join(states)}",
        )
        return found

    def wait_command(self, command: dict[str, Any], *states: str, seconds: float = 20) -> dict[str, Any]:
        found: dict[str, Any] = self.wait(
            lambda: self.rest().get(f"commands/{command['id']}"),
            lambda seen: seen["state"] in states,
            seconds=seconds,
            what=f"{command['kind']} {' or '.join(states)}",
        )
        return found

    def trace(self, identity: str) -> list[dict[str, Any]]:
        """The newest page of the trace."""
        found: list[dict[str, Any]] = self.rest().get(f"charge-points/{self.charge_points[identity]['id']}/trace")[
            "results"
        ]
        return found


@dataclass
class Pair:
    """One installation, two server processes: ``house.server`` and ``second``."""

    house: Installation
    second: Server
