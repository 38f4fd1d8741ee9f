"""Which hours hold for a charge point: the owner's choice where one was made since it was claimed, else the preset."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chargeamps.accounts.models import Site
from chargeamps.chargers.models import ChargePoint
from chargeamps.schedules import planner
from chargeamps.schedules.models import HoursChoice

Windows = tuple[planner.Window, ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """The default charging hours (``None``: removed), and the choice that set them (``None``: the preset holds)."""

    windows: Windows | None
    choice: HoursChoice | None


def latest_choices(sites: Iterable[UUID]) -> dict[UUID, HoursChoice]:
    """The newest choice of each site that made one."""
    choices = HoursChoice.objects.filter(site__in=list(sites)).order_by("created", "pk")
    return {choice.site_id: choice for choice in choices}


def hours_of(charge_point: ChargePoint, choices: Mapping[UUID, HoursChoice], at: datetime) -> Hours:
    """The default charging hours of a charge point.

    A new owner, or an owner with a new charge point, is offered the hours anew, and until then the preset holds
    (SI 2021/1467 reg 10).
    """
    choice = choices.get(charge_point.site_id) if charge_point.site_id else None
    if choice is None or not covers(choice, charge_point.claimed):
        return Hours(planner.rules_at(at).preset_hours, None)
    return Hours(chosen_windows(choice), choice)


def covers(choice: HoursChoice, claimed: datetime | None) -> bool:
    """Whether a choice was made with this charge point in view."""
    return claimed is None or choice.created >= claimed


def chosen_windows(choice: HoursChoice) -> Windows | None:
    """The windows of a choice; ``None`` where the hours were removed."""
    if choice.choice == HoursChoice.Choice.REMOVED:
        return None
    return planner.parse_windows(choice.windows)


@dataclass(frozen=True, slots=True)
class SiteHours:
    """The default charging hours as a whole site sees them. ``due``: a charge point has come for which none chose."""

    choice: HoursChoice | None
    windows: Windows | None
    due: bool


def site_hours(sites: Iterable[Site], at: datetime) -> dict[UUID, SiteHours]:
    """The hours of many sites, in two queries."""
    keys = [site.pk for site in sites]
    choices = latest_choices(keys)
    claims: dict[UUID, list[datetime | None]] = {key: [] for key in keys}
    for site, claimed in ChargePoint.objects.filter(site__in=keys).values_list("site_id", "claimed"):
        if site is not None:
            claims[site].append(claimed)
    out = {}
    for key in keys:
        choice = choices.get(key)
        due = any(choice is None or not covers(choice, claimed) for claimed in claims[key])
        windows = chosen_windows(choice) if choice else planner.rules_at(at).preset_hours
        out[key] = SiteHours(choice, windows, due)
    return out
