"""Downloads: asked for, watched while they are made, fetched."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import transaction
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.authentication import person
from chargeamps.common.api import IDEMPOTENCY_KEY, ApiView, ProblemSerializer
from chargeamps.common.clock import isoformat
from chargeamps.common.idempotency import idempotent
from chargeamps.common.problems import Conflict
from chargeamps.usage.access import access_export
from chargeamps.usage.api.reports import question_of
from chargeamps.usage.models import Export, ExportPart
from chargeamps.usage.questions import GROUPS, PERIODS
from chargeamps.usage.services.exports import KEPT, request_export
from chargeamps.usage.tasks import make_export
from chargeamps.usage.writers import xlsx

CONTENT_TYPES = {
    Export.Format.CSV: "text/csv; charset=utf-8",
    Export.Format.XLSX: xlsx.CONTENT_TYPE,
    Export.Format.JSON: "application/json",
    Export.Format.PDF: "application/pdf",
}


class NewExportSerializer(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        def text() -> serializers.CharField:
            return serializers.CharField(required=False, max_length=255)

        return {
            "format": serializers.ChoiceField(Export.Format.choices),
            "period": serializers.ChoiceField(PERIODS, required=False),
            "from": text(),
            "to": text(),
            "group": serializers.ChoiceField(GROUPS, required=False, help_text="session unless said otherwise."),
            "site": text(),
            "charge_point": text(),
            "connector": text(),
            "person": text(),
            "id_tag": text(),
        }


class ExportSerializer(serializers.Serializer[Any]):
    id = serializers.CharField()
    format = serializers.ChoiceField(Export.Format.choices)
    state = serializers.ChoiceField(Export.State.choices)
    first_day = serializers.DateField()
    last_day = serializers.DateField()
    group = serializers.ChoiceField(GROUPS)
    rows = serializers.IntegerField(help_text="Written so far.")
    rows_total = serializers.IntegerField(allow_null=True)
    progress = serializers.FloatField(help_text="0 to 1.")
    bytes = serializers.IntegerField()
    file_name = serializers.CharField()
    url = serializers.CharField(allow_null=True, help_text="Once it is ready.")
    created = serializers.DateTimeField()
    finished = serializers.DateTimeField(allow_null=True)
    expires = serializers.DateTimeField()


class ExportsView(ApiView):
    @extend_schema(responses=ExportSerializer(many=True))
    def get(self, request: Request) -> Response:
        """My downloads, newest first."""
        return self.page(Export.objects.filter(user=person(request)), _json)

    @extend_schema(
        request=NewExportSerializer,
        responses={202: ExportSerializer, 400: ProblemSerializer, 404: ProblemSerializer, 409: ProblemSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Ask for a file. It is made in the background; ``url`` is there once it is ready."""
        data = self.read(NewExportSerializer)
        question = question_of(request, {"group": "session", **data})
        export = request_export(user=person(request), format=data["format"], question=question)
        if settings.CELERY_BROKER_URL:
            transaction.on_commit(lambda: _tell_worker(export), robust=True)
        return Response(_json(export), status.HTTP_202_ACCEPTED)


class ExportView(ApiView):
    @extend_schema(responses={200: ExportSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """How far a download got."""
        return Response(_json(access_export(person(request), id)))


class ExportFileView(ApiView):
    @extend_schema(
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            404: ProblemSerializer,
            409: ProblemSerializer,
        }
    )
    def get(self, request: Request, id: str) -> StreamingHttpResponse:
        """The file, as it was made, part by part."""
        export = access_export(person(request), id)
        if export.state != Export.State.READY:
            raise Conflict("This download is not ready yet.", code="export-not-ready")
        # A plain iterator would be read whole before it is sent by an ASGI server.
        asynchronous = isinstance(request._request, ASGIRequest)
        answer = StreamingHttpResponse(
            _parts_async(export) if asynchronous else _parts(export),
            content_type=CONTENT_TYPES[Export.Format(export.format)],
        )
        answer["Content-Disposition"] = f'attachment; filename="{export.file_name}"'
        answer["Content-Length"] = str(export.bytes)
        return answer


def _tell_worker(export: Export) -> None:
    # Without a broker the periodic sweep finds it.
    with suppress(Exception):
        make_export.delay(str(export.pk))


def _part(export: Export, number: int) -> bytes:
    return bytes(ExportPart.objects.values_list("data", flat=True).get(export=export, number=number))


def _parts(export: Export) -> Iterator[bytes]:
    for number in range(export.parts):
        yield _part(export, number)


async def _parts_async(export: Export) -> AsyncIterator[bytes]:
    for number in range(export.parts):
        yield await sync_to_async(_part, thread_sensitive=True)(export, number)


def _json(export: Export) -> dict[str, Any]:
    ready = export.state == Export.State.READY
    done = export.rows / export.rows_total if export.rows_total else 0.0
    return {
        "id": str(export.pk),
        "format": export.format,
        "state": export.state,
        "first_day": export.first_day.isoformat(),
        "last_day": export.last_day.isoformat(),
        "group": export.question["group"],
        "rows": export.rows,
        "rows_total": export.rows_total,
        "progress": 1.0 if ready else round(min(done, 0.99), 3),
        "bytes": export.bytes,
        "file_name": export.file_name,
        "url": f"/api/v1/usage/exports/{export.pk}/file" if ready else None,
        "created": isoformat(export.created),
        "finished": isoformat(export.finished),
        "expires": isoformat(export.created + KEPT),
    }
