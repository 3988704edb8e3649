"""Packets of Intermud-3: read leniently, written as the strictest router wants them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.wire.i3 import packets
from mythos.wire.i3.lpc import decode, encode
from mythos.wire.i3.packets import BadPacket, ChannelInfo, MudInfo, Packet, Unknown, WhoRow, parse, values

HEADER: list[Any] = [5, "Example MUD", "alice", "Other MUD", "bob"]

#: One of each type, as the protocol's description has it: the fields behind the header.
EXAMPLES: dict[str, list[Any]] = {
    "startup-req-3": [0, 0, 0, 4000, 0, 0, "m", "b", "d", "LP", "open", "a@b", {"tell": 1}, {}],
    "startup-reply": [[["*i3", "1.2.3.4 8080"]], -77],
    "mudlist": [9, {"A": 0}],
    "chanlist-reply": [9, {"imud": ["A", 0]}],
    "chanlist-req": [],
    "shutdown": [1],
    "router-shutdown": [60],
    "ping-req": [],
    "ping-reply": [7],
    "auth-mud-req": [],
    "auth-mud-reply": [7],
    "error": ["unk-user", "Nobody", ["tell"]],
    "tell": ["Alice", "hi"],
    "emoteto": ["Alice", "$N waves."],
    "channel-m": ["imud", "Alice", "hi"],
    "channel-e": ["imud", "Alice", "$N waves."],
    "channel-t": ["imud", "Other MUD", "bob", "$N waves at $O.", "$N waves at you.", "Alice", "Bob"],
    "channel-listen": ["imud", 1],
    "channel-add": ["imud", 0],
    "channel-remove": ["imud"],
    "channel-admin": ["imud", ["A"], ["B"]],
    "chan-adminlist": ["x"],
    "chan-adminlist-reply": ["x", ["A", "B"]],
    "chan-ack": ["done"],
    "chan-filter-req": ["imud", ["channel-m"]],
    "chan-filter-reply": ["imud", ["channel-m"]],
    "chan-who-req": ["imud"],
    "chan-who-reply": ["imud", ["Alice"]],
    "chan-user-req": ["alice"],
    "chan-user-reply": ["alice", "Alice", 2],
    "ucache-update": ["alice", "Alice", 2],
    "who-req": [],
    "who-reply": [[["Alice", 3, "the first"]]],
    "finger-req": ["alice"],
    "finger-reply": ["Alice", "the first", 0, 0, "yesterday", -1, 0, "9", 0],
    "locate-req": ["alice"],
    "locate-reply": ["Other MUD", "Alice", 3, "editing"],
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_both_ways(kind: str) -> None:
    """What is read is written the same, over the wire too; an absent name is 0 there and empty here."""
    value = [kind, *HEADER, *EXAMPLES[kind]]
    packet = parse(value)
    assert values(packet)[0] == kind
    assert (packet.from_mud, packet.from_user, packet.to_mud, packet.to_user, packet.ttl) == (*HEADER[1:], 5)
    assert values(packet) == value
    assert decode(encode(values(packet))) == ([value], None)
    broadcast = parse([kind, 5, "A", 0, "", "0", *EXAMPLES[kind]])
    assert (broadcast.from_user, broadcast.to_mud, broadcast.to_user) == ("", "", "")
    assert values(broadcast)[2:6] == ["A", 0, 0, 0]


def test_every_type_has_an_example() -> None:
    assert set(packets._TYPES) - set(EXAMPLES) == set()
    assert set(EXAMPLES) - set(packets._TYPES) == {"chanlist-req"}  # only sent by those who ask for it: unknown to us


@pytest.mark.parametrize(
    "value",
    [
        5,
        [],
        {},
        ["tell", 5, "A", 0, 0],
        [0, 5, "A", 0, 0, 0],
        ["tell", "5", "A", 0, 0, 0, "x", "y"],
        ["tell", 5, 0, 0, 0, 0, "x", "y"],
        ["tell", 5, "", 0, 0, 0, "x", "y"],
        ["tell", 5, "A", 7, 0, 0, "x", "y"],
        ["tell", 5, "A", [], 0, 0, "x", "y"],
        ["tell", 5, "A", 0, {}, 0, "x", "y"],
    ],
)
def test_no_packet(value: Any) -> None:
    with pytest.raises(BadPacket) as wrong:
        parse(value)
    assert wrong.value.packet is None


@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        ("tell", [1, "x"]),
        ("tell", ["x", ["y"]]),
        ("channel-m", ["imud", "Ann"]),
        ("channel-listen", ["imud", "1"]),
        ("mudlist", ["9", {}]),
        ("mudlist", [9, "x"]),
        ("who-reply", ["x"]),
        ("error", ["x"]),
    ],
)
def test_fields_of_the_wrong_kind(kind: str, rest: list[Any]) -> None:
    """Whoever sent it can be told: its header was good."""
    with pytest.raises(BadPacket) as wrong:
        parse([kind, *HEADER, *rest])
    assert wrong.value.code == "bad-pkt"
    assert wrong.value.packet is not None
    assert wrong.value.packet.from_mud == "Example MUD"


def test_as_old_muds_sent_them() -> None:
    tell = parse(["tell", *HEADER, "hi"])
    assert isinstance(tell, packets.Tell)
    assert (tell.visname, tell.message) == ("", "hi")
    found = parse(["locate-reply", *HEADER, "Other MUD", "Alice"])
    assert isinstance(found, packets.LocateReply)
    assert (found.idle, found.status) == (0, "")
    error = parse(["error", *HEADER, "unk-dst", "no"])
    assert isinstance(error, packets.Error)
    assert error.packet == 0


def test_of_a_type_nobody_knows() -> None:
    packet = parse(["irn-data", *HEADER, 1, "x"])
    assert isinstance(packet, Unknown)
    assert (packet.kind, packet.rest) == ("irn-data", (1, "x"))
    assert values(packet) == ["irn-data", *HEADER, 1, "x"]


def test_an_entry_of_a_mud_list() -> None:
    value = [-1, "1.2.3.4", 4000, 0, 0, "m", "b", "d", "LP", "open", "a@b", {"tell": 1}, 0]
    info = MudInfo.read(value)
    assert info.up
    assert info.services == {"tell": 1}
    assert MudInfo.read(info.write()) == info
    old = MudInfo.read([*value[:10], {"tell": 1}])
    assert (old.admin_email, old.services) == ("", {"tell": 1})
    for wrong in (0, [], value[:12], ["-1", *value[1:]], [*value[:11], "x", 0]):
        with pytest.raises(BadPacket):
            MudInfo.read(wrong)


def test_other_entries() -> None:
    assert ChannelInfo.read(["A", 1]) == ChannelInfo("A", 1)
    assert WhoRow.read(["Alice", -1, 0]) == WhoRow("Alice", -1, "")
    for cls, wrong in ((ChannelInfo, ["A"]), (ChannelInfo, 0), (WhoRow, ["A", 1]), (WhoRow, ["A", "1", "x"])):
        with pytest.raises(BadPacket):
            cls.read(wrong)


ANYTHING = st.recursive(
    st.integers(-9, 9) | st.text("ab*0", max_size=3) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", max_size=2), inner, max_size=2),
    max_leaves=8,
)


@given(st.sampled_from(sorted(EXAMPLES)), st.lists(ANYTHING, max_size=22))
def test_any_fields(kind: str, rest: list[Any]) -> None:
    """A packet or its error, and nothing else; what is a packet can be sent on."""
    try:
        packet = parse([kind, *rest])
    except BadPacket:
        return
    assert isinstance(packet, Packet)
    assert values(packet)[0] == kind
    assert all(one.name for one in fields(packet))
