"""The real server as a child process."""

import json
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.harness.processes import MANAGE, ROOT, Child, ProcessError, clean_environment, free_port


class Server:
    """``manage.py serve`` with a data folder of its own.

    Two processes of one installation share ``data`` and ``environment`` and nothing else.

    Args:
        data: the data folder; logs go beside the database. A temporary one if left out, gone afterwards.
        environment: ``DATABASE_URL``, ``REDIS_URL`` and other settings; without them the server runs embedded.
        at: a wall-clock time to start at (see ``serve_at``), with a zone.
        arguments: more arguments of ``serve``.
        start_seconds: how long the first start may take; tables and certificates are made in it.
    """

    def __init__(
        self,
        *,
        data: Path | None = None,
        environment: Mapping[str, str] | None = None,
        at: datetime | None = None,
        arguments: Sequence[str] = (),
        start_seconds: float = 60,
    ) -> None:
        self._temporary = (
            None if data else tempfile.TemporaryDirectory(prefix="chargeamps-", ignore_cleanup_errors=True)
        )
        self.data = data or Path(self._temporary.name if self._temporary else "")
        self._at = at
        self._arguments = tuple(arguments)
        self._start_seconds = start_seconds
        self.http_port = free_port()
        self.tls_port = free_port()
        self.environment = clean_environment(
            {
                "CHARGEAMPS_DATA_DIR": str(self.data),
                "CHARGEAMPS_PUBLIC_URL": self.url,
                **(environment or {}),
            }
        )
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """Address of the app and of REST, without a slash at the end."""
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def live_url(self) -> str:
        """Address of the owners' WebSocket."""
        return f"ws://127.0.0.1:{self.http_port}/ws/live/"

    @property
    def charger_url(self) -> str:
        """Where chargers connect, without the identity and without a slash at the end."""
        return f"wss://127.0.0.1:{self.tls_port}/ocpp"

    @property
    def authority(self) -> Path:
        """The certificate authority that chargers must trust; made by the first start."""
        return self.data / "authority.pem"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start, or start again after ``stop``, on the same ports and data."""
        ports = ["--http-port", str(self.http_port), "--tls-port", str(self.tls_port), *self._arguments]
        python = MANAGE[0]
        if self._at is None:
            command = [*MANAGE, "serve", *ports]
        else:
            command = [python, "-m", "tests.harness.serve_at", self._at.isoformat(), *ports]
        self.child = Child(command, log=self.data / f"serve-{self.http_port}.log", environment=self.environment)
        self.child.wait_ready(self._ready, seconds=self._start_seconds)

    def stop(self) -> None:
        """End the process politely; the data stay."""
        if self.child is not None:
            self.child.stop()

    def close(self) -> None:
        """End the process and remove a temporary data folder."""
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    @property
    def process(self) -> Child:
        if self.child is None:
            raise ProcessError("the server has not been started")
        return self.child

    def log(self) -> str:
        return self.process.text()

    def manage(self, *arguments: str, seconds: float = 120) -> str:
        """Run a management command against the same installation; its standard output."""
        done = subprocess.run(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if done.returncode != 0:
            raise ProcessError(f"manage.py {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
        return done.stdout

    def command(self, *arguments: str, seconds: float = 120) -> Any:
        """As ``manage`` for a command that prints JSON, which is returned read."""
        return json.loads(self.manage(*arguments, seconds=seconds))

    def client(self, key: str) -> "Client":
        """A REST client with an API key (``manage.py add_api_key``)."""
        return Client(self.url, key)

    def tls(self) -> ssl.SSLContext:
        """A client context that trusts this installation's authority only."""
        return ssl.create_default_context(cafile=self.authority)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


class Client:
    """REST by standard library: what any script of an owner would do."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._key = key

    def get(self, path: str) -> Any:
        return self._wanted("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._wanted("POST", path, body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._wanted("PUT", path, body, **headers)

    def _wanted(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        status, answer = self.request(method, path, body, **headers)
        assert status < 400, f"{method} {path}: {status} {answer}"
        return answer

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and read body. ``path`` begins after ``/api/v1/``; header names use underscores."""
        request = urllib.request.Request(
            f"{self._url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self._key}",
                "Content-Type": "application/json",
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                status, text = error.code, error.read()
        return status, json.loads(text) if text else None


class Worker:
    """Celery's worker and clock for a scaled installation, in one process.

    Args:
        server: any server of the installation; its environment names the broker.
    """

    def __init__(self, server: Server) -> None:
        celery = [MANAGE[0], "-m", "celery", "--app", "chargeamps.celery", "worker", "--beat"]
        self.child = Child(
            [*celery, "--concurrency", "1", "--loglevel", "INFO", "--schedule", str(server.data / "beat")],
            log=server.data / "worker.log",
            environment=server.environment,
        )

    def __enter__(self) -> Self:
        try:
            self.child.wait_ready(lambda: " ready." in self.child.text(), seconds=30)
        except BaseException:
            self.child.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.stop()
