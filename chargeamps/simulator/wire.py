"""The transport: OCPP-J over WebSocket with HTTP Basic (OCPP-J 1.6 §3, §6), and real time for the core."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

from .aura import Aura

log = logging.getLogger("chargeamps.simulator")
KEY_FORMS = ("raw", "hex-upper", "hex-lower")
SECRET = re.compile(r'("value"\s*:\s*")[^"]*')
PARKED_S = 120.0  # a half-open socket is kept so long after the network came back, then reset


@dataclass(frozen=True)
class Transport:
    """How to reach the central system. Times in seconds."""

    url: str
    tls: ssl.SSLContext | None = None
    key_form: str = "raw"
    first_retry_s: float = 1.0
    longest_retry_s: float = 60.0
    jitter: float = 0.5  # share of the delay that is random
    open_timeout_s: float = 30.0
    speed: float = 1.0  # world seconds per real second
    coarse_s: float = 0.0  # never step more often than this: for thousands of chargers in one process


def address(url: str, identity: str) -> str:
    """The charger's own URL: the identity is the last part of the path, percent-encoded where needed (§3.1.1)."""
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    if unquote(path.rpartition("/")[2]) != identity:
        path = f"{path}/{quote(identity, safe='')}"
    return urlunsplit(parts._replace(path=path))


def authorization(identity: str, key: bytes, form: str = "raw") -> str:
    """The Authorization header: the key's raw bytes (§6.2.2), or its hexadecimal text as some chargers send it."""
    text = key.hex()
    secret = {"raw": key, "hex-upper": text.upper().encode(), "hex-lower": text.encode()}[form]
    return "Basic " + base64.b64encode(identity.encode() + b":" + secret).decode()


