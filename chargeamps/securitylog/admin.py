from django.contrib import admin

from chargeamps.common.admin import ReadOnly, site
from chargeamps.securitylog.models import Entry


@admin.register(Entry, site=site)
class EntryAdmin(ReadOnly):
    list_display = ["sequence", "time", "kind", "outcome", "actor", "charge_point", "source_address"]
    list_filter = ["kind", "outcome"]
    search_fields = ["actor", "charge_point", "site", "source_address"]
    ordering = ["-sequence"]
