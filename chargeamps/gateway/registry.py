"""The charge points whose newest socket this process holds, and the work that keeps them honest.

Doorbells and takeovers arrive as hints on the bus; a sweep every few seconds finds what a hint missed. A lease row
tells the other processes that this one lives: when it dies, they mark its charge points as gone.
"""

import asyncio
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from chargeamps.chargers.models import ChargePoint, Command
from chargeamps.chargers.services import connections
from chargeamps.common import clock
from chargeamps.common.bus import DOORBELL, PROCESS_ID, TAKEOVER, Message, bus
from chargeamps.gateway import metrics
from chargeamps.gateway.commands import carry_out_commands
from chargeamps.gateway.connection import SETTLE_SECONDS, Connection
from chargeamps.gateway.convergence import settle
from chargeamps.gateway.models import GatewayProcess
from chargeamps.gateway.writer import writer
from chargeamps.schedules.services.overrides import tend

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 5.0
# A process unheard of for this long is taken as dead. Three missed sweeps, and still well inside a minute.
LEASE = timedelta(seconds=20)
# What a lost hint missed, a timed-out call left undone, or a new week asks for is found at least this often.
SETTLE_AGAIN_SECONDS = 30 * 60.0
# So far back a sweep looks for plans whose doorbell was not heard.
LOOKED_BACK = timedelta(minutes=2)
# A reconnect storm must not become a storm of calls: so many chargers are settled at once, and no more.
SETTLING_AT_ONCE = 20

CLOSE_REPLACED = 4001
CLOSE_TRY_AGAIN = 1013


class Registry:
    def __init__(self) -> None:
        self._connections: dict[UUID, Connection] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sweeper: asyncio.Task[None] | None = None
        self._settling = asyncio.Semaphore(SETTLING_AT_ONCE)
        self._closing: set[asyncio.Task[None]] = set()
        self._started: datetime | None = None

    def attach(self) -> None:
        """Begin the process's own work on the running event loop, once."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        if self._loop is None:
            bus.subscribe(DOORBELL, self._on_doorbell)
            bus.subscribe(TAKEOVER, self._on_takeover)
        self._loop = loop
        self._connections.clear()
        self._settling = asyncio.Semaphore(SETTLING_AT_ONCE)
        self._started = clock.now()
        self._sweeper = loop.create_task(self._sweep_for_ever())

    def add(self, connection: Connection) -> None:
        """Make a socket the charge point's own; an older one in this process is closed."""
        previous = self._connections.get(connection.opened.charge_point)
        if previous is not None and previous.opened.epoch > connection.opened.epoch:
            self._replace(connection)
            return
        self._connections[connection.opened.charge_point] = connection
        metrics.connected.set(len(self._connections))
        if previous is not None:
            self._replace(previous)
        asyncio.get_running_loop().call_later(SETTLE_SECONDS, self._settle_without_boot, connection)

    def remove(self, connection: Connection) -> None:
        if self._connections.get(connection.opened.charge_point) is connection:
            del self._connections[connection.opened.charge_point]
        metrics.connected.set(len(self._connections))

    def on_boot(self, connection: Connection) -> None:
        """Called when a charger has booted."""
        self._ring(connection)

    async def close_all(self) -> None:
        """Close every socket before the process ends, asking the chargers to come back."""
        for connection in list(self._connections.values()):
            await connection.close_socket(CLOSE_TRY_AGAIN, "restarting")

    def _settle_without_boot(self, connection: Connection) -> None:
        if not connection.booted:
            connection.ready = True
            self._ring(connection)

    def _ring(self, connection: Connection) -> None:
        self._ring_for_commands(connection)
        if connection.ready:
            connection.start("settle", partial(self._settle, connection))

    def _ring_for_commands(self, connection: Connection) -> None:
        if connection.ready:
            connection.start("commands", partial(carry_out_commands, connection))

    async def _settle(self, connection: Connection) -> None:
        # What a person waits for goes first.
        if (commands := connection.tasks.get("commands")) is not None:
            await asyncio.wait({commands})
        connection.settled_at = asyncio.get_running_loop().time()
        async with self._settling:
            if not connection.closed:
                await settle(connection)

    def _on_doorbell(self, message: Message) -> None:
        connection = self._connections.get(UUID(message["charge_point"]))
        if connection is not None:
            self._ring(connection)

    def _on_takeover(self, message: Message) -> None:
        connection = self._connections.get(UUID(message["charge_point"]))
        if connection is not None and connection.opened.epoch < message["epoch"]:
            self._replace(connection)

    def _replace(self, connection: Connection) -> None:
        metrics.takeovers.inc()
        self._close(connection, CLOSE_REPLACED, "a newer connection was accepted")

    def _close(self, connection: Connection, code: int, reason: str) -> None:
        if connection.closed:
            return
        task = asyncio.ensure_future(connection.close_socket(code, reason))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _sweep_for_ever(self) -> None:
        # The first one at once: the lease must stand before a charge point depends on it.
        while True:
            try:
                await self._sweep()
            except Exception:
                log.exception("sweep_failed")
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.8, 1.2))

    async def _sweep(self) -> None:
        now = clock.now()
        held = dict(self._connections)
        contacts = {
            charge_point: connection.last_contact
            for charge_point, connection in held.items()
            if (now - connection.last_contact).total_seconds() < SWEEP_SECONDS * 2
        }
        started = self._started or now
        rows, waiting, changed = await writer.submit(lambda: _sweep_rows(now, started, contacts, held))
        loop = asyncio.get_running_loop()
        for charge_point, connection in held.items():
            epoch, process = rows.get(charge_point, (0, ""))
            if epoch > connection.opened.epoch:
                self._replace(connection)
            elif process != PROCESS_ID:
                # Others took this process for dead and told the owner so. Coming back puts that right.
                self._close(connection, CLOSE_TRY_AGAIN, "try again")
            else:
                age = loop.time() - connection.settled_at
                plan_age = (now - changed[charge_point]).total_seconds() if charge_point in changed else age
                if age > min(SETTLE_AGAIN_SECONDS, plan_age):
                    self._ring(connection)
        for charge_point in waiting:
            found = self._connections.get(charge_point)
            if found is not None:
                self._ring_for_commands(found)


