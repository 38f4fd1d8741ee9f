"""One charger's accepted socket: reads frames, answers them after the commit, and makes our calls one at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

import structlog

from chargeamps.chargers.services.connections import Opened
from chargeamps.common import clock
from chargeamps.gateway import actions, metrics
from chargeamps.gateway.calls import new_message_id, validated
from chargeamps.gateway.samples import lane
from chargeamps.gateway.session import Answer, Call, ErrorAnswer, Malformed, Session
from chargeamps.gateway.source import Source, StaleConnection
from chargeamps.gateway.trace import tracer
from chargeamps.gateway.writer import DatabaseUnavailable, writer

log = structlog.get_logger(__name__)

CALL_TIMEOUT_SECONDS = 30.0
# A charger that never sends BootNotification is spoken to after this long all the same.
SETTLE_SECONDS = 5.0
# A flood slows the charger that makes it, and nobody else: what is above waits in its own socket.
CALLS_PER_SECOND = 50.0
CALL_BURST = 1000.0
# What a frame costs that is no call: it is read and counted, and asks nothing of the database.
COST_OF_NOISE = 0.02

P = ParamSpec("P")
T = TypeVar("T")
Send = Callable[[dict[str, Any]], Awaitable[None]]


class CallFailed(Exception):
    """Our call got no result. ``code`` is an OCPP error code, ``Timeout`` or ``Disconnected``."""

    def __init__(self, code: str, description: str = "") -> None:
        super().__init__(f"{code} {description}".strip())
        self.code = code
        self.description = description


class Connection:
    """The newest socket of a charge point in this process."""

    __slots__ = (
        "_answer",
        "_call_lock",
        "_on_boot",
        "_send",
        "_session",
        "_tokens",
        "_tokens_at",
        "booted",
        "closed",
        "connected_at",
        "last_contact",
        "opened",
        "ready",
        "settled_at",
        "source",
        "statuses_told",
        "tasks",
    )

    def __init__(self, *, opened: Opened, identity: str, send: Send, on_boot: Callable[["Connection"], None]) -> None:
        self.opened = opened
        self.source = Source(opened, identity)
        self.booted = False
        # May be called: it has booted, or had the time to.
        self.ready = False
        self.settled_at = asyncio.get_running_loop().time()
        self.statuses_told: set[int] = set()
        self.closed = False
        self.connected_at = self.last_contact = clock.now()
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self._on_boot = on_boot
        self._send = send
        self._session = Session(actions.KNOWN, new_message_id)
        self._call_lock = asyncio.Lock()
        self._answer: asyncio.Future[Answer | ErrorAnswer] | None = None
        self._tokens = CALL_BURST
        self._tokens_at = asyncio.get_running_loop().time()

    # Frames from the charger

    async def receive(self, text: str) -> None:
        """Handle one frame; return when it is answered. Raises only ``DatabaseUnavailable`` and ``StaleConnection``."""
        received = clock.now()
        self.last_contact = received
        event = self._session.receive(text)
        await self._slow_a_flood(1.0 if isinstance(event, Call) else COST_OF_NOISE)
        match event:
            case Call():
                await self._answer_call(event, text, received)
            case Answer() | ErrorAnswer():
                tracer.add(self.opened.charge_point, received, "in", event.action, text)
                if self._answer is not None and not self._answer.done():
                    self._answer.set_result(event)
            case Malformed():
                metrics.malformed_frames.labels(event.flag).inc()
                if event.flag not in ("answer-nobody-awaits", "late-answer"):
                    tracer.add(self.opened.charge_point, received, "in", "", text, (event.flag,))
                if event.reply is not None:
                    await self._send_text(event.reply, "")

    async def _answer_call(self, call: Call, text: str, received: datetime) -> None:
        metrics.calls_received.labels(call.action).inc()
        handling = actions.begin(self.source, call.action, call.payload, received)
        if handling.operation is None:
            result = handling.result
        else:
            try:
                if handling.measured is not None:
                    await lane.submit(handling.measured)
                    result = handling.result
                else:
                    result = await self.commit(handling.operation)
            except (DatabaseUnavailable, StaleConnection):
                raise
            except Exception:
                # Our own mistake must not block the charger's queue: it gets a result, the frame stays in the trace.
                log.exception("action_failed", action=call.action, charge_point=str(self.opened.charge_point))
                handling.reader.flags.append("not-processed")
                result = handling.fallback
        flags = (*call.flags, *handling.reader.flags)
        tracer.add(self.opened.charge_point, received, "in", call.action, text, flags)
        await self._send_text(self._session.result(call.message_id, result), call.action)
        if call.action == "StatusNotification":
            number = handling.reader.integer("connectorId")
            if number is not None and number in self.opened.connectors:
                self.statuses_told.add(number)
        if call.action == "BootNotification":
            self.booted = self.ready = True
            self._on_boot(self)

    async def commit(self, operation: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Have the writer run ``operation``, unless a newer socket of this charge point has been accepted.

        All that a socket changes goes this way. Raises ``StaleConnection``, and what ``Writer.submit`` raises.
        """

        def guarded() -> T:
            actions.require_newest(self.opened)
            return operation(*args, **kwargs)

        return await writer.submit(guarded)

    async def _slow_a_flood(self, cost: float) -> None:
        now = asyncio.get_running_loop().time()
        self._tokens = min(CALL_BURST, self._tokens + (now - self._tokens_at) * CALLS_PER_SECOND) - cost
        self._tokens_at = now
        if self._tokens < 0:
            metrics.flood_pauses.inc()
            await asyncio.sleep(-self._tokens / CALLS_PER_SECOND)

    async def _send_text(self, text: str, action: str) -> None:
        if not self.closed:
            tracer.add(self.opened.charge_point, clock.now(), "out", action, text)
            await self._send({"type": "websocket.send", "text": text})

    # Calls to the charger

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Send a call and return the charger's result; raise ``CallFailed``. Calls wait for each other in line.

        Must not be awaited from ``receive``: the answer is read there.
        """
        payload = await validated(action, payload)
        async with self._call_lock:
            if self.closed:
                raise CallFailed("Disconnected")
            message_id, frame = self._session.call(action, payload)
            self._answer = asyncio.get_running_loop().create_future()
            metrics.calls_sent.labels(action).inc()
            try:
                await self._send_text(frame, action)
                answer = await asyncio.wait_for(self._answer, CALL_TIMEOUT_SECONDS)
            except TimeoutError:
                metrics.calls_unanswered.labels(action).inc()
                raise CallFailed("Timeout") from None
            finally:
                self._session.give_up(message_id)
                self._answer = None
        if isinstance(answer, ErrorAnswer):
            raise CallFailed(answer.code, answer.description)
        return answer.payload

    def close(self) -> None:
        """End all that this socket was doing: the outstanding call, and every later one, fails as disconnected."""
        self.closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(CallFailed("Disconnected"))

    async def close_socket(self, code: int, reason: str) -> None:
        """Close from our side; the charger will come back."""
        self.close()
        await self._send({"type": "websocket.close", "code": code, "reason": reason})

    def start(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` beside the read loop, one at a time for each name; asked for meanwhile, it runs once more."""
        running = self.tasks.get(name)
        if self.closed:
            return
        if running is not None and not running.done():
            running.set_name("again")
            return
        self.tasks[name] = asyncio.create_task(self._run(name, work), name="once")

    async def _run(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        task = self.tasks[name]
        try:
            while True:
                task.set_name("once")
                await work()
                if task.get_name() == "once":
                    break
        except CallFailed as failure:
            log.info("work_ended", work=name, charge_point=str(self.opened.charge_point), failure=failure.code)
        except (StaleConnection, DatabaseUnavailable) as failure:
            log.info("work_ended", work=name, charge_point=str(self.opened.charge_point), failure=repr(failure))
        except Exception:
            log.exception("work_failed", work=name, charge_point=str(self.opened.charge_point))
        finally:
            self.tasks.pop(name, None)
