"""From the database to the planner: what holds for the connectors of charge points, as plans."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common import sql
from chargeamps.schedules import planner
from chargeamps.schedules.hours import Windows, hours_of, latest_choices
from chargeamps.schedules.models import (
    DelayDraw,
    DemandResponse,
    HolidayPause,
    HoursChoice,
    Override,
    ReadyByRequest,
    Schedule,
    StoredDelays,
)

# A socket of the Aura delivers at most 32 A a phase.
CONNECTOR_MAX_A = 32.0
# How far ahead the plan is looked at to say when charging starts or ends: over any weekend.
HORIZON = timedelta(days=7)
# A delay runs for at most 1800 s: what is older has no bearing on a plan any more.
LONGEST_DELAY = timedelta(seconds=1800)
UTC_ZONE = ZoneInfo("UTC")
PLUGGED = frozenset({"Preparing", "Charging", "SuspendedEVSE", "SuspendedEV", "Finishing"})


@dataclass(slots=True)
class _Parts:
    schedules: list[Schedule] = field(default_factory=list)
    pauses: list[HolidayPause] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    draws: list[DelayDraw] = field(default_factory=list)
    stored: StoredDelays | None = None
    ready_by: ReadyByRequest | None = None


class PlanBook:
    """All that bears on the plans of some charge points, read in a bounded number of queries.

    Expects ``site`` and ``connectors`` of the charge points to be fetched along.
    """

    def __init__(self, charge_points: Iterable[ChargePoint], at: datetime) -> None:
        self.at = at
        self.charge_points = {charge_point.pk: charge_point for charge_point in charge_points}
        self._connectors = {
            charge_point.pk: sorted(charge_point.connectors.all(), key=lambda connector: connector.number)
            for charge_point in self.charge_points.values()
        }
        keys = [connector.pk for connectors in self._connectors.values() for connector in connectors]
        self._parts: dict[UUID, _Parts] = {key: _Parts() for key in keys}
        self._choices: Mapping[UUID, HoursChoice] = latest_choices(
            {charge_point.site_id for charge_point in self.charge_points.values() if charge_point.site_id}
        )
        self._responses: dict[UUID, list[DemandResponse]] = defaultdict(list)
        self._read(keys)

    def _read(self, keys: list[UUID]) -> None:
        since = self.at - LONGEST_DELAY
        recent = Q(end=None) | Q(end__gt=since)
        schedules, pauses, overrides, wishes, responses = self._kinds(since)
        for schedule in Schedule.objects.filter(charge_point__in=self.charge_points, enabled=True) if schedules else ():
            for key in self._scope(schedule):
                self._parts[key].schedules.append(schedule)
        for pause in HolidayPause.objects.filter(recent, charge_point__in=self.charge_points) if pauses else ():
            for key in self._scope(pause):
                self._parts[key].pauses.append(pause)
        running = Q(ended=None) | Q(ended__gt=since)
        for override in Override.objects.filter(running, connector__in=keys) if overrides else ():
            self._parts[override.connector_id].overrides.append(override)
        for draw in DelayDraw.objects.filter(connector__in=keys, nominal__gt=since).order_by("nominal"):
            self._parts[draw.connector_id].draws.append(draw)
        for stored in StoredDelays.objects.filter(connector__in=keys):
            self._parts[stored.connector_id].stored = stored
        for wish in ReadyByRequest.objects.filter(connector__in=keys, by__gt=since) if wishes else ():
            self._parts[wish.connector_id].ready_by = wish
        events = DemandResponse.objects.filter(charge_point__in=self.charge_points, end__gt=since)
        for response in events if responses else ():
            self._responses[response.charge_point_id].append(response)

    def _kinds(self, since: datetime) -> tuple[bool, ...]:
        """Which kinds of rows there are: mostly none, and one charge point is planned anew for every tap."""
        if len(self.charge_points) != 1:
            return (True,) * 5
        [key] = self.charge_points
        [found] = sql.fetch(_KINDS, key, key, since, key, since, key, since, key, since)
        return tuple(bool(kind) for kind in found)

    def _scope(self, row: Schedule | HolidayPause) -> Iterable[UUID]:
        if row.connector_id is not None:
            return (row.connector_id,)
        return (connector.pk for connector in self._connectors[row.charge_point_id])

    def connectors(self, charge_point: ChargePoint) -> list[Connector]:
        """The connectors in order of their numbers."""
        return self._connectors[charge_point.pk]

    def override(self, connector: Connector) -> Override | None:
        """The "charge now" that has not ended."""
        return next((o for o in self._parts[connector.pk].overrides if o.ended is None), None)

    def ready_by(self, connector: Connector) -> ReadyByRequest | None:
        """The ready-by request whose time has not come."""
        wish = self._parts[connector.pk].ready_by
        return wish if wish is not None and wish.by > self.at else None

    def stored(self, connector: Connector) -> StoredDelays | None:
        """The delays that the connector's stored profiles hold."""
        return self._parts[connector.pk].stored

    def draws(self, connector: Connector) -> list[DelayDraw]:
        """The journal of half an hour back and all that is drawn ahead, in order of time."""
        return self._parts[connector.pk].draws

    def lasting(self, charge_point: ChargePoint, connector: Connector) -> planner.Connector:
        """The part of a connector's plan that lasts and repeats: hours and schedules."""
        schedules = self._parts[connector.pk].schedules
        own = [schedule for schedule in schedules if schedule.limit_a is None]
        own = [schedule for schedule in own if schedule.connector_id is not None] or own
        zone = zone_of(charge_point)
        hours: Windows | None = hours_of(charge_point, self._choices, self.at).windows
        base: tuple[planner.Schedule, ...] = ()
        if own:
            hours, base = (), tuple(_schedule(schedule, zone) for schedule in own)
        limits = tuple(_schedule(schedule, zone) for schedule in schedules if schedule.limit_a is not None)
        # Of two limits the lower one wins, whichever was made last.
        limits = tuple(sorted(limits, key=lambda schedule: -(schedule.limit_a or 0.0)))
        return planner.Connector(
            number=connector.number,
            max_a=CONNECTOR_MAX_A,
            hours=hours,
            zone=zone,
            schedules=base,
            limits=limits,
        )

    def weekly_delays(self, connector: Connector) -> dict[tuple[planner.Variant, int], int]:
        """The drawn delays of the week that repeats."""
        stored = self.stored(connector)
        return weekly_of(stored) if stored else {}

    def planned(
        self,
        charge_point: ChargePoint,
        connector: Connector,
        start: datetime,
        end: datetime,
        *,
        present: planner.Slot | None = None,
        ready_by: bool = True,
        stored: bool = False,
    ) -> planner.Connector:
        """One connector with everything that bears on it from ``start`` up to ``end``.

        ``stored`` leaves out what stands on the charger as a profile of its own: "charge now", skipped delays, and
        where it keeps one, the delay at plug-in.
        """
        parts = self._parts[connector.pk]
        lasting = self.lasting(charge_point, connector)
        keeps_start = stored and parts.stored is not None and parts.stored.start_accepted
        drawn = {
            draw.nominal: planner.Draw(draw.nominal, draw.seconds, draw.before_a, None if stored else draw.skipped)
            for draw in parts.draws
            if not (keeps_start and draw.cause == DelayDraw.Cause.PLUG_IN)
        }
        for draw in planner.weekly_draws(lasting, self.weekly_delays(connector), start, end):
            if draw.nominal > self.at and draw.nominal not in drawn:
                drawn[draw.nominal] = draw
        wish = parts.ready_by if ready_by else None
        return planner.Connector(
            number=connector.number,
            max_a=CONNECTOR_MAX_A,
            hours=lasting.hours,
            zone=lasting.zone,
            schedules=lasting.schedules,
            limits=lasting.limits,
            pauses=tuple(planner.Pause(pause.start, pause.end) for pause in parts.pauses),
            charge_now=()
            if stored
            else tuple(_charge_now(override) for override in sorted(parts.overrides, key=lambda o: o.created)),
            dsr=tuple(_response(response) for response in self._responses[charge_point.pk]),
            ready_by=planner.ReadyBySlots(wish.since, wish.by, _intervals(wish)) if wish else None,
            draws=tuple(drawn[nominal] for nominal in sorted(drawn)),
            present=present,
        )

    def build(
        self,
        charge_point: ChargePoint,
        start: datetime,
        end: datetime,
        *,
        present: Mapping[int, planner.Slot] | None = None,
        capacity: bool = True,
        ready_by: bool = True,
        stored: bool = False,
        draw_for: planner.DrawFor | None = None,
    ) -> planner.Plan:
        """The plan of a charge point. Without ``capacity`` it is what is asked for, whatever the installation gives."""
        connectors = self.connectors(charge_point)
        request = planner.PlanRequest(
            start=start,
            end=end,
            connectors=tuple(
                self.planned(
                    charge_point,
                    each,
                    start,
                    end,
                    present=(present or {}).get(each.number),
                    ready_by=ready_by,
                    stored=stored,
                )
                for each in connectors
            ),
            capacity=_capacity(charge_point, connectors) if capacity else (),
        )
        return planner.build_plan(request, draw_for)


