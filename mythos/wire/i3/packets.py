"""The packets of Intermud-3 as values with named fields, from LPC arrays and back.

Every packet has a header of six: type, hops left, the MUD and user it comes from, and those it is for. An absent
string is 0 on the wire and ``""`` here; a packet for no MUD is a broadcast. Field names are those of the specification,
shortened where it repeats itself.

====================================================  =========================================================
to the router                                         from the router
====================================================  =========================================================
:class:`StartupRequest`, :class:`Shutdown`            :class:`StartupReply`, :class:`MudList`, :class:`ChannelList`
:class:`ChannelListen`, ``Add``, ``Remove``,          :class:`Error`, :class:`ChannelFilterRequest`
``Admin``, :class:`ChannelFilterReply`                :class:`ChannelAck`
====================================================  =========================================================

All others go between MUDs, through routers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from sys import intern
from typing import Annotated, Any, ClassVar, Final, get_type_hints

from msgspec import Struct

from mythos.errors import WireError
from mythos.wire.i3.lpc import Value

__all__ = [
    "AuthReply",
    "AuthRequest",
    "BadPacket",
    "ChannelAck",
    "ChannelAdd",
    "ChannelAdmin",
    "ChannelAdminList",
    "ChannelAdminListReply",
    "ChannelEmote",
    "ChannelFilterReply",
    "ChannelFilterRequest",
    "ChannelInfo",
    "ChannelList",
    "ChannelListen",
    "ChannelMessage",
    "ChannelRemove",
    "ChannelTargetedEmote",
    "ChannelUserReply",
    "ChannelUserRequest",
    "ChannelWhoReply",
    "ChannelWhoRequest",
    "EmoteTo",
    "Error",
    "FingerReply",
    "FingerRequest",
    "LocateReply",
    "LocateRequest",
    "MudInfo",
    "MudList",
    "Packet",
    "PingReply",
    "PingRequest",
    "RouterShutdown",
    "Shutdown",
    "StartupReply",
    "StartupRequest",
    "Tell",
    "UcacheUpdate",
    "Unknown",
    "WhoReply",
    "WhoRequest",
    "WhoRow",
    "parse",
    "values",
]

#: Hops that everybody sends.
TTL: Final = 5
HEADER: Final = 6


class BadPacket(WireError):
    """A value that is no packet, or a packet whose fields are of the wrong kind.

    :ivar code: of the protocol's errors
    :ivar packet: what could be read of its header, so that an error can be sent; None: nothing
    """

    def __init__(self, message: str, packet: Unknown | None = None) -> None:
        super().__init__(message)
        self.code = "bad-pkt"
        self.packet = packet


# ── kinds of fields: how each is read and written ───────────────────────────────────────────────


def _text(value: Value) -> str:
    """A string; 0 is absent."""
    if type(value) is str:
        return value
    if value == 0:
        return ""
    raise TypeError("a string")


def _name(value: Value) -> str:
    """As :func:`_text`; ``"0"`` is absent too."""
    text = _text(value)
    return "" if text == "0" else text


def _number(value: Value) -> int:
    if type(value) is int:
        return value
    raise TypeError("an int")


def _level(value: Value) -> str:
    """A string by the specification; ints occur."""
    return str(value) if type(value) is int and value else _text(value)


def _mapping(value: Value) -> Mapping[Any, Value]:
    if type(value) is dict:
        return value
    if value == 0 or value == []:
        return {}
    raise TypeError("a mapping")


def _list(value: Value) -> Sequence[Value]:
    if type(value) is list:
        return tuple(value)
    if value == 0:
        return ()
    raise TypeError("an array")


def _names(value: Value) -> Sequence[str]:
    return tuple([one for one in _list(value) if type(one) is str])


def _any(value: Value) -> Value:
    return value


def _absent(value: str) -> Value:
    return value or 0


@dataclass(frozen=True, slots=True)
class _Kind:
    """:ivar good: the type that needs no reading; None: all do
    :ivar write: None: as it is
    """

    read: Callable[[Value], Any]
    write: Callable[[Any], Value] | None = None
    good: type | None = None


#: The types of fields, with how LPC has them.
Text = Annotated[str, _Kind(_text, good=str)]
Optional = Annotated[str, _Kind(_name, _absent)]
Number = Annotated[int, _Kind(_number, good=int)]
Level = Annotated[str, _Kind(_level, _absent)]
Services = Annotated[Mapping[str, int], _Kind(_mapping, dict)]
Entries = Annotated[Mapping[str, Value], _Kind(_mapping, dict)]
Items = Annotated[Sequence[Value], _Kind(_list, list)]
Names = Annotated[Sequence[str], _Kind(_names, list)]
Anything = Annotated[Value, _Kind(_any)]


# ── packets ─────────────────────────────────────────────────────────────────────────────────────

_TYPES: dict[str, type[Packet]] = {}


class _Sent(Struct, frozen=True, kw_only=True):
    """:ivar ttl: hops left"""

    ttl: int = TTL


class Packet(_Sent, frozen=True):
    """:ivar from_mud: who sends it, a MUD or a router (``*name``); ``from_user``: empty for the MUD itself
    :ivar to_mud: empty: everybody; ``to_user``: empty: the MUD as a whole
    """

    TYPE: ClassVar[str] = ""
    _reads: ClassVar[tuple[tuple[Callable[[Value], Any], type | None], ...]] = ()
    _writes: ClassVar[tuple[tuple[int, Callable[[Any], Value]], ...]] = ()
    _row: ClassVar[Callable[[Any], tuple[Value, ...]]]

    from_mud: str
    from_user: str
    to_mud: str
    to_user: str

    @classmethod
    def __init_subclass__(cls) -> None:
        if cls.TYPE:
            _TYPES[cls.TYPE] = cls


class Unknown(Packet, frozen=True):
    """Of a type that we do not know. ``rest``: its fields behind the header."""

    kind: str
    rest: Sequence[Value]


class StartupRequest(Packet, frozen=True):
    """A MUD asks to be let in. ``password``: 0 the first time; lists: 0 for a MUD that has nothing yet."""

    TYPE: ClassVar[str] = "startup-req-3"
    password: Number
    mudlist_id: Number
    chanlist_id: Number
    player_port: Number
    tcp_port: Number
    udp_port: Number
    mudlib: Text
    base_mudlib: Text
    driver: Text
    mud_type: Text
    open_status: Text
    admin_email: Text
    services: Services
    other_data: Entries


class StartupReply(Packet, frozen=True):
    """Let in. ``routers``: (name, "address port"), the preferred one first; ``password``: for the next time."""

    TYPE: ClassVar[str] = "startup-reply"
    routers: Items
    password: Number


class MudList(Packet, frozen=True):
    """Changes: MUDs that are not in ``muds`` stay as they were; 0 deletes one. See :meth:`MudInfo.read`."""

    TYPE: ClassVar[str] = "mudlist"
    id: Number
    muds: Entries


class ChannelList(Packet, frozen=True):
    """Changes, as for :class:`MudList`. See :meth:`ChannelInfo.read`."""

    TYPE: ClassVar[str] = "chanlist-reply"
    id: Number
    channels: Entries


class Shutdown(Packet, frozen=True):
    """``delay``: seconds until it is back; 0: unknown, 1: at once."""

    TYPE: ClassVar[str] = "shutdown"
    delay: Number


class RouterShutdown(Packet, frozen=True):
    TYPE: ClassVar[str] = "router-shutdown"
    delay: Number


class PingRequest(Packet, frozen=True):
    TYPE: ClassVar[str] = "ping-req"


class PingReply(Packet, frozen=True):
    TYPE: ClassVar[str] = "ping-reply"
    token: Number


class AuthRequest(Packet, frozen=True):
    TYPE: ClassVar[str] = "auth-mud-req"


class AuthReply(Packet, frozen=True):
    TYPE: ClassVar[str] = "auth-mud-reply"
    token: Number


class Error(Packet, frozen=True):
    """``packet``: the one that it is about, as it was; 0: not said."""

    TYPE: ClassVar[str] = "error"
    code: Text
    message: Text
    packet: Anything


class Tell(Packet, frozen=True):
    TYPE: ClassVar[str] = "tell"
    visname: Text
    message: Text


class EmoteTo(Packet, frozen=True):
    """``message`` holds ``$N`` for who does it."""

    TYPE: ClassVar[str] = "emoteto"
    visname: Text
    message: Text


class ChannelMessage(Packet, frozen=True):
    TYPE: ClassVar[str] = "channel-m"
    channel: Text
    visname: Text
    message: Text


class ChannelEmote(Packet, frozen=True):
    """``message`` holds ``$N`` for who does it."""

    TYPE: ClassVar[str] = "channel-e"
    channel: Text
    visname: Text
    message: Text


class ChannelTargetedEmote(Packet, frozen=True):
    """``$N`` is who does it, ``$O`` to whom. ``message``: for others; ``message_target``: for the target."""

    TYPE: ClassVar[str] = "channel-t"
    channel: Text
    target_mud: Optional
    target_user: Optional
    message: Text
    message_target: Text
    visname: Text
    target_visname: Text


class ChannelListen(Packet, frozen=True):
    TYPE: ClassVar[str] = "channel-listen"
    channel: Text
    on: Number


class ChannelAdd(Packet, frozen=True):
    """``kind``: 0 open but for whom it bans, 1 only for whom it admits, 2 the same and filtered by its host."""

    TYPE: ClassVar[str] = "channel-add"
    channel: Text
    kind: Number


class ChannelRemove(Packet, frozen=True):
    TYPE: ClassVar[str] = "channel-remove"
    channel: Text


class ChannelAdmin(Packet, frozen=True):
    """MUDs to put on the channel's list of those banned, or admitted, and to take off it."""

    TYPE: ClassVar[str] = "channel-admin"
    channel: Text
    add: Names
    remove: Names


