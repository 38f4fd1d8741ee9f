"""A charger's end of a real socket, frame by frame: it may say whatever it likes."""

import asyncio
import base64
import contextlib
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.http11 import Response
from websockets.typing import Subprotocol

from tests.harness.server import Server

ACCEPTING: dict[str, dict[str, Any]] = {
    "GetConfiguration": {"configurationKey": [{"key": "NumberOfConnectors", "value": "2", "readonly": True}]},
    "GetCompositeSchedule": {"status": "Rejected"},
    "UnlockConnector": {"status": "Unlocked"},
}


def basic(identity: str, key: bytes) -> str:
    return "Basic " + base64.b64encode(identity.encode() + b":" + key).decode()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    """Wait until it is true, while the sockets of this loop go on."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - a test looks at many things, few of which can tell it
            await asyncio.sleep(0.01)


class Wire:
    """An open socket. Calls of the server are kept in ``asked`` and answered from ``answers``.

    An answer is a payload, the text of a CALLERROR's code, None for silence, or a function of the call's payload.
    """

    def __init__(self, socket: ClientConnection, answers: dict[str, Any]) -> None:
        self.socket = socket
        self.answers = answers
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.transaction: int | None = None
        self._numbers = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._reader = asyncio.create_task(self._read())

    @property
    def closed_with(self) -> int | None:
        """The close code the server gave, once it has."""
        return self.socket.close_code

    async def call(self, action: str, payload: Any = None, *, seconds: float = 30) -> Any:
        """Make a call; the result's payload, or the CALLERROR as a list. Raises where no answer can come any more."""
        message_id = f"c{next(self._numbers)}"
        answer = self.expect(message_id)
        await self.send([2, message_id, action, {} if payload is None else payload])
        done, _ = await asyncio.wait((answer, self._reader), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if answer in done and not answer.cancelled():
            return answer.result()
        raise ConnectionError(f"{action}: the socket was closed") if done else TimeoutError(action)

    def expect(self, message_id: str) -> "asyncio.Future[Any]":
        """What comes back under an id, for frames sent by hand."""
        self._waiting[message_id] = asyncio.get_running_loop().create_future()
        return self._waiting[message_id]

    async def send(self, frame: Any) -> None:
        await self.socket.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def boot(self) -> None:
        assert (await self.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}))[
            "status"
        ] == "Accepted"

    async def status(self, status: str, connector: int = 1) -> None:
        report = {"connectorId": connector, "errorCode": "NoError", "status": status}
        assert await self.call("StatusNotification", report) == {}

    async def until_asked(self, action: str, *, seconds: float = 20, times: int = 1) -> dict[str, Any]:
        """The payload of the newest call of this action, once there were so many."""
        await until(lambda: [name for name, _ in self.asked].count(action) >= times, seconds=seconds)
        return [payload for name, payload in self.asked if name == action][-1]

    async def until_closed(self, *, seconds: float = 20) -> int:
        """The close code."""
        await asyncio.wait_for(self.socket.wait_closed(), seconds)
        assert self.socket.close_code is not None
        return self.socket.close_code

    async def close(self) -> None:
        await self.socket.close()
        await self._reader

    async def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in self.socket:
                await self._take(json.loads(text))
        for answer in self._waiting.values():
            # Nobody may be waiting for it any more.
            answer.cancel()

    async def _take(self, frame: list[Any]) -> None:
        if frame[0] != 2:
            future = self._waiting.pop(str(frame[1]), None)
            if future is not None and not future.done():
                future.set_result(frame[2] if frame[0] == 3 else frame)
            return
        _, message_id, action, payload = frame
        self.asked.append((action, payload))
        answer = self.answers.get(action, ACCEPTING.get(action, {"status": "Accepted"}))
        if callable(answer):
            answer = answer(payload)
        if isinstance(answer, str):
            await self.send([4, message_id, answer, "", {}])
        elif answer is not None:
            await self.send([3, message_id, answer])


@contextlib.asynccontextmanager
async def charger(
    server: Server,
    identity: str,
    key: bytes,
    *,
    port: int | None = None,
    answers: dict[str, Any] | None = None,
    subprotocols: list[str] | None = None,
) -> AsyncIterator[Wire]:
    """Connect with the right key, or through ``port`` where a test's network is in between."""
    async with connect(
        f"wss://127.0.0.1:{port or server.tls_port}/ocpp/{quote(identity, safe='')}",
        ssl=server.tls(),
        subprotocols=[Subprotocol(name) for name in (subprotocols if subprotocols is not None else ["ocpp1.6"])]
        or None,
        additional_headers={"Authorization": basic(identity, key)},
        compression=None,
        proxy=None,
        open_timeout=30,
        ping_interval=None,
        max_size=2**22,
    ) as socket:
        wire = Wire(socket, answers or {})
        yield wire
    await wire._reader


async def knock(
    url: str,
    *,
    header: str | None = None,
    tls: ssl.SSLContext | None = None,
    subprotocols: tuple[str, ...] = ("ocpp1.6",),
    source: str = "127.0.0.1",
    seconds: float = 30,
    **headers: str,
) -> Response:
    """Try to open a socket and close it at once; the HTTP answer, 101 or a refusal."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    if header is not None:
        extra["Authorization"] = header
    try:
        async with connect(
            url,
            ssl=tls,
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            additional_headers=extra,
            compression=None,
            proxy=None,
            open_timeout=seconds,
            local_addr=(source, 0),
        ) as socket:
            assert socket.response is not None
            return socket.response
    except InvalidStatus as refusal:
        return refusal.response
