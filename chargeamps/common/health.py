"""Whether the process lives, whether it can do its work, and what it measures."""

import redis
import structlog
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from chargeamps.common.middleware import is_loopback, is_trusted
from chargeamps.common.problems import not_found

log = structlog.get_logger(__name__)


@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """The process can reach what it needs: 200, or 503 naming what it cannot reach."""
    parts = {"database": _database_answers(), "layer": _layer_answers()}
    return JsonResponse(
        {name: "ok" if well else "unreachable" for name, well in parts.items()},
        status=200 if all(parts.values()) else 503,
    )


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics for this machine, the trusted proxies' machines and signed-in staff; to others not here."""
    address: str = getattr(request, "client_address", "")
    # A proxy on this machine that nobody declared makes every caller look local, but it adds this header.
    undeclared = is_loopback(address) and "X-Forwarded-For" in request.headers and not is_trusted(address)
    if (not undeclared and (is_loopback(address) or is_trusted(address))) or request.user.is_staff:
        return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)
    return not_found(request)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception as error:
        log.warning("database_unreachable", error=repr(error))
        return False
    return True


def _layer_answers() -> bool:
    if not settings.REDIS_URL:
        return True
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            client.ping()
    except Exception as error:
        log.warning("layer_unreachable", error=repr(error))
        return False
    return True
