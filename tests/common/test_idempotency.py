import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import RequestFactory
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.common import clock, idempotency
from chargeamps.common.api import ApiView
from chargeamps.common.idempotency import idempotent
from chargeamps.common.models import IdempotentRequest, RateBucket
from chargeamps.common.problems import Conflict


class Doing(ApiView):
    """A view whose effect is a row: what is left of it can be counted."""

    authentication_classes = []
    permission_classes = []
    outcome: Any = None

    @idempotent
    def post(self, request: Request) -> Response:
        RateBucket.objects.create(name=str(uuid4()), tokens=0, updated=clock.now())
        if self.outcome:
            raise self.outcome
        return Response({"effect": RateBucket.objects.count(), "said": request.data}, 202)


def post(body: str = '{"a": 1}', *, key: str | None = "k", user: int = 1, path: str = "/api/v1/do", **view: Any) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    request = RequestFactory().post(path, body, content_type="application/json", headers=headers)
    request.user = SimpleNamespace(pk=user)  # type: ignore[assignment]
    request._force_auth_user = request.user  # type: ignore[attr-defined]
    response = Doing.as_view(**view)(request)
    response.render()
    return response


def effects() -> int:
    return RateBucket.objects.count()


def test_the_same_key_and_body_act_once_and_get_the_same_answer(db: None) -> None:
    first, second = post('{"a": 1, "b": 2}'), post('{"b": 2, "a": 1}')
    assert (first.status_code, first.data) == (second.status_code, second.data)
    assert first.status_code == 202
    assert effects() == 1
    assert "Idempotency-Replayed" not in first
    assert second["Idempotency-Replayed"] == "true"


def test_without_a_key_every_request_acts(db: None) -> None:
    post(key=None)
    post(key=None)
    assert effects() == 2


def test_another_body_with_the_same_key_is_refused(db: None) -> None:
    post()
    refused = post('{"a": 2}')
    assert (refused.status_code, refused.data["code"]) == (422, "idempotency-key-reused")
    assert effects() == 1


def test_a_key_is_one_persons_at_one_address(db: None) -> None:
    post()
    post(user=2)
    post(path="/api/v1/do/other")
    post(path="/api/v1/" + "x" * 300)
    post(path="/api/v1/%00")
    assert effects() == 5


@pytest.mark.parametrize("key", ["", "x" * 256, "naïve", "a\tb"])
def test_a_key_must_be_short_printable_ascii(db: None, key: str) -> None:
    refused = post(key=key)
    assert (refused.status_code, refused.data["code"]) == (400, "idempotency-key-invalid")
    assert effects() == 0


def test_a_refusal_keeps_its_traces_and_leaves_the_key_free(db: None) -> None:
    refused = post(outcome=Conflict("It is offline.", code="charger-offline"))
    assert (refused.status_code, refused.data["code"], effects()) == (409, "charger-offline", 1)
    assert (post().status_code, effects()) == (202, 2)
    assert (post().status_code, effects()) == (202, 2)


def test_a_crash_leaves_neither_effect_nor_block(db: None) -> None:
    crashed = post(outcome=RuntimeError("wires cut"))
    assert (crashed.status_code, crashed.data["code"], effects()) == (500, "server-error", 0)
    assert "wires" not in str(crashed.data)
    assert (post().status_code, effects()) == (202, 1)


def test_answers_are_kept_a_day_at_least_and_then_forgotten(db: None) -> None:
    with time_machine.travel("2027-01-01T12:00:00Z", tick=False) as traveller:
        post()
        traveller.shift(timedelta(hours=24))
        assert idempotency.purge() == 0
        traveller.shift(timedelta(hours=25))
        assert idempotency.purge() == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_act_once() -> None:
    start = threading.Barrier(20)

    def tap(_: int) -> Any:
        start.wait()
        try:
            return post()
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        responses = list(pool.map(tap, range(20)))
    assert {(response.status_code, str(response.data)) for response in responses} == {(202, str(responses[0].data))}
    assert sum("Idempotency-Replayed" in response for response in responses) == 19
    assert (effects(), IdempotentRequest.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_a_repeat_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 1)
    if connection.vendor == "sqlite":
        pytest.skip("SQLite waits for the whole database, with a time-out of its own")
    working, release = threading.Event(), threading.Event()

    def slow() -> Any:
        def act() -> Response:
            working.set()
            release.wait(10)
            return Response({}, 202)

        try:
            return idempotency._once("scope", "k", "f", act)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(slow)
        working.wait(10)
        with pytest.raises(Conflict) as refused:
            idempotency._once("scope", "k", "f", lambda: Response({}, 202))
        release.set()
        assert first.result().status_code == 202
    assert refused.value.code == "request-in-progress"