class ChannelAdminList(Packet, frozen=True):
    """A channel's host asks the router for that list. Not all routers have it."""

    TYPE: ClassVar[str] = "chan-adminlist"
    channel: Text


class ChannelAdminListReply(Packet, frozen=True):
    TYPE: ClassVar[str] = "chan-adminlist-reply"
    channel: Text
    muds: Names


class ChannelAck(Packet, frozen=True):
    """The router has done what somebody asked for a channel. Not all routers say so."""

    TYPE: ClassVar[str] = "chan-ack"
    message: Text


class ChannelFilterRequest(Packet, frozen=True):
    """The router asks a channel's host what becomes of a packet."""

    TYPE: ClassVar[str] = "chan-filter-req"
    channel: Text
    packet: Anything


class ChannelFilterReply(Packet, frozen=True):
    TYPE: ClassVar[str] = "chan-filter-reply"
    channel: Text
    packet: Anything


class ChannelWhoRequest(Packet, frozen=True):
    TYPE: ClassVar[str] = "chan-who-req"
    channel: Text


class ChannelWhoReply(Packet, frozen=True):
    TYPE: ClassVar[str] = "chan-who-reply"
    channel: Text
    names: Names


class ChannelUserRequest(Packet, frozen=True):
    TYPE: ClassVar[str] = "chan-user-req"
    user: Text


