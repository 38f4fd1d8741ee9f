"""What one charge point can do with charging profiles: what it says, and what it was seen to refuse. Data, not code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

# Chargers that do not say are taken for capable; a refusal teaches better.
_STACK_LEVEL = 3
_PERIODS = 24
_PROFILES = 10
# One switch on and one off: with fewer, nothing that repeats can be stored.
_FEWEST_PERIODS = 2


class Refusal(StrEnum):
    """A thing a charge point was seen to refuse, or to accept without effect, whatever its configuration says."""

    NO_RECURRING = "no_recurring"
    NO_CHARGE_POINT_MAX = "no_charge_point_max"
    NO_TX_DEFAULT = "no_tx_default"
    NO_RELATIVE = "no_relative"
    WATTS_ONLY = "watts_only"
    ONE_STACK_LEVEL = "one_stack_level"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Limits of a charge point's profile store (OCPP 1.6 §9.4) and how amperes become watts for it.

    `max_stack_level` is the highest level it takes (0 means one level), `max_periods` the periods of one schedule,
    `max_profiles` the profiles it keeps in all. `voltage` is volts per phase, `phases` 1 to 3.
    """

    max_stack_level: int = _STACK_LEVEL
    max_periods: int = _PERIODS
    max_profiles: int = _PROFILES
    watts_only: bool = False
    recurring: bool = True
    charge_point_max: bool = True
    tx_default: bool = True
    relative: bool = True
    voltage: float = 230.0
    phases: int = 1

    @classmethod
    def from_configuration(
        cls,
        configuration: Mapping[str, str | None],
        refusals: Iterable[str] = (),
        *,
        voltage: float = 230.0,
        phases: int = 1,
    ) -> Capabilities:
        """Read the answers of GetConfiguration, then apply the learnt refusals (unknown ones are left aside).

        Missing, empty or odd values give the defaults; the names of keys are matched whatever their case.
        """
        known = {key.lower(): value or "" for key, value in configuration.items()}
        units = set(re.findall(r"[a-z]+", known.get("chargingscheduleallowedchargingrateunit", "").lower()))
        made = cls(
            max_stack_level=_whole(known, "ChargeProfileMaxStackLevel", _STACK_LEVEL, 0),
            max_periods=_whole(known, "ChargingScheduleMaxPeriods", _PERIODS, _FEWEST_PERIODS),
            max_profiles=_whole(known, "MaxChargingProfilesInstalled", _PROFILES, 1),
            watts_only=bool(units & {"power", "w", "watt", "watts"}) and not units & {"current", "a", "amp", "amps"},
            voltage=voltage,
            phases=phases,
        )
        for refusal in refusals:
            made = made.having_refused(refusal)
        return made

    def having_refused(self, refusal: str) -> Capabilities:
        """The capabilities once a refusal is learnt."""
        match refusal:
            case Refusal.NO_RECURRING:
                return replace(self, recurring=False)
            case Refusal.NO_CHARGE_POINT_MAX:
                return replace(self, charge_point_max=False)
            case Refusal.NO_TX_DEFAULT:
                return replace(self, tx_default=False)
            case Refusal.NO_RELATIVE:
                return replace(self, relative=False)
            case Refusal.WATTS_ONLY:
                return replace(self, watts_only=True)
            case Refusal.ONE_STACK_LEVEL:
                return replace(self, max_stack_level=0)
            case _:
                return self

    @property
    def unit(self) -> str:
        """The `chargingRateUnit` to send: `A`, or `W` where the charger knows nothing else."""
        return "W" if self.watts_only else "A"

    def in_unit(self, limit_a: float) -> float:
        """Amperes per phase in the unit to send, with one decimal (OCPP 1.6 §7.14)."""
        return round(limit_a * self.voltage * self.phases if self.watts_only else limit_a, 1)

    def in_amperes(self, limit: float, unit: str, phases: int | None = None) -> float:
        """A charger's limit in amperes per phase."""
        return limit / (self.voltage * (phases or self.phases)) if unit == "W" else limit


def _whole(known: Mapping[str, str], key: str, default: int, least: int) -> int:
    match = re.fullmatch(r"\s*(\d{1,9})(?:\.0*)?\s*", known.get(key.lower(), ""), re.ASCII)
    return max(least, int(match[1])) if match else default


def suspect(profile: Mapping[str, object], capabilities: Capabilities) -> Refusal | None:
    """What a charger most likely cannot do if it rejects this `csChargingProfiles`; `None` if nothing is left to try.

    One suspicion at a time: send what follows from it, and ask again if that is rejected too. A Relative profile casts
    doubt on nothing else, for the plan can do without it.
    """
    if profile.get("chargingProfileKind") == "Relative":
        return Refusal.NO_RELATIVE
    purpose = profile.get("chargingProfilePurpose")
    if purpose == "ChargePointMaxProfile":
        return Refusal.NO_CHARGE_POINT_MAX
    level = profile.get("stackLevel")
    if isinstance(level, int) and level > 0 and purpose == "TxDefaultProfile":
        return Refusal.ONE_STACK_LEVEL
    if profile.get("chargingProfileKind") == "Recurring":
        return Refusal.NO_RECURRING
    if not capabilities.watts_only:
        return Refusal.WATTS_ONLY
    return Refusal.NO_TX_DEFAULT if purpose == "TxDefaultProfile" else None
