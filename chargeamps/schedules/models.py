from django.db import models

from chargeamps.accounts.models import Site, User
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.common import clock
from chargeamps.common.ids import new_id


class HoursChoice(models.Model):
    """What the owner chose of the default charging hours, when, and what was shown (SI 2021/1467 reg 10).

    Rows are only added. The newest one of a site holds for the charge points claimed before it; for one claimed since,
    the preset holds.
    """

    class Choice(models.TextChoices):
        ACCEPTED = "accepted"
        CHANGED = "changed"
        REMOVED = "removed"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="hours_choices")
    choice = models.CharField(max_length=10, choices=Choice)
    windows = models.JSONField(default=list)  # the hours in force from then on; empty where they were removed
    shown = models.JSONField(default=list)  # the preset as it was offered
    created = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["site", "-created"])]

    def __str__(self) -> str:
        return f"{self.choice} {self.created:%Y-%m-%d}"


class Schedule(models.Model):
    """An owner's own hours for a socket or, without ``connector``, for all sockets of a charge point.

    Without a limit these are the hours to charge in, instead of the default charging hours. With one, at most so many
    amperes per phase flow inside them; 0 is none.
    """

    class TimeBase(models.TextChoices):
        LOCAL = "local"
        UTC = "utc"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="schedules")
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, null=True, blank=True, related_name="schedules")
    name = models.CharField(max_length=60, blank=True)
    windows = models.JSONField()
    limit_a = models.PositiveSmallIntegerField(null=True, blank=True)
    time_base = models.CharField(max_length=5, choices=TimeBase, default=TimeBase.LOCAL)
    enabled = models.BooleanField(default=True)
    created = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["created"]

    def __str__(self) -> str:
        return self.name or str(self.pk)


class HolidayPause(models.Model):
    """No charging from ``start`` to ``end`` (or until it is ended), for a socket or the whole charge point."""

    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="pauses")
    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, null=True, blank=True, related_name="pauses")
    start = models.DateTimeField()
    end = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"pause from {self.start:%Y-%m-%d}"


class ReadyByRequest(models.Model):
    """So much energy by a point in time, and the hours that were picked for it (``[[from, to], ...]``)."""

    connector = models.OneToOneField(Connector, on_delete=models.CASCADE, related_name="ready_by")
    energy_wh = models.PositiveIntegerField()
    by = models.DateTimeField()
    power_w = models.PositiveIntegerField()
    since = models.DateTimeField()
    chosen = models.JSONField()
    short_wh = models.PositiveIntegerField()
    ready_at = models.DateTimeField(null=True, blank=True)
    # The energy of the session that ran when it was asked for, which does not count.
    session = models.UUIDField(null=True, blank=True)
    session_wh = models.PositiveIntegerField(default=0)
    created = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.energy_wh} Wh by {self.by:%Y-%m-%d %H:%M}"


class Override(models.Model):
    """A person's "charge now" (SI 2021/1467 reg 10: overriding the default mode of charging).

    It lasts for the session, until ``until``, or until ``energy_wh`` more have flowed since the session had
    ``session_wh``.
    """

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="overrides")
    until = models.DateTimeField(null=True, blank=True)
    energy_wh = models.PositiveIntegerField(null=True, blank=True)
    session_wh = models.PositiveIntegerField(default=0)
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


class DemandResponse(models.Model):
    """A demand-side response event for a charge point: a cap in amperes per phase, which the owner may refuse."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    charge_point = models.ForeignKey(ChargePoint, on_delete=models.CASCADE, related_name="demand_responses")
    source = models.CharField(max_length=100)
    start = models.DateTimeField()
    end = models.DateTimeField()
    limit_a = models.PositiveSmallIntegerField()
    # A response service in the sense of reg 11(2)(c), and one whose sender has randomised it already (11(2)(b)).
    response = models.BooleanField(default=False)
    delay_applied = models.BooleanField(default=False)
    created = models.DateTimeField(default=clock.now)
    opted_out = models.DateTimeField(null=True, blank=True)
    opted_out_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["charge_point", "end"])]

    def __str__(self) -> str:
        return f"{self.limit_a} A from {self.start:%Y-%m-%d %H:%M}"


class StoredDelays(models.Model):
    """The random delays that a socket's stored profiles hold, drawn by us and kept by the charger without us."""

    connector = models.OneToOneField(Connector, on_delete=models.CASCADE, related_name="stored_delays")
    # ``[[variant, second of the UTC week, delay in seconds], ...]``, see ``planner.weekly``.
    weekly = models.JSONField(default=list)
    # The delay at the beginning of the next transaction, and whether the charger was seen to take it.
    start_s = models.PositiveSmallIntegerField()
    start_accepted = models.BooleanField(default=False)
    start_used = models.BooleanField(default=False)
    maximum_s = models.PositiveSmallIntegerField()
    # The hours that the weekly delays were drawn for: others have other switches.
    pattern = models.CharField(max_length=64)
    drawn = models.DateTimeField(default=clock.now)
    # When the switches ahead were last drawn for.
    planned = models.DateTimeField(default=clock.now)


class DelayDraw(models.Model):
    """The journal of random delays: one row for each relevant time (SI 2021/1467 reg 11)."""

    class Change(models.TextChoices):
        START = "start"
        INCREASE = "increase"
        DECREASE = "decrease"

    class Cause(models.TextChoices):
        PLAN = "plan"
        PLUG_IN = "plug-in"

    connector = models.ForeignKey(Connector, on_delete=models.CASCADE, related_name="delays")
    nominal = models.DateTimeField()
    change = models.CharField(max_length=10, choices=Change)
    cause = models.CharField(max_length=10, choices=Cause, default=Cause.PLAN)
    seconds = models.PositiveSmallIntegerField()
    maximum_s = models.PositiveSmallIntegerField()
    before_a = models.FloatField()
    after_a = models.FloatField()
    reason = models.CharField(max_length=40)
    drawn = models.DateTimeField(default=clock.now)
    skipped = models.DateTimeField(null=True, blank=True)
    skipped_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    # When the charger was seen to do it.
    actual = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connector", "nominal"], name="one_delay_per_relevant_time"),
            models.CheckConstraint(
                condition=models.Q(seconds__lte=models.F("maximum_s"), maximum_s__lte=1800),
                name="delay_within_its_maximum",
            ),
        ]
        ordering = ["-nominal"]

    def __str__(self) -> str:
        return f"{self.change} {self.nominal:%Y-%m-%d %H:%M:%S} + {self.seconds} s"
