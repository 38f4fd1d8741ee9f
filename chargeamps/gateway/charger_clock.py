"""What a charger's clock shows, worked out from the times in its messages.

A message may have waited in the charger's queue, so an old time alone proves nothing. One ahead of ours cannot have
waited, one that is right need not have, and two that agree while time passes show a clock that is behind.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

DAY_S = 86_400.0
# The network, and a time that is cut to seconds.
RIGHT_S = 30.0
AGREE_S = 10.0
# Messages of one moment, sent in a row after an outage, agree as well.
APART = timedelta(seconds=2)


@dataclass(slots=True)
class ClockWatch:
    """Of one socket. Offsets are seconds, the charger's time less ours."""

    # What was last handed out to be stored, and the oldest time that the newer ones agree with.
    known: float | None = None
    _candidate: float | None = None
    _heard: datetime | None = None

    def heard(self, told: datetime, received: datetime) -> float | None:
        """Take in a time from a message; return the offset where it is believed and new."""
        offset = (told - received).total_seconds()
        if not self._believed(offset, received) or (self.known is not None and abs(offset - self.known) <= RIGHT_S):
            return None
        self.known = offset
        return offset

    def _believed(self, offset: float, received: datetime) -> bool:
        if -RIGHT_S <= offset < DAY_S:
            return True
        if self._candidate is None or self._heard is None or abs(offset - self._candidate) > AGREE_S:
            self._candidate, self._heard = offset, received
            return False
        return received - self._heard >= APART