class ChannelUserReply(Packet, frozen=True):
    """``gender``: 0 male, 1 female, 2 neuter."""

    TYPE: ClassVar[str] = "chan-user-reply"
    user: Text
    visname: Text
    gender: Number


class UcacheUpdate(Packet, frozen=True):
    TYPE: ClassVar[str] = "ucache-update"
    user: Text
    visname: Text
    gender: Number


class WhoRequest(Packet, frozen=True):
    TYPE: ClassVar[str] = "who-req"


class WhoReply(Packet, frozen=True):
    """``rows``: see :meth:`WhoRow.read`."""

    TYPE: ClassVar[str] = "who-reply"
    rows: Items


class FingerRequest(Packet, frozen=True):
    TYPE: ClassVar[str] = "finger-req"
    user: Text


class FingerReply(Packet, frozen=True):
    """What is private is empty. ``idle``: seconds, -1: not here."""

    TYPE: ClassVar[str] = "finger-reply"
    visname: Optional
    title: Optional
    real_name: Optional
    email: Optional
    login_time: Optional
    idle: Number
    ip_name: Optional
    level: Level
    extra: Optional


class LocateRequest(Packet, frozen=True):
    TYPE: ClassVar[str] = "locate-req"
    user: Text


class LocateReply(Packet, frozen=True):
    TYPE: ClassVar[str] = "locate-reply"
    mud: Text
    visname: Text
    idle: Number
    status: Optional


