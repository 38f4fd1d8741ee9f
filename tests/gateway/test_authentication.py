"""Keys and limits without a socket: header, key forms, and who may try again."""

import base64
import json
import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeamps.chargers.services.credentials import digest, matches
from chargeamps.gateway import guessing
from chargeamps.gateway.authentication import parse_basic

pytestmark = [pytest.mark.once, pytest.mark.requirement("S1-15")]

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "authorization-keys.json").read_text())["vectors"]


@pytest.mark.parametrize("form", ["basic_header_raw", "basic_header_hex_upper", "basic_header_hex_lower"])
@pytest.mark.parametrize("vector", VECTORS, ids=[vector["identity"] for vector in VECTORS])
class TestVectors:
    def test_the_key_in_the_header_is_the_key_that_was_given(self, vector, form):
        salt = secrets.token_bytes(16)
        stored = digest(bytes.fromhex(vector["raw_hex"]), salt)
        key = parse_basic(vector[form].encode(), vector["identity"])
        assert key is not None
        assert matches(key, salt, stored)
        assert not matches(key[:-1], salt, stored)
        assert not matches(key + b"0", salt, stored)

    def test_under_another_identity_it_is_no_key(self, vector, form):
        salt = secrets.token_bytes(16)
        stored = digest(bytes.fromhex(vector["raw_hex"]), salt)
        for other in (vector["identity"][:-1], vector["identity"].lower() + "x", "", "AURA"):
            key = parse_basic(vector[form].encode(), other)
            assert key is None or not matches(key, salt, stored)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=48), st.binary(max_size=40))
def test_any_identity_and_any_bytes_come_apart_where_they_were_put_together(identity, key):
    header = b"Basic " + base64.b64encode(identity.encode() + b":" + key)
    assert parse_basic(header, identity) == key


@given(st.binary(max_size=200))
def test_no_header_raises(header):
    parse_basic(header, "AURA-1")
    parse_basic(b"Basic " + header, "AURA-1")


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 15, b"x" * 21, b"00" * 15, b"00" * 21, b"zz" * 20])
def test_what_cannot_be_a_key_matches_nothing(key):
    salt = b"salt"
    assert not matches(key, salt, digest(key, salt))


@pytest.fixture
def moment(monkeypatch):
    """A clock that stands still until it is moved, and no memory of other tests."""

    class Moment:
        now = 1000.0

        def shift(self, seconds: float) -> None:
            self.now += seconds

    moment = Moment()
    monkeypatch.setattr(guessing.time, "monotonic", lambda: moment.now)
    monkeypatch.setattr(guessing, "_sources", guessing.Buckets(20, 10 / 60))
    monkeypatch.setattr(guessing, "_trusted", guessing.Buckets(60, 1))
    monkeypatch.setattr(guessing, "_logged", guessing.Buckets(10, 1 / 60))
    monkeypatch.setattr(guessing, "_known", type(guessing._known)())
    return moment


def fail(identity: str, address: str, times: int) -> int:
    """How many of so many wrong tries were checked at all."""
    checked = 0
    for _ in range(times):
        if guessing.may_try(identity, address):
            checked += 1
            guessing.failed(identity, address)
    return checked


class TestGuessing:
    def test_a_source_has_twenty_tries_and_then_ten_a_minute(self, moment):
        assert fail("A", "192.0.2.1", 100) == 20
        moment.shift(60)
        assert fail("A", "192.0.2.1", 100) == 10
        moment.shift(3600)
        assert fail("A", "192.0.2.1", 100) == 20

    def test_ten_thousand_tries_on_one_identity_shut_nobody_else_out(self, moment):
        for number in range(500):
            fail("A", f"192.0.{number // 250}.{number % 250}", 20)
        assert guessing.may_try("A", "198.51.100.7")

    def test_whoever_has_signed_in_from_there_may_try_still(self, moment):
        guessing.succeeded("A", "192.0.2.1")
        fail("B", "192.0.2.1", 100)
        assert guessing.may_try("A", "192.0.2.1")
        assert not guessing.may_try("B", "192.0.2.1")

    def test_but_not_without_end(self, moment):
        guessing.succeeded("A", "192.0.2.1")
        assert fail("A", "192.0.2.1", 1000) == 80
        moment.shift(5)
        assert fail("A", "192.0.2.1", 1000) <= 6

    def test_memory_is_bounded(self, moment, monkeypatch):
        monkeypatch.setattr(guessing, "REMEMBERED", 100)
        for number in range(1000):
            guessing.failed("A", f"source {number}")
            guessing.succeeded(f"identity {number}", "x")
        assert len(guessing._sources._buckets) == 100
        assert len(guessing._known) == 100

    def test_a_flood_of_refusals_leaves_a_few_lines_in_the_log(self, moment):
        assert sum(guessing.worth_logging("192.0.2.1") for _ in range(1000)) == 10
