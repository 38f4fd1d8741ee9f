import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.gateway.installation import Installation, Pair
from tests.harness.server import Server
from tests.harness.services import RedisServer, drop_database, new_database


@pytest.fixture(scope="module")
def module_scaled(postgres_server: str) -> Iterator[dict[str, str]]:
    """As ``scaled_environment``, for one installation that all tests of a module share."""
    name = f"chargeamps_{secrets.token_hex(6)}"
    with RedisServer() as redis:
        url = new_database(postgres_server, name)
        yield {"DATABASE_URL": url, "REDIS_URL": redis.url, "CELERY_BROKER_URL": redis.url}
        drop_database(postgres_server, name)


@pytest.fixture(scope="module")
def module_arrangement(request: pytest.FixtureRequest) -> dict[str, str]:
    """As ``arrangement``, for one installation that all tests of a module share."""
    if not os.environ.get("REDIS_URL"):
        return {}
    environment: dict[str, str] = request.getfixturevalue("module_scaled")
    return environment


@pytest.fixture(scope="module")
def start_installation(module_arrangement: dict[str, str]) -> Iterator[Callable[..., Installation]]:
    """Start a server with the cast in it; ``more`` and ``vectors`` are ``Installation``'s, the rest is ``Server``'s."""
    with ExitStack() as stack:

        def start(*, more: int = 0, vectors: bool = False, **options: Any) -> Installation:
            options["environment"] = module_arrangement | dict(options.get("environment", {}))
            return Installation(stack.enter_context(Server(**options)), more=more, vectors=vectors)

        yield start


@pytest.fixture(scope="module")
def pair(module_scaled: dict[str, str]) -> Iterator[Pair]:
    """The cast on PostgreSQL and Redis, served by two processes."""
    with Server(environment=module_scaled) as first:
        house = Installation(first, more=8)
        with Server(environment=module_scaled, data=first.data) as second:
            yield Pair(house, second)
