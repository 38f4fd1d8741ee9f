"""PostgreSQL and Redis of our own, on free loopback ports, in a temporary folder, gone afterwards.

Run as a module it wraps a command: ``python -m tests.harness.services [--scaled] -- pytest …`` starts both, tells the
command where they are (``CHARGEAMPS_TEST_POSTGRES``, ``CHARGEAMPS_TEST_REDIS``) and, with ``--scaled``, makes the
project itself use them (``DATABASE_URL``, ``REDIS_URL``). A server this machine lacks is left out.
"""

import argparse
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from tests.harness.processes import Child, clean_environment, free_port


class MissingProgramError(RuntimeError):
    """This machine has no such server."""


def _program(name: str, *patterns: str) -> str:
    """Path of a program, also where Debian keeps PostgreSQL's."""
    found = shutil.which(name)
    if found:
        return found
    beside = sorted(path for pattern in patterns for path in Path("/").glob(pattern))
    if not beside:
        raise MissingProgramError(f"{name} is not installed; scripts/system-packages says how to get it")
    return str(beside[-1])


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses root; choose whom to be instead."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class RedisServer:
    """A Redis that keeps nothing on disk. ``url`` names its first database."""

    def __init__(self) -> None:
        self._program = _program("redis-server")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": self._folder}
        command = [self._program, *(part for name, value in options.items() for part in (f"--{name}", str(value)))]
        self.child = Child(command, log=self._folder / "log", environment=clean_environment({}))
        try:
            self.child.wait_ready(lambda: _answers(self.port), seconds=10)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.stop()
        shutil.rmtree(self._folder, ignore_errors=True)


class PostgresServer:
    """A PostgreSQL cluster for tests: quick instead of durable. ``url`` has no database name; see ``new_database``."""

    def __init__(self) -> None:
        debian = "usr/lib/postgresql/*/bin/"
        self._initdb = _program("initdb", debian + "initdb")
        self._postgres = _program("postgres", debian + "postgres")
        self.port = free_port()
        self.url = f"postgres://chargeamps@127.0.0.1:{self.port}"
        self.child: Child | None = None

    def __enter__(self) -> Self:
        user = _unprivileged_user()
        # The other account must be able to reach the folder; root's TMPDIR may be closed to it.
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=None if user is None else "/tmp"))
        try:
            self._start(user)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # PostgreSQL's "fast" end: connections that tests forgot are cut.
        if self.child is not None:
            self.child.stop(number=signal.SIGINT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, user: str | None) -> None:
        if user is not None:
            shutil.chown(self._folder, user)
        data = self._folder / "data"
        environment = clean_environment({"LC_ALL": "C.UTF-8"})
        subprocess.run(
            [
                self._initdb,
                "-D",
                data,
                "-U",
                "chargeamps",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--no-sync",
                "--no-instructions",
            ],
            check=True,
            cwd="/",
            env=environment,
            stdout=subprocess.DEVNULL,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 200,
            "shared_buffers": "64MB",
        }
        command = [self._postgres, "-D", str(data)]
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self.child = Child(command, log=self._folder / "log", environment=environment, user=user)
        self.child.wait_ready(self._takes_connections, seconds=30)

    def _takes_connections(self) -> bool:
        try:
            psycopg.connect(f"{self.url}/postgres", connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def new_database(server_url: str, name: str) -> str:
    """Create an empty database and return its URL."""
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{server_url}/{name}"


def drop_database(server_url: str, name: str) -> None:
    """Drop a database, cutting whoever is still connected."""
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scaled", action="store_true", help="make the project use both servers")
    parser.add_argument("command", nargs="+", help="what to run, after --")
    options = parser.parse_args()

    environment = dict(os.environ)
    # A polite end also ends the servers.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with ExitStack() as stack:
        try:
            postgres = stack.enter_context(PostgresServer())
            redis = stack.enter_context(RedisServer())
        except MissingProgramError as error:
            if options.scaled or os.environ.get("CI") == "true":
                raise SystemExit(str(error)) from None
            print(f"Going on without: {error}", file=sys.stderr)
        else:
            environment["CHARGEAMPS_TEST_POSTGRES"] = postgres.url
            environment["CHARGEAMPS_TEST_REDIS"] = redis.url
            if options.scaled:
                environment["DATABASE_URL"] = new_database(postgres.url, "chargeamps")
                environment["REDIS_URL"] = redis.url
        try:
            return subprocess.run(options.command, env=environment, check=False).returncode
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main())
