"""``/ws/live/``: a snapshot, then numbered changes, of what the person who is signed in may see.

A hint on the bus makes the socket read the charge point anew and send what differs from what it sent before, so a lost
or doubled hint costs nothing: the next one, or the sweep, brings everything. A client that misses a number asks for a
new snapshot.
"""

import asyncio
import json
from typing import Any, cast
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.sessions import SessionMiddlewareStack
from django.conf import settings

from chargeamps.accounts.models import User
from chargeamps.common import clock
from chargeamps.common.build import BUILD
from chargeamps.common.bus import CHANGED, Message, bus
from chargeamps.live import snapshot

log = structlog.get_logger(__name__)

NOT_SIGNED_IN = 4401
TRY_AGAIN = 1013
# A state goes to the phone at once (what changes together goes together), figures once a second.
STATE_SECONDS = 0.02
READING_SECONDS = 1.0
# Finds what a lost hint missed, and what only time changes (a window begins, a command is over).
SWEEP_SECONDS = 10.0
MESSAGE_CHARACTERS = 2048


class LiveConsumer(AsyncWebsocketConsumer):
    # Hints come by the bus, one subscription a process.
    channel_layer_alias = cast(str, None)

    async def connect(self) -> None:
        self._seq = 0
        self._sent: snapshot.Snapshot | None = None
        self._changed: set[str] = set()
        self._bell = asyncio.Event()
        self._due: asyncio.TimerHandle | None = None
        self._worker: asyncio.Task[None] | None = None
        # Snapshots and changes leave in the order in which they were read.
        self._sending = asyncio.Lock()
        if not self._same_origin():
            await self.close()
            return
        user = await get_user(self.scope)
        await self.accept()
        if not isinstance(user, User) or not user.is_active:
            await self.close(code=NOT_SIGNED_IN)
            return
        self._user = user
        await self._send("hello", version=BUILD)
        bus.subscribe(CHANGED, self._on_changed)
        self._worker = asyncio.create_task(self._send_changes_for_ever())

    async def disconnect(self, code: int) -> None:
        if self._worker is not None:
            bus.unsubscribe(CHANGED, self._on_changed)
            self._worker.cancel()
            if self._due is not None:
                self._due.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = json.loads((text_data or "")[:MESSAGE_CHARACTERS])
        except (ValueError, RecursionError):
            return
        match message.get("type") if isinstance(message, dict) else None:
            case "ping":
                await self._send("pong")
            case "snapshot":
                await self._send_snapshot()

    def _same_origin(self) -> bool:
        """Browsers send the page's origin; a foreign page must not read along with the person's cookie."""
        headers = dict(self.scope["headers"])
        origin = headers.get(b"origin")
        if origin is None:
            return True
        host = headers.get(b"host", b"").decode("latin1")
        parts = urlsplit(origin.decode("latin1"))
        return parts.netloc == host or origin.decode("latin1") in settings.CSRF_TRUSTED_ORIGINS

    def _on_changed(self, message: Message) -> None:
        """Note what changed, and ring soon or, for mere figures, within a second.

        What belongs to others is passed over, unless it may have come to this person just now (``site`` says so).
        """
        known = self._sent is None or message["charge_point"] in self._sent["charge_points"]
        if not known and "site" not in message:
            return
        self._changed.add(message["charge_point"])
        loop = asyncio.get_running_loop()
        due = loop.time() + (READING_SECONDS if message.get("reading") else STATE_SECONDS)
        if self._due is None or due < self._due.when():
            if self._due is not None:
                self._due.cancel()
            self._due = loop.call_at(due, self._ring)

    def _ring(self) -> None:
        self._due = None
        self._bell.set()

    async def _send_changes_for_ever(self) -> None:
        try:
            await self._watch()
        except Exception:
            # A socket that says nothing any more would look like a charger that does nothing.
            log.exception("live_socket_failed")
            await self.close(code=TRY_AGAIN)

    async def _watch(self) -> None:
        await self._send_snapshot()
        loop = asyncio.get_running_loop()
        sweep = loop.time() + SWEEP_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(sweep):
                    await self._bell.wait()
            except TimeoutError:
                sweep = loop.time() + SWEEP_SECONDS
                if not await self._still_signed_in():
                    await self.close(code=NOT_SIGNED_IN)
                    return
                await self._send_changes(None)
                continue
            self._bell.clear()
            changed, self._changed = self._changed, set()
            await self._send_changes(changed)

    @database_sync_to_async
    def _still_signed_in(self) -> bool:
        """Whether the session and the person still stand: signing out anywhere ends this socket within a sweep."""
        session = self.scope["session"]
        return session.exists(session.session_key) and User.objects.filter(pk=self._user.pk, is_active=True).exists()

    @database_sync_to_async
    def _read(self, charge_points: set[str] | None) -> snapshot.Snapshot:
        return snapshot.read(self._user, None if charge_points is None else [UUID(key) for key in charge_points])

    async def _send_snapshot(self) -> None:
        async with self._sending:
            self._sent = await self._read(None)
            self._seq = 0
            await self._send("snapshot", seq=0, **self._sent)

    async def _send_changes(self, charge_points: set[str] | None) -> None:
        """Read anew (all, or only some charge points) and send what differs."""
        async with self._sending:
            before = self._sent
            if before is None:
                return
            part = await self._read(charge_points)
            now = part if charge_points is None else snapshot.replace_part(before, part, charge_points)
            found = snapshot.changes(before, now)
            self._sent = now
            if found:
                self._seq += 1
                await self._send("changes", seq=self._seq, changes=found)

    async def _send(self, kind: str, **fields: Any) -> None:
        await self.send(json.dumps({"type": kind, "time": clock.isoformat(clock.now()), **fields}))


live_socket = SessionMiddlewareStack(LiveConsumer.as_asgi())
