"""Simulated Auras inside the test's own event loop: a dozen cost less than one process."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from chargeamps.simulator.aura import Aura
from chargeamps.simulator.clock import Clock
from chargeamps.simulator.control import Control
from chargeamps.simulator.personas import combine
from chargeamps.simulator.wire import Driver, Transport, tls_context
from tests.harness.server import Server


@dataclass
class Simulated:
    """A running Aura; ``do`` takes the verbs of its control line."""

    aura: Aura
    driver: Driver
    control: Control

    def do(self, verb: str, **arguments: Any) -> dict[str, Any]:
        answer = self.control.do({"do": verb, **arguments})
        assert answer.pop("ok"), answer
        return answer

    @property
    def profiles(self) -> list[dict[str, Any]]:
        """The charging profiles it holds, as it dumps them."""
        found: list[dict[str, Any]] = self.do("state")["state"]["profiles"]
        return found

    def drawn_a(self, number: int = 1) -> float:
        return max(self.aura.outlets[number].meter.currents, default=0.0)


@contextlib.asynccontextmanager
async def simulated(
    server: Server, identity: str, key: bytes, *personas: str, configuration: dict[str, str] | None = None
) -> AsyncIterator[Simulated]:
    """An Aura with these personas, on its way to ``server``."""
    aura = Aura(
        identity, key=key, persona=combine(personas), clock=Clock(time.time()), seed=1, configuration=configuration
    )
    transport = Transport(
        server.charger_url, tls=tls_context(str(server.authority)), first_retry_s=0.3, longest_retry_s=1.0
    )
    driver = Driver(aura, transport)
    task = asyncio.create_task(driver.run())
    try:
        yield Simulated(aura, driver, Control(aura, driver))
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
