"""Every event, on both roads: its name and fields to the letter, who is told and who is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mythos.net.gateway.mud import PACE, SETTLING
from tests.net.gateway.place import ROADS, Client, Place, gateway
from tests.net.i3.peer import Mud

pytestmark = pytest.mark.parametrize("road", ROADS)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with gateway(tmp_path) as place:
        yield place


@pytest.fixture
def bob(place: Place, road: str) -> Client:
    client = place.client(road, "Salt")
    client.result("channel_join", channel="gossip")
    client.take()
    return client


@pytest.fixture
def other(place: Place, bob: Client) -> Mud:
    """A MUD that speaks Intermud-3 itself."""
    mud = Mud(place.exchanges[0], "Elsewhere")
    mud.start()
    mud.say("channel-listen", "gossip", 1, to="*r0")
    mud.take()
    bob.take()
    return mud


ENDS = {"from_mud": "Elsewhere", "from_user": "zoe", "to_mud": "Salt"}
FROM = {"user": "zoe", "to": "Salt"}
PACKETS: dict[str, tuple[str, list[Any], dict[str, Any], list[dict[str, Any]]]] = {
    "a tell": (
        "tell",
        ["Zoe", "hi %^RED%^there%^RESET%^\x07"],
        {**FROM, "to_user": "bob"},
        [{**ENDS, "to_user": "bob", "message": "hi %^RED%^there%^RESET%^", "visname": "Zoe"}],
    ),
    "a tell without a name to show": (
        "tell",
        [0, "hi"],
        {**FROM, "to_user": "bob"},
        [{**ENDS, "to_user": "bob", "message": "hi", "visname": "zoe"}],
    ),
    "a tell as it was once": (
        "tell",
        ["hi"],
        {**FROM, "to_user": "bob"},
        [{**ENDS, "to_user": "bob", "message": "hi", "visname": "zoe"}],
    ),
    "an emote": (
        "emoteto",
        ["Zoe", "$N bows."],
        {**FROM, "to_user": "bob"},
        [{**ENDS, "to_user": "bob", "message": "$N bows.", "emote": "$N bows.", "visname": "Zoe"}],
    ),
    "a line": (
        "channel-m",
        ["gossip", "Zoe", "hi"],
        {"user": "zoe"},
        [
            {
                "channel": "gossip",
                "from_mud": "Elsewhere",
                "from_user": "zoe",
                "message": "hi",
                "visname": "Zoe",
                "type": "message",
                "user": "Zoe",
                "mud": "Elsewhere",
            }
        ],
    ),
    "an emote on a channel": (
        "channel-e",
        ["gossip", "Zoe", "$N bows."],
        {"user": "zoe"},
        [
            {
                "channel": "gossip",
                "from_mud": "Elsewhere",
                "from_user": "zoe",
                "message": "$N bows.",
                "emote": "$N bows.",
                "visname": "Zoe",
                "type": "emote",
                "user": "Zoe",
                "mud": "Elsewhere",
            }
        ],
    ),
    "an emote at somebody": (
        "channel-t",
        ["gossip", "Salt", "bob", "$N pokes $O.", "$N pokes you.", "Zoe", "Bob"],
        {"user": "zoe"},
        [
            {
                "channel": "gossip",
                "from_mud": "Elsewhere",
                "from_user": "zoe",
                "message": "$N pokes $O.",
                "emote": "$N pokes $O.",
                "visname": "Zoe",
                "type": "emote",
                "user": "Zoe",
                "mud": "Elsewhere",
                "target_mud": "Salt",
                "target_user": "bob",
                "target_visname": "Bob",
                "message_target": "$N pokes you.",
            }
        ],
    ),
    "an answer to who": (
        "who-reply",
        [[["Zoe", 5, "Level 9 - elf"], ["Decoration", -1, ""], ["broken"], 7]],
        {**FROM, "to_user": "ann", "user": 0},
        [
            {
                **ENDS,
                "from_user": "",
                "to_user": "ann",
                "users": [
                    {"name": "Zoe", "idle": 5, "idle_time": 5, "level": 9, "extra": "Level 9 - elf"},
                    {"name": "Decoration", "idle": -1, "idle_time": -1, "level": 0, "extra": ""},
                ],
            }
        ],
    ),
    "an answer to finger": (
        "finger-reply",
        ["Zoe", "the Odd", 0, "zoe@example.org", "today", 5, 0, "9", "likes tea"],
        {**FROM, "to_user": "ann", "user": 0},
        [
            {
                **ENDS,
                "from_user": "",
                "to_user": "ann",
                "user_info": {
                    "name": "Zoe",
                    "title": "the Odd",
                    "real_name": "",
                    "email": "zoe@example.org",
                    "login_time": "today",
                    "idle_time": 5,
                    "ip_address": "",
                    "level": "9",
                    "extra": "likes tea",
                },
            }
        ],
    ),
    "finger finds nobody": (
        "finger-reply",
        [0, 0, 0, 0, 0, -1, 0, 0, 0],
        {**FROM, "to_user": "ann", "user": 0},
        [{**ENDS, "from_user": "", "to_user": "ann", "user_info": {}}],
    ),
    "an answer to locate": (
        "locate-reply",
        ["Elsewhere", "Zoe", 5, "afk"],
        {**FROM, "to_user": "ann", "user": 0},
        [
            {
                **ENDS,
                "from_user": "",
                "to_user": "ann",
                "located_mud": "Elsewhere",
                "located_user": "Zoe",
                "idle": 5,
                "status": "afk",
            }
        ],
    ),
    "an error": (
        "error",
        ["unk-user", "Nobody of that name.", ["tell", 5, "Salt", "bob", "Elsewhere", "x", "Bob", "hi"]],
        {**FROM, "to_user": "bob", "user": 0},
        [
            {
                **ENDS,
                "from_user": "",
                "to_user": "bob",
                "error_code": "unk-user",
                "error_message": "Nobody of that name.",
                "message": "Nobody of that name.",
                "context": "i3_packet_error",
            }
        ],
    ),
    "an error about a search": (
        "error",
        ["not-imp", "We do not know that.", ["locate-req", 5, "Salt", "bob", 0, 0, "zoe"]],
        {**FROM, "to_user": "bob", "user": 0},
        [],
    ),
    "an error about a search, of no such MUD": (
        "error",
        ["unk-dst", "There is no such MUD.", ["locate-req", 5, "Salt", "bob", 0, 0, "zoe"]],
        {**FROM, "to_user": "bob", "user": 0},
        [],
    ),
    "an error about a search, of no such packet": (
        "error",
        ["unk-type", "What is that?", ["locate-req", 5, "Salt", "bob", 0, 0, "zoe"]],
        {**FROM, "to_user": "bob", "user": 0},
        [],
    ),
    "an error about a search that is one": (
        "error",
        ["not-allowed", "No.", ["locate-req", 5, "Salt", "bob", 0, 0, "zoe"]],
        {**FROM, "to_user": "bob", "user": 0},
        [
            {
                **ENDS,
                "from_user": "",
                "to_user": "bob",
                "error_code": "not-allowed",
                "error_message": "No.",
                "message": "No.",
                "context": "i3_packet_error",
            }
        ],
    ),
    "somebody's name": (
        "ucache-update",
        ["zoe", "Zoë", 1],
        {},
        [{"mud": "Elsewhere", "user": "zoe", "visname": "Zoë", "status": "updated"}],
    ),
}
METHODS = {
    "tell": "tell_received",
    "emoteto": "emoteto_received",
    "channel-m": "channel_message",
    "channel-e": "channel_emote",
    "channel-t": "channel_emote",
    "who-reply": "who_reply",
    "finger-reply": "finger_reply",
    "locate-reply": "locate_reply",
    "error": "error_occurred",
    "ucache-update": "user_status_changed",
}


@pytest.mark.parametrize("name", PACKETS)
def test_packets_become_events(bob: Client, other: Mud, name: str) -> None:
    kind, rest, addressed, events = PACKETS[name]
    other.say(kind, *rest, **addressed)
    assert bob.take(METHODS[kind]) == events


def test_who_is_told(place: Place, road: str, bob: Client, other: Mud) -> None:
    """All of a MUD's clients; of channels those that joined; and nobody of another MUD."""
    second = place.client(road, key=place.key("Salt"))
    third = place.client(road, "Third")
    other.say("tell", "Zoe", "hi", user="zoe", to="Salt", to_user="bob")
    other.say("channel-m", "gossip", "Zoe", "hi", user="zoe")
    assert [len(one.take("tell_received")) for one in (bob, second, third)] == [1, 1, 0]
    assert [len(one.take("channel_message")) for one in (bob, second, third)] == [0, 0, 0]  # taken above
    other.say("channel-m", "gossip", "Zoe", "hi", user="zoe")
    assert [len(one.take("channel_message")) for one in (bob, second, third)] == [1, 0, 0]


