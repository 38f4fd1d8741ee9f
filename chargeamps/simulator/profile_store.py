"""The charger's collection of charging profiles, and the limit that follows from it (OCPP 1.6 §3.13)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from .meter import NOMINAL_V
from .profiles import FOREVER, JSON, Profile, read_profile

MAX, DEFAULT, TX = "ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"


@dataclass(frozen=True)
class Abilities:
    """What this charger can do with profiles; learnt by a central system through GetConfiguration (§3.13.5)."""

    max_stack_level: int = 8
    max_periods: int = 48
    max_installed: int = 32
    units: tuple[str, ...] = ("A", "W")
    purposes: tuple[str, ...] = (MAX, DEFAULT, TX)
    recurring: bool = True
    relative: bool = True
    shows_idle_relative: bool = True  # in a composite schedule while no transaction runs, as if one began now
    tx_hides_default: bool = False  # the stricter reading of §3.13.1: a TxProfile that has run out means no limit


class ProfileStore:
    """All profiles by purpose, stack level and connector; at most one for each such triple (§3.13.2)."""

    def __init__(self, abilities: Abilities | None = None) -> None:
        self.abilities = abilities or Abilities()
        self.profiles: list[Profile] = []

    def check(self, profile: Profile) -> str:
        """``Accepted``, ``Rejected`` or ``NotSupported``: does it fit the abilities and §3.13.1?"""
        able = self.abilities
        if profile.purpose not in able.purposes:
            return "NotSupported" if profile.purpose == MAX else "Rejected"
        replaced = [p for p in self.profiles if self._same_place(p, profile)]
        bad = (
            (profile.purpose == MAX and profile.connector != 0)
            or (profile.purpose == TX and profile.connector == 0)
            or (profile.purpose != TX and profile.transaction_id is not None)
            or not 0 <= profile.stack <= able.max_stack_level
            or len(profile.periods) > able.max_periods
            or profile.unit not in able.units
            or (profile.kind == "Recurring" and not able.recurring)
            or (profile.kind == "Relative" and not able.relative)
            or (not replaced and len(self.profiles) >= able.max_installed)
        )
        return "Rejected" if bad else "Accepted"

    @staticmethod
    def _same_place(a: Profile, b: Profile) -> bool:
        return a.id == b.id or (a.purpose, a.stack, a.connector) == (b.purpose, b.stack, b.connector)

    def put(self, profile: Profile) -> None:
        """Install it; one with the same id, or the same purpose, level and connector, goes (§5.16.3)."""
        self.profiles = [p for p in self.profiles if not self._same_place(p, profile)] + [profile]

    def clear(self, profile_id: int | None, connector: int | None, purpose: str | None, stack: int | None) -> int:
        """ClearChargingProfile (§5.4): by id alone, or by every criterion given; returns how many went."""

        def hit(p: Profile) -> bool:
            if profile_id is not None:
                return p.id == profile_id
            return (
                (connector is None or p.connector == connector)
                and (purpose is None or p.purpose == purpose)
                and (stack is None or p.stack == stack)
            )

        before = len(self.profiles)
        self.profiles = [p for p in self.profiles if not hit(p)]
        return before - len(self.profiles)

    def end_transaction(self, tx: str) -> None:
        """TxProfiles die with their transaction (§3.13.1)."""
        self.profiles = [p for p in self.profiles if p.tx != tx]

    def bind(self, tx: str, transaction_id: int) -> None:
        """The transaction got its number: a profile that came with RemoteStart now carries it (§5.16.2)."""
        self.profiles = [
            replace(p, transaction_id=transaction_id, raw={**p.raw, "transactionId": transaction_id})
            if p.tx == tx
            else p
            for p in self.profiles
        ]

    def _defaults(self, connector: int) -> Iterable[Profile]:
        """A default for the connector replaces that of connector 0 on the same level, for this connector (§3.13.1)."""
        by_level = {p.stack: p for p in self.profiles if p.purpose == DEFAULT and p.connector == 0}
        by_level.update({p.stack: p for p in self.profiles if p.purpose == DEFAULT and p.connector == connector})
        return by_level.values()

    @staticmethod
    def _prevailing(profiles: Iterable[Profile], t: float, anchor: float) -> float | None:
        for profile in sorted(profiles, key=lambda p: -p.stack):
            period = profile.period_at(t, anchor)
            if period is not None:
                return profile.amperes(period)
        return None

    def limit(self, connector: int, t: float, *, tx: str | None = None, anchor: float | None = None) -> float | None:
        """TxProfile, else TxDefaultProfile, for one connector at ``t``: A per phase; None when nothing limits it.

        Of those valid at ``t`` the highest stack level prevails; one whose duration is over falls through to the level
        below (§5.16.4), and so does a TxProfile to the defaults."""
        start = t if anchor is None else anchor
        own = [p for p in self.profiles if p.purpose == TX and p.connector == connector and p.tx == tx and tx]
        found = self._prevailing(own, t, start)
        if found is None and not (own and self.abilities.tx_hides_default):
            found = self._prevailing(self._defaults(connector), t, start)
        return found

    def station_limit(self, t: float) -> float | None:
        """ChargePointMaxProfile at ``t``: A per phase for all connectors together (§3.13.3)."""
        return self._prevailing((p for p in self.profiles if p.purpose == MAX), t, t)

    def next_change(self, t: float, anchors: Iterable[float]) -> float:
        """When any limit may change next, for transactions that began at ``anchors``."""
        begun = [*anchors, t]
        return min((p.next_change(t, a) for p in self.profiles for a in begun), default=FOREVER)

    def schedule(
        self, connector: int, t: float, duration: float, ceiling: float, *, tx: str | None, anchor: float | None
    ) -> list[tuple[float, float]]:
        """The composite schedule (§3.13.3): (seconds after ``t``, A per phase), the least of profiles and ceiling."""
        idle = t if self.abilities.shows_idle_relative else FOREVER
        begun = idle if anchor is None else anchor
        out: list[tuple[float, float]] = []
        moment = t
        while moment < t + duration:
            limits = [self.limit(connector, moment, tx=tx, anchor=begun), self.station_limit(moment), ceiling]
            least = min(x for x in limits if x is not None)
            if not out or out[-1][1] != least:
                out.append((moment - t, least))
            moment = self.next_change(moment, [begun])
        return out

    def dump(self) -> list[JSON]:
        return [{"connector": p.connector, "tx": p.tx, "profile": p.raw} for p in self.profiles]

    def load(self, rows: Iterable[JSON]) -> None:
        self.profiles = [read_profile(r["profile"], r["connector"], tx=r["tx"]) for r in rows]


def in_unit(amperes: float, unit: str) -> float:
    """A per phase in the unit asked for; watts are over three phases. One decimal, as §7.14 has it."""
    return round(amperes if unit == "A" else amperes * NOMINAL_V * 3, 1)
