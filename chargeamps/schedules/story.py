"""What delayed, moved or limited a charging session, told in order of time from the plan's own journal."""

from datetime import timedelta
from typing import Any

from chargeamps.common import clock
from chargeamps.common.clock import isoformat
from chargeamps.schedules.models import DelayDraw, DemandResponse, HolidayPause, Override
from chargeamps.usage.models import ChargingSession

Event = dict[str, Any]

_DELAYED = {
    DelayDraw.Change.START: "Charging waited",
    DelayDraw.Change.INCREASE: "More power waited",
    DelayDraw.Change.DECREASE: "The pause waited",
}
_ENDED = {
    "wait-for-schedule": "Back to the schedule, as asked.",
    "time-over": "The time asked for was over.",
    "energy-reached": "The energy asked for had been charged.",
}


def story_of(session: ChargingSession) -> list[Event]:
    """What bore on a session, as ``{time, code, text}``, oldest first."""
    start, end = session.started, session.stopped or clock.now()
    events: list[tuple[Any, str, str]] = []
    # A delay drawn when the cable went in, a moment before the transaction, is the session's too.
    draws = DelayDraw.objects.filter(
        connector=session.connector_id, nominal__gte=start - timedelta(minutes=1), nominal__lte=end
    ).select_related("skipped_by")
    for draw in draws:
        if draw.seconds == 0:
            continue
        if draw.skipped is not None:
            who = f" by {draw.skipped_by.name or draw.skipped_by.email}" if draw.skipped_by else ""
            text = f"A random delay of {_length(draw.seconds)} was skipped{who}."
        else:
            text = f"{_DELAYED[DelayDraw.Change(draw.change)]} a random delay of {_length(draw.seconds)}."
        events.append((draw.nominal, "random-delay", text))
    overrides = Override.objects.filter(connector=session.connector_id, created__gte=start - timedelta(minutes=2))
    for override in overrides.filter(created__lte=end).select_related("created_by"):
        who = f" by {override.created_by.name or override.created_by.email}" if override.created_by else ""
        events.append((override.created, "charge-now", f"Charge now was asked for{who}{_amount(override)}."))
        if override.ended is not None and override.end_reason in _ENDED:
            events.append((override.ended, "charge-now-ended", _ENDED[override.end_reason]))
    for pause in HolidayPause.objects.filter(charge_point=session.charge_point_id, start__lte=end):
        mine = pause.connector_id in (None, session.connector_id)
        if mine and (pause.end is None or pause.end > start):
            events.append((max(pause.start, start), "holiday-pause", "A pause was in force."))
    for response in DemandResponse.objects.filter(charge_point=session.charge_point_id, start__lte=end, end__gt=start):
        refused = response.opted_out is not None
        text = f"Demand response: at most {response.limit_a} A{', refused by the owner' if refused else ''}."
        events.append((max(response.start, start), "demand-response", text))
    return [
        {"time": isoformat(time), "code": code, "text": text}
        for time, code, text in sorted(events, key=lambda event: event[0])
    ]


def _amount(override: Override) -> str:
    if override.energy_wh is not None:
        return f" for {override.energy_wh / 1000:g} kWh"
    if override.until is not None:
        minutes = round((override.until - override.created).total_seconds() / 60)
        return f" for {_length(minutes * 60)}"
    return ""


def _length(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = (f"{hours} h" if hours else "", f"{minutes} min" if minutes else "", f"{rest} s" if rest else "")
    return " ".join(part for part in parts if part) or "0 s"
