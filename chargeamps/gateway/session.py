"""OCPP-J 1.6 framing without I/O: text frames in, typed events and text frames out (OCPP-J 1.6 §4).

The guard looks at a frame before any parsing cost: nesting is bounded, long integers are never converted. What a
charger sends in a known action is never refused for its form: an unreadable payload becomes an empty one with a flag,
because a charger that gets an error for a StopTransaction may repeat it for ever or throw it away.
"""

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MAX_DEPTH = 16
MAX_INTEGER_DIGITS = 19
# Ids of calls given up lately, to tell a late answer from an unknown one.
REMEMBERED_IDS = 16

CALL, CALLRESULT, CALLERROR = 2, 3, 4

MessageId = str | int | float

# Possessive, so that a hostile unterminated string costs one pass and not one for each of its quotes.
_TOKENS = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_CALL_HEAD = re.compile(
    r'\s*\[\s*2\s*,\s*("(?:[^"\\]++|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*+")\s*,\s*"([A-Za-z]{1,50})"'
)


@dataclass(frozen=True, slots=True)
class Call:
    """A request from the charger. ``flags`` say what was odd about its frame."""

    message_id: MessageId
    action: str
    payload: dict[str, Any]
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The charger's answer to our outstanding call."""

    message_id: str
    action: str
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """The charger's CALLERROR to our outstanding call."""

    message_id: str
    action: str
    code: str
    description: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that asks for nothing we can do. ``reply`` is the CALLERROR to send, where its id was readable."""

    flag: str
    reply: str | None = None


Event = Call | Answer | ErrorAnswer | Malformed


class CallOutstanding(Exception):
    """A second call was asked for before the first was answered or given up (OCPP-J 1.6 §4.1.1)."""


@dataclass(slots=True)
class Session:
    """One charger's conversation: at most one outstanding call of ours; answers that nobody awaits are only counted."""

    known_actions: frozenset[str]
    new_message_id: Callable[[], str]
    late_answers: int = 0
    unknown_answers: int = 0
    _outstanding: tuple[str, str] | None = None
    _given_up: list[str] = field(default_factory=list)

    def call(self, action: str, payload: dict[str, Any]) -> tuple[str, str]:
        """Return (message id, frame) of a new call; raise ``CallOutstanding`` while one is open."""
        if self._outstanding is not None:
            raise CallOutstanding(self._outstanding[1])
        message_id = self.new_message_id()
        self._outstanding = (message_id, action)
        return message_id, dumps([CALL, message_id, action, payload])

    def give_up(self, message_id: str) -> None:
        """Stop waiting for an answer, so that the next call may go out. A later answer is counted as late."""
        if self._outstanding is not None and self._outstanding[0] == message_id:
            self._outstanding = None
            self._given_up = [*self._given_up[1 - REMEMBERED_IDS :], message_id]

    @staticmethod
    def result(message_id: MessageId, payload: dict[str, Any]) -> str:
        return dumps([CALLRESULT, message_id, payload])

    @staticmethod
    def error(message_id: MessageId, code: str, description: str = "") -> str:
        return dumps([CALLERROR, message_id, code, description[:255], {}])

    def receive(self, text: str) -> Event:
        """Read one frame. Never raises, whatever it holds."""
        if _too_deep(text):
            return self._unreadable(text, "nested-too-deep")
        try:
            frame = json.loads(text, parse_int=_integer, parse_constant=str)
        except (ValueError, RecursionError):
            return self._unreadable(text, "not-json")
        if not isinstance(frame, list):
            return Malformed("not-an-array")
        if not frame:
            return Malformed("empty-array")
        kind, flags = _message_type(frame[0])
        if kind == CALL:
            return self._call(frame, flags)
        if kind in (CALLRESULT, CALLERROR):
            return self._answer(kind, frame)
        return Malformed("unknown-message-type")

    def _unreadable(self, text: str, flag: str) -> Event:
        """Answer a call whose payload cannot be taken, by what its first characters say."""
        head = _CALL_HEAD.match(text)
        if head is None:
            return Malformed(flag)
        message_id, action = json.loads(head[1], strict=False), head[2]
        if action in self.known_actions:
            return Call(message_id, action, {}, (flag,))
        return Malformed(flag, self.error(message_id, "FormationViolation", flag))

    def _call(self, frame: list[Any], flags: tuple[str, ...]) -> Event:
        message_id = frame[1] if len(frame) > 1 else None
        if not isinstance(message_id, str):
            # Some chargers number their messages. They match the answer by the number, so it goes back as it came.
            if isinstance(message_id, bool) or not isinstance(message_id, int | float) or math.isinf(message_id):
                return Malformed("unreadable-message-id")
            flags = (*flags, "message-id-not-text")
        action = frame[2] if len(frame) > 2 else None
        if not isinstance(action, str):
            return Malformed("unreadable-action", self.error(message_id, "FormationViolation", "unreadable action"))
        if action not in self.known_actions:
            return Malformed("unknown-action", self.error(message_id, "NotImplemented", "unknown action"))
        payload = frame[3] if len(frame) > 3 else None
        if not isinstance(payload, dict):
            payload, flags = {}, (*flags, "payload-not-an-object")
        return Call(message_id, action, payload, flags)

    def _answer(self, kind: int, frame: list[Any]) -> Event:
        message_id = frame[1] if len(frame) > 1 else None
        if isinstance(message_id, int) and not isinstance(message_id, bool):
            message_id = str(message_id)
        if self._outstanding is None or message_id != self._outstanding[0]:
            if message_id in self._given_up:
                self.late_answers += 1
                return Malformed("late-answer")
            self.unknown_answers += 1
            return Malformed("answer-nobody-awaits")
        action = self._outstanding[1]
        self._outstanding = None
        if kind == CALLERROR:
            code, description = (*frame[2:4], "", "")[:2]
            return ErrorAnswer(message_id, action, str(code)[:50], str(description)[:255])
        payload = frame[2] if len(frame) > 2 else None
        return Answer(message_id, action, payload if isinstance(payload, dict) else {})


def dumps(frame: list[Any]) -> str:
    # ASCII only, so that a lone surrogate in an echoed id stays sendable.
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=True)


def _message_type(value: Any) -> tuple[int | None, tuple[str, ...]]:
    if isinstance(value, int) and not isinstance(value, bool):
        return value, ()
    if value in (2.0, 3.0, 4.0, "2", "3", "4"):
        return int(value), ("message-type-not-an-integer",)
    return None, ()


def _integer(digits: str) -> int | str:
    """No integer of OCPP is longer; a longer one stays text, which costs nothing to keep."""
    return int(digits) if len(digits.lstrip("-")) <= MAX_INTEGER_DIGITS else digits


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for token in _TOKENS.finditer(text):
        character = text[token.start()]
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif character in "]}":
            depth -= 1
    return False
