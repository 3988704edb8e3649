"""What a MUD behind the gateway is told: packets of the network as events, with the names its clients know.

Some fields stand there twice, under a second name: client libraries and examples that are in use read one or the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from mythos.wire import clean as wire
from mythos.wire.i3 import packets
from mythos.wire.i3.packets import BadPacket, Packet, WhoRow

__all__ = ["ROWS", "Event", "Told", "channel_event", "clean", "event_of", "name", "now_text"]

#: Most characters of words, of a line on a channel or a field of an answer, of a name, and of what a row of an answer
#: says; and most rows.
TEXT: Final = 16_384
LINE: Final = 4096
NAME: Final = 128
EXTRA: Final = 512
ROWS: Final = 512
#: What an event is made of: its method, parameters, permission and channel.
Told = tuple[str, dict[str, Any], str, str]

_encode = msgspec.json.Encoder().encode
_LEVEL = re.compile(r"Level (\d+) - ")


class Event:
    """:ivar permission: who of a MUD's sessions is told; empty: all
    :ivar channel: only those who joined it; empty: all
    :ivar at: unix second
    :ivar id: of this gateway, rising
    """

    __slots__ = ("_tail", "at", "channel", "id", "method", "params", "permission")

    def __init__(
        self, id: int, at: float, method: str, params: Mapping[str, Any], permission: str = "", channel: str = ""
    ) -> None:
        self.id = id
        self.at = at
        self.method = method
        self.params = params
        self.permission = permission
        self.channel = channel
        self._tail = b""

    def encode(self, seq: int) -> bytes:
        """As a notification; ``seq`` is the session's own, the rest is encoded once for all."""
        tail = self._tail or self._encoded()
        return b'{"jsonrpc":"2.0","method":"%b","params":{"seq":%d,%b' % (self.method.encode(), seq, tail)

    @property
    def size(self) -> int:
        """About how many bytes it has."""
        return len(self._tail or self._encoded())

    def _encoded(self) -> bytes:
        when = datetime.fromtimestamp(self.at, UTC)  # the encoder writes it as now_text does, but for whole seconds
        timestamp = when if when.microsecond else now_text(self.at)
        self._tail = _encode({**self.params, "timestamp": timestamp})[1:] + b"}"
        return self._tail

    def kept(self) -> list[Any]:
        """As JSON, for :meth:`again`."""
        return [self.id, self.at, self.method, self.params, self.permission, self.channel]

    @classmethod
    def again(cls, kept: list[Any]) -> Event:
        return cls(*kept)


def now_text(wall: float) -> str:
    """ISO 8601 in UTC, with microseconds and a Z."""
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def clean(text: str, longest: int = LINE) -> str:
    """Words that are safe to show, and no more of them than one wants to read."""
    return wire.clean_lines(text[:longest])


def name(text: str) -> str:
    """A name, on one line."""
    text = text[:NAME]
    return text if text.isprintable() else wire.clean(text)


def event_of(packet: Packet) -> Told | None:
    """A packet as an event. None: it is none."""
    make = _EVENTS.get(type(packet))
    told: Told | None = make(packet) if make is not None else None
    return told


def _told(packet: packets.Tell | packets.EmoteTo) -> Told:
    message = clean(packet.message, TEXT)
    params = {
        **_ends(packet),
        "message": message,
        "visname": name(packet.visname) or name(packet.from_user),
        "to_user": name(packet.to_user),
    }
    if isinstance(packet, packets.Tell):
        return "tell_received", params, "tell", ""
    return "emoteto_received", {**params, "emote": message}, "tell", ""


def _ends(packet: Packet) -> dict[str, Any]:
    """Where it comes from and goes to."""
    return {"from_mud": name(packet.from_mud), "from_user": name(packet.from_user), "to_mud": name(packet.to_mud)}


