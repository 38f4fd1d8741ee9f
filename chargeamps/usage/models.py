from django.db import models

from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common.ids import new_id


class ChargingSession(models.Model):
    """One OCPP transaction, from StartTransaction to StopTransaction, whatever order they arrive in.

    Energy in Wh. Times are the charger's where plausible, else ours; the receive times are kept beside them.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="sessions")
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="sessions")
    transaction_id = models.PositiveIntegerField(unique=True)
    # SHA-256 over what makes a StartTransaction the same one when a charger repeats it.
    start_key = models.CharField(max_length=64)
    id_tag = models.CharField(max_length=255, blank=True)
    authorised = models.BooleanField(default=True)

    started = models.DateTimeField()
    start_received = models.DateTimeField(null=True, blank=True)
    stopped = models.DateTimeField(null=True, blank=True)
    stop_received = models.DateTimeField(null=True, blank=True)
    meter_start_wh = models.BigIntegerField(null=True, blank=True)
    meter_stop_wh = models.BigIntegerField(null=True, blank=True)
    last_register_wh = models.FloatField(null=True, blank=True)
    last_register_time = models.DateTimeField(null=True, blank=True)
    energy_import_wh = models.PositiveBigIntegerField(default=0)
    # Time that current flowed, which is not the time plugged in; the running piece began at ``flowing_since``.
    flow_seconds = models.PositiveIntegerField(default=0)
    flowing_since = models.DateTimeField(null=True, blank=True)
    stop_reason = models.CharField(max_length=50, blank=True)
    # What was odd about the messages, in stable codes.
    flags = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["charge_point", "start_key"], name="one_session_per_start"),
        ]
        indexes = [
            models.Index(fields=["connector", "-started"]),
            models.Index(fields=["connector"], condition=models.Q(stopped=None), name="open_sessions"),
        ]

    def __str__(self) -> str:
        return f"session {self.transaction_id}"
