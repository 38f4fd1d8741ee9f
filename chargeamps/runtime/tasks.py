"""The periodic work as Celery tasks, for installations with a broker."""

from celery import shared_task

from chargeamps.celery import app
from chargeamps.runtime.periodic import WORK


@shared_task(ignore_result=True)
def run_periodic(name: str) -> None:
    """Run one entry of ``chargeamps.runtime.periodic.WORK``."""
    next(work for work in WORK if work.name == name).run()


app.conf.beat_schedule = {
    work.name: {
        "task": run_periodic.name,
        "schedule": work.every.total_seconds(),
        "args": [work.name],
        # What waited too long in the broker is due again anyway.
        "options": {"expires": max(10.0, work.every.total_seconds())},
    }
    for work in WORK
}
