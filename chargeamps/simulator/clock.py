"""The world's time, and what the charger's own clock makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


def iso(t: float, style: str = "zulu") -> str:
    """Epoch seconds as ISO 8601 (OCPP 1.6 §3.15). ``style``: ``zulu``, ``naive`` (no zone) or ``offset`` (+00:00)."""
    text = datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return text + {"zulu": "Z", "naive": "", "offset": "+00:00"}[style]


def parse_iso(text: str) -> float:
    """ISO 8601 as epoch seconds; fractions and offsets are understood, a missing zone means UTC. Raises ValueError."""
    if len(text) < 16 or text[10] not in "Tt ":
        raise ValueError(f"not a date-time: {text!r}")
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


class Clock:
    """``world`` is true time in epoch seconds; ``now()`` is the charger's belief: shifted by an offset, running fast or
    slow by ``drift_ppm`` (positive: fast)."""

    def __init__(self, start: float, *, offset: float = 0.0, drift_ppm: float = 0.0) -> None:
        self.world = start
        self.offset = offset
        self.drift_ppm = drift_ppm

    def advance(self, seconds: float) -> None:
        self.world += seconds
        self.offset += seconds * self.drift_ppm / 1e6

    def now(self) -> float:
        """The charger's idea of the time, epoch seconds."""
        return self.world + self.offset

    def set(self, t: float) -> float:
        """Set the charger's clock; returns by how many seconds it jumped."""
        jump = t - self.now()
        self.offset = t - self.world
        return jump


class Timers:
    """Named one-shot timers on world time; setting a name again replaces it."""

    def __init__(self) -> None:
        self._due: dict[str, tuple[float, Callable[[], None]]] = {}

    def at(self, name: str, when: float, act: Callable[[], None]) -> None:
        self._due[name] = (when, act)

    def cancel(self, name: str) -> None:
        self._due.pop(name, None)

    def cancel_all(self) -> None:
        self._due.clear()

    def __contains__(self, name: str) -> bool:
        return name in self._due

    def next_due(self) -> float | None:
        return min((when for when, _ in self._due.values()), default=None)

    def run_due(self, now: float) -> None:
        """Run what is due, earliest first; what a timer sets for a moment already past also runs."""
        while True:
            ready = [(when, name) for name, (when, _) in self._due.items() if when <= now + 1e-6]
            if not ready:
                return
            _, act = self._due.pop(min(ready)[1])
            act()
