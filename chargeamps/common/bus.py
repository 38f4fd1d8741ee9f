"""Hints between processes: "something about this charge point changed", "there is work for this charger".

A hint may be lost or doubled without harm: the database is the truth and sweeps find what a hint missed. Within this
process a hint is a function call on the server's event loop. With Redis it also travels through the channel layer, one
subscription a process, never one a socket.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import structlog
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import transaction

log = structlog.get_logger(__name__)

# A charger has desired work: commands or settings to bring to it. {"charge_point": id}
DOORBELL = "doorbell"
# What a person sees of a charge point changed. {"charge_point": id, "reading": only figures did}
CHANGED = "changed"
# A newer socket of a charge point was accepted by some process. {"charge_point": id, "epoch": n}
TAKEOVER = "takeover"

Message = dict[str, Any]
Subscriber = Callable[[Message], None]

PROCESS_ID = uuid.uuid4().hex
_GROUP = "bus"


class Bus:
    """Delivers hints to this process's subscribers, and to other processes where there is a shared layer."""

    def __init__(self) -> None:
        self._subscribers: dict[str, list[Subscriber]] = defaultdict(list)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._relay: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def subscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Have ``subscriber`` called on the server's event loop for each hint of ``topic``."""
        self._subscribers[topic].append(subscriber)

    def unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        self._subscribers[topic].remove(subscriber)

    def attach(self) -> None:
        """Bind to the running event loop, once a process (again where a test runs a new loop)."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        self._loop = loop
        if settings.REDIS_URL:
            self._relay = loop.create_task(self._receive())

    def publish(self, topic: str, **message: Any) -> None:
        """Give a hint now. Callable from any thread and from processes without a server."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._publish_from_loop, topic, message)
        elif settings.REDIS_URL:
            async_to_sync(self._send)(topic, message)

    def publish_on_commit(self, topic: str, **message: Any) -> None:
        """Give a hint once the current transaction is committed."""
        # Robust: what is committed stays committed, whether or not anybody can be told.
        transaction.on_commit(lambda: self.publish(topic, **message), robust=True)

    def _publish_from_loop(self, topic: str, message: Message) -> None:
        self._deliver(topic, message)
        if settings.REDIS_URL:
            task = asyncio.ensure_future(self._send(topic, message))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _deliver(self, topic: str, message: Message) -> None:
        for subscriber in tuple(self._subscribers[topic]):
            try:
                subscriber(message)
            except Exception:
                log.exception("bus_subscriber_failed", topic=topic)

    async def _send(self, topic: str, message: Message) -> None:
        try:
            layer = get_channel_layer()
            await layer.group_send(
                _GROUP, {"type": "bus.message", "topic": topic, "origin": PROCESS_ID, "message": message}
            )
        except Exception as error:  # Redis being away must not undo what was committed
            log.warning("bus_send_failed", topic=topic, error=repr(error))

    async def _receive(self) -> None:
        while True:
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                await layer.group_add(_GROUP, channel)
                while True:
                    event = await layer.receive(channel)
                    if event["origin"] != PROCESS_ID:
                        self._deliver(event["topic"], event["message"])
            except asyncio.CancelledError:
                raise
            except Exception as error:
                log.warning("bus_relay_failed", error=repr(error))
                await asyncio.sleep(1)


bus = Bus()