_HEADER: Final = ("TYPE", "ttl", "from_mud", "from_user", "to_mud", "to_user")


def _prepare(cls: type[Packet]) -> None:
    """How its fields are read and written."""
    hints = get_type_hints(cls, include_extras=True)
    own = {name: hints[name].__metadata__[0] for name in cls.__struct_fields__ if hasattr(hints[name], "__metadata__")}
    cls._reads = tuple([(kind.read, kind.good) for kind in own.values()])
    cls._writes = tuple([(place, kind.write) for place, kind in enumerate(own.values(), HEADER) if kind.write])
    cls._row = attrgetter(*_HEADER, *own)


for _type in _TYPES.values():
    _prepare(_type)
#: Replies that were shorter once: what old MUDs leave out at their end.
_SHORT: Final[Mapping[str, Sequence[Value]]] = {"locate-reply": (0, 0), "error": (0,)}


def parse(value: Value) -> Packet:
    """A packet of its type, or :class:`Unknown`.

    :raises BadPacket: it has no header, or a field of the wrong kind
    """
    if type(value) is not list or len(value) < HEADER:
        raise BadPacket("a packet is an array of six and more")
    kind, ttl, from_mud = value[:3]
    if type(kind) is not str or type(ttl) is not int or type(from_mud) is not str or not from_mud:
        raise BadPacket("a header begins with a type, the hops left and the MUD it comes from")
    try:
        from_user, to_mud, to_user = [
            "" if name == 0 or name == "0" else name if type(name) is str else _name(name) for name in value[3:HEADER]
        ]
    except TypeError as error:
        raise BadPacket(f"a header's names are strings or 0, not {error}") from error
    header = from_mud, from_user, to_mud, to_user
    cls: Any = _TYPES.get(kind)
    if cls is None:
        return Unknown(*header, kind, tuple(value[HEADER:]), ttl=ttl)
    rest: list[Value] = value[HEADER:]
    reads = cls._reads
    if len(rest) < len(reads):
        longer = _lengthened(kind, rest, len(reads))
        if longer is None:
            unknown = Unknown(*header, kind, tuple(rest), ttl=ttl)
            raise BadPacket(f"a {kind} has {HEADER + len(reads)} fields, not {len(value)}", unknown)
        rest = longer
    try:
        found: Packet = cls(
            *header,
            *[one if type(one) is good else read(one) for (read, good), one in zip(reads, rest, strict=False)],
            ttl=ttl,
        )
    except TypeError as error:
        unknown = Unknown(*header, kind, tuple(value[HEADER:]), ttl=ttl)
        raise BadPacket(f"a field of this {kind} is not {error}", unknown) from error
    return found


