"""The payloads of telnet options."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.errors import WireError
from mythos.wire.charset import Charset
from mythos.wire.subnegotiation import (
    LINEMODE_EDIT,
    NEW_ENVIRON_SEND,
    TTYPE_SEND,
    BadPayload,
    CharsetAnswer,
    CharsetVerb,
    charset_accept,
    charset_reject,
    charset_request,
    linemode_answer,
    mssp,
    mssp_lines,
    read_charset,
    read_environ,
    read_terminal_type,
    read_window,
)
from mythos.wire.telnet import Option, Parser, Subnegotiation


def test_written_forms() -> None:
    """The frames of the RFCs, byte for byte."""
    assert TTYPE_SEND.hex() == "fffa1801fff0"
    assert NEW_ENVIRON_SEND.hex() == "fffa2701fff0"
    assert LINEMODE_EDIT.hex() == "fffa220103fff0"
    assert charset_request() == b"\xff\xfa\x2a\x01;UTF-8;ISO-8859-1\xff\xf0"
    assert charset_accept(Charset.UTF8) == b"\xff\xfa\x2a\x02UTF-8\xff\xf0"
    assert charset_reject() == b"\xff\xfa\x2a\x03\xff\xf0"
    assert charset_reject(CharsetVerb.TTABLE_IS) == b"\xff\xfa\x2a\x05\xff\xf0"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"\xfb\x02", b"\xff\xfa\x22\xfe\x02\xff\xf0"),
        (b"\xfd\x02\x00\x10", b"\xff\xfa\x22\xfc\x02\xff\xf0"),
        (b"\xfc\x02", b""),
        (b"\xfb\x07", b""),
        (b"\x01\x07", b""),
        (b"\x03\x01\x02\x03", b""),
        (b"\xfd", b""),
        (b"", b""),
    ],
)
def test_of_linemode_only_its_mode_is_ours(said: bytes, answer: bytes) -> None:
    """A mask of what is sent at once is refused; an acknowledged mode and the local characters need no answer."""
    assert linemode_answer(said) == answer


@pytest.mark.parametrize(
    ("sent", "size"),
    [("fffa1f00500018fff0", (80, 24)), ("fffa1f00ffff0018fff0", (255, 24)), ("fffa1fffffffff0018fff0", (65535, 24))],
)
def test_window(sent: str, size: tuple[int, int]) -> None:
    """255 is doubled on the wire, and four bytes remain."""
    [event] = Parser().receive(bytes.fromhex(sent))
    assert isinstance(event, Subnegotiation)
    assert read_window(event.payload) == size


@pytest.mark.parametrize("payload", [b"", b"\x00\x50\x00", b"\x00\x50\x00\x18\x00"])
def test_window_of_another_length(payload: bytes) -> None:
    with pytest.raises(BadPayload, match="NAWS"):
        read_window(payload)


def test_terminal_type() -> None:
    """Upper case, printable, at most forty characters."""
    assert read_terminal_type(b"\x00Mudlet\x1b\xe9 4.1 ") == "MUDLET 4.1"
    assert read_terminal_type(b"\x00" + b"x" * 60) == "X" * 40
    with pytest.raises(BadPayload):
        read_terminal_type(b"\x01")


@pytest.mark.parametrize(
    ("payload", "answer"),
    [
        (b"\x01;KOI8-R;utf-8", CharsetAnswer(CharsetVerb.REQUEST, (Charset.UTF8,))),
        (b"\x01 ISO-8859-1 UTF-8", CharsetAnswer(CharsetVerb.REQUEST, (Charset.LATIN1, Charset.UTF8))),
        (b"\x01[TTABLE]\x01;UTF-8", CharsetAnswer(CharsetVerb.REQUEST, (Charset.UTF8,))),
        (b"\x01;KOI8-R", CharsetAnswer(CharsetVerb.REQUEST)),
        (b"\x02UTF-8", CharsetAnswer(CharsetVerb.ACCEPTED, (Charset.UTF8,))),
        (b"\x03", CharsetAnswer(CharsetVerb.REJECTED)),
        (b"\x04\x01x", CharsetAnswer(CharsetVerb.TTABLE_IS)),
    ],
)
def test_charset(payload: bytes, answer: CharsetAnswer) -> None:
    """The separator is the peer's choice; names we do not speak are passed over."""
    assert read_charset(payload) == answer


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x09UTF-8", b"\x01", b"\x01;"])
def test_charset_nonsense(payload: bytes) -> None:
    with pytest.raises(BadPayload, match="CHARSET"):
        read_charset(payload)


@pytest.mark.parametrize(
    ("payload", "variables"),
    [
        (b"\x00\x03CLIENT_NAME\x01Mudlet\x00MTTS\x012861", {"CLIENT_NAME": "Mudlet", "MTTS": "2861"}),
        (b"\x02\x00a\x01\x03b\x01x", {"A": "", "B": "x"}),
        (b"\x00\x00A\x00B\x01y", {"A": None, "B": "y"}),
        (b"\x00\x00A\x02\x01B\x01x\x02\x02\x02\x00y", {"A\x01B": "x\x02\x00y"}),
        (b"\x00", {}),
        (b"\x00\x00A\x01" + b"v" * 257 + b"\x00B\x01y", {"B": "y"}),
        (b"\x00\x00A\x01\xff", {"A": "\ufffd"}),
    ],
)
def test_environ(payload: bytes, variables: dict[str, str | None]) -> None:
    """Both kinds alike; undefined, empty and escaped values; too long ones left out."""
    assert read_environ(payload) == variables


def test_environ_is_bounded() -> None:
    """At most 64 variables are read."""
    payload = b"\x00" + b"".join([b"\x00V%d\x01x" % number for number in range(100)])
    assert len(read_environ(payload)) == 64


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x00\x01x", b"\x00A"])
def test_environ_nonsense(payload: bytes) -> None:
    with pytest.raises(BadPayload, match="NEW_ENVIRON"):
        read_environ(payload)


@given(st.sampled_from([read_window, read_terminal_type, read_charset, read_environ]), st.binary(max_size=60))
def test_any_payload(read: Callable[[bytes], object], payload: bytes) -> None:
    """Only WireError comes out."""
    try:
        read(payload)
    except WireError as error:
        assert str(error)


def test_mssp() -> None:
    """Arrays, and no byte that means something to MSSP in a text."""
    table = {"NAME": "My\x01thos", "PORT": ["4443", "4000"]}
    assert mssp(table) == b"\xff\xfa\x46\x01NAME\x02Mythos\x01PORT\x024443\x024000\xff\xf0"
    assert Parser().receive(mssp(table))[0] == Subnegotiation(
        Option.MSSP, b"\x01NAME\x02Mythos\x01PORT\x024443\x024000"
    )
    assert mssp_lines({"NAME": "Mythos", "PORT": ["4443", "4000"]}) == (
        b"\r\nMSSP-REPLY-START\r\nNAME\tMythos\r\nPORT\t4443\t4000\r\nMSSP-REPLY-END\r\n"
    )