FOR: dict[str, set[str]] = {
    "tell": {"tell_received", "emoteto_received"},
    "channel": {
        *("channel_message", "channel_emote", "channel_joined", "channel_left"),
        *("user_joined_channel", "user_left_channel"),
    },
    "info": {"who_reply", "finger_reply", "locate_reply", "mud_online", "mud_offline", "user_status_changed"},
    "admin": set(),
}


def test_each_event_needs_its_permission(place: Place, road: str, bob: Client, other: Mud) -> None:
    """A key of one permission gets its events, and those that every key gets."""
    clients = {one: place.client(road, key=place.key("Salt", one)) for one in FOR}
    clients["channel"].result("channel_join", channel="gossip")
    place.pass_time(SETTLING + 1)
    for client in clients.values():
        client.take()
    for kind, rest, addressed, _ in PACKETS.values():
        other.say(kind, *rest, **addressed)
    new = Mud(place.exchanges[0], "New")
    new.start()
    place.exchanges[0].left(new.seat)
    second = place.client(road, key=place.key("Salt"))
    second.result("channel_join", channel="gossip", user_name="Cyd")
    second.result("channel_leave", channel="gossip")
    place.gateway.announce("maintenance_scheduled", 60, "a new version")
    place.gateway.announce("shutdown_warning", 60, "a new version")
    place.gateway.muds["Salt"].link.reconnect()
    place.pass_time(10)
    everybody = {"error_occurred", "gateway_reconnected", "maintenance_scheduled", "shutdown_warning"}
    for permission, client in clients.items():
        assert {one["method"] for one in client.take()} == FOR[permission] | everybody


