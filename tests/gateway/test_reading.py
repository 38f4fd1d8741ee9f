"""Tolerant reading: the value where there is one, and a flag where it was odd."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeamps.gateway.reading import Reader, clean, is_confidential, number_of, parse_time

pytestmark = pytest.mark.once

RECEIVED = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("sent", "value", "flags"),
    [
        (5, 5, []),
        ("5", 5, ["n-not-an-integer"]),
        (" 5 ", 5, ["n-not-an-integer"]),
        (5.0, 5, ["n-not-an-integer"]),
        ("5.4", 5, ["n-not-an-integer"]),
        (-1, -1, []),
        (None, None, []),
        ("", None, ["n-unreadable"]),
        ("five", None, ["n-unreadable"]),
        (True, None, ["n-unreadable"]),
        ([5], None, ["n-unreadable"]),
        ({}, None, ["n-unreadable"]),
        ("NaN", None, ["n-unreadable"]),
        ("Infinity", None, ["n-unreadable"]),
        ("1e308", None, ["n-unreadable"]),
        (2**63 - 1, None, ["n-unreadable"]),
        ("9" * 5000, None, ["n-unreadable"]),
    ],
)
def test_whole_numbers(sent, value, flags):
    reader = Reader({"n": sent})
    assert (reader.integer("n"), reader.flags) == (value, flags)


@pytest.mark.parametrize(
    ("sent", "value", "flags"),
    [
        ("Charge Amps", "Charge Amps", []),
        (None, "", []),
        (0, "0", ["t-not-text"]),
        (1.5, "1.5", ["t-not-text"]),
        (["a"], "", ["t-not-text"]),
        (True, "", ["t-not-text"]),
        ("S" * 34, "S" * 20, ["t-too-long"]),
        ("a\x00b", "a\N{REPLACEMENT CHARACTER}b", []),
        ("\ud800", "\N{REPLACEMENT CHARACTER}", []),
        ("<script>alert(1)</script>", "<script>alert(1)</sc", ["t-too-long"]),
        ("\N{RIGHT-TO-LEFT OVERRIDE}gpj", "\N{RIGHT-TO-LEFT OVERRIDE}gpj", []),
    ],
)
def test_text(sent, value, flags):
    reader = Reader({"t": sent})
    assert (reader.text("t", 20), reader.flags) == (value, flags)


@pytest.mark.parametrize(
    ("sent", "instant"),
    [
        ("2026-07-01T12:00:00Z", RECEIVED),
        ("2026-07-01T12:00:00.123456789Z", RECEIVED.replace(microsecond=123456)),
        ("2026-07-01T12:00:00", RECEIVED),
        ("2026-07-01T14:00:00+02", RECEIVED),
        ("2026-07-01T14:00:00+02:00", RECEIVED),
        ("2026-07-01T14:00:00+0200", RECEIVED),
        ("2026-07-01 12:00:00Z", RECEIVED),
        (" 2026-07-01T12:00:00Z ", RECEIVED),
        ("01/01/1970 00:00", None),
        ("2026-07-01T23:59:60Z", None),
        ("0001-01-01T00:00:00+10:00", None),
        ("9999-12-31T23:59:59-10:00", None),
        ("", None),
        (1782907200, None),
        (None, None),
    ],
)
def test_times_as_chargers_write_them(sent, instant):
    assert parse_time(sent) == instant


@pytest.mark.parametrize(
    ("sent", "value", "flags"),
    [
        ("2026-07-01T11:59:00Z", RECEIVED - timedelta(minutes=1), []),
        (None, RECEIVED, []),
        # A queue may hold what happened weeks ago.
        ("2026-06-01T12:00:00Z", RECEIVED - timedelta(days=30), []),
        ("1970-01-01T00:00:00Z", RECEIVED, ["at-implausible"]),
        ("2026-07-01T12:10:00Z", RECEIVED, ["at-implausible"]),
        ("2031-07-01T12:00:00Z", RECEIVED, ["at-implausible"]),
        ("01/01/1970 00:00", RECEIVED, ["at-unreadable"]),
        (0, RECEIVED, ["at-unreadable"]),
    ],
)
def test_a_charger_s_time_counts_where_it_is_plausible(sent, value, flags):
    reader = Reader({"at": sent})
    assert (reader.time("at", RECEIVED), reader.flags) == (value, flags)


@given(st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.integers()))
def test_reading_never_raises(value):
    reader = Reader({"x": value})
    text = reader.text("x", 10)
    assert len(text) <= 10
    assert clean(text) == text
    text.encode()
    number = reader.integer("x")
    assert number is None or abs(number) <= 10**18
    assert reader.time("x", RECEIVED).tzinfo is UTC
    assert number_of(value) is None or isinstance(number_of(value), float)


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("AuthorizationKey", True),
        ("authorizationkey", True),
        ("WifiPassword", True),
        ("WIFI_PASSWD", True),
        ("wifikey", True),
        ("ClientSecret", True),
        ("PIN", True),
        ("MeterValueSampleInterval", False),
        ("WebSocketPingInterval", False),
        ("AuthorizeRemoteTxRequests", False),
        ("LightIntensity", False),
    ],
)
@pytest.mark.requirement("S1-15")
def test_which_keys_hold_secrets(key, secret):
    assert is_confidential(key) is secret
