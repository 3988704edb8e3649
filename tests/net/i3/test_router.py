"""The router's connections: a MUD that sends what nobody can be sent harms no other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport

from mythos.net.i3.exchange import FLOOD, MOST_CHANNELS, MOST_MUDS, Exchange
from mythos.net.i3.router import BACKLOG, STARTUP_SECONDS, RouterFactory
from mythos.wire.i3 import lpc
from mythos.wire.i3.mudmode import FrameReader
from tests.net.i3.peer import Mud
from tests.strategies import chunks, cuts


class Plug(StringTransport):
    aborted = False
    dataBuffer = b""

    def abortConnection(self) -> None:
        self.aborted = True


class Peer:
    """A MUD's connection, and what it hears."""

    def __init__(self, factory: RouterFactory) -> None:
        self.protocol = factory.buildProtocol(None)
        self.plug = Plug()
        self.protocol.makeConnection(self.plug)

    def raw(self, text: bytes) -> None:
        self.protocol.dataReceived(len(text).to_bytes(4, "big") + text)

    def start(self, name: str, email: str = "a@example.org", services: bytes = b'(["tell":1,"channel":1,])') -> None:
        texts = b'"l","b","d","LP","open"'
        header = b'"startup-req-3",5,"%b",0,"*box",0' % name.encode()
        self.raw(b'({%b,0,0,0,4000,0,0,%b,"%b",%b,([]),})' % (header, texts, email.encode(), services))

    def say(self, *value: Any) -> None:
        self.raw(lpc.encode(list(value)))

    def take(self, kind: str = "") -> list[list[Any]]:
        reader = FrameReader()
        reader.receive(self.plug.value())
        self.plug.clear()
        found = [lpc.decode(payload)[0][0] for payload in reader.frames()]
        return [one for one in found if not kind or one[0] == kind]


@pytest.fixture
def router() -> RouterFactory:
    return RouterFactory(Exchange("*box", "192.0.2.9 8787", lambda: 77, private=True), Clock())


@pytest.fixture
def two(router: RouterFactory) -> tuple[Peer, Peer]:
    ann, bob = Peer(router), Peer(router)
    ann.start("Ann's")
    bob.start("Bob's")
    ann.take()
    bob.take()
    return ann, bob


@pytest.mark.parametrize(
    "start",
    [
        lambda peer: peer.start("Bad", email="x" * 60_000),
        lambda peer: peer.start("Bad", services=b'(["tell":99999999999,])'),
        lambda peer: peer.start("Bad", services=b'(["%b":1,])' % (b"x" * 5000)),
        lambda peer: peer.start("Bad\x1b[2J"),
    ],
)
def test_an_entry_that_cannot_be_sent(
    router: RouterFactory, two: tuple[Peer, Peer], start: Callable[[Peer], None]
) -> None:
    """It is refused, and nobody else's list suffers."""
    bad = Peer(router)
    start(bad)
    assert [one[6] for one in bad.take("error")] == ["bad-pkt"]
    assert two[0].take() == []
    carl = Peer(router)
    carl.start("Carl's")
    (listed,) = carl.take("mudlist")[1:]
    assert sorted(listed[7]) == ["Ann's", "Bob's"]
    assert not carl.plug.aborted


@pytest.mark.parametrize("row", [b"99999999999", b'"%b"' % ("\xe9".encode("latin-1") * 60_000)])
def test_a_packet_that_cannot_be_sent(two: tuple[Peer, Peer], row: bytes) -> None:
    """It is not passed on; both MUDs are served as before."""
    ann, bob = two
    ann.raw(b'({"who-reply",5,"Ann\'s",0,"Bob\'s","bob",({({"x",0,%b,}),}),})' % row)
    ann.say("tell", 5, "Ann's", "ann", "Bob's", "bob", "Ann", "hi")
    assert [one[0] for one in bob.take()] == ["tell"]
    assert not ann.plug.aborted


def test_one_that_does_not_read(router: RouterFactory, two: tuple[Peer, Peer]) -> None:
    """It is dropped, and costs a bounded number of bytes."""
    ann, bob = two
    bob.plug.dataBuffer = b"x" * (BACKLOG + 1)
    ann.say("tell", 5, "Ann's", "ann", "Bob's", "bob", "Ann", "hi")
    assert bob.plug.aborted
    assert bob.take() == []


def test_one_that_never_says_who_it_is(router: RouterFactory) -> None:
    silent = Peer(router)
    router.clock.advance(STARTUP_SECONDS + 1)  # type: ignore[attr-defined]
    assert silent.plug.aborted


@given(st.lists(st.binary(max_size=60) | st.sampled_from([b'({"tell",5,"x",', b"({", b"\x00\x00\x00\x05"])), cuts)
def test_any_bytes(pieces: list[bytes], positions: list[int]) -> None:
    """Any bytes, however they are cut, cost at most the connection they come by."""
    router = RouterFactory(Exchange("*box", "192.0.2.9 8787", lambda: 77, private=True), Clock())
    ann, bad = Peer(router), Peer(router)
    ann.start("Ann's")
    bad.start("Bad")
    stream = b"".join([len(piece).to_bytes(4, "big") + piece for piece in pieces])
    for chunk in chunks(stream, positions):
        if not bad.plug.aborted:
            bad.protocol.dataReceived(chunk)
    ann.take()
    ann.say("tell", 5, "Ann's", "ann", "Ann's", "ann", "Ann", "hi")
    assert [one[0] for one in ann.take()] == ["tell"]


