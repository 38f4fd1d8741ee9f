"""Counting a session anew from everything that was told of it."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction

from chargeamps.usage import counting, pricing
from chargeamps.usage.models import ChargingSession, PlugEvent, Tariff
from chargeamps.usage.selectors.power import instant, milliseconds, readings_between

# A status from just before the start says whether it flowed at the start.
LEAD = timedelta(seconds=60)
# Above this, counting waits for the periodic work rather than keep the writing thread.
AT_ONCE_READINGS = 5000
# How far from the session its plugging in and out is looked for.
PLUG_SEARCH = timedelta(days=14)

COUNTED_FIELDS = [
    "energy_import_wh",
    "energy_export_wh",
    "flow_seconds",
    "flow_ms",
    "flowing_since",
    "counted_to",
    "base_import_mwh",
    "last_import_mwh",
    "base_export_mwh",
    "last_export_mwh",
    "readings",
    "missing",
    "recount",
    "findings",
    "plugged_from",
    "plugged_until",
    "cost_micros",
    "currency",
]


@transaction.atomic
def recount(session_id: UUID) -> None:
    """Count one session anew. Its row is locked, so that no reading is added meanwhile."""
    session = ChargingSession.objects.select_for_update().filter(pk=session_id).first()
    if session is not None:
        count_session(session)
        session.save(update_fields=COUNTED_FIELDS)


def recount_waiting(limit: int = 1000) -> int:
    """Count the sessions that were put off; returns how many."""
    waiting = list(ChargingSession.objects.filter(recount=True).values_list("pk", flat=True)[:limit])
    for session in waiting:
        recount(session)
    return len(waiting)


def count_session(session: ChargingSession) -> None:
    """Set the session's figures from its start, its stop and its socket's readings."""
    superseded = (
        ChargingSession.objects.filter(connector=session.connector_id, started__gt=session.started)
        .order_by("started")
        .values_list("started", flat=True)
        .first()
    )
    ended = min(filter(None, (session.stopped, superseded)), default=None)
    trailing = None if ended is None else ended + timedelta(milliseconds=counting.TRAILING_MS)
    if trailing is not None and superseded is not None:
        trailing = max(ended or superseded, min(trailing, superseded - timedelta(milliseconds=1)))
    readings = readings_between(session.connector_id, session.started - LEAD, trailing)
    totals = counting.count(
        readings,
        started_ms=milliseconds(session.started),
        ended_ms=None if ended is None else milliseconds(ended),
        stop_known=session.stopped is not None,
        meter_start_wh=session.meter_start_wh,
        meter_stop_wh=session.meter_stop_wh if session.stopped is not None else None,
    )
    imported, exported = totals.imported, totals.exported
    session.energy_import_wh, session.energy_export_wh = round(imported.mwh / 1000), round(exported.mwh / 1000)
    session.base_import_mwh, session.last_import_mwh = imported.base, imported.last
    session.base_export_mwh, session.last_export_mwh = exported.base, exported.last
    session.flow_ms, session.flow_seconds = totals.flow_ms, round(totals.flow_ms / 1000)
    session.flowing_since = None if totals.flowing_since_ms is None else instant(totals.flowing_since_ms)
    session.counted_to = None if totals.counted_to_ms is None else instant(totals.counted_to_ms)
    session.readings, session.missing, session.recount = totals.readings, totals.missing, False
    session.findings = sorted(totals.findings | ({"stop-missing"} if superseded and not session.stopped else set()))
    _find_plugging(session)
    if session.stopped is not None and session.site_id is not None:
        tariffs = list(Tariff.objects.filter(site=session.site_id).order_by("valid_from").select_related("site"))
        cost = pricing.cost_micros(
            imported.steps, imported.mwh, milliseconds(session.started), milliseconds(session.stopped), tariffs
        )
        session.cost_micros, session.currency = cost if cost is not None else (None, "")


def _find_plugging(session: ChargingSession) -> None:
    """From the newest plugging in before it started to the first plugging out after it stopped."""
    events = PlugEvent.objects.filter(connector=session.connector_id)
    before = events.filter(time__lte=session.started + LEAD, time__gt=session.started - PLUG_SEARCH)
    last = before.order_by("-time").first()
    # Chargers that say Preparing again and again: the first one since it was last unplugged counts.
    if last is not None and last.plugged:
        out = before.filter(plugged=False).order_by("-time").values_list("time", flat=True).first()
        since = before.filter(time__gt=out) if out else before
        session.plugged_from = since.order_by("time").values_list("time", flat=True).first()
    else:
        session.plugged_from = None
    end = session.stopped or session.started
    after = events.filter(plugged=False, time__gte=end - LEAD, time__lt=end + PLUG_SEARCH)
    session.plugged_until = after.order_by("time").values_list("time", flat=True).first() if session.stopped else None
