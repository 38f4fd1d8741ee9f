"""Runs the periodic work inside the server process, where there is no Celery."""

import asyncio

import structlog
from asgiref.sync import sync_to_async
from django.db import close_old_connections

from chargeamps.runtime.periodic import WORK, Periodic

log = structlog.get_logger(__name__)


def start() -> list[asyncio.Task[None]]:
    """One task for each kind of work on the running event loop."""
    return [asyncio.create_task(_for_ever(work), name=work.name) for work in WORK]


async def _for_ever(work: Periodic) -> None:
    while True:
        await asyncio.sleep(work.every.total_seconds())
        try:
            await sync_to_async(_run, thread_sensitive=False)(work)
        except Exception:
            log.exception("periodic_work_failed", work=work.name)


def _run(work: Periodic) -> None:
    close_old_connections()
    work.run()
