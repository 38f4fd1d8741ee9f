"""OCPP-J framing, without a socket: every odd frame, one outstanding call, and nothing that a charger sends raises."""

import json
import time
import tracemalloc
from itertools import count

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chargeamps.gateway.actions import KNOWN
from chargeamps.gateway.session import (
    MAX_DEPTH,
    REMEMBERED_IDS,
    Answer,
    Call,
    CallOutstanding,
    ErrorAnswer,
    Malformed,
    Session,
)
from tests.gateway.odd_frames import UNSOLICITED, cases

pytestmark = pytest.mark.once


def new_session() -> Session:
    numbers = count(1)
    return Session(KNOWN, lambda: f"ours-{next(numbers)}")


def reply_to(text: str, session: Session | None = None) -> list | None:
    """What goes back over the wire for one frame, read; None where nothing does."""
    session = session or new_session()
    event = session.receive(text)
    if isinstance(event, Call):
        return json.loads(session.result(event.message_id, {}))
    return json.loads(event.reply) if isinstance(event, Malformed) and event.reply else None


EXPECTED: dict[str, list | None] = {
    "not JSON": None,
    "empty": None,
    "object": None,
    "null": None,
    "short call": [4, "1", "FormationViolation"],
    "type 9": None,
    "type as float": [3, "1", {}],
    "type as string": [3, "1", {}],
    "action is a list": [4, "1", "FormationViolation"],
    "action is an object": [4, "1", "FormationViolation"],
    "action null": [4, "1", "FormationViolation"],
    "unknown action": [4, "1", "NotImplemented"],
    "payload null": [3, "1", {}],
    "payload list": [3, "1", {}],
    "id null": None,
    "id object": None,
    "id number": [3, 7, {}],
    "id empty": [3, "", {}],
    "unsolicited result": None,
    "unsolicited error": None,
    "result null payload": None,
    "nested 100000 lists": None,
    "nested 5000 in DataTransfer": [3, "1", {}],
    "integer of 5000 digits": [3, "1", {}],
    "id of 10000 characters": [3, "x" * 10_000, {}],
    "frame of 2 MiB": None,
}


@pytest.mark.parametrize("case", cases())
def test_odd_frames(case):
    frame = cases()[case]
    text = frame.decode() if isinstance(frame, bytes) else frame
    # What is not listed is a known action with an odd payload: it always gets a result.
    expected = EXPECTED.get(case, [3, "1", {}])
    reply = reply_to(text)
    assert (reply and reply[: len(expected or ())]) == expected


@pytest.mark.parametrize(
    ("frame", "flags"),
    [
        ('[2,"1","Heartbeat",null]', ("payload-not-an-object",)),
        ('[2,"1","Heartbeat"]', ("payload-not-an-object",)),
        ('[2.0,"1","Heartbeat",{}]', ("message-type-not-an-integer",)),
        ('[2,7,"Heartbeat",{}]', ("message-id-not-text",)),
        ('[2,"1","StopTransaction",{"transactionId":7', ("not-json",)),
        ('[2,"1","StopTransaction",{"d":' + "[" * 40 + "]" * 40 + "}]", ("nested-too-deep",)),
    ],
)
def test_what_was_odd_about_a_call_is_said_with_it(frame, flags):
    event = new_session().receive(frame)
    assert isinstance(event, Call)
    assert event.flags == flags


def test_nesting_as_deep_as_allowed_is_read():
    inner = "[" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2)
    event = new_session().receive('[2,"1","DataTransfer",{"data":' + inner + "}]")
    assert isinstance(event, Call)
    assert event.flags == ()


def test_brackets_inside_text_are_not_nesting():
    text = "[{" * 500 + '\\"' + "[" * 500
    event = new_session().receive('[2,"1","DataTransfer",{"data":"' + text + '"}]')
    assert isinstance(event, Call)
    assert event.flags == ()


def test_a_second_call_waits_until_the_first_is_answered_or_given_up():
    session = new_session()
    first, frame = session.call("Reset", {"type": "Soft"})
    assert json.loads(frame) == [2, first, "Reset", {"type": "Soft"}]
    with pytest.raises(CallOutstanding):
        session.call("GetConfiguration", {})
    assert session.receive(f'[3,"{first}",{{"status":"Accepted"}}]') == Answer(first, "Reset", {"status": "Accepted"})
    second, _ = session.call("GetConfiguration", {})
    session.give_up(second)
    third, _ = session.call("GetConfiguration", {})
    assert session.receive(f'[4,"{third}","NotSupported","no",{{}}]') == ErrorAnswer(
        third, "GetConfiguration", "NotSupported", "no"
    )


