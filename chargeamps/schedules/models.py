from django.db import models

from chargeamps.accounts.models import User
from chargeamps.chargers.models import Connector
from chargeamps.common import clock


class Override(models.Model):
    """A person's "charge now" for one session (SI 2021/1467 reg 10: overriding the default mode of charging)."""

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="overrides")
    created = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    ended = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=30, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connector"], condition=models.Q(ended=None), name="one_override_in_force_per_connector"
            )
        ]
