"""What is known of a client, by the order of evidence."""

from __future__ import annotations

import sys

import pytest

from mythos.wire.ansi import Colours
from mythos.wire.charset import Charset
from mythos.wire.gmcp import BadGmcp, Gmcp
from mythos.wire.negotiation import Options, Policy, Side
from mythos.wire.subnegotiation import TTYPE_SEND, BadPayload
from mythos.wire.telnet import Option, Parser, Verb
from mythos.wire.terminal import Evidence, Preferences, Terminal


def heard(*names: str, environ: bytes = b"") -> Evidence:
    evidence = Evidence()
    for name in names:
        evidence.heard(Option.TTYPE, b"\x00" + name.encode())
    if environ:
        evidence.heard(Option.NEW_ENVIRON, b"\x00" + environ)
    return evidence


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (["MUDLET", "ANSI-TRUECOLOR", "MTTS 2861"], [True, True, False]),
        (["XTERM", "XTERM"], [True, False]),
        (["A", "B", "C", "D", "E"], [True, True, True, False, False]),
        (["MTTS 1", "OTHER"], [False, False]),
    ],
)
def test_terminal_type_cycle(names: list[str], asked: list[bool]) -> None:
    """Asked on until MTTS, a repeated answer, or four."""
    evidence = Evidence()
    for name, more in zip(names, asked, strict=True):
        assert evidence.heard(Option.TTYPE, b"\x00" + name.encode()) == (TTYPE_SEND if more else b"")
        assert evidence.named != more


@pytest.mark.parametrize(
    ("evidence", "colours"),
    [
        (heard("TINTIN++", "XTERM", "MTTS 271"), Colours.TRUE),
        (heard("X", "ANSI-TRUECOLOR"), Colours.TRUE),
        (heard("XTERM", environ=b"\x00COLORTERM\x01truecolor"), Colours.TRUE),
        (heard("X", environ=b"\x03TRUECOLOR\x011"), Colours.TRUE),
        (heard("X", environ=b"\x03TRUECOLOR\x010"), Colours.ANSI),
        (heard("X", "Y", "MTTS 9"), Colours.XTERM),
        (heard("XTERM"), Colours.XTERM),
        (heard("SCREEN-256COLOR"), Colours.XTERM),
        (heard("MUDLET"), Colours.XTERM),
        (heard("Mudlet 4.17"), Colours.XTERM),
        (heard(environ=b"\x00CLIENT_NAME\x01Beip"), Colours.XTERM),
        (heard("DUMB", "DUMB", "MTTS 1"), Colours.ANSI),
        (heard("VT100"), Colours.ANSI),
        (heard("LINUX"), Colours.ANSI),
        (heard("DUMB"), Colours.NONE),
        (heard("UNKNOWN"), Colours.NONE),
        (heard(), Colours.ANSI),
    ],
)
def test_colours(evidence: Evidence, colours: Colours) -> None:
    """Exact statements first, then names, then that it speaks telnet at all."""
    assert evidence.terminal().colours is colours
    assert evidence.terminal(Preferences(colours=Colours.NONE)).colours is Colours.NONE


def test_a_silent_peer() -> None:
    """Nothing is known: plain ASCII, 80 columns, nothing but words."""
    assert Evidence().terminal(speaks_telnet=False) == Terminal()


def test_size() -> None:
    """NAWS before WORD_WRAP before 80, within bounds; 0 is unknown; the player's word beats all."""
    evidence = heard(environ=b"\x00WORD_WRAP\x01100")
    assert evidence.terminal().width == 100
    evidence.heard(Option.NAWS, b"\x00\x00\x00\x00")
    assert (evidence.terminal().width, evidence.terminal().height) == (100, 24)
    evidence.heard(Option.NAWS, b"\x00\x84\x00\x32")
    assert (evidence.terminal().width, evidence.terminal().height) == (132, 50)
    evidence.heard(Option.NAWS, b"\xff\xff\x00\x01")
    assert (evidence.terminal().width, evidence.terminal().height) == (500, 5)
    assert evidence.terminal(Preferences(width=72)).width == 72
    assert evidence.terminal(Preferences(width=0)).width == 0
    with pytest.raises(BadPayload):
        evidence.heard(Option.NAWS, b"\x00")


@pytest.mark.parametrize(
    ("evidence", "reader"),
    [
        (heard("TINTIN++", "XTERM", "MTTS 335"), True),
        (heard(environ=b"\x03SCREEN_READER\x011"), True),
        (heard(environ=b"\x03SCREEN_READER\x010"), False),
        (heard("VIPMUD"), True),
        (heard(environ=b"\x03CLIENT_NAME\x01VIP Mud"), True),
        (heard("MUDLET"), False),
    ],
)
def test_screen_reader(evidence: Evidence, reader: bool) -> None:
    """MTTS 64, SCREEN_READER=1 or its name, unless the player says otherwise. Sentences stay whole."""
    assert evidence.terminal().screen_reader is reader
    assert evidence.terminal().width == (0 if reader else 80)
    assert evidence.terminal(Preferences(width=60)).width == 60
    assert evidence.terminal(Preferences(screen_reader=not reader)).screen_reader is not reader