def test_answers_that_nobody_awaits_are_counted_and_change_nothing():
    session = new_session()
    given_up, _ = session.call("Reset", {"type": "Soft"})
    session.give_up(given_up)
    open_call, _ = session.call("GetConfiguration", {})
    assert session.receive(f'[3,"{given_up}",{{}}]') == Malformed("late-answer")
    assert session.receive('[3,"somebody-elses",{}]') == Malformed("answer-nobody-awaits")
    assert (session.late_answers, session.unknown_answers) == (1, 1)
    assert isinstance(session.receive(f'[3,"{open_call}",{{}}]'), Answer)
    # The second answer to the same call is nobody's.
    assert session.receive(f'[3,"{open_call}",{{}}]') == Malformed("answer-nobody-awaits")


@pytest.mark.parametrize("payload", ["null", "[]", '"yes"', "7", ""])
def test_an_answer_with_an_odd_payload_is_an_answer(payload):
    session = new_session()
    message_id, _ = session.call("Reset", {"type": "Soft"})
    frame = f'[3,"{message_id}"{"," if payload else ""}{payload}]'
    assert session.receive(frame) == Answer(message_id, "Reset", {})


def test_a_flood_of_answers_leaves_nothing_behind():
    session = new_session()
    for number in range(100):
        message_id, _ = session.call("Reset", {"type": "Soft"})
        session.give_up(message_id)
        assert number < 100
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(UNSOLICITED):
        session.receive(f'[3,"n{number}",{{}}]')
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert session.unknown_answers == UNSOLICITED
    assert len(session._given_up) == REMEMBERED_IDS
    assert grown < 50_000


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.from_regex(r'[\[\]{}"\\,:0-9a-z]{0,20}'),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
# Pieces of frames in any order: most are nearly frames.
pieces = st.lists(
    st.sampled_from(
        [
            *'[]{},:234"\\-. é\x00\ud800',
            *("\\u", "\\x", "\\ud800", "1e400", "NaN", "null"),
            *('"1"', '"Heartbeat"', '"StopTransaction"', '[2,"1","Heartbeat",'),
        ]
    ),
    max_size=40,
).map("".join)


@settings(max_examples=400, deadline=None)
@given(pieces | st.text(max_size=200) | json_values.map(json.dumps))
@example('[2,"\\x","Heartbeat",')
@example('[2,"a\\","Heartbeat",')
@example('[2,"\\u12","Heartbeat",')
@example('[2,1e400,"Heartbeat",{}]')
@example('[2,"\\ud800","Heartbeat",')
def test_nothing_raises_and_every_reply_is_json(text):
    session = new_session()
    session.call("Reset", {"type": "Soft"})
    event = session.receive(text)
    if isinstance(event, Call):
        assert event.action in KNOWN
        reply = session.result(event.message_id, {})
    else:
        reply = getattr(event, "reply", None)
    if reply is not None:
        json.loads(reply, parse_constant=pytest.fail)
        reply.encode()


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60) | st.integers(-(10**18), 10**18),
    st.sampled_from(sorted(KNOWN)) | json_values,
    json_values,
)
def test_a_call_with_a_readable_id_is_always_answered_under_that_id(message_id, action, payload):
    reply = reply_to(json.dumps([2, message_id, action, payload]))
    assert reply is not None
    assert reply[1] == message_id
    assert reply[0] == (3 if isinstance(action, str) and action in KNOWN else 4)


@pytest.mark.parametrize(
    "hostile",
    [
        lambda n: '[2,"' + "x" * n,
        lambda n: '[2,"' + '\\"' * (n // 2),
        lambda n: '["' * (n // 2),
        lambda n: "[" * 17 + '"' + "\\" * n,
        lambda n: " " * n + '[2,"1"',
        lambda n: '[2,"1"' + " " * n + "x",
        lambda n: "[" * 17 + '""' * (n // 2),
        lambda n: '{"a":' * (n // 5),
    ],
)
def test_hostile_text_costs_time_in_proportion_to_its_length(hostile):
    def seconds(length: int) -> float:
        text, session = hostile(length), new_session()
        times = []
        for _ in range(5):
            begun = time.perf_counter()
            session.receive(text)
            times.append(time.perf_counter() - begun)
        return min(times)

    long = seconds(128 * 1024)
    assert long < 0.25
    # Four times the length: four times the work, and not sixteen. Short times are noise.
    assert long < 10 * seconds(32 * 1024) or long < 0.01