_KINDS = """
    SELECT EXISTS (SELECT 1 FROM schedules_schedule WHERE charge_point_id = %s),
           EXISTS (SELECT 1 FROM schedules_holidaypause
                   WHERE charge_point_id = %s AND ("end" IS NULL OR "end" > %s)),
           EXISTS (SELECT 1 FROM schedules_override o JOIN chargers_connector c ON c.id = o.connector_id
                   WHERE c.charge_point_id = %s AND (o.ended IS NULL OR o.ended > %s)),
           EXISTS (SELECT 1 FROM schedules_readybyrequest r JOIN chargers_connector c ON c.id = r.connector_id
                   WHERE c.charge_point_id = %s AND r."by" > %s),
           EXISTS (SELECT 1 FROM schedules_demandresponse WHERE charge_point_id = %s AND "end" > %s)
"""


def book_of(charge_point: UUID, at: datetime) -> tuple[PlanBook, ChargePoint]:
    """The book of one charge point, freshly read."""
    row = ChargePoint.objects.select_related("site").prefetch_related("connectors").get(pk=charge_point)
    return PlanBook([row], at), row


def zone_of(charge_point: ChargePoint) -> ZoneInfo:
    """The clock on the wall where the charge point hangs."""
    return ZoneInfo(charge_point.site.time_zone) if charge_point.site else planner.LONDON


