"""A network that can fail: a TCP proxy whose behaviour a test changes while connections are open.

It runs on a thread of its own, so synchronous tests (browser) and asynchronous ones use it alike. It knows nothing of
TLS or WebSocket; both go through it untouched.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Weather:
    """How bytes travel, in both directions.

    Attributes:
        hole: swallow every byte and close nothing, as a dead line does; new connections are taken and hear nothing.
        delay: seconds that every piece waits; the order is kept.
        bytes_per_second: throttle; None for none.
        slice: pass at most so many bytes at once, so that frames arrive in crumbs; None for whole pieces.
        refuse: cut new connections at once.
    """

    hole: bool = False
    delay: float = 0
    bytes_per_second: float | None = None
    slice: int | None = None
    refuse: bool = False


FINE = Weather()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset, which is what the loss of a router's memory looks like."""
    with contextlib.suppress(OSError):  # it may be closed already
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class FaultProxy:
    """Listens on ``port`` (loopback) and forwards to ``target_port``. A context manager.

    Every method may be called from any thread and returns when it holds. Open connections live through every change
    but ``cut``.

    A TLS client may connect to ``port`` where it would to the target: the certificate names the host, not the port.
    """

    def __init__(self, target_port: int, *, target_host: str = "127.0.0.1") -> None:
        self._target = (target_host, target_port)
        self._weather = FINE
        self._passing = asyncio.Event()
        self._passing.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0
        self.connections_seen = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._listen())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def open_connections(self) -> int:
        """Connections that live now."""
        return len(self._writers) // 2

    def fine(self) -> None:
        """Everything passes again. What a hole swallowed stays lost, so a stream that went through one is broken."""
        self._run(self._set(FINE))

    def blackhole(self) -> None:
        """Both directions go silent; nothing is closed."""
        self._run(self._set(replace(self._weather, hole=True)))

    def delay(self, seconds: float) -> None:
        self._run(self._set(replace(self._weather, delay=seconds)))

    def slow(self, bytes_per_second: float) -> None:
        self._run(self._set(replace(self._weather, bytes_per_second=bytes_per_second)))

    def slice(self, size: int) -> None:
        self._run(self._set(replace(self._weather, slice=size)))

    def refuse(self) -> None:
        """New connections are cut at once; open ones go on."""
        self._run(self._set(replace(self._weather, refuse=True)))

    def cut(self) -> None:
        """Reset every open connection. New ones are taken."""
        self._run(self._cut())

    def _run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _set(self, weather: Weather) -> None:
        self._weather = weather
        if weather.hole:
            self._passing.clear()
        else:
            self._passing.set()

    async def _cut(self) -> None:
        for writer in tuple(self._writers):
            _reset(writer)

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._cut()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.connections_seen += 1
        if self._weather.refuse:
            _reset(writer)
            return
        try:
            target_reader, target_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, target_writer)
        self._writers.update(pair)
        try:
            await asyncio.gather(self._pump(reader, target_writer), self._pump(target_reader, writer))
        finally:
            self._writers.difference_update(pair)
            for end in pair:
                end.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction until its end. A piece meets the weather of the moment it arrived in."""
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                weather = self._weather
                if weather.hole:
                    continue
                if weather.delay:
                    await asyncio.sleep(weather.delay)
                step = weather.slice or len(piece)
                for start in range(0, len(piece), step):
                    crumb = piece[start : start + step]
                    writer.write(crumb)
                    await writer.drain()
                    await asyncio.sleep(len(crumb) / weather.bytes_per_second if weather.bytes_per_second else 0)
        # Inside a hole the other end must not learn of the close either.
        await self._passing.wait()
        with contextlib.suppress(OSError):
            writer.write_eof()
