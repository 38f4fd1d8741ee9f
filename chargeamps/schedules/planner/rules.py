"""The numbers of the law, as dated data, and the peak hours they define.

Sources: SI 2021/1467 reg 2 and reg 10 (peak hours, default charging hours), reg 11 (randomised delay); Interpretation
Act 1978 s.9 with Summer Time Act 1972 s.3: an hour named in an enactment is United Kingdom civil time, thus
Europe/London and summer time in summer. Bank holidays are weekdays like any other: the Regulations make no exception.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from .hours import EVERY_DAY, WEEKEND, WORKDAYS, Window, weekly_runs

LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The statutory numbers in force from `in_force` (UTC). Hours are wall time in `zone`, delays whole seconds."""

    source: str
    in_force: datetime
    zone: ZoneInfo
    peak_hours: tuple[Window, ...]
    preset_hours: tuple[Window, ...]
    delay_default_s: int
    delay_ceiling_s: int


# The preset. Evenings start where the peak ends, since a delay only moves later. Mornings end at 07:30, so that a stop
# delayed by the longest 1800 s falls on 08:00:00, outside the peak. The weekend has no peak and owners expect it free.
# The weekday lunch hours are left out: they would double the switches a charger must store, for few cars at home.
_PRESET = (
    Window(EVERY_DAY, time(22), time(7, 30)),
    Window(WEEKEND, time(0), time(0)),
)

RULE_SETS = (
    RuleSet(
        source="SI 2021/1467",
        in_force=datetime(2022, 6, 30, tzinfo=UTC),
        zone=LONDON,
        peak_hours=(Window(WORKDAYS, time(8), time(11)), Window(WORKDAYS, time(16), time(22))),
        preset_hours=_PRESET,
        delay_default_s=600,
        delay_ceiling_s=1800,
    ),
)


def rules_at(instant: datetime) -> RuleSet:
    """The rule set in force at an aware `instant`. Before the first one came into force, the first."""
    in_force = [rules for rules in RULE_SETS if rules.in_force <= instant]
    return in_force[-1] if in_force else RULE_SETS[0]


def in_peak(instant: datetime) -> bool:
    """Whether an aware `instant` lies in the peak hours of the rules then in force."""
    rules = rules_at(instant)
    local = instant.astimezone(rules.zone)
    second = ((local.weekday() * 24 + local.hour) * 60 + local.minute) * 60 + local.second
    return any(start <= second < end for start, end in weekly_runs(rules.peak_hours))


def minutes_in_peak(windows: tuple[Window, ...] | None, rules: RuleSet) -> int:
    """Minutes of an ordinary week on which the hours and the peak overlap, for the warning; `None` is every hour.

    The hours are taken as wall time in the zone of the rules.
    """
    runs = ((0, 7 * 86_400),) if windows is None else weekly_runs(windows)
    peaks = weekly_runs(rules.peak_hours)
    seconds = sum(max(0, min(end, stop) - max(start, begin)) for start, end in runs for begin, stop in peaks)
    return -(-seconds // 60)
