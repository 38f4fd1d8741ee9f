"""How connectors share what the installation and the site can give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from .request import CapacityLimit, Connector
from .timeline import MINIMUM_A, Reason, snap_cap


def allocate(
    wanted: Mapping[int, float], connectors: Sequence[Connector], limits: Sequence[CapacityLimit], at: datetime
) -> dict[int, tuple[float, Reason | None]]:
    """The limit of each connector at one instant, in amperes, with the reason where it is less than wanted.

    Safety cuts come first, then each capacity limit in turn; every step only takes away, so that no limit is exceeded.
    """
    out: dict[int, tuple[float, Reason | None]] = {}
    for connector in connectors:
        limit_a, reason = wanted[connector.number], None
        for cut in connector.cuts:
            cut_a = snap_cap(cut.limit_a)
            if cut.start <= at and (cut.end is None or at < cut.end) and cut_a < limit_a:
                limit_a, reason = cut_a, Reason(cut.code)
        out[connector.number] = (limit_a, reason)
    for limit in limits:
        asked = {number: out[number][0] for number in wanted if number in limit.members and out[number][0] > 0}
        for number, share_a in share(limit.limit_a, asked).items():
            if share_a < asked[number]:
                out[number] = (share_a, _why(limit, asked, number))
    return out


def _why(limit: CapacityLimit, asked: Mapping[int, float], number: int) -> Reason:
    others = [other for other in asked if other != number]
    if not others or limit.limit_a < MINIMUM_A:
        return Reason("installation-limit", (("limit_a", limit.limit_a),))
    return Reason(
        "shared-capacity", (("limit_a", limit.limit_a), ("with", ", ".join(str(other) for other in sorted(others))))
    )


def share(limit_a: float, asked: Mapping[int, float]) -> dict[int, float]:
    """Divide `limit_a` among those who ask (each for at least 6 A): equally, nobody more than asked, nobody below 6 A.

    Where there is not enough for 6 A each, the first ones are served and the others get 0.
    """
    if sum(asked.values()) <= limit_a:
        return dict(asked)
    served = list(asked)[: int(limit_a // MINIMUM_A)]
    out = dict.fromkeys(asked, 0.0)
    left, waiting = limit_a, len(served)
    for number in sorted(served, key=lambda number: asked[number]):
        out[number] = snap_cap(min(asked[number], left / waiting))
        left, waiting = left - out[number], waiting - 1
    return out
