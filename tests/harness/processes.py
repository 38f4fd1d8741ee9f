"""Child processes with a log, a deadline and a certain end."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parent.parent.parent
MANAGE = (sys.executable, str(ROOT / "manage.py"))

# What a shell or a test run may have set, and a child must be told anew.
OURS = ("CHARGEAMPS_", "DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "DJANGO_SETTINGS_MODULE", "PYTEST_")


class ProcessError(RuntimeError):
    """A child died early, or did not get ready in time; the message holds the end of its log."""


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def clean_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anything that steers the project, plus what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, **extra}


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Ask again and again until it is true. Raises ``TimeoutError``, naming ``what``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} s")
        time.sleep(0.05)


class Child:
    """A child process in a group of its own, whose output goes to a file.

    Args:
        command: the program and its arguments.
        log: the file that takes standard output and standard error.
        environment: the whole environment of the child.
        user: an account to run as, for programs that refuse root.
        stdin: give the child a pipe to read from.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str],
        user: str | None = None,
        stdin: bool = False,
    ) -> None:
        self.log = log
        self.command = tuple(command)
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self.command,
                cwd=ROOT if user is None else "/",
                env=dict(environment),
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise ProcessError(f"{self.command[0]} was started without standard input")
        return self._process.stdin

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def text(self) -> str:
        """Everything the child has written so far."""
        return self.log.read_text(errors="replace")

    def wait_ready(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Wait for ``ready``; a dead or slow child raises ``ProcessError`` with the end of its log."""
        end = time.monotonic() + seconds
        while not ready():
            if not self.running:
                raise ProcessError(f"{self._name} ended with {self._process.returncode}:\n{self.tail()}")
            if time.monotonic() > end:
                raise ProcessError(f"{self._name} was not ready within {seconds:g} s:\n{self.tail()}")
            time.sleep(0.05)

    def tail(self, lines: int = 60) -> str:
        return "\n".join(self.text().splitlines()[-lines:])

    def send_signal(self, number: signal.Signals) -> None:
        """Signal the child and whatever it started: STOP and CONT freeze and thaw it, KILL is a power cut."""
        if self.running:
            os.killpg(self._process.pid, number)

    def wait(self, *, seconds: float) -> int:
        return self._process.wait(timeout=seconds)

    def stop(self, *, seconds: float = 10, number: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end, and end it if it does not."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self.send_signal(signal.SIGCONT)
            self.send_signal(number)
            self._process.wait(timeout=seconds)
        except ProcessLookupError:
            pass
        except subprocess.TimeoutExpired:
            self.send_signal(signal.SIGKILL)
        self._process.wait()

    @property
    def _name(self) -> str:
        return " ".join(Path(part).name for part in self.command[:3])
