"""Identifiers and codes, all from the operating system's random source."""

import secrets
import uuid

# Crockford's alphabet: no I, L, O, U, so a person can read a code aloud and type it back.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_id() -> uuid.UUID:
    """An opaque public identifier."""
    return uuid.uuid4()


def parse_id(text: str) -> uuid.UUID | None:
    """Read a public identifier from a path; None for anything that cannot be one."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def new_code(groups: int = 4) -> str:
    """A code for people to type: groups of four characters, 20 random bits each."""
    return "-".join("".join(secrets.choice(CODE_ALPHABET) for _ in range(4)) for _ in range(groups))


def normalise_code(text: str) -> str:
    """A typed code without case, spaces, dashes and the letters people mistake."""
    return "".join(c for c in text.upper().translate(_MISREAD) if c in CODE_ALPHABET)


def new_transaction_id() -> int:
    """A random OCPP transactionId, 1…2^31-1, so that one charger cannot guess another's (OCPP 1.6 §4.8)."""
    return secrets.randbelow(2**31 - 1) + 1
