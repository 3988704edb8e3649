"""Clients in use, as they speak: what their libraries send to the letter, and what these need to find in the answers.

Two libraries over WebSocket, which tell responses from events by ``id`` alone and show their key in a header; and a
client in C over TCP, which waits to be welcomed and cuts what it reads at line ends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.net.gateway.place import Client, Place, gateway


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with gateway(tmp_path) as place:
        yield place


class Library:
    """The library for Python or JavaScript: one connection, and what becomes of what it hears.

    :ivar events: (method, parameters), as handlers get them
    """

    def __init__(self, place: Place, key: str, mud: str) -> None:
        deflate = "permessage-deflate; client_max_window_bits"  # which is offered, and need not be taken
        headers = {"X_API_Key": key, "X_MUD_Name": mud, "Sec_WebSocket_Extensions": deflate}
        self.client = Client(place, "ws", path="/", **headers)
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._mud = mud
        self._requests = 0
        self._answers: dict[str, Any] = {}

    def call(self, method: str, **params: Any) -> Any:
        """The result, or the error; every request has parameters, and a text as its id."""
        self._requests += 1
        id = f"{self._mud}-{self._requests}-1f0c9a3e"
        self.client.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        self.listen()
        return self._answers.pop(id)

    def listen(self) -> None:
        for message in self.client.take():
            if "id" in message:
                self._answers[message["id"]] = message.get("result") or message["error"]
            else:
                self.events.append((message["method"], message["params"]))

    def heard(self, method: str) -> list[dict[str, Any]]:
        self.listen()
        found = [params for name, params in self.events if name == method]
        self.events = [one for one in self.events if one[0] != method]
        return found


@pytest.fixture
def ann(place: Place) -> Library:
    return Library(place, place.key("Reach"), "Reach")


@pytest.fixture
def bob(place: Place) -> Library:
    return Library(place, place.key("Salt"), "Salt")


def test_a_library_says_something(ann: Library, bob: Library) -> None:
    """Its emotes are called messages."""
    for one in (ann, bob):
        joined = one.call("channel_join", channel="gossip", listen_only=False)
        assert joined == {"status": "joined", "channel": "gossip"}
    words: dict[str, Any] = {"message": "hello", "from_user": "Ann"}
    assert ann.call("tell", target_mud="Salt", target_user="bob", **words)["status"] == "sent"
    assert ann.call("emoteto", target_mud="Salt", target_user="bob", message="waves.")["status"] == "sent"
    assert ann.call("channel_send", channel="gossip", **words)["status"] == "sent"
    assert ann.call("channel_emote", channel="gossip", message="waves.", from_user="Ann")["status"] == "sent"
    for event, fields in {
        "tell_received": {"from_mud": "Reach", "from_user": "ann", "to_user": "bob", "message": "hello"},
        "emoteto_received": {"visname": "Someone", "message": "$N waves.", "emote": "$N waves."},
        "channel_message": {
            "channel": "gossip",
            "from_mud": "Reach",
            "mud": "Reach",
            "user": "Ann",
            "message": "hello",
        },
        "channel_emote": {"channel": "gossip", "mud": "Reach", "user": "Ann", "emote": "$N waves."},
    }.items():
        (heard,) = bob.heard(event)
        assert fields.items() <= heard.items(), event
    assert [one["message"] for one in ann.heard("channel_message")] == ["hello"]  # its own, once
    assert ann.call("channel_leave", channel="gossip") == {"status": "left", "channel": "gossip"}


def test_a_library_asks(ann: Library, bob: Library) -> None:
    """It looks for lists in the answers at once, and finds them; the replies come as events."""
    assert bob.call("presence_sync", users=[{"name": "Bob", "level": 3}])["count"] == 1
    assert ann.call("who", target_mud="Salt", filters={"min_level": 2, "race": "elf"})["users"] == []
    assert [one["name"] for one in ann.heard("who_reply")[0]["users"]] == ["Bob"]
    assert ann.call("finger", target_mud="Salt", target_user="bob")["status"] == "requested"
    assert ann.heard("finger_reply")[0]["user_info"]["name"] == "Bob"
    assert ann.call("locate", target_user="bob")["locations"] == []
    assert ann.heard("locate_reply")[0]["located_mud"] == "Salt"
    assert [one["name"] for one in ann.call("mudlist", refresh=False)["muds"]] == ["Reach", "Salt"]
    up = ann.call("mudlist", refresh=True, filter={"status": "up", "has_service": "tell"})
    assert len(up["muds"]) == 2
    assert [one["name"] for one in ann.call("channel_list")["channels"]] == ["gossip"]
    assert ann.call("channel_who", channel="gossip")["users"] == []
    assert ann.call("channel_history", channel="gossip", limit=100)["messages"] == []
    assert ann.call("status")["connected"] is True
    assert ann.call("stats")["gateway_connected"] is True
    assert ann.call("ping")["pong"] is True
    assert ann.call("tell", target_mud="Salt", message="to whom?") == {
        "code": -32602,
        "message": "Missing required parameters: target_user",
    }


def test_a_library_comes_back(place: Place, ann: Library, bob: Library) -> None:
    """By its key alone, after a router or its own connection was lost; it joins its channels again."""
    bob.call("channel_join", channel="gossip", listen_only=False)
    assert ann.call("reconnect") == {"status": "reconnecting"}
    place.pass_time(10)
    assert ann.heard("gateway_reconnected")[-1]["status"] == "connected"
    ann.client.lost()
    again = Library(place, place.key("Reach"), "Reach")
    again.call("channel_join", channel="gossip", listen_only=False)
    assert again.call("channel_join", channel="gossip", listen_only=True)["status"] == "joined"
    bob.call("channel_send", channel="gossip", message="welcome back", from_user="Bob")
    assert [one["message"] for one in again.heard("channel_message")] == ["welcome back"]


def test_a_client_in_c(place: Place, bob: Library) -> None:
    """It is welcomed before it says anything, numbers its requests, puts blanks where its JSON library does, and has
    no parameters for a heartbeat."""
    client = Client(place, "tcp")
    assert client.welcome["method"] == "welcome"
    assert client.welcome["params"]["service"] == "i3-gateway"
    key = place.key("Reach")

    def send(id: int, method: str, params: str = "") -> Any:
        more = f', "params": {{ {params} }}' if params else ""
        client.raw(f'{{ "jsonrpc": "2.0", "method": "{method}", "id": {id}{more} }}'.encode())
        return client.response(id)["result"]

    found = send(1, "authenticate", f'"api_key": "{key}"')
    assert (found["status"], found["mud_name"]) == ("authenticated", "Reach")
    assert len(found["session_id"]) == 36
    assert send(2, "heartbeat")["status"] == "ok"
    words = '"from_user": "Ann", "target_mud": "Salt", "target_user": "bob", "message": "caf\\u00e9 <\\/b>"'
    assert send(4, "tell", words)["status"] == "sent"
    assert bob.heard("tell_received")[0]["message"] == "café </b>"
    assert send(6, "channel_join", '"channel": "gossip"')["status"] == "joined"
    assert send(8, "channel_send", '"channel": "gossip", "from_user": "Ann", "message": "hi"')["status"] == "sent"
    (line,) = [one for one in client.take() if one.get("method") == "channel_message"]
    assert line["params"]["from_mud"] == "Reach"
    assert len(json.dumps(line)) < 4096  # as much as it reads at once
