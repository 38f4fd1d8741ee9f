"""Writing to the security log, and proving that nobody rewrote it."""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db import transaction

from chargeamps.common import clock, context
from chargeamps.securitylog.models import ChainHead, Entry

GENESIS = "0" * 64
_TEXT_LENGTH = 500
_HEAD = 1


@dataclass(frozen=True)
class Fault:
    """The first place where the chain does not hold: ``what`` is altered, missing or out-of-order."""

    sequence: int
    what: str


@transaction.atomic
def record(
    *,
    kind: str,
    outcome: str,
    actor: str = "",
    charge_point: str = "",
    site: str = "",
    source_address: str = "",
    detail: dict[str, Any] | None = None,
) -> Entry:
    """Add an entry, within the caller's transaction: what is undone was never attempted with effect.

    ``kind`` is kebab-case (``sign-in``, ``claim``); ``outcome`` an ``Entry.Outcome``; ``actor``, ``charge_point`` and
    ``site`` are ids, never names. The source defaults to the request being served. The chain's head stays locked until
    the caller commits, so a caller that must record a refusal does so outside the transaction that it rolls back.
    """
    head, _ = ChainHead.objects.select_for_update().get_or_create(pk=_HEAD)
    entry = Entry(
        sequence=head.sequence + 1,
        time=clock.now(),
        kind=kind,
        outcome=Entry.Outcome(outcome),
        actor=_clean(actor)[:40],
        charge_point=_clean(charge_point)[:40],
        site=_clean(site)[:40],
        source_address=_clean(source_address or context.source_address.get())[:45],
        detail=_clean(detail or {}),
        previous_hash=head.hash,
    )
    entry.hash = _link(entry)
    entry.save()
    ChainHead.objects.filter(pk=_HEAD).update(sequence=entry.sequence, hash=entry.hash)
    return entry


def verify(*, anchor: tuple[int, str] | None = None) -> Fault | None:
    """Walk the whole chain and return the first fault, or None.

    ``anchor`` is a sequence and hash noted elsewhere earlier: with it, a chain rewritten from end to end is found too.
    """
    expected, previous = 1, GENESIS
    for entry in Entry.objects.order_by("sequence").iterator(chunk_size=1000):
        if entry.sequence != expected:
            return Fault(expected, "missing")
        if entry.previous_hash != previous:
            return Fault(expected, "out-of-order")
        if entry.hash != _link(entry) or (anchor and anchor[0] == expected and anchor[1] != entry.hash):
            return Fault(expected, "altered")
        expected, previous = expected + 1, entry.hash
    sequence, digest = head()
    if max(sequence, anchor[0] if anchor else 0) >= expected:
        return Fault(expected, "missing")
    if (sequence, digest) != (expected - 1, previous):
        return Fault(expected - 1, "altered")
    return None


def head() -> tuple[int, str]:
    """The newest entry's sequence and hash, for noting elsewhere."""
    found = ChainHead.objects.filter(pk=_HEAD).first()
    return (found.sequence, found.hash) if found else (0, GENESIS)


def _link(entry: Entry) -> str:
    body = {
        "sequence": entry.sequence,
        "time": entry.time.astimezone(UTC).isoformat(timespec="microseconds"),
        "kind": entry.kind,
        "outcome": str(entry.outcome),
        "actor": entry.actor,
        "charge_point": entry.charge_point,
        "site": entry.site,
        "source_address": entry.source_address,
        "detail": entry.detail,
    }
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(f"{entry.previous_hash}{canonical}".encode()).hexdigest()


def _clean(value: Any) -> Any:
    """Reduce a value to what both databases give back unchanged, with control characters made visible.

    Floats become text (PostgreSQL's jsonb writes them in its own way); a line break could fake an entry in a listing.
    """
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, dict):
        return {_clean(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_clean(item) for item in value]
    text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
    return text[:_TEXT_LENGTH]
