"""What an Intermud-3 router does: who is there, who hears which channel, where a packet goes.

It is told packets and the time, and says what to send; :mod:`mythos.net.i3.router` carries it. It is as strict as the
routers in use: wrong fields, forged senders and floods get the errors that a MUD would get there.

A MUD first sends ``startup-req-3``, and gets ``startup-reply`` with a password for the next time, the list of MUDs and
the list of channels; every change of these lists goes to everybody. After that it may send to a MUD, to everybody
(``locate-req``, ``ucache-update``), on a channel, or to the router itself (``channel-listen`` …, ``shutdown``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from mythos.wire.i3 import lpc, packets
from mythos.wire.i3.lpc import LpcError, Value
from mythos.wire.i3.packets import BadPacket, ChannelInfo, MudInfo, Packet, Unknown, parse, values

__all__ = ["Exchange", "Seat"]

#: Packets a MUD may send within one second before it is not heard for a while; what a startup counts.
FLOOD: Final = 10
STARTUP: Final = 6
#: Seconds a MUD that flooded is not heard.
DEAF: Final = 10.0
#: Entries of one list packet.
CHUNK: Final = 10
#: Longest names of MUDs and channels, and most of them; names of channels that are no more count by themselves.
NAME: Final = 64
MOST_MUDS: Final = 5000
MOST_CHANNELS: Final = 500
#: Most rows of an answer to a who, and MUDs of a channel's list: they fit into a frame.
ROWS: Final = 300
#: Ids of lists that were told and not written before a kill, at most.
UNWRITTEN: Final = 1000
#: Longest entry of the list of MUDs as LPC, in bytes: ten of them fit into a frame.
ENTRY: Final = 4096

T = TypeVar("T")

#: Broadcasts, and the service a MUD must offer to get them.
_BROADCASTS: Final[Mapping[str, str]] = {"locate-req": "locate", "ucache-update": "ucache"}
_ON_CHANNELS = packets.ChannelMessage | packets.ChannelEmote | packets.ChannelTargetedEmote


class Seat:
    """One connection of a MUD.

    :ivar mud: its name once it is let in
    :ivar hears: channels it listens to
    """

    __slots__ = ("_send", "address", "close", "count", "deaf_until", "hears", "mud", "second")

    def __init__(self, send: Callable[[list[Value]], None], close: Callable[[], None], address: str) -> None:
        self._send = send
        self.close = close
        self.address = address
        self.mud = ""
        self.hears: set[str] = set()
        self.second = 0
        self.count = 0
        self.deaf_until = 0.0

    def send(self, packet: Packet) -> None:
        self._send(values(packet))


class Exchange:
    """:param name: of the router, beginning with ``*``
    :param place: ``address port``, as its MUDs reach it
    :param secret: gives a password that is not 0
    :param private: no limit of packets
    """

    def __init__(self, name: str, place: str, secret: Callable[[], int], *, private: bool = False) -> None:
        self.name = name
        self.place = place
        self.private = private
        self.muds: dict[str, MudInfo] = {}
        self.channels: dict[str, ChannelInfo] = {}
        self.passwords: dict[str, int] = {}
        self.refused = 0
        self.changed = False
        self._secret = secret
        self._seats: dict[str, Seat] = {}
        self._lists: dict[str, set[str]] = {}
        self._ids = 1
        self._muds_at: dict[str, int] = {}  # the id of the list in which each last changed
        self._channels_at: dict[str, int] = {}  # those that were removed, too

    # ── what outlives the server ────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, Any]:
        """Passwords, MUDs, channels, and whom each bans or admits, as JSON."""
        self.changed = False
        return {
            "id": self._ids,
            "passwords": self.passwords,
            "muds": {name: info.write() for name, info in self.muds.items()},
            "removed": [name for name in self._channels_at if name not in self.channels],
            "channels": {name: info.write() for name, info in self.channels.items()},
            "lists": {name: sorted(listed) for name, listed in self._lists.items()},
        }

    def remember(self, kept: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave before a restart; all of it is news to who was here before. Whole or, with an error,
        not at all."""
        ids = int(kept.get("id", 0)) + UNWRITTEN
        passwords = {str(name): int(known) for name, known in kept.get("passwords", {}).items()}
        muds = {name: replace(MudInfo.read(one), state=0) for name, one in kept.get("muds", {}).items()}
        channels = {name: ChannelInfo.read(entry) for name, entry in kept.get("channels", {}).items()}
        removed = [*channels, *map(str, kept.get("removed", ()))]
        lists = {name: set(map(str, listed)) for name, listed in kept.get("lists", {}).items()}
        self._ids, self.muds, self.channels, self.passwords, self._lists = ids, muds, channels, passwords, lists
        self._muds_at, self._channels_at = dict.fromkeys(muds, ids), dict.fromkeys(removed, ids)

    # ── coming and going ────────────────────────────────────────────────────────────────────────

    def received(self, seat: Seat, value: Value, now: float) -> None:
        """One value from a MUD."""
        try:
            packet = parse(value)
        except BadPacket as error:
            self.refused += 1
            if error.packet is not None or not seat.mud:
                self._error(seat, error.code, f"Bad packet: {error}.", error.packet, value)
            return
        if isinstance(packet, packets.StartupRequest):
            if not seat.mud or self._heard(seat, packet, value, now):
                self._startup(seat, packet, value, now)
        elif not seat.mud:
            self._error(seat, "unk-src", "Send a startup-req-3 first.", packet, value)
        elif packet.from_mud != seat.mud:
            self._error(seat, "unk-src", f"You are {seat.mud}.", packet, value)
        elif packet.ttl <= 0:
            return
        elif self._heard(seat, packet, value, now):
            self._route(seat, packet, value)

    def left(self, seat: Seat) -> None:
        """Its connection is gone: its MUD is down."""
        if seat.mud and self._seats.get(seat.mud) is seat:
            del self._seats[seat.mud]
            self._announce(seat.mud, replace(self.muds[seat.mud], state=0))
        seat.mud = ""

    def _startup(self, seat: Seat, packet: packets.StartupRequest, value: Value, now: float) -> None:
        mud = packet.from_mud
        texts = value[12:18]
        info = MudInfo(
            *(-1, seat.address, packet.player_port, packet.tcp_port, packet.udp_port),
            *(packet.mudlib, packet.base_mudlib, packet.driver, packet.mud_type, packet.open_status),
            *(packet.admin_email, packet.services, packet.other_data),
        )
        good_name = 0 < len(mud) <= NAME and mud[0] != "*" and mud.isprintable()
        if len(value) != 20 or any(type(one) is not str for one in texts) or not good_name or not _fits(info):
            self._error(seat, "bad-pkt", "Bad startup_req packet.", packet, value)
            return
        if mud not in self.muds and len(self.muds) >= MOST_MUDS:
            self._error(seat, "not-allowed", "There are too many MUDs.", packet, value)
            return
        known = self.passwords.get(mud, 0)
        standing = self._seats.get(mud)
        good = packet.password == known
        if known and packet.password and not good:
            self._error(seat, "not-allowed", "Wrong password.", packet, value)
            return
        if seat.mud and seat.mud != mud:
            self._error(seat, "bad-proto", f"You are {seat.mud}.", packet, value)
            return
        if standing is not None and standing is not seat:
            if not (known and good):
                self._error(seat, "bad-proto", "MUD already connected.", packet, value)
                return
            standing.mud = ""
            standing.close()
        seat.mud = mud
        self._seats[mud] = seat
        self._counts(seat, STARTUP, now)
        if not (known and good):
            self.passwords[mud] = self._secret()
            self.changed = True
        seat.send(packets.StartupReply(self.name, "", mud, "", [[self.name, self.place]], self.passwords[mud]))
        self._announce(mud, info)
        for part in _parts(self._muds_since(packet.mudlist_id, mud)):
            seat.send(packets.MudList(self.name, "", mud, "", self._ids, part))
        if "channel" in info.services:
            for part in _parts(self._channels_since(packet.chanlist_id)):
                seat.send(packets.ChannelList(self.name, "", mud, "", self._ids, part))

    def _muds_since(self, id: int, newcomer: str) -> dict[str, Value]:
        """What changed since a MUD had the list ``id``; all, if that is none of ours."""
        since = id if 0 < id <= self._ids else 0
        return {
            name: one.write()
            for name, one in self.muds.items()
            if name != newcomer and self._muds_at.get(name, 1) > since
        }

    def _channels_since(self, id: int) -> dict[str, Value]:
        since = id if 0 < id <= self._ids else 0
        gone: dict[str, Value] = {
            name: 0 for name, at in self._channels_at.items() if since and at > since and name not in self.channels
        }
        return gone | {
            name: one.write() for name, one in self.channels.items() if self._channels_at.get(name, 1) > since
        }

    def _announce(self, mud: str, info: MudInfo) -> None:
        self.muds[mud] = info
        self._ids += 1
        self._muds_at[mud] = self._ids
        self.changed = True
        for name, seat in tuple(self._seats.items()):
            seat.send(packets.MudList(self.name, "", name, "", self._ids, {mud: info.write()}))

    # ── how much ────────────────────────────────────────────────────────────────────────────────

    def _counts(self, seat: Seat, cost: int, now: float) -> None:
        if seat.second != int(now):
            seat.second, seat.count = int(now), 0
        seat.count += cost

    def _heard(self, seat: Seat, packet: Packet, value: Value, now: float) -> bool:
        """Whether it does not flood. To listen is free, for that comes in heaps after a startup."""
        if self.private or isinstance(packet, packets.ChannelListen):
            return True
        if now < seat.deaf_until:
            return False
        self._counts(seat, 1, now)
        if seat.count <= FLOOD:
            return True
        seat.deaf_until = now + DEAF
        self._error(seat, "not-allowed", "Flood detected! Your packets will be temporarily ignored.", packet, value)
        return False

    # ── where to ────────────────────────────────────────────────────────────────────────────────

    def _route(self, seat: Seat, packet: Packet, value: Value) -> None:
        if isinstance(packet, _ON_CHANNELS):
            self._on_channel(seat, packet, value)
        elif packet.to_mud == self.name:
            self._for_us(seat, packet, value)
        elif packet.to_mud:
            target = self._seats.get(packet.to_mud)
            if target is None:
                self._error(seat, "unk-dst", f"{packet.to_mud} is not here.", packet, value)
            else:
                target.send(replace(packet, ttl=packet.ttl - 1))
        elif (service := _BROADCASTS.get(str(value[0]))) is not None:
            for mud, other in tuple(self._seats.items()):
                if other is not seat and service in self.muds[mud].services:
                    other.send(replace(packet, ttl=packet.ttl - 1))
        else:
            self._error(seat, "bad-pkt", f"A {value[0]} is for one MUD.", packet, value)

    def _for_us(self, seat: Seat, packet: Packet, value: Value) -> None:
        if isinstance(packet, packets.ChannelListen):
            self._listen(seat, packet, value)
        elif isinstance(packet, packets.ChannelAdd):
            self._add(seat, packet, value)
        elif isinstance(packet, packets.ChannelRemove | packets.ChannelAdmin | packets.ChannelAdminList):
            self._administer(seat, packet, value)
        elif isinstance(packet, packets.ChannelFilterReply):
            self._filtered(seat, packet)
        elif isinstance(packet, packets.Shutdown):
            seat.close()
        elif isinstance(packet, packets.AuthRequest):
            seat.send(packets.AuthReply(self.name, "", seat.mud, packet.from_user, abs(self._secret())))
        elif isinstance(packet, packets.WhoRequest):
            rows = [[mud, -1, info.driver[:NAME]] for mud, info in self.muds.items() if info.up][:ROWS]
            seat.send(packets.WhoReply(self.name, "", seat.mud, packet.from_user, rows))
        else:
            self._error(seat, "not-imp", f"This router does nothing with a {value[0]}.", packet, value)

    # ── channels ────────────────────────────────────────────────────────────────────────────────

    def _listen(self, seat: Seat, packet: packets.ChannelListen, value: Value) -> None:
        channel = self.channels.get(packet.channel)
        if channel is None:
            self._error(seat, "unk-channel", f"There is no channel {packet.channel}.", packet, value)
        elif not self._admits(packet.channel, seat.mud):
            self._error(seat, "not-allowed", f"You may not listen to {packet.channel}.", packet, value)
        elif packet.on:
            seat.hears.add(packet.channel)
        else:
            seat.hears.discard(packet.channel)

    def _admits(self, channel: str, mud: str) -> bool:
        info = self.channels[channel]
        listed = mud in self._lists.get(channel, ())
        return info.host == mud or (not listed if info.kind == 0 else listed)

    def _add(self, seat: Seat, packet: packets.ChannelAdd, value: Value) -> None:
        name = packet.channel
        known = self.channels.get(name)
        if not 0 < len(name) <= NAME or packet.kind not in (0, 1, 2):
            self._error(seat, "bad-pkt", "A channel has a name, and is of kind 0, 1 or 2.", packet, value)
        elif known is not None and known.host != seat.mud:
            self._error(seat, "not-allowed", f"{name} is {known.host}'s.", packet, value)
        elif known is None and len(self.channels) >= MOST_CHANNELS:
            self._error(seat, "not-allowed", "There are too many channels.", packet, value)
        else:
            self.channels[name] = ChannelInfo(seat.mud, packet.kind)
            self._announce_channel(name)

    def _administer(
        self,
        seat: Seat,
        packet: packets.ChannelRemove | packets.ChannelAdmin | packets.ChannelAdminList,
        value: Value,
    ) -> None:
        name = packet.channel
        known = self.channels.get(name)
        if known is None:
            self._error(seat, "unk-channel", f"There is no channel {name}.", packet, value)
        elif known.host != seat.mud:
            self._error(seat, "not-allowed", f"{name} is {known.host}'s.", packet, value)
        elif isinstance(packet, packets.ChannelAdminList):
            muds = sorted(self._lists.get(name, ()))[:ROWS]
            seat.send(packets.ChannelAdminListReply(self.name, "", seat.mud, packet.from_user, name, muds))
        elif isinstance(packet, packets.ChannelRemove):
            del self.channels[name]
            self._lists.pop(name, None)
            for other in self._seats.values():
                other.hears.discard(name)
            self._announce_channel(name)
        else:
            listed = self._lists.setdefault(name, set())
            listed.update([mud for mud in packet.add if len(mud) <= NAME][: max(0, MOST_MUDS - len(listed))])
            listed.difference_update(packet.remove)
            self.changed = True
            for mud, other in self._seats.items():
                if not self._admits(name, mud):
                    other.hears.discard(name)

    def _announce_channel(self, name: str) -> None:
        self.changed = True
        self._ids += 1
        self._channels_at[name] = self._ids
        gone = [one for one in self._channels_at if one not in self.channels]
        if len(gone) > MOST_CHANNELS:
            del self._channels_at[gone[0]]
        info = self.channels.get(name)
        for mud, seat in tuple(self._seats.items()):
            if "channel" in self.muds[mud].services:
                entry: Value = info.write() if info else 0
                seat.send(packets.ChannelList(self.name, "", mud, "", self._ids, {name: entry}))

    def _on_channel(self, seat: Seat, packet: _ON_CHANNELS, value: Value) -> None:
        name = packet.channel
        info = self.channels.get(name)
        exact = 13 if isinstance(packet, packets.ChannelTargetedEmote) else 9
        if len(value) != exact or value[4] != 0 or value[5] != 0 or not packet.from_user:
            self._error(seat, "bad-pkt", f"A {value[0]} has {exact} fields, a user and no target.", packet, value)
        elif info is None:
            self._error(seat, "unk-channel", f"There is no channel {name}.", packet, value)
        elif not self._admits(name, seat.mud):
            self._error(seat, "not-allowed", f"You may not speak on {name}.", packet, value)
        elif name not in seat.hears:
            self._error(seat, "not-allowed", f"Your MUD is not listening to {name}.", packet, value)
        elif info.kind == 2 and info.host != seat.mud:
            host = self._seats.get(info.host)
            if host is not None:
                host.send(packets.ChannelFilterRequest(self.name, "", info.host, "", name, value))
        else:
            self._spread(packet)

    def _filtered(self, seat: Seat, packet: packets.ChannelFilterReply) -> None:
        """What the host of a filtered channel lets pass."""
        info = self.channels.get(packet.channel)
        if info is None or info.host != seat.mud or not packet.packet:
            return
        try:
            inner = parse(packet.packet)
        except BadPacket:
            return
        if isinstance(inner, _ON_CHANNELS) and inner.channel == packet.channel:
            self._spread(inner)

    def _spread(self, packet: _ON_CHANNELS) -> None:
        """To all who listen, the speaker too: it is how a MUD learns that its line went out."""
        passed = replace(packet, ttl=packet.ttl - 1)
        for seat in tuple(self._seats.values()):
            if packet.channel in seat.hears:
                seat.send(passed)

    # ── errors ──────────────────────────────────────────────────────────────────────────────────

    def _error(self, seat: Seat, code: str, message: str, packet: Packet | Unknown | None, value: Value) -> None:
        """Never about an error."""
        if isinstance(packet, packets.Error):
            return
        self.refused += 1
        user = packet.from_user if packet is not None else ""
        mud = seat.mud or (packet.from_mud if packet is not None else "?")
        seat.send(packets.Error(self.name, "", mud, user, code, message, value))


def _fits(info: MudInfo) -> bool:
    """Whether this entry can be sent in a list."""
    try:
        return len(lpc.encode(info.write())) <= ENTRY
    except LpcError:
        return False


def _parts(entries: Mapping[str, T]) -> list[dict[str, T]]:
    """A list in packets of ten; an empty one in one."""
    names = list(entries)
    return [
        {name: entries[name] for name in names[start : start + CHUNK]} for start in range(0, max(1, len(names)), CHUNK)
    ]
