"""Certificates for tests, made in a moment and good for an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["make"]


def make(
    certificate: Path,
    key: Path,
    name: str,
    *,
    password: bytes = b"",
    ends: timedelta = timedelta(hours=1),
    host: str = "",
) -> None:
    """Write a certificate that ``name`` has signed for itself, and its key; both into one file if they are one.

    :param host: that it is for, as clients want to read it; empty: it names none
    """
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder()
    if host:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    signed = (
        made.subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=2))
        .not_valid_after(now + ends)
        .sign(private, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    secret = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    public = signed.public_bytes(serialization.Encoding.PEM)
    key.write_bytes(secret)
    certificate.write_bytes(public + secret if certificate == key else public)
    key.chmod(0o600)
