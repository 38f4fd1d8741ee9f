"""``Idempotency-Key``: a POST that is sent again, by an impatient thumb or a bad network, acts once.

The key's row is written in the same transaction as the effect. A second request with the same key therefore waits in
the database until the first has committed (then it gets the stored answer) or is gone (then it acts itself): a crash
blocks nobody and leaves no effect without its answer.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from django.core.exceptions import PermissionDenied
from django.db import OperationalError, connection, transaction
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.common import clock
from chargeamps.common.models import IdempotentRequest
from chargeamps.common.problems import Conflict, Problem

KEPT_FOR = timedelta(hours=48)
# How long a repeat waits for the first request's answer.
WAIT_SECONDS = 5

View = TypeVar("View", bound=Callable[..., Response])
REFUSALS = (Problem, APIException, Http404, PermissionDenied)


def idempotent(view: View) -> View:
    """Honour ``Idempotency-Key`` on a DRF view method.

    Only answers that acted (2xx) are kept. A refusal changed nothing, so the same intent may be tried again.
    """

    @wraps(view)
    def honouring(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(self, request, *args, **kwargs)
        if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
            raise Problem("Idempotency-Key takes 1 to 255 printable ASCII characters.", code="idempotency-key-invalid")
        return _once(_scope(request), key, _fingerprint(request), lambda: view(self, request, *args, **kwargs))

    honouring.idempotent = True  # type: ignore[attr-defined]
    return cast(View, honouring)


def purge() -> int:
    """Forget answers older than ``KEPT_FOR``; return how many."""
    return IdempotentRequest.objects.filter(created__lt=clock.now() - KEPT_FOR).delete()[0]


def _once(scope: str, key: str, fingerprint: str, act: Callable[[], Response]) -> Response:
    with transaction.atomic():
        row, first = _take_row(scope, key, fingerprint)
        if not first:
            return _replay(row, fingerprint)
        answer = _answer_or_refusal(act)
        if isinstance(answer, Response):
            row.status = answer.status_code
            row.body = "" if answer.data is None else JSONRenderer().render(answer.data).decode()
            row.save(update_fields=["status", "body"])
        else:
            row.delete()
    if isinstance(answer, Response):
        return answer
    # Raised only now: what the refusal recorded (a log entry, a counted attempt) is committed, and the key is free.
    raise answer


def _answer_or_refusal(act: Callable[[], Response]) -> Response | Exception:
    try:
        return act()
    except REFUSALS as refusal:
        return refusal


def _take_row(scope: str, key: str, fingerprint: str) -> tuple[IdempotentRequest, bool]:
    try:
        with _bounded_wait():
            return IdempotentRequest.objects.get_or_create(
                scope=scope, key=key, defaults={"fingerprint": fingerprint, "created": clock.now()}
            )
    except OperationalError as error:
        raise Conflict(
            "The same request is still being worked on. Please wait a moment.",
            code="request-in-progress",
            headers={"Retry-After": "1"},
        ) from error


@contextmanager
def _bounded_wait() -> Iterator[None]:
    """Bound the wait for another request's row on PostgreSQL. SQLite has its own time-out for the whole database."""
    _set_lock_timeout(f"{WAIT_SECONDS}s")
    yield
    _set_lock_timeout("0")


def _set_lock_timeout(value: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [value])


def _replay(row: IdempotentRequest, fingerprint: str) -> Response:
    if row.fingerprint != fingerprint:
        raise Problem(
            "This Idempotency-Key was already used for a different request.",
            code="idempotency-key-reused",
            status=422,
        )
    data = json.loads(row.body) if row.body else None
    return Response(data, row.status, headers={"Idempotency-Replayed": "true"})


def _scope(request: Request) -> str:
    scope = f"{request.user.pk} {request.method} {request.path}"
    fits = len(scope) <= 200 and scope.isprintable()  # a path may hold a NUL, which PostgreSQL cannot store
    return scope if fits else hashlib.sha256(scope.encode(errors="surrogatepass")).hexdigest()


def _fingerprint(request: Request) -> str:
    canonical = json.dumps(request.data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
