"""A charge point's redacted message trace, for its owner and for support."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.authentication import person
from chargeamps.chargers.access import access_charge_point
from chargeamps.common.api import ApiView, ProblemSerializer
from chargeamps.common.clock import isoformat
from chargeamps.common.pagination import CursorPagination
from chargeamps.gateway.models import TraceFrame


class TraceFrameSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    time = serializers.DateTimeField()
    direction = serializers.ChoiceField(TraceFrame.Direction.choices, help_text="in: from the charger")
    action = serializers.CharField(allow_blank=True)
    flags = serializers.ListField(child=serializers.CharField(), help_text="What was odd about it.")
    frame = serializers.CharField(help_text="As sent, with keys and card numbers masked.")


class TracePagination(CursorPagination):
    ordering = ("-id",)


class TraceView(ApiView):
    pagination_class = TracePagination

    @extend_schema(responses={200: TraceFrameSerializer(many=True), 403: ProblemSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The messages between the charger and us, newest first."""
        charge_point = access_charge_point(person(request), id, technical=True)
        return self.page(TraceFrame.objects.filter(charge_point=charge_point), frame_json)


def frame_json(frame: TraceFrame) -> dict[str, Any]:
    return {
        "id": str(frame.pk),
        "time": isoformat(frame.time),
        "direction": frame.direction,
        "action": frame.action,
        "flags": frame.flags.split(),
        "frame": frame.frame,
    }
