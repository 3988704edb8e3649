"""The WebSocket: the first frame, resuming, numbered commands, and peers that are wrong, slow or silent."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.protocols.policies import WrappingFactory

from mythos.net.transport import HOLD
from mythos.play.sessions import QUEUE
from mythos.world.state import MINT
from tests.net.web import Frames, Web, frame, parsed, playing


@pytest.fixture
def web() -> Iterator[Web]:
    with playing() as web:
        yield web


def hello(client: Frames) -> Any:
    found = client.take()[0]
    assert found["t"] == "hello", found
    return found


def words(records: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in records if one["t"] == "line"]


def spoken(records: list[dict[str, Any]]) -> list[str]:
    return [text for text in words(records) if "say" in text]


# ── attaching ───────────────────────────────────────────────────────────────────────────────────


def test_hello(web: Web) -> None:
    granted = web.guest()
    client = web.socket(granted["token"])
    found = hello(client)
    assert found.keys() == {"t", "session", "epoch", "resumed", "reason", "missed", "next", "token"}
    assert (found["session"], found["resumed"], found["reason"], found["next"]) == (granted["session"], False, "new", 1)


def test_records_are_numbered(web: Web) -> None:
    """From the first record on; a hole that a replaced state left is named by the number before it."""
    client = web.socket(web.guest()["token"])
    client.take()
    for line in ("look", "score", "look"):
        client.send({"c": 1, "line": line})
    numbered = [one for one in client.take() if "s" in one]
    for before, after in pairwise(numbered):
        assert after["s"] == before["s"] + 1 or after["p"] == before["s"]
    first = next(one for one in numbered if one["t"] == "line")
    assert first.keys() - {"p"} == {"t", "s", "kind", "text", "spans"}


def test_beneath_tls_no_more_is_held_than_without(web: Web) -> None:
    """Where the bytes lie: what the wrapper is told of it nobody reads."""
    granted = web.guest()
    web.site = WrappingFactory(web.site)
    client = web.socket(granted["token"])
    assert client.plug.bufferSize == HOLD  # type: ignore[attr-defined]
    assert hello(client)["t"] == "hello"


def test_resuming_gives_exactly_what_was_missed(web: Web) -> None:
    client = web.socket(web.guest()["token"])
    first = hello(client)
    client.send({"c": 1, "line": "say one"})
    last = [one for one in client.take() if "s" in one][-1]["s"]
    client.send({"c": 2, "line": "say two"})
    client.lost()  # the answer to it with it
    back = web.socket(first["token"], epoch=first["epoch"], last=last)
    again = back.take()
    assert (again[0]["resumed"], again[0]["reason"], again[0]["next"]) == (True, None, 3)
    assert spoken(again) == ['You say, "two"']
    assert again[0]["missed"] == len(words(again))


def test_what_is_not_kept_any_more_is_said(web: Web) -> None:
    """Resumed false, the reason, how many; and a view of how things stand now."""
    client = web.socket(web.guest()["token"])
    first = hello(client)
    client.lost()
    back = web.socket(first["token"], epoch="another", last=1)
    again = back.take()
    assert (again[0]["resumed"], again[0]["reason"]) == (False, "epoch")
    assert "Room.Info" in [one.get("name") for one in again]
    ahead = web.socket(hello_token(again), epoch=first["epoch"], last=10_000)
    assert hello(ahead)["reason"] == "ahead"


def hello_token(records: list[dict[str, Any]]) -> str:
    token: str = records[0]["token"]
    return token


def test_the_oldest_of_too_many_goes(web: Web) -> None:
    token = web.guest()["token"]
    clients = [web.socket(token) for _ in range(web.scene.realm.pace.connections + 1)]
    for client in clients:
        client.take()
    assert clients[0].closed is not None
    assert clients[0].closed[0] == 4001
    assert "takeover" in clients[0].closed[1]
    assert all(client.closed is None for client in clients[1:])


@pytest.mark.parametrize("token", ["nonsense", "a.b", "a.b.c", "x" * 200])
def test_no_right_token(web: Web, token: str) -> None:
    client = web.socket()
    client.send({"t": "attach", "token": token})
    (error,) = client.take()
    assert (error["t"], error["error"]) == ("error", "token")
    assert client.closed == (1008, "token")


# ── commands ────────────────────────────────────────────────────────────────────────────────────


def test_numbered_commands(web: Web) -> None:
    """A repeat gets the recorded answer and runs nothing; a number too high, or used for other words, is refused."""
    client = web.socket(web.guest()["token"])
    client.take()
    client.send({"c": 1, "line": "say one"})
    assert client.take()[-1] == {"t": "done", "c": 1}
    client.send({"c": 1, "line": "say one"})
    assert client.take() == [{"t": "done", "c": 1, "dup": True}]
    client.send({"c": 1, "line": "say two"})
    assert client.take() == [{"t": "refused", "c": 1, "error": "taken", "expect": 2}]
    client.send({"c": 5, "line": "say five"})
    assert client.take() == [{"t": "refused", "c": 5, "error": "gap", "expect": 2}]


def test_the_answer_comes_behind_the_words(web: Web) -> None:
    client = web.socket(web.guest()["token"])
    client.take()
    client.send({"c": 1, "line": "say one"})
    found = client.take()
    assert spoken(found) == ['You say, "one"']
    assert found[-1]["t"] == "done"


def test_what_waits_for_the_disk_is_not_answered(web: Web) -> None:
    client = web.socket(web.guest()["token"])
    client.take()
    me = next(one.me for one in web.scene.realm.every_session() if one.me.name.startswith("Guest"))
    web.scene.world.move_gold(MINT, me.id, 5)
    web.scene.realm.happened((), "mint")
    commits = web.scene.realm.commits
    wake, commits.wake = commits.wake, lambda: None
    client.send({"c": 1, "line": "drop 2 gold"})
    client.send({"c": 1, "line": "drop 2 gold"})
    assert client.take() == []
    wake()
    found = client.take()
    assert [text for text in words(found) if "drop" in text] == ["You drop 2 gold coins."]
    assert [one for one in found if one["t"] == "done"] == [{"t": "done", "c": 1}]


def test_a_flood_is_paced_and_nothing_of_it_lost(web: Web) -> None:
    """Beyond what may wait the connection is not read any more, until half of it is done."""
    client = web.socket(web.guest()["token"])
    client.take()
    pump, web.scene.realm.pump = web.scene.realm.pump, lambda: None
    for c in range(1, QUEUE + 1):
        client.plug.receive(frame(1, b'{"c":%d,"line":"say w%d"}' % (c, c)))
    assert client.plug.producerState == "paused"
    web.scene.realm.pump = pump
    found = client.take()
    assert client.plug.producerState == "producing"
    assert spoken(found) == [f'You say, "w{c}"' for c in range(1, QUEUE + 1)]


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Co", "Cn", "Zl", "Zp", "Zs"]), min_size=1))
def test_words_of_all_scripts(text: str) -> None:
    """What is said is heard as it was said."""
    with playing() as web:
        speaker, listener = web.socket(web.guest()["token"]), web.socket(web.guest()["token"])
        speaker.take()
        listener.take()
        speaker.send({"c": 1, "line": f"say x{text}"})
        (heard,) = [one for one in words(listener.take()) if " says, " in one]
        assert unicodedata.normalize("NFC", f'"x{text}"') in heard


# ── who may not ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("https://play.example.org", 101),
        ("http://play.example.org", 101),
        ("null", 400),
        ("", 101),
    ],
)
def test_the_page_that_opens_it(web: Web, origin: str, status: int) -> None:
    """No origin is no browser; this host and those the operator named may; no others."""
    assert Frames(web, **({"Origin": origin} if origin else {})).status == status  # type: ignore[arg-type]


@pytest.mark.parametrize(("protocols", "status"), [("mythos.v1", 101), ("chat, mythos.v1", 101), ("chat", 400)])
def test_subprotocols(web: Web, protocols: str, status: int) -> None:
    client = web.socket(Sec_WebSocket_Protocol=protocols)
    assert client.status == status
    assert ("Sec-WebSocket-Protocol: mythos.v1" in client.head) == (status == 101)


# ── peers that are wrong ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(2, b"binary"), 1003),
        (frame(1, b"{"), 1008),
        (frame(1, b"[]"), 1008),
        (frame(1, b'{"t":"fly"}'), 1008),
        (frame(1, b'{"c":-1,"line":"x"}'), 1008),
        (frame(1, b'{"c":"1","line":"x"}'), 1008),
        (frame(1, b'{"a":99999}'), 1008),
    ],
)
def test_frames_that_are_wrong(web: Web, data: bytes, code: int) -> None:
    """Closed with the code that says why; who plays beside it notices nothing."""
    client, other = web.socket(web.guest()["token"]), web.socket(web.guest()["token"])
    client.take()
    other.take()
    client.receive(data)
    client.take()
    assert client.closed is not None
    assert client.closed[0] == code
    other.send({"c": 1, "line": "say still here"})
    assert spoken(other.take()) == ['You say, "still here"']


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes(parts: list[bytes]) -> None:
    """Whatever comes, before the handshake or after, costs only its own connection."""
    with playing() as web:
        other = web.socket(web.guest()["token"])
        other.take()
        attached, raw = web.socket(web.guest()["token"]), web.connect()
        for part in parts:
            for plug in (attached.plug, raw):
                if not plug.disconnecting:
                    plug.receive(part)
        web.run()
        other.send({"c": 1, "line": "say still here"})
        assert 'You say, "still here"' in words(other.take())


def test_who_never_attaches_reads_nothing(web: Web) -> None:
    client = web.socket()
    client.send({"c": 1, "line": "say hello"})
    assert client.take() == []
    assert client.closed == (1008, "attach first")


def test_who_never_attaches_is_sent_away(web: Web) -> None:
    """A place at the door is not kept for pongs alone; who attached in time stays."""
    silent, player = web.socket(), web.socket(web.guest()["token"])
    web.scene.clock.advance(9)
    silent.take()
    assert silent.closed is None
    web.scene.clock.advance(2)
    silent.take()
    player.take()
    assert [one.closed for one in (silent, player)] == [(1008, "attach first"), None]


def test_what_comes_behind_our_close_is_not_heeded(web: Web) -> None:
    """Also in the same read as what we closed for."""
    client = web.socket(web.guest()["token"])
    client.take()
    session = web.scene.realm.every_session()[-1]
    client.receive(frame(1, b"no JSON") + frame(1, b'{"c":1,"line":"say too late"}'))
    client.take()
    assert client.closed == (1008, "bad frame")
    assert session.next_c == 1


def test_a_plain_request_is_told_to_upgrade(web: Web) -> None:
    answer = parsed(web.raw(b"GET /ws HTTP/1.1\r\nHost: play.example.org\r\n\r\n"))
    assert answer.status == 426
    assert b"utobahn" not in answer.body


def test_quit_is_the_end(web: Web) -> None:
    client = web.socket(web.guest()["token"])
    client.take()
    client.send({"c": 1, "line": "quit"})
    assert "Goodbye" in words(client.take())[-1]
    assert client.closed is not None
    assert client.closed[0] == 1000


@pytest.mark.parametrize(
    ("code", "reason"), [(1001, "the world closes"), (1008, "é" * 100), (4001, "takeover"), (1000, "")]
)
def test_a_close_says_why(web: Web, code: int, reason: str) -> None:
    """Behind the last words; a reason has room for 123 bytes, and is cut between letters. Nothing is said after it."""
    client = web.socket(web.guest()["token"])
    client.take()
    (link,) = web.outlet.links
    client.plug.receive(frame(1, b'{"c":1,"line":"say last"}'))
    web.scene.run()
    link.close(code, reason)
    assert spoken(client.take()) == ['You say, "last"']
    assert client.closed == (code, reason[:60])
    client.receive(frame(1, b'{"c":2,"line":"say too late"}') + frame(8, code.to_bytes(2, "big")))
    assert client.plug.take() == b""
    assert client.plug.disconnecting


# ── peers that are slow or silent ───────────────────────────────────────────────────────────────


def test_who_does_not_read_is_dropped_and_harms_nobody(web: Web) -> None:
    """Its connection holds little of ours; after a while it is closed, and its session waits for it."""
    granted = web.guest()
    slow, other = web.socket(granted["token"]), web.socket(web.guest()["token"])
    first = hello(slow)
    other.take()
    assert slow.plug.producer is not None
    slow.plug.producer.pauseProducing()  # its socket takes no more
    for c in range(1, 200):
        other.send({"c": c, "line": f"say w{c}"})
    assert len(slow.plug.take()) < 2 * HOLD
    assert len(spoken(other.take())) == 199
    for _ in range(20):
        web.scene.clock.advance(1)
        web.outlet.sweep(web.scene.clock.seconds())
    assert slow.plug.aborted
    slow.lost()
    back = web.socket(first["token"], epoch=first["epoch"], last=1)
    assert back.take()[0]["t"] == "hello"


def test_pings_find_who_is_gone(web: Web) -> None:
    """One every 25 s; 10 s later without a pong the connection is closed, and the player is link-dead."""
    client = web.socket(web.guest()["token"])
    client.take()
    session = next(one for one in web.scene.realm.every_session() if one.me.name.startswith("Guest"))
    web.scene.clock.advance(26)
    client.take()
    assert len(client.pings) == 1
    client.receive(frame(10, client.pings[0]))
    web.scene.clock.advance(26)
    client.take()
    assert len(client.pings) == 2
    web.scene.clock.advance(11)
    assert client.plug.disconnecting or client.plug.aborted
    client.lost()
    assert session.linkdead
