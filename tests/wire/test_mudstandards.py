"""The subprotocols of MUD clients: telnet on one side, frames on the other."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.errors import WireError
from mythos.wire.mudstandards import STREAMS, SUBPROTOCOLS, Speech, speech
from mythos.wire.telnet import Negotiation, Option, Parser, Subnegotiation, Verb, negotiate, subnegotiate
from tests.strategies import words as words_

TERMINALS = [name for name in SUBPROTOCOLS if name not in STREAMS]
JSON, GMCP, PLAIN = "json.mudstandards.org", "gmcp.mudstandards.org", "terminal.mudstandards.org"
EOR = b"\xff\xef"
NAWS = subnegotiate(Option.NAWS, b"\0\xff\0\x28")


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Opcodes and payloads, all whole."""
    found = []
    while data:
        size, at = data[1], 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        assert data[0] & 0xF0 == 0x80
        assert len(data) >= at + size
        found.append((data[0] & 15, data[at : at + size]))
        data = data[at + size :]
    return found


def words(data: bytes) -> str:
    """What binary frames show; each holds whole letters."""
    return "".join([payload.decode() for opcode, payload in frames(data) if opcode == 2])


def replies(spoken: Speech) -> bytes:
    found = bytes(spoken.replies)
    spoken.replies.clear()
    return found


# ── telnet itself ───────────────────────────────────────────────────────────────────────────────


@given(st.sampled_from(STREAMS), st.binary(max_size=100))
def test_a_stream_is_carried_as_it_is(name: str, data: bytes) -> None:
    spoken = speech(name)
    assert b"".join([payload for _, payload in frames(spoken.sent(data))]) == data
    assert spoken.heard(data, binary=True) == data
    with pytest.raises(WireError):
        spoken.heard(data, binary=False)


# ── words ───────────────────────────────────────────────────────────────────────────────────────


@given(st.sampled_from(SUBPROTOCOLS), st.text(st.characters(blacklist_categories=["Cs"])))
def test_words_arrive(name: str, text: str) -> None:
    assert words(speech(name).sent(text.encode())) == text


@pytest.mark.parametrize("name", SUBPROTOCOLS)
@pytest.mark.parametrize("before", range(5))
def test_no_letter_is_cut(name: str, before: int) -> None:
    """A frame is at most 16 KiB."""
    text = "." * before + "日本語🎲" * 4000
    sent = speech(name).sent(text.encode())
    assert words(sent) == text
    assert max(len(payload) for _, payload in frames(sent)) <= 16_384


@pytest.mark.parametrize("name", TERMINALS)
def test_what_comes_behind_a_prompt_begins_a_row(name: str) -> None:
    """Unless something was typed there, or the prompt was a line of its own."""
    spoken = speech(name)
    assert words(spoken.sent(b"You wake up.\r\n> " + EOR)) == "You wake up.\r\n> "
    assert words(spoken.sent(b"Ann arrives.\r\n> " + EOR)) == "\r\nAnn arrives.\r\n> "
    assert spoken.heard(b"look", binary=True) == b"look\r\n"
    assert words(spoken.sent(b"The quay\r\n> \xff\xf9")) == "The quay\r\n> "
    spoken.heard(b"sr", binary=True)
    assert words(spoken.sent(b"12 of 20 health.\r\n" + EOR)) == "12 of 20 health.\r\n"
    assert words(spoken.sent(b"Ann leaves.\r\n")) == "Ann leaves.\r\n"


@pytest.mark.parametrize("name", TERMINALS)
@pytest.mark.parametrize(
    ("message", "lines"),
    [
        (b"look", b"look\r\n"),
        (b"look\r\n", b"look\r\n"),
        (b"look\n", b"look\r\n"),
        (b"look\r", b"look\r\n"),
        (b"look\nsay hi\r\n\r\n", b"look\r\nsay hi\r\n\r\n"),
        (b"", b"\r\n"),
        (b"\n", b"\r\n"),
        ("say é".encode(), b"say \xc3\xa9\r\n"),
        (b"say \xff\xf6", b"say \xff\xff\xf6\r\n"),
    ],
)
def test_a_message_is_lines(name: str, message: bytes, lines: bytes) -> None:
    """And never a command of telnet."""
    assert speech(name).heard(message, binary=True) == lines


