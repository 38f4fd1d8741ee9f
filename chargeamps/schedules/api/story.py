"""What delayed, moved or limited a session."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.authentication import person
from chargeamps.common.api import ApiView, ProblemSerializer
from chargeamps.schedules.story import story_of
from chargeamps.usage.access import access_session


class EventSerializer(serializers.Serializer[Any]):
    time = serializers.DateTimeField()
    code = serializers.CharField()
    text = serializers.CharField()


class StorySerializer(serializers.Serializer[Any]):
    events = EventSerializer(many=True)


class StoryView(ApiView):
    @extend_schema(responses={200: StorySerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """What delayed, moved or limited a charging session, oldest first."""
        return Response({"events": story_of(access_session(person(request), id))})
