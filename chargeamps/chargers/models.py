from django.db import models

from chargeamps.accounts.models import Site, User
from chargeamps.common import clock
from chargeamps.common.ids import new_id


class ChargePoint(models.Model):
    """A wall box with one OCPP identity: what it is, whose it is, and what it last reported."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    identity = models.CharField(max_length=48, unique=True)  # OCPP-J 1.6 §3.1.1
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True, blank=True, related_name="charge_points")
    name = models.CharField(max_length=100, blank=True)
    claimed = models.DateTimeField(null=True, blank=True)
    # Whoever plugs in may charge. Off: a card or the app is needed.
    free_charging = models.BooleanField(default=False)
    # The longest random delay (SI 2021/1467 reg 11), which an operator may change remotely.
    delay_maximum_s = models.PositiveSmallIntegerField(default=600)
    # What the cable and fuses in front of the box carry, in amperes per phase, as the installer says; null: all of it.
    installation_limit_a = models.PositiveSmallIntegerField(null=True, blank=True)
    # Sent as idTag with a remote start, and accepted from this charge point alone (OCPP 1.6: at most 20 characters).
    app_id_tag = models.CharField(max_length=20)

    # As reported in BootNotification.
    vendor = models.CharField(max_length=100, blank=True)
    model = models.CharField(max_length=100, blank=True)
    serial_number = models.CharField(max_length=100, blank=True)
    firmware_version = models.CharField(max_length=100, blank=True)
    boot_notification = models.JSONField(default=dict, blank=True)
    last_boot = models.DateTimeField(null=True, blank=True)
    configuration_reported = models.DateTimeField(null=True, blank=True)
    # What it was seen to refuse of charging profiles (codes of chargeamps.gateway.profiles.Refusal).
    refusals = models.JSONField(default=list, blank=True)
    # What of the plan it cannot keep by itself (codes of chargeamps.gateway.profiles.Shortfall).
    shortfalls = models.JSONField(default=list, blank=True)

    # When its plan was last changed by somebody: a sweep finds it where the doorbell was not heard.
    plan_changed = models.DateTimeField(null=True, blank=True)

    # Connector 0 of OCPP: the box as a whole.
    status = models.CharField(max_length=50, blank=True)
    error_code = models.CharField(max_length=50, blank=True)

    # The connection. The epoch goes up with every accepted socket: only the holder of the newest may change anything.
    epoch = models.PositiveIntegerField(default=0)
    gateway_process = models.CharField(max_length=40, blank=True)
    connected_since = models.DateTimeField(null=True, blank=True)
    disconnected_since = models.DateTimeField(null=True, blank=True)
    last_contact = models.DateTimeField(null=True, blank=True)
    source_address = models.CharField(max_length=45, blank=True)
    # The charger's clock less ours, in seconds, when last seen; null when it sends no times.
    clock_offset_seconds = models.FloatField(null=True, blank=True)

    created = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["gateway_process"])]
        constraints = [
            models.CheckConstraint(condition=models.Q(delay_maximum_s__lte=1800), name="delay_maximum_up_to_1800_s")
        ]

    def __str__(self) -> str:
        return self.identity

    @property
    def online(self) -> bool:
        return self.connected_since is not None


class Credential(models.Model):
    """A charge point's AuthorizationKey as a salted SHA-256; the key itself is never kept.

    The key has at least 128 random bits, so a fast hash suffices, and thousands may reconnect at once.
    """

    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="credentials")
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)
    created = models.DateTimeField(default=clock.now)


class ClaimCode(models.Model):
    """Proof of possession, printed for the owner: binds a charge point to a site once."""

    charge_point = models.OneToOneField(ChargePoint, on_delete=models.CASCADE, related_name="claim_code")
    salt = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=32)
    created = models.DateTimeField(default=clock.now)
    used = models.DateTimeField(null=True, blank=True)


class Connector(models.Model):
    """One socket, with the last state the charger reported for it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="connectors")
    number = models.PositiveSmallIntegerField()

    status = models.CharField(max_length=50, blank=True)  # as sent, so that an unknown one is kept too
    status_since = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=50, blank=True)
    vendor_error_code = models.CharField(max_length=50, blank=True)
    info = models.CharField(max_length=50, blank=True)

    power_w = models.FloatField(null=True, blank=True)
    current_a = models.FloatField(null=True, blank=True)
    current_offered_a = models.FloatField(null=True, blank=True)
    voltage_v = models.FloatField(null=True, blank=True)
    measured = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["charge_point", "number"], name="one_connector_per_number")]
        ordering = ["charge_point", "number"]

    def __str__(self) -> str:
        return f"{self.charge_point_id}/{self.number}"


