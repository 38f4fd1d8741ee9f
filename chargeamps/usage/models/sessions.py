from django.db import models

from chargeamps.accounts.models import Site, User
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common.ids import new_id


class ChargingSession(models.Model):
    """One OCPP transaction, from StartTransaction to StopTransaction, whatever order they arrive in.

    Energy in Wh (``_mwh``: thousandths of one, as the meter tells them). Times are the charger's where plausible, else
    ours; what the charger said and when we received it are kept beside them. The totals follow from what was said and
    from the connector's readings (``PowerBlock``) alone, so they may be counted anew at any time.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="sessions")
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="sessions")
    # Where the charge point stood. A charger that moves house takes its sessions along to nobody.
    site = models.ForeignKey(
        Site, on_delete=models.SET_NULL, null=True, blank=True, related_name="sessions", db_index=False
    )
    # Who started it, where that is known: drivers see their own sessions only.
    person = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="sessions")
    transaction_id = models.PositiveIntegerField(unique=True)
    # SHA-256 over what makes a StartTransaction the same one when a charger repeats it.
    start_key = models.CharField(max_length=64)
    id_tag = models.CharField(max_length=255, blank=True)
    authorised = models.BooleanField(default=True)

    started = models.DateTimeField()
    # The day of ``started`` in the site's time zone: the session counts in this day, its week and its month.
    local_day = models.DateField()
    start_received = models.DateTimeField(null=True, blank=True)
    start_told = models.CharField(max_length=100, blank=True)
    stopped = models.DateTimeField(null=True, blank=True)
    stop_received = models.DateTimeField(null=True, blank=True)
    stop_told = models.CharField(max_length=100, blank=True)
    plugged_from = models.DateTimeField(null=True, blank=True)
    plugged_until = models.DateTimeField(null=True, blank=True)
    meter_start_wh = models.BigIntegerField(null=True, blank=True)
    meter_stop_wh = models.BigIntegerField(null=True, blank=True)
    stop_reason = models.CharField(max_length=50, blank=True)

    energy_import_wh = models.PositiveBigIntegerField(default=0)
    energy_export_wh = models.PositiveBigIntegerField(default=0)
    # Time that current flowed, which is not the time plugged in; the running piece began at ``flowing_since``.
    flow_seconds = models.PositiveIntegerField(default=0)
    flow_ms = models.PositiveBigIntegerField(default=0)
    flowing_since = models.DateTimeField(null=True, blank=True)

    # How far the counting has come: the newest reading taken in, and the registers between which it counts.
    counted_to = models.DateTimeField(null=True, blank=True)
    base_import_mwh = models.BigIntegerField(null=True, blank=True)
    last_import_mwh = models.BigIntegerField(null=True, blank=True)
    base_export_mwh = models.BigIntegerField(null=True, blank=True)
    last_export_mwh = models.BigIntegerField(null=True, blank=True)
    readings = models.PositiveIntegerField(default=0)
    missing = models.PositiveIntegerField(default=0)
    # Something came late or looked odd: the totals are to be counted anew from all readings.
    recount = models.BooleanField(default=False)

    # What was odd, in stable codes: of the messages as they were read, and of the counting.
    flags = models.JSONField(default=list, blank=True)
    findings = models.JSONField(default=list, blank=True)

    # Fixed from the prices valid then: millionths of the currency. Null: no price was set.
    cost_micros = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["charge_point", "start_key"], name="one_session_per_start"),
        ]
        indexes = [
            models.Index(fields=["connector", "-started"]),
            models.Index(fields=["connector"], condition=models.Q(stopped=None), name="open_sessions"),
            models.Index(fields=["charge_point"], condition=models.Q(recount=True), name="sessions_to_recount"),
            # The reports: a site's sessions by day, without a look at the rows themselves.
            models.Index(
                fields=["site", "local_day", "energy_import_wh", "energy_export_wh", "flow_seconds", "cost_micros"],
                name="usage_by_day",
            ),
            models.Index(fields=["site", "-started", "-id"], name="usage_newest_first"),
        ]

    def __str__(self) -> str:
        return f"session {self.transaction_id}"


class UnmatchedStop(models.Model):
    """A StopTransaction for no session we know: kept as said, and given to its start if that comes later."""

    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="+")
    # SHA-256 over what makes it the same one when a charger repeats it.
    key = models.CharField(max_length=64)
    told = models.JSONField(default=dict)
    id_tag = models.CharField(max_length=255, blank=True)
    meter_stop_wh = models.BigIntegerField(null=True, blank=True)
    stopped = models.DateTimeField()
    stop_told = models.CharField(max_length=100, blank=True)
    received = models.DateTimeField()
    reason = models.CharField(max_length=50, blank=True)
    flags = models.JSONField(default=list, blank=True)
    session = models.ForeignKey(ChargingSession, on_delete=models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["charge_point", "key"], name="one_row_per_unmatched_stop")]


class PlugEvent(models.Model):
    """A cable went in or out of a socket."""

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="+", db_index=False)
    time = models.DateTimeField()
    plugged = models.BooleanField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connector", "time"], name="one_plug_event_per_moment")]
