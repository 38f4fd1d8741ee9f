"""A site's own price of a kilowatt-hour, flat or by hours."""

import re
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from chargeamps.accounts.access import access_site
from chargeamps.accounts.authentication import person
from chargeamps.common import clock
from chargeamps.common.api import ApiView, ProblemSerializer
from chargeamps.common.clock import isoformat
from chargeamps.common.problems import Invalid
from chargeamps.usage.models import Tariff
from chargeamps.usage.pricing import DAYS
from chargeamps.usage.services.tariffs import set_tariff

_WALL_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_CURRENCY = re.compile(r"[A-Z]{3}")
PRICE = {"max_digits": 10, "decimal_places": 5, "min_value": 0, "max_value": 1000}


class PriceWindowSerializer(serializers.Serializer[Any]):
    days = serializers.ListField(child=serializers.ChoiceField(DAYS), allow_empty=False, max_length=7)
    start = serializers.RegexField(_WALL_TIME, help_text="Wall time, HH:MM.")
    end = serializers.RegexField(_WALL_TIME, help_text="Wall time, HH:MM; at or before the start: the next day.")
    price = serializers.DecimalField(**PRICE, help_text="For a kWh in these hours.")  # type: ignore[arg-type]


class NewTariffSerializer(serializers.Serializer[Any]):
    currency = serializers.RegexField(_CURRENCY, default="GBP")
    price = serializers.DecimalField(**PRICE, help_text="For a kWh, where no window says otherwise.")  # type: ignore[arg-type]
    windows = PriceWindowSerializer(many=True, required=False)
    valid_from = serializers.DateTimeField(required=False, help_text="Now, or later.")


class TariffSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    price = serializers.CharField()
    windows = PriceWindowSerializer(many=True)
    valid_from = serializers.DateTimeField()


class TariffsSerializer(serializers.Serializer[Any]):
    time_zone = serializers.CharField()
    in_force = TariffSerializer(allow_null=True)
    planned = TariffSerializer(many=True)
    past = TariffSerializer(many=True)


class TariffView(ApiView):
    @extend_schema(responses={200: TariffsSerializer, 404: ProblemSerializer})
    def get(self, request: Request, id: str) -> Response:
        """The price in force, those planned, and those that were: sessions keep the price of their time."""
        membership = access_site(person(request), id)
        return Response(_json(membership.site))

    @extend_schema(
        request=NewTariffSerializer,
        responses={200: TariffsSerializer, 400: ProblemSerializer, 403: ProblemSerializer, 404: ProblemSerializer},
    )
    def put(self, request: Request, id: str) -> Response:
        """Set the price from now, or from a later moment. What sessions have cost stays as it is."""
        user = person(request)
        site = access_site(user, id, manage=True).site
        data = self.read(NewTariffSerializer)
        windows = data.get("windows") or []
        if len(windows) > 50:
            raise Invalid({"windows": ["At most 50."]})
        set_tariff(
            site=site,
            user=user,
            currency=data["currency"],
            price=data["price"],
            windows=windows,
            valid_from=data.get("valid_from"),
        )
        return Response(_json(site))


def _json(site: Any) -> dict[str, Any]:
    now = clock.now()
    versions = list(Tariff.objects.filter(site=site).order_by("valid_from"))
    valid = [tariff for tariff in versions if tariff.valid_from <= now]
    return {
        "time_zone": site.time_zone,
        "in_force": _tariff_json(valid[-1]) if valid else None,
        "planned": [_tariff_json(tariff) for tariff in versions if tariff.valid_from > now],
        "past": [_tariff_json(tariff) for tariff in reversed(valid[:-1])],
    }


def _tariff_json(tariff: Tariff) -> dict[str, Any]:
    return {
        "currency": tariff.currency,
        "price": f"{tariff.price:f}",
        "windows": tariff.windows,
        "valid_from": isoformat(tariff.valid_from),
    }