def test_startups_without_end() -> None:
    """Each is told to everybody: they are a flood like another."""
    here = Exchange("*box", "192.0.2.9 8787", lambda: 77)
    ann, bob = Mud(here, "Ann's"), Mud(here, "Bob's")
    ann.start()
    bob.start()
    ann.take()
    for _ in range(100):
        bob.start(77)
    assert len(ann.take("mudlist")) <= FLOOD


def test_muds_without_end() -> None:
    """There is a most of them; those that are known keep their names."""
    entry = [0, "192.0.2.1", 4000, 0, 0, *("x" * 6), {}, {}]
    here = Exchange("*box", "192.0.2.9 8787", lambda: 77, private=True)
    names = [f"m{number}" for number in range(MOST_MUDS)]
    here.remember({"muds": dict.fromkeys(names, entry), "passwords": dict.fromkeys(names, 5)})
    new = Mud(here, "one more")
    new.start()
    assert new.errors() == ["not-allowed"]
    assert len(here.muds) == len(here.passwords) == MOST_MUDS
    known = Mud(here, "m0")
    assert known.start(5) == 5


def test_channels_without_end() -> None:
    """Of those that are no more, and of those banned, so many are kept and no more."""
    here = Exchange("*box", "192.0.2.9 8787", lambda: 77, private=True)
    ann = Mud(here, "Ann's")
    ann.start()
    for number in range(MOST_CHANNELS + 20):
        ann.say("channel-add", f"c{number}", 0, user="admin", to="*box")
        ann.say("channel-remove", f"c{number}", user="admin", to="*box")
    assert here.kept()["removed"] == [f"c{number}" for number in range(20, MOST_CHANNELS + 20)]
    ann.say("channel-add", "talk", 0, user="admin", to="*box")
    for number in range(MOST_MUDS // 500 + 2):
        banned = ["x" * 100, *(f"m{number}-{which}" for which in range(500))]
        ann.say("channel-admin", "talk", banned, [], user="admin", to="*box")
    assert len(here.kept()["lists"]["talk"]) == MOST_MUDS


def test_a_who_of_all() -> None:
    """The router says who is there, as far as a frame goes."""
    here = Exchange("*box", "192.0.2.9 8787", lambda: 77, private=True)
    entry = [-1, "192.0.2.1", 4000, 0, 0, *("x" * 3000,) * 6, {}, {}]
    here.remember({"muds": {f"{number:064}": entry for number in range(1000)}})
    here.muds = {name: replace(info, state=-1) for name, info in here.muds.items()}
    factory = RouterFactory(here, Clock())
    ann = Peer(factory)
    ann.start("Ann's")
    ann.take()
    ann.say("who-req", 5, "Ann's", "ann", "*box", 0)
    (reply,) = ann.take("who-reply")
    assert len(reply[6]) == 300


def test_a_full_disk(tmp_path: Path) -> None:
    """It costs nobody's connection, and what was not written is written later."""
    path = tmp_path / "router.json"
    full = path.with_suffix(".part")
    full.mkdir()  # a folder there is as good as a full disk
    factory = RouterFactory(Exchange("*box", "192.0.2.9 8787", lambda: 77), Clock(), path)
    ann = Peer(factory)
    ann.start("Ann's")
    assert ann.take("startup-reply")
    full.rmdir()
    bob = Peer(factory)
    bob.start("Bob's")
    assert sorted(json.loads(path.read_text())["passwords"]) == ["Ann's", "Bob's"]


@pytest.mark.parametrize(
    "text",
    [
        '{"passwords": {"Ann\'s": 5}, "muds": ["Ann\'s"]}',
        '{"passwords": {"Ann\'s": 5}, "channels": {"imud": [5]}}',
        '{"passwords": {"Ann\'s": 5}, "lists": {"imud": 5}}',
        '{"passwords": 5}',
        '{"id": {}}',
    ],
)
def test_a_file_that_makes_no_sense(tmp_path: Path, text: str) -> None:
    """It is set aside, and nothing of it counts."""
    path = tmp_path / "router.json"
    path.write_text(text)
    factory = RouterFactory(Exchange("*box", "192.0.2.9 8787", lambda: 77), Clock(), path)
    assert path.with_suffix(".bad").read_text() == text
    ann = Peer(factory)
    ann.start("Ann's")
    assert [one[7] for one in ann.take("startup-reply")] == [77]


def test_a_file_that_cannot_be_read_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "router.json"
    path.mkdir()  # nobody may read it, not even root
    factory = RouterFactory(Exchange("*box", "192.0.2.9 8787", lambda: 77), Clock(), path)
    assert path.with_suffix(".bad").is_dir()
    Peer(factory).start("Ann's")
    assert json.loads(path.read_text())["passwords"] == {"Ann's": 77}


def test_a_change_that_was_told_and_not_written() -> None:
    """After a kill it is told again to who had heard of it, by the id of its list."""
    here = Exchange("*box", "192.0.2.9 8787", lambda: 77)
    ann, bob = Mud(here, "Ann's"), Mud(here, "Bob's")
    ann.start()
    bob.start()
    kept = json.loads(json.dumps(here.kept()))
    here.left(bob.seat)
    Mud(here, "Carl's").start()
    last = ann.take("mudlist")[-1][6]
    again = Exchange("*box", "192.0.2.9 8787", lambda: 77)
    again.remember(kept)
    back = Mud(again, "Ann's")
    back.say("startup-req-3", 77, last, 0, 4000, 0, 0, *"abcdef", {"tell": 1}, {}, to="*box")
    listed = [one[7] for one in back.take("mudlist")]
    assert listed[-1]["Bob's"][0] == 0
