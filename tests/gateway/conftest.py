import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.gateway.installation import Installation, Pair
from tests.harness.server import Server
from tests.harness.services import RedisServer, drop_database, new_database


@contextmanager
def _scaled(postgres_server: str) -> Iterator[dict[str, str]]:
    """Environment of an installation on a PostgreSQL database and a Redis of its own."""
    name = f"chargeamps_{secrets.token_hex(6)}"
    with RedisServer() as redis:
        url = new_database(postgres_server, name)
        yield {"DATABASE_URL": url, "REDIS_URL": redis.url, "CELERY_BROKER_URL": redis.url}
        drop_database(postgres_server, name)


@pytest.fixture(scope="module")
def start_installation(request: pytest.FixtureRequest) -> Iterator[Callable[..., Installation]]:
    """Start a server with the cast in it, in the arrangement of the run, for all tests of a module.

    ``more`` and ``vectors`` are those of ``Installation``, the rest is ``Server``'s. Every start is an installation of
    its own.
    """
    with ExitStack() as stack:

        def start(*, more: int = 0, vectors: bool = False, **options: Any) -> Installation:
            arrangement = {}
            if os.environ.get("REDIS_URL"):
                arrangement = stack.enter_context(_scaled(request.getfixturevalue("postgres_server")))
            options["environment"] = arrangement | dict(options.get("environment", {}))
            return Installation(stack.enter_context(Server(**options)), more=more, vectors=vectors)

        yield start


@pytest.fixture(scope="module")
def pair(postgres_server: str) -> Iterator[Pair]:
    """The cast on PostgreSQL and Redis, served by two processes."""
    with _scaled(postgres_server) as environment, Server(environment=environment) as first:
        house = Installation(first, more=8)
        with Server(environment=environment, data=first.data) as second:
            yield Pair(house, second)
