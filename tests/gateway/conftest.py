import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.gateway.installation import Installation
from tests.harness.server import Server
from tests.harness.services import RedisServer, drop_database, new_database

@pytest.fixture(scope="module")
def module_arrangement(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """As ``arrangement``, for one installation that all tests of a module share."""
    if not os.environ.get("REDIS_URL"):
        yield {}
        return
    url = request.getfixturevalue("postgres_server")
    name = f"chargeamps_{secrets.token_hex(6)}"
    with RedisServer() as redis:
        yield {"DATABASE_URL": new_database(url, name), "REDIS_URL": redis.url}
        drop_database(url, name)


@pytest.fixture(scope="module")
def start_installation(module_arrangement: dict[str, str]) -> Iterator[Callable[..., Installation]]:
    """Start a server with the cast in it; ``more`` and ``vectors`` are ``Installation``'s, the rest is ``Server``'s."""
    with ExitStack() as stack:

        def start(*, more: int = 0, vectors: bool = False, **options: Any) -> Installation:
            options["environment"] = module_arrangement | dict(options.get("environment", {}))
            return Installation(stack.enter_context(Server(**options)), more=more, vectors=vectors)

        yield start
