"""Ready by: "40 kWh by 07:00" as hours picked inside those in which charging is allowed.

The earliest hours are taken, in one stretch where one holds it all: what a slow car, a neighbour on the same supply or
a cut in the network then costs can still be made up before the deadline, while the latest safe hours would spend that
margin first. One stretch means one start, one random delay and one wake of the car.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from .delay import check_maximum
from .hours import Interval
from .request import ReadyBySlots


@dataclass(frozen=True, slots=True)
class ReadyBy:
    """The picked hours, and the promise: `energy_wh` of the wish will be in the car, `short_wh` will be missing.

    `ready_at` is when the last of it is in, at the latest; `None` if nothing can be delivered.
    """

    slots: ReadyBySlots
    energy_wh: int
    short_wh: int
    ready_at: datetime | None

    @property
    def achievable(self) -> bool:
        """Whether the whole wish is met."""
        return self.short_wh == 0


def pick_ready_by(
    energy_wh: int, since: datetime, by: datetime, *, allowed: Sequence[Interval], power_w: float, delay_maximum_s: int
) -> ReadyBy:
    """Pick hours for `energy_wh` between `since` and `by` at `power_w`, inside the sorted, disjoint UTC `allowed`.

    Every start may be delayed by up to `delay_maximum_s`, which is counted as lost. Raises `ValueError` for an energy
    or a power that is not positive, or a maximum outside 0...1800.
    """
    check_maximum(delay_maximum_s)
    if energy_wh <= 0 or power_w <= 0:
        raise ValueError("energy and power must be positive")
    lost = timedelta(seconds=delay_maximum_s)
    stretches = [(max(start, since), min(end, by)) for start, end in allowed]
    stretches = [(start, end) for start, end in stretches if end - start > lost]
    needed = timedelta(seconds=ceil(energy_wh * 3600 / power_w))
    whole = next((start for start, end in stretches if end - start >= needed + lost), None)
    if whole is not None:
        stretches = [(whole, whole + needed + lost)]
    chosen: list[Interval] = []
    for start, end in stretches:
        if needed <= timedelta():
            break
        end = min(end, start + lost + needed)
        needed -= end - start - lost
        chosen.append((start, end))
    short_wh = ceil(needed.total_seconds() * power_w / 3600) if needed > timedelta() else 0
    short_wh = min(short_wh, energy_wh)
    slots = ReadyBySlots(since, by, tuple(chosen))
    return ReadyBy(slots, energy_wh - short_wh, short_wh, chosen[-1][1] if chosen else None)
