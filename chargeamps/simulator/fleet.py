"""Many chargers in one process, for load."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .aura import Aura
from .car import Car
from .clock import Clock
from .personas import Persona
from .wire import Driver, Transport


@dataclass(frozen=True)
class Credential:
    identity: str
    key: bytes | None


def credentials_from(path: Path) -> list[Credential]:
    """A JSON list of ``{"identity": …, "key_hex": …}``. Raises ValueError when it is not one."""
    rows = json.loads(path.read_text())
    if not isinstance(rows, list):
        raise ValueError("the credentials file holds no list")
    return [Credential(r["identity"], bytes.fromhex(r["key_hex"]) if r.get("key_hex") else None) for r in rows]


def numbered(pattern: str, count: int, key: bytes | None) -> list[Credential]:
    """Identities from a pattern: ``{}`` or ``{:05d}`` is the number, otherwise it is appended with five digits."""
    names = (pattern.format(n) if "{" in pattern else f"{pattern}{n:05d}" for n in range(1, count + 1))
    return [Credential(name, key) for name in names]


class Fleet:
    """Chargers that connect one after the other over ``ramp_s`` seconds, or all at once (``ramp_s=0``: a storm)."""

    def __init__(
        self,
        credentials: Sequence[Credential],
        transport: Transport,
        *,
        persona: Persona,
        start: float,
        ramp_s: float = 0.0,
        plugged: Sequence[int] = (),
        configuration: dict[str, str] | None = None,
        seed: int | str | None = None,
    ) -> None:
        self.ramp_s = ramp_s
        self.drivers: dict[str, Driver] = {}
        for credential in credentials:
            aura = Aura(
                credential.identity,
                key=credential.key,
                persona=persona,
                clock=Clock(start),
                seed=seed,
                configuration=configuration,
            )
            for connector in plugged:
                aura.plug(connector, Car(soc=aura.rng.uniform(0.1, 0.6)))
            self.drivers[credential.identity] = Driver(aura, transport)

    @property
    def online(self) -> int:
        """How many are connected and accepted."""
        return sum(d.aura.online for d in self.drivers.values())

    async def run(self) -> None:
        """Run them all until cancelled."""
        gap = self.ramp_s / max(1, len(self.drivers))

        async def one(n: int, driver: Driver) -> None:
            await asyncio.sleep(n * gap)
            await driver.run()

        await asyncio.gather(*(one(n, d) for n, d in enumerate(self.drivers.values())))
