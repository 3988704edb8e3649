"""What a telnet client has of what it was sent, and how a silent line is kept open."""

from __future__ import annotations

from typing import Any

import pytest

from mythos.flow.log import Cursor
from mythos.wire.telnet import NOP, Option, Verb, negotiate
from tests.net.test_telnet import Peer

_MARK = negotiate(Verb.DO, Option.TIMING_MARK)


class Reader(Peer):
    """A guest whose TCP can be held up."""

    def __init__(self, *said: bytes) -> None:
        super().__init__()
        self.send(b"".join(said))
        self.guest()

    @property
    def cursor(self) -> Cursor:
        assert self.connection.link is not None
        return self.connection.link.cursor

    def hold_up(self, held: bool) -> None:
        """Nothing of what is written arrives; or all of it."""
        queue: Any = self.transport
        queue.dataBuffer = bytes(1_000_000 if held else 0)

    def passed(self, seconds: int) -> bytes:
        self.transport.clear()
        self.wait(seconds)
        return bytes(self.transport.value())


def test_netcat_has_what_its_tcp_has() -> None:
    """It is asked nothing."""
    reader = Reader()
    reader.passed(1)
    assert reader.cursor.acked == reader.cursor.sent
    reader.hold_up(True)
    reader.send(b"say one\r\n")
    assert reader.passed(3) == b""
    assert reader.cursor.acked < reader.cursor.sent
    reader.hold_up(False)
    reader.passed(1)
    assert reader.cursor.acked == reader.cursor.sent


@pytest.mark.parametrize("verb", [Verb.WILL, Verb.WONT])
def test_a_client_that_answers_each_mark(verb: Verb) -> None:
    """With either word. It is asked once at a time, and after two answers no more than they say is believed."""
    reader = Reader(negotiate(Verb.WONT, Option.TTYPE))
    reader.hold_up(True)
    answer = negotiate(verb, Option.TIMING_MARK)
    reader.passed(2)
    reader.send(answer)
    for _ in range(2):
        reader.send(b"say one\r\n")
        assert reader.passed(5).count(_MARK) == 1
        assert reader.cursor.acked < reader.cursor.sent
        reader.send(answer)
        assert reader.cursor.acked == reader.cursor.sent
    reader.hold_up(False)
    reader.send(b"say two\r\n")
    assert reader.passed(5).count(_MARK) == 1
    assert reader.cursor.acked < reader.cursor.sent


def test_a_client_that_answers_the_first_mark_alone() -> None:
    """TinTin++ does. Then its TCP is believed."""
    reader = Reader(negotiate(Verb.WONT, Option.TTYPE))
    reader.passed(2)
    reader.send(negotiate(Verb.WONT, Option.TIMING_MARK))
    for _ in range(3):
        reader.send(b"say one\r\n")
        reader.passed(2)
        assert reader.cursor.acked == reader.cursor.sent


@pytest.mark.parametrize(
    ("said", "typed", "count"),
    [
        (negotiate(Verb.WONT, Option.TTYPE), b"", 2),
        (negotiate(Verb.WONT, Option.TTYPE), b"settings keepalive off\r\n", 0),
        (negotiate(Verb.WONT, Option.TTYPE), b"settings keepalive on\r\n", 2),
        (b"", b"", 0),
    ],
    ids=["telnet", "off", "on", "netcat"],
)
def test_a_silent_line_is_kept_open(said: bytes, typed: bytes, count: int) -> None:
    """Every half minute, unless the player does not want it; netcat would show it."""
    reader = Reader(said)
    reader.send(typed)
    reader.passed(5)
    assert reader.passed(65).count(NOP) == count
