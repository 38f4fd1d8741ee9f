"""Daphne, set up for chargers: TLS of our own, refusals with a status of their own, and no unbounded queues.

Daphne's command line serves the same application; what it lacks, and this adds, is named at each class.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, cast

# Imported first: it installs Twisted's asyncio reactor.
from daphne.server import Server as DaphneServer  # isort: skip
from autobahn.websocket.types import ConnectionDeny
from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from django.conf import settings
from OpenSSL import SSL
from twisted.internet import defer, reactor
from twisted.internet.endpoints import SSL4ServerEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IOpenSSLContextFactory, ISSLTransport
from zope.interface import implementer

from chargeamps.common.certificates import CertificateFiles

# Connections that wait to be accepted: all chargers come back at once after a restart.
BACKLOG = 4096
# Time that a handshake may take while thousands are at it.
HANDSHAKE_SECONDS = 60
PING_SECONDS = 30
# Together with the ping interval, a dead line is noticed within a minute.
PONG_SECONDS = 20
# Messages of one socket that wait to be handled before its reading is paused.
WAITING_MESSAGES = 32

# SSL_OP_NO_RENEGOTIATION of OpenSSL, which pyOpenSSL does not name.
OP_NO_RENEGOTIATION = 0x40000000

# The suites that the OCPP security whitepaper asks for (A00.FR.317), and TLS 1.3's own.
CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:"
    b"AES128-GCM-SHA256:AES256-GCM-SHA384"
)


@implementer(IOpenSSLContextFactory)
class TlsContext:
    """TLS 1.2 and later, no compression, with all certificates given: OpenSSL picks the kind that a charger speaks."""

    def __init__(self, files: Sequence[CertificateFiles]) -> None:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)
        context.set_options(
            SSL.OP_NO_COMPRESSION | SSL.OP_CIPHER_SERVER_PREFERENCE | OP_NO_RENEGOTIATION | SSL.OP_SINGLE_ECDH_USE
        )
        # An idle charger's connection then keeps no buffers.
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        context.set_cipher_list(CIPHERS)
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        for file in files:
            context.use_privatekey_file(str(file.key))
            context.use_certificate_chain_file(str(file.certificate))
            context.check_privatekey()
        self._context = context

    def getContext(self) -> SSL.Context:
        return self._context


class PausingQueue:
    """The messages of one socket; pauses its reading while too many wait (Daphne's own queue knows no bound).

    For one reader. An asyncio.Queue would take 3 KB of an idle socket.
    """

    __slots__ = ("_messages", "_pause", "_paused", "_resume", "_waiting")

    def __init__(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        self._messages: list[Any] = []
        self._pause, self._resume, self._paused = pause, resume, False
        self._waiting: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        self._messages.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        if len(self._messages) >= WAITING_MESSAGES and not self._paused:
            self._paused = True
            self._pause()

    async def get(self) -> Any:
        while not self._messages:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        message = self._messages.pop(0)
        if self._paused and len(self._messages) <= WAITING_MESSAGES // 2:
            self._paused = False
            self._resume()
        return message


class ChargerWebRequest(WebRequest):
    """The HTTP request that a WebSocket begins with, without which the socket goes on."""

    def process(self) -> Any:
        processing = super().process()
        # Upgraded: the transport is the WebSocket's now. The channel would keep the request as long as the socket.
        if self.transport is None and self in self.channel.requests:
            self.channel.requests.remove(self)
        return processing


class ChargerHTTPFactory(HTTPFactory):
    def buildProtocol(self, address: Any) -> Any:
        protocol = super().buildProtocol(address)
        protocol.requestFactory = ChargerWebRequest
        return protocol


class ChargerWebSocketProtocol(WebSocketProtocol):
    """Adds ASGI's "websocket denial response" to Daphne, so that a refusal carries its own HTTP status."""

    # See ChargerWebSocketFactory.share_options.
    CONFIG_ATTRS: Sequence[str] = ()

    _denial: dict[str, Any] | None = None

    def handle_reply(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "websocket.http.response.start":
                self._denial = message
            case "websocket.http.response.body" if self._denial is not None:
                self._deny(self._denial["status"])
            case "websocket.close" if self.state == self.STATE_OPEN:
                # Autobahn's sendClose takes no code that the RFC gives to servers, such as 1013 "try again later".
                reason = (message.get("reason") or "").encode()[:123]
                self.sendCloseFrame(code=message.get("code") or 1000, reasonUtf8=reason)
            case _:
                super().handle_reply(message)

    def sendMessage(self, payload: bytes, isBinary: bool = False, **options: Any) -> None:
        """As autobahn's, but without a bound: that is for what others send. A person may see many charge points."""
        if self.state == self.STATE_OPEN:
            self.sendFrame(opcode=2 if isBinary else 1, payload=payload)

    def _deny(self, status: int) -> None:
        if hasattr(self, "handshake_deferred"):
            deferred = self.handshake_deferred
            del self.handshake_deferred
            deferred.errback(ConnectionDeny(code=status, reason=HTTPStatus(status).phrase))
            self.server.protocol_disconnected(self)

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:
        headers = [("Content-Length", "0"), ("Connection", "close")]
        for name, value in self._denial.get("headers", []) if self._denial else ():
            headers.append((name.decode("latin1"), value.decode("latin1")))
        super().sendHttpErrorResponse(code, reason, headers)


class ChargerWebSocketFactory(WebSocketFactory):
    protocol = ChargerWebSocketProtocol

    def share_options(self) -> None:
        """Make the options attributes of the protocol's class.

        Autobahn would copy all 29 to each new socket and format them for a debug line: an eighth of the cost of a
        connect, and a kilobyte a socket.
        """
        options = {name: getattr(self, name) for name in WebSocketProtocol.CONFIG_ATTRS}
        # One of them is a function, which as an attribute of a class would become a method.
        options = {name: staticmethod(value) if callable(value) else value for name, value in options.items()}
        self.protocol = cast(
            type[ChargerWebSocketProtocol], type("SharingProtocol", (ChargerWebSocketProtocol,), options)
        )


@dataclass(frozen=True, slots=True)
class Listener:
    """An address to listen on; with ``tls``, only TLS is spoken there."""

    host: str
    port: int
    tls: TlsContext | None = None


class Server(DaphneServer):
    """Daphne with the listeners given, a ``scheme`` in every WebSocket's scope, and bounded queues."""

    def __init__(
        self, application: Any, listeners: Sequence[Listener], ready: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """``ready`` is run on the event loop once the server listens."""
        super().__init__(
            application,
            endpoints=["unused:"],
            websocket_timeout=-1,
            websocket_connect_timeout=HANDSHAKE_SECONDS,
            websocket_handshake_timeout=HANDSHAKE_SECONDS,
            websocket_max_message_size=settings.WEBSOCKET_MESSAGE_BYTES,
            websocket_max_frame_size=settings.WEBSOCKET_MESSAGE_BYTES,
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
            server_name="",
        )
        self.endpoints: list[str] = []
        self._wanted = listeners
        self._ready = ready
        self._readying: asyncio.Task[None] | None = None

    def run(self) -> None:
        reactor.callWhenRunning(self._listen)
        super().run()

    def _listen(self) -> None:
        self.http_factory = ChargerHTTPFactory(self)
        self.ws_factory = ChargerWebSocketFactory(self, server="")
        self.ws_factory.setProtocolOptions(
            autoPingTimeout=self.ping_timeout,
            allowNullOrigin=True,
            openHandshakeTimeout=self.websocket_handshake_timeout,
            maxMessagePayloadSize=self.websocket_max_message_size,
            maxFramePayloadSize=self.websocket_max_frame_size,
            # Who breaks the protocol or a bound is told so (1002, 1007, 1009) and has a second to hang up.
            failByDrop=False,
        )
        self.ws_factory.share_options()
        for wanted in self._wanted:
            endpoint = (
                SSL4ServerEndpoint(reactor, wanted.port, wanted.tls, BACKLOG, wanted.host)
                if wanted.tls
                else TCP4ServerEndpoint(reactor, wanted.port, BACKLOG, wanted.host)
            )
            listening: defer.Deferred[Any] = endpoint.listen(self.http_factory)
            listening.addCallback(self.listen_success)
            listening.addErrback(self.listen_error)
            self.listeners.append(listening)
        self._readying = asyncio.ensure_future(self._ready())

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> PausingQueue | asyncio.Queue[Any] | None:
        queue: PausingQueue | asyncio.Queue[Any]
        if scope["type"] == "websocket":
            scope["scheme"] = "wss" if ISSLTransport.providedBy(protocol.transport) else "ws"
            scope["extensions"] = {"websocket.http.response": {}}
            queue = PausingQueue(protocol.transport.pauseProducing, protocol.transport.resumeProducing)
        else:
            if isinstance(protocol, WebRequest) and protocol.isSecure():
                scope["scheme"] = "https"
            queue = asyncio.Queue()
        scope.setdefault("asgi", {"version": "3.0"})
        application = self.application(scope=scope, receive=queue.get, send=partial(self.handle_reply, protocol))
        if protocol not in self.connections:
            application.close()
            return None
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(application)
        return queue
