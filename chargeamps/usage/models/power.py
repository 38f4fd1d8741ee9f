from django.db import models

from chargeamps.accounts.models import User
from chargeamps.chargers.models import Connector


class PowerBlock(models.Model):
    """Readings of one socket over ``span`` seconds from ``start``, packed (``chargeamps.usage.packing``).

    60: one minute as it comes in, each reading appended. 3600: an hour, compressed, made from minutes that are over.
    86400: a day of UTC at one mean a minute, all that stays after ``POWER_SECONDS_DAYS``.
    """

    MINUTE, HOUR, DAY = 60, 3600, 86400

    pk = models.CompositePrimaryKey("connector", "start", "span")
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="+", db_index=False)
    start = models.DateTimeField()
    span = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        indexes = [models.Index(fields=["start"], condition=models.Q(span=60), name="minutes_to_compact")]


class Watch(models.Model):
    """Somebody looks at a socket's power just now, so it is to be sampled each second."""

    connector = models.OneToOneField(Connector, on_delete=models.CASCADE, related_name="watch", primary_key=True)
    watched_until = models.DateTimeField()
    watched_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
