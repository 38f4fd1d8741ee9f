"""Sockets: what they do and why, their plan, and "charge now" over "wait for schedule"."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.access import access_site
from chargeamps.accounts.authentication import person
from chargeamps.accounts.models import Membership, User
from chargeamps.chargers.access import access_connector
from chargeamps.chargers.api import CommandSerializer
from chargeamps.chargers.models import Command, Connector
from chargeamps.chargers.selectors import command_json
from chargeamps.common import clock
from chargeamps.common.api import IDEMPOTENCY_KEY, ApiView, ProblemSerializer
from chargeamps.common.idempotency import idempotent
from chargeamps.common.problems import Invalid
from chargeamps.schedules import planner, services
from chargeamps.schedules.selectors import plan_json, view_of, windows_json
from chargeamps.schedules.state import connector_json

DEFAULT_PLAN_HOURS = 24
LONGEST_PLAN_HOURS = 168


class ReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class RunningSessionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    started = serializers.DateTimeField()
    energy_wh = serializers.IntegerField()
    flow_seconds = serializers.IntegerField(help_text="Time that current flowed.")


class ConnectorSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    charge_point = serializers.CharField()
    number = serializers.IntegerField()
    state = serializers.ChoiceField(
        [
            "available",
            "waiting_for_schedule",
            "random_delay",
            "charging",
            "paused_by_vehicle",
            "finished",
            "unavailable",
            "faulted",
            "locked",
            "offline",
        ]
    )
    reason = ReasonSerializer()
    since = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    power_w = serializers.FloatField(allow_null=True)
    current_a = serializers.FloatField(allow_null=True, help_text="Of the phase that carries most.")
    voltage_v = serializers.FloatField(allow_null=True)
    measured_at = serializers.DateTimeField(allow_null=True)
    session = RunningSessionSerializer(allow_null=True)
    plug = serializers.ChoiceField(["in", "out", "unknown"])
    last_contact = serializers.DateTimeField(allow_null=True)
    actions = serializers.ListField(child=serializers.CharField())
    command = CommandSerializer(allow_null=True)


class PlanItemSerializer(serializers.Serializer[Any]):
    # "from" is a keyword of Python, so the fields are named here.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(),
            "limit_a": serializers.FloatField(help_text="Amperes per phase; 0 where it waits."),
            "reason": ReasonSerializer(),
        }


class PlanSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "generated_at": serializers.DateTimeField(),
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(),
            "time_zone": serializers.CharField(),
            "items": PlanItemSerializer(many=True),
        }


class WindowSerializer(serializers.Serializer[Any]):
    days = serializers.ListField(child=serializers.ChoiceField([day.name.lower() for day in planner.Weekday]))
    start = serializers.CharField(help_text="Wall time, HH:MM.")
    end = serializers.CharField(help_text="Wall time, HH:MM; at or before the start means the next day.")


class DefaultHoursSerializer(serializers.Serializer[Any]):
    choice = serializers.ChoiceField(["accepted", "changed", "removed"], allow_null=True)
    in_force = serializers.ChoiceField(["preset", "own", "none"])
    windows = WindowSerializer(many=True)
    peak_hours = WindowSerializer(many=True)
    time_zone = serializers.CharField()


class ConnectorView(ApiView):
    @extend_schema(responses={200: ConnectorSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """What a socket does, why, since when and until when."""
        user = person(request)
        connector = access_connector(user, id)
        role = Membership.objects.get(user=user, site=connector.charge_point.site_id).role
        view = view_of(connector, clock.now())
        return Response(connector_json(view, may_charge=role in Membership.CHARGING))


class PlanView(ApiView):
    @extend_schema(
        parameters=[OpenApiParameter("hours", int, description=f"1 to {LONGEST_PLAN_HOURS}; {DEFAULT_PLAN_HOURS}.")],
        responses={200: PlanSerializer, 400: ProblemSerializer, 404: ProblemSerializer},
    )
    def get(self, request: Request, id: str) -> Response:
        """When this socket charges and when it waits, in the hours to come."""
        connector = access_connector(person(request), id)
        text = request.query_params.get("hours", str(DEFAULT_PLAN_HOURS))
        hours = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0
        if not 1 <= hours <= LONGEST_PLAN_HOURS:
            raise Invalid({"hours": [f"Give a whole number from 1 to {LONGEST_PLAN_HOURS}."]})
        start = clock.now().replace(microsecond=0)
        return Response(plan_json(connector, start, start + timedelta(hours=hours)))


class NothingSerializer(serializers.Serializer[Any]):
    pass


class _ActView(ApiView):
    """A request to the charger that is answered at once with the command, and proved later."""

    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NothingSerializer,
        responses={
            202: CommandSerializer,
            403: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        user = person(request)
        connector = access_connector(user, id, charge=True)
        self.read(NothingSerializer)
        command = self.perform(connector, user)
        return Response(command_json(command), status=status.HTTP_202_ACCEPTED)

    def perform(self, connector: Connector, user: User) -> Command:
        raise NotImplementedError


class ChargeNowView(_ActView):
    """Charge at once, for this session, whatever the hours say."""

    def perform(self, connector: Connector, user: User) -> Command:
        return services.charge_now(connector=connector, user=user)


class WaitForScheduleView(_ActView):
    """Take "charge now" back."""

    def perform(self, connector: Connector, user: User) -> Command:
        return services.wait_for_schedule(connector=connector, user=user)


class StopView(_ActView):
    """End the charging session."""

    def perform(self, connector: Connector, user: User) -> Command:
        return services.stop(connector=connector, user=user)


class DefaultHoursView(ApiView):
    @extend_schema(responses={200: DefaultHoursSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The hours in which charging happens by default, and the peaks they keep out of."""
        site = access_site(person(request), id).site
        rules = planner.rules_at(clock.now())
        return Response(
            {
                "choice": None,
                "in_force": "preset",
                "windows": windows_json(rules.preset_hours),
                "peak_hours": windows_json(rules.peak_hours),
                "time_zone": site.time_zone,
            }
        )
