from typing import Any, ClassVar, NoReturn

from django.db import models


class ImmutableError(Exception):
    """Somebody tried to change or remove what is written for good."""


class EntryQuerySet(models.QuerySet["Entry"]):
    def update(self, **fields: Any) -> NoReturn:
        raise ImmutableError("The security log is only ever added to.")

    def bulk_update(self, *_: Any, **__: Any) -> NoReturn:
        raise ImmutableError("The security log is only ever added to.")

    def delete(self) -> NoReturn:
        raise ImmutableError("The security log is only ever added to.")


class Entry(models.Model):
    """One attempt, successful or not (SI 2021/1467 Sch 1 para 10). Rows are added, never changed."""

    class Outcome(models.TextChoices):
        SUCCESS = "success"
        FAILURE = "failure"
        REFUSED = "refused"
        NOTICE = "notice"

    sequence = models.PositiveBigIntegerField(primary_key=True)
    time = models.DateTimeField(db_index=True)  # UTC
    kind = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10, choices=Outcome)
    # Identifiers, not names: erasing a person must not break the chain.
    actor = models.CharField(max_length=40, blank=True)
    charge_point = models.CharField(max_length=40, blank=True, db_index=True)
    site = models.CharField(max_length=40, blank=True, db_index=True)
    source_address = models.CharField(max_length=45, blank=True)
    detail = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects: ClassVar[models.Manager["Entry"]] = models.Manager.from_queryset(EntryQuerySet)()

    class Meta:
        verbose_name_plural = "entries"

    def save(self, **options: Any) -> None:
        if not self._state.adding:
            raise ImmutableError("The security log is only ever added to.")
        super().save(**{**options, "force_insert": True})

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise ImmutableError("The security log is only ever added to.")


class ChainHead(models.Model):
    """The last link of the chain. Locking its row puts parallel writers in line."""

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)
