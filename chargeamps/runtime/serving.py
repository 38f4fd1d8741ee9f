"""Starting a server process: tables and certificates first, then the sockets, then the work beside them."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from django.conf import settings
from django.core.management import call_command

from chargeamps.common.certificates import CertificateFiles, server_files

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen. ``tls`` 0 leaves TLS to a proxy."""

    host: str = "127.0.0.1"
    http: int = 8000
    tls: int = 8443


def serve(ports: Ports, *, on_ready: Callable[[], None] | None = None) -> None:
    """Serve until stopped. An empty data folder is made ready first."""
    # Twisted's reactor is installed by this import, so it must not happen in other commands.
    from chargeamps.runtime.server import Listener, Server, TlsContext

    call_command("migrate", verbosity=0, interactive=False)
    listeners = [Listener(ports.host, ports.http)]
    if ports.tls:
        listeners.append(Listener(ports.host, ports.tls, TlsContext(_certificates())))

    from chargeamps.asgi import application

    async def begin() -> None:
        await _start_work()
        log.info("serving", host=ports.host, http_port=ports.http, tls_port=ports.tls, process=os.getpid())
        if on_ready is not None:
            on_ready()

    Server(application, listeners, begin).run()


def _certificates() -> list[CertificateFiles]:
    if settings.TLS_CERTIFICATE:
        return [CertificateFiles(Path(settings.TLS_CERTIFICATE), Path(settings.TLS_KEY))]
    return server_files(settings.DATA_FOLDER, settings.TLS_NAMES)


_tasks: list[asyncio.Task[None]] = []


async def _start_work() -> None:
    from chargeamps.common.bus import bus
    from chargeamps.gateway.registry import registry
    from chargeamps.runtime import embedded_clock, memory

    bus.attach()
    registry.attach()
    _tasks.append(asyncio.create_task(memory.give_back_for_ever()))
    if not settings.CELERY_BROKER_URL:
        _tasks.extend(embedded_clock.start())
