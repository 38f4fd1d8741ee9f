"""Making charge points known before they are installed."""

import secrets
import string
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from chargeamps.accounts.models import Site
from chargeamps.chargers.models import ChargePoint, Connector
from chargeamps.chargers.services.credentials import issue_claim_code, issue_key
from chargeamps.common import clock
from chargeamps.common.bus import CHANGED, bus
from chargeamps.common.problems import Conflict, Invalid
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record

IDENTITY_LENGTH = 48  # OCPP-J 1.6 §3.1.1
MOST_CONNECTORS = 16
_ID_TAG_ALPHABET = string.ascii_uppercase + string.digits


@dataclass(frozen=True)
class Registered:
    """A new charge point with its secrets, which are readable here and never again."""

    charge_point: ChargePoint
    key: bytes
    claim_code: str | None  # None where the charge point belongs to a site already


@transaction.atomic
def register_charge_point(*, identity: str, site: Site | None = None, connectors: int = 2) -> Registered:
    """Make a charge point known, with a key for the charger and a claim code for its owner.

    An identity is case-sensitive on the wire, but one that differs from another only in case is refused: people type
    it. Raises ``Invalid`` or ``Conflict`` (``identity-taken``).
    """
    _check(identity, connectors)
    taken = Conflict(f"There is already a charge point with the identity {identity}.", code="identity-taken")
    if ChargePoint.objects.filter(identity__iexact=identity).exists():
        raise taken
    try:
        with transaction.atomic():
            charge_point = ChargePoint.objects.create(
                identity=identity,
                site=site,
                claimed=clock.now() if site else None,
                app_id_tag="".join(secrets.choice(_ID_TAG_ALPHABET) for _ in range(20)),
            )
    except IntegrityError as error:
        raise taken from error
    Connector.objects.bulk_create(
        Connector(charge_point=charge_point, number=number) for number in range(1, connectors + 1)
    )
    key = issue_key(charge_point)
    claim_code = None if site else issue_claim_code(charge_point)
    record(
        kind="charge-point-registered",
        outcome=Entry.Outcome.SUCCESS,
        charge_point=str(charge_point.pk),
        site=str(site.pk) if site else "",
    )
    if site:
        bus.publish_on_commit(CHANGED, charge_point=str(charge_point.pk), site=str(site.pk))
    return Registered(charge_point, key, claim_code)


def _check(identity: str, connectors: int) -> None:
    errors: dict[str, list[str]] = {}
    fits = 1 <= len(identity) <= IDENTITY_LENGTH and identity.isascii() and identity.isprintable()
    if not fits or " " in identity or "/" in identity:
        errors["identity"] = [f"1 to {IDENTITY_LENGTH} printable ASCII characters, without spaces and slashes."]
    if not 1 <= connectors <= MOST_CONNECTORS:
        errors["connectors"] = [f"A whole number from 1 to {MOST_CONNECTORS}."]
    if errors:
        raise Invalid(errors)
