"""The work that comes round by itself, declared once: the embedded clock and Celery's beat both run this list.

What chargers' sockets need (leases, deadlines of commands) is not here: the processes that hold them see to it. Each
function may run twice or late without harm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore

from chargeamps.common import clock, idempotency, rate
from chargeamps.gateway.models import TraceFrame
from chargeamps.usage.services import exports, power, recounting


@dataclass(frozen=True, slots=True)
class Periodic:
    name: str
    every: timedelta
    run: Callable[[], object]


def forget_traces() -> None:
    """Delete frames older than ``TRACE_DAYS``, in pieces that lock the table only briefly."""
    limit = clock.now() - timedelta(days=settings.TRACE_DAYS)
    while True:
        keys = list(TraceFrame.objects.filter(time__lt=limit).values_list("pk", flat=True)[:2000])
        if not keys:
            return
        TraceFrame.objects.filter(pk__in=keys).delete()


WORK = (
    Periodic("forget-traces", timedelta(hours=1), forget_traces),
    Periodic("forget-idempotency-keys", timedelta(hours=1), idempotency.purge),
    Periodic("forget-rate-buckets", timedelta(hours=1), rate.purge),
    Periodic("count-sessions-anew", timedelta(seconds=10), recounting.recount_waiting),
    Periodic("make-exports", timedelta(seconds=2), exports.make_waiting),
    Periodic("forget-exports", timedelta(hours=6), exports.forget_exports),
    Periodic("end-power-watches", timedelta(seconds=20), power.end_watches),
    Periodic("compact-power", timedelta(minutes=10), power.compact),
    Periodic("thin-out-power", timedelta(hours=6), power.thin_out),
    Periodic("forget-sessions", timedelta(hours=6), SessionStore.clear_expired),
)
