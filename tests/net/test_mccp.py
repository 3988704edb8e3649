"""Compression of telnet: MCCP2 to the client, MCCP3 from it."""

from __future__ import annotations

import zlib
from typing import Any

from tests.net.test_telnet import Peer

_IAC, _SB, _SE, _WILL, _WONT, _DO, _DONT = (bytes([n]) for n in (255, 250, 240, 251, 252, 253, 254))
_MCCP2, _MCCP3, _TTYPE = (bytes([n]) for n in (86, 87, 24))
_START2 = _IAC + _SB + _MCCP2 + _IAC + _SE
_START3 = _IAC + _SB + _MCCP3 + _IAC + _SE


class Client(Peer):
    """A guest whose client speaks telnet."""

    def __init__(self, *, mccp3: bool = False) -> None:
        super().__init__()
        self.connection.factory.mccp3 = mccp3
        self.send(_IAC + _WONT + _TTYPE)
        self.guest()

    def wait(self, seconds: int) -> None:
        for _ in range(seconds * 4):
            self.scene.clock.advance(0.25)
            self.outlet.sweep(self.scene.clock.seconds())

    def passed(self, seconds: int) -> bytes:
        """What comes while that time passes."""
        self.transport.clear()
        self.wait(seconds)
        return bytes(self.transport.value())

    def compressed(self) -> Any:
        """Agree to MCCP2; what reads the stream, which has begun."""
        self.passed(2)
        first = self.send(_IAC + _DO + _MCCP2)
        assert first == _START2
        return zlib.decompressobj()


def test_compression_is_offered_behind_the_login() -> None:
    """Not before, and to none that speaks no telnet; once only."""
    peer = Peer()
    assert _IAC + _WILL + _MCCP2 not in bytes(peer.transport.value())
    peer.guest()
    peer.transport.clear()
    peer.wait(3)
    assert _MCCP2 not in bytes(peer.transport.value())
    client = Client()
    assert client.passed(3).count(_IAC + _WILL + _MCCP2) == 1
    assert _MCCP3 not in client.passed(3)


def test_compression_waits_for_the_name_of_the_client() -> None:
    """A client that began to say what it is, and has not finished, is not offered any."""
    client = Peer()
    client.send(_IAC + _WILL + _TTYPE)
    client.guest()
    client.transport.clear()
    client.wait(2)
    assert _IAC + _WILL + _MCCP2 not in bytes(client.transport.value())
    for _ in range(2):
        client.send(_IAC + _SB + _TTYPE + b"\0UNKNOWN" + _IAC + _SE)
    client.wait(2)
    assert _IAC + _WILL + _MCCP2 in bytes(client.transport.value())


def test_it_may_be_switched_off() -> None:
    client = Client()
    client.connection.factory.mccp2 = False
    assert _MCCP2 not in client.passed(3)
    assert client.send(_IAC + _DO + _MCCP2) == _IAC + _WONT + _MCCP2


def test_everything_behind_the_start_is_compressed() -> None:
    """Words, prompts, and telnet's own commands; a second DO starts nothing anew."""
    client = Client()
    inflate = client.compressed()
    assert b'You say, "one"' in inflate.decompress(client.send(b"say one\r\n"))
    assert client.send(_IAC + _DO + _MCCP2) == b""
    assert b"[Yes]" in inflate.decompress(client.send(_IAC + b"\xf6"))
    assert inflate.decompress(client.send(b"say two\r\n")).endswith(b"> \xff\xf9")
    assert not inflate.unused_data


def test_who_refuses_gets_plain_words() -> None:
    client = Client()
    client.passed(2)
    assert client.send(_IAC + _DONT + _MCCP2) == b""
    assert b'You say, "one"' in client.send(b"say one\r\n")


def test_the_start_waits_until_all_has_arrived() -> None:
    """Mudlet sees it only in one piece, so nothing may be on its way before it; until then all is plain."""
    client = Client()
    client.passed(2)
    queue: Any = client.transport
    queue.dataBuffer = b"..."
    shown = client.send(_IAC + _DO + _MCCP2) + client.send(b"say one\r\n")
    assert b'You say, "one"' in shown
    assert _START2 not in shown
    queue.dataBuffer = b""
    assert client.passed(1) == _START2


