"""Logs the attempts that the API refused (SI 2021/1467 Sch 1 para 10)."""

from typing import Any

from django.dispatch import receiver

from chargeamps.common import context, rate
from chargeamps.common.problems import Problem, attempt_refused
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record

# Entries per person, or per source where nobody is signed in: a script that tries ids must not flood the log.
_ENTRIES_AT_ONCE = 30
_ENTRIES_PER_SECOND = 1 / 60


@receiver(attempt_refused)
def log_attempt(sender: type[Problem], problem: Problem, request: Any, **kwargs: Any) -> None:
    user = getattr(request, "_user", None)
    actor = str(user.pk) if user is not None and user.pk else ""
    source = context.source_address.get()
    if rate.take(rate.bucket_name("attempt", actor or source), _ENTRIES_AT_ONCE, _ENTRIES_PER_SECOND) == 0:
        detail = dict(problem.attempt or {})
        record(
            kind="access",
            outcome=Entry.Outcome.REFUSED,
            actor=actor,
            site=detail.pop("site", ""),
            source_address=source,
            detail={"code": problem.code, **detail},
        )
