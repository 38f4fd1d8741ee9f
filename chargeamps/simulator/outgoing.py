"""The charger's own calls: their order, what survives a lost connection, retries and message ids."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any

JSON = dict[str, Any]
QUEUE_LIMIT = 2000  # transaction messages a small memory can hold


@dataclass
class Call:
    """One call to make. ``lasting`` ones concern a transaction: kept over reboots and sent strictly in order
    (OCPP 1.6 §3.7.1). ``kept`` ones (security events) wait for the next connection. The rest is dropped with it."""

    action: str
    payload: JSON
    tx: str | None = None  # local id of the transaction; its number is filled in when the call is sent
    lasting: bool = False
    kept: bool = False
    forced: bool = False  # asked for by TriggerMessage: may go before the boot is accepted (§4.2)
    context: JSON = field(default_factory=dict)
    attempts: int = 0
    not_before: float = 0.0  # world time
    seq: int = 0


class Outgoing:
    """Two queues under one numbering; one call is outstanding at a time (OCPP-J 1.6 §4.1.1)."""

    def __init__(self, rng: Random, *, reuse_ids: bool = False) -> None:
        self.ordinary: deque[Call] = deque()
        self.lasting: deque[Call] = deque()
        self.pending: Call | None = None
        self.pending_id = ""
        self.dropped = 0
        self._seq = 0
        self._reuse_ids = reuse_ids
        self._boot_part = rng.randrange(10**8, 10**9)
        self._count = 0

    def add(self, call: Call) -> None:
        self._seq += 1
        call.seq = self._seq
        (self.lasting if call.lasting else self.ordinary).append(call)
        if len(self.lasting) > QUEUE_LIMIT:
            self._make_room()

    def _make_room(self) -> None:
        """Start and Stop are never given up; the oldest meter values are, every second one first."""
        values = [c for c in self.lasting if c.action == "MeterValues" and c is not self.pending]
        drop = {c.seq for c in values[::2]}
        self.lasting = deque(c for c in self.lasting if c.seq not in drop)
        self.dropped += len(drop)

    def message_id(self, now: float) -> str:
        """Ids in the vendor's form ``random-epoch-counter``; a charger that reuses its ids counts from 1000001."""
        self._count += 1
        if self._reuse_ids:
            return str(1_000_000 + self._count)
        return f"{self._boot_part}-{int(max(now, 0))}-{self._count}"

    def take(self, world: float, accepted: bool) -> Call | None:
        """The next call to send now, in the order in which they arose; None when there is none or one is pending."""
        if self.pending is not None:
            return None
        ordinary = next((c for c in self.ordinary if accepted or c.forced or c.action == "BootNotification"), None)
        lasting = self.lasting[0] if self.lasting and accepted and self.lasting[0].not_before <= world else None
        heads = [c for c in (ordinary, lasting) if c is not None]
        if not heads:
            return None
        call = min(heads, key=lambda c: c.seq)
        if not call.lasting:
            self.ordinary.remove(call)
        self.pending = call
        return call

    def done(self) -> None:
        """The pending call is over, for good."""
        call, self.pending = self.pending, None
        if call is not None and call.lasting and self.lasting and self.lasting[0] is call:
            self.lasting.popleft()

    def postpone(self, until: float) -> None:
        """The pending call failed: a lasting one stays first in line, a kept one goes again, the rest is gone."""
        call, self.pending = self.pending, None
        if call is None:
            return
        call.not_before = until
        if call.kept and not call.lasting:
            self.ordinary.appendleft(call)

    def connection_lost(self) -> None:
        self.postpone(0.0)
        self.ordinary = deque(c for c in self.ordinary if c.kept)
        for call in self.lasting:
            call.not_before = 0.0

    def next_due(self, world: float) -> float | None:
        """When a postponed call may go, world time."""
        if self.pending is None and self.lasting and self.lasting[0].not_before > world:
            return self.lasting[0].not_before
        return None

    def dump(self) -> list[JSON]:
        keep = [*self.lasting, *(c for c in self.ordinary if c.kept)]
        if self.pending is not None and self.pending.kept and not self.pending.lasting:
            keep.append(self.pending)
        return [
            {
                "action": c.action,
                "payload": c.payload,
                "tx": c.tx,
                "lasting": c.lasting,
                "kept": c.kept,
                "context": c.context,
                "attempts": c.attempts,
            }
            for c in keep
        ]

    def load(self, rows: list[JSON]) -> None:
        for row in rows:
            self.add(Call(**row))
