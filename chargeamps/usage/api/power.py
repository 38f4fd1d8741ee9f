"""A session's power curve, and the wish to see it each second."""

from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.authentication import person
from chargeamps.chargers.access import access_connector
from chargeamps.common import clock
from chargeamps.common.api import IDEMPOTENCY_KEY, ApiView, ProblemSerializer
from chargeamps.common.clock import isoformat
from chargeamps.common.idempotency import idempotent
from chargeamps.common.problems import Invalid
from chargeamps.usage.access import access_session
from chargeamps.usage.selectors.power import power_json
from chargeamps.usage.services.power import wanted_sample_interval, watch

RESOLUTIONS = ("1s", "1min")
# One answer holds so much; ``next`` says where the next one begins. So the memory it takes is bounded.
LONGEST = {"1s": timedelta(hours=6), "1min": timedelta(days=14)}


class GapSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(),
            "missing": serializers.IntegerField(),
        }


class PowerSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {
            "session": serializers.CharField(),
            "resolution": serializers.ChoiceField(RESOLUTIONS),
            "from": serializers.DateTimeField(),
            "to": serializers.DateTimeField(),
            "interval_seconds": serializers.FloatField(
                allow_null=True, help_text="Between readings, as they mostly were."
            ),
            "points": serializers.ListField(
                child=serializers.ListField(child=serializers.FloatField()),
                help_text="[seconds after from, W]; less than 0 W is energy sent out. At 1min the mean of the minute.",
            ),
            "gaps": GapSerializer(many=True),
            "missing": serializers.IntegerField(help_text="Readings missing in the gaps. None is made up."),
            "next": serializers.DateTimeField(allow_null=True, help_text="Ask again from here for the rest."),
        }


class WatchSerializer(serializers.Serializer[Any]):
    watched_until = serializers.DateTimeField()
    interval_seconds = serializers.IntegerField(help_text="How often the charger is being asked to measure.")


class SessionPowerView(ApiView):
    @extend_schema(
        parameters=[
            OpenApiParameter("resolution", enum=RESOLUTIONS, default="1s"),
            OpenApiParameter("from", description="Else from the session's start."),
            OpenApiParameter("to", description="Else to the session's end."),
        ],
        responses={200: PowerSerializer, 400: ProblemSerializer, 404: ProblemSerializer},
    )
    def get(self, request: Request, id: str) -> Response:
        """Power over time. Gaps are shown as such, never filled in."""
        session = access_session(person(request), id)
        resolution = request.query_params.get("resolution", "1s")
        if resolution not in RESOLUTIONS:
            raise Invalid({"resolution": [f"One of {', '.join(RESOLUTIONS)}."]})
        end = session.stopped or clock.now()
        start = max(session.started, _moment(request, "from") or session.started)
        end = min(end, _moment(request, "to") or end)
        if end < start:
            raise Invalid({"to": ["The end is before the beginning, or outside of the session."]})
        last = min(end, start + LONGEST[resolution])
        answer = power_json(session.connector_id, start, last, resolution)
        return Response(
            {
                "session": str(session.pk),
                "resolution": resolution,
                **answer,
                "next": isoformat(last + timedelta(milliseconds=1)) if last < end else None,
            }
        )


class WatchView(ApiView):
    @extend_schema(
        request=None,
        responses={200: WatchSerializer, 404: ProblemSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request, id: str) -> Response:
        """Have this socket measured each second for the next 60 seconds. Send again while somebody looks."""
        user = person(request)
        connector = access_connector(user, id)
        until = watch(connector=connector, user=user)
        interval = wanted_sample_interval(connector.charge_point_id)
        return Response({"watched_until": isoformat(until), "interval_seconds": interval})


def _moment(request: Request, name: str) -> datetime | None:
    text = request.query_params.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or not 2000 <= moment.year <= 2200:
        raise Invalid({name: ["A time with its zone, like 2026-03-31T23:30:00Z."]})
    return moment
