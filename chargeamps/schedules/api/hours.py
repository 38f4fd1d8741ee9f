"""Default charging hours, schedules, the holiday pause, and the random delay."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.access import access_site
from chargeamps.accounts.authentication import person
from chargeamps.accounts.models import Membership
from chargeamps.chargers.access import access_connector
from chargeamps.chargers.models import ChargePoint
from chargeamps.common import clock
from chargeamps.common.api import IDEMPOTENCY_KEY, ApiView, ProblemSerializer
from chargeamps.common.idempotency import idempotent
from chargeamps.common.pagination import CursorPagination
from chargeamps.schedules import planner, selectors
from chargeamps.schedules.access import access_schedule
from chargeamps.schedules.models import DelayDraw, HoursChoice, Schedule
from chargeamps.schedules.services import hours

DAYS = [day.name.lower() for day in planner.Weekday]
REFUSALS = {400: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer}


class WindowSerializer(serializers.Serializer[Any]):
    days = serializers.ListField(child=serializers.ChoiceField(DAYS))
    start = serializers.CharField(help_text="Wall time, HH:MM.")
    end = serializers.CharField(help_text="Wall time, HH:MM or 24:00; before the start it means the next day.")


class WarningSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    minutes = serializers.IntegerField()
    text = serializers.CharField()


class DefaultHoursSerializer(serializers.Serializer[Any]):
    choice = serializers.ChoiceField(HoursChoice.Choice.choices, allow_null=True)
    due = serializers.BooleanField(help_text="You have yet to choose; until then the preset holds.")
    in_force = serializers.ChoiceField(["preset", "own", "none"])
    may_change = serializers.BooleanField()
    windows = WindowSerializer(many=True)
    preset = WindowSerializer(many=True)
    peak_hours = WindowSerializer(many=True)
    time_zone = serializers.CharField()
    chosen_at = serializers.DateTimeField(allow_null=True)
    chosen_by = serializers.CharField(allow_null=True)
    warnings = WarningSerializer(many=True, required=False)


class ChoiceSerializer(serializers.Serializer[Any]):
    choice = serializers.ChoiceField(HoursChoice.Choice.choices)
    # Read by the planner, whose messages name the field.
    windows = serializers.JSONField(required=False)


class DefaultHoursView(ApiView):
    @extend_schema(responses={200: DefaultHoursSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The hours in which charging happens by default, the peaks they keep out of, and what was chosen."""
        membership = access_site(person(request), id)
        return Response(selectors.default_hours_json(membership.site, membership.role, clock.now()))

    @extend_schema(request=ChoiceSerializer, responses={200: DefaultHoursSerializer, **REFUSALS})
    def put(self, request: Request, id: str) -> Response:
        """Accept, change or remove the default charging hours."""
        user = person(request)
        membership = access_site(user, id, manage=True)
        data = self.read(ChoiceSerializer)
        made = hours.choose(site=membership.site, user=user, **data)
        removed = made.choice == HoursChoice.Choice.REMOVED
        return Response(
            {
                **selectors.default_hours_json(membership.site, membership.role, clock.now()),
                "warnings": hours.peak_warnings(None if removed else made.windows),
            }
        )


class ScheduleSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(read_only=True)
    name = serializers.CharField(max_length=60, required=False, allow_blank=True)
    scope = serializers.ChoiceField(["socket", "charger"], required=False)
    connector = serializers.CharField(read_only=True, allow_null=True)
    windows = serializers.JSONField()
    limit_a = serializers.IntegerField(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=hours.MOST_LIMIT_A,
        help_text="Empty: the hours to charge in. 6 to 32: at most so many amperes in them. 0: none.",
    )
    time_base = serializers.ChoiceField(Schedule.TimeBase.choices, required=False)
    enabled = serializers.BooleanField(required=False)
    created = serializers.DateTimeField(read_only=True)
    warnings = WarningSerializer(many=True, read_only=True)


class ScheduleChangesSerializer(ScheduleSerializer):
    windows = serializers.JSONField(required=False)