def test_charset_by_request() -> None:
    """UTF-8 if the client takes it; nothing is agreed when it does not."""
    evidence = Evidence()
    evidence.request_charset()
    assert evidence.heard(Option.CHARSET, b"\x03") == b""
    assert evidence.encoding.agreed is None
    evidence.request_charset()
    assert evidence.heard(Option.CHARSET, b"\x02UTF-8") == b""
    assert evidence.terminal().charset is Charset.UTF8


def test_unasked_charset_answer() -> None:
    """ACCEPTED without a request changes nothing."""
    evidence = Evidence()
    evidence.heard(Option.CHARSET, b"\x02UTF-8")
    assert evidence.encoding.agreed is None


@pytest.mark.parametrize(
    ("request_", "answer", "agreed"),
    [
        (b"\x01;ISO-8859-1;UTF-8", b"\xff\xfa\x2a\x02UTF-8\xff\xf0", Charset.UTF8),
        (b"\x01;KOI8-R;LATIN-1", b"\xff\xfa\x2a\x02ISO-8859-1\xff\xf0", Charset.LATIN1),
        (b"\x01;KOI8-R", b"\xff\xfa\x2a\x03\xff\xf0", None),
    ],
)
def test_charset_asked_by_the_client(request_: bytes, answer: bytes, agreed: Charset | None) -> None:
    """UTF-8 before Latin-1 before no; and no if it crosses our own request."""
    evidence = Evidence()
    assert evidence.heard(Option.CHARSET, request_) == answer
    assert evidence.encoding.agreed is agreed
    crossing = Evidence()
    crossing.request_charset()
    assert crossing.heard(Option.CHARSET, request_) == b"\xff\xfa\x2a\x03\xff\xf0"


def test_charset_tables_are_refused() -> None:
    assert Evidence().heard(Option.CHARSET, b"\x04\x01") == b"\xff\xfa\x2a\x05\xff\xf0"


def test_charset_hints() -> None:
    """MTTS 4 and UTF-8=1 count where CHARSET has not decided; UTF-8=0 is no hint."""
    assert heard("X", "Y", "MTTS 4").terminal().charset is Charset.UTF8
    assert heard(environ=b"\x00UTF-8\x011").terminal().charset is Charset.UTF8
    assert heard(environ=b"\x00UTF-8\x010").terminal().charset is Charset.ASCII
    assert heard(environ=b"\x00CHARSET\x01ISO-8859-1").terminal().charset is Charset.LATIN1
    evidence = Evidence()
    evidence.heard(Option.CHARSET, b"\x01;ISO-8859-1")
    evidence.heard(Option.NEW_ENVIRON, b"\x00\x00UTF-8\x011")
    assert evidence.terminal().charset is Charset.LATIN1


def test_private_variables_are_not_kept() -> None:
    """USER and DISPLAY are nobody's business."""
    evidence = heard(environ=b"\x00USER\x01ann\x03OSC_HYPERLINKS_SEND\x011\x00IPADDRESS\x01192.0.2.1")
    assert evidence.variable("USER") is None
    assert evidence.variable("OSC_HYPERLINKS_SEND") == "1"
    assert evidence.variable("IPADDRESS") == "192.0.2.1"


def test_variables_are_bounded() -> None:
    """However many there are, what is kept is one of a few names; INFO replaces a value, or takes it back."""
    evidence = Evidence()
    for number in range(300):
        evidence.heard(Option.NEW_ENVIRON, b"\x02\x03OSC_HYPERLINKS_%s\x01%s" % (b"X" * (number + 1), b"v" * 256))
    assert not evidence._environ
    evidence.heard(Option.NEW_ENVIRON, b"\x00\x00CLIENT_NAME\x01TINTIN++")
    evidence.heard(Option.NEW_ENVIRON, b"\x02\x00CLIENT_NAME\x01Mudlet\x00MTTS")
    assert evidence.terminal().client == "Mudlet"
    assert evidence.variable("MTTS") == ""


def test_gmcp_introduction() -> None:
    """Core.Hello in either spelling; Core.Supports adds up."""
    evidence = Evidence()
    evidence.core(Gmcp("core.hello", {"Client": "Mudlet", "version": "4.19.1"}))
    evidence.core(Gmcp("core.supports.set", ["Char 1", "Room 1"]))
    evidence.core(Gmcp("core.supports.add", ["Comm.Channel 1"]))
    terminal = evidence.terminal()
    assert (terminal.client, terminal.version) == ("Mudlet", "4.19.1")
    assert terminal.gmcp == {"char": 1, "room": 1, "comm.channel": 1}
    with pytest.raises(BadGmcp):
        evidence.core(Gmcp("core.supports.set", "Char 1"))


def test_idle_connection_is_small() -> None:
    """Parser, options and evidence of a connection that has agreed to everything: below 1 KB."""
    parser, options, evidence = Parser(), Options(Policy.standard()), Evidence()
    options.open(0.0)
    for side, option in Policy.standard().offers:
        options.received(Verb.WILL if side is Side.HIM else Verb.DO, option, 0.0)
    parser.receive(b"look\r\n")
    own = sum(map(sys.getsizeof, (parser, options, options._states, evidence, evidence.encoding)))
    assert own < 1024