def _sweep_rows(
    now: datetime, started: datetime, contacts: dict[UUID, datetime], held: Iterable[UUID]
) -> tuple[dict[UUID, tuple[int, str]], list[UUID], dict[UUID, datetime]]:
    """Renew the lease, store what is overdue.

    Returns epoch and process of each socket, those with queued work, and when plans were changed a short while ago.
    """
    GatewayProcess.objects.update_or_create(
        id=PROCESS_ID, defaults={"last_seen": now}, create_defaults={"started": started, "last_seen": now}
    )
    connections.note_contacts(contacts)
    bury_dead_processes(now)
    connections.close_lost_connections(process=PROCESS_ID, held=set(held), before=now - LEASE)
    tend(now=now)
    waiting = Command.objects.filter(
        charge_point__gateway_process=PROCESS_ID, state=Command.State.QUEUED, deadline__gt=now
    )
    changed = ChargePoint.objects.filter(gateway_process=PROCESS_ID, plan_changed__gt=now - LOOKED_BACK)
    return (
        connections.newest_sockets(list(held)),
        list(waiting.values_list("charge_point_id", flat=True).distinct()),
        {row.pk: row.plan_changed for row in changed.only("pk", "plan_changed") if row.plan_changed is not None},
    )


def bury_dead_processes(now: datetime) -> None:
    """Mark the charge points of processes whose lease ran out as gone since they were last heard of."""
    for dead in GatewayProcess.objects.filter(last_seen__lt=now - LEASE).exclude(id=PROCESS_ID):
        gone = connections.close_connections_of(process=dead.id, now=dead.last_seen)
        log.warning("gateway_process_dead", process=dead.id, charge_points=gone)
        dead.delete()


registry = Registry()
