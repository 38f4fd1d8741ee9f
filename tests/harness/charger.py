"""A simulated Aura in a process of its own, and the line that steers its plugs, cards and network."""

import json
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.harness.processes import MANAGE, Child, ProcessError, clean_environment, free_port, wait_until


class ChargerError(RuntimeError):
    """The simulated charger refused what it was told."""


class Charger:
    """``manage.py simulate`` with a control port.

    Args:
        url: where it connects, without the identity (``Server.charger_url``, or the same through a ``FaultProxy``).
        identity, key_hex: as ``add_charge_point --json`` printed them.
        authority: PEM file to trust.
        arguments: more arguments of ``simulate``, such as ``--persona`` or ``--clock``.
    """

    def __init__(
        self, *, url: str, identity: str, key_hex: str, authority: Path | None = None, arguments: Sequence[str] = ()
    ) -> None:
        self.identity = identity
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="charger-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        command = [*MANAGE, "simulate", "--url", url, "--identity", identity, "--key", key_hex]
        command += ["--control-port", str(self.port), *arguments]
        if authority is not None:
            command += ["--ca-file", str(authority)]
        self._command = command
        self._log = folder / "log"
        # Django starts before the simulator does; it gets settings of its own so that nothing is shared by accident.
        self._environment = clean_environment({"CHARGEAMPS_DATA_DIR": str(folder / "data")})
        self._child: Child | None = None
        self._line: socket.socket | None = None

    def __enter__(self) -> Self:
        try:
            self._child = Child(self._command, log=self._log, environment=self._environment)
            self._child.wait_ready(self._connect, seconds=30)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._line is not None:
            self._reader.close()
            self._line.close()
        if self._child is not None:
            self._child.stop()
        self._folder.cleanup()

    @property
    def process(self) -> Child:
        if self._child is None:
            raise ProcessError("the charger has not been started")
        return self._child

    def send(self, request: dict[str, Any]) -> dict[str, Any]:
        """Say one thing, such as ``{"do": "plug", "connector": 1}``, and return the answer.

        Raises ``ChargerError`` with the charger's reason where it refuses.
        """
        if self._line is None:
            raise ProcessError("the charger has not been started")
        self._line.sendall(json.dumps(request).encode() + b"\n")
        line = self._reader.readline()
        if not line:
            raise ProcessError(f"the charger hung up:\n{self.process.tail()}")
        answer: dict[str, Any] = json.loads(line)
        if not answer.get("ok"):
            raise ChargerError(f"{request}: {answer.get('error')}")
        return answer

    def do(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """``send`` with the verb apart: ``charger.do("network", state="cut")``."""
        return self.send({"do": verb, **arguments})

    @property
    def state(self) -> dict[str, Any]:
        """All the charger knows about itself and its world."""
        state: dict[str, Any] = self.do("state")["state"]
        return state

    def wait(self, condition: Callable[[dict[str, Any]], bool], *, seconds: float = 20, what: str = "") -> None:
        """Wait until the charger's own state satisfies ``condition``."""
        wait_until(lambda: condition(self.state), seconds=seconds, what=what or f"state of {self.identity}")

    def wait_online(self, *, seconds: float = 20) -> None:
        """Connected, booted and accepted."""
        self.wait(lambda state: bool(state["online"]), seconds=seconds, what=f"{self.identity} online")

    def _connect(self) -> bool:
        try:
            self._line = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        except OSError:
            return False
        self._reader = self._line.makefile("rb")
        return True
