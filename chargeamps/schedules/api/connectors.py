"""Sockets: what they do and why, their plan, and "charge now" over "wait for schedule"."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

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
from chargeamps.schedules.selectors import plan_json, view_of
from chargeamps.schedules.services import overrides
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


class ChargeNowInForceSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)
    energy_wh = serializers.IntegerField(allow_null=True)
    delivered_wh = serializers.IntegerField()


class ReadyByBriefSerializer(serializers.Serializer[Any]):
    energy_wh = serializers.IntegerField()
    by = serializers.DateTimeField()
    achievable = serializers.BooleanField()
    short_wh = serializers.IntegerField()
    ready_at = serializers.DateTimeField(allow_null=True)


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
    delay_max_s = serializers.IntegerField(help_text="A random delay of up to so many seconds may follow.")
    limit_a = serializers.FloatField(allow_null=True, help_text="What it is limited to, amperes per phase.")
    power_w = serializers.FloatField(allow_null=True)
    current_a = serializers.FloatField(allow_null=True, help_text="Of the phase that carries most.")
    voltage_v = serializers.FloatField(allow_null=True)
    measured_at = serializers.DateTimeField(allow_null=True)
    session = RunningSessionSerializer(allow_null=True)
    charge_now = ChargeNowInForceSerializer(allow_null=True)
    ready_by = ReadyByBriefSerializer(allow_null=True)
    plan_version = serializers.CharField(help_text="Changes when the plan does.")
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


class AmountSerializer(serializers.Serializer[Any]):
    minutes = serializers.IntegerField(min_value=15, max_value=1440, required=False)
    energy_wh = serializers.IntegerField(min_value=100, max_value=200_000, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) != 1:
            raise serializers.ValidationError("Give either minutes or energy_wh.")
        return attrs


class ChargeNowSerializer(serializers.Serializer[Any]):
    # "for" is a keyword of Python, so the field is named here.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"for": AmountSerializer(required=False, allow_null=True)}


class ChargeNowView(ApiView):
    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=ChargeNowSerializer,
        responses={
            202: CommandSerializer,
            400: ProblemSerializer,
            403: ProblemSerializer,
            404: ProblemSerializer,
            409: ProblemSerializer,
        },
    )
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Charge at once whatever the hours say: for this session, a time, or an amount of energy."""
        user = person(request)
        connector = access_connector(user, id, charge=True)
        amount = self.read(ChargeNowSerializer).get("for") or {}
        command = overrides.charge_now(connector=connector, user=user, **amount)
        return Response(command_json(command), status=status.HTTP_202_ACCEPTED)


class WaitForScheduleView(_ActView):
    """Take "charge now" back."""

    def perform(self, connector: Connector, user: User) -> Command:
        return overrides.wait_for_schedule(connector=connector, user=user)


class SkipDelayView(_ActView):
    """Start without waiting out the random delay, this once."""

    def perform(self, connector: Connector, user: User) -> Command:
        return overrides.skip_delay(connector=connector, user=user)


class StopView(_ActView):
    """End the charging session."""

    def perform(self, connector: Connector, user: User) -> Command:
        return overrides.stop(connector=connector, user=user)


class RefuseResponseView(ApiView):
    @extend_schema(
        parameters=[IDEMPOTENCY_KEY],
        request=NothingSerializer,
        responses={204: None, 403: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer},
    )
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Refuse the demand response that holds now or is announced."""
        user = person(request)
        connector = access_connector(user, id, charge=True)
        self.read(NothingSerializer)
        overrides.refuse_response(connector=connector, user=user)
        return Response(status=status.HTTP_204_NO_CONTENT)
