"""Ready by: so much energy by a point in time."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.authentication import person
from chargeamps.chargers.access import access_connector
from chargeamps.common import clock
from chargeamps.common.api import ApiView, ProblemSerializer
from chargeamps.common.clock import isoformat
from chargeamps.schedules.models import ReadyByRequest
from chargeamps.schedules.selectors import ready_by_of
from chargeamps.schedules.services import ready_by
from chargeamps.schedules.state import ready_by_brief


class WishSerializer(serializers.Serializer[Any]):
    energy_wh = serializers.IntegerField()
    by = serializers.DateTimeField()
    power_w = serializers.IntegerField(
        required=False, allow_null=True, help_text=f"What the car takes; {ready_by.USUAL_POWER_W} W."
    )


class StretchSerializer(serializers.Serializer[Any]):
    # "from" is a keyword of Python, so the fields are named here.
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": serializers.DateTimeField(), "to": serializers.DateTimeField()}


class PromiseSerializer(serializers.Serializer[Any]):
    energy_wh = serializers.IntegerField()
    by = serializers.DateTimeField()
    power_w = serializers.IntegerField()
    achievable = serializers.BooleanField()
    short_wh = serializers.IntegerField(help_text="What will be missing.")
    ready_at = serializers.DateTimeField(allow_null=True)
    chosen = StretchSerializer(many=True)
    delivered_wh = serializers.IntegerField()


class ReadyBySerializer(serializers.Serializer[Any]):
    ready_by = PromiseSerializer(allow_null=True)


class ReadyByView(ApiView):
    @extend_schema(responses={200: ReadyBySerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """What was asked for, and whether it will be met."""
        connector = access_connector(person(request), id)
        return Response({"ready_by": _json(ready_by_of(connector, clock.now()))})

    @extend_schema(
        parameters=[OpenApiParameter("preview", bool, description="Only say what it would come to.")],
        request=WishSerializer,
        responses={200: ReadyBySerializer, 400: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer},
    )
    def put(self, request: Request, id: str) -> Response:
        """Ask for so much energy by a point in time."""
        user = person(request)
        connector = access_connector(user, id, charge=True)
        data = {"power_w": None, **self.read(WishSerializer)}
        if request.query_params.get("preview") == "true":
            picked = ready_by.pick(connector=connector, now=clock.now(), **data)
            return Response({"ready_by": _preview(picked, data["energy_wh"])})
        return Response({"ready_by": _json(ready_by.ask(connector=connector, user=user, **data))})

    @extend_schema(responses={204: None, 403: ProblemSerializer, 404: ProblemSerializer})
    def delete(self, request: Request, id: str) -> Response:
        """Forget it: the plain hours hold again."""
        ready_by.drop(connector=access_connector(person(request), id, charge=True))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _json(wish: ReadyByRequest | None) -> dict[str, Any] | None:
    if wish is None:
        return None
    return {
        **ready_by_brief(wish),
        "power_w": wish.power_w,
        "chosen": [{"from": _z(start), "to": _z(end)} for start, end in wish.chosen],
        "delivered_wh": ready_by.delivered_wh(wish),
    }


def _preview(picked: ready_by.Picked, energy_wh: int) -> dict[str, Any]:
    promise = picked.promise
    return {
        "energy_wh": energy_wh,
        "by": isoformat(promise.slots.by),
        "power_w": picked.power_w,
        "achievable": promise.achievable,
        "short_wh": promise.short_wh,
        "ready_at": isoformat(promise.ready_at),
        "chosen": [{"from": isoformat(start), "to": isoformat(end)} for start, end in promise.slots.chosen],
        "delivered_wh": 0,
    }


def _z(stored: str) -> str | None:
    return isoformat(datetime.fromisoformat(stored))
