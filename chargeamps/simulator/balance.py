"""Sharing one supply between the two outlets (OCPP 1.6 §3.13.4 "Load Balancing")."""

from __future__ import annotations

from collections.abc import Sequence

from .car import MIN_CURRENT_A


def share(budget_a: float, wishes: Sequence[tuple[int, float]]) -> dict[int, float]:
    """Divide amperes per phase among (connector, wanted) pairs, the longest running first.

    Nobody gets less than the minimum of the pilot: when it does not suffice for all, the last to come waits. What one
    does not want goes to the other."""
    out = {n: 0.0 for n, _ in wishes}
    active = [(n, w) for n, w in wishes if w >= MIN_CURRENT_A]
    while active and len(active) * MIN_CURRENT_A > budget_a:
        active.pop()
    left = budget_a
    for position, (n, wanted) in enumerate(sorted(active, key=lambda pair: pair[1])):
        part = min(wanted, left / (len(active) - position))
        out[n] = int(part * 10 + 1e-9) / 10
        left -= out[n]
    return out
