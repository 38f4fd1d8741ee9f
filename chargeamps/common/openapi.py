"""How the API describes itself: an answer that is not listed is a problem, and problems have their own media type."""

from typing import Any, Literal

from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

from chargeamps.common.problems import CONTENT_TYPE


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457 application/problem+json."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="Stable; for programs.")
    detail = serializers.CharField(help_text="Plain English; for people.")
    errors = serializers.DictField(  # type: ignore[assignment]  # the field's name is RFC 9457 usage
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


class Schema(AutoSchema):
    """The description of one view."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        bodies["default"] = self._get_response_for_code(ProblemSerializer, "default") | {"description": "Any other."}
        return bodies

    def _get_response_for_code(self, serializer: Any, status_code: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        if serializer is ProblemSerializer:
            args, kwargs = (), {**kwargs, "media_types": [CONTENT_TYPE]}
        answer: dict[str, Any] = super()._get_response_for_code(serializer, status_code, *args, **kwargs)  # type: ignore[no-untyped-call]
        return answer
