"""A running server with the cast in it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.harness.processes import ROOT, wait_until
from tests.harness.server import Client, Server


class Installation:
    """People, their charge points and keys, and what they see over REST.

    Args:
        server: any process of the installation; its database must be empty.
        more: so many charge points AURA-1, AURA-2 … at Alice's home besides AURA-ALICE.
        vectors: also the charge points of ``authorization-keys.json``.
    """

    def __init__(self, server: Server, *, more: int = 0, vectors: bool = False) -> None:
        self.server = server
        arguments = ["--more", str(more), *(["--vectors"] if vectors else [])]
        made = json.loads(self.run("-m", "tests.gateway.populate", *arguments))
        self.people: dict[str, dict[str, str]] = made["people"]
        self.charge_points: dict[str, dict[str, Any]] = made["charge_points"]
        self.sites: dict[str, str] = made["sites"]

    def run(self, *arguments: str) -> str:
        """Run Python in the installation's environment; returns what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.server.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def ask(self, expression: str) -> Any:
        """The value of an expression over all models, read as JSON, from a process of its own."""
        program = (
            "import os, json; os.environ['DJANGO_SETTINGS_MODULE'] = 'chargeamps.settings'\n"
            "import django; django.setup()\n"
            "from django.apps import apps\n"
            "globals().update({m.__name__: m for m in apps.get_models()})\n"
            f"print(json.dumps({expression}, default=str))"
        )
        return json.loads(self.run("-c", program))

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
