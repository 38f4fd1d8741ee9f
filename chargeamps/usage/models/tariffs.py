from django.db import models

from chargeamps.accounts.models import Site, User
from chargeamps.common import clock


class Tariff(models.Model):
    """What a kilowatt-hour costs at a site from a moment on, until the next version. Rows are added, never changed.

    ``windows`` is a list of ``{days, start, end, price}`` in the site's wall time, days as monday … sunday; outside of
    them ``price`` holds.
    """

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="tariffs")
    valid_from = models.DateTimeField()
    currency = models.CharField(max_length=3, default="GBP")
    price = models.DecimalField(max_digits=10, decimal_places=5)
    windows = models.JSONField(default=list, blank=True)
    created = models.DateTimeField(default=clock.now)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "valid_from"], name="one_tariff_per_moment")]
