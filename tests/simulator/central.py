"""A central system small enough to be obviously right: in process, or on a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from chargeamps.simulator.aura import Aura
from chargeamps.simulator.clock import Clock, iso, parse_iso
from chargeamps.simulator.personas import combine

JSON = dict[str, Any]
MONDAY = parse_iso("2026-11-23T00:00:00Z")


class Central:
    """Answers an Aura in the same process and keeps every call it made. ``answers`` overrides by action: a payload, a
    function of the payload, or None for silence."""

    def __init__(self, aura: Aura, **answers: Any) -> None:
        self.aura = aura
        self.answers = answers
        self.calls: list[tuple[str, JSON]] = []
        self.ids: list[str] = []
        self.results: dict[str, list[Any]] = {}
        self.next_transaction = 100
        self.sent = 0

    def connect(self) -> Central:
        self.aura.connected()
        return self.settle()

    def settle(self) -> Central:
        """Exchange frames until both are quiet."""
        while frames := self.aura.drain():
            for frame in frames:
                self.take(json.loads(frame))
        return self

    def run(self, seconds: float) -> Central:
        """Let time pass, answering at every moment something is said."""
        self.settle()
        end = self.aura.clock.world + seconds
        while self.aura.clock.world < end - 1e-6:
            self.aura.advance(min(end - self.aura.clock.world, max(0.001, self.aura.seconds_to_event())))
            self.settle()
        return self

    def take(self, message: list[Any]) -> None:
        if message[0] != 2:
            self.results[message[1]] = message
            return
        _, message_id, action, payload = message
        self.calls.append((action, payload))
        self.ids.append(message_id)
        answer = self.answers.get(action, self.default(action))
        if callable(answer):
            answer = answer(payload)
        if isinstance(answer, str):
            self.aura.receive(json.dumps([4, message_id, answer, "", {}]))
        elif answer is not None:
            self.aura.receive(json.dumps([3, message_id, answer]))

    def default(self, action: str) -> JSON:
        if action == "BootNotification":
            return {"status": "Accepted", "currentTime": iso(self.aura.clock.world), "interval": 300}
        if action == "Heartbeat":
            return {"currentTime": iso(self.aura.clock.world)}
        if action == "Authorize":
            return {"idTagInfo": {"status": "Accepted"}}
        if action == "StartTransaction":
            self.next_transaction += 1
            return {"transactionId": self.next_transaction, "idTagInfo": {"status": "Accepted"}}
        return {}

    def call(self, action: str, payload: Any = None) -> Any:
        """Call the charger; its answer's payload, the error code of a CALLERROR, or None for silence."""
        self.sent += 1
        message_id = f"c{self.sent}"
        self.aura.receive(json.dumps([2, message_id, action, {} if payload is None else payload]))
        self.settle()
        result = self.results.get(message_id)
        return None if result is None else result[2]

    def of(self, action: str) -> list[JSON]:
        return [p for a, p in self.calls if a == action]

    def statuses(self, connector: int) -> list[str]:
        return [p["status"] for p in self.of("StatusNotification") if p["connectorId"] == connector]

    def forget(self) -> None:
        self.calls.clear()


def make(*personas: str, start: float = MONDAY, configuration: dict[str, str] | None = None) -> Aura:
    return Aura("2000000001A", key=b"0123456789abcdef", persona=combine(personas), clock=Clock(start), seed=1,
                configuration=configuration)  # fmt: skip


def default_profile(limits: Sequence[tuple[int, float]], *, profile_id: int = 1, stack: int = 0, unit: str = "A",
                    start: float | None = MONDAY, duration: int | None = 86_400, recurrency: str | None = "Daily",
                    purpose: str = "TxDefaultProfile", **more: Any) -> JSON:  # fmt: skip
    schedule: JSON = {"chargingRateUnit": unit,
                      "chargingSchedulePeriod": [{"startPeriod": s, "limit": x} for s, x in limits]}  # fmt: skip
    if start is not None:
        schedule["startSchedule"] = iso(start)
    if duration is not None:
        schedule["duration"] = duration
    kind = "Recurring" if recurrency else "Absolute" if start is not None else "Relative"
    profile: JSON = {"chargingProfileId": profile_id, "stackLevel": stack, "chargingProfilePurpose": purpose,
                     "chargingProfileKind": kind, "chargingSchedule": schedule}  # fmt: skip
    if recurrency:
        profile["recurrencyKind"] = recurrency
    return profile | more


class SocketCentral:
    """The same on a loopback WebSocket."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, JSON]] = []
        self.headers: list[str] = []
        self.paths: list[str] = []
        self.connections: list[ServerConnection] = []
        self.results: dict[str, asyncio.Future[Any]] = {}
        self.server: Server | None = None
        self.sent = 0

    async def __aenter__(self) -> SocketCentral:
        self.server = await serve(self._talk, "127.0.0.1", 0, subprotocols=[Subprotocol("ocpp1.6")], ping_interval=None)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.server is not None
        self.server.close(close_connections=True)

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"ws://127.0.0.1:{next(iter(self.server.sockets)).getsockname()[1]}/ocpp"

    async def _talk(self, ws: ServerConnection) -> None:
        assert ws.request is not None
        self.headers.append(ws.request.headers.get("Authorization", ""))
        self.paths.append(ws.request.path)
        self.connections.append(ws)
        async for text in ws:
            kind, message_id, *rest = json.loads(text)
            if kind != 2:
                self.results.pop(message_id).set_result(rest[0])
                continue
            action, payload = rest
            self.calls.append((action, payload))
            answers: dict[str, JSON] = {
                "BootNotification": {"status": "Accepted", "currentTime": "2026-11-23T00:00:00Z", "interval": 300},
                "Authorize": {"idTagInfo": {"status": "Accepted"}},
                "StartTransaction": {"transactionId": 7, "idTagInfo": {"status": "Accepted"}},
            }
            await ws.send(json.dumps([3, message_id, answers.get(action, {})]))

    async def call(self, action: str, payload: JSON) -> Any:
        self.sent += 1
        message_id = f"c{self.sent}"
        self.results[message_id] = asyncio.get_running_loop().create_future()
        await self.connections[-1].send(json.dumps([2, message_id, action, payload]))
        return await asyncio.wait_for(self.results[message_id], 5)

    async def until(self, true: Callable[[], bool], seconds: float = 5) -> None:
        async with asyncio.timeout(seconds):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    def saw(self, action: str) -> int:
        return sum(a == action for a, _ in self.calls)
