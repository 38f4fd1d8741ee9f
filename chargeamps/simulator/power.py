"""How much current each outlet may offer now, and when that may next change by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .balance import share
from .car import MIN_CURRENT_A
from .profiles import FOREVER

if TYPE_CHECKING:
    from .aura import Aura
    from .outlet import Outlet

CABLE_A = 32.0  # what one outlet can carry per phase
STEP_S = 30.0  # longest step while current flows: cars taper meanwhile


def limit(aura: Aura, outlet: Outlet) -> float:
    """The limit of one outlet before balancing, A per phase."""
    tx = outlet.transaction
    own = aura.profiles.limit(
        outlet.number, aura.clock.now(), tx=tx.uid if tx else None, anchor=tx.anchor(aura.clock) if tx else None
    )
    user = aura.configuration.current_for("UserCurrentLimit", outlet.number)
    return min(CABLE_A, user, CABLE_A if own is None else own)


def share_current(aura: Aura) -> None:
    """Set what each outlet offers: the profiles' limits, divided when the supply does not suffice for all."""
    world = aura.clock.world
    active = [o for o in aura.outlets.values() if o.transaction and not o.transaction.suspended]
    active.sort(key=lambda o: o.transaction.began if o.transaction else 0.0)
    limits = {o.number: limit(aura, o) for o in active}
    station = aura.profiles.station_limit(aura.clock.now())
    supply = aura.fuse() if station is None else min(aura.fuse(), station)
    crowded = sum(limits.values()) > supply
    parts = share(
        supply, [(o.number, o.wish(limits[o.number], world) if crowded else limits[o.number]) for o in active]
    )
    for outlet in aura.outlets.values():
        offered = parts.get(outlet.number, 0.0)
        if offered < MIN_CURRENT_A:
            offered = 0.0
        if offered != outlet.offered_a:
            outlet.offered_a, outlet.offered_since = offered, world


def next_change(aura: Aura) -> float:
    """World time at which profiles, cars or full batteries next change the flow; infinity if never."""
    world = aura.clock.world
    due = [FOREVER]
    anchors = [o.transaction.anchor(aura.clock) for o in aura.outlets.values() if o.transaction]
    if anchors and aura.profiles.profiles:
        now = aura.clock.now()
        due.append(world + aura.profiles.next_change(now, anchors) - now)
    for outlet in aura.outlets.values():
        if outlet.car is None or outlet.transaction is None:
            continue
        change = outlet.car.next_change(world)
        if change is not None:
            due.append(change)
        if outlet.drawn_a > 0:
            due.append(world + min(STEP_S, outlet.car.seconds_to_full(outlet.meter.power_w)))
    return min(due)
