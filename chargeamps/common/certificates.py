"""The installation's own certificate authority and the certificates of the chargers' port.

Two server certificates, ECDSA and RSA, because the OCPP security whitepaper asks the server for cipher suites of both
kinds. They are renewed a month before they end, signed by the same authority, so chargers that trust it notice nothing.
"""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from chargeamps.common import clock
from chargeamps.common.data_folder import DataFolder

AUTHORITY_LIFE = timedelta(days=20 * 365)
SERVER_LIFE = timedelta(days=365)
RENEWED_BEFORE = timedelta(days=30)

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A PEM certificate (with what signed it) and its PEM key."""

    certificate: Path
    key: Path


def authority_file(folder: DataFolder) -> Path:
    """The authority's certificate, which a charger must be told to trust; made on first use."""
    path = folder.path / "authority.pem"
    if not path.exists():
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Charge Amps Aura installation authority")])
        certificate = (
            _builder(name, name, key, AUTHORITY_LIFE)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        folder.write_private("authority.key", _key_bytes(key))
        folder.write_private("authority.pem", certificate.public_bytes(serialization.Encoding.PEM))
    return path


def fingerprint(path: Path) -> str:
    """SHA-256 of the certificate, as people compare it."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def server_files(folder: DataFolder, names: Sequence[str]) -> list[CertificateFiles]:
    """The server's certificates for ``names`` (host names and addresses), made or renewed where needed."""
    return [_server_file(folder, kind, names) for kind in ("ecdsa", "rsa")]


def _server_file(folder: DataFolder, kind: str, names: Sequence[str]) -> CertificateFiles:
    files = CertificateFiles(folder.path / f"server-{kind}.pem", folder.path / f"server-{kind}.key")
    if files.certificate.exists() and files.key.exists() and _still_good(files.certificate, names):
        return files
    authority_path = authority_file(folder)
    authority = x509.load_pem_x509_certificate(authority_path.read_bytes())
    authority_key = serialization.load_pem_private_key((folder.path / "authority.key").read_bytes(), password=None)
    assert isinstance(authority_key, ec.EllipticCurvePrivateKey)
    key: PrivateKey = (
        ec.generate_private_key(ec.SECP256R1())
        if kind == "ecdsa"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    certificate = (
        _builder(subject, authority.subject, key, SERVER_LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    folder.write_private(files.key.name, _key_bytes(key))
    folder.write_private(
        files.certificate.name,
        certificate.public_bytes(serialization.Encoding.PEM) + authority_path.read_bytes(),
    )
    return files


def _still_good(path: Path, names: Sequence[str]) -> bool:
    certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(alternative) == {_general_name(name) for name in names} and (
        certificate.not_valid_after_utc - clock.now() > RENEWED_BEFORE
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: PrivateKey, life: timedelta) -> x509.CertificateBuilder:
    # Chargers' clocks may be behind when they first connect.
    start: datetime = clock.now() - timedelta(days=2)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_bytes(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