def channel_event(kind: str, channel: str, mud: str, user: str, visname: str, message: str) -> Told:
    """:param kind: message or emote"""
    params = {
        "channel": channel,
        "from_mud": mud,
        "from_user": user,
        "message": message,
        "visname": visname or user,
        "type": kind,
        "user": visname or user,
        "mud": mud,
    }
    if kind == "emote":
        params["emote"] = message
    return f"channel_{kind}", params, "channel", channel


def _speaker(
    packet: packets.ChannelMessage | packets.ChannelEmote | packets.ChannelTargetedEmote,
) -> tuple[str, str, str]:
    return name(packet.from_mud), name(packet.from_user), name(packet.visname)


def _said(packet: packets.ChannelMessage) -> Told:
    words = clean(packet.message)
    return channel_event("message", packet.channel, *_speaker(packet), words)


def _emoted(packet: packets.ChannelEmote) -> Told:
    words = clean(packet.message)
    return channel_event("emote", packet.channel, *_speaker(packet), words)


def _emoted_at(packet: packets.ChannelTargetedEmote) -> Told:
    words = clean(packet.message or packet.message_target)
    method, params, permission, channel = channel_event("emote", packet.channel, *_speaker(packet), words)
    target = {
        "target_mud": name(packet.target_mud),
        "target_user": name(packet.target_user),
        "target_visname": name(packet.target_visname),
        "message_target": clean(packet.message_target),
    }
    return method, params | target, permission, channel


def _who(packet: packets.WhoReply) -> Told:
    users = []
    for row in packet.rows[:ROWS]:
        try:
            one = WhoRow.read(row)
        except BadPacket:
            continue
        extra = clean(one.extra, EXTRA)
        level = _LEVEL.match(extra)
        users.append(
            {
                "name": name(one.visname),
                "idle": one.idle,
                "idle_time": one.idle,
                "level": int(level[1][:9]) if level else 0,
                "extra": extra,
            }
        )
    return "who_reply", {**_ends(packet), "to_user": name(packet.to_user), "users": users}, "info", ""


def _finger(packet: packets.FingerReply) -> Told:
    info = {
        "name": name(packet.visname),
        "title": clean(packet.title),
        "real_name": clean(packet.real_name),
        "email": clean(packet.email),
        "login_time": clean(packet.login_time),
        "idle_time": packet.idle,
        "ip_address": clean(packet.ip_name),
        "level": clean(packet.level),
        "extra": clean(packet.extra),
    }
    params = {**_ends(packet), "to_user": name(packet.to_user), "user_info": info if packet.visname else {}}
    return "finger_reply", params, "info", ""


def _locate(packet: packets.LocateReply) -> Told:
    params = {
        **_ends(packet),
        "to_user": name(packet.to_user),
        "located_mud": name(packet.mud),
        "located_user": name(packet.visname),
        "idle": packet.idle,
        "status": clean(packet.status),
    }
    return "locate_reply", params, "info", ""


def _error(packet: packets.Error) -> Told | None:
    about = packet.packet
    if isinstance(about, list) and about[:1] == ["locate-req"] and packet.code in ("unk-dst", "unk-type", "not-imp"):
        return None  # MUDs without that service complain of every such question
    message = clean(packet.message)
    params = {
        "error_code": name(packet.code),
        "error_message": message,
        "message": message,
        **_ends(packet),
        "to_user": name(packet.to_user),
        "context": "i3_packet_error",
    }
    return "error_occurred", params, "", ""


def _updated(packet: packets.UcacheUpdate) -> Told:
    who = {"mud": name(packet.from_mud), "user": name(packet.user), "visname": name(packet.visname)}
    params = {**who, "status": "updated"}
    return "user_status_changed", params, "info", ""


_EVENTS: Mapping[type[Packet], Any] = {
    packets.Tell: _told,
    packets.EmoteTo: _told,
    packets.ChannelMessage: _said,
    packets.ChannelEmote: _emoted,
    packets.ChannelTargetedEmote: _emoted_at,
    packets.WhoReply: _who,
    packets.FingerReply: _finger,
    packets.LocateReply: _locate,
    packets.Error: _error,
    packets.UcacheUpdate: _updated,
}
