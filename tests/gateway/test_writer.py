"""Group commit: answered after the commit, one failure fails alone, and a database that is away is waited for."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Iterator

import pytest
from django.db import OperationalError, connection, connections, transaction
from django.db.transaction import on_commit

from chargeamps.common import clock
from chargeamps.common.bus import bus
from chargeamps.gateway import writer as module
from chargeamps.gateway.models import GatewayProcess
from chargeamps.gateway.writer import DatabaseUnavailable, Writer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.requirement("R9-11")]


@contextlib.asynccontextmanager
async def new_writer() -> AsyncIterator[Writer]:
    writer = Writer()
    yield writer
    # The thread's connection would keep the test database from being dropped.
    await asyncio.wrap_future(writer._thread.submit(connections.close_all))
    writer._thread.shutdown()


def add(name: str) -> str:
    now = clock.now()
    GatewayProcess.objects.create(id=name, started=now, last_seen=now)
    return name


def names() -> list[str]:
    return sorted(GatewayProcess.objects.values_list("id", flat=True))


def fail(name: str) -> None:
    add(name)
    raise ValueError(name)


async def held_up(writer: Writer) -> threading.Event:
    """Keep the writer busy until the event is set, so that what is submitted meanwhile goes into one batch."""
    event = threading.Event()
    task = asyncio.ensure_future(writer.submit(event.wait))
    _waiting.add(task)
    task.add_done_callback(_waiting.discard)
    await asyncio.sleep(0)
    return event


_waiting: set[asyncio.Future] = set()


async def test_what_is_answered_is_committed():
    async with new_writer() as writer, new_writer() as elsewhere:
        assert await writer.submit(add, "a") == "a"
        assert await elsewhere.submit(names) == ["a"]


async def test_what_is_not_committed_is_not_answered():
    async with new_writer() as writer, new_writer() as elsewhere:
        go_on, added = threading.Event(), threading.Event()

        def slowly() -> None:
            add("slow")
            added.set()
            go_on.wait(20)

        answer = asyncio.ensure_future(writer.submit(slowly))
        await asyncio.to_thread(added.wait, 20)
        seen = asyncio.ensure_future(elsewhere.submit(names))
        await asyncio.sleep(0.2)
        assert not answer.done()
        assert not seen.done() or await seen == []
        go_on.set()
        await answer
        await seen
        assert await elsewhere.submit(names) == ["slow"]


async def test_one_that_fails_fails_alone():
    async with new_writer() as writer:
        go_on = await held_up(writer)
        answers = [asyncio.ensure_future(writer.submit(*call)) for call in ((add, "a"), (fail, "b"), (add, "c"))]
        await asyncio.sleep(0)
        go_on.set()
        first, second, third = await asyncio.gather(*answers, return_exceptions=True)
        assert (first, third) == ("a", "c")
        assert isinstance(second, ValueError)
        assert await writer.submit(names) == ["a", "c"]


async def test_many_go_into_one_transaction_in_the_order_they_came():
    async with new_writer() as writer:
        order: list[int] = []
        commits: list[None] = []
        go_on = await held_up(writer)

        def number(count: int) -> None:
            order.append(count)
            if count == 0:
                on_commit(lambda: commits.append(None))

        answers = [asyncio.ensure_future(writer.submit(number, count)) for count in range(150)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*answers)
        assert order == list(range(150))
        assert len(commits) == 1


async def test_a_hint_of_a_batch_that_ran_twice_is_given_once():
    async with new_writer() as writer:
        hints: list[str] = []

        def hinting() -> None:
            add("a")
            on_commit(lambda: hints.append("a"))

        go_on = await held_up(writer)
        answers = [asyncio.ensure_future(writer.submit(*call)) for call in ((hinting,), (fail, "b"))]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*answers, return_exceptions=True)
        assert hints == ["a"]


async def test_a_hint_that_cannot_be_given_undoes_nothing(monkeypatch):
    def broken(topic: str, **message: object) -> None:
        raise RuntimeError("nobody there")

    monkeypatch.setattr(bus, "publish", broken)
    runs: list[None] = []

    def publishing() -> str:
        runs.append(None)
        bus.publish_on_commit("changed", charge_point="x")
        return add("a")

    async with new_writer() as writer:
        assert await writer.submit(publishing) == "a"
        assert await writer.submit(names) == ["a"]
    assert len(runs) == 1


async def test_one_that_nobody_waits_for_any_more_is_done_all_the_same():
    async with new_writer() as writer:
        go_on = await held_up(writer)
        given_up = asyncio.ensure_future(writer.submit(add, "a"))
        await asyncio.sleep(0)
        given_up.cancel()
        after = asyncio.ensure_future(writer.submit(add, "b"))
        await asyncio.sleep(0)
        go_on.set()
        assert await after == "b"
        assert await writer.submit(names) == ["a", "b"]


async def test_a_database_that_stumbles_is_tried_again_and_counted_once():
    async with new_writer() as writer:
        tries: list[None] = []

        def stumbling() -> str:
            tries.append(None)
            add("a")
            if len(tries) < 3:
                raise OperationalError("database is locked")
            return "done"

        assert await writer.submit(stumbling) == "done"
        assert len(tries) == 3
        assert await writer.submit(names) == ["a"]


async def test_a_database_that_stays_away_gives_no_answer_and_keeps_nothing(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    async with new_writer() as writer:

        def away() -> None:
            add("a")
            raise OperationalError("server closed the connection unexpectedly")

        with pytest.raises(DatabaseUnavailable):
            await writer.submit(away)
        # And it is there again for the next one.
        assert await writer.submit(add, "b") == "b"
        assert await writer.submit(names) == ["b"]


@contextlib.contextmanager
def somebody_elses_lock() -> Iterator[threading.Event]:
    """Another connection holds what the writer needs until the event is set."""
    locked, release = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute("LOCK TABLE gateway_gatewayprocess IN ACCESS EXCLUSIVE MODE")
            else:
                add("holder")
            locked.set()
            release.wait(20)
            transaction.set_rollback(True)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(20)
    try:
        yield release
    finally:
        release.set()
        thread.join()


async def test_a_lock_is_waited_for_and_nothing_is_answered_meanwhile():
    async with new_writer() as writer:
        with somebody_elses_lock() as release:
            answer = asyncio.ensure_future(writer.submit(add, "a"))
            await asyncio.sleep(0.5)
            assert not answer.done()
            release.set()
            assert await answer == "a"
        assert await writer.submit(names) == ["a"]
