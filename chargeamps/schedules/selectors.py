"""Connectors with their state, many at once: a bounded number of queries whatever the number of charge points."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chargeamps.accounts.models import Membership
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common.clock import isoformat
from chargeamps.schedules import planner
from chargeamps.schedules.plan import HORIZON, overrides_in_force, timelines
from chargeamps.schedules.state import View, connector_json, latest_commands
from chargeamps.usage.selectors import open_sessions

# How long a finished command stays beside its connector, so that a person sees how it ended.
COMMAND_SHOWN = timedelta(minutes=5)

PLAN_TEXTS = {
    "default-hours": "Inside your charging hours",
    "outside-hours": "Waiting for your off-peak hours",
    "charge-now": "You asked it to charge now",
    "always": "No charging hours are set",
}


def views_of(charge_points: Iterable[ChargePoint], now: datetime) -> dict[ChargePoint, list[View]]:
    """The view of every connector, by charge point. Expects ``connectors`` and ``site`` to be fetched along."""
    charge_points = list(charge_points)
    connectors = [connector for charge_point in charge_points for connector in charge_point.connectors.all()]
    keys = [connector.pk for connector in connectors]
    overrides, sessions = overrides_in_force(keys), open_sessions(keys)
    commands = latest_commands(keys, now - COMMAND_SHOWN)
    views: dict[ChargePoint, list[View]] = {}
    for charge_point in charge_points:
        own = sorted(charge_point.connectors.all(), key=lambda connector: connector.number)
        plans = timelines(charge_point, own, overrides, now, now + HORIZON) if own else {}
        views[charge_point] = [
            View(
                charge_point=charge_point,
                connector=connector,
                timeline=plans[connector.number],
                override=overrides.get(connector.pk),
                session=sessions.get(connector.pk),
                command=commands.get(connector.pk),
                now=now,
            )
            for connector in own
        ]
    return views


def view_of(connector: Connector, now: datetime) -> View:
    """The view of one connector."""
    charge_point = (
        ChargePoint.objects.select_related("site").prefetch_related("connectors").get(pk=connector.charge_point_id)
    )
    return next(view for view in views_of([charge_point], now)[charge_point] if view.connector.pk == connector.pk)


def connectors_json(
    charge_points: Iterable[ChargePoint], roles: Mapping[UUID | None, str], now: datetime
) -> dict[str, dict[str, Any]]:
    """All connectors by id, with the actions that each site's role (``roles`` by site id) allows."""
    return {
        str(view.connector.pk): connector_json(
            view, may_charge=roles.get(charge_point.site_id, "") in Membership.CHARGING
        )
        for charge_point, views in views_of(charge_points, now).items()
        for view in views
    }


def plan_json(connector: Connector, start: datetime, end: datetime) -> dict[str, Any]:
    """The connector's timeline from ``start`` to ``end``."""
    charge_point = ChargePoint.objects.select_related("site").get(pk=connector.charge_point_id)
    overrides = overrides_in_force([connector.pk])
    timeline = timelines(charge_point, [connector], overrides, start, end)[connector.number]
    return {
        "generated_at": isoformat(start),
        "from": isoformat(start),
        "to": isoformat(end),
        "time_zone": charge_point.site.time_zone if charge_point.site else str(planner.LONDON),
        "items": [
            {
                "from": isoformat(slot.start),
                "to": isoformat(slot.end),
                "limit_a": slot.limit_a,
                "reason": {"code": slot.reason.code, "text": PLAN_TEXTS.get(slot.reason.code, slot.reason.code)},
            }
            for slot in timeline
        ],
    }


def windows_json(windows: Iterable[planner.Window]) -> list[dict[str, Any]]:
    """Windows as the API writes them."""
    return [
        {
            "days": [day.name.lower() for day in sorted(window.days)],
            "start": window.start.isoformat("minutes"),
            "end": window.end.isoformat("minutes"),
        }
        for window in windows
    ]
