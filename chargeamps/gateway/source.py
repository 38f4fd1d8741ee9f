from dataclasses import dataclass, field

from chargeamps.chargers.services.connections import Opened
from chargeamps.gateway.charger_clock import ClockWatch


class StaleConnection(Exception):
    """A newer socket of this charge point was accepted; this one may change nothing more."""


@dataclass(frozen=True, slots=True)
class Source:
    """The socket that a frame came on: handed to every action."""

    opened: Opened
    identity: str
    clock: ClockWatch = field(default_factory=ClockWatch)
