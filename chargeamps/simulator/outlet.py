"""One outlet of the box: plug, lock, relay, pilot, and the status that follows from them (OCPP 1.6 §4.9)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from .car import MIN_CURRENT_A, Car
from .clock import Clock
from .meter import Meter
from .profiles import Profile

JSON = dict[str, Any]


@dataclass
class Transaction:
    """A transaction as the charger knows it. ``number`` is the central system's transactionId once it is known."""

    uid: str
    connector: int
    id_tag: str
    started: float  # the charger's clock, epoch seconds
    meter_start: int  # Wh
    parent: str | None = None
    number: int | None = None
    began: float = 0.0  # world time: an elapsed time does not jump when somebody sets the clock
    suspended: bool = False  # not authorised, but StopTransactionOnInvalidId is false: no energy

    def anchor(self, clock: Clock) -> float:
        """Where relative schedules begin (§7.13), by the charger's clock as it stands now."""
        return clock.now() - (clock.world - self.began)


@dataclass
class Outlet:
    """State of connector ``number``; currents in A per phase."""

    number: int
    meter: Meter = field(default_factory=Meter)
    car: Car | None = None
    plugged: bool = False
    operative: bool = True
    operative_later: bool | None = None  # an availability change that waits for the transaction to end
    fault: str | None = None
    authorised: tuple[str, str | None] | None = None  # idTag and parent that may start a transaction
    remote_profile: Profile | None = None  # came with RemoteStart, waits for the transaction
    finishing: bool = False
    transaction: Transaction | None = None
    offered_a: float = 0.0
    drawn_a: float = 0.0
    offered_since: float = 0.0
    announced: str = ""  # the status last reported

    @property
    def relay_closed(self) -> bool:
        return self.drawn_a > 0

    @property
    def status(self) -> str:
        """The ChargePointStatus this outlet is in."""
        if self.fault:
            return "Faulted"
        if self.transaction is not None:
            if self.offered_a < MIN_CURRENT_A:
                return "SuspendedEVSE"
            return "Charging" if self.drawn_a > 0 else "SuspendedEV"
        if not self.operative:
            return "Unavailable"
        if self.plugged:
            return "Finishing" if self.finishing and self.authorised is None else "Preparing"
        return "Preparing" if self.authorised else "Available"

    def wish(self, limit_a: float, world: float) -> float:
        """What to ask of the load balancer: the limit, or a little more than a car takes that leaves current unused."""
        if world - self.offered_since > 60 and self.drawn_a < self.offered_a - 2:
            return min(limit_a, max(MIN_CURRENT_A, self.drawn_a + 1))
        return limit_a

    def dump(self) -> JSON:
        """What survives a power cut."""
        return {
            "operative": self.operative,
            "true_wh": self.meter.true_wh,
            "transaction": asdict(self.transaction) if self.transaction else None,
        }

    def load(self, saved: JSON) -> None:
        self.operative = saved["operative"]
        self.meter.true_wh = saved["true_wh"]
        self.transaction = Transaction(**saved["transaction"]) if saved["transaction"] else None
