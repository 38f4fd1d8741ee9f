"""Group commit: the database work of all sockets of this process, many operations to a transaction.

Operations are queued on the event loop and run in order in one thread. Whatever arrived while one transaction was at
work goes into the next, so an idle process answers at once and a busy one spends a single commit on many messages.
``submit`` returns after the commit: a charger is never told of anything that a crash could undo.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger(__name__)

BATCH = 200
# How long a database that is away or locked is tried again before the message goes unanswered.
PATIENCE_SECONDS = 20.0


class DatabaseUnavailable(Exception):
    """Nothing was stored. The charger gets no answer, keeps its message and sends it again."""


@dataclass(slots=True)
class _Operation:
    run: Callable[[], Any]
    done: "asyncio.Future[Any]"
    deadline: float


class Writer:
    """The one writing thread of a server process."""

    def __init__(self) -> None:
        self._queue: deque[_Operation] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._working = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def submit(self, operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run ``operation`` with its arguments in the next transaction; return its result once that is committed.

        The operation may run more than once before it is committed, so all it does must be in the database or wait for
        ``transaction.on_commit``. Raises what the operation raised, or ``DatabaseUnavailable``.
        """
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._working = loop, False
            self._queue.clear()
        done: asyncio.Future[T] = loop.create_future()
        deadline = time.monotonic() + PATIENCE_SECONDS
        self._queue.append(_Operation(partial(operation, *args, **kwargs), done, deadline))
        if not self._working:
            self._working = True
            self._start_batch(loop)
        return await done

    def _start_batch(self, loop: asyncio.AbstractEventLoop) -> None:
        batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        # Whoever waited in line while the database was away has waited long enough: no queue builds up behind it.
        deadline = batch[0].deadline
        future = loop.run_in_executor(self._thread, _commit, [operation.run for operation in batch], deadline)
        future.add_done_callback(lambda finished: self._finish_batch(loop, batch, finished))

    def _finish_batch(
        self, loop: asyncio.AbstractEventLoop, batch: list[_Operation], finished: "asyncio.Future[list[Any]]"
    ) -> None:
        if self._queue:
            self._start_batch(loop)
        else:
            self._working = False
        error = finished.exception()
        outcomes = [(False, error)] * len(batch) if error is not None else finished.result()
        for operation, (succeeded, outcome) in zip(batch, outcomes, strict=True):
            if operation.done.cancelled():
                continue
            if succeeded:
                operation.done.set_result(outcome)
            else:
                operation.done.set_exception(outcome)


def _commit(operations: list[Callable[[], Any]], deadline: float) -> list[tuple[bool, Any]]:
    """Run all in one transaction; if one fails, each in its own, so that it fails alone."""
    pause = 0.05
    while True:
        try:
            with transaction.atomic():
                return [(True, operation()) for operation in operations]
        except (OperationalError, InterfaceError) as error:
            connection.close()
            if time.monotonic() > deadline:
                log.error("database_unavailable", error=repr(error))
                return [(False, DatabaseUnavailable(repr(error)))] * len(operations)
            time.sleep(pause)
            pause = min(pause * 2, 1.0)
        except Exception as error:
            if len(operations) == 1:
                return [(False, error)]
            return [_commit([operation], deadline)[0] for operation in operations]


writer = Writer()
