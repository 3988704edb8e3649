"""Our MUD among others on Intermud-3: who and what is out there, our players' words to them and theirs to us.

A synchronous state machine between the game and a link to a router (:class:`Port`): the link says :meth:`~Intermud.up`
once the router let us in, hands over each packet, and says :meth:`~Intermud.down`. Nothing that comes from outside is
trusted for rights, and all of it loses its control characters.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec.structs import replace

from mythos.errors import Refusal
from mythos.flow.bucket import Buckets
from mythos.flow.newest import keep
from mythos.ids import EntityId
from mythos.play.audience import Heard, Only
from mythos.play.narrate.elsewhere import clean, coloured, duration, emoted, harmless, listed, named, one_line, shown
from mythos.play.ports import StoreDown
from mythos.play.visnames import Visnames
from mythos.wire.i3 import packets, pinkfish
from mythos.wire.i3.directory import Directory
from mythos.wire.i3.packets import BadPacket, ChannelInfo, MudInfo, Packet, WhoRow
from mythos.wire.message import Line, Role, Span, line

if TYPE_CHECKING:
    from mythos.play.realm import Realm
    from mythos.play.sessions import Session

__all__ = ["KINDS", "SERVICES", "Answers", "Intermud", "Port"]

#: What we answer; routers filter by it.
SERVICES: Final[Mapping[str, int]] = dict.fromkeys(
    ("tell", "emoteto", "channel", "who", "finger", "locate", "ucache", "auth"), 1
)
#: Lines kept of each channel, and channels of which any are kept.
HISTORY: Final = 50
HISTORIES: Final = 64
#: Most rows of a who list.
ROWS: Final = 100
#: Tells and questions of one MUD that are heeded, a second and at once; MUDs that are counted.
PACE: Final = (10.0, 20.0)
PACED: Final = 1000
#: Players of ours whose names we know to have told, and who may reply to whom told them something last.
ANNOUNCED: Final = 2000
#: The gender of everybody here, as the protocol counts them.
NEUTER: Final = 2
#: What a listened-to channel is called among a character's settings.
_SETTING = "i3."
#: And whom it does not hear: a MUD, or ``user@mud``, in small letters.
_IGNORED = "i3-ignore."
#: Most of them.
IGNORED: Final = 50
#: Kinds of channels, by their number: heard by all but the banned, by the admitted, by the admitted and filtered by us.
KINDS: Final = ("open", "selective", "filtered")
_TOO_MUCH: Final = "Too much waits for the router just now. Nothing was sent; try again in a moment."
_CHANNEL: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
#: What is said on channels, and its fields that people read.
_LINES: Final = packets.ChannelMessage | packets.ChannelEmote | packets.ChannelTargetedEmote
_TEXTS: Final = ("visname", "message", "message_target", "target_visname")


class Port(Protocol):
    """The link to a router.

    :ivar directory: what the router told of MUDs and channels
    """

    directory: Directory

    def send(self, packet: Packet) -> bool:
        """Behind what waits; what is too much is dropped, channel lines first. Returns whether it was taken."""


class Answers(Protocol):
    """What other MUDs answered a moment ago. To a question it gives the answer as if it came now, or None.

    :ivar shared: other servers may know more than is here
    """

    @property
    def shared(self) -> bool: ...

    def here(self, request: Packet) -> Packet | None:
        """What is known here."""

    async def find(self, request: Packet) -> Packet | None:
        """What is known here or by other servers."""

    def keep(self, reply: Packet) -> None:
        """One that came from the network."""


class Intermud:
    """See the module.

    :ivar router: the name of the router we are on; empty: on none
    :ivar changed: :meth:`kept` would give something new
    :ivar answers: None: each question is asked of the network
    """

    answers: Answers | None = None

    def __init__(self, realm: Realm, name: str, port: Port) -> None:
        self.name = name
        self.router = ""
        self._realm = realm
        self._port = port
        self.changed = False
        self._history: dict[str, deque[tuple[str, str, Line]]] = {}  # by channel: user and MUD, empty for ours; a line
        self._heard: set[str] = set()  # channels that the router sends us
        self._told_by: dict[EntityId, tuple[str, str]] = {}  # user and MUD
        self._paces = Buckets(*PACE, PACED)
        self._visnames = Visnames()
        self._announced: dict[EntityId, str] = {}  # names of ours that others were told

    @property
    def muds(self) -> Mapping[str, MudInfo]:
        """All that the router told of."""
        return self._port.directory.muds

    @property
    def channels(self) -> Mapping[str, ChannelInfo]:
        return self._port.directory.channels

    # ── what the link says ──────────────────────────────────────────────────────────────────────

    def up(self, router: str) -> None:
        """The router let us in: it is told what our players listen to."""
        self.router = router
        self._heard.clear()
        self.listen_again()

    def down(self) -> None:
        self.router = ""
        self._heard.clear()

    def listen_again(self) -> None:
        """Hear from the router the channels that somebody here listens to, and no others."""
        wanted = {channel for session in self._realm.sessions() for channel in _listened(session)}
        for channel in sorted(wanted - self._heard):
            self._port.send(packets.ChannelListen(self.name, "", self.router, "", channel, 1))
        for channel in sorted(self._heard - wanted):
            self._port.send(packets.ChannelListen(self.name, "", self.router, "", channel, 0))
        self._heard = wanted

    def received(self, packet: Packet) -> None:
        """One packet from the router; lists are known to the port's directory by then."""
        if isinstance(packet, packets.ChannelList):
            self._channels_changed(packet.channels)
        elif isinstance(packet, packets.MudList):
            return
        elif packet.ttl <= 0 or (packet.to_mud and packet.to_mud != self.name) or packet.from_mud == self.name:
            return  # spent, not for us, or our own echo: that was shown when it was said
        elif isinstance(packet, packets.Error):
            self._error(packet)
        elif self._too_fast(packet.from_mud):
            return
        elif (answer := self._ANSWERS.get(type(packet))) is not None:
            if self.answers is not None:
                self.answers.keep(packet)
            answer(self, packet)
        elif packet.to_mud:
            self._port.send(
                self._reply(packets.Error, packet, "unk-type", "We do not know that.", packets.values(packet))
            )

    def _too_fast(self, mud: str) -> bool:
        """A MUD that asks without end must not make us flood the router. The router itself may."""
        return mud != self.router and self._paces.take(mud, self._realm.now) > 0.0

    def _channels_changed(self, names: Iterable[Any]) -> None:
        """A channel that is there again is listened to again: the router forgot who did when it went."""
        self._heard.difference_update(clean(name) for name in names if isinstance(name, str))
        if self.router:
            self.listen_again()

    # ── what others say and ask ─────────────────────────────────────────────────────────────────

    def _reply(self, kind: type[Any], packet: Packet, *rest: Any) -> Any:
        return kind(self.name, "", packet.from_mud, packet.from_user, *rest)

    def _player(self, name: str) -> Session | None:
        wanted = name.lower()
        return next((one for one in self._realm.sessions() if one.me.name.lower() == wanted), None)

    def _nobody(self, packet: Packet, name: str) -> None:
        text = f"Nobody called {name} plays on {self.name} just now."
        self._port.send(self._reply(packets.Error, packet, "unk-user", text, packets.values(packet)))

    def _addressed(self, packet: Packet) -> Session | None:
        """The player it is for; an error goes back if nobody of that name plays."""
        session = self._player(packet.to_user)
        if session is None:
            self._nobody(packet, packet.to_user)
        return session

    def _tell(self, packet: packets.Tell) -> None:
        session = self._addressed(packet)
        if session is not None and not _ignores(session, packet.from_user, packet.from_mud):
            who = self._sender(packet.visname, packet)
            keep(self._told_by, session.me.id, (packet.from_user or packet.visname, packet.from_mud), ANNOUNCED)
            words = line("tell", who, ' tells you, "', coloured(packet.message), '"')
            self._realm.words_to(session, words)

    def _emote_to(self, packet: packets.EmoteTo) -> None:
        session = self._addressed(packet)
        if session is not None and not _ignores(session, packet.from_user, packet.from_mud):
            self._realm.words_to(session, line("tell", *emoted(packet.message, self._sender(packet.visname, packet))))

    def _said(self, packet: packets.ChannelMessage) -> None:
        who = self._sender(packet.visname, packet)
        words = coloured(packet.message)
        self._realm.hear(*self._on_channel(packet.channel, who, Span(": "), *words, packet=packet))

    def _emoted(self, packet: packets.ChannelEmote) -> None:
        words = emoted(packet.message, self._sender(packet.visname, packet))
        self._realm.hear(*self._on_channel(packet.channel, *words, packet=packet))

    def _emoted_at(self, packet: packets.ChannelTargetedEmote) -> None:
        """A target of ours reads words of its own."""
        who = self._sender(packet.visname, packet)
        user, mud = packet.target_user, packet.target_mud
        target = self._player(user) if mud == self.name else None
        there = f"{clean(packet.target_visname) or self.visname(user, mud) or 'someone'}@{clean(mud)}"
        seen = Span(target.me.name if target is not None else there, Role.PLAYER)
        heard = self._on_channel(packet.channel, *emoted(packet.message, who, seen), packet=packet)
        if target is not None and packet.message_target:
            words = emoted(packet.message_target, who, seen)
            aimed = Line("channel", (Span(f"[{clean(packet.channel)}] "), *words))
            heard = [(to, aimed if to == Only(target.me.id) else said) for to, said in heard]
        self._realm.hear(*heard)

    def _sender(self, visname: str, packet: Packet) -> Span:
        """Whoever does not say what they are called is shown by what their MUD told us of them; it is asked once."""
        name, user, mud = clean(visname), clean(packet.from_user), clean(packet.from_mud)
        if not name and user and packet.from_mud in self.muds and self._visnames.get(mud, user) is None:
            self._visnames.put(mud, user, "")
            self._port.send(packets.ChannelUserRequest(self.name, "", packet.from_mud, "", user.lower()))
        return Span(f"{name or self.visname(user, mud) or 'Someone'}@{mud}", Role.PLAYER)

    def _on_channel(self, channel: str, *words: Span, packet: Packet | None = None) -> list[Heard]:
        """A line into the history, and for whom of us it is."""
        said = Line("channel", (Span(f"[{clean(channel)}] "), *words))
        history = self._history.get(channel)
        if history is None:
            history = deque(maxlen=HISTORY)
            keep(self._history, channel, history, HISTORIES)
        user, mud = (packet.from_user.lower(), packet.from_mud.lower()) if packet is not None else ("", "")
        history.append((user, mud, said))
        self.changed = True
        return [
            (Only(one.me.id), said)
            for one in self._realm.sessions()
            if channel in _listened(one) and not _ignores(one, user, mud)
        ]

    def _who(self, packet: packets.WhoRequest) -> None:
        now = self._realm.now
        rows = [
            WhoRow(one.me.name, int(now - one.idle_since), f"level {one.me.level} {one.me.title or ''}".strip()).write()
            for one in self._realm.sessions()
        ]
        self._port.send(self._reply(packets.WhoReply, packet, rows[:ROWS]))

    def _finger(self, packet: packets.FingerRequest) -> None:
        session = self._player(packet.user)
        if session is None:
            self._nobody(packet, packet.user)
            return
        me, idle = session.me, int(self._realm.now - session.idle_since)
        self._port.send(
            self._reply(packets.FingerReply, packet, me.name, me.title or "", "", "", "", idle, "", str(me.level), "")
        )

    def _locate(self, packet: packets.LocateRequest) -> None:
        session = self._player(packet.user)
        if session is not None:
            idle = int(self._realm.now - session.idle_since)
            status = "link-dead" if session.linkdead else ""
            self._port.send(self._reply(packets.LocateReply, packet, self.name, session.me.name, idle, status))

    def _channel_who(self, packet: packets.ChannelWhoRequest) -> None:
        names = [one.me.name for one in self._realm.sessions() if packet.channel in _listened(one)]
        self._port.send(self._reply(packets.ChannelWhoReply, packet, packet.channel, names[:ROWS]))

    def _filter(self, packet: packets.ChannelFilterRequest) -> None:
        """The router asks us, its host, what becomes of a line on a filtered channel: it passes, without control
        characters and no longer than a line can be. What is no line of that channel, or too much from one MUD, gets
        no answer and is heard by nobody."""
        info = self.channels.get(packet.channel)
        if packet.from_mud != self.router or info is None or info.host != self.name:
            text = f"{packet.channel} is no channel of {self.name}."
            self._port.send(self._reply(packets.Error, packet, "unk-channel", text, packets.values(packet)))
            return
        try:
            said = packets.parse(packet.packet)
        except BadPacket:
            return
        if not isinstance(said, _LINES) or said.channel != packet.channel:
            return
        if self._too_fast(f"{said.from_mud} on {said.channel}"):
            return
        texts = [name for name in _TEXTS if hasattr(said, name)]
        passed = replace(said, **{name: harmless(getattr(said, name)) for name in texts})
        self._port.send(self._reply(packets.ChannelFilterReply, packet, said.channel, packets.values(passed)))

    def _channel_user(self, packet: packets.ChannelUserRequest) -> None:
        session = self._player(packet.user)
        if session is None:
            self._realm.start(self._absent_user(packet))
        else:
            self._tell_name(packet, session.me.name)

    async def _absent_user(self, packet: packets.ChannelUserRequest) -> None:
        """Lines of who has left since are still shown elsewhere."""
        try:
            name = await self._realm.accounts.spelled(packet.user)
        except StoreDown:
            name = ""
        if name:
            self._tell_name(packet, name)
        else:
            self._nobody(packet, packet.user)

    def _tell_name(self, packet: packets.ChannelUserRequest, name: str) -> None:
        self._port.send(packets.ChannelUserReply(self.name, "", packet.from_mud, "", name.lower(), name, NEUTER))

    def _called(self, packet: packets.UcacheUpdate | packets.ChannelUserReply) -> None:
        """A MUD tells how one of its people is called."""
        user, visname = clean(packet.user), clean(packet.visname)
        if user and visname:
            self._visnames.put(clean(packet.from_mud), user, visname)

    def _authenticate(self, packet: packets.AuthRequest) -> None:
        self._port.send(self._reply(packets.AuthReply, packet, int(self._realm.now) % 2**31))

    def _ping(self, packet: packets.PingRequest) -> None:
        self._port.send(self._reply(packets.PingReply, packet, int(self._realm.now) % 2**31))

    def _ignore(self, packet: Packet) -> None:
        """Nothing here needs it."""

    # ── answers to what our players asked ───────────────────────────────────────────────────────

    def _answer(self, packet: Packet, *messages: Line) -> None:
        """Nothing of a MUD that is ignored: it could answer what nobody asked."""
        session = self._player(packet.to_user)
        if session is not None and not _ignores(session, packet.from_user, packet.from_mud):
            self._realm.words_to(session, *messages)

    def _told_answer(self, packet: packets.WhoReply | packets.FingerReply) -> None:
        self._answer(packet, *self._told(packet))

    def _told(self, packet: Packet) -> Sequence[Line]:
        """What a player reads who asked who is there, or about somebody."""
        if isinstance(packet, packets.FingerReply):
            return _finger_lines(packet)
        assert isinstance(packet, packets.WhoReply)
        return _who_lines(packet)

    def _locate_answer(self, packet: packets.LocateReply) -> None:
        name = Span(f"{shown(packet.visname)}@{shown(packet.mud)}", Role.PLAYER)
        status = f" ({shown(packet.status)})" if packet.status else ""
        self._answer(packet, line("system", name, f" is there, idle for {duration(packet.idle)}{status}."))

    def _channel_who_answer(self, packet: packets.ChannelWhoReply) -> None:
        names = ", ".join(clean(name) for name in packet.names[:ROWS]) or "nobody"
        self._answer(packet, line("system", f"{clean(packet.channel)} on {clean(packet.from_mud)}: {names}."))

    def _acknowledged(self, packet: packets.ChannelAck) -> None:
        if packet.from_mud == self.router:
            self._answer(packet, line("system", f"{self.router}: {shown(packet.message)}"))

    def _list_answer(self, packet: packets.ChannelAdminListReply) -> None:
        info = self.channels.get(packet.channel)
        if packet.from_mud != self.router or info is None:
            return
        muds = ", ".join(clean(mud) for mud in packet.muds[:ROWS]) or "nobody"
        self._answer(packet, line("system", f"{packet.channel} {'bans' if info.kind == 0 else 'admits'} {muds}."))

    def _error(self, packet: packets.Error) -> None:
        about = packet.packet
        if isinstance(about, list) and about[:1] == ["locate-req"]:
            return  # MUDs without that service complain of every such question
        self._answer(packet, line("error", f"{clean(packet.from_mud)}: {shown(packet.message)}"))

    _ANSWERS: Final[Mapping[type[Packet], Any]] = {
        packets.Tell: _tell,
        packets.EmoteTo: _emote_to,
        packets.ChannelMessage: _said,
        packets.ChannelEmote: _emoted,
        packets.ChannelTargetedEmote: _emoted_at,
        packets.WhoRequest: _who,
        packets.WhoReply: _told_answer,
        packets.FingerRequest: _finger,
        packets.FingerReply: _told_answer,
        packets.LocateRequest: _locate,
        packets.LocateReply: _locate_answer,
        packets.ChannelWhoRequest: _channel_who,
        packets.ChannelWhoReply: _channel_who_answer,
        packets.ChannelFilterRequest: _filter,
        packets.ChannelAck: _acknowledged,
        packets.ChannelAdminListReply: _list_answer,
        packets.AuthRequest: _authenticate,
        packets.AuthReply: _ignore,
        packets.PingRequest: _ping,
        packets.PingReply: _ignore,
        packets.ChannelUserRequest: _channel_user,
        packets.ChannelUserReply: _called,
        packets.UcacheUpdate: _called,
    }

    # ── what our players do ─────────────────────────────────────────────────────────────────────

    def connected(self) -> None:
        """:raises Refusal: we are on no router"""
        if not self.router:
            raise Refusal("This world is not connected to other MUDs just now.")

    def mud(self, name: str) -> str:
        """A MUD's own spelling of its name, from the whole name or its beginning.

        :raises Refusal: none, or several
        """
        self.connected()
        if name in self.muds:
            return name
        wanted = name.lower()
        same = [one for one in self.muds if one.lower() == wanted]
        near = same or [one for one in self.muds if one.lower().startswith(wanted)]
        if len(near) == 1:
            return near[0]
        if near:
            raise Refusal(f"Which MUD do you mean: {', '.join(sorted(near)[:8])}?")
        raise Refusal(f"There is no MUD called {name}. To see which there are, type: i3 muds")

    def someone(self, whom: str) -> tuple[str, str]:
        """``user@mud`` -> (user, MUD). :raises Refusal:"""
        user, _, mud = whom.partition("@")
        if not user or not mud:
            raise Refusal("Somebody elsewhere is written as name@mud, for example: i3 tell ann@Other MUD: hello")
        return user.lower(), self.mud(mud)

    def visname(self, user: str, mud: str) -> str:
        """What somebody elsewhere is called, if their MUD told it; else the user's name."""
        return self._visnames.get(clean(mud), clean(user)) or clean(user)

    def announce(self, session: Session) -> None:
        """Tell other MUDs what a player of ours is called, if we have not told it yet. The names of guests are theirs
        for a while only, and are not told."""
        me = session.me
        if not self.router or me.account is None or self._announced.get(me.id) == me.name:
            return
        keep(self._announced, me.id, me.name, ANNOUNCED)
        self._port.send(packets.UcacheUpdate(self.name, "", "", "", me.name.lower(), me.name, NEUTER))

    def told_by(self, who: EntityId) -> tuple[str, str]:
        """Who last told this character something: user and MUD. :raises Refusal: nobody, or their MUD is no more"""
        if who not in self._told_by:
            raise Refusal("Nobody from another MUD has told you anything yet.")
        user, mud = self._told_by[who]
        return user.lower(), self.mud(mud)

    def send(self, kind: type[Any], who: str, mud: str, user: str, *rest: Any) -> None:
        """One packet from a player of ours. :raises Refusal: we are on no router, or it takes no more just now"""
        self.connected()
        self._sent(kind(self.name, who.lower(), mud, user, *rest))

    def _sent(self, packet: Packet) -> None:
        if not self._port.send(packet):
            raise Refusal(_TOO_MUCH)

    def ask(self, kind: type[Any], session: Session, mud: str, *rest: Any) -> Sequence[Line]:
        """A question of a player of ours to a MUD. What it answered a moment ago is returned, or comes a little later
        if other servers are to be asked for it; else the question is sent.

        :raises Refusal: we are on no router, or it takes no more just now
        """
        self.connected()
        request = kind(self.name, session.me.name.lower(), mud, "", *rest)
        answers = self.answers
        if answers is not None:
            found = answers.here(request)
            if found is not None:
                return self._told(found)
            if answers.shared:
                self._realm.start(self._look(answers, session, request))
                return ()
        self._sent(request)
        return ()

    async def _look(self, answers: Answers, session: Session, request: Packet) -> None:
        found = await answers.find(request)
        if found is not None:
            self._realm.words_to(session, *self._told(found))
        elif not self._port.send(request):
            self._realm.words_to(session, line("error", _TOO_MUCH))

    def speak(
        self, kind: type[packets.ChannelMessage | packets.ChannelEmote], session: Session, channel: str, words: str
    ) -> list[Heard]:
        """On a channel: sent to all others; returned for those who listen here, who hear it at once.

        :raises Refusal: we are on no router, it takes no more just now, or the player does not listen
        """
        self.connected()
        if channel not in _listened(session):
            raise Refusal(f"You do not listen to {channel}. Type: i3 listen {channel}")
        me = session.me
        name = Span(me.name, Role.PLAYER)
        emote = kind is packets.ChannelEmote
        said = Span(f"$N {words}" if emote else words)
        self._sent(kind(self.name, me.name.lower(), "", "", channel, me.name, pinkfish.write([said])))
        here = one_line(named([said], name)) if emote else [name, Span(": "), said]
        return self._on_channel(channel, *here)

    def listen(self, session: Session, channel: str, on: bool) -> None:
        """:raises Refusal: there is no such channel"""
        if on and self.router and channel not in self.channels:
            raise Refusal(f"There is no channel called {channel}. To see which there are, type: i3 channels")
        me = session.me
        settings = dict(me.settings or {})
        settings.pop(_SETTING + channel, None)
        if on:
            settings[_SETTING + channel] = "on"
        me.settings = settings or None
        self._realm.world.touch(me)
        if self.router:
            self.listen_again()

    def add_channel(self, who: str, channel: str, kind: str) -> None:
        """Ask the router for a channel of our own, of one of :data:`KINDS`.

        :raises Refusal: it cannot be called so, there is one already, or there is no such kind
        """
        self.connected()
        if _CHANNEL.fullmatch(channel) is None:
            raise Refusal("A channel's name is one word of up to 32 letters and numbers, - and _.")
        known = self.channels.get(channel)
        if known is not None:
            raise Refusal(f"{known.host} has a channel {channel} already.")
        if kind not in KINDS:
            raise Refusal(f"A channel can be: {', '.join(KINDS)}.")
        self.send(packets.ChannelAdd, who, self.router, "", channel, KINDS.index(kind))

    def remove_channel(self, who: str, channel: str) -> None:
        """:raises Refusal: it is not ours"""
        self._own(channel)
        self.send(packets.ChannelRemove, who, self.router, "", channel)

    def keep_out(self, who: str, channel: str, name: str, out: bool) -> str:
        """Keep a MUD out of a channel of ours, or let it in. Returns the MUD's own spelling.

        :raises Refusal: the channel is not ours, there is no such MUD, or it is this one
        """
        info = self._own(channel)
        mud = self.mud(name)
        if mud == self.name:
            raise Refusal(f"{channel} is ours: we are always on it.")
        listed = out if info.kind == 0 else not out  # those of an open channel are banned, of any other admitted
        self.send(packets.ChannelAdmin, who, self.router, "", channel, [mud] if listed else [], [] if listed else [mud])
        return mud

    def ask_list(self, who: str, channel: str) -> str:
        """Ask the router which MUDs a channel of ours bans, or admits: which of the two it is is returned.

        :raises Refusal: it is not ours
        """
        info = self._own(channel)
        self.send(packets.ChannelAdminList, who, self.router, "", channel)
        return "bans" if info.kind == 0 else "admits"

    def _own(self, channel: str) -> ChannelInfo:
        self.connected()
        info = self.channels.get(channel)
        if info is None:
            raise Refusal(f"There is no channel called {channel}. To see which there are, type: i3 channels")
        if info.host != self.name:
            raise Refusal(f"{channel} is {info.host}'s. Only those there can change it.")
        return info

    def ignore(self, session: Session, whom: str) -> bool:
        """Hear a MUD, or ``user@mud``, no more; or again. Returns whether it is ignored now.

        :raises Refusal: there is no such MUD, or too many are ignored
        """
        user, at, mud = whom.rpartition("@")
        key = _IGNORED + f"{user}{at}{self.mud(mud)}".lower()
        me = session.me
        settings = dict(me.settings or {})
        if settings.pop(key, None) is None:
            if len(self.ignored(session)) >= IGNORED:
                raise Refusal(f"You ignore {IGNORED} already. Hear one of them again first: i3 ignore <name>@<mud>")
            settings[key] = "on"
        me.settings = settings or None
        self._realm.world.touch(me)
        return key in settings

    def ignored(self, session: Session) -> list[str]:
        return sorted(one.removeprefix(_IGNORED) for one in session.me.settings or {} if one.startswith(_IGNORED))

    def listened(self, session: Session) -> list[str]:
        return sorted(_listened(session))

    def history(self, session: Session, channel: str) -> list[Line]:
        """The last lines of a channel, oldest first, without those of whom the player ignores."""
        return [said for user, mud, said in self._history.get(channel, ()) if not _ignores(session, user, mud)]

    def said_by(self, name: str) -> dict[str, list[str]]:
        """By channel, what is kept of what a player of ours of this name said."""
        said = {
            channel: [line.text for _, mud, line in lines if _is_by(name, mud, line)]
            for channel, lines in self._history.items()
        }
        return {channel: lines for channel, lines in said.items() if lines}

    def forget(self, name: str) -> None:
        """Nothing that a player of ours of this name said is kept any more."""
        self.changed = True
        for said in self._history.values():
            left = [one for one in said if not _is_by(name, one[1], one[2])]
            said.clear()
            said.extend(left)

    # ── what outlives the server ────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, list[tuple[str, str, list[tuple[str, str]]]]]:
        """The histories of all channels, as JSON: for each line the user and the MUD it came from, empty for ours, and
        its (words, role), the role empty for prose."""
        self.changed = False
        return {
            channel: [
                (user, mud, [(span.text, span.colour.value if span.colour else "") for span in said.spans])
                for user, mud, said in lines
            ]
            for channel, lines in self._history.items()
        }

    def remember(self, kept: Mapping[str, Iterable[tuple[str, str, Iterable[tuple[str, str]]]]]) -> None:
        """What :meth:`kept` gave before a restart.

        :raises ValueError: it is none of it, and nothing is remembered; ``TypeError`` and ``AttributeError`` likewise
        """
        self._history = {channel: deque(map(_remembered, lines), maxlen=HISTORY) for channel, lines in kept.items()}


