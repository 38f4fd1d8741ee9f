"""A charger as the standard wants it: what is not answered is sent again, in order, on the next connection."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import WebSocketException

from tests.gateway.installation import Installation
from tests.gateway.wire import Wire, charger, now

LOST = (OSError, TimeoutError, WebSocketException)


@dataclass
class Steadfast:
    """Goes through charging sessions whatever happens to the line. ``history`` holds what was acknowledged.

    A session is (transactionId, energy in Wh); its number is that of the answer that the charger got.
    """

    house: Installation
    identity: str
    answer_seconds: float = 40
    port: int | None = None
    history: list[tuple[int, int]] = field(default_factory=list)
    connections: int = 0
    answers: int = 0
    _queue: "asyncio.Queue[tuple[str, dict[str, Any], asyncio.Future[Any]]]" = field(default_factory=asyncio.Queue)

    async def say(self, action: str, payload: dict[str, Any]) -> Any:
        """Queue a message; returns the result whenever it comes."""
        answer = asyncio.get_running_loop().create_future()
        await self._queue.put((action, payload, answer))
        return await answer

    async def run(self) -> None:
        """Connect again and again until cancelled, and send what is queued."""
        waiting: tuple[str, dict[str, Any], asyncio.Future[Any]] | None = None
        while True:
            try:
                key = self.house.key(self.identity)
                async with charger(self.house.server, self.identity, key, port=self.port) as wire:
                    self.connections += 1
                    await wire.call("BootNotification", {"chargePointVendor": "S", "chargePointModel": "S"})
                    while True:
                        waiting = waiting or await self._next(wire)
                        action, payload, answer = waiting
                        result = await wire.call(action, payload, seconds=self.answer_seconds)
                        assert isinstance(result, dict), result
                        self.answers += 1
                        answer.set_result(result)
                        waiting = None
            except LOST:
                await asyncio.sleep(0.3)

    async def _next(self, wire: Wire) -> tuple[str, dict[str, Any], "asyncio.Future[Any]"]:
        """The next message, unless the line breaks first."""
        getting, closing = asyncio.ensure_future(self._queue.get()), asyncio.ensure_future(wire.socket.wait_closed())
        try:
            done, _ = await asyncio.wait((getting, closing), return_when=asyncio.FIRST_COMPLETED)
            if getting in done:
                return getting.result()
            raise ConnectionError("closed")
        finally:
            getting.cancel()
            closing.cancel()

    async def charge(self, meter: int, energy: int) -> None:
        """One session, from start to stop."""
        start = {"connectorId": 1, "idTag": "S", "meterStart": meter, "timestamp": now()}
        number = (await self.say("StartTransaction", start))["transactionId"]
        for part in (1, 2, 3):
            values = [{"value": str(meter + energy * part // 4)}]
            report = {"connectorId": 1, "transactionId": number}
            await self.say("MeterValues", report | {"meterValue": [{"timestamp": now(), "sampledValue": values}]})
        stop = {"transactionId": number, "meterStop": meter + energy, "timestamp": now()}
        await self.say("StopTransaction", stop)
        self.history.append((number, energy))

    async def charge_on(self, sessions: int) -> None:
        for turn in range(sessions):
            await self.charge(meter=turn * 1000, energy=turn + 100)


def stored(house: Installation, identity: str) -> list[tuple[int, int]]:
    """What the database holds of finished sessions, as ``history``."""
    rows = house.ask(
        f"list(ChargingSession.objects.filter(charge_point__identity='{identity}').order_by('meter_start_wh')"
        ".values_list('transaction_id', 'energy_import_wh', 'stop_received'))"
    )
    assert all(stopped is not None for *_, stopped in rows), rows
    return [(number, energy) for number, energy, _ in rows]
