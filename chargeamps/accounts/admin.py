from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm

from chargeamps.accounts import services
from chargeamps.accounts.models import ApiKey, Membership, Site, User
from chargeamps.common import context
from chargeamps.common.admin import ReadOnly, site
from chargeamps.common.problems import Problem


class OperatorSignIn(AuthenticationForm):
    """The back office's sign-in, under the same limits and in the same log as the app's."""

    def clean(self) -> dict[str, Any]:
        email, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if email and password:
            try:
                user = services.check_credentials(
                    email=email, password=password, source_address=context.source_address.get()
                )
            except Problem as problem:
                raise forms.ValidationError(problem.detail) from problem
            self.confirm_login_allowed(user)
            self.user_cache = user
        return self.cleaned_data


site.login_form = OperatorSignIn


class Memberships(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0
    can_delete = False
    readonly_fields = ("user", "role", "created")
    fields = ("user", "role", "created")


@admin.register(User, site=site)
class UserAdmin(ReadOnly):
    list_display = ["email", "name", "is_active", "is_staff", "created", "last_login"]
    search_fields = ["email", "name"]
    fields = ["id", "email", "name", "is_active", "is_staff", "is_superuser", "created", "last_login"]


@admin.register(Site, site=site)
class SiteAdmin(ReadOnly):
    list_display = ["name", "kind", "country", "created"]
    search_fields = ["name"]
    inlines = [Memberships]


@admin.register(ApiKey, site=site)
class ApiKeyAdmin(ReadOnly):
    list_display = ["name", "user", "created", "last_used", "expires", "revoked"]
    exclude = ["digest"]
