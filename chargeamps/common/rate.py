"""Limits shared by all processes, kept in the database so that neither a restart nor a flushed cache resets them."""

import hashlib
from datetime import timedelta

from django.db import transaction

from chargeamps.common import clock
from chargeamps.common.models import RateBucket

# A bucket untouched for so long is full again under every limit in use.
FORGET_AFTER = timedelta(days=7)


def bucket_name(purpose: str, *parts: object) -> str:
    """Name a bucket without writing down whose it is: e-mail addresses do not belong in this table."""
    hashed = hashlib.sha256("\x00".join(str(part) for part in parts).encode()).hexdigest()
    return f"{purpose}:{hashed}"


def take(name: str, capacity: float, refill_per_second: float) -> float:
    """Take one token; return 0, or the seconds to wait when none is left (nothing is taken then).

    Joins the caller's transaction: a caller that refuses must commit, or the attempt goes uncounted.
    """
    with transaction.atomic():
        now = clock.now()
        bucket, _ = RateBucket.objects.select_for_update().get_or_create(
            name=name, defaults={"tokens": capacity, "updated": now}
        )
        elapsed = max(0.0, (now - bucket.updated).total_seconds())
        tokens = min(capacity, bucket.tokens + elapsed * refill_per_second)
        if tokens < 1:
            return (1 - tokens) / refill_per_second
        RateBucket.objects.filter(pk=name).update(tokens=tokens - 1, updated=now)
        return 0.0


def give_back(name: str, capacity: float) -> None:
    """Return a token that was taken for an attempt which turned out rightful."""
    with transaction.atomic():
        bucket = RateBucket.objects.select_for_update().filter(pk=name).first()
        if bucket is not None:
            RateBucket.objects.filter(pk=name).update(tokens=min(capacity, bucket.tokens + 1))


def purge() -> int:
    """Remove buckets that no longer limit anything; return how many."""
    return RateBucket.objects.filter(updated__lt=clock.now() - FORGET_AFTER).delete()[0]
