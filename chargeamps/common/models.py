from django.db import models


class IdempotentRequest(models.Model):
    """A POST that carried an ``Idempotency-Key``, with the answer it got, so that a repeat gets the same."""

    scope = models.CharField(max_length=200)  # who and where: user id, method and path
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)  # SHA-256 of the body
    status = models.PositiveSmallIntegerField(null=True)  # null while the first request is at work
    body = models.TextField(default="")
    created = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="one_answer_per_idempotency_key")]
        indexes = [models.Index(fields=["created"])]


class RateBucket(models.Model):
    """A token bucket that every process shares and that survives a restart."""

    name = models.CharField(max_length=150, primary_key=True)
    tokens = models.FloatField()
    updated = models.DateTimeField()
