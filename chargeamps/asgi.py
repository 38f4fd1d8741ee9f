"""The ASGI application: REST and the PWA's shell, the owners' live socket, the chargers' sockets."""

import os
from collections.abc import Awaitable, Callable
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path, re_path

from chargeamps.common.bus import bus
from chargeamps.gateway.consumer import charge_point_socket, no_such_path
from chargeamps.live.consumer import live_socket

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_router = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter(
            [
                path("ws/live/", live_socket),
                re_path(r"^ocpp/(?P<identity>(?s:.+))\Z", cast(Any, charge_point_socket)),
                re_path(r"", cast(Any, no_such_path)),
            ]
        ),
    }
)


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    bus.attach()
    await _router(scope, receive, send)
