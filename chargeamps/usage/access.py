"""The only way a person's request reaches what was used. Foreign and missing look the same (``NotFound``).

Who manages a site, or shares a home, sees all of its sessions. Drivers and installers see those they started
themselves: when a colleague charged is nobody else's business.
"""

from uuid import UUID

from django.db.models import Q, QuerySet

from chargeamps.accounts.access import refuse_unknown
from chargeamps.accounts.models import Membership, User
from chargeamps.common.ids import parse_id
from chargeamps.usage.models import ChargingSession, Export

SEEING_ALL = (*Membership.MANAGING, Membership.Role.USER)


def visible_sessions(user: User) -> QuerySet[ChargingSession]:
    """The sessions that a person may see."""
    roles = dict(user.memberships.values_list("site_id", "role"))
    whole = [site for site, role in roles.items() if role in SEEING_ALL]
    own = [site for site in roles if site not in whole]
    # Without an OR where there is none: the reports' index answers only the plain question.
    visible = Q(site__in=whole)
    if own:
        visible = Q(site__in=own, person=user) | visible if whole else Q(site__in=own, person=user)
    return ChargingSession.objects.filter(visible)


def access_session(user: User, id: UUID | str) -> ChargingSession:
    """Return a session the person may see, with its charge point and socket."""
    key = parse_id(str(id))
    rows = visible_sessions(user).select_related("charge_point__site", "connector", "person", "site")
    session = rows.filter(pk=key).first() if key else None
    if session is None:
        refuse_unknown("session", id)
    return session


def access_export(user: User, id: UUID | str) -> Export:
    """Return an export that the person asked for."""
    key = parse_id(str(id))
    export = Export.objects.filter(user=user, pk=key).first() if key else None
    if export is None:
        refuse_unknown("export", id)
    return export
