"""Errors as ``application/problem+json`` (RFC 9457) with a stable ``code`` and a ``detail`` fit to show to people."""

from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.dispatch import Signal
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions, status
from rest_framework.response import Response

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"


# Sent with ``problem`` (see its ``attempt``) and ``request`` for a refusal that belongs in the security log.
attempt_refused = Signal()


class Problem(Exception):
    """A refusal with its HTTP status, stable code and plain-English detail; services raise it, views need not catch it.

    ``attempt`` describes an attempt at something that is not the caller's; it is logged and never shown.
    """

    status: int = status.HTTP_400_BAD_REQUEST
    code: str = "bad-request"
    detail: str = "The request could not be understood."

    def __init__(
        self,
        detail: str | None = None,
        *,
        code: str | None = None,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        attempt: dict[str, str] | None = None,
        **members: Any,
    ) -> None:
        self.code = code if code is not None else self.code
        self.detail = detail if detail is not None else self.detail
        self.status = status if status is not None else self.status
        self.headers = headers or {}
        self.attempt = attempt
        self.members = members
        super().__init__(f"{self.code}: {self.detail}")

    def as_dict(self) -> dict[str, Any]:
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            **self.members,
        }


class Invalid(Problem):
    """Some fields cannot be accepted: ``Invalid({"name": ["Too long."]})``."""

    code = "invalid"
    detail = "Please check the marked fields."

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__(errors=errors)


class NotFound(Problem):
    """The object does not exist, or is another person's: the answer is the same."""

    status = status.HTTP_404_NOT_FOUND
    code = "not-found"
    detail = "There is nothing here, or it is not yours to see."


class NotPermitted(Problem):
    """The person may see the object but not do this with it."""

    status = status.HTTP_403_FORBIDDEN
    code = "not-permitted"
    detail = "Your role does not allow this. Ask the owner or an administrator."


class Conflict(Problem):
    """The request is in order, but not now: ``Conflict("Your charger is offline.", code="charger-offline")``."""

    status = status.HTTP_409_CONFLICT
    code = "conflict"


class TooManyAttempts(Problem):
    """A limit was reached; ``wait`` is the number of seconds until another try can succeed."""

    status = status.HTTP_429_TOO_MANY_REQUESTS
    code = "too-many-attempts"

    def __init__(self, wait: float) -> None:
        seconds = max(1, int(wait) + 1)
        minutes = -(-seconds // 60)
        when = f"{seconds} seconds" if seconds < 60 else f"{minutes} minute{'s' if minutes > 1 else ''}"
        super().__init__(f"Too many tries. Please wait {when} and try again.", headers={"Retry-After": str(seconds)})


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's handler: every error of a view under /api becomes a problem, and nothing internal is told."""
    problem = to_problem(error)
    request = context["request"]
    if problem.status >= 500:
        log.error("request_failed", path=request.path, exc_info=error)
    if isinstance(error, exceptions.NotAuthenticated) and request.method != "GET":
        problem.attempt = {"call": f"{request.method} {request.path}"}
    if problem.attempt is not None:
        for _, failure in attempt_refused.send_robust(type(problem), problem=problem, request=request):
            if failure is not None:
                log.error("attempt_not_logged", exc_info=failure)
    return Response(problem.as_dict(), problem.status, headers=problem.headers, content_type=CONTENT_TYPE)


def to_problem(error: Exception) -> Problem:
    """Translate whatever a view raised."""
    match error:
        case Problem():
            return error
        case exceptions.ValidationError():
            return Invalid(_field_errors(error.detail))
        case exceptions.NotAuthenticated():
            return _from_api(error, "not-signed-in", "Please sign in.")
        case exceptions.AuthenticationFailed():
            problem = _from_api(error, "not-signed-in", str(error.detail))
            problem.attempt = {"authentication": "api-key"}
            return problem
        case exceptions.ParseError():
            return _from_api(error, "malformed-body", "The body is not valid JSON.")
        case exceptions.UnsupportedMediaType():
            return _from_api(error, "unsupported-media-type", "Send the body as application/json.")
        case exceptions.MethodNotAllowed():
            return _from_api(error, "method-not-allowed", "This address does not take that method.")
        case exceptions.NotAcceptable():
            return _from_api(error, "not-acceptable", "The answer is available as application/json.")
        case exceptions.PermissionDenied() | PermissionDenied():
            return NotPermitted()
        case exceptions.NotFound() | Http404():
            return NotFound()
        case exceptions.APIException():
            return _from_api(error, str(error.default_code).replace("_", "-"), str(error.detail))
        case RequestDataTooBig():
            return too_large()
        case _:
            return _server_error()


def too_large() -> Problem:
    return Problem(
        "The body is larger than anything this address takes.",
        code="body-too-large",
        status=status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    return _answer(request, csrf_failed())


def csrf_failed() -> Problem:
    return Problem(
        "This page is out of date. Reload it and try again.",
        code="csrf-failed",
        status=status.HTTP_403_FORBIDDEN,
        attempt={"authentication": "csrf"},
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, to_problem(exception) if isinstance(exception, RequestDataTooBig) else Problem())


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, NotPermitted())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _answer(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    return _answer(request, _server_error())


def _server_error() -> Problem:
    return Problem("Something went wrong on our side. Please try again.", code="server-error", status=500)


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse(
            problem.as_dict(), status=problem.status, headers=problem.headers, content_type=CONTENT_TYPE
        )
    return render(request, "problem.html", {"problem": problem}, status=problem.status)


def _from_api(error: exceptions.APIException, code: str, detail: str) -> Problem:
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    return Problem(detail, code=code, status=error.status_code, headers=headers)


def _field_errors(detail: Any, prefix: str = "") -> dict[str, list[str]]:
    """Flatten DRF's nested errors to ``{"windows.0.start": ["…"]}``; errors of the whole body go under ``body``."""
    if isinstance(detail, dict):
        pairs = [(str(key), value) for key, value in detail.items()]
    elif isinstance(detail, list) and any(isinstance(item, dict | list) for item in detail):
        pairs = [(str(index), value) for index, value in enumerate(detail)]
    else:
        texts = detail if isinstance(detail, list) else [detail]
        return {prefix or "body": [str(text) for text in texts]}
    flat: dict[str, list[str]] = {}
    for key, value in pairs:
        name = prefix if key == "non_field_errors" else f"{prefix}.{key}" if prefix else key
        if value:
            flat.update(_field_errors(value, name))
    return flat
