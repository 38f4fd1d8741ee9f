"""A lean OCPP client for load: TLS, a WebSocket, frames. Shares nothing with the simulator, so that its cost is known.

One ``ssl.SSLContext`` serves all sockets; a frame costs a few microseconds. What a charge point would do with our
calls is answered from a table.
"""

import asyncio
import base64
import itertools
import json
import os
import ssl
import struct
from collections.abc import Callable
from typing import Any

CONNECT_SECONDS = 120.0

_MASK = os.urandom(4)
_MASKS = {length: int.from_bytes((_MASK * (length // 4 + 1))[:length]) for length in range(1, 2048)}

# What a charge point says to our calls. A composite schedule it cannot give, as many cannot.
ANSWERS: dict[str, dict[str, Any]] = {
    "GetConfiguration": {"configurationKey": [{"key": "NumberOfConnectors", "value": "2", "readonly": True}]},
    "ChangeConfiguration": {"status": "Accepted"},
    "SetChargingProfile": {"status": "Accepted"},
    "ClearChargingProfile": {"status": "Accepted"},
    "RemoteStartTransaction": {"status": "Accepted"},
    "TriggerMessage": {"status": "Accepted"},
}


class RefusedError(ConnectionError):
    """The server answered the upgrade with something else, or closed the socket."""


class WebSocket(asyncio.Protocol):
    """A client's end of one socket; ``on_text`` is called with each text frame."""

    __slots__ = ("_buffer", "_head", "_upgraded", "close_code", "on_closed", "on_text", "opened", "transport")

    def __init__(self, head: bytes, on_text: Callable[[bytes], None]) -> None:
        self._head = head
        self._buffer = b""
        self._upgraded = False
        self.on_text = on_text
        self.on_closed: Callable[[], None] | None = None
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.close_code: int | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._head)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(RefusedError(f"hung up before the upgrade: {error}"))
        if self.on_closed is not None:
            self.on_closed()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data if self._buffer else data
        if not self._upgraded:
            end = buffer.find(b"\r\n\r\n")
            if end < 0:
                self._buffer = buffer
                return
            if not buffer.startswith(b"HTTP/1.1 101"):
                if not self.opened.done():
                    self.opened.set_exception(RefusedError(buffer[:end].split(b"\r\n")[0].decode()))
                self._buffer = b""
                return
            self._upgraded = True
            buffer = buffer[end + 4 :]
            self.opened.set_result(None)
        while len(buffer) >= 2:
            length, start = buffer[1] & 0x7F, 2
            if length == 126:
                if len(buffer) < 4:
                    break
                length, start = int.from_bytes(buffer[2:4]), 4
            elif length == 127:
                if len(buffer) < 10:
                    break
                length, start = int.from_bytes(buffer[2:10]), 10
            if len(buffer) < start + length:
                break
            payload, kind = buffer[start : start + length], buffer[0] & 0x0F
            buffer = buffer[start + length :]
            if kind == 1:
                self.on_text(payload)
            elif kind == 9:
                self._send(0x8A, payload)
            elif kind == 8:
                self.close_code = int.from_bytes(payload[:2]) if payload else 1005
        self._buffer = buffer

    def send(self, payload: bytes) -> None:
        """Send a text frame."""
        self._send(0x81, payload)

    def _send(self, first: int, payload: bytes) -> None:
        assert self.transport is not None
        length = len(payload)
        head = struct.pack("!BB", first, 0x80 | length) if length < 126 else struct.pack("!BBH", first, 0xFE, length)
        if payload:
            mask = _MASKS.get(length) or int.from_bytes((_MASK * (length // 4 + 1))[:length])
            payload = (int.from_bytes(payload) ^ mask).to_bytes(length)
        self.transport.write(head + _MASK + payload)

    def drop(self) -> None:
        """End the connection without a closing handshake, as a power cut does."""
        if self.transport is not None:
            self.transport.abort()


async def open_socket(
    *,
    port: int,
    path: str,
    on_text: Callable[[bytes], None],
    tls: ssl.SSLContext | None = None,
    headers: tuple[str, ...] = (),
) -> WebSocket:
    """Connect to 127.0.0.1 and upgrade. Raises ``RefusedError`` or ``OSError``."""
    key = base64.b64encode(os.urandom(16)).decode()
    head = "\r\n".join(
        (
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            *headers,
            "\r\n",
        )
    ).encode()
    options: dict[str, Any] = {"ssl": tls, "ssl_handshake_timeout": CONNECT_SECONDS} if tls else {}
    _, socket = await asyncio.get_running_loop().create_connection(
        lambda: WebSocket(head, on_text), "127.0.0.1", port, **options
    )
    async with asyncio.timeout(CONNECT_SECONDS):
        await socket.opened
    return socket


class Charger:
    """A charge point that calls and answers.

    Args:
        answering: leave our calls unanswered when False.
        on_call: told of each call of ours as its frame arrives: (action, payload).
    """

    def __init__(
        self,
        identity: str,
        key: bytes,
        *,
        answering: bool = True,
        on_call: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self.identity = identity
        self._key = key
        self._answering = answering
        self._on_call = on_call
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self.socket: WebSocket | None = None
        self.calls = 0
        self.lost = False

    async def connect(self, port: int, tls: ssl.SSLContext, *, path: str = "/ocpp/") -> None:
        credentials = base64.b64encode(self.identity.encode() + b":" + self._key).decode()
        self.lost = False
        self.socket = await open_socket(
            port=port,
            path=f"{path}{self.identity}",
            on_text=self._on_text,
            tls=tls,
            headers=("Sec-WebSocket-Protocol: ocpp1.6", f"Authorization: Basic {credentials}"),
        )
        self.socket.on_closed = self._on_closed

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        """Call and return the result's payload."""
        assert self.socket is not None
        if self.lost:
            raise RefusedError(f"closed with {self.socket.close_code}")
        message_id = str(next(self._ids))
        waiting = self._waiting[message_id] = asyncio.get_running_loop().create_future()
        self.socket.send(json.dumps([2, message_id, action, payload]).encode())
        return await waiting

    async def boot(self) -> None:
        """BootNotification and the status of the box and both sockets."""
        await self.call(
            "BootNotification",
            {
                "chargePointVendor": "Charge Amps AB",
                "chargePointModel": "AURA",
                "chargePointSerialNumber": self.identity,
                "firmwareVersion": "1.24.1",
            },
        )
        for connector in (0, 1, 2):
            await self.status(connector, "Available")

    async def status(self, connector: int, status: str) -> None:
        await self.call(
            "StatusNotification",
            {
                "connectorId": connector,
                "errorCode": "NoError",
                "status": status,
            },
        )

    def drop(self) -> None:
        if self.socket is not None:
            self.socket.drop()

    def _on_text(self, frame: bytes) -> None:
        message = json.loads(frame)
        if message[0] == 2:
            self.calls += 1
            if self._on_call is not None:
                self._on_call(message[2], message[3])
            if self._answering:
                self._answer(message[1], message[2])
            return
        waiting = self._waiting.pop(message[1], None)
        if waiting is None or waiting.done():
            return
        if message[0] == 3:
            waiting.set_result(message[2])
        else:
            waiting.set_exception(RefusedError(str(message)))

    def _answer(self, message_id: str, action: str) -> None:
        assert self.socket is not None
        answer = ANSWERS.get(action)
        frame: list[Any] = [4, message_id, "NotSupported", "", {}] if answer is None else [3, message_id, answer]
        self.socket.send(json.dumps(frame).encode())

    def _on_closed(self) -> None:
        self.lost = True
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(RefusedError("the socket was closed"))
        self._waiting.clear()