class ConfigurationKey(models.Model):
    """One OCPP configuration key as the charger reported it. Write-only keys never have a value here."""

    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="configuration")
    key = models.CharField(max_length=100)
    value = models.TextField(null=True, blank=True)  # noqa: DJ001 - a key without a value is not one with an empty value
    read_only = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["charge_point", "key"], name="one_value_per_configuration_key")]
        ordering = ["key"]


class InstalledProfile(models.Model):
    """A charging profile that should stand on the charger, and what the charger said of it.

    ``desired_digest`` changes when the plan changes; ``accepted_digest`` is the last one the charger accepted and
    ``verified_digest`` the last one that its composite schedule proved.
    """

    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="profiles")
    connector_number = models.PositiveSmallIntegerField()
    profile_id = models.IntegerField()
    layer = models.CharField(max_length=30)
    payload = models.JSONField()  # csChargingProfiles, OCPP 1.6 §7.8
    desired_digest = models.CharField(max_length=64)
    accepted_digest = models.CharField(max_length=64, blank=True)
    accepted = models.DateTimeField(null=True, blank=True)
    verified_digest = models.CharField(max_length=64, blank=True)
    verified = models.DateTimeField(null=True, blank=True)
    refusal = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["charge_point", "connector_number", "profile_id"], name="one_profile_per_id_and_connector"
            )
        ]


class Command(models.Model):
    """Something that should happen once: asked, sent, answered, and proved by its effect or not."""

    class Kind(models.TextChoices):
        CHARGE_NOW = "charge-now"
        WAIT_FOR_SCHEDULE = "wait-for-schedule"
        STOP = "stop"
        SKIP_DELAY = "skip-delay"
        RESET = "reset"
        UNLOCK = "unlock"
        SET_AVAILABILITY = "set-availability"
        REFRESH = "refresh"

    class State(models.TextChoices):
        QUEUED = "queued"
        SENT = "sent"
        ACCEPTED = "accepted"
        REJECTED = "rejected"
        TIMED_OUT = "timed_out"
        VERIFIED = "verified"
        NO_EFFECT = "no_effect"
        EXPIRED = "expired"

    OPEN = (State.QUEUED, State.SENT, State.ACCEPTED)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="commands")
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, null=True, blank=True, related_name="commands")
    kind = models.CharField(max_length=20, choices=Kind)
    parameters = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    reason_code = models.CharField(max_length=50, blank=True)
    reason_text = models.CharField(max_length=300, blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created = models.DateTimeField(default=clock.now)
    sent = models.DateTimeField(null=True, blank=True)
    answered = models.DateTimeField(null=True, blank=True)
    verified = models.DateTimeField(null=True, blank=True)
    # By when the effect must show. A command not sent by then expires: it never fires by surprise.
    deadline = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["charge_point", "state"]),
            models.Index(fields=["connector", "-created"]),
        ]
        constraints = [
            # A second tap, on this phone or another, finds the first command instead of adding one.
            models.UniqueConstraint(
                fields=["connector", "kind"],
                condition=models.Q(state__in=["queued", "sent", "accepted"]),
                name="one_open_command_per_kind_and_connector",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"
