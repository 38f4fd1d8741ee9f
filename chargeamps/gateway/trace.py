"""The redacted record of frames per charge point: what support reads when a charger behaves oddly.

Written in bulk once a second, outside the answer's path: it may lose its last second in a crash, which nothing relies
on. Frames that say little and come often are thinned to one a minute for each charge point.
"""

import asyncio
import re
from collections import OrderedDict
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from chargeamps.common import sql
from chargeamps.gateway.reading import CONFIDENTIAL_HINT, CONFIDENTIAL_NAME, clean
from chargeamps.gateway.writer import writer

log = structlog.get_logger(__name__)

FRAME_CHARACTERS = 8192
FLUSH_SECONDS = 1.0
WAITING_FRAMES = 20_000
THINNED = frozenset({"Heartbeat", "MeterValues"})
THINNED_TO = timedelta(minutes=1)
REMEMBERED = 20_000

_TEXT = r'(?:[^"\\]|\\.)*'
# A value cut off at the end of the kept part is masked too.
_VALUE = rf'(?:"{_TEXT}(?:"|$)|-?[\d.]+)'
_SECRETS = (
    # {"key": "AuthorizationKey", "value": "…"} in either order, and {"WifiPassword": "…"}.
    re.compile(rf'("key"\s*:\s*"(?:{CONFIDENTIAL_NAME})"[^{{}}]{{0,300}}?"value"\s*:\s*){_VALUE}', re.IGNORECASE),
    re.compile(rf'("value"\s*:\s*){_VALUE}(?=[^{{}}]{{0,300}}?"key"\s*:\s*"(?:{CONFIDENTIAL_NAME})")', re.IGNORECASE),
    re.compile(rf'("(?:{CONFIDENTIAL_NAME})"\s*:\s*){_VALUE}', re.IGNORECASE),
)
# Whose key would have come after it.
_CUT_VALUE = re.compile(rf'("value"\s*:\s*)"{_TEXT}\\?$', re.IGNORECASE)
_ID_TAG = re.compile(rf'("(?:idTag|parentIdTag)"\s*:\s*)(?:"({_TEXT})(?:"|$)|-?[\d.]+)', re.IGNORECASE)


def redact(frame: str) -> str:
    """The frame as it is kept: its beginning, with keys masked whole and idTags but for their last two characters."""
    if len(frame) > FRAME_CHARACTERS:
        frame = _CUT_VALUE.sub(r'\1"***', frame[:FRAME_CHARACTERS])
    if CONFIDENTIAL_HINT.search(frame):
        for pattern in _SECRETS:
            frame = pattern.sub(r'\1"***"', frame)
    return _ID_TAG.sub(lambda m: f'{m[1]}"***{m[2][-2:] if m[2] and len(m[2]) > 4 else ""}"', frame)


# A row of TraceFrame: charge point, time, direction, action, flags, frame.
Frame = tuple[UUID, datetime, str, str, str, str]


class Tracer:
    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._thinned: OrderedDict[tuple[UUID, str, str], datetime] = OrderedDict()
        self._flush: asyncio.Task[None] | None = None

    def add(  # noqa: PLR0917 - called for every frame; keywords cost
        self, charge_point: UUID, time: datetime, direction: str, action: str, frame: str, flags: tuple[str, ...] = ()
    ) -> None:
        if len(self._frames) >= WAITING_FRAMES or (
            action in THINNED and not flags and self._thin((charge_point, direction, action), time)
        ):
            return
        self._frames.append(
            (
                charge_point,
                time,
                direction,
                action[:50],
                " ".join(flags)[:200],
                redact(clean(frame)),
            )
        )
        if self._flush is None or self._flush.done():
            self._flush = asyncio.get_running_loop().create_task(self._flush_later())

    def _thin(self, key: tuple[UUID, str, str], time: datetime) -> bool:
        last = self._thinned.get(key)
        if last is not None and time - last < THINNED_TO:
            return True
        self._thinned[key] = time
        self._thinned.move_to_end(key)
        if len(self._thinned) > REMEMBERED:
            self._thinned.popitem(last=False)
        return False

    async def _flush_later(self) -> None:
        await asyncio.sleep(FLUSH_SECONDS)
        while self._frames:
            frames, self._frames = self._frames, []
            try:
                await writer.submit(_store, frames)
            except Exception as error:
                log.warning("trace_not_stored", frames=len(frames), error=repr(error))


def _store(frames: list[Frame]) -> None:
    sql.execute_many(_INSERT, frames)


_INSERT = """
    INSERT INTO gateway_traceframe (charge_point_id, time, direction, action, flags, frame)
    VALUES (%s, %s, %s, %s, %s, %s)
"""


tracer = Tracer()
