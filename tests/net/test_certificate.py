"""The certificate of TLS: read again while the server runs, and never exchanged for one that is broken."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from OpenSSL import SSL
from twisted.logger import LogLevel, capturedLogs

from mythos.net.certificate import BadCertificate, Certificate
from tests.net.certificates import make


def _shown(certificate: Certificate, *, newest: int = SSL.TLS1_3_VERSION) -> str:
    """The name in the certificate that a client of versions up to ``newest`` is shown. :raises SSL.Error:"""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_max_proto_version(newest)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")  # what is refused is refused by the server
    client, server = SSL.Connection(context, None), certificate.serverConnectionForTLS(None)
    client.set_connect_state()
    server.set_accept_state()
    for _ in range(3):
        for near, far in ((client, server), (server, client)):
            with contextlib.suppress(SSL.WantReadError):
                near.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                far.bio_write(near.bio_read(65_536))
    found = client.get_peer_certificate(as_cryptography=True)
    assert found is not None
    return found.subject.rfc4514_string().removeprefix("CN=")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Of a certificate of ``first``."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make(certificate, key, "first")
    return certificate, key


def test_it_is_shown(files: tuple[Path, Path]) -> None:
    assert _shown(Certificate(*files)) == "first"


def test_in_one_file(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    make(both, both, "both")
    assert _shown(Certificate(both, both)) == "both"


def test_old_versions_are_refused(files: tuple[Path, Path]) -> None:
    """TLS 1.2 is the oldest."""
    certificate = Certificate(*files)
    assert _shown(certificate, newest=SSL.TLS1_2_VERSION) == "first"
    with pytest.raises(SSL.Error):
        _shown(certificate, newest=SSL.TLS1_1_VERSION)


def test_a_new_one_is_read(files: tuple[Path, Path]) -> None:
    """Once, when it has changed."""
    certificate = Certificate(*files)
    make(*files, "second")
    assert _shown(certificate) == "first"
    with capturedLogs() as logs:
        certificate.refresh()
        certificate.refresh()
    assert _shown(certificate) == "second"
    assert [event["log_level"] for event in logs] == [LogLevel.info]


@pytest.mark.parametrize("broken", ["cut", "other key", "empty", "gone", "locked"])
def test_a_broken_one_leaves_the_old_in_force(files: tuple[Path, Path], tmp_path: Path, broken: str) -> None:
    """And the operator is told, once; one that is whole again counts."""
    certificate = Certificate(*files)
    path, key = files
    if broken == "cut":
        path.write_bytes(path.read_bytes()[:200] + b"\n-----END CERTIFICATE-----\n")
    elif broken == "other key":
        make(tmp_path / "another.pem", key, "another")
    elif broken == "empty":
        path.write_bytes(b"")
    elif broken == "gone":
        key.unlink()
    else:
        make(path, key, "locked", password=b"swordfish")
    with capturedLogs() as logs:
        certificate.refresh()
        certificate.refresh()
    (event,) = logs
    assert event["log_level"] is LogLevel.error
    assert str(tmp_path) in str(event["error"])
    assert _shown(certificate) == "first"
    with pytest.raises(BadCertificate):
        Certificate(*files)
    make(*files, "second")
    certificate.refresh()
    assert _shown(certificate) == "second"


def test_at_a_word_it_is_read_in_any_case(files: tuple[Path, Path]) -> None:
    certificate = Certificate(*files)
    with capturedLogs() as logs:
        certificate.read_again()
    assert [event["log_level"] for event in logs] == [LogLevel.info]
