"""What was used, by session, day, week and month, in the shapes of the API.

A session counts whole in the day, week, month and year in which it started, by the calendar of its site. Its day is
stored with it, so that the database adds up without asking any calendar, and weeks and months are sums of days.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from chargeamps.accounts.models import Site, User
from chargeamps.common import clock
from chargeamps.common.clock import isoformat
from chargeamps.usage.models import ChargingSession, Tariff
from chargeamps.usage.quality import quality
from chargeamps.usage.questions import Question, midnight

RULE = "A session counts in the day, week and month in which it started, in the site's time zone."
SESSIONS_IN_GROUPS = 1000
FREE_CHARGING_ID_TAG = "00000000000000"
DEFAULT_TIME_ZONE = "Europe/London"


def time_zone_of(user: User, site: Site | None = None) -> str:
    """The calendar that a person's reports go by: the site's, or that of the first site they belong to."""
    memberships = user.memberships.order_by("created", "pk")
    if site is not None:
        memberships = memberships.filter(site=site)
    return memberships.values_list("site__time_zone", flat=True).first() or DEFAULT_TIME_ZONE


def asked(sessions: QuerySet[ChargingSession], question: Question) -> QuerySet[ChargingSession]:
    """The sessions that a question is about."""
    return sessions.filter(local_day__range=(question.first_day, question.last_day), **question.filters)


def summary_json(sessions: QuerySet[ChargingSession], question: Question, user: User) -> dict[str, Any]:
    """Totals of a period and of its groups, empty ones included."""
    rows = asked(sessions, question)
    currencies = list(
        Tariff.objects.filter(site__memberships__user=user).order_by("currency").values_list("currency", flat=True)
        .distinct()
    )  # fmt: skip
    by_day = _by_day(rows, currencies)
    if question.group == "session":
        newest = rows.select_related("charge_point__site", "connector", "person").order_by("-started", "-id")
        groups = [
            {"from": isoformat(s.started), "to": isoformat(s.stopped), "sessions": 1, **session_json(s)}
            for s in newest[:SESSIONS_IN_GROUPS]
        ]
    else:
        groups = [
            {
                "from": isoformat(midnight(first, question.time_zone)),
                "to": isoformat(midnight_after(last, question.time_zone)),
                "first_day": first.isoformat(),
                "last_day": last.isoformat(),
                **_total(row for day, row in by_day if first <= day <= last),
            }
            for first, last in question.pieces()
        ] if question.group != "day" else _daily(by_day, question)  # fmt: skip
    return {
        "period": {
            "from": isoformat(question.begin),
            "to": isoformat(question.end),
            "first_day": question.first_day.isoformat(),
            "last_day": question.last_day.isoformat(),
            "time_zone": question.time_zone,
            "group": question.group,
        },
        "rule": RULE,
        "total": _total(row for _, row in by_day),
        "groups": groups,
    }


def midnight_after(day: date, time_zone: str) -> datetime:
    return midnight(date.fromordinal(day.toordinal() + 1), time_zone)


def _daily(by_day: list[tuple[date, "_Row"]], question: Question) -> list[dict[str, Any]]:
    rows: dict[date, list[_Row]] = {}
    for day, row in by_day:
        rows.setdefault(day, []).append(row)
    return [
        {
            "from": isoformat(midnight(day, question.time_zone)),
            "to": isoformat(midnight_after(day, question.time_zone)),
            "first_day": day.isoformat(),
            "last_day": day.isoformat(),
            **_total(rows.get(day, ())),
        }
        for day, _ in question.pieces()
    ]


# Imported Wh, exported Wh, seconds of flow, sessions, millionths of a currency, the currency.
_Row = tuple[int, int, int, int, int | None, str]


def _by_day(rows: QuerySet[ChargingSession], currencies: list[str]) -> list[tuple[date, _Row]]:
    keys = ["local_day", *(["currency"] if len(currencies) > 1 else [])]
    totals = (
        rows.values(*keys)
        .annotate(
            imported=Sum("energy_import_wh"),
            exported=Sum("energy_export_wh"),
            flow=Sum("flow_seconds"),
            # Not of a column: the index alone answers, without a look at the rows.
            sessions=Count("*"),
            cost=Sum("cost_micros"),
        )
        .order_by(*keys)
    )
    only = currencies[0] if currencies else ""
    return [
        (
            row["local_day"],
            (
                int(row["imported"]),
                int(row["exported"]),
                int(row["flow"]),
                row["sessions"],
                row["cost"],
                row.get("currency", only),
            ),
        )
        for row in totals
    ]


def _total(rows: Iterable[_Row]) -> dict[str, Any]:
    imported = exported = flow = sessions = 0
    costs: dict[str, int] = {}
    for row in rows:
        imported, exported, flow, sessions = imported + row[0], exported + row[1], flow + row[2], sessions + row[3]
        if row[4] is not None and row[5]:
            costs[row[5]] = costs.get(row[5], 0) + int(row[4])
    return {
        "energy_import_wh": imported,
        "energy_export_wh": exported,
        "flow_seconds": flow,
        "sessions": sessions,
        "costs": [cost_json(micros, currency) for currency, micros in sorted(costs.items())],
    }


def cost_json(micros: int | None, currency: str) -> dict[str, str] | None:
    """Money as text, to the hundredth of a unit for people and exact beside it."""
    if micros is None:
        return None
    exact = Decimal(micros) / 1_000_000
    return {"currency": currency, "amount": f"{exact:.2f}", "exact": f"{exact:.6f}"}


def session_json(session: ChargingSession, now: datetime | None = None) -> dict[str, Any]:
    """A session as the API shows it. ``charge_point``, ``connector`` and ``person`` should be fetched with it."""
    now = now or clock.now()
    running = session.flowing_since if session.stopped is None else None
    flow = session.flow_seconds + (max(0, round((now - running).total_seconds())) if running else 0)
    plugged_from, plugged_until = session.plugged_from or session.started, session.plugged_until or session.stopped
    exact, notes = quality(
        findings=session.findings, flags=session.flags, missing=session.missing, ended=session.stopped is not None
    )
    return {
        "id": str(session.pk),
        "site": str(session.site_id) if session.site_id else None,
        "charge_point": str(session.charge_point_id),
        "charge_point_name": session.charge_point.name or session.charge_point.identity,
        "connector": str(session.connector_id),
        "number": session.connector.number,
        "started": isoformat(session.started),
        "stopped": isoformat(session.stopped),
        "local_day": session.local_day.isoformat(),
        "energy_import_wh": session.energy_import_wh,
        "energy_export_wh": session.energy_export_wh,
        "flow_seconds": flow,
        "plugged_seconds": max(0, round(((plugged_until or now) - plugged_from).total_seconds())),
        "id_tag_label": id_tag_label(session),
        "person": {"id": str(session.person_id), "name": session.person.name} if session.person else None,
        "cost": cost_json(session.cost_micros, session.currency),
        "stop_reason": session.stop_reason or None,
        "quality": {"exact": exact, "notes": notes},
    }


def session_detail_json(session: ChargingSession) -> dict[str, Any]:
    """A session with what the charger said beside what we made of it."""
    return session_json(session) | {
        "plugged_from": isoformat(session.plugged_from),
        "plugged_until": isoformat(session.plugged_until),
        "meter_start_wh": session.meter_start_wh,
        "meter_stop_wh": session.meter_stop_wh,
        "readings": session.readings,
        "missing": session.missing,
        "authorised": session.authorised,
        "told": {
            "started": session.start_told or None,
            "start_received": isoformat(session.start_received),
            "stopped": session.stop_told or None,
            "stop_received": isoformat(session.stop_received),
        },
        "findings": session.findings,
        "flags": session.flags,
    }


def id_tag_label(session: ChargingSession) -> str:
    """What started it, as a person knows it; of a card no more than its end is shown."""
    tag = session.id_tag
    if tag and tag == session.charge_point.app_id_tag:
        return "App"
    if tag in ("", FREE_CHARGING_ID_TAG):
        return "No card"
    return f"Card …{tag[-4:]}" if len(tag) > 4 else f"Card {tag}"