def test_muds_come_and_go(place: Place, bob: Client) -> None:
    """What is in the list when a link comes up is no news; what changes later is."""
    place.pass_time(SETTLING + 1)
    bob.take()
    other = Mud(place.exchanges[0], "Elsewhere")
    other.start()
    online = {"mud_name": "Elsewhere", "status": "up"}
    told = {"driver": "driver", "mudlib": "lib", "address": "192.0.2.1"}
    assert bob.take("mud_online") == [{**online, "info": told}]
    place.exchanges[0].left(other.seat)
    assert bob.take("mud_offline") == [{**online, "status": "down", "info": told}]


def test_joining_is_told(place: Place, road: str, bob: Client) -> None:
    """To the other clients of the MUD; a user's name also to other MUDs of this gateway on that channel."""
    second, third = place.client(road, key=place.key("Salt")), place.client(road, "Third")
    third.result("channel_join", channel="gossip")
    third.take()
    second.result("channel_join", channel="gossip", user_name="Bob")
    assert bob.take("channel_joined") == [{"channel": "gossip", "mud_name": "Salt"}]
    user = {"channel": "gossip", "user": "Bob", "mud": "Salt", "action": "join"}
    assert third.take("user_joined_channel") == [user]
    second.result("channel_leave", channel="gossip")
    assert third.take("user_left_channel") == [{**user, "action": "leave"}]
    assert bob.take("channel_left") == [{"channel": "gossip", "mud_name": "Salt"}]


def test_users_come_and_go(place: Place, road: str, bob: Client) -> None:
    second = place.client(road, key=place.key("Salt"))
    bob.result("presence_sync", users=[{"name": "Ann"}, {"name": "Bob"}])
    assert second.take("user_status_changed") == []
    bob.result("presence_sync", users=[{"name": "Bob"}, {"name": "Cyd"}])
    assert second.take("user_status_changed") == [
        {"mud": "Salt", "user": "Ann", "status": "offline"},
        {"mud": "Salt", "user": "Cyd", "status": "online"},
    ]


def test_the_gateway_stops(place: Place, bob: Client) -> None:
    place.gateway.announce("maintenance_scheduled", 60, "a new version")
    assert bob.take("maintenance_scheduled") == [
        {"message": "a new version", "seconds": 60, "at": "2027-01-15T08:01:00.000000Z"}
    ]


async def test_the_gateway_has_stopped(place: Place, bob: Client) -> None:
    from twisted.internet.defer import Deferred

    stopping = Deferred.fromCoroutine(place.gateway.stop())
    place.run()
    await stopping
    assert [one["seconds"] for one in bob.take("shutdown_warning")] == [0]
    if bob.road == "ws":
        assert bob.closed == (1001, "Server shutting down")
    assert bob.plug.disconnecting or bob.road == "ws"


