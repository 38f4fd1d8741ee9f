"""Our own PostgreSQL and Redis start, work, and leave nothing behind."""

import socket
import subprocess
import sys
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from tests.harness.processes import ROOT

pytestmark = pytest.mark.once


@pytest.mark.postgres
def test_each_test_gets_an_empty_database(postgres_url):
    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert rows == []


@pytest.mark.redis
def test_each_test_gets_a_redis_of_its_own(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        assert client.set("key", "value")


@pytest.mark.postgres
@pytest.mark.redis
def test_the_wrapper_tells_the_command_and_ends_both():
    show = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"
    done = subprocess.run(
        [sys.executable, "-m", "tests.harness.services", "--scaled", "--", sys.executable, "-c", show],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    database, cache = map(urlsplit, done.stdout.split())
    assert (database.scheme, cache.scheme) == ("postgres", "redis")
    for address in (database, cache):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", address.port or 0))


def test_the_wrapper_ends_as_the_command_did(postgres_server):
    failing = [sys.executable, "-c", "raise SystemExit(7)"]
    done = subprocess.run([sys.executable, "-m", "tests.harness.services", "--", *failing], cwd=ROOT, check=False)
    assert done.returncode == 7
