"""OCPP-J 1.6 §4 without I/O: frames in, frames out, one outstanding call."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from .clock import Clock, Timers
from .outgoing import Call, Outgoing
from .personas import Persona
from .requests import CallError, check_request

JSON = dict[str, Any]
CALL, CALLRESULT, CALLERROR = 2, 3, 4
CALL_TIMEOUT_S = 30.0
STRINGS = ("connectorId", "transactionId", "meterStart", "meterStop")


class Messaging:
    """Calls of the charger go out of ``queue``; calls of the central system go to ``perform``.

    ``answered(call, payload)`` says whether the answer was usable; ``failed(call)`` hears of calls given up."""

    def __init__(
        self,
        *,
        clock: Clock,
        timers: Timers,
        persona: Persona,
        rng: Random,
        perform: Callable[[str, JSON], JSON],
        answered: Callable[[Call, JSON], bool],
        number_of: Callable[[str], int | None],
        retry: Callable[[], tuple[int, int]],
    ) -> None:
        self.clock = clock
        self.timers = timers
        self.persona = persona
        self.queue = Outgoing(rng, reuse_ids=persona.reuses_message_ids)
        self.frames: list[str] = []
        self.linked = False
        self.registration = ""  # the last BootNotification.conf of this connection: Accepted, Pending, Rejected
        self.silent_calls = 0  # calls in a row that got no answer: the connection is probably dead
        self._perform = perform
        self._answered = answered
        self._number_of = number_of
        self._retry = retry

    @property
    def online(self) -> bool:
        return self.linked and self.registration == "Accepted"

    def link_up(self) -> None:
        self.linked, self.registration, self.silent_calls = True, "", 0

    def link_down(self) -> None:
        self.linked, self.registration = False, ""
        self.frames.clear()
        self.timers.cancel("call-timeout")
        self.queue.connection_lost()

    def pump(self) -> None:
        """Put the next call on the wire, if one may go."""
        if not self.linked:
            return
        call = self.queue.take(self.clock.world, self.registration == "Accepted")
        if call is None:
            return
        payload = dict(call.payload)
        if call.tx is not None and call.action in ("MeterValues", "StopTransaction"):
            number = self._number_of(call.tx)
            payload["transactionId"] = -1 if number is None else number
        if self.persona.numbers_as_strings:
            payload = {k: str(v) if k in STRINGS else v for k, v in payload.items()}
        self.queue.pending_id = self.queue.message_id(self.clock.now())
        frame = json.dumps([CALL, self.queue.pending_id, call.action, payload], separators=(", ", ":"))
        self.frames.append(frame)
        if call.action == "StartTransaction" and self.persona.duplicates_start == "same":
            self.frames.append(frame)
        wait = CALL_TIMEOUT_S
        if call.action == "StopTransaction" and self.persona.repeats_stop_s:
            wait = self.persona.repeats_stop_s
        self.timers.at("call-timeout", self.clock.world + wait, self._timed_out)

    def _timed_out(self) -> None:
        """No answer: the message may not have arrived, so a lasting one is sent again and not counted as refused."""
        call = self.queue.pending
        self.silent_calls += 1
        repeated = call is not None and call.action == "StopTransaction" and self.persona.repeats_stop_s > 0
        self.queue.postpone(self.clock.world + (0 if repeated else self._retry()[1]))
        if call is not None and call.action == "BootNotification":
            self._answered(call, {})
        self.pump()

    def receive(self, text: str | bytes) -> None:
        """One frame from the central system; what cannot be understood as a message is ignored (§4.1.3)."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, list) or len(message) < 3 or not isinstance(message[1], str):
            return
        kind, message_id = message[0], message[1]
        if kind == CALL:
            self._called(message_id, message[2], message[3] if len(message) > 3 else None, len(message))
        elif kind in (CALLRESULT, CALLERROR) and self.queue.pending and message_id == self.queue.pending_id:
            self.timers.cancel("call-timeout")
            self.silent_calls = 0
            self._settle(message[2] if kind == CALLRESULT else None)
        self.pump()

    def _settle(self, answer: object) -> None:
        """The pending call was answered: with a result (an object) or with an error (None)."""
        call = self.queue.pending
        if call is None:
            return
        # the call stays pending meanwhile, so that what its answer causes is queued behind it
        if isinstance(answer, dict) and (self._answered(call, answer) or not call.lasting):
            self.queue.done()
            return
        attempts, interval = self._retry()
        call.attempts += 1
        repeats = call.action == "StopTransaction" and self.persona.repeats_stop_s
        if repeats:
            self.queue.postpone(self.clock.world + self.persona.repeats_stop_s)
        elif call.lasting and call.attempts < attempts:
            self.queue.postpone(self.clock.world + interval * call.attempts)
        else:
            if call.action == "BootNotification":
                self._answered(call, {})
            self.queue.done()

    def _called(self, message_id: str, action: object, payload: object, length: int) -> None:
        if self.registration == "Rejected" or (self.persona.deaf_before_boot and self.registration != "Accepted"):
            return
        if action in self.persona.never_answers:
            return
        delay = self.persona.answer_delay_s

        def answer() -> None:
            self.frames.append(self._answer(message_id, action, payload, length))
            self.pump()

        if delay:
            self.timers.at(f"answer-{message_id}", self.clock.world + delay, answer)
        else:
            answer()

    def _answer(self, message_id: str, action: object, payload: object, length: int) -> str:
        try:
            if not isinstance(action, str) or length != 4:
                raise CallError("FormationViolation", "a call has four elements")
            request = check_request(action, {} if payload is None else payload)
            result = self._perform(action, request)
        except CallError as error:
            return json.dumps([CALLERROR, message_id, error.code, str(error)[:255], {}])
        return json.dumps([CALLRESULT, message_id, result], separators=(", ", ":"))
