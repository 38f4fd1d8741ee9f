"""Tolerant reading of what chargers send: the value where there is one, and a flag where it was odd.

Real chargers send numbers as text, nulls for optional fields, times without a zone and text longer than the standard
allows. None of that is a reason to lose a message.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

# PostgreSQL stores neither; both arrive from real chargers.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Configuration keys whose value is nobody's to read, whoever spelt them.
_GIVEAWAY = "authorizationkey|passw|passphrase|secret|privatekey|wi-?fi_?key|psk"
CONFIDENTIAL_NAME = rf'[^"]{{0,60}}(?:{_GIVEAWAY})[^"]{{0,60}}|pin'
CONFIDENTIAL_HINT = re.compile(rf'{_GIVEAWAY}|"pin"', re.IGNORECASE)
_CONFIDENTIAL = re.compile(CONFIDENTIAL_NAME, re.IGNORECASE)
_BARE_OFFSET = re.compile(r"([+-]\d{2})$")
_FRACTION = re.compile(r"(\.\d{6})\d+")

# A charger's clock further off than this is not used to date anything.
PLAUSIBLE_AHEAD = timedelta(minutes=5)
PLAUSIBLE_AGE = timedelta(days=400)


def clean(text: str) -> str:
    """Text that any database and terminal can hold: no NUL, no lone surrogates."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def is_confidential(key: str) -> bool:
    """Whether a configuration key of this name holds a secret."""
    return _CONFIDENTIAL.fullmatch(key) is not None


@dataclass(slots=True)
class Reader:
    """Reads one payload; ``flags`` collects stable codes for whatever was odd."""

    payload: Mapping[str, Any]
    flags: list[str] = field(default_factory=list)

    def text(self, key: str, limit: int = 100) -> str:
        """Text of at most ``limit`` characters; empty where absent. Numbers are taken as their digits."""
        value = self.payload.get(key)
        if value is None:
            return ""
        if isinstance(value, bool | list | dict):
            self.flags.append(f"{key}-not-text")
            return ""
        if not isinstance(value, str):
            self.flags.append(f"{key}-not-text")
            value = str(value)
        if len(value) > limit:
            self.flags.append(f"{key}-too-long")
        return clean(value[:limit])

    def integer(self, key: str) -> int | None:
        """A whole number of at most 18 digits; None where absent or unreadable."""
        value = self.payload.get(key)
        if value is None:
            return None
        number = number_of(value)
        if number is None or abs(number) >= 1e18:
            self.flags.append(f"{key}-unreadable")
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.flags.append(f"{key}-not-an-integer")
            return round(number)
        return value

    def time(self, key: str, received: datetime) -> datetime:
        """The charger's time where it is plausible, else the time of receipt (flagged)."""
        value = self.payload.get(key)
        if value is None:
            return received
        instant = parse_time(value)
        if instant is None:
            self.flags.append(f"{key}-unreadable")
            return received
        if not plausible(instant, received):
            self.flags.append(f"{key}-implausible")
            return received
        return instant


def number_of(value: Any) -> float | None:
    """A finite number from a JSON number or from text; None otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def parse_time(value: Any) -> datetime | None:
    """An instant in UTC from ISO 8601 as chargers write it; a time without a zone is taken as UTC."""
    if not isinstance(value, str):
        return None
    text = _FRACTION.sub(r"\1", value.strip())
    text = _BARE_OFFSET.sub(r"\1:00", text) if "T" in text else text
    try:
        instant = datetime.fromisoformat(text)
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def plausible(instant: datetime, received: datetime) -> bool:
    """Whether a charger's time may date what it reports: not in the future, not older than its queue could be."""
    return received - PLAUSIBLE_AGE <= instant <= received + PLAUSIBLE_AHEAD
