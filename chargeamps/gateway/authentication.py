"""Who may open a charger's socket: HTTP Basic over TLS, decided before the upgrade (security whitepaper, profile 2)."""

import base64
import binascii


def parse_basic(header: bytes, identity: str) -> bytes | None:
    """The key bytes of an ``Authorization`` header whose user name equals ``identity``, else None.

    The key may hold any byte, colons included, and so may the identity: the known identity and one colon are taken off
    the front, nothing is split or decoded.
    """
    scheme, _, encoded = header.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        credentials = base64.b64decode(encoded.strip(), validate=True)
    except binascii.Error:
        return None
    prefix = identity.encode() + b":"
    return credentials[len(prefix) :] if credentials.startswith(prefix) else None