def test_text_on_a_plain_terminal() -> None:
    """Is a line too."""
    assert speech(PLAIN).heard(b"look", binary=False) == b"look\r\n"


# ── negotiation ─────────────────────────────────────────────────────────────────────────────────


_COMMANDS = st.sampled_from(
    [
        *(EOR, b"\xff\xf9", b"\xff\xf1", b"\xff\xf2"),
        *(negotiate(verb, option) for verb in Verb for option in (Option.MCCP2, Option.TTYPE, Option.ECHO, 200)),
        *(subnegotiate(option, b"\1 a\xff\xf0b\xff") for option in (Option.MSSP, Option.TTYPE, Option.CHARSET, 255)),
        subnegotiate(Option.GMCP, b'Core.Goodbye "x"'),
    ]
)


@given(st.sampled_from(TERMINALS), st.lists(_COMMANDS | words_.map(str.encode)))
def test_no_telnet_gets_out(name: str, written: list[bytes]) -> None:
    """Whatever the door writes: frames of words, and of text, and no IAC in them."""
    sent = frames(speech(name).sent(b"".join(written)))
    assert all(b"\xff" not in payload for _, payload in sent)
    shown = b"".join([payload for opcode, payload in sent if opcode == 2]).decode()
    said = b"".join([one for one in written if not one.startswith(b"\xff")]).decode()
    assert shown.replace("\r\n", "") == said


@pytest.mark.parametrize("name", TERMINALS)
def test_what_a_terminal_is(name: str) -> None:
    """It says its type when asked, has a size, takes marks behind prompts; compression and the rest it refuses."""
    spoken = speech(name)
    for verb, option, answer in (
        (Verb.DO, Option.TTYPE, Verb.WILL),
        (Verb.DO, Option.NAWS, Verb.WILL),
        (Verb.DO, Option.NEW_ENVIRON, Verb.WONT),
        (Verb.WILL, Option.EOR, Verb.DO),
        (Verb.WILL, Option.GMCP, Verb.DO if name in (JSON, GMCP) else Verb.DONT),
        (Verb.WILL, Option.MCCP2, Verb.DONT),
        (Verb.WILL, Option.MCCP3, Verb.DONT),
        (Verb.WILL, Option.MXP, Verb.DONT),
        (Verb.WONT, Option.EOR, Verb.DONT),
        (Verb.DONT, Option.NAWS, Verb.WONT),
    ):
        assert spoken.sent(negotiate(verb, option)) == b""
        assert replies(spoken) == negotiate(answer, option)
    for type_ in (b"WEBSOCKET", b"ANSI-256COLOR", b"MTTS 13", b"MTTS 13"):
        assert spoken.sent(subnegotiate(Option.TTYPE, b"\1")) == b""
        assert replies(spoken) == subnegotiate(Option.TTYPE, b"\0" + type_)


def test_a_terminal_vouches_for_nothing() -> None:
    """A mark would say that all has arrived; what is on its way may still be lost."""
    spoken = speech(GMCP)
    assert spoken.sent(negotiate(Verb.DO, Option.TIMING_MARK)) == b""
    assert replies(spoken) == b""


# ── beside words ────────────────────────────────────────────────────────────────────────────────

VITALS = 'Char.Vitals {"hp":"ä 1"}'


def test_gmcp_to_the_client() -> None:
    """In text frames, in order with the words around it; a plain terminal is not shown it."""
    data = b"before" + subnegotiate(Option.GMCP, VITALS.encode()) + b"after"
    assert frames(speech(GMCP).sent(data)) == [(2, b"before"), (1, VITALS.encode()), (2, b"after")]
    (_, before), (kind, envelope), (_, after) = frames(speech(JSON).sent(data))
    assert (before, kind, after) == (b"before", 1, b"after")
    assert json.loads(envelope) == {"proto": "gmcp", "id": "Char.Vitals", "data": '{"hp":"ä 1"}'}
    assert frames(speech(PLAIN).sent(data)) == [(2, b"beforeafter")]


def test_gmcp_without_data() -> None:
    data = subnegotiate(Option.GMCP, b"Core.Ping")
    assert frames(speech(GMCP).sent(data)) == [(1, b"Core.Ping")]
    ((_, envelope),) = frames(speech(JSON).sent(data))
    assert json.loads(envelope) == {"proto": "gmcp", "id": "Core.Ping", "data": ""}


