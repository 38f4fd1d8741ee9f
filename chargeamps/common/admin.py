"""The operator's back office. Each app registers here what an operator may look at."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest


class OperatorSite(admin.AdminSite):
    site_header = "Charge Amps operator"
    site_title = site_header
    index_title = "Look, don't touch: changes go through the app or manage.py"
    site_url = "/"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_staff and request.user.is_superuser


site = OperatorSite(name="admin")


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]  # Django needs a patch to subscript it
    """Rows to look at. A change made here would bypass the services, and with them the security log."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
