import json
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.common import problems
from chargeamps.common.api import ApiView
from chargeamps.common.parsers import BODY_BYTES
from chargeamps.common.problems import Conflict, Invalid, TooManyAttempts, to_problem


class Window(serializers.Serializer[Any]):
    start = serializers.CharField(max_length=5)


class Hours(serializers.Serializer[Any]):
    windows = Window(many=True)
    note = serializers.CharField(max_length=20, required=False)


class Echo(ApiView):
    """Says back what it read; raises what it was given."""

    authentication_classes = []
    permission_classes = []
    raises: Any = None

    def post(self, request: Request) -> Response:
        if self.raises:
            raise self.raises
        return Response(self.read(Hours))


def post(body: Any, content_type: str = "application/json", **view: Any) -> Any:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    response = Echo.as_view(**view)(RequestFactory().post("/api/v1/echo", data, content_type=content_type))
    response.render()
    return response


def test_a_problem_has_the_members_of_the_contract() -> None:
    response = post({}, raises=Conflict("The charger is offline.", code="charger-offline", since="12:00"))
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content) == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "code": "charger-offline",
        "detail": "The charger is offline.",
        "since": "12:00",
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.NotAuthenticated(), 401, "not-signed-in"),
        (exceptions.AuthenticationFailed("No."), 401, "not-signed-in"),
        (exceptions.PermissionDenied(), 403, "not-permitted"),
        (PermissionDenied(), 403, "not-permitted"),
        (exceptions.NotFound(), 404, "not-found"),
        (Http404(), 404, "not-found"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method-not-allowed"),
        (exceptions.NotAcceptable(), 406, "not-acceptable"),
        (RequestDataTooBig(), 413, "body-too-large"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported-media-type"),
        (exceptions.Throttled(wait=3), 429, "throttled"),
        (Invalid({"name": ["Too long."]}), 400, "invalid"),
        (ValueError("secret internals"), 500, "server-error"),
    ],
)
def test_every_error_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    problem = to_problem(error)
    assert (problem.status, problem.code) == (status, code)
    assert problem.detail
    assert "secret" not in str(problem.as_dict())


def test_an_unforeseen_error_tells_nothing_of_the_inside() -> None:
    response = post({}, raises=RuntimeError("password=hunter2"))
    assert response.status_code == 500
    assert b"hunter2" not in response.content


@pytest.mark.parametrize(
    ("wait", "seconds", "words"), [(0.2, "1", "1 seconds"), (59.0, "60", "1 minute "), (61, "62", "2 minutes")]
)
def test_too_many_attempts_says_when(wait: float, seconds: str, words: str) -> None:
    problem = TooManyAttempts(wait)
    assert (problem.status, problem.headers) == (429, {"Retry-After": seconds})
    assert words in problem.detail


@pytest.mark.requirement("S1-18", "S1-19")
@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"windows": ["This field is required."]}),
        ({"windows": [{"start": "22:00"}, {}]}, {"windows.1.start": ["This field is required."]}),
        ({"windows": {}}, {"windows": ['Expected a list of items but got type "dict".']}),
        ({"windows": [], "extra": 1}, {"extra": ["There is no such field here."]}),
        ([], {"body": ["Invalid data. Expected a dictionary, but got list."]}),
        (None, {"body": ["No data provided"]}),
        (7, {"body": ["Invalid data. Expected a dictionary, but got int."]}),
    ],
)
def test_fields_are_named(body: Any, errors: dict[str, list[str]]) -> None:
    response = post(body)
    assert (response.status_code, response.data["code"], response.data["errors"]) == (400, "invalid", errors)


@pytest.mark.requirement("S1-18", "S1-19")
@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        ("{", "application/json", 400, "malformed-body"),
        (b"\xff\xfe", "application/json", 400, "malformed-body"),
        ('{"note": NaN}', "application/json", 400, "malformed-body"),
        ('{"note": Infinity}', "application/json", 400, "malformed-body"),
        ("[" * 100_000, "application/json", 400, "malformed-body"),
        ('{"a":' * 50_000, "application/json", 400, "malformed-body"),
        ('{"note": ' + "9" * 10_000 + "}", "application/json", 400, "malformed-body"),
        ('{"windows": [], "note": "a\\u0000b"}', "application/json", 400, "malformed-body"),
        ('{"windows": [], "a\\u0000": 1}', "application/json", 400, "malformed-body"),
        ('{"windows": [], "note": "\\ud800"}', "application/json", 400, "malformed-body"),
        ('{"windows": [], "note": "a\\\\u0000b"}', "application/json", 200, None),
        ("x" * (BODY_BYTES + 1), "application/json", 413, "body-too-large"),
        ("a=1", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        ("{}", "text/plain", 415, "unsupported-media-type"),
        ("{}", "nonsense", 415, "unsupported-media-type"),
    ],
)
def test_odd_bodies_are_refused(body: str | bytes, content_type: str, status: int, code: str | None) -> None:
    response = post(body, content_type)
    assert (response.status_code, response.data.get("code")) == (status, code)


def test_answers_are_never_cached() -> None:
    assert post({"windows": []})["Cache-Control"] == "no-store"
    assert post({})["Cache-Control"] == "no-store"


def test_outside_the_api_people_get_a_page() -> None:
    page = problems.server_error(RequestFactory().get("/admin/"))
    assert page["Content-Type"].startswith("text/html")
    assert b"Something went wrong" in page.content


def test_django_s_own_refusals_are_problems_under_api() -> None:
    request = RequestFactory().post("/api/v1/x")
    for view, status in (
        (problems.csrf_failure, 403),
        (lambda request: problems.bad_request(request, SuspiciousOperation()), 400),
        (lambda request: problems.bad_request(request, RequestDataTooBig()), 413),
        (lambda request: problems.permission_denied(request, PermissionDenied()), 403),
        (problems.not_found, 404),
        (problems.server_error, 500),
    ):
        response = view(request)
        assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v5/chargepoints", "/api/v1/me/"])
def test_an_unknown_address_under_api_is_a_problem(db: None, path: str) -> None:
    response = Client().get(path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


def test_a_foreign_host_is_refused(db: None) -> None:
    response = Client().get("/api/v1/me", headers={"Host": "evil.example"})
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