class SchedulesView(ApiView):
    @extend_schema(responses={200: ScheduleSerializer(many=True), 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The schedules of this socket and of its whole charger."""
        connector = access_connector(person(request), id)
        return Response({"results": [_schedule(each) for each in selectors.schedules_of(connector)]})

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY], request=ScheduleSerializer, responses={201: ScheduleSerializer, **REFUSALS}
    )
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Add a schedule."""
        user = person(request)
        connector = access_connector(user, id, manage=True)
        made = hours.save_schedule(connector=connector, user=user, fields=dict(self.read(ScheduleSerializer)))
        return Response(_schedule(made), status.HTTP_201_CREATED)


class ScheduleView(ApiView):
    @extend_schema(request=ScheduleChangesSerializer, responses={200: ScheduleSerializer, **REFUSALS})
    def patch(self, request: Request, id: str, schedule_id: str) -> Response:
        """Change a schedule."""
        user = person(request)
        connector, schedule = access_schedule(user, id, schedule_id)
        fields = dict(self.read(ScheduleChangesSerializer))
        return Response(
            _schedule(hours.save_schedule(connector=connector, user=user, fields=fields, schedule=schedule))
        )

    @extend_schema(responses={204: None, 403: ProblemSerializer, 404: ProblemSerializer})
    def delete(self, request: Request, id: str, schedule_id: str) -> Response:
        """Delete a schedule."""
        user = person(request)
        _, schedule = access_schedule(user, id, schedule_id)
        hours.delete_schedule(schedule=schedule, user=user)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _schedule(schedule: Schedule) -> dict[str, Any]:
    warns = schedule.limit_a is None and schedule.enabled
    return selectors.schedule_json(schedule, hours.peak_warnings(schedule.windows) if warns else [])


class PauseFieldsSerializer(serializers.Serializer[Any]):
    # "from" is a keyword of Python, so the fields are named here.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "from": serializers.DateTimeField(required=False, help_text="Now, where it is left out."),
            "to": serializers.DateTimeField(allow_null=True, help_text="Empty: until it is ended."),
            "scope": serializers.ChoiceField(["socket", "charger"], default="charger"),
        }


class PauseSerializer(serializers.Serializer[Any]):
    pause = PauseFieldsSerializer(allow_null=True)


class PauseView(ApiView):
    @extend_schema(responses={200: PauseSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The holiday pause that holds or is to come."""
        connector = access_connector(person(request), id)
        return Response(selectors.pause_json(selectors.pause_of(connector, clock.now())))

    @extend_schema(request=PauseFieldsSerializer, responses={200: PauseSerializer, **REFUSALS})
    def put(self, request: Request, id: str) -> Response:
        """Charge nothing for a time, except by "charge now"."""
        user = person(request)
        connector = access_connector(user, id, manage=True)
        data = self.read(PauseFieldsSerializer)
        made = hours.pause(
            connector=connector,
            user=user,
            start=data.get("from"),
            end=data["to"],
            whole_charger=data["scope"] == "charger",
        )
        return Response(selectors.pause_json(made))

    @extend_schema(responses={204: None, 403: ProblemSerializer, 404: ProblemSerializer})
    def delete(self, request: Request, id: str) -> Response:
        """End the pause."""
        user = person(request)
        hours.end_pause(connector=access_connector(user, id, manage=True), user=user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class RandomDelaySerializer(serializers.Serializer[Any]):
    maximum_s = serializers.IntegerField(help_text="The longest one of the site's chargers.")
    default_s = serializers.IntegerField()
    ceiling_s = serializers.IntegerField()
    floor_s = serializers.IntegerField(help_text="The lowest that you may set.")
    may_change = serializers.BooleanField()


class MaximumSerializer(serializers.Serializer[Any]):
    maximum_s = serializers.JSONField()


class RandomDelayView(ApiView):
    @extend_schema(responses={200: RandomDelaySerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The longest random delay, and what may be set."""
        return Response(_random_delay(access_site(person(request), id)))

    @extend_schema(request=MaximumSerializer, responses={200: RandomDelaySerializer, **REFUSALS})
    def put(self, request: Request, id: str) -> Response:
        """Set the longest random delay of all the site's chargers; it holds from the next event on."""
        user = person(request)
        membership = access_site(user, id, manage=True)
        hours.set_delay_maximum(
            charge_points=ChargePoint.objects.filter(site=membership.site),
            maximum_s=self.read(MaximumSerializer)["maximum_s"],
            actor=user,
            operator=hours.is_operator(user, membership),
        )
        return Response(_random_delay(membership))


def _random_delay(membership: Membership) -> dict[str, Any]:
    rules = planner.rules_at(clock.now())
    set_ = ChargePoint.objects.filter(site=membership.site).values_list("delay_maximum_s", flat=True)
    return {
        "maximum_s": max(set_, default=rules.delay_default_s),
        "default_s": rules.delay_default_s,
        "ceiling_s": rules.delay_ceiling_s,
        "floor_s": 0 if hours.is_operator(membership.user, membership) else rules.delay_default_s,
        "may_change": membership.role in Membership.MANAGING,
    }


class DelaySerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    nominal = serializers.DateTimeField()
    kind = serializers.ChoiceField(DelayDraw.Change.choices)
    cause = serializers.ChoiceField(DelayDraw.Cause.choices)
    seconds = serializers.IntegerField()
    maximum_s = serializers.IntegerField()
    actual = serializers.DateTimeField(allow_null=True)
    skipped_at = serializers.DateTimeField(allow_null=True)
    skipped_by = serializers.CharField(allow_null=True)
    reason = serializers.CharField()


class DelayPagination(CursorPagination):
    ordering = ("-nominal", "-id")


class DelaysView(ApiView):
    pagination_class = DelayPagination

    @extend_schema(responses={200: DelaySerializer(many=True), 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The random delays of this socket, newest first."""
        connector = access_connector(person(request), id)
        past = DelayDraw.objects.filter(connector=connector, nominal__lte=clock.now()).select_related("skipped_by")
        return self.page(past, selectors.delay_json)
