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
from dataclasses import dataclass, field, fields
from sys import intern
from typing import Any, ClassVar, Final

from mythos.errors import WireError
from mythos.wire.i3.lpc import Value

# ruff: noqa: RUF009  (`_is` is dataclasses.field with more to say)

__all__ = [
    "AuthReply",
    "AuthRequest",
    "BadPacket",
    "ChannelAck",
    "ChannelAdd",
    "ChannelAdmin",
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


def _as_it_is(value: Any) -> Value:
    return value


def _absent(value: str) -> Value:
    return value or 0


def _as_list(value: Sequence[Any]) -> Value:
    return list(value)


def _as_map(value: Mapping[Any, Any]) -> Value:
    return dict(value)


@dataclass(frozen=True, slots=True)
class _Kind:
    read: Callable[[Value], Any]
    write: Callable[[Any], Value]


_TEXT = _Kind(_text, _as_it_is)
_OPTIONAL = _Kind(_name, _absent)
_NUMBER = _Kind(_number, _as_it_is)
_LEVEL = _Kind(_level, _absent)
_MAPPING = _Kind(_mapping, _as_map)
_LIST = _Kind(_list, _as_list)
_NAMES = _Kind(_names, _as_list)
_ANY = _Kind(_any, _as_it_is)


def _is(kind: _Kind) -> Any:
    return field(metadata={"kind": kind})


# ── packets ─────────────────────────────────────────────────────────────────────────────────────

_TYPES: dict[str, type[Packet]] = {}


@dataclass(frozen=True, slots=True)
class Packet:
    """:ivar from_mud: who sends it, a MUD or a router (``*name``); ``from_user``: empty for the MUD itself
    :ivar to_mud: empty: everybody; ``to_user``: empty: the MUD as a whole
    """

    TYPE: ClassVar[str] = ""
    _kinds: ClassVar[tuple[_Kind, ...]] = ()
    _made_of: ClassVar[tuple[str, ...]] = ()

    from_mud: str
    from_user: str
    to_mud: str
    to_user: str
    ttl: int = field(default=TTL, kw_only=True)

    @classmethod
    def __init_subclass__(cls) -> None:
        if cls.TYPE:
            _TYPES[cls.TYPE] = cls


@dataclass(frozen=True, slots=True)
class Unknown(Packet):
    """Of a type that we do not know. ``rest``: its fields behind the header."""

    kind: str
    rest: Sequence[Value]


@dataclass(frozen=True, slots=True)
class StartupRequest(Packet):
    """A MUD asks to be let in. ``password``: 0 the first time; lists: 0 for a MUD that has nothing yet."""

    TYPE: ClassVar[str] = "startup-req-3"
    password: int = _is(_NUMBER)
    mudlist_id: int = _is(_NUMBER)
    chanlist_id: int = _is(_NUMBER)
    player_port: int = _is(_NUMBER)
    tcp_port: int = _is(_NUMBER)
    udp_port: int = _is(_NUMBER)
    mudlib: str = _is(_TEXT)
    base_mudlib: str = _is(_TEXT)
    driver: str = _is(_TEXT)
    mud_type: str = _is(_TEXT)
    open_status: str = _is(_TEXT)
    admin_email: str = _is(_TEXT)
    services: Mapping[str, int] = _is(_MAPPING)
    other_data: Mapping[str, Value] = _is(_MAPPING)


@dataclass(frozen=True, slots=True)
class StartupReply(Packet):
    """Let in. ``routers``: (name, "address port"), the preferred one first; ``password``: for the next time."""

    TYPE: ClassVar[str] = "startup-reply"
    routers: Sequence[Value] = _is(_LIST)
    password: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class MudList(Packet):
    """Changes: MUDs that are not in ``muds`` stay as they were; 0 deletes one. See :meth:`MudInfo.read`."""

    TYPE: ClassVar[str] = "mudlist"
    id: int = _is(_NUMBER)
    muds: Mapping[str, Value] = _is(_MAPPING)


@dataclass(frozen=True, slots=True)
class ChannelList(Packet):
    """Changes, as for :class:`MudList`. See :meth:`ChannelInfo.read`."""

    TYPE: ClassVar[str] = "chanlist-reply"
    id: int = _is(_NUMBER)
    channels: Mapping[str, Value] = _is(_MAPPING)


@dataclass(frozen=True, slots=True)
class Shutdown(Packet):
    """``delay``: seconds until it is back; 0: unknown, 1: at once."""

    TYPE: ClassVar[str] = "shutdown"
    delay: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class RouterShutdown(Packet):
    TYPE: ClassVar[str] = "router-shutdown"
    delay: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class PingRequest(Packet):
    TYPE: ClassVar[str] = "ping-req"


@dataclass(frozen=True, slots=True)
class PingReply(Packet):
    TYPE: ClassVar[str] = "ping-reply"
    token: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class AuthRequest(Packet):
    TYPE: ClassVar[str] = "auth-mud-req"


@dataclass(frozen=True, slots=True)
class AuthReply(Packet):
    TYPE: ClassVar[str] = "auth-mud-reply"
    token: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class Error(Packet):
    """``packet``: the one that it is about, as it was; 0: not said."""

    TYPE: ClassVar[str] = "error"
    code: str = _is(_TEXT)
    message: str = _is(_TEXT)
    packet: Value = _is(_ANY)


@dataclass(frozen=True, slots=True)
class Tell(Packet):
    TYPE: ClassVar[str] = "tell"
    visname: str = _is(_TEXT)
    message: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class EmoteTo(Packet):
    """``message`` holds ``$N`` for who does it."""

    TYPE: ClassVar[str] = "emoteto"
    visname: str = _is(_TEXT)
    message: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class ChannelMessage(Packet):
    TYPE: ClassVar[str] = "channel-m"
    channel: str = _is(_TEXT)
    visname: str = _is(_TEXT)
    message: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class ChannelEmote(Packet):
    """``message`` holds ``$N`` for who does it."""

    TYPE: ClassVar[str] = "channel-e"
    channel: str = _is(_TEXT)
    visname: str = _is(_TEXT)
    message: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class ChannelTargetedEmote(Packet):
    """``$N`` is who does it, ``$O`` to whom. ``message``: for others; ``message_target``: for the target."""

    TYPE: ClassVar[str] = "channel-t"
    channel: str = _is(_TEXT)
    target_mud: str = _is(_OPTIONAL)
    target_user: str = _is(_OPTIONAL)
    message: str = _is(_TEXT)
    message_target: str = _is(_TEXT)
    visname: str = _is(_TEXT)
    target_visname: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class ChannelListen(Packet):
    TYPE: ClassVar[str] = "channel-listen"
    channel: str = _is(_TEXT)
    on: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class ChannelAdd(Packet):
    """``kind``: 0 open but for whom it bans, 1 only for whom it admits, 2 the same and filtered by its host."""

    TYPE: ClassVar[str] = "channel-add"
    channel: str = _is(_TEXT)
    kind: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class ChannelRemove(Packet):
    TYPE: ClassVar[str] = "channel-remove"
    channel: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class ChannelAdmin(Packet):
    """MUDs to put on the channel's list of those banned, or admitted, and to take off it."""

    TYPE: ClassVar[str] = "channel-admin"
    channel: str = _is(_TEXT)
    add: Sequence[str] = _is(_NAMES)
    remove: Sequence[str] = _is(_NAMES)


@dataclass(frozen=True, slots=True)
class ChannelAck(Packet):
    """The router has done what somebody asked for a channel. Not all routers say so."""

    TYPE: ClassVar[str] = "chan-ack"
    message: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class ChannelFilterRequest(Packet):
    """The router asks a channel's host what becomes of a packet."""

    TYPE: ClassVar[str] = "chan-filter-req"
    channel: str = _is(_TEXT)
    packet: Value = _is(_ANY)


@dataclass(frozen=True, slots=True)
class ChannelFilterReply(Packet):
    TYPE: ClassVar[str] = "chan-filter-reply"
    channel: str = _is(_TEXT)
    packet: Value = _is(_ANY)


@dataclass(frozen=True, slots=True)
class ChannelWhoRequest(Packet):
    TYPE: ClassVar[str] = "chan-who-req"
    channel: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class ChannelWhoReply(Packet):
    TYPE: ClassVar[str] = "chan-who-reply"
    channel: str = _is(_TEXT)
    names: Sequence[str] = _is(_NAMES)


@dataclass(frozen=True, slots=True)
class ChannelUserRequest(Packet):
    TYPE: ClassVar[str] = "chan-user-req"
    user: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class ChannelUserReply(Packet):
    """``gender``: 0 male, 1 female, 2 neuter."""

    TYPE: ClassVar[str] = "chan-user-reply"
    user: str = _is(_TEXT)
    visname: str = _is(_TEXT)
    gender: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class UcacheUpdate(Packet):
    TYPE: ClassVar[str] = "ucache-update"
    user: str = _is(_TEXT)
    visname: str = _is(_TEXT)
    gender: int = _is(_NUMBER)


@dataclass(frozen=True, slots=True)
class WhoRequest(Packet):
    TYPE: ClassVar[str] = "who-req"


@dataclass(frozen=True, slots=True)
class WhoReply(Packet):
    """``rows``: see :meth:`WhoRow.read`."""

    TYPE: ClassVar[str] = "who-reply"
    rows: Sequence[Value] = _is(_LIST)


@dataclass(frozen=True, slots=True)
class FingerRequest(Packet):
    TYPE: ClassVar[str] = "finger-req"
    user: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class FingerReply(Packet):
    """What is private is empty. ``idle``: seconds, -1: not here."""

    TYPE: ClassVar[str] = "finger-reply"
    visname: str = _is(_OPTIONAL)
    title: str = _is(_OPTIONAL)
    real_name: str = _is(_OPTIONAL)
    email: str = _is(_OPTIONAL)
    login_time: str = _is(_OPTIONAL)
    idle: int = _is(_NUMBER)
    ip_name: str = _is(_OPTIONAL)
    level: str = _is(_LEVEL)
    extra: str = _is(_OPTIONAL)


@dataclass(frozen=True, slots=True)
class LocateRequest(Packet):
    TYPE: ClassVar[str] = "locate-req"
    user: str = _is(_TEXT)


@dataclass(frozen=True, slots=True)
class LocateReply(Packet):
    TYPE: ClassVar[str] = "locate-reply"
    mud: str = _is(_TEXT)
    visname: str = _is(_TEXT)
    idle: int = _is(_NUMBER)
    status: str = _is(_OPTIONAL)


for _type in _TYPES.values():
    _own = [one for one in fields(_type) if "kind" in one.metadata]
    _type._kinds = tuple([one.metadata["kind"] for one in _own])
    _type._made_of = tuple([one.name for one in _own])
#: Replies that were shorter once: what old MUDs leave out at their end.
_SHORT: Final[Mapping[str, Sequence[Value]]] = {"locate-reply": (0, 0), "tell": (), "error": (0,)}


def parse(value: Value) -> Packet:
    """A packet of its type, or :class:`Unknown`.

    :raises BadPacket: it has no header, or a field of the wrong kind
    """
    if type(value) is not list or len(value) < HEADER:
        raise BadPacket("a packet is an array of six and more")
    kind, ttl, from_mud, from_user, to_mud, to_user = value[:HEADER]
    if type(kind) is not str or type(ttl) is not int or type(from_mud) is not str or not from_mud:
        raise BadPacket("a header begins with a type, the hops left and the MUD it comes from")
    try:
        header = from_mud, _name(from_user), _name(to_mud), _name(to_user)
    except TypeError as error:
        raise BadPacket(f"a header's names are strings or 0, not {error}") from error
    cls = _TYPES.get(kind)
    if cls is None:
        return Unknown(*header, kind, tuple(value[HEADER:]), ttl=ttl)
    rest: list[Value] = value[HEADER:]
    kinds = cls._kinds
    if len(rest) < len(kinds):
        longer = _lengthened(kind, rest, len(kinds))
        if longer is None:
            unknown = Unknown(*header, kind, tuple(rest), ttl=ttl)
            raise BadPacket(f"a {kind} has {HEADER + len(kinds)} fields, not {len(value)}", unknown)
        rest = longer
    try:
        return cls(*header, *[kind.read(one) for kind, one in zip(kinds, rest, strict=False)], ttl=ttl)
    except TypeError as error:
        unknown = Unknown(*header, kind, tuple(value[HEADER:]), ttl=ttl)
        raise BadPacket(f"a field of this {kind} is not {error}", unknown) from error


def _lengthened(kind: str, rest: list[Value], size: int) -> list[Value] | None:
    """A packet as old MUDs sent it, as today's."""
    if kind == "tell" and len(rest) == 1:
        return [0, *rest]
    missing = _SHORT.get(kind, ())
    return [*rest, *missing[len(missing) - (size - len(rest)) :]] if 0 < size - len(rest) <= len(missing) else None


def values(packet: Packet) -> list[Value]:
    """The LPC array of a packet."""
    kind = packet.kind if type(packet) is Unknown else packet.TYPE
    header: list[Value] = [
        kind,
        packet.ttl,
        packet.from_mud,
        packet.from_user or 0,
        packet.to_mud or 0,
        packet.to_user or 0,
    ]
    if type(packet) is Unknown:
        return [*header, *packet.rest]
    return header + [
        kind.write(getattr(packet, name)) for kind, name in zip(packet._kinds, packet._made_of, strict=True)
    ]


# ── what stands in lists ────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class MudInfo:
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


@dataclass(frozen=True, slots=True)
class ChannelInfo:
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


@dataclass(frozen=True, slots=True)
class WhoRow:
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
