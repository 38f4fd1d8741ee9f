"""Reads about people and their sites, in the shapes of the API."""

from typing import Any

from django.db.models import QuerySet

from chargeamps.accounts.models import Membership, Site, User


def memberships_of(user: User) -> QuerySet[Membership]:
    """A person's memberships with their sites, oldest first."""
    return user.memberships.select_related("site").order_by("created", "id")


def site_json(site: Site, role: str) -> dict[str, Any]:
    return {"id": str(site.pk), "name": site.name, "kind": site.kind, "role": role, "time_zone": site.time_zone}


def me_json(user: User) -> dict[str, Any]:
    return {
        "id": str(user.pk),
        "email": user.email,
        "name": user.name,
        "is_staff": user.is_staff,
        "sites": [site_json(membership.site, membership.role) for membership in memberships_of(user)],
    }
