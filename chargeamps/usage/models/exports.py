from django.db import models

from chargeamps.accounts.models import User
from chargeamps.common import clock
from chargeamps.common.ids import new_id


class Export(models.Model):
    """A file of sessions somebody asked for: made in the background, kept for a few days."""

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        READY = "ready"
        FAILED = "failed"

    class Format(models.TextChoices):
        CSV = "csv"
        XLSX = "xlsx"
        JSON = "json"
        PDF = "pdf"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="usage_exports")
    format = models.CharField(max_length=4, choices=Format)
    # The question as asked (period, group, filters), and its days in the site's time zone, the last one included.
    question = models.JSONField(default=dict)
    first_day = models.DateField()
    last_day = models.DateField()
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    rows = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(null=True, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    # Where a run goes on that was killed: what was written last, and how many parts there are.
    cursor = models.JSONField(null=True, blank=True)
    parts = models.PositiveIntegerField(default=0)
    # Whoever works on it holds it until then; afterwards another may take it up.
    held_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created = models.DateTimeField(default=clock.now)
    finished = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["state", "created"])]

    @property
    def file_name(self) -> str:
        return f"charging-{self.first_day}-to-{self.last_day}.{self.format}"


class ExportPart(models.Model):
    """A piece of an export's file. In the database, any process may go on with it or hand it out."""

    export = models.ForeignKey(Export, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["export", "number"], name="one_export_part_per_number")]
