"""Telnet over TLS, with a real server."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import zlib
from pathlib import Path

from tests.house.clients import PATIENCE, Telnet
from tests.house.server import Server, select_nothing
from tests.net.certificates import make


class Secure(Telnet):
    """Reads text over TLS; it takes any certificate."""

    def __init__(self, port: int, *, before: bytes = b"") -> None:
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        plain.sendall(before)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.socket = self._secure = context.wrap_socket(plain)
        self.heard = b""

    def until_bytes(self, wanted: bytes) -> None:
        """As ``until``; what came before is let go."""
        while wanted not in self.heard:
            data = self.socket.recv(65_536)
            assert data, self.heard
            self.heard += data
        self.heard = self.heard.partition(wanted)[2]

    @property
    def certificate(self) -> bytes:
        return self._secure.getpeercert(binary_form=True) or b""


def _house(tmp_path: Path, **more: str) -> Server:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make(certificate, key, "first")
    env = {"SSL_CERT_PATH": str(certificate), "SSL_KEY_PATH": str(key), "MYTHOS_TELNET_TLS": "0", **more}
    return Server(tmp_path / "data", env=env)


def test_a_guest_plays_over_tls(tmp_path: Path) -> None:
    """From the name prompt to the end, which the server makes; compressed as soon as nothing is on its way to it."""
    with _house(tmp_path) as house:
        player = Secure(house.ports["telnet-tls"])
        player.send_raw(b"\xff\xfc\x18")
        player.until("name? ")
        player.send("guest")
        player.until_bytes(b"\xff\xfb\x56")
        player.send_raw(b"\xff\xfd\x56")
        player.until_bytes(b"\xff\xfa\x56\xff\xf0")
        player.send("quit")
        player.ended()
        assert b"Goodbye" in zlib.decompress(player.heard)
    assert "broke while" not in house.log.read_text()


def test_behind_a_proxy(tmp_path: Path) -> None:
    """Its header comes before TLS."""
    with _house(tmp_path, MYTHOS_TELNET_TRUSTED_PROXIES="127.0.0.1") as house:
        before = b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 4443\r\n"
        Secure(house.ports["telnet-tls"], before=before).until("name? ")


def test_a_new_certificate_without_a_restart(tmp_path: Path) -> None:
    """At SIGHUP, which ends nothing; a broken one leaves the old in force, and the log says so."""
    with _house(tmp_path) as house:
        port = house.ports["telnet-tls"]
        player = Secure(port)
        first = player.certificate
        make(tmp_path / "cert.pem", tmp_path / "key.pem", "second")
        _hangup(house, "was read again")
        second = Secure(port).certificate
        assert second != first
        (tmp_path / "cert.pem").write_text("nonsense")
        _hangup(house, "stays in force")
        assert Secure(port).certificate == second
        player.until("name? ")


def _hangup(house: Server, said: str) -> None:
    """SIGHUP, until the log says what came of it."""
    os.kill(house.pid, signal.SIGHUP)
    for _ in range(1000):
        if said in house.log.read_text():
            return
        select_nothing(0.01)
    raise AssertionError(house.log.read_text())


def test_no_certificate_no_door(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as house:
        assert "telnet-tls" not in house.ports


def test_a_broken_certificate_at_the_start(tmp_path: Path) -> None:
    """The server does not start, and says why."""
    house = _house(tmp_path)
    (tmp_path / "key.pem").unlink()
    try:
        house.start()
    except AssertionError as error:
        assert f"{tmp_path}/key.pem cannot be read (No such file or directory): name the certificate in" in str(error)
    else:
        house.stop()
        raise AssertionError("it started")