def _lengthened(kind: str, rest: list[Value], size: int) -> list[Value] | None:
    """A packet as old MUDs sent it, as today's."""
    if kind == "tell" and len(rest) == 1:
        return [0, *rest]
    missing = _SHORT.get(kind, ())
    return [*rest, *missing[len(missing) - (size - len(rest)) :]] if 0 < size - len(rest) <= len(missing) else None


def values(packet: Packet) -> list[Value]:
    """The LPC array of a packet."""
    if type(packet) is Unknown:
        header: list[Value] = [packet.kind, packet.ttl, packet.from_mud]
        return [*header, packet.from_user or 0, packet.to_mud or 0, packet.to_user or 0, *packet.rest]
    row = list(type(packet)._row(packet))
    for place in (3, 4, 5):
        row[place] = row[place] or 0
    for place, write in packet._writes:
        row[place] = write(row[place])
    return row


# ── what stands in lists ────────────────────────────────────────────────────────────────────────


class MudInfo(Struct, frozen=True):
    """One MUD of a mud list. ``state``: -1 up, 0 down, else down for about so many seconds."""

    state: int
    address: str
    player_port: int
    tcp_port: int
    udp_port: int
    mudlib: str
    base_mudlib: str
    driver: str
    mud_type: str
    open_status: str
    admin_email: str
    services: Mapping[str, Value]
    other_data: Mapping[str, Value]

    @classmethod
    def read(cls, value: Value) -> MudInfo:
        """:raises BadPacket: it is none; old entries of 11 are"""
        if type(value) is not list or len(value) not in (11, 13):
            raise BadPacket("an entry of a mud list has 13 fields")
        if len(value) == 11:  # without address of the admin and other data
            value = [*value[:10], 0, value[10], 0]
        try:
            state, player_port, tcp_port, udp_port = [_number(value[place]) for place in (0, 2, 3, 4)]
            address, mudlib, base, driver, mud_type, status, admin = [
                _text(value[place]) for place in (1, *range(5, 11))
            ]
            services, other = _mapping(value[11]), _mapping(value[12])
        except TypeError as error:
            raise BadPacket(f"a field of an entry of a mud list is not {error}") from error
        mudlib, base, driver = intern(mudlib), intern(base), intern(driver)  # thousands say the same
        mud_type, status = intern(mud_type), intern(status)
        return cls(
            *(state, address, player_port, tcp_port, udp_port, mudlib, base, driver, mud_type, status, admin),
            services,
            other,
        )

    def write(self) -> Value:
        return [
            *(self.state, self.address, self.player_port, self.tcp_port, self.udp_port, self.mudlib),
            *(self.base_mudlib, self.driver, self.mud_type, self.open_status, self.admin_email),
            *(dict(self.services), dict(self.other_data)),
        ]

    @property
    def up(self) -> bool:
        return self.state == -1


class ChannelInfo(Struct, frozen=True):
    """One channel of a channel list; ``kind`` as in :class:`ChannelAdd`."""

    host: str
    kind: int

    @classmethod
    def read(cls, value: Value) -> ChannelInfo:
        """:raises BadPacket: it is none"""
        if type(value) is not list or len(value) < 2 or type(value[0]) is not str or type(value[1]) is not int:
            raise BadPacket("an entry of a channel list is a host and a kind")
        return cls(value[0], value[1])

    def write(self) -> Value:
        return [self.host, self.kind]


class WhoRow(Struct, frozen=True):
    """One line of a who list; some are decoration, with an idle time that says nothing."""

    visname: str
    idle: int
    extra: str

    @classmethod
    def read(cls, value: Value) -> WhoRow:
        """:raises BadPacket: it is none"""
        if type(value) is not list or len(value) < 3:
            raise BadPacket("a row of a who list has 3 fields")
        try:
            return cls(_text(value[0]), _number(value[1]), _text(value[2]))
        except TypeError as error:
            raise BadPacket(f"a field of a row of a who list is not {error}") from error

    def write(self) -> Value:
        return [self.visname, self.idle, self.extra]