def tls_context(ca_file: str | None = None, *, insecure: bool = False) -> ssl.SSLContext:
    """TLS 1.2 or later; trusts the system's authorities, those in ``ca_file``, or, insecurely, anybody."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def redacted(frame: str | bytes) -> str:
    """A frame for the log: without a key or password it may carry."""
    text = frame if isinstance(frame, str) else frame.decode(errors="replace")
    return SECRET.sub(r"\1***", text) if "AuthorizationKey" in text or "WifiPassword" in text else text


class Driver:
    """Runs one Aura in real time over a WebSocket. ``network`` is ``up``, ``cut`` (half-open) or ``down``."""

    def __init__(
        self, aura: Aura, transport: Transport, *, after_step: Callable[[], None] | None = None, clock_runs: bool = True
    ) -> None:
        self.aura = aura
        self.transport = transport
        self.network = "up"
        self.speed = transport.speed
        self.connections = 0
        self.refusals = 0
        self._after_step = after_step
        self._clock_runs = clock_runs
        self._ws: ClientConnection | None = None
        self._session: asyncio.Task[None] | None = None
        self._closing: asyncio.Future[None] | None = None
        self._parked: list[ClientConnection] = []
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._through = asyncio.Event()
        self._through.set()
        self._timer: asyncio.TimerHandle | None = None
        self._at = 0.0

    async def run(self) -> None:
        """Live until cancelled."""
        self._at = asyncio.get_running_loop().time()
        self.step()
        try:
            await self._connect_for_ever()
        finally:
            if self._timer is not None:
                self._timer.cancel()
            self._timer, self._clock_runs = None, False
            for ws in [*self._parked, *([self._ws] if self._ws is not None else [])]:
                ws.transport.abort()

    # --- time -------------------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Bring the charger to the present, write what it has to say, and wake again when something is due."""
        loop = asyncio.get_running_loop()
        if self._clock_runs:
            now = loop.time()
            elapsed, self._at = (now - self._at) * self.speed, now
            self.aura.advance(elapsed)
        self._flush()
        if self._after_step is not None:
            self._after_step()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._clock_runs:
            due = self.aura.seconds_to_event() / self.speed if self.speed > 0 else 3600.0
            self._timer = loop.call_later(min(3600.0, max(due, self.transport.coarse_s, 0.001)), self.step)

    def set_speed(self, speed: float) -> None:
        """World seconds per real second from now on; 0 stops time."""
        self.step()
        self.speed = speed
        self.step()

    def _flush(self) -> None:
        for frame in self.aura.drain():
            if self._ws is not None:
                log.debug("%s > %s", self.aura.identity, redacted(frame))
                self._outbox.put_nowait(frame)
        if self._ws is not None and (
            self.aura.reconnect_wanted or not self.aura.link_wanted or self.aura.messaging.silent_calls >= 2
        ):
            self.hang_up()
        if self.aura.link_wanted:
            self._wake.set()
        else:
            self._wake.clear()

    # --- the network ------------------------------------------------------------------------------------------------

    def set_network(self, state: str) -> None:
        """``cut``: nothing passes and nobody is told; ``down``: connections are reset; ``close``: they end with a
        closing handshake. The charger cannot come back before it is ``up`` again."""
        if state not in ("up", "cut", "down", "close"):
            raise ValueError(f"no such network state: {state}")
        ws = self._ws
        if state == "cut":
            self._through.clear()
            if ws is not None:
                ws.transport.pause_reading()
        elif state == "up":
            self._through.set()
            if ws is not None and self.network == "cut":
                ws.transport.resume_reading()
        elif ws is not None:
            if state == "down":
                ws.transport.abort()
            else:
                self.hang_up()
        self.network = "down" if state == "close" else state

    def hang_up(self) -> None:
        """The charger gives the connection up: properly, or unnoticed by the other side when the network is cut."""
        ws, self._ws = self._ws, None
        if ws is None:
            return
        if self._session is not None:
            self._session.cancel()
        if self.network == "cut":
            self._parked.append(ws)
            asyncio.get_running_loop().call_later(PARKED_S, ws.transport.abort)
        else:
            self._closing = asyncio.ensure_future(ws.close(1000))

    async def _connect_for_ever(self) -> None:
        failures = 0
        while True:
            await self._wake.wait()
            if self.network == "up":
                try:
                    ws = await self._open()
                except InvalidStatus as refusal:
                    self._refused(refusal.response.status_code, failures)
                except (OSError, WebSocketException, TimeoutError, ssl.SSLError) as error:
                    log.info("%s cannot connect: %s", self.aura.identity, error)
                else:
                    failures = 0
                    await self._hold(ws)
            failures += 1
            await asyncio.sleep(self._delay(failures))

    def _delay(self, failures: int) -> float:
        t = self.transport
        base = min(t.longest_retry_s, t.first_retry_s * 2 ** min(failures - 1, 10))
        return float(base * (1 - t.jitter + t.jitter * self.aura.rng.random()))

    def _refused(self, status: int, failures: int) -> None:
        self.refusals += 1
        log.warning("%s was refused with HTTP %d", self.aura.identity, status)
        if status == 401 and failures == 0:
            self.aura.security.event("FailedToAuthenticateAtCentralSystem")

    async def _open(self) -> ClientConnection:
        t, aura = self.transport, self.aura
        headers = {} if aura.key is None else {"Authorization": authorization(aura.identity, aura.key, t.key_form)}
        return await connect(
            address(t.url, aura.identity),
            subprotocols=[Subprotocol("ocpp1.6")],
            additional_headers=headers,
            ssl=t.tls if t.url.startswith("wss:") else None,
            compression=None,
            open_timeout=t.open_timeout_s,
            ping_interval=None,  # a cut network must also stop the pings, so they are made here
            close_timeout=2,
            max_size=2**18,
            proxy=None,
        )

    async def _hold(self, ws: ClientConnection) -> None:
        """One connection, from open to lost."""
        if ws.subprotocol != "ocpp1.6":
            await ws.close(1002)
            return
        self.connections += 1
        self._ws, self._outbox = ws, asyncio.Queue()
        self.step()
        if self._ws is not ws:
            return
        self.aura.connected()
        self.step()
        self._session = asyncio.ensure_future(self._read(ws))
        writer = asyncio.ensure_future(self._write(ws, self._outbox))
        await asyncio.wait({self._session})
        writer.cancel()
        if self._ws is ws:
            self._ws = None
        self.aura.disconnected()
        self.step()

    async def _read(self, ws: ClientConnection) -> None:
        with contextlib.suppress(WebSocketException):
            async for frame in ws:
                log.debug("%s < %s", self.aura.identity, redacted(frame))
                self.step()
                self.aura.receive(frame)
                self.step()

    async def _write(self, ws: ClientConnection, outbox: asyncio.Queue[str]) -> None:
        """Send what is queued; when nothing was for WebSocketPingInterval, ping, and hang up if no pong comes."""
        with contextlib.suppress(WebSocketException):
            while True:
                interval = self.aura.configuration.number("WebSocketPingInterval")
                try:
                    frame = await asyncio.wait_for(outbox.get(), interval or None)
                except TimeoutError:
                    try:
                        await asyncio.wait_for(self._ping(ws), max(interval, 1))
                    except TimeoutError:
                        self.hang_up()
                        return
                    continue
                try:
                    await asyncio.wait_for(self._through.wait(), interval or None)
                except TimeoutError:
                    self.hang_up()
                    return
                await ws.send(frame)

    async def _ping(self, ws: ClientConnection) -> None:
        await self._through.wait()
        await (await ws.ping())
