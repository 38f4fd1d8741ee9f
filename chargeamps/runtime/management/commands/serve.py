"""``manage.py serve``: the app and the chargers' port in one process.

Without a broker it runs the periodic work too; without PostgreSQL and Redis nothing else needs to run. With them,
several such processes may stand behind a proxy.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chargeamps.runtime.serving import Ports, serve


class Command(BaseCommand):
    help = "Serve the app over HTTP and chargers over TLS."

    def add_arguments(self, parser: CommandParser) -> None:
        add_port_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        serve(Ports(options["host"], options["http_port"], options["tls_port"]))


def add_port_arguments(parser: CommandParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (0.0.0.0 for all)")
    parser.add_argument("--http-port", type=int, default=8000)
    parser.add_argument("--tls-port", type=int, default=8443, help="0: no TLS here, a proxy ends it")
