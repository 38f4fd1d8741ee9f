import hashlib
import json
import math
import secrets
from itertools import pairwise
from pathlib import Path
from unittest.mock import patch

import pytest

from chargeamps.chargers.models import Credential
from chargeamps.chargers.services import credentials
from chargeamps.chargers.services.credentials import DUMMY, digest, issue_key, matches
from tests.cast import Cast

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "authorization-keys.json").read_text())["vectors"]
SALT = bytes(range(16))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["identity"])
def test_raw_upper_and_lower_hex_are_one_key(vector: dict[str, str]) -> None:
    key = bytes.fromhex(vector["raw_hex"])
    stored = digest(key, SALT)
    for form in (key, key.hex().upper().encode(), key.hex().encode(), vector["over_ocpp_ChangeConfiguration"].encode()):
        assert matches(form, SALT, stored)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["identity"])
def test_anything_else_is_not_the_key(vector: dict[str, str]) -> None:
    key = bytes.fromhex(vector["raw_hex"])
    stored = digest(key, SALT)
    upper = key.hex().upper().encode()
    for form in (
        b"",
        key[:-1],
        key + b"\0",
        bytes([key[0] ^ 1]) + key[1:],
        upper[:-2],
        upper + b"00",
        upper + b"\n",
        b" " + upper,
        b"0x" + upper,
        upper.hex().encode(),
    ):
        assert not matches(form, SALT, stored)
    assert not matches(key, bytes(16), stored)


def test_hex_in_mixed_case_is_no_form_of_a_key() -> None:
    key = bytes.fromhex("abcdef" * 6)
    assert not matches(b"ABCDEFabcdef" * 3, SALT, digest(key, SALT))


@pytest.mark.parametrize("length", [0, 1, 15, 21, 40])
def test_a_key_of_another_length_never_matches(length: int) -> None:
    key = b"k" * length
    assert not matches(key, SALT, digest(key, SALT))
    assert not matches(key.hex().encode(), SALT, digest(key, SALT))


def test_every_comparison_does_the_same_work() -> None:
    key = b"k" * 20
    calls = set()
    for presented in (key, key.hex().encode(), b"wrong", b"", b"w" * 20, b"f" * 40):
        with patch.object(hashlib, "sha256", wraps=hashlib.sha256) as hashing:
            matches(presented, SALT, digest(key, SALT))
            matches(presented, *DUMMY)
        calls.add(hashing.call_count)
    assert len(calls) == 1


def test_nothing_matches_the_dummy() -> None:
    assert not any(matches(presented, *DUMMY) for presented in (b"", b"\0" * 16, b"0" * 40, DUMMY[0], DUMMY[1]))


@pytest.mark.requirement("S1-04", "S1-05")
def test_keys_are_random_and_have_nothing_to_do_with_the_identity(cast: Cast) -> None:
    keys = [bytes(secrets.choice(credentials._ALPHABET) for _ in range(20)) for _ in range(10_000)]
    issued = [issue_key(cast.aura) for _ in range(20)]
    assert len({*keys, *issued}) == 10_020
    for key in issued:
        assert len(key) == 20
        assert key.isascii()
        assert key.isalnum()
        assert b"AURA" not in key.upper()
    counts = [sum(key.count(byte) for key in keys) for byte in credentials._ALPHABET]
    expected = 200_000 / 62
    chi_squared = sum((count - expected) ** 2 / expected for count in counts)
    assert chi_squared < 61 + 6 * math.sqrt(2 * 61)
    following = sum(first[0] < second[0] for first, second in pairwise(keys))
    assert 4500 < following < 5400


@pytest.mark.requirement("S1-15")
def test_a_key_is_kept_only_as_a_salted_digest_and_the_former_one_stops(cast: Cast) -> None:
    first = issue_key(cast.aura)
    second = issue_key(cast.aura)
    row = Credential.objects.get(charge_point=cast.aura)
    salt, stored = bytes(row.salt), bytes(row.digest)
    assert matches(second, salt, stored)
    assert not matches(first, salt, stored)
    assert second not in salt + stored
    assert second.decode() not in str(list(Credential.objects.values()))
