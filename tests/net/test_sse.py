"""The event stream: tickets, ids, resuming, commands by POST, and clients that go."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.protocols.policies import WrappingFactory

from mythos.net.sse import HEARTBEAT, StreamLink
from mythos.net.transport import HOLD
from tests.net.web import Stream, Web


@pytest.fixture
def web() -> Web:
    return Web()


def words(records: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in records if one["t"] == "line"]


def spoken(records: list[dict[str, Any]]) -> list[str]:
    return [text for text in words(records) if "You say" in text]


def test_hello_and_records(web: Web) -> None:
    """The head tells proxies and browsers what it is; every record is one event with its place as id."""
    granted = web.guest()
    stream = web.stream(granted["token"])
    head = stream.head.lower()
    assert stream.status == 200
    assert "content-type: text/event-stream" in head
    assert "cache-control: no-cache, no-transform" in head
    assert "x-accel-buffering: no" in head
    assert "content-length" not in head
    assert "content-encoding" not in head
    records = stream.take()
    assert (records[0]["t"], records[0]["session"], records[0]["resumed"]) == ("hello", granted["session"], False)
    epoch = records[0]["epoch"]
    assert stream.ids == [f"{epoch}.{one['s']}" for one in records if "s" in one]
    assert stream.retry > 0


def test_beneath_tls_no_more_is_held_than_without(web: Web) -> None:
    """Where the bytes lie: what the wrapper is told of it nobody reads."""
    granted = web.guest()
    web.site = WrappingFactory(web.site)
    stream = web.stream(granted["token"])
    assert stream.plug.bufferSize == HOLD  # type: ignore[attr-defined]
    assert stream.take()[0]["t"] == "hello"


def test_a_ticket_is_good_once(web: Web) -> None:
    ticket = web.post("ticket", token=web.guest()["token"]).json["ticket"]
    assert Stream(web, f"/sse?ticket={ticket}").status == 200
    assert Stream(web, f"/sse?ticket={ticket}").status == 401
    assert Stream(web, "/sse?ticket=nonsense").status == 401
    assert Stream(web, "/sse").status == 401


def test_a_ticket_is_good_for_half_a_minute(web: Web) -> None:
    ticket = web.post("ticket", token=web.guest()["token"]).json["ticket"]
    web.scene.clock.advance(31)
    assert Stream(web, f"/sse?ticket={ticket}").status == 401


def test_a_question_about_the_head_spends_no_ticket(web: Web) -> None:
    ticket = web.post("ticket", token=web.guest()["token"]).json["ticket"]
    answer = web.ask("HEAD", f"/sse?ticket={ticket}")
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert Stream(web, f"/sse?ticket={ticket}").status == 200


def test_native_reconnection(web: Web) -> None:
    """A browser asks for the same address again, with the last id it has: it goes on with exactly what it missed."""
    token = web.guest()["token"]
    ticket = web.post("ticket", token=token).json["ticket"]
    stream = Stream(web, f"/sse?ticket={ticket}")
    web.post("commands", {"c": 1, "line": "say one"}, token)
    stream.take()
    web.post("commands", {"c": 2, "line": "say two"}, token)
    stream.lost()
    back = Stream(web, f"/sse?ticket={ticket}", Last_Event_ID=stream.ids[-1])
    records = back.take()
    assert records[0]["resumed"] is True
    assert spoken(records) == ['You say, "two"']


def test_our_client_takes_a_new_ticket(web: Web) -> None:
    token = web.guest()["token"]
    stream = web.stream(token)
    stream.take()
    web.post("commands", {"c": 1, "line": "say one"}, token)
    stream.lost()
    back = web.stream(token, f"&last={stream.ids[-1]}")
    records = back.take()
    assert (records[0]["resumed"], spoken(records)) == (True, ['You say, "one"'])
    elsewhere = web.stream(token, "&last=another.3").take()
    assert (elsewhere[0]["resumed"], elsewhere[0]["reason"]) == (False, "epoch")


@pytest.mark.parametrize("place", ["x", "a.b", "a.-1", ".", "a.1.2.x"])
def test_a_place_that_is_none(web: Web, place: str) -> None:
    ticket = web.post("ticket", token=web.guest()["token"]).json["ticket"]
    found = web.ask("GET", f"/sse?ticket={ticket}&last={place}")
    assert (found.status, found.error) == (400, "bad_position")
    assert Stream(web, f"/sse?ticket={ticket}").status == 200  # it was not spent


def test_commands_by_post(web: Web) -> None:
    """Taken with 202; the answer comes on the stream, behind the words; a repeat gets the recorded one."""
    token = web.guest()["token"]
    nobody = web.post("commands", {"c": 1, "line": "say one"}, token)
    assert (nobody.status, nobody.error) == (409, "no_stream")
    stream = web.stream(token)
    stream.take()
    assert web.post("commands", {"c": 1, "line": "say one"}, token).json == {"c": 1}
    records = stream.take()
    assert spoken(records) == ['You say, "one"']
    assert records[-1] == {"t": "done", "c": 1}
    assert web.post("commands", {"c": 1, "line": "say one"}, token).status == 202
    assert stream.take() == [{"t": "done", "c": 1, "dup": True}]
    web.post("commands", {"c": 1, "line": "say two"}, token)
    assert stream.take() == [{"t": "refused", "c": 1, "error": "taken", "expect": 2}]


def test_acknowledging(web: Web) -> None:
    """What was acknowledged is freed; what never was sent cannot be."""
    token = web.guest()["token"]
    stream = web.stream(token)
    last = [one for one in stream.take() if "s" in one][-1]["s"]
    session = next(one for one in web.scene.realm.every_session() if one.me.name.startswith("Guest"))
    assert session.log.entries
    web.post("commands", {"a": last + 50}, token)
    assert session.log.entries
    assert web.post("commands", {"a": last}, token).status == 202
    assert not session.log.entries


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"c":-1,"line":"x"}', b'{"t":"attach","token":"x"}', b'{"c":1}'])
def test_frames_that_are_wrong(web: Web, body: bytes) -> None:
    token = web.guest()["token"]
    stream = web.stream(token)
    stream.take()
    found = web.ask("POST", "/api/v1/commands", body, Authorization=f"Bearer {token}")
    assert (found.status, found.error) == (400, "bad_frame")
    assert stream.take() == []


def test_who_leaves_is_let_out(web: Web) -> None:
    """Its place at the door is free again, and its character is link-dead."""
    stream = web.stream(web.guest()["token"])
    stream.take()
    before = web.doorman.count
    stream.lost()
    assert web.doorman.count == before - 1
    session = next(one for one in web.scene.realm.every_session() if one.me.name.startswith("Guest"))
    assert session.linkdead


def test_quit_ends_the_stream(web: Web) -> None:
    """Its last record says that there is no coming back, so that a browser does not try for ever."""
    token = web.guest()["token"]
    stream = web.stream(token)
    stream.take()
    web.post("commands", {"c": 1, "line": "quit"}, token)
    records = stream.take()
    assert records[-1]["t"] == "bye"
    assert stream.plug.disconnecting


@pytest.mark.parametrize(
    ("code", "reason", "last"),
    [
        (1001, "the world closes", {"t": "reconnect", "after_ms": 1000}),
        (4008, "slow", {"t": "reconnect", "after_ms": 1000}),
        (4001, "takeover", {"t": "bye", "reason": "takeover"}),
        (1008, "no more of that", {"t": "bye", "reason": "no more of that"}),
    ],
)
def test_a_close_says_whether_to_come_back(web: Web, code: int, reason: str, last: dict[str, Any]) -> None:
    """Behind the last words; the body has an end then, so that no proxy takes it for broken."""
    token = web.guest()["token"]
    stream = web.stream(token)
    stream.take()
    (link,) = web.outlet.links
    web.post("commands", {"c": 1, "line": "say last"}, token)
    link.close(code, reason)
    assert stream.plug.value().endswith(b"\r\n0\r\n\r\n")
    records = stream.take()
    assert spoken(records) == ['You say, "last"']
    assert records[-1] == last
    assert stream.plug.disconnecting


def test_a_heartbeat(web: Web) -> None:
    stream = web.stream(web.guest()["token"])
    stream.take()
    (link,) = web.outlet.links
    assert isinstance(link, StreamLink)
    link.beat()
    assert b"\n:" in stream.plug.take()
    assert HEARTBEAT == 15.0


def test_an_old_http(web: Web) -> None:
    """A body without an end needs chunks."""
    ticket = web.post("ticket", token=web.guest()["token"]).json["ticket"]
    found = web.raw(b"GET /sse?ticket=%b HTTP/1.0\r\n\r\n" % ticket.encode())
    assert found.startswith((b"HTTP/1.1 505 ", b"HTTP/1.0 505 "))