def test_the_router_comes_back(place: Place, bob: Client) -> None:
    place.gateway.muds["Salt"].link.reconnect()
    place.pass_time(10)
    assert bob.take("gateway_reconnected") == [
        {"message": "Gateway reconnected to I3 router", "status": "connected", "router": "*r0"}
    ]


def test_near_the_limit(tmp_path: Path, road: str) -> None:
    """A client is warned once in a minute, before it is refused; a refused call has its answer."""
    with gateway(tmp_path, rate=(60, 20)) as place:
        client = place.client(road, "Salt")
        answers = [client.call("ping") for _ in range(25)]
        assert [answer.get("error", {}).get("code") for answer in answers] == [None] * 20 + [-32001] * 5
        (warning,) = client.take("rate_limit_warning")
        assert warning == {"limit": 60, "remaining": 3, "message": "3 requests left of 60 a minute."}
        place.pass_time(5)
        assert client.result("ping")["pong"]
        assert place.client(road, "Third").result("ping")["pong"]


def test_a_key_has_a_rate_of_its_own(tmp_path: Path, road: str) -> None:
    with gateway(tmp_path, rate=(60, 20)) as place:
        client = place.client(road, key=place.key("Salt", per_minute=300))
        answers = [client.call("ping") for _ in range(101)]
        assert [answer.get("error", {}).get("code") for answer in answers] == [None] * 100 + [-32001]


def test_a_small_rate_of_its_own(tmp_path: Path, road: str) -> None:
    """Twenty at once are always allowed."""
    with gateway(tmp_path, rate=(600, 200)) as place:
        client = place.client(road, key=place.key("Salt", per_minute=30))
        answers = [client.call("ping") for _ in range(21)]
        assert [answer.get("error", {}).get("code") for answer in answers] == [None] * 20 + [-32001]
        place.pass_time(2)
        assert client.result("ping")["pong"]


def test_a_method_has_a_rate_of_its_own(tmp_path: Path, road: str) -> None:
    with gateway(tmp_path, per_method={"who": 2}) as place:
        client, other = place.client(road, "Salt"), place.client(road, "Third")
        codes = [client.call("who", target_mud="Third").get("error", {}).get("code") for _ in range(4)]
        assert codes == [None, None, -32001, -32001]
        assert client.result("ping")["pong"]
        assert other.result("who", target_mud="Salt")["status"] == "requested"
        place.pass_time(31)
        assert client.result("who", target_mud="Third")["status"] == "requested"


# ── what other MUDs ask ─────────────────────────────────────────────────────────────────────────


def test_other_muds_are_answered(place: Place, bob: Client, other: Mud) -> None:
    bob.result("presence_sync", users=[{"name": "Bob", "level": 3, "idle": 9, "title": "the Miller"}])
    bob.result("channel_join", channel="gossip", user_name="Bob")
    other.take()

    def ask(kind: str, *rest: Any, to: Any = "Salt") -> list[list[Any]]:
        other.say(kind, *rest, user="zoe", to=to)
        place.run()
        return [one[6:] for one in other.take() if one[0] != "ucache-update"]

    assert ask("who-req") == [[[["Bob", 9, "Level 3 - the Miller"]]]]
    assert ask("finger-req", "bob") == [["Bob", "the Miller", 0, 0, 0, 9, 0, "3", 0]]
    assert ask("finger-req", "nobody")[0][0] == "unk-user"
    assert ask("locate-req", "bob", to=0) == [["Salt", "Bob", 9, 0]]
    assert ask("locate-req", "nobody", to=0) == []
    assert ask("chan-who-req", "gossip") == [["gossip", ["Bob"]]]
    assert ask("chan-user-req", "bob") == [["bob", "Bob", 2]]
    assert ask("chan-user-req", "nobody")[0][0] == "unk-user"
    assert ask("auth-mud-req") == [[1_800_000_000]]
    assert ask("ping-req") == [[1_800_000_000]]
    assert ask("no-such-type")[0][0] == "unk-type"


def test_who_asks_without_end_is_not_answered(place: Place, bob: Client, other: Mud) -> None:
    for _ in range(100):
        other.say("who-req", user="zoe", to="Salt")
    place.run()
    assert len(other.take("who-reply")) == PACE[1]
