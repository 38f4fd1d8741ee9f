"""Who is calling, and whether the way here was encrypted, told by proxies we trust and by nobody else."""

import uuid
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from chargeamps.common import context

Address = IPv4Address | IPv6Address
Headers = Iterable[tuple[bytes, bytes]]


def source_address(scope_client: Iterable[Any] | None, headers: Headers) -> str:
    """Return the caller's address for an ASGI scope's ``client`` and ``headers``; empty when there is none.

    X-Forwarded-For counts only while the hop that wrote it is in ``TRUSTED_PROXIES``: the answer is the rightmost
    address that is not a trusted proxy. What stands left of it anybody may have invented.
    """
    return _source(_peer(scope_client), _values(headers, b"x-forwarded-for"))


def ended_tls(scope_client: Iterable[Any] | None, headers: Headers) -> bool:
    """Say whether a trusted proxy ended TLS for this connection (X-Forwarded-Proto https or wss)."""
    return _forwarded_tls(_peer(scope_client), _values(headers, b"x-forwarded-proto"))


def is_trusted(address: str) -> bool:
    """Say whether an address is one of ``TRUSTED_PROXIES``."""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


def is_loopback(address: str) -> bool:
    parsed = _parse(address)
    return parsed is not None and parsed.is_loopback


@sync_and_async_middleware
def client_address(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Set ``request.client_address``, make ``request.is_secure()`` right, and drop headers that nobody vouches for."""
    if iscoroutinefunction(get_response):

        async def serve_async(request: HttpRequest) -> HttpResponseBase:
            _examine(request)
            answer: Awaitable[HttpResponseBase] = get_response(request)
            return await answer

        return serve_async

    def serve(request: HttpRequest) -> HttpResponseBase:
        _examine(request)
        response: HttpResponseBase = get_response(request)
        return response

    return serve


def _examine(request: HttpRequest) -> None:
    peer = request.META.get("REMOTE_ADDR", "")
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    forwarded_proto = request.META.pop("HTTP_X_FORWARDED_PROTO", "").split(",")
    address = _source(peer, forwarded_for)
    request.client_address = address  # type: ignore[attr-defined]
    if _forwarded_tls(peer, forwarded_proto):
        # Django asks the scope (ASGI) or the environment (WSGI, the test client) for the scheme.
        if hasattr(request, "scope"):
            request.scope = {**request.scope, "scheme": "https"}
        request.META["wsgi.url_scheme"] = "https"
    context.source_address.set(address)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=uuid.uuid4().hex[:16])


def _source(peer: str, forwarded_for: Iterable[str]) -> str:
    found = peer
    for hop in reversed([hop for hop in forwarded_for if hop.strip()]):
        if not is_trusted(found):
            break
        address = _parse(hop)
        if address is None:
            break
        found = str(address)
    parsed = _parse(found)
    return str(parsed) if parsed is not None else ""


def _forwarded_tls(peer: str, forwarded_proto: Iterable[str]) -> bool:
    # The last value is what the proxy next to us wrote, whether it replaces the header or adds to it.
    said = [value.strip().lower() for value in forwarded_proto if value.strip()]
    return is_trusted(peer) and said[-1:] in (["https"], ["wss"])


def _peer(scope_client: Iterable[Any] | None) -> str:
    return str(next(iter(scope_client), "")) if scope_client else ""


def _values(headers: Headers, name: bytes) -> list[str]:
    return [part for key, value in headers if key.lower() == name for part in value.decode("latin-1").split(",")]


def _parse(text: str) -> Address | None:
    """Read an address with or without a port, brackets or an IPv6 zone; an IPv4 one inside IPv6 comes out as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


@lru_cache(maxsize=8)
def _networks(texts: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)
