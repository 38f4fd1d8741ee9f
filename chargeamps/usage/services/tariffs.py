"""A site's own price of a kilowatt-hour."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from chargeamps.accounts.models import Site, User
from chargeamps.common import clock
from chargeamps.common.problems import Invalid
from chargeamps.securitylog.services import record
from chargeamps.usage.models import Tariff


@transaction.atomic
def set_tariff(
    *,
    site: Site,
    user: User,
    currency: str,
    price: Decimal,
    windows: list[dict[str, Any]],
    valid_from: datetime | None = None,
) -> Tariff:
    """Add a price, valid from a moment that is not past: what sessions cost is never rewritten."""
    now = clock.now()
    valid_from = valid_from or now
    if valid_from < now:
        raise Invalid({"valid_from": ["A past price stays as it was. Choose now or later."]})
    # What was planned for later than this, but not valid yet, gives way.
    Tariff.objects.filter(site=site, valid_from__gte=max(valid_from, now)).delete()
    tariff = Tariff.objects.create(
        site=site,
        valid_from=valid_from,
        currency=currency,
        price=price,
        windows=[{**window, "price": str(window["price"])} for window in windows],
        created_by=user,
    )
    record(
        kind="tariff",
        outcome="success",
        actor=str(user.pk),
        site=str(site.pk),
        detail={"price": str(price), "currency": currency, "valid_from": clock.isoformat(valid_from)},
    )
    return tariff
