"""Lists by cursor: stable while rows are added, and as fast on the last page as on the first."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import DataError
from rest_framework import pagination
from rest_framework.exceptions import NotFound as InvalidCursor
from rest_framework.request import Request

from chargeamps.common.problems import Invalid


class CursorPagination(pagination.CursorPagination):
    """``{next, previous, results}``, newest first unless the view says otherwise; ``?limit`` 1 to 200, else 50."""

    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200
    ordering: Any = "-created"

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get("limit")
        if text is None:
            return self.page_size
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
            raise Invalid({"limit": ["A whole number from 1 to 200."]})
        return min(int(text), self.max_page_size)

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        try:
            return super().paginate_queryset(queryset, request, view)
        except (InvalidCursor, ValidationError, ValueError, DataError) as error:
            raise Invalid({"cursor": ["Not a cursor of this list. Start from the first page."]}) from error
