"""The least that Channels can do on the same server, port and certificates: accept, and give back what comes.

``/lean/…`` is a consumer with neither of the two costs that reference/performance.md §1 found in the stock one: the
hop to a thread for each message and the channel layer. ``/stock/…`` is the consumer as Channels ships it, without a
layer. The ratios of the report are to the lean one.
"""

import os
import sys
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chargeamps.settings")

import django

django.setup()

from channels.consumer import get_handler_name
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.conf import settings
from django.urls import re_path

from chargeamps.common.certificates import server_files
from chargeamps.runtime.memory import give_back_for_ever
from chargeamps.runtime.server import Listener, Server, TlsContext
from tests.benchmarks.measured import collect_on_signal


class Stock(AsyncWebsocketConsumer):
    channel_layer_alias = cast(str, None)

    async def connect(self) -> None:
        await self.accept("ocpp1.6" if "ocpp1.6" in self.scope["subprotocols"] else None)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await self.send(text_data)


class Lean(Stock):
    async def dispatch(self, message: dict[str, Any]) -> None:
        await getattr(self, get_handler_name(message))(message)


application = ProtocolTypeRouter(
    {
        "websocket": URLRouter(
            [
                re_path(r"^lean/(?P<identity>.+)$", Lean.as_asgi()),
                re_path(r"^stock/(?P<identity>.+)$", Stock.as_asgi()),
            ]
        )
    }
)


def main() -> None:
    collect_on_signal()
    tls = TlsContext(server_files(settings.DATA_FOLDER, settings.TLS_NAMES))
    Server(application, [Listener("127.0.0.1", int(sys.argv[1]), tls)], give_back_for_ever).run()


if __name__ == "__main__":
    main()
