"""The ASGI end of a charger's socket: who may in, what was refused and why, and the read loop.

A plain ASGI callable, not a Channels consumer: a consumer would hop to a thread for each message and subscribe each
socket to the channel layer, and needs neither.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from chargeamps.chargers.services import connections
from chargeamps.common import clock
from chargeamps.common.bus import PROCESS_ID
from chargeamps.common.middleware import ended_tls, source_address
from chargeamps.gateway import guessing, metrics
from chargeamps.gateway.authentication import parse_basic
from chargeamps.gateway.connection import Connection
from chargeamps.gateway.reading import clean
from chargeamps.gateway.registry import CLOSE_TRY_AGAIN, registry
from chargeamps.gateway.source import StaleConnection
from chargeamps.gateway.writer import DatabaseUnavailable, writer
from chargeamps.securitylog.services import record

log = structlog.get_logger(__name__)

SUBPROTOCOL = "ocpp1.6"
IDENTITY_CHARACTERS = 48

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP answer instead of the upgrade."""

    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


TLS_REQUIRED = Refusal(403, "tls-required")
NO_SUCH_PATH = Refusal(404, "no-such-path")
WRONG_SUBPROTOCOL = Refusal(400, "wrong-subprotocol")
WRONG_CREDENTIALS = Refusal(401, "wrong-credentials", ((b"www-authenticate", b'Basic realm="ocpp"'),))
TOO_MANY_ATTEMPTS = Refusal(429, "too-many-attempts", ((b"retry-after", b"60"),))
UNAVAILABLE = Refusal(503, "unavailable", ((b"retry-after", b"10"),))


async def charge_point_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """``/ocpp/<identity>``: Security Profile 2, decided before the upgrade."""
    await receive()  # websocket.connect
    registry.attach()
    identity = scope["url_route"]["kwargs"]["identity"]
    address = source_address(scope.get("client"), scope["headers"])
    opened_or_refusal = await _open(scope, identity, address)
    if isinstance(opened_or_refusal, Refusal):
        await _refuse(opened_or_refusal, identity, address, scope, send)
        return
    connection = Connection(opened=opened_or_refusal, identity=identity, send=send, on_boot=registry.on_boot)
    try:
        await send(
            {
                "type": "websocket.accept",
                "subprotocol": SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None,
            }
        )
        registry.add(connection)
        await _read(connection, receive)
    finally:
        connection.close()
        registry.remove(connection)
        opened = opened_or_refusal
        # Where this cannot be stored, the registry's sweep does it later.
        with suppress(DatabaseUnavailable):
            await writer.submit(
                lambda: connections.close_connection(
                    charge_point=opened.charge_point, epoch=opened.epoch, now=clock.now()
                )
            )


async def no_such_path(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Any other path: refused as a page that is not there."""
    await receive()  # websocket.connect
    address = source_address(scope.get("client"), scope["headers"])
    await _refuse(NO_SUCH_PATH, scope["path"], address, scope, send)


async def _read(connection: Connection, receive: Receive) -> None:
    while True:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None:
            text = message.get("bytes", b"").decode(errors="replace")
        try:
            await connection.receive(text)
        except StaleConnection:
            return
        except DatabaseUnavailable:
            # Unanswered, the message stays in the charger's queue; it will come again on the next socket.
            await connection.close_socket(CLOSE_TRY_AGAIN, "try again")
            return


async def _open(scope: dict[str, Any], identity: str, address: str) -> connections.Opened | Refusal:
    if scope.get("scheme") != "wss" and not ended_tls(scope.get("client"), scope["headers"]):
        return TLS_REQUIRED
    if not 0 < len(identity) <= IDENTITY_CHARACTERS or not identity.isascii() or not identity.isprintable():
        return WRONG_CREDENTIALS
    if scope["subprotocols"] and SUBPROTOCOL not in scope["subprotocols"]:
        return WRONG_SUBPROTOCOL
    if not guessing.may_try(identity, address):
        return TOO_MANY_ATTEMPTS
    key = parse_basic(dict(scope["headers"]).get(b"authorization", b""), identity)
    try:
        opened = await writer.submit(
            lambda: connections.open_connection(
                identity=identity, key=key or b"", process=PROCESS_ID, source_address=address, now=clock.now()
            )
        )
    except DatabaseUnavailable:
        return UNAVAILABLE
    if opened is None:
        guessing.failed(identity, address)
        return WRONG_CREDENTIALS
    guessing.succeeded(identity, address)
    return opened


async def _refuse(refusal: Refusal, wanted: str, address: str, scope: dict[str, Any], send: Send) -> None:
    """Answer over HTTP where the server can, else by closing before the accept (403).

    ``wanted`` is the identity, or the path where there is none.
    """
    wanted = clean(wanted[:IDENTITY_CHARACTERS])
    metrics.refused_connections.labels(refusal.reason).inc()
    log.info("charger_refused", reason=refusal.reason, identity=wanted, source=address)
    if refusal is not UNAVAILABLE and guessing.worth_logging(address):
        # Refused all the same where it cannot be logged.
        with suppress(DatabaseUnavailable):
            await writer.submit(
                lambda: record(
                    kind="charge-point-authentication",
                    outcome="refused",
                    source_address=address,
                    detail={"reason": refusal.reason, "identity": wanted},
                )
            )
    if "websocket.http.response" in scope.get("extensions", {}):
        await send(
            {"type": "websocket.http.response.start", "status": refusal.status, "headers": list(refusal.headers)}
        )
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close"})
