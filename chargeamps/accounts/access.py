"""The only way a person's request reaches a site. Foreign and missing look the same: ``NotFound``."""

from typing import NoReturn
from uuid import UUID

from chargeamps.accounts.models import Membership, User
from chargeamps.common.ids import parse_id
from chargeamps.common.problems import NotFound, NotPermitted


def access_site(user: User, id: UUID | str, *, manage: bool = False) -> Membership:
    """Return the person's membership (with its site); ``NotFound``, or ``NotPermitted`` where it may only be seen."""
    key = parse_id(str(id))
    membership = user.memberships.select_related("site").filter(site_id=key).first() if key else None
    if membership is None:
        refuse_unknown("site", id)
    if manage and membership.role not in Membership.MANAGING:
        refuse_role(membership, "manage")
    return membership


def refuse_unknown(what: str, id: UUID | str) -> NoReturn:
    """Answer 404 and have the attempt logged, by the same steps whether the object exists or not."""
    raise NotFound(attempt={"object": what, "id": str(id)[:40]})


def refuse_role(membership: Membership, act: str) -> NoReturn:
    """Answer 403 and have the attempt logged."""
    raise NotPermitted(attempt={"act": act, "role": membership.role, "site": str(membership.site_id)})