def weekly_of(stored: StoredDelays) -> dict[tuple[planner.Variant, int], int]:
    """The stored form of weekly delays as the planner takes them."""
    return {(planner.Variant(variant), second): seconds for variant, second, seconds in stored.weekly}


def overrides_in_force(connectors: Iterable[UUID]) -> dict[UUID, Override]:
    """The "charge now" of each connector that has not ended."""
    return {o.connector_id: o for o in Override.objects.filter(connector__in=list(connectors), ended=None)}


def _schedule(schedule: Schedule, zone: ZoneInfo) -> planner.Schedule:
    return planner.Schedule(
        schedule_id=str(schedule.pk),
        windows=planner.parse_windows(schedule.windows),
        limit_a=schedule.limit_a,
        zone=UTC_ZONE if schedule.time_base == Schedule.TimeBase.UTC else zone,
    )


def _charge_now(override: Override) -> planner.ChargeNow:
    ends = [end for end in (override.until, override.ended) if end is not None]
    return planner.ChargeNow(
        start=override.created,
        end=min(ends) if ends else None,
        ended_by_person=override.ended is not None and override.end_reason == "wait-for-schedule",
    )


def _response(response: DemandResponse) -> planner.DsrEvent:
    return planner.DsrEvent(
        event_id=str(response.pk),
        start=response.start,
        end=response.end,
        limit_a=float(response.limit_a),
        response=response.response,
        # Only an operator of this installation can enter one.
        trusted=True,
        delay_applied=response.delay_applied,
        opted_out=response.opted_out,
    )


def _intervals(wish: ReadyByRequest) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in wish.chosen)


def _capacity(charge_point: ChargePoint, connectors: Iterable[Connector]) -> tuple[planner.CapacityLimit, ...]:
    """What the sockets share: only those with a cable in take part."""
    if charge_point.installation_limit_a is None:
        return ()
    members = frozenset(connector.number for connector in connectors if connector.status in PLUGGED)
    return (planner.CapacityLimit(float(charge_point.installation_limit_a), members),)
