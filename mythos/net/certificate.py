"""The server's certificate for TLS, as its files have it now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.logger import Logger
from zope.interface import implementer

from mythos.errors import MythosError

__all__ = ["BadCertificate", "Certificate"]

_log = Logger()


class BadCertificate(MythosError):
    """It cannot be used; the sentence names the files and says why."""


@implementer(IOpenSSLServerConnectionCreator)
class Certificate:
    """A chain of certificates, the server's own first, and its key; both in PEM, perhaps in one file.

    What the files hold at a later time counts from the next connection on.

    :ivar ends: the unix second after which clients refuse it
    :raises BadCertificate: it cannot be used
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        self._certificate = certificate
        self._key = key
        self._seen = self._look()
        self.ends = 0.0
        self._context = self._read()

    def serverConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        return SSL.Connection(self._context, None)

    def refresh(self) -> None:
        """Read the files again if they have changed."""
        if self._look() != self._seen:
            self.read_again()

    def read_again(self) -> str:
        """Read the files; what cannot be used leaves the old certificate in force, and the operator is told.

        :return: why they cannot be used; empty: they are
        """
        self._seen = self._look()
        try:
            self._context = self._read()
        except BadCertificate as error:
            _log.error("{error} The certificate before it stays in force.", error=error)
            return str(error).partition(". ")[0]
        else:
            _log.info("the certificate {certificate} was read again", certificate=str(self._certificate))
            return ""

    def _look(self) -> list[tuple[int, int, int] | None]:
        """What tells one state of the files from another."""
        return [_state(path) for path in (self._certificate, self._key)]

    def _read(self) -> SSL.Context:
        try:
            chain: list[Any] = [*load_pem_x509_certificates(self._certificate.read_bytes())]
            key: Any = load_pem_private_key(self._key.read_bytes(), None)
            context = CertificateOptions(
                privateKey=key,
                certificate=chain[0],
                extraCertChain=chain[1:],
                raiseMinimumTo=TLSVersion.TLSv1_2,
            ).getContext()
            self.ends = chain[0].not_valid_after_utc.timestamp()
            return context
        except OSError as error:
            raise BadCertificate(
                f"{error.filename} cannot be read ({error.strerror}): name the certificate in tls.certificate"
                " (SSL_CERT_PATH), its key in tls.key (SSL_KEY_PATH)."
            ) from error
        except (SSL.Error, ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise BadCertificate(
                f"The certificate {self._certificate} with the key {self._key} cannot be used: {_why(error)}. Both must"
                " be PEM, belong together, and have no password."
            ) from error


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _why(error: Exception) -> str:
    """OpenSSL's errors are lists of (library, function, reason); those of cryptography may have advice behind them."""
    reasons = error.args[0] if error.args else ""
    if isinstance(reasons, list):
        return ", ".join(str(reason[-1]) for reason in reasons) or "OpenSSL does not say why"
    return str(error)
