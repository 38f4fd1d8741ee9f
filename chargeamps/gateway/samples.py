"""The lane of MeterValues: readings of all sockets of this process, stored together and answered after the commit.

The first to come is stored at once; those that come while it is at work, or within ``GROUP_SECONDS`` of it, wait for
each other. A handful of statements then stands for hundreds of messages.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chargeamps.chargers.services.connections import Opened, newest_sockets
from chargeamps.chargers.services.readings import Live, readings_reported
from chargeamps.gateway.meter_values import Sample
from chargeamps.gateway.source import StaleConnection
from chargeamps.gateway.writer import DatabaseUnavailable, writer
from chargeamps.usage.packing import Reading
from chargeamps.usage.services import store_readings

GROUP_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Measured:
    """One MeterValues: what is kept of it, and the newest of it, which is shown."""

    opened: Opened
    connector: UUID
    readings: list[Reading]
    live: Live


def measured(opened: Opened, number: int | None, samples: Sequence[Sample]) -> Measured | None:
    """Read for the lane; None where there is nothing to keep, or no such socket."""
    connector = opened.connectors.get(number) if number is not None else None
    if connector is None or not samples:
        return None
    newest = samples[0] if len(samples) == 1 else max(samples, key=lambda sample: sample.time)
    live = Live(opened.charge_point, connector, newest.live_reading())
    return Measured(opened, connector, [r for r in (s.reading() for s in samples) if r is not None], live)


def store(items: Sequence[Measured]) -> None:
    """Store in the present transaction."""
    readings: dict[UUID, list[Reading]] = defaultdict(list)
    for item in items:
        if item.readings:
            readings[item.connector] += item.readings
    if readings:
        store_readings(readings)
    readings_reported([item.live for item in items])


def store_of_newest(items: Sequence[Measured]) -> list[bool]:
    """Store what came on the newest socket of each charge point; whether each did."""
    sockets = newest_sockets({item.opened.charge_point for item in items})
    fresh = [sockets.get(item.opened.charge_point, (None, ""))[0] == item.opened.epoch for item in items]
    accepted = [item for item, is_newest in zip(items, fresh, strict=True) if is_newest]
    if accepted:
        store(accepted)
    return fresh


class Lane:
    """Groups what sockets submit; bound to the running event loop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Measured, asyncio.Future[None]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._begun = 0.0

    async def submit(self, item: Measured) -> None:
        """Return once the readings are committed. Raises ``StaleConnection`` or ``DatabaseUnavailable``."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._task, self._begun = loop, None, 0.0
            self._waiting.clear()
        done: asyncio.Future[None] = loop.create_future()
        self._waiting.append((item, done))
        if self._task is None:
            self._task = loop.create_task(self._run(loop))
        await done

    async def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            while self._waiting:
                pause = self._begun + GROUP_SECONDS - loop.time()
                if pause > 0:
                    await asyncio.sleep(pause)
                self._begun = loop.time()
                group, self._waiting = self._waiting, []
                await _store_group(group)
        finally:
            self._task = None


async def _store_group(group: list[tuple[Measured, "asyncio.Future[None]"]]) -> None:
    try:
        fresh = await writer.submit(store_of_newest, [item for item, _ in group])
    except Exception as error:
        if len(group) > 1 and not isinstance(error, DatabaseUnavailable):
            # One that cannot be stored fails alone.
            for one in group:
                await _store_group([one])
            return
        for _, done in group:
            if not done.done():
                done.set_exception(error)
        return
    for (_, done), is_newest in zip(group, fresh, strict=True):
        if done.done():
            continue
        if is_newest:
            done.set_result(None)
        else:
            done.set_exception(StaleConnection())


lane = Lane()
