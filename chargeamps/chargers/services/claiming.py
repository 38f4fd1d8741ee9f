"""Binding a charge point to the site of the person who holds it in hands."""

from django.db import transaction

from chargeamps.accounts.models import Membership, Site, User
from chargeamps.accounts.services import create_site
from chargeamps.chargers.models import ChargePoint, ClaimCode
from chargeamps.chargers.services.credentials import DUMMY, code_matches
from chargeamps.common import clock, rate
from chargeamps.common.bus import CHANGED, DOORBELL, bus
from chargeamps.common.problems import Invalid, Problem, TooManyAttempts
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record

# Tries at once, then one each so many seconds. There is no limit by identity: a stranger could use it up and so keep
# the rightful owner out. 80 random bits in the code make up for it.
PER_PERSON = (10, 60)
PER_SOURCE = (30, 20)


class ClaimRefused(Problem):
    """Wrong code, unknown identity and charge point already claimed look and take alike."""

    code = "claim-refused"
    detail = (
        "That identity and code do not match. Check both on the label that came with the charger. A charger that "
        "somebody has already added must be released by them first."
    )


def claim(
    *,
    user: User,
    identity: str,
    claim_code: str,
    site: Site | None = None,
    name: str | None = None,
    free_charging: bool | None = None,
    source_address: str = "",
) -> ChargePoint:
    """Bind the charge point to the person's site; a person who manages none gets a home.

    The caller has made sure that the person manages ``site``. Raises ``ClaimRefused``, ``TooManyAttempts``, or
    ``Invalid`` when the person manages several sites and none was named. Not atomic as a whole: the count and the log
    entry of a refusal stay.
    """
    target = site or _only_site(user)
    _take_attempt(user, source_address)
    with transaction.atomic():
        code = (
            ClaimCode.objects.select_for_update()
            .select_related("charge_point")
            .filter(charge_point__identity__iexact=identity.strip())
            .first()
        )
        charge_point = code.charge_point if code else None
        claimed = code is not None and _use(code, claim_code)
        if code is None:
            code_matches(claim_code, *DUMMY)
        if claimed and charge_point:
            target = target or create_site(name="Home", owner=user)
            charge_point.site = target
            charge_point.claimed = clock.now()
            charge_point.name = name if name is not None else charge_point.name
            charge_point.free_charging = free_charging if free_charging is not None else charge_point.free_charging
            charge_point.save(update_fields=["site", "claimed", "name", "free_charging"])
            bus.publish_on_commit(CHANGED, charge_point=str(charge_point.pk), site=str(target.pk))
            bus.publish_on_commit(DOORBELL, charge_point=str(charge_point.pk))
        record(
            kind="claim",
            outcome=Entry.Outcome.SUCCESS if claimed else Entry.Outcome.REFUSED,
            actor=str(user.pk),
            # A refused try for somebody's charger is in the log that its owner reads.
            charge_point=str(charge_point.pk) if charge_point else "",
            site=str(charge_point.site_id or "") if charge_point else "",
            source_address=source_address,
        )
    if not claimed or charge_point is None:
        raise ClaimRefused
    return charge_point


def _use(code: ClaimCode, presented: str) -> bool:
    """Use up a locked code if it is right, unused, and its charge point nobody's."""
    right = code_matches(presented, bytes(code.salt), bytes(code.digest))
    if not right or code.used is not None or code.charge_point.site_id is not None:
        return False
    code.used = clock.now()
    code.save(update_fields=["used"])
    return True


def _only_site(user: User) -> Site | None:
    """The one site that a person manages, or None for a person who manages none."""
    managed = [row.site for row in user.memberships.select_related("site").filter(role__in=Membership.MANAGING)]
    if len(managed) > 1:
        raise Invalid({"site": ["Say which of your sites the charger stands at."]})
    return managed[0] if managed else None


def _take_attempt(user: User, source_address: str) -> None:
    for name, (tries, seconds) in (
        (rate.bucket_name("claim-person", user.pk), PER_PERSON),
        (rate.bucket_name("claim-source", source_address), PER_SOURCE),
    ):
        if wait := rate.take(name, tries, 1 / seconds):
            raise TooManyAttempts(wait)
