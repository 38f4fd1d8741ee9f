"""Fixtures for all tests: servers to lean on, and whole installations as processes.

``server`` runs in the arrangement of the test run: embedded, or on PostgreSQL and Redis in the second run. A test that
needs PostgreSQL or Redis whatever the run asks for ``postgres_url`` and ``redis_url``.
"""

import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.harness.charger import Charger
from tests.harness.proxy import FaultProxy
from tests.harness.server import Server
from tests.harness.services import MissingProgramError, PostgresServer, RedisServer, drop_database, new_database

if TYPE_CHECKING:
    from tests.cast import Cast

NODE_TOOLS = Path(__file__).parent / "node"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Folders whose tests are the same whatever database and channel layer stand below.
ONCE = ("simulator", "schedules/planner", "browser")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        place = item.path.relative_to(here).as_posix()
        if place.startswith(ONCE):
            item.add_marker(pytest.mark.once)
        if place.startswith("browser/"):
            item.add_marker(pytest.mark.browser)


def _missing(reason: str) -> NoReturn:
    """Skip loudly on somebody's machine; on CI everything must run."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server without a database name: the run's, or one started for this worker."""
    given = os.environ.get("CHARGEAMPS_TEST_POSTGRES")
    with ExitStack() as stack:
        try:
            yield given or stack.enter_context(PostgresServer()).url
        except MissingProgramError as error:
            _missing(str(error))


@contextmanager
def _new_redis() -> Iterator[str]:
    with ExitStack() as stack:
        try:
            url = stack.enter_context(RedisServer()).url
        except MissingProgramError as error:
            _missing(str(error))
        yield url


@contextmanager
def _new_postgres_database(server_url: str) -> Iterator[str]:
    name = f"chargeamps_{secrets.token_hex(6)}"
    yield new_database(server_url, name)
    drop_database(server_url, name)


@contextmanager
def _installation_like_this_run(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Environment for a server: nothing, or PostgreSQL and Redis in the second run."""
    if not os.environ.get("REDIS_URL"):
        yield {}
        return
    with _new_postgres_database(request.getfixturevalue("postgres_server")) as database, _new_redis() as redis:
        yield _scaled(database, redis)


def _scaled(database: str, redis: str) -> dict[str, str]:
    return {"DATABASE_URL": database, "REDIS_URL": redis, "CELERY_BROKER_URL": redis}


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database, dropped after the test."""
    with _new_postgres_database(postgres_server) as url:
        yield url


@pytest.fixture
def redis_url() -> Iterator[str]:
    """URL of a Redis of this test's own: it may be flushed, stopped or filled."""
    with _new_redis() as url:
        yield url


@pytest.fixture
def scaled_environment(postgres_url: str, redis_url: str) -> dict[str, str]:
    """Environment of an installation on PostgreSQL and Redis, whatever the run."""
    return _scaled(postgres_url, redis_url)


@pytest.fixture
def arrangement(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Environment of an installation like the one this run tests."""
    with _installation_like_this_run(request) as environment:
        yield environment


@pytest.fixture(scope="module")
def module_arrangement(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """As ``arrangement``, for one installation that a file of tests shares."""
    with _installation_like_this_run(request) as environment:
        yield environment


@pytest.fixture(scope="module")
def module_server(module_arrangement: dict[str, str]) -> Iterator[Server]:
    """As ``server``, started once for a file of tests that do not disturb each other."""
    with Server(environment=module_arrangement) as server:
        yield server


@pytest.fixture
def start_server(arrangement: dict[str, str]) -> Iterator[Callable[..., Server]]:
    """Start servers with ``Server``'s arguments; all end with the test."""
    with ExitStack() as stack:

        def start(**options: Any) -> Server:
            options["environment"] = arrangement | dict(options.get("environment", {}))
            return stack.enter_context(Server(**options))

        yield start


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """The real server with an empty installation, ready."""
    return start_server()


@pytest.fixture
def start_charger() -> Iterator[Callable[..., Charger]]:
    """Start simulated Auras with ``Charger``'s arguments; all end with the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(Charger(**options))


@pytest.fixture
def network(server: Server) -> Iterator[FaultProxy]:
    """A network between chargers and ``server`` that a test can spoil."""
    with FaultProxy(server.tls_port) as proxy:
        yield proxy


@pytest.fixture
def cast(db: None) -> "Cast":
    """Alice, Bob, Charlie, Wendy, Dan, Ivy and Sam, with a home and a workplace."""
    # Imported here because this file is read before Django has loaded its models.
    from tests.cast import assemble

    return assemble()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the system's Chromium."""
    given = os.environ.get("CHARGEAMPS_CHROMIUM")
    found = given or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        _missing("Chromium is not installed; scripts/system-packages says how to get it")
    return str(found)


@pytest.fixture(scope="session")
def node_tools() -> Path:
    """Folder of the Node tools, with its packages installed."""
    if not (NODE_TOOLS / "node_modules").is_dir():
        _missing("The Node tools are not installed; scripts/setup --dev brings them")
    return NODE_TOOLS