def envelope(proto: Any, data: Any, id: Any = "") -> bytes:
    return json.dumps({"proto": proto, "id": id, "data": data}).encode()


@pytest.mark.parametrize(
    ("name", "message", "telnet"),
    [
        (GMCP, b'Core.Hello {"client":"telix"}', subnegotiate(Option.GMCP, b'Core.Hello {"client":"telix"}')),
        (GMCP, b"Core.Ping", subnegotiate(Option.GMCP, b"Core.Ping")),
        (GMCP, b'Client.Size {"cols":255,"rows":40}', NAWS),
        (
            JSON,
            envelope("gmcp", '["Char 1"]', "Core.Supports.Set"),
            subnegotiate(Option.GMCP, b'Core.Supports.Set ["Char 1"]'),
        ),
        (
            JSON,
            envelope("gmcp", ["Char 1"], "Core.Supports.Set"),
            subnegotiate(Option.GMCP, b'Core.Supports.Set ["Char 1"]'),
        ),
        (JSON, envelope("gmcp", "", "Core.Ping"), subnegotiate(Option.GMCP, b"Core.Ping ")),
        (JSON, b'{"proto":"gmcp","id":"Client.Size","data":{"cols":255,"rows":40}}', NAWS),
        (JSON, envelope("telnet_31", base64.b64encode(b"\0\xff\0\x28").decode(), "NAWS"), NAWS),
        (JSON, envelope("telnet_31", base64.b64encode(NAWS).decode()), NAWS),
        (JSON, envelope("text", "look"), b"look\r\n"),
        (JSON, b'{"proto":"text","data":"look"}', b"look\r\n"),
    ],
)
def test_from_the_client(name: str, message: bytes, telnet: bytes) -> None:
    assert speech(name).heard(message, binary=False) == telnet


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *[
            (GMCP, message)
            for message in (b"", b"{}", b"\xff", b"Core.Hello {", b"Client.Size 5", b'Client.Size {"cols":-1}')
        ],
        *[(GMCP, b'Client.Size {"cols":65536,"rows":1}'), (GMCP, b'Client.Size {"cols":true,"rows":1}')],
        *[(JSON, message) for message in (b"", b"[]", b"{}", b"\xff", b'{"proto":1,"data":""}', b"[" * 5000)],
        *[(JSON, envelope("gmcp", data, id)) for data, id in (("{", "Core.Hello"), ("", ""), ("", None), ("", "\xff"))],
        *[(JSON, envelope("telnet_31", data)) for data in ("", "x", "AAAA", "AAAAAAAA", "é")],
        *[(JSON, envelope(proto, "x")) for proto in ("coffeemud", "telnet_86", "")],
    ],
)
def test_what_makes_no_sense_is_passed_over(name: str, message: bytes) -> None:
    """As telnet's door does."""
    assert speech(name).heard(message, binary=False) == b""


@given(st.sampled_from(TERMINALS), st.booleans(), st.binary(max_size=200) | words_.map(str.encode))
def test_any_message(name: str, binary: bool, message: bytes) -> None:
    """Becomes lines and messages of GMCP, and nothing else of telnet."""
    parser = Parser()
    for event in parser.receive(speech(name).heard(message, binary=binary)):
        assert not isinstance(event, Negotiation)
        if isinstance(event, Subnegotiation):
            assert event.option in (Option.GMCP, Option.NAWS)
    assert not parser.subnegotiating


def test_secrets() -> None:
    """When what is typed is a secret, the JSON format says so, as telnet would."""
    spoken = speech(JSON)
    for verb, answer in ((Verb.WILL, Verb.DO), (Verb.WONT, Verb.DONT)):
        ((kind, said),) = frames(spoken.sent(negotiate(verb, Option.ECHO)))
        told = json.loads(said)
        assert (kind, told["proto"], told["id"]) == (1, "telnet_1", "ECHO")
        assert base64.b64decode(told["data"]) == negotiate(verb, Option.ECHO)
        assert replies(spoken) == negotiate(answer, Option.ECHO)
    assert speech(GMCP).sent(negotiate(Verb.WILL, Option.ECHO)) == b""
