"""Charge points' AuthorizationKeys and claim codes: made at random, kept as salted digests, compared in constant time.

A key has 16 to 20 bytes (OCPP security whitepaper A00.FR.304). Chargers send it as it is, or as the hex digits by which
it travels in a ChangeConfiguration, in upper or lower case.
"""

import binascii
import hashlib
import hmac
import secrets
import string

from django.db import transaction

from chargeamps.chargers.models import ChargePoint, ClaimCode, Credential
from chargeamps.common.ids import new_code, normalise_code

KEY_BYTES = range(16, 21)
_ALPHABET = (string.ascii_letters + string.digits).encode()

# What an identity that nobody has is compared with, so that it costs the same work; no key matches it.
DUMMY: tuple[bytes, bytes] = (secrets.token_bytes(16), secrets.token_bytes(32))


@transaction.atomic
def issue_key(charge_point: ChargePoint) -> bytes:
    """Give a charge point a new key and return it; the former ones stop working. It is never readable again.

    20 letters and digits (119 random bits): a charger that treats its key as text, as bytes or as hex sends one of the
    forms that ``matches`` takes.
    """
    key = bytes(secrets.choice(_ALPHABET) for _ in range(20))
    salt = secrets.token_bytes(16)
    charge_point.credentials.all().delete()
    Credential.objects.create(charge_point=charge_point, salt=salt, digest=digest(key, salt))
    return key


@transaction.atomic
def issue_claim_code(charge_point: ChargePoint) -> str:
    """Give a charge point a new claim code and return it; the former one stops working."""
    code = new_code()
    salt = secrets.token_bytes(16)
    ClaimCode.objects.update_or_create(
        charge_point=charge_point, defaults={"salt": salt, "digest": digest(_typed(code), salt), "used": None}
    )
    return code


def digest(key: bytes, salt: bytes) -> bytes:
    return hashlib.sha256(salt + key).digest()


def matches(presented: bytes, salt: bytes, expected: bytes) -> bool:
    """Compare a presented key with a stored digest: the raw key, or its hex in one case. Always the same work."""
    raw = presented if len(presented) in KEY_BYTES else b""
    decoded = _unhex(presented)
    raw_matches = hmac.compare_digest(digest(raw, salt), expected) and bool(raw)
    hex_matches = hmac.compare_digest(digest(decoded, salt), expected) and bool(decoded)
    return raw_matches | hex_matches


def code_matches(presented: str, salt: bytes, expected: bytes) -> bool:
    """Compare a typed claim code with a stored digest."""
    return hmac.compare_digest(digest(_typed(presented), salt), expected)


def _typed(code: str) -> bytes:
    return normalise_code(code).encode()


def _unhex(presented: bytes) -> bytes:
    """Return the key that the hex digits stand for, or nothing when they are not a key's."""
    if presented not in (presented.upper(), presented.lower()):
        return b""
    try:
        key = binascii.unhexlify(presented)
    except binascii.Error:
        return b""
    return key if len(key) in KEY_BYTES else b""
