from django.contrib import admin

from chargeamps.chargers.models import ChargePoint, Command, Connector
from chargeamps.common.admin import ReadOnly, site


class Connectors(admin.TabularInline):  # type: ignore[type-arg]
    model = Connector
    extra = 0
    can_delete = False
    readonly_fields = ("number", "status", "status_since", "error_code", "power_w", "current_a", "measured")
    fields = ("number", "status", "status_since", "error_code", "power_w", "current_a", "measured")


@admin.register(ChargePoint, site=site)
class ChargePointAdmin(ReadOnly):
    list_display = ["identity", "site", "vendor", "model", "firmware_version", "connected_since", "last_contact"]
    search_fields = ["identity", "serial_number"]
    # The app's idTag starts a session, so it is a secret of the charge point.
    exclude = ["app_id_tag", "boot_notification"]
    inlines = [Connectors]


@admin.register(Command, site=site)
class CommandAdmin(ReadOnly):
    list_display = ["created", "charge_point", "connector", "kind", "state", "reason_code"]
    list_filter = ["kind", "state"]
    ordering = ["-created"]