def _is_by(name: str, mud: str, said: Line) -> bool:
    """Whether a line that came from a MUD, empty for ours, is by or of a player of ours."""
    return not mud and any(span.colour is Role.PLAYER and span.text == name for span in said.spans)


def _remembered(one: tuple[str, str, Iterable[tuple[str, str]]]) -> tuple[str, str, Line]:
    user, mud, words = one
    return (
        user.lower(),
        mud.lower(),
        Line("channel", tuple([Span(text, Role(role) if role else None) for text, role in words])),
    )


def _listened(session: Session) -> set[str]:
    settings = session.me.settings or {}
    return {name.removeprefix(_SETTING) for name, on in settings.items() if name.startswith(_SETTING) and on == "on"}


def _ignores(session: Session, user: str, mud: str) -> bool:
    settings = session.me.settings
    if not settings or not mud:
        return False
    mud = mud.lower()
    return _IGNORED + mud in settings or f"{_IGNORED}{user.lower()}@{mud}" in settings


def _rows(rows: Iterable[Any]) -> Iterator[WhoRow]:
    for row in rows:
        try:
            yield WhoRow.read(row)
        except BadPacket:
            continue


def _who_lines(packet: packets.WhoReply) -> Sequence[Line]:
    rows = list(_rows(packet.rows))
    mud = clean(packet.from_mud)
    return [line("system", f"{len(rows)} on {mud}:" if rows else f"Nobody is on {mud}."), *map(listed, rows[:ROWS])]


def _finger_lines(packet: packets.FingerReply) -> Sequence[Line]:
    known = (
        *(("title", packet.title), ("real name", packet.real_name), ("e-mail", packet.email)),
        *(("last login", packet.login_time), ("level", packet.level), ("", packet.extra)),
    )
    name = Span(f"{shown(packet.visname) or 'Someone'}@{clean(packet.from_mud)}", Role.PLAYER)
    here = f", idle for {duration(packet.idle)}." if packet.idle >= 0 else ", who is not there now."
    facts = [line("system", f"{what}: " if what else "", coloured(text)) for what, text in known if text]
    return [line("system", name, here), *facts]
