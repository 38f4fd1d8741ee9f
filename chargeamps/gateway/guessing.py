"""Limits on guessing chargers' keys that a stranger cannot turn against the real charger.

Failures fill a bucket for their source address. A source over its limit is refused without a check, except for the
identities that have lately signed in from that very address: those are checked still, at a slower rate of their own.
Nothing is limited by identity alone, since that would let anyone who knows an identity lock its charger out; a key has
at least 128 random bits. The counts are this process's own: they protect its time, not a secret that could be guessed.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass

FAILURES_PER_SOURCE = 20.0
REFILL_PER_SECOND = 10 / 60
TRUSTED_FAILURES = 60.0
TRUSTED_REFILL_PER_SECOND = 1.0
LOGGED_PER_SOURCE = 10.0
LOGGED_REFILL_PER_SECOND = 1 / 60
REMEMBERED = 50_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Buckets:
    """Token buckets by name, the least used forgotten first."""

    def __init__(self, capacity: float, refill_per_second: float) -> None:
        self._capacity = capacity
        self._refill = refill_per_second
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def left(self, name: str) -> float:
        bucket = self._buckets.get(name)
        if bucket is None:
            return self._capacity
        now = time.monotonic()
        bucket.tokens = min(self._capacity, bucket.tokens + (now - bucket.at) * self._refill)
        bucket.at = now
        return bucket.tokens

    def take(self, name: str) -> bool:
        """Take one token; False when there is none."""
        left = self.left(name)
        if left < 1:
            return False
        self._buckets[name] = _Bucket(left - 1, time.monotonic())
        self._buckets.move_to_end(name)
        if len(self._buckets) > REMEMBERED:
            self._buckets.popitem(last=False)
        return True


_sources = Buckets(FAILURES_PER_SOURCE, REFILL_PER_SECOND)
_trusted = Buckets(TRUSTED_FAILURES, TRUSTED_REFILL_PER_SECOND)
_logged = Buckets(LOGGED_PER_SOURCE, LOGGED_REFILL_PER_SECOND)
_known: OrderedDict[str, None] = OrderedDict()


def may_try(identity: str, address: str) -> bool:
    """Whether a key from this address is checked at all."""
    if _sources.left(address) >= 1:
        return True
    pair = f"{identity} {address}"
    return pair in _known and _trusted.left(pair) >= 1


def failed(identity: str, address: str) -> None:
    if not _sources.take(address):
        _trusted.take(f"{identity} {address}")


def succeeded(identity: str, address: str) -> None:
    pair = f"{identity} {address}"
    _known[pair] = None
    _known.move_to_end(pair)
    if len(_known) > REMEMBERED:
        _known.popitem(last=False)


def worth_logging(address: str) -> bool:
    """Whether one more refusal from this address goes into the security log; the rest are only counted."""
    return _logged.take(address)
