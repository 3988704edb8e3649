"""MSSP at the telnet door: as an option, and as a line at the name prompt."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from mythos.errors import Refusal
from mythos.net.status import FRESH, Status
from mythos.wire.subnegotiation import mssp
from mythos.wire.telnet import Option, Verb, negotiate
from tests.net.test_telnet import Peer

_TABLE = {"NAME": "Mythos", "PORT": ("4443", "4000"), "CRAWL DELAY": "-1"}
_LINES = b"\r\nMSSP-REPLY-START\r\nNAME\tMythos\r\nPORT\t4443\t4000\r\nCRAWL DELAY\t-1\r\nMSSP-REPLY-END\r\n"
_DO, _DONT = negotiate(Verb.DO, Option.MSSP), negotiate(Verb.DONT, Option.MSSP)


def _peer() -> Peer:
    peer = Peer()
    peer.connection.factory.status = Status(lambda: _TABLE, peer.scene.clock.seconds)
    peer.connect()
    return peer


def test_it_is_offered() -> None:
    assert negotiate(Verb.WILL, Option.MSSP) in bytes(_peer().transport.value())


def test_do_is_answered_before_login_and_after() -> None:
    """Once for each time it is turned on."""
    peer = _peer()
    assert peer.send(_DO) == mssp(_TABLE)
    assert peer.send(_DO) == b""
    peer.guest()
    assert peer.send(_DONT) == negotiate(Verb.WONT, Option.MSSP)
    assert peer.send(_DO) == negotiate(Verb.WILL, Option.MSSP) + mssp(_TABLE)


def test_dont_is_the_end_of_it() -> None:
    assert _peer().send(_DONT) == b""


def test_turned_on_and_off_without_end() -> None:
    """The table is told four times at once, then as fast as other answers."""
    peer = _peer()
    assert peer.send((_DO + _DONT) * 40).count(mssp(_TABLE)) == 4


def test_a_line_is_answered_as_text() -> None:
    """However narrow the window; and the prompt stands behind it."""
    peer = _peer()
    peer.wait(3)
    shown = peer.send(b"MSSP-REQUEST\r\n")
    assert shown.startswith(_LINES)
    assert shown.endswith(b"What is your name? ")
    assert b"Ask again in" in peer.send(b"MSSP-REQUEST\r\n")


def test_a_table_is_made_once_in_ten_seconds() -> None:
    clock, made = Clock(), []
    status = Status(lambda: {"N": str(made.append(1) or len(made))}, clock.seconds)  # type: ignore[func-returns-value]
    assert status.frame() == status.frame() == mssp({"N": "1"})
    clock.advance(FRESH)
    assert status.frame() == mssp({"N": "2"})


def test_each_address_asks_for_itself() -> None:
    status = Status(lambda: _TABLE, (clock := Clock()).seconds)
    status.text("192.0.2.1")
    status.text("192.0.2.2")
    with pytest.raises(Refusal, match="in 10 seconds"):
        status.text("192.0.2.1")
    clock.advance(FRESH)
    assert status.text("192.0.2.1") == _LINES