def test_dont_ends_the_stream() -> None:
    """In order, and the next byte comes a quarter of a second later: some clients lose it before."""
    client = Client()
    inflate = client.compressed()
    inflate.decompress(client.send(b"say one\r\n"))
    end = client.send(b"say two\r\n" + _IAC + _DONT + _MCCP2 + b"say three\r\n")
    assert client.transport.producerState == "paused"
    inflate.decompress(end)
    assert inflate.eof
    assert inflate.unused_data == b""
    after = client.passed(1)
    assert after.startswith(_IAC + _WONT + _MCCP2)
    assert b'You say, "two"' in after
    assert b'You say, "three"' in after
    assert client.transport.producerState == "producing"
    assert b'You say, "four"' in client.send(b"say four\r\n")


def test_the_stream_ends_before_the_connection_does() -> None:
    client = Client()
    inflate = client.compressed()
    words = inflate.decompress(client.send(b"quit\r\n"))
    assert b"Goodbye" in words
    assert inflate.eof
    assert client.transport.disconnecting


def test_quit_within_the_pause() -> None:
    """What waits is written before the connection is closed."""
    client = Client()
    inflate = client.compressed()
    inflate.decompress(client.send(_IAC + _DONT + _MCCP2))
    client.connection.goodbye(1000, "bye")
    assert inflate.decompress(b"") == b""
    assert bytes(client.transport.value()).endswith(_IAC + _WONT + _MCCP2)
    assert client.transport.disconnecting


def test_two_in_a_room_share_what_they_hear() -> None:
    """One compression for both; each stream is whole."""
    client = Client()
    inflate = client.compressed()
    made = client.connection.factory.units
    before = len(made._made)
    for _ in range(5):
        assert b"You say" in inflate.decompress(client.send(b"say the same\r\n"))
    assert len(made._made) == before + 1


def test_mccp3() -> None:
    """Its start and the first words usually come in one segment with the answer; cut anywhere, they are understood."""
    squeeze = zlib.compressobj()
    words = _IAC + _DO + _MCCP3 + _START3 + squeeze.compress(b"say one\r\n") + squeeze.flush(zlib.Z_SYNC_FLUSH)
    for cut in range(len(words)):
        client = Client(mccp3=True)
        assert _IAC + _WILL + _MCCP3 in client.passed(2)
        shown = client.send(words[:cut]) + client.send(words[cut:])
        assert b'You say, "one"' in shown
    shown = client.send(squeeze.compress(b"say two\r\n") + squeeze.flush(zlib.Z_FINISH) + b"say three\r\n")
    assert b'You say, "two"' in shown
    assert b'You say, "three"' in shown
    assert _IAC + _WONT + _MCCP3 in shown


def test_mccp3_that_was_not_offered() -> None:
    """A start without an offer is passed over, and so is one without DO: what follows is text."""
    client = Client()
    assert _IAC + _WONT + _MCCP3 in client.send(_IAC + _DO + _MCCP3 + _START3)
    assert b'You say, "one"' in client.send(b"say one\r\n")
    client = Client(mccp3=True)
    client.passed(2)
    assert b'You say, "two"' in client.send(_START3 + b"say two\r\n")


def test_a_bomb_closes_the_connection() -> None:
    """After some tens of kilobytes, not after all of it; with the last word that there is no more compression."""
    client = Client(mccp3=True)
    client.passed(2)
    client.send(_IAC + _DO + _MCCP3)
    client.send(_START3 + zlib.compress(bytes(50_000_000), 9)[:16_000])
    client.wait(1)
    assert client.transport.disconnecting
    assert _IAC + _WONT + _MCCP3 in bytes(client.transport.value())


def test_a_broken_stream_closes_the_connection() -> None:
    client = Client(mccp3=True)
    client.passed(2)
    shown = client.send(_IAC + _DO + _MCCP3 + _START3 + b"look\r\n")
    assert client.transport.disconnecting
    assert shown.endswith(_IAC + _WONT + _MCCP3)


def test_much_is_read_in_pieces() -> None:
    """One piece in a reactor turn; the client is not read from until all of it was heeded, and nothing is lost."""
    client = Client(mccp3=True)
    client.passed(2)
    lines = b"".join(b"xyzzy%d\r\n" % number for number in range(3000))
    client.transport.clear()
    client.connection.dataReceived(_IAC + _DO + _MCCP3 + _START3 + zlib.compress(lines + b"say last\r\n"))
    assert client.transport.producerState == "paused"
    for _ in range(400):
        client.scene.clock.advance(1)
        client.scene.run()
        client.outlet.flush()
    assert client.transport.producerState == "producing"
    assert b'You say, "last"' in bytes(client.transport.value())
