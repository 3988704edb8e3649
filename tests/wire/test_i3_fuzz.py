"""Packets that were broken on purpose: fifty thousand in each run, a million in the long form."""

from __future__ import annotations

import random

from mythos.wire.i3 import packets
from mythos.wire.i3.lpc import LpcError, decode, encode
from mythos.wire.i3.packets import BadPacket, ChannelInfo, MudInfo, WhoRow, parse, values
from mythos.wire.i3.pinkfish import plain
from tests.wire.test_i3_packets import EXAMPLES, HEADER

_SPLICES = (
    b"({",
    b"})",
    b"([",
    b"])",
    b",",
    b":",
    b'"',
    b"\\",
    b"\0",
    b"\r",
    b"-1",
    b"9" * 30,
    b"%^RED%^",
    b"\xff",
    b"(/",
)


def broken(dice: random.Random, text: bytes) -> bytes:
    """A few bytes changed, cut out, doubled or put in."""
    data = bytearray(text)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(4):
            case 0:
                data[at : at + dice.randint(1, 6)] = b""
            case 1:
                data[at:at] = dice.choice(_SPLICES)
            case 2:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case _:
                data[at:at] = data[at : at + dice.randint(1, 20)]
    return bytes(data)


def test_nothing_but_its_own_errors(long: bool) -> None:
    """What is read after all can be written, and reads the same; its words show no control character."""
    dice = random.Random(7)
    whole = [encode([kind, *HEADER, *rest]) for kind, rest in EXAMPLES.items()]
    read = refused = 0
    for _ in range(1_000_000 if long else 50_000):
        found, error = decode(broken(dice, dice.choice(whole)))
        assert error is None or isinstance(error, LpcError)
        for value in found:
            try:
                packet = parse(value)
            except BadPacket:
                refused += 1
                continue
            read += 1
            entries = packet.muds.values() if isinstance(packet, packets.MudList) else ()
            channels = packet.channels.values() if isinstance(packet, packets.ChannelList) else ()
            rows = packet.rows if isinstance(packet, packets.WhoReply) else ()
            for cls, several in ((MudInfo, entries), (ChannelInfo, channels), (WhoRow, rows)):
                for one in several:
                    try:
                        cls.read(one)
                    except BadPacket:
                        refused += 1
            try:
                again, nothing = decode(encode(values(packet)))
            except LpcError:
                continue  # a number that is too large to be sent on
            assert nothing is None
            assert [values(parse(one)) for one in again] == [values(packet)]
            if isinstance(packet, packets.Tell):
                assert all(letter >= " " or letter == "\n" for letter in plain(packet.message))
    assert min(read, refused) > 1000
