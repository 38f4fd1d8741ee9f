from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import AsyncRequestFactory, RequestFactory

from chargeamps.common.middleware import client_address, ended_tls, source_address

PROXY, PROXIES = "10.0.0.5", ["10.0.0.5", "10.1.0.0/16", "2001:db8::/64"]


@pytest.fixture(autouse=True)
def trusted(settings: Any) -> None:
    settings.TRUSTED_PROXIES = PROXIES


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.1"], "192.0.2.1"),
        (PROXY, [], PROXY),
        (PROXY, ["198.51.100.1"], "198.51.100.1"),
        (PROXY, ["203.0.113.66, 198.51.100.1"], "198.51.100.1"),
        (PROXY, ["203.0.113.66", "198.51.100.1"], "198.51.100.1"),
        (PROXY, ["203.0.113.66, 198.51.100.1, 10.1.2.3"], "198.51.100.1"),
        (PROXY, ["10.1.2.3, 10.1.2.4"], "10.1.2.3"),
        (PROXY, ["203.0.113.66, nonsense"], PROXY),
        (PROXY, ["198.51.100.1:4711"], "198.51.100.1"),
        (PROXY, ["[2001:db8:1::9]:4711"], "2001:db8:1::9"),
        ("::ffff:10.0.0.5", ["198.51.100.1"], "198.51.100.1"),
        ("2001:db8::1", ["fe80::1%eth0"], "fe80::1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_the_source_is_the_rightmost_hop_that_is_no_proxy(peer: str, forwarded: list[str], expected: str) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    assert source_address((peer, 50000), headers) == expected
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=",".join(forwarded))
    client_address(lambda request: HttpResponse())(request)
    assert request.client_address == expected  # type: ignore[attr-defined]


def test_a_scope_without_a_client_has_no_source() -> None:
    assert source_address(None, []) == ""


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (PROXY, ["https"], True),
        (PROXY, ["wss"], True),
        (PROXY, ["HTTPS"], True),
        (PROXY, ["http"], False),
        (PROXY, ["https, http"], False),
        (PROXY, ["http, https"], True),
        (PROXY, [], False),
        ("192.0.2.1", ["https"], False),
        ("", ["https"], False),
    ],
)
def test_only_a_trusted_proxy_says_that_tls_ended_there(peer: str, forwarded: list[str], expected: bool) -> None:
    headers = [(b"X-Forwarded-Proto", value.encode()) for value in forwarded]
    assert ended_tls((peer, 50000), headers) is expected
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_PROTO=",".join(forwarded))
    client_address(lambda request: HttpResponse())(request)
    assert request.is_secure() is expected
    assert "X-Forwarded-Proto" not in request.headers


async def test_it_works_under_asgi(settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]

    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"{request.client_address} {request.is_secure()}")  # type: ignore[attr-defined]

    request = AsyncRequestFactory().get("/", headers={"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "https"})
    response = await client_address(view)(request)
    assert response.content == b"198.51.100.1 True"
