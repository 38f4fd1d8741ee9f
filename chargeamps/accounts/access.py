"""The only way a person's request reaches a site. Foreign and missing look the same: ``NotFound``."""

from typing import NoReturn
from uuid import UUID

from chargeamps.accounts.models import Membership, User
from chargeamps.common import context, rate
from chargeamps.common.ids import parse_id
from chargeamps.common.problems import NotFound, NotPermitted
from chargeamps.securitylog.models import Entry
from chargeamps.securitylog.services import record

# Entries per person about objects that are not theirs: a script that tries ids must not flood the log.
_NOTED = {"capacity": 20, "refill_per_second": 1 / 60}


def access_site(user: User, id: UUID | str, *, manage: bool = False) -> Membership:
    """Return the person's membership (with its site), or raise ``NotFound``, or ``NotPermitted`` where visible."""
    key = parse_id(str(id))
    membership = user.memberships.select_related("site").filter(site_id=key).first() if key else None
    if membership is None:
        refuse_unknown(user, "site", id)
    if manage and membership.role not in Membership.MANAGING:
        refuse_role(user, membership, "manage")
    return membership


def refuse_unknown(user: User, what: str, id: UUID | str) -> NoReturn:
    """Log the attempt and answer 404, by the same steps whether the object exists or not."""
    _note(user, {"object": what, "id": str(id)[:40]})
    raise NotFound


def refuse_role(user: User, membership: Membership, act: str, *, charge_point: str = "") -> NoReturn:
    """Log the attempt and answer 403."""
    detail = {"act": act, "role": membership.role}
    _note(user, detail, charge_point=charge_point, site=str(membership.site_id))
    raise NotPermitted


def _note(user: User, detail: dict[str, str], *, charge_point: str = "", site: str = "") -> None:
    if rate.take(rate.bucket_name("access-noted", user.pk), **_NOTED) == 0:
        record(
            kind="access",
            outcome=Entry.Outcome.REFUSED,
            actor=str(user.pk),
            charge_point=charge_point,
            site=site,
            source_address=context.source_address.get(),
            detail=detail,
        )
