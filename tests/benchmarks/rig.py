"""What the benchmarks stand on: the servers, their processor time and memory, and rows to load them with."""

import json
import os
import resource
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.benchmarks.wire import Charger
from tests.harness.processes import ROOT, Child, ProcessError, free_port
from tests.harness.server import Server


def raise_file_limit() -> None:
    """Thousands of sockets need as many descriptors, here and in the servers, which inherit the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Process:
    """A server's processor time, memory and place."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu(self) -> float:
        """Seconds of processor time of all its threads so far (the kernel's clock of another process)."""
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory(self) -> float:
        """KiB resident, after its garbage was collected and it has given back what it does not need."""
        os.kill(self.pid, signal.SIGUSR1)
        time.sleep(2.0)
        status = Path(f"/proc/{self.pid}/status").read_text()
        return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    def pin(self, core: int) -> None:
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})

    def wait_quiet(self, *, seconds: float = 60) -> float:
        """Wait until it does next to nothing; the seconds that took."""
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            before = self.cpu()
            time.sleep(0.4)
            if self.cpu() - before < 0.03:
                break
        return time.monotonic() - began


class OurServer(Server):
    """``manage.py serve``, with rows in it."""

    def start(self) -> None:
        ports = ["--http-port", str(self.http_port), "--tls-port", str(self.tls_port)]
        self.child = Child(
            [sys.executable, "-m", "tests.benchmarks.measured", *ports],
            log=self.data / f"serve-{self.http_port}.log",
            environment=self.environment,
        )
        self.child.wait_ready(self._ready, seconds=60)
        self.usage = Process(self.child.pid)

    def populate(self, count: int, *, owners: int = 0) -> list[dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.populate", "--count", str(count), "--owners", str(owners)],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise ProcessError(done.stderr)
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows

    def metric(self, name: str) -> float:
        """One figure of /metrics."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=30) as answer:
            lines = answer.read().decode().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


class BareServer:
    """``tests.benchmarks.bare`` with the certificates of ``beside``."""

    def __init__(self, beside: OurServer) -> None:
        self.tls_port = free_port()
        self._child = Child(
            [sys.executable, "-m", "tests.benchmarks.bare", str(self.tls_port)],
            log=beside.data / f"bare-{self.tls_port}.log",
            environment=beside.environment,
        )
        self.usage = Process(self._child.pid)

    def __enter__(self) -> Self:
        self._child.wait_ready(self._listens, seconds=30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.stop()

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.tls_port), timeout=1).close()
        except OSError:
            return False
        return True


def chargers(rows: Sequence[dict[str, Any]], **options: Any) -> list[Charger]:
    return [Charger(row["identity"], bytes.fromhex(row["key_hex"]), **options) for row in rows]


def client_tls(server: OurServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=server.authority)
    context.check_hostname = True
    return context


def percentile(values: Sequence[float], share: float) -> float:
    """The value that ``share`` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


class Prober:
    """``tests.benchmarks.prober`` while the block runs; then ``times`` in ms."""

    def __init__(self, server: OurServer, key: str, *paths: str) -> None:
        self._command = [sys.executable, "-m", "tests.benchmarks.prober", str(server.http_port), key, *paths]
        self.times: list[float] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        time.sleep(0.5)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        output, _ = self._process.communicate(timeout=90)
        if kind is None:
            self.times = json.loads(output)
