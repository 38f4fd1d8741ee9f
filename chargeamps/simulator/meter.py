"""The energy meter of one outlet."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

NOMINAL_V = 230.0


@dataclass
class Meter:
    """True energy in Wh as a float, and the register a charger reports: whole Wh, for life, surviving power loss."""

    true_wh: float = 0.0
    currents: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])  # A, L1..L3
    voltages: list[float] = field(default_factory=lambda: [NOMINAL_V] * 3)  # V, L1..L3

    @property
    def register_wh(self) -> int:
        return int(self.true_wh + 0.5)

    @property
    def powers(self) -> list[float]:
        """Active power per phase, W."""
        return [v * i for v, i in zip(self.voltages, self.currents, strict=True)]

    @property
    def power_w(self) -> float:
        return sum(self.powers)

    def set_load(self, current_a: float, phases: int, rng: Random) -> None:
        """Current flows on the first ``phases`` phases; the grid's voltage wanders a little."""
        self.currents = [current_a if n < phases else 0.0 for n in range(3)]
        self.voltages = [
            min(235.0, max(225.0, v + rng.uniform(-0.4, 0.4) + (NOMINAL_V - v) * 0.05)) for v in self.voltages
        ]

    def run(self, seconds: float) -> float:
        """Let the present load flow for so long; returns the Wh added."""
        added = self.power_w * seconds / 3600.0
        self.true_wh += added
        return added
