"""What every view under /api/v1 shares."""

from collections.abc import Callable
from typing import Any, cast

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.response import Response
from rest_framework.views import APIView

from chargeamps.common.openapi import ProblemSerializer, Schema
from chargeamps.common.pagination import CursorPagination
from chargeamps.common.parsers import JSONParser

__all__ = ["IDEMPOTENCY_KEY", "ApiView", "ProblemSerializer"]

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="One value per intent (a UUID). The same key again gets the first answer and acts no second time.",
)


class ApiView(APIView):
    """JSON in and out, never cached."""

    schema = Schema()
    parser_classes: list[type[BaseParser]] = [JSONParser]
    pagination_class: type[CursorPagination] = CursorPagination

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        answer: HttpResponseBase = super().finalize_response(request, response, *args, **kwargs)
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    def read(self, serializer_class: type[serializers.Serializer[Any]], *, partial: bool = False) -> dict[str, Any]:
        """Return the body's validated fields; a field that the serializer does not know is refused, not ignored."""
        serializer = serializer_class(data=self.request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        unknown = set(self.request.data) - set(serializer.fields)
        if unknown:
            raise serializers.ValidationError({name: ["There is no such field here."] for name in sorted(unknown)})
        return cast(dict[str, Any], serializer.validated_data)

    def page(self, queryset: QuerySet[Any], as_json: Callable[[Any], dict[str, Any]]) -> Response:
        """Answer one page of a list."""
        paginator = self.pagination_class()
        rows = paginator.paginate_queryset(queryset, self.request, view=self)
        return paginator.get_paginated_response([as_json(row) for row in rows or []])
