"""Connectors with their state, many at once: a bounded number of queries whatever the number of charge points."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chargeamps.accounts.models import Membership, Site
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common.clock import isoformat
from chargeamps.schedules import planner
from chargeamps.schedules.hours import SiteHours, site_hours
from chargeamps.schedules.models import DelayDraw, HolidayPause, HoursChoice, ReadyByRequest, Schedule
from chargeamps.schedules.plan import HORIZON, PlanBook, book_of, zone_of
from chargeamps.schedules.state import View, connector_json, latest_commands
from chargeamps.schedules.words import plan_text
from chargeamps.usage.selectors import open_sessions

# How long a finished command stays beside its connector, so that a person sees how it ended.
COMMAND_SHOWN = timedelta(minutes=5)


def views_of(charge_points: Iterable[ChargePoint], now: datetime) -> dict[ChargePoint, list[View]]:
    """The view of every connector, by charge point. Expects ``connectors`` and ``site`` to be fetched along."""
    book = PlanBook(charge_points, now)
    rows = list(book.charge_points.values())
    keys = [connector.pk for row in rows for connector in book.connectors(row)]
    sessions, commands = open_sessions(keys), latest_commands(keys, now - COMMAND_SHOWN)
    views: dict[ChargePoint, list[View]] = {}
    for row in rows:
        connectors = book.connectors(row)
        plan = book.build(row, now, now + HORIZON).timelines if connectors else {}
        views[row] = [
            View(
                charge_point=row,
                connector=connector,
                timeline=plan[connector.number],
                override=book.override(connector),
                ready_by=book.ready_by(connector),
                session=sessions.get(connector.pk),
                command=commands.get(connector.pk),
                now=now,
            )
            for connector in connectors
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
    book, charge_point = book_of(connector.charge_point_id, start)
    timeline = book.build(charge_point, start, end).timelines[connector.number]
    return {
        "generated_at": isoformat(start),
        "from": isoformat(start),
        "to": isoformat(end),
        "time_zone": str(zone_of(charge_point)),
        "items": [
            {
                "from": isoformat(slot.start),
                "to": isoformat(slot.end),
                "limit_a": slot.limit_a,
                "reason": {"code": slot.reason.code, "text": plan_text(slot)},
            }
            for slot in timeline
        ],
    }


def windows_json(windows: Iterable[planner.Window]) -> list[dict[str, Any]]:
    """Windows as the API writes them."""
    return [window.as_json() for window in windows]


def hours_brief(hours: SiteHours, role: str) -> dict[str, Any]:
    """The default charging hours in short, for the live socket."""
    may_change = role in Membership.MANAGING
    return {
        "choice": hours.choice.choice if hours.choice else None,
        "due": hours.due and may_change,
        "in_force": _in_force(hours),
        "may_change": may_change,
    }


def default_hours_json(site: Site, role: str, now: datetime) -> dict[str, Any]:
    """The default charging hours of a site, with what they are measured against."""
    hours, rules = site_hours([site], now)[site.pk], planner.rules_at(now)
    return {
        **hours_brief(hours, role),
        "windows": windows_json(hours.windows or ()),
        "preset": windows_json(rules.preset_hours),
        "peak_hours": windows_json(rules.peak_hours),
        "time_zone": site.time_zone,
        "chosen_at": isoformat(hours.choice.created) if hours.choice else None,
        "chosen_by": str(hours.choice.created_by) if hours.choice and hours.choice.created_by else None,
    }


def _in_force(hours: SiteHours) -> str:
    if hours.choice is None or hours.choice.choice == HoursChoice.Choice.ACCEPTED:
        return "preset"
    return "none" if hours.windows is None else "own"


def schedules_of(connector: Connector) -> list[Schedule]:
    """The schedules of a socket and those of its whole charger."""
    rows = Schedule.objects.filter(charge_point=connector.charge_point_id)
    return [row for row in rows if row.connector_id in (None, connector.pk)]


def schedule_json(schedule: Schedule, warnings: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": str(schedule.pk),
        "name": schedule.name,
        "scope": "charger" if schedule.connector_id is None else "socket",
        "connector": str(schedule.connector_id) if schedule.connector_id else None,
        "windows": schedule.windows,
        "limit_a": schedule.limit_a,
        "time_base": schedule.time_base,
        "enabled": schedule.enabled,
        "created": isoformat(schedule.created),
        "warnings": warnings,
    }


def pause_of(connector: Connector, now: datetime) -> HolidayPause | None:
    """The pause that holds or is to come for a socket: its own before the charger's."""
    rows = HolidayPause.objects.filter(charge_point=connector.charge_point_id).order_by("start")
    mine = [
        row
        for row in rows
        if row.connector_id in (None, connector.pk) and (row.end is None or row.end > max(now, row.start))
    ]
    return min(mine, key=lambda row: (row.connector_id is None, row.start), default=None)


def pause_json(pause: HolidayPause | None) -> dict[str, Any]:
    if pause is None:
        return {"pause": None}
    scope = "charger" if pause.connector_id is None else "socket"
    return {"pause": {"from": isoformat(pause.start), "to": isoformat(pause.end), "scope": scope}}


def delay_json(draw: DelayDraw) -> dict[str, Any]:
    """One row of the journal of random delays."""
    return {
        "id": str(draw.pk),
        "nominal": isoformat(draw.nominal),
        "kind": draw.change,
        "cause": draw.cause,
        "seconds": draw.seconds,
        "maximum_s": draw.maximum_s,
        "actual": isoformat(draw.actual),
        "skipped_at": isoformat(draw.skipped),
        "skipped_by": str(draw.skipped_by) if draw.skipped_by else None,
        "reason": draw.reason,
    }


def ready_by_of(connector: Connector, now: datetime) -> ReadyByRequest | None:
    """The request whose time has not come."""
    return ReadyByRequest.objects.filter(connector=connector, by__gt=now).first()
