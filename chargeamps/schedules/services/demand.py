"""Demand-side response events, entered by the operator of this installation (SI 2021/1467 reg 5)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from chargeamps.chargers.models import ChargePoint
from chargeamps.common import clock
from chargeamps.common.problems import Conflict, Invalid, NotFound
from chargeamps.schedules.models import DemandResponse
from chargeamps.schedules.services.delays import changing_plan
from chargeamps.schedules.services.hours import LEAST_LIMIT_A, MOST_LIMIT_A
from chargeamps.securitylog.services import record


@transaction.atomic
def announce(
    *,
    charge_point: ChargePoint,
    start: datetime,
    end: datetime,
    limit_a: int,
    source: str,
    response: bool = False,
    delay_applied: bool = False,
) -> DemandResponse:
    """Cap a charge point at ``limit_a`` amperes per phase from ``start`` (now, where that has passed) up to ``end``.

    ``response`` is a response service, which waits for no delay (reg 11(2)(c)); ``delay_applied`` says that the sender
    has randomised the beginning already (reg 11(2)(b)). Raises ``Invalid``.
    """
    now = clock.now().replace(microsecond=0)
    start, end = max(now, start.replace(microsecond=0)), end.replace(microsecond=0)
    errors = {}
    if end <= start:
        errors["to"] = ["It must end after it begins, and not in the past."]
    if limit_a != 0 and not LEAST_LIMIT_A <= limit_a <= MOST_LIMIT_A:
        errors["limit_a"] = [f"0 for no charging, or {LEAST_LIMIT_A} to {MOST_LIMIT_A} A."]
    if errors:
        raise Invalid(errors)
    with changing_plan([charge_point.pk], now):
        event = DemandResponse.objects.create(
            charge_point=charge_point,
            source=source,
            start=start,
            end=end,
            limit_a=limit_a,
            response=response,
            delay_applied=delay_applied,
            created=now,
        )
    _note(event, "demand-response-announced")
    return event


@transaction.atomic
def cancel(*, charge_point: ChargePoint, id: UUID) -> DemandResponse:
    """Take an event back: one that has begun ends now. Raises ``NotFound``, or ``Conflict`` where it is over."""
    now = clock.now().replace(microsecond=0)
    event = DemandResponse.objects.select_for_update().filter(charge_point=charge_point, pk=id).first()
    if event is None:
        raise NotFound
    if event.end <= now:
        raise Conflict("This demand response is over.", code="not-possible-now")
    with changing_plan([charge_point.pk], now):
        if event.start >= now:
            DemandResponse.objects.filter(pk=event.pk).delete()
        else:
            event.end = now
            event.save(update_fields=["end"])
    _note(event, "demand-response-cancelled")
    return event


def _note(event: DemandResponse, kind: str) -> None:
    record(
        kind=kind,
        outcome="success",
        actor="operator",
        charge_point=str(event.charge_point_id),
        site=str(event.charge_point.site_id or ""),
        detail={
            "event": str(event.pk),
            "source": event.source,
            "from": clock.isoformat(event.start),
            "to": clock.isoformat(event.end),
            "limit_a": event.limit_a,
            "response": event.response,
            "delay_applied": event.delay_applied,
        },
    )
