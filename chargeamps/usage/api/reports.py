"""What was used: totals, sessions, one session."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.access import access_site
from chargeamps.accounts.authentication import person
from chargeamps.common import clock
from chargeamps.common.api import ApiView, ProblemSerializer
from chargeamps.common.pagination import CursorPagination
from chargeamps.usage.access import access_session, visible_sessions
from chargeamps.usage.questions import FILTERS, GROUPS, PERIODS, Question, read_question
from chargeamps.usage.selectors.reports import asked, session_detail_json, session_json, summary_json, time_zone_of


class CostSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    amount = serializers.CharField(help_text="To the hundredth, as people read it.")
    exact = serializers.CharField()


class QualitySerializer(serializers.Serializer[Any]):
    exact = serializers.BooleanField(help_text="The total is the difference of the meter's own registers.")
    notes = serializers.ListField(child=serializers.CharField(), help_text="For people.")


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)


class SessionSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    site = serializers.CharField(allow_null=True)
    charge_point = serializers.CharField()
    charge_point_name = serializers.CharField()
    connector = serializers.CharField()
    number = serializers.IntegerField(help_text="Of the socket.")
    started = serializers.DateTimeField()
    stopped = serializers.DateTimeField(allow_null=True)
    local_day = serializers.DateField(help_text="The day that it counts in.")
    energy_import_wh = serializers.IntegerField()
    energy_export_wh = serializers.IntegerField()
    flow_seconds = serializers.IntegerField(help_text="Time that current flowed, either way.")
    plugged_seconds = serializers.IntegerField(help_text="Time that the cable was in.")
    id_tag_label = serializers.CharField()
    person = PersonSerializer(allow_null=True)
    cost = CostSerializer(allow_null=True)
    stop_reason = serializers.CharField(allow_null=True)
    quality = QualitySerializer()


class ToldSerializer(serializers.Serializer[Any]):
    started = serializers.CharField(allow_null=True, help_text="As the charger wrote it.")
    start_received = serializers.DateTimeField(allow_null=True)
    stopped = serializers.CharField(allow_null=True)
    stop_received = serializers.DateTimeField(allow_null=True)


class SessionDetailSerializer(SessionSerializer):
    plugged_from = serializers.DateTimeField(allow_null=True)
    plugged_until = serializers.DateTimeField(allow_null=True)
    meter_start_wh = serializers.IntegerField(allow_null=True)
    meter_stop_wh = serializers.IntegerField(allow_null=True)
    readings = serializers.IntegerField()
    missing = serializers.IntegerField()
    authorised = serializers.BooleanField()
    told = ToldSerializer()
    findings = serializers.ListField(child=serializers.CharField())
    flags = serializers.ListField(child=serializers.CharField())


class TotalSerializer(serializers.Serializer[Any]):
    energy_import_wh = serializers.IntegerField()
    energy_export_wh = serializers.IntegerField()
    flow_seconds = serializers.IntegerField()
    sessions = serializers.IntegerField()
    costs = CostSerializer(many=True)


class PeriodSerializer(serializers.Serializer[Any]):
    # "from" is a keyword of Python, so the fields are named here.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(help_text="The first moment after it."),
            "first_day": serializers.DateField(),
            "last_day": serializers.DateField(),
            "time_zone": serializers.CharField(),
            "group": serializers.ChoiceField(list(GROUPS)),
        }


class GroupSerializer(TotalSerializer):
    """With ``group=session`` each is a session, newest first, instead of ``costs`` with its ``cost``."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        period = PeriodSerializer().get_fields()
        return {name: period[name] for name in ("from", "to", "first_day", "last_day")} | super().get_fields()


class SummarySerializer(serializers.Serializer[Any]):
    period = PeriodSerializer()
    rule = serializers.CharField(help_text="In which month a session counts.")
    total = TotalSerializer()
    groups = GroupSerializer(many=True)


QUESTION = [
    OpenApiParameter("period", enum=PERIODS, description="last_12_months is rolling, today included."),
    OpenApiParameter("from", description="With period=custom: a date, or a time; its day counts whole."),
    OpenApiParameter("to", description="A date (the last day), or a time (the first moment after)."),
    *(OpenApiParameter(name) for name in FILTERS),
]


def question_of(request: Request, params: Any = None) -> Question:
    """The question of a request; a site that is not the person's is not found."""
    params = request.query_params if params is None else params
    user = person(request)
    site = access_site(user, params["site"]).site if params.get("site") else None
    return read_question(params, time_zone=time_zone_of(user, site), now=clock.now())


class SummaryView(ApiView):
    @extend_schema(
        parameters=[*QUESTION, OpenApiParameter("group", enum=GROUPS)],
        responses={200: SummarySerializer, 400: ProblemSerializer, 404: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        """Totals of a period, and of its sessions, days, weeks or months."""
        user = person(request)
        return Response(summary_json(visible_sessions(user), question_of(request), user))


class NewestFirst(CursorPagination):
    ordering = ("-started", "-id")


class SessionsView(ApiView):
    pagination_class = NewestFirst

    @extend_schema(
        parameters=QUESTION,
        responses={200: SessionSerializer(many=True), 400: ProblemSerializer, 404: ProblemSerializer},
    )
    def get(self, request: Request) -> Response:
        """Sessions, newest first: all there are, or those of a period."""
        sessions = visible_sessions(person(request)).select_related("charge_point__site", "connector", "person")
        question = question_of(request)
        if any(request.query_params.get(name) for name in ("period", "from", "to")):
            sessions = asked(sessions, question)
        else:
            sessions = sessions.filter(**question.filters)
        return self.page(sessions, session_json)


class SessionView(ApiView):
    @extend_schema(responses={200: SessionDetailSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """One session, with what the charger said beside what we made of it."""
        return Response(session_detail_json(access_session(person(request), id)))
