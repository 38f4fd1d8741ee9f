"""Just enough of X.509 to name an installed root certificate (white paper §4.2, CertificateHashDataType)."""

from __future__ import annotations

import hashlib
import ssl
from typing import Any

JSON = dict[str, Any]


def _element(data: bytes, at: int) -> tuple[int, int, int]:
    """The DER element at ``at``: start of its content, its end, its tag. Raises ValueError."""
    if at + 2 > len(data):
        raise ValueError("truncated DER")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, start = int.from_bytes(data[start : start + size], "big"), start + size
    if start + length > len(data):
        raise ValueError("truncated DER")
    return start, start + length, data[at]


def hash_data(pem: str, algorithm: str = "SHA256") -> JSON:
    """certificateHashData of a self-signed certificate in PEM. Raises ValueError when it is none."""
    der = ssl.PEM_cert_to_DER_cert(pem.strip())
    at, _, _ = _element(der, 0)
    at, _, _ = _element(der, at)
    parts: list[bytes] = []
    whole: list[bytes] = []
    while len(parts) < 6:
        start, end, tag = _element(der, at)
        if tag != 0xA0:  # the version is optional
            parts.append(der[start:end])
            whole.append(der[at:end])
        at = end
    _, end, _ = _element(parts[5], 0)
    key_start, key_end, _ = _element(parts[5], end)
    make = {"SHA256": hashlib.sha256, "SHA384": hashlib.sha384, "SHA512": hashlib.sha512}[algorithm]
    return {
        "hashAlgorithm": algorithm,
        "issuerNameHash": make(whole[2]).hexdigest(),
        "issuerKeyHash": make(parts[5][key_start + 1 : key_end]).hexdigest(),
        "serialNumber": format(int.from_bytes(parts[0], "big"), "x"),
    }
