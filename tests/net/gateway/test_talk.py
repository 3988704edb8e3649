"""JSON-RPC as it is spoken: who is let in, what an error looks like, batches, notifications; and the HTTP pages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mythos.errors import Refusal
from mythos.net.gateway.doors import MESSAGE
from mythos.net.gateway.talk import STRANGER, TRIES
from tests.net.gateway.place import ROADS, Client, Place, gateway

roads = pytest.mark.parametrize("road", ROADS)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with gateway(tmp_path) as place:
        yield place


# ── coming in ───────────────────────────────────────────────────────────────────────────────────


def test_tcp_says_welcome(place: Place) -> None:
    assert Client(place, "tcp").welcome == {
        "jsonrpc": "2.0",
        "method": "welcome",
        "params": {
            "service": "i3-gateway",
            "version": "1.0.0",
            "protocol": "JSON-RPC 2.0",
            "authentication": "required",
        },
    }
    assert Client(place, "ws").take() == []


@roads
def test_authenticate(place: Place, road: str) -> None:
    """Nothing is done before; a second time is no harm."""
    client, key = Client(place, road), place.key("Reach")
    assert client.error("ping") == (-32000, "Not authenticated. Please authenticate first.")
    assert client.error("no_such_method")[0] == -32000
    assert client.error("authenticate") == (-32602, "Missing api_key parameter")
    assert client.error("authenticate", api_key=5) == (-32602, "Missing api_key parameter")
    assert client.error("authenticate", api_key="wrong") == (-32000, "Invalid API key")
    first = client.result("authenticate", api_key=key)
    assert (first["status"], first["mud_name"]) == ("authenticated", "Reach")
    assert len(first["session_id"]) == 36
    again = client.result("authenticate", api_key=key)
    assert again == {"status": "success", "mud_name": "Reach", "session_id": first["session_id"]}


@roads
def test_guessing_keys(place: Place, road: str) -> None:
    client = Client(place, road)
    for _ in range(TRIES):
        client.call("authenticate", api_key="wrong")
    assert client.plug.disconnecting or client.closed == (1008, "too many keys that are no good")


@roads
def test_strangers_are_sent_away(place: Place, road: str) -> None:
    """Who says much without a key, or nothing at all."""
    talker, silent, known = Client(place, road), Client(place, road), place.client(road, "Reach")
    for _ in range(STRANGER):
        talker.call("ping")
    assert talker.plug.disconnecting or talker.closed == (1008, "authenticate first")
    place.pass_time(31)
    assert silent.plug.disconnecting or silent.closed == (1008, "authenticate first")
    assert known.result("ping")["pong"]


@pytest.mark.parametrize("path", ["/ws", "/"])
@pytest.mark.parametrize("header", ["X_API_Key", "Authorization"])
def test_a_key_in_a_header(place: Place, path: str, header: str) -> None:
    """It needs no authenticate, and gets no answer; a wrong one is refused before the WebSocket is one."""
    key = place.key("Reach")
    scheme = "Bearer " if header == "Authorization" else ""
    client = Client(place, "ws", path=path, **{header: scheme + key, "X_MUD_Name": "Somebody else"})
    assert client.status == 101
    assert client.take() == []
    assert client.result("status")["mud_name"] == "Reach"
    assert Client(place, "ws", path=path, **{header: scheme + "wrong"}).status == 401


def test_a_key_in_the_address_is_none(place: Place) -> None:
    client = Client(place, "ws", path=f"/ws?api_key={place.key('Reach')}")
    assert client.error("ping")[0] == -32000


@roads
def test_keys_of_the_configuration(tmp_path: Path, road: str) -> None:
    from mythos.config import ApiKey

    key = ApiKey("Reach", "a-key-of-a-mud-long-enough", ("tell",), None)
    with gateway(tmp_path, keys=(key,)) as place:
        client = place.client(road, key=key.secret)
        assert client.result("status")["mud_name"] == "Reach"
        assert client.error("mudlist")[0] == -32002


# ── who comes without a key of their own ────────────────────────────────────────────────────────

HERE = "127.0.0.1"


@roads
@pytest.mark.parametrize(
    ("address", "good"), [(HERE, True), ("::1", True), ("192.0.2.7", True), ("192.0.2.8", False), ("10.0.0.1", False)]
)
def test_any_key_is_good_where_it_is_said(tmp_path: Path, road: str, address: str, good: bool) -> None:
    """From this machine and from the addresses that are named, without those that are denied: all are one MUD."""
    allow, deny = ("192.0.2.0/24", "10.0.0.0/8"), ("192.0.2.8", "10.0.0.1")
    with gateway(tmp_path, keyless="default", keyless_from=(allow, deny)) as place:
        assert place.exchanges[0].muds["default"].up
        client = Client(place, road, address=address)
        assert client.error("ping")[0] == -32000  # to authenticate is asked for all the same
        answer = client.call("authenticate", api_key="whatever it is")
        assert ("result" in answer) == good
        if good:
            assert answer["result"]["mud_name"] == "default"
            assert "reconnect" in client.result("status")["services"]
            assert Client(place, road, address=address).error("authenticate")[0] == -32602
        if road == "ws":
            assert Client(place, road, address=address, X_API_Key="x").status == (101 if good else 401)


@roads
def test_a_key_of_somebody_is_still_theirs(tmp_path: Path, road: str) -> None:
    """And good only where it is."""
    with gateway(tmp_path, keyless="default") as place:
        client = Client(place, road, address=HERE)
        assert client.result("authenticate", api_key=place.key("Reach"))["mud_name"] == "Reach"
        _, elsewhere = place.keys.create("Salt", allow=("192.0.2.0/24",))
        assert Client(place, road, address=HERE).error("authenticate", api_key=elsewhere)[0] == -32000


def test_no_web_page_comes_without_a_key(tmp_path: Path) -> None:
    """A browser on this machine opens any page of the world, and says which one it is that asks."""
    with gateway(tmp_path, keyless="default") as place:
        page = Client(place, "ws", address=HERE, Origin="http://gateway.example.org")
        assert page.error("authenticate", api_key="x") == (-32000, "Invalid API key")
        assert page.result("authenticate", api_key=place.key("Reach"))["mud_name"] == "Reach"
        assert Client(place, "ws", address=HERE, Origin="https://elsewhere.example.org", X_API_Key="x").status == 401
        form = Client(place, "tcp", address=HERE)
        body = {"jsonrpc": "2.0", "id": 1, "method": "authenticate", "params": {"api_key": "x"}}
        form.raw(f"POST / HTTP/1.1\r\nHost: {HERE}\r\n\r\n{json.dumps(body)}".encode())
        assert [one["error"]["code"] for one in form.take()] == [-32700]
        assert form.plug.disconnecting


@pytest.mark.parametrize(
    ("proxies", "headers", "good"),
    [
        ((), {"X_Forwarded_For": HERE}, False),
        ((), {"Forwarded": "for=127.0.0.1"}, False),
        ((), {"X_Real_IP": HERE}, False),
        ((), {"Via": "1.1 front"}, False),
        ((HERE,), {"X_Forwarded_For": "192.0.2.7"}, False),
        ((HERE,), {"X_Forwarded_For": f"{HERE}, 192.0.2.7"}, False),
        ((HERE,), {"X_Forwarded_For": "::1"}, True),
        ((), {}, True),
    ],
)
def test_who_comes_by_a_proxy_without_a_key(
    tmp_path: Path, proxies: tuple[str, ...], headers: dict[str, str], good: bool
) -> None:
    """A proxy that is not known is somebody else, however near it stands; a known one says who comes."""
    with gateway(tmp_path, keyless="default", proxies=proxies) as place:
        answer = Client(place, "ws", address=HERE, **headers).call("authenticate", api_key="x")
        assert ("result" in answer) == good


async def test_it_is_listed_and_stays(tmp_path: Path) -> None:
    """Operators see it among the keys; it stands in the configuration."""
    with gateway(tmp_path, keyless="default") as place:
        assert [(key.id, key.mud) for key in place.keys] == [("keyless", "default")]
        with pytest.raises(Refusal, match="stands in the configuration"):
            place.keys.revoke("keyless")
        place.gateway.sweep()
        assert Client(place, "tcp", address=HERE).result("authenticate", api_key="x")["mud_name"] == "default"


# ── requests and answers ────────────────────────────────────────────────────────────────────────

NO_REQUESTS: list[tuple[bytes, int, Any]] = [
    (b"{", -32700, None),
    (b"\xff", -32700, None),
    (b'"text"', -32600, None),
    (b"5", -32600, None),
    (b"[]", -32600, None),
    (b"[" * 5000, -32700, None),
    (b'{"method":"ping","id":1}', -32600, 1),
    (b'{"jsonrpc":"1.0","method":"ping","id":"a"}', -32600, "a"),
    (b'{"jsonrpc":"2.0","id":2}', -32600, 2),
    (b'{"jsonrpc":"2.0","method":"","id":2}', -32600, 2),
    (b'{"jsonrpc":"2.0","method":7,"id":2}', -32600, 2),
    (b'{"jsonrpc":"2.0","method":"rpc.x","id":2}', -32600, 2),
    (b'{"jsonrpc":"2.0","method":"ping","id":1.5}', -32600, None),
    (b'{"jsonrpc":"2.0","method":"ping","id":[1]}', -32600, None),
    (b'{"jsonrpc":"2.0","method":"ping","params":[1],"id":3}', -32602, 3),
    (b'{"jsonrpc":"2.0","method":"nothing","id":4}', -32601, 4),
]


@roads
@pytest.mark.parametrize(("data", "code", "id"), NO_REQUESTS)
def test_what_is_no_request(place: Place, road: str, data: bytes, code: int, id: Any) -> None:
    """One error that says what is wrong; the connection goes on. Bad UTF-8 is no frame of a WebSocket at all."""
    client = place.client(road, "Reach")
    client.raw(data)
    if road == "ws" and data == b"\xff":
        client.take()
        assert client.closed is not None
        assert client.closed[0] == 1007
        return
    (answer,) = client.take()
    assert (answer["error"]["code"], answer["id"], answer["jsonrpc"]) == (code, id, "2.0")
    assert client.result("ping")["pong"]


@roads
def test_ids_come_back_as_they_came(place: Place, road: str) -> None:
    client = place.client(road, "Reach")
    for id in (0, -1, 2**63, "x", "", "ü" * 100, None):
        client.send({"jsonrpc": "2.0", "method": "ping", "id": id, "params": None})
        (answer,) = client.take()
        assert (answer["id"], type(answer["id"])) == (id, type(id))


@roads
def test_notifications_are_not_answered(place: Place, road: str) -> None:
    """But carried out; also when they are wrong."""
    client = place.client(road, "Reach")
    client.send({"jsonrpc": "2.0", "method": "channel_join", "params": {"channel": "gossip"}})
    client.send({"jsonrpc": "2.0", "method": "nothing"})
    client.send({"jsonrpc": "2.0", "method": "channel_join"})
    client.send({"jsonrpc": "2.0", "method": "locate", "params": {"target_user": "x", "wait": 1}})
    place.pass_time(2)
    assert [one["method"] for one in client.take()] == ["channel_joined"]
    assert client.result("channel_list")["subscribed_channels"] == ["gossip"]


@roads
def test_batches(place: Place, road: str) -> None:
    """One answer for all that are answered, also if one of them waits; none for notifications alone."""
    client = place.client(road, "Reach")
    ping = {"jsonrpc": "2.0", "method": "ping"}
    client.send([{**ping, "id": 1}, ping, 7, {**ping, "id": 2, "method": "nothing"}])
    ((first, second, third),) = client.take()
    assert (second["id"], third["id"], third["error"]["code"]) == (1, 2, -32601) or first["id"] in (1, None)
    assert {one["id"] for one in (first, second, third)} == {1, None, 2}
    client.send([ping, ping])
    assert client.take() == []
    locate = {"jsonrpc": "2.0", "id": 3, "method": "locate", "params": {"target_user": "x", "wait": 2}}
    client.send([locate, {**ping, "id": 4}])
    assert client.take() == []
    place.pass_time(3)
    ((one, two),) = client.take()
    assert {one["id"], two["id"]} == {3, 4}
    client.send([{**ping, "id": number} for number in range(51)])
    assert client.take()[0]["error"]["code"] == -32600


@roads
def test_a_batch_may_begin_with_authenticate(place: Place, road: str) -> None:
    client = Client(place, road)
    login = {"jsonrpc": "2.0", "id": 1, "method": "authenticate", "params": {"api_key": place.key("Reach")}}
    client.send([login, {"jsonrpc": "2.0", "id": 2, "method": "status"}])
    ((_, status),) = client.take()
    assert status["result"]["mud_name"] == "Reach"


def test_lines(place: Place) -> None:
    """LF or CR LF, in any pieces; empty ones are not heeded."""
    client = place.client("tcp", "Reach")
    ping = b'{"jsonrpc":"2.0","method":"ping","id":"x"}'
    for data in (b"\r\n\n", ping[:10], ping[10:], b"\r", b"\n" + ping + b"\n" + ping + b"\n"):
        client.plug.protocol.dataReceived(data)
    assert [one["id"] for one in client.take()] == ["x", "x", "x"]


def test_a_line_too_long(place: Place) -> None:
    other = place.client("tcp", "Salt")
    for data in (b"x" * (MESSAGE + 1), b"[" * (MESSAGE + 1) + b"\n"):
        client = place.client("tcp", "Reach")
        for start in range(0, len(data), 1000):
            if not client.plug.disconnecting:
                client.plug.protocol.dataReceived(data[start : start + 1000])
        assert client.take()[0]["error"]["message"] == f"A line has at most {MESSAGE} bytes."
        assert client.plug.disconnecting
    assert other.result("ping")["pong"]


def test_binary_frames(place: Place) -> None:
    from tests.net.web import frame

    client = place.client("ws", "Reach")
    client.plug.protocol.dataReceived(frame(2, b"{}"))
    client.take()
    assert client.closed == (1003, "text frames only")


@roads
def test_silence(place: Place, road: str) -> None:
    """TCP is closed after an hour without a word, a WebSocket that does not answer pings after seconds."""
    client = place.client(road, "Reach")
    if road == "tcp":
        place.clock.advance(3601)
        place.lines.sweep()
        assert client.plug.disconnecting
        return
    client.answers_pings = False
    place.pass_time(45)
    assert client.plug.disconnecting or client.plug.aborted or client.closed is not None


# ── resuming ────────────────────────────────────────────────────────────────────────────────────


@roads
def test_resuming(place: Place, road: str) -> None:
    """What was missed is told, once and in order, and channels are still joined."""
    key = place.key("Salt")
    ann, bob = place.client(road, "Reach"), Client(place, road)
    session = bob.result("authenticate", api_key=key)["session_id"]
    for one in (ann, bob):
        one.result("channel_join", channel="gossip")
    ann.result("channel_send", channel="gossip", message="0")
    last = bob.take()[-1]["params"]["seq"]
    ann.result("channel_send", channel="gossip", message="1")  # in flight when the line is cut
    bob.lost()
    ann.result("channel_send", channel="gossip", message="2")
    ann.result("tell", target_mud="Salt", target_user="bob", message="3")
    back = Client(place, road)
    found = back.result("authenticate", api_key=key, session_id=session, last_seq=last)
    assert found == {
        "status": "authenticated",
        "mud_name": "Salt",
        "session_id": session,
        "seq": last + 3,
        "resumed": True,
        "missed": 3,
        "lost": 0,
    }
    events = back.take()
    assert [one["params"]["message"] for one in events] == ["1", "2", "3"]
    assert [one["params"]["seq"] for one in events] == [last + 1, last + 2, last + 3]
    ann.result("channel_send", channel="gossip", message="4")
    assert [one["message"] for one in back.take("channel_message")] == ["4"]
    third = place.client(road, key=key)
    assert third.take("tell_received") == []  # it found its way already


@roads
def test_resuming_in_vain(place: Place, road: str) -> None:
    """A session of another MUD, none at all, or one whose time is over: a new one, and it is said so."""
    ann = Client(place, road)
    session = ann.result("authenticate", api_key=place.key("Reach"))["session_id"]
    key = place.key("Salt")
    for id in (session, "nothing"):
        found = Client(place, road).result("authenticate", api_key=key, session_id=id, last_seq=0)
        assert (found["resumed"], found["seq"]) == (False, 0)
        assert found["session_id"] != id
    ann.lost()
    place.pass_time(301)
    place.gateway.sweep()
    found = Client(place, road).result("authenticate", api_key=place.key("Reach"), session_id=session)
    assert found["resumed"] is False


@roads
def test_taking_over(place: Place, road: str) -> None:
    """A connection that is not known to be dead yet gives way."""
    key = place.key("Salt")
    old, new = Client(place, road), Client(place, road)
    session = old.result("authenticate", api_key=key)["session_id"]
    new.result("authenticate", api_key=key, session_id=session)
    old.take()
    assert old.plug.disconnecting or old.closed == (4001, "takeover: this session goes on by another connection")
    old.lost()
    assert new.result("ping")["pong"]
    assert new.result("stats")["session_count"] == 1


@roads
def test_tells_wait_for_a_client(place: Place, road: str) -> None:
    """For five minutes; the first that comes gets them, once."""
    key, ann = place.key("Salt"), place.client(road, "Reach")
    ann.result("tell", target_mud="Salt", target_user="bob", message="old")
    place.pass_time(299)
    ann.result("tell", target_mud="Salt", target_user="bob", message="new")
    place.pass_time(2)
    place.gateway.sweep()
    for expected in (["new"], []):
        client = Client(place, road)
        client.result("authenticate", api_key=key)
        assert [one["message"] for one in client.take("tell_received")] == expected


# ── pages ───────────────────────────────────────────────────────────────────────────────────────


def test_pages(place: Place) -> None:
    place.client("tcp", "Reach")
    status, headers, body = place.get("/health")
    assert (status, headers["content-type"]) == (200, "application/json")
    health = json.loads(body)
    assert {name: health[name] for name in ("status", "service", "websocket_connections", "active_sessions")} == {
        "status": "healthy",
        "service": "i3-gateway-api",
        "websocket_connections": 1,
        "active_sessions": 1,
    }
    assert place.get("/health/live")[2] == b'{"status": "alive"}'
    assert place.get("/health/ready")[::2] == (200, b'{"status": "ready"}')
    place.cut(0)
    assert place.get("/health/ready")[::2] == (503, b'{"status": "not_ready"}')
    assert json.loads(place.get("/api/info")[2]) == {
        "version": "1.0.0",
        "protocol": "JSON-RPC 2.0",
        "transports": ["websocket", "tcp"],
        "authentication": "api_key",
        "documentation": "/api/docs",
    }
    status, headers, body = place.get("/metrics")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert b"\napi_active_sessions 1\n" in body
    assert body.endswith(b"\n")
    assert place.get("/nothing")[0] == 404
    assert place.get("/ws")[0] == 426


def test_the_docs_name_everything(place: Place) -> None:
    from mythos.net.gateway.docs import _EVENTS, _PARAMS
    from mythos.net.gateway.methods import METHODS
    from tests.net.gateway.test_events import METHODS as EVENTS

    status, headers, body = place.get("/api/docs")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["content-security-policy"].startswith("default-src 'none'")
    page = body.decode()
    for name in (*METHODS, *EVENTS.values(), "mud_online", "gateway_reconnected", "int main"):
        assert name in page
    assert set(_PARAMS) <= set(METHODS)
    assert {name for names in _EVENTS for name in names.split(", ")} >= set(EVENTS.values())


def test_denied_addresses_see_no_page(tmp_path: Path) -> None:
    with gateway(tmp_path, deny=("198.51.100.0/24",)) as place:
        for path in ("/health", "/api/docs", "/metrics", "/ws"):
            assert place.get(path)[0] == 403
        assert Client(place, "ws").status == 403
