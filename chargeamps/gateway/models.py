from django.db import models

from chargeamps.chargers.models import ChargePoint


class GatewayProcess(models.Model):
    """A running process that holds chargers' sockets. Its lease tells the others when it has died."""

    id = models.CharField(max_length=40, primary_key=True)
    started = models.DateTimeField()
    last_seen = models.DateTimeField()


class TraceFrame(models.Model):
    """One OCPP frame with keys and idTags masked, for the owner and for support. Kept for ``TRACE_DAYS``."""

    class Direction(models.TextChoices):
        IN = "in"
        OUT = "out"

    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="trace")
    time = models.DateTimeField()
    direction = models.CharField(max_length=3, choices=Direction)
    action = models.CharField(max_length=50, blank=True)
    # Why the frame could not be taken as it stood, in stable codes; empty for a frame in order.
    flags = models.CharField(max_length=200, blank=True)
    frame = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["charge_point", "-id"]), models.Index(fields=["time"])]
