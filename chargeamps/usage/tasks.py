"""Usage's work for a Celery worker. Each takes ids and may run twice."""

from uuid import UUID

from celery import shared_task

from chargeamps.usage.services import exports


@shared_task(ignore_result=True)
def make_export(export: str) -> None:
    """Make one export, unless somebody else does."""
    exports.make_export(UUID(export))
