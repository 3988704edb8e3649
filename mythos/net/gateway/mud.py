"""One MUD behind the gateway: on the network by its own name, over its own link.

What its clients send becomes packets; packets for it become events for its clients, or are answered from the list of
users it last gave (its presence), as long as that is current.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from mythos.flow.bucket import Bucket, Buckets
from mythos.net.gateway.events import ROWS, Event, Told, channel_event, clean, event_of, name, now_text
from mythos.net.gateway.session import HOLD, ApiSession
from mythos.net.i3.answers import Answers
from mythos.net.i3.link import RouterLink
from mythos.wire.i3 import packets
from mythos.wire.i3.packets import MudInfo, Packet, WhoRow

__all__ = ["SERVICES", "GatewayMud", "Host", "Limits", "Presence", "Question"]

_log = Logger()

#: What a MUD behind the gateway answers; routers filter by it.
SERVICES: Final = ("tell", "emoteto", "channel", "who", "finger", "locate", "ucache", "auth")
#: Seconds a list of users is the truth about who plays.
CURRENT: Final = 30.0
#: Questions of one other MUD that are answered, a second and at once; MUDs that are counted.
PACE: Final = (10.0, 20.0)
PACED: Final = 1000
#: Seconds after a startup in which MUDs that appear in the list are no news.
SETTLING: Final = 15.0
#: MUDs of which clients are told that they come or go, a second and at once; the list says it of all.
NEWS: Final = (10.0, 500.0)
#: Channels of which lines are kept.
HISTORIES: Final = 64
_ON_CHANNELS = (packets.ChannelMessage, packets.ChannelEmote, packets.ChannelTargetedEmote)
_ASKING = (
    packets.WhoRequest,
    packets.FingerRequest,
    packets.LocateRequest,
    packets.ChannelWhoRequest,
    packets.ChannelUserRequest,
    packets.AuthRequest,
    packets.PingRequest,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """:ivar queue: events kept for who is away; ``queue_time``: for so many seconds
    :ivar history: lines of each channel
    :ivar echo: a MUD is told of its own lines on channels
    """

    queue: int = 1000
    queue_time: float = 300.0
    history: int = 100
    echo: bool = True


class Host(Protocol):
    """The gateway, as one of its MUDs needs it."""

    limits: Limits

    def wall(self) -> float: ...

    def seconds(self) -> float: ...

    def event(self, told: Told) -> Event:
        """With an id and a time."""

    def tells_changed(self) -> None:
        """Tells wait that did not before, or the other way round: write them now."""

    def later(self, seconds: float, work: Callable[[], None]) -> Callable[[], None]:
        """Returns what cancels it."""


@dataclass(slots=True)
class Presence:
    """Who plays on the MUD, as it said itself; names in small letters."""

    users: Mapping[str, Mapping[str, Any]]
    at: float


@dataclass(slots=True)
class Question:
    """One that a client waits for.

    :ivar kind: type of the reply's packet
    :ivar mud: whom it went to, in small letters; empty: everybody
    :ivar user: whom it is about, in small letters, or which channel; empty: nobody
    :ivar answer: called once, with the event's parameters, or None: it came to nothing
    """

    kind: type[Packet]
    mud: str
    user: str
    answer: Callable[[Mapping[str, Any] | None], None]
    cancel: Callable[[], None]


class GatewayMud:
    """Implements ``Resident`` of :mod:`mythos.net.i3.link`.

    :ivar tells: those that came while no client was there for them, oldest first
    :ivar history: channel -> the parameters of its last lines, with their time
    :ivar answers: what other MUDs answered a moment ago; None: each question is asked of the network
    """

    def __init__(self, name: str, host: Host, link: RouterLink) -> None:
        self.name = name
        self.link = link
        self.sessions: dict[str, ApiSession] = {}
        self.tells: deque[Event] = deque()
        self.history: dict[str, deque[dict[str, Any]]] = {}
        self.presence: Presence | None = None
        self.changed = False
        self._host = host
        self._listened: set[str] = set()
        self._questions: list[Question] = []
        self._paces = Buckets(*PACE, PACED)
        self._news = Bucket(*NEWS)
        self._settled = 0.0
        link.resident = self
        self.answers: Answers | None = None

    # ── what the link says ──────────────────────────────────────────────────────────────────────

    def up(self, router: str) -> None:
        self._settled = self._host.seconds() + SETTLING
        self.changed = True
        self.link.directory.watchers.append(self._mud_changed)
        self._listened.clear()
        self.listen_again()
        params = {"message": "Gateway reconnected to I3 router", "status": "connected", "router": name(router)}
        self.emit("gateway_reconnected", params)

    def down(self) -> None:
        if self._mud_changed in self.link.directory.watchers:
            self.link.directory.watchers.remove(self._mud_changed)
        self._listened.clear()
        self.changed = True

    def _mud_changed(self, name: str, before: MudInfo | None, now: MudInfo | None) -> None:
        was, is_up = before is not None and before.up, now is not None and now.up
        now_s = self._host.seconds()
        if was == is_up or name == self.name or (before is None and now_s < self._settled):
            return
        if self._news.take(now_s) > 0.0:
            return
        params: dict[str, Any] = {"mud_name": name, "status": "up" if is_up else "down"}
        if now is not None:
            params["info"] = {"driver": clean(now.driver), "mudlib": clean(now.mudlib), "address": clean(now.address)}
        self.emit("mud_online" if is_up else "mud_offline", params, "info")

    def listen_again(self) -> None:
        """Hear from the router the channels that some client joined, and no others."""
        if not self.link.up:
            return
        wanted = {channel for session in self.sessions.values() for channel in session.channels}
        for channel in sorted(wanted ^ self._listened):
            on = channel in wanted
            if not self.link.send(packets.ChannelListen(self.name, "", self.link.router, "", channel, int(on))):
                return  # too much waits: the rest follows
            if on:
                self._listened.add(channel)
            else:
                self._listened.remove(channel)

    def received(self, packet: Packet) -> None:
        if packet.to_mud and packet.to_mud != self.name:
            return
        if isinstance(packet, _ON_CHANNELS):
            if packet.from_mud != self.name and packet.channel in self._listened:  # our own was told when it was said
                told = event_of(packet)
                assert told is not None
                self._on_channel(told)
        elif isinstance(packet, packets.Tell | packets.EmoteTo):
            self._told(packet)
        elif isinstance(packet, _ASKING):
            if not self._too_fast(packet.from_mud):
                self._asked(packet)
        elif isinstance(packet, packets.ChannelFilterRequest):
            reply = packets.ChannelFilterReply(self.name, "", self.link.router, "", packet.channel, packet.packet)
            self.link.send(reply)
        elif isinstance(packet, packets.ChannelWhoReply):
            self._answered(packet, {"users": [name(one) for one in packet.names[:ROWS]]})
        elif isinstance(packet, packets.ChannelAdminListReply):
            self._answered(packet, {"muds": [name(one) for one in packet.muds[:ROWS]]})
        elif (told := event_of(packet)) is not None:
            if self.answers is not None:
                self.answers.keep(packet)
            event = self.emit(told[0], told[1], told[2])
            self._answered(packet, event.params)
        elif isinstance(packet, packets.Unknown) and packet.to_mud:
            self._error(packet, "unk-type", "We do not know that.")

    # ── events ──────────────────────────────────────────────────────────────────────────────────

    def emit(self, method: str, params: dict[str, Any], permission: str = "", channel: str = "") -> Event:
        """To all of this MUD's clients whom it concerns."""
        event = self._host.event((method, params, permission, channel))
        most = self._host.limits.queue
        for session in self.sessions.values():
            if session.wants(event):
                session.tell(event, most)
                self.changed = True
        return event

    def _on_channel(self, told: Told) -> None:
        event = self.emit(*told)
        most = self._host.limits.history
        if not most:
            return
        lines = self.history.get(event.channel)
        if lines is None:
            if len(self.history) >= HISTORIES:
                del self.history[next(iter(self.history))]
            lines = self.history[event.channel] = deque(maxlen=most)
        lines.append({**event.params, "timestamp": event.at})
        self.changed = True

    def said(self, kind: str, channel: str, user: str, visname: str, message: str) -> None:
        """A line of ours went out: routers echo it or not, our clients hear it once."""
        told = channel_event(kind, channel, self.name, user, visname, clean(message))
        if self._host.limits.echo:
            self._on_channel(told)

    def said_at(self, packet: packets.ChannelTargetedEmote) -> None:
        """The same of an emote at somebody."""
        told = event_of(packet)
        assert told is not None
        if self._host.limits.echo:
            self._on_channel(told)

    def past(self, channel: str, limit: int, before: float, after: float) -> list[dict[str, Any]]:
        """The newest lines of a channel between two unix seconds, the oldest of them first."""
        lines = [one for one in self.history.get(channel, ()) if after < one["timestamp"] < before]
        return [{**one, "timestamp": now_text(one["timestamp"])} for one in lines[-limit:]]

    # ── tells ───────────────────────────────────────────────────────────────────────────────────

    def _told(self, packet: packets.Tell | packets.EmoteTo) -> None:
        users = self.users()
        if users is not None and packet.to_user.lower() not in users:
            if not self._too_fast(packet.from_mud):
                self._error(packet, "unk-user", f"Nobody called {packet.to_user} plays on {self.name} just now.")
            return
        told = event_of(packet)
        assert told is not None
        event = self.emit(*told)
        if not any(one.door is not None and one.wants(event) for one in self.sessions.values()):
            self.tells.append(event)
            if len(self.tells) > self._host.limits.queue or sum([tell.size for tell in self.tells]) > HOLD:
                self.tells.popleft()
            self._host.tells_changed()

    def hand_out(self, session: ApiSession) -> None:
        """Give a client that has just come the tells that found nobody, but for those it has in its own log."""
        if not self.tells or not session.key.permits("tell"):
            return
        waiting, self.tells = self.tells, deque()
        for event in waiting:
            if not session.heard(event):
                session.tell(event, self._host.limits.queue)
        self._host.tells_changed()

    # ── what other MUDs ask ─────────────────────────────────────────────────────────────────────

    def users(self) -> Mapping[str, Mapping[str, Any]] | None:
        """Who plays, by name in small letters; None: the MUD did not say so lately."""
        presence = self.presence
        if presence is None or self._host.seconds() - presence.at > CURRENT:
            return None
        return presence.users

    def _too_fast(self, mud: str) -> bool:
        """A MUD that asks without end must not make us flood the router. The router itself may."""
        return mud != self.link.router and self._paces.take(mud, self._host.seconds()) > 0.0

    def _asked(self, packet: Packet) -> None:
        users = self.users() or {}
        if isinstance(packet, packets.WhoRequest):
            rows = [WhoRow(one["name"], one.get("idle", 0), _extra(one)).write() for one in users.values()]
            self._reply(packets.WhoReply, packet, rows[:200])
        elif isinstance(packet, packets.FingerRequest):
            found = users.get(packet.user.lower())
            if found is None:
                self._error(packet, "unk-user", f"Nobody called {packet.user} plays on {self.name} just now.")
                return
            told = found.get("title", ""), "", "", str(found.get("login_time", "")), found.get("idle", 0)
            self._reply(packets.FingerReply, packet, found["name"], *told, "", str(found.get("level", "")), "")
        elif isinstance(packet, packets.LocateRequest):
            found = users.get(packet.user.lower())
            if found is not None:
                where = found.get("idle", 0), found.get("status", "")
                self._reply(packets.LocateReply, packet, self.name, found["name"], *where)
        elif isinstance(packet, packets.ChannelUserRequest):
            found = users.get(packet.user.lower())
            if found is None:
                self._error(packet, "unk-user", f"Nobody called {packet.user} plays on {self.name} just now.")
            else:
                self._reply(packets.ChannelUserReply, packet, packet.user, found["name"], 2)
        elif isinstance(packet, packets.ChannelWhoRequest):
            self._reply(packets.ChannelWhoReply, packet, packet.channel, self.on_channel(packet.channel))
        elif isinstance(packet, packets.AuthRequest):
            self._reply(packets.AuthReply, packet, int(self._host.wall()) % 2**31)
        elif isinstance(packet, packets.PingRequest):
            self._reply(packets.PingReply, packet, int(self._host.wall()) % 2**31)

    def on_channel(self, channel: str) -> list[str]:
        """The users of whom a client said that they joined a channel."""
        found = {session.channels.get(channel, "") for session in self.sessions.values()}
        return sorted(found - {""})[:200]

    def _reply(self, kind: type[Any], packet: Packet, *rest: Any) -> None:
        self.link.send(kind(self.name, "", packet.from_mud, packet.from_user, *rest))

    def _error(self, packet: Packet, code: str, text: str) -> None:
        self._reply(packets.Error, packet, code, text, packets.values(packet))

    # ── questions that are waited for ───────────────────────────────────────────────────────────

    def question(self, packet: Packet) -> bool:
        """Send it; or tell what was answered a moment ago, as if it came next. False: it cannot be sent."""
        answers = self.answers
        if answers is None or not self.link.up:
            return self.link.send(packet)
        sent: list[bool] = []

        async def find() -> None:
            found = await answers.find(packet)
            if found is None:
                sent.append(self.link.send(packet))
            else:
                self._host.later(0.0, lambda: self._tell_again(found))

        Deferred.fromCoroutine(find()).addErrback(lambda failure: _log.failure("a question was not asked", failure))
        return sent[0] if sent else True  # the latter also while Redis is asked

    def _tell_again(self, reply: Packet) -> None:
        told = event_of(reply)
        if told is not None:
            self._answered(reply, self.emit(told[0], told[1], told[2]).params)

    def ask(
        self,
        kind: type[Packet],
        mud: str,
        user: str,
        seconds: float,
        answer: Callable[[Mapping[str, Any] | None], None],
    ) -> None:
        """Call ``answer`` with the next reply of ``kind``, or after so many seconds with None."""

        def too_late() -> None:
            self._questions.remove(question)
            answer(None)

        question = Question(kind, mud.lower(), user.lower(), answer, self._host.later(seconds, too_late))
        self._questions.append(question)

    def _answered(self, packet: Packet, params: Mapping[str, Any]) -> None:
        for question in [one for one in self._questions if _answers(packet, one)]:
            self._questions.remove(question)
            question.cancel()
            question.answer(params)

    def stop(self) -> None:
        """Nobody waits any more."""
        for question in self._questions:
            question.cancel()
        self._questions.clear()

    # ── what outlives the server ────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, Any]:
        self.changed = False
        events = {event.id: event for session in self.sessions.values() for event in session.events()}
        return {
            "history": {channel: list(lines) for channel, lines in self.history.items()},
            "events": [event.kept() for event in events.values()],
            "sessions": [session.kept() for session in self.sessions.values()],
        }

    def remember(self, kept: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave before a restart, but for the sessions."""
        for channel, lines in kept.get("history", {}).items():
            self.history[channel] = deque(lines, maxlen=self._host.limits.history)


#: For each reply the type of the question it answers, on the wire.
_REPLY_TO: Final[Mapping[type[Packet], str]] = {
    packets.WhoReply: "who-req",
    packets.FingerReply: "finger-req",
    packets.LocateReply: "locate-req",
    packets.ChannelWhoReply: "chan-who-req",
    packets.ChannelAdminListReply: "chan-adminlist",
}


def _answers(packet: Packet, question: Question) -> bool:
    if isinstance(packet, packets.Error):
        about = packet.packet
        if not isinstance(about, list) or len(about) < 5 or about[0] != _REPLY_TO[question.kind]:
            return False
        return not question.mud or str(about[4]).lower() == question.mud
    if type(packet) is not question.kind:
        return False
    if isinstance(packet, packets.LocateReply):
        return packet.visname.lower() == question.user
    if isinstance(packet, packets.ChannelWhoReply | packets.ChannelAdminListReply):
        return packet.from_mud.lower() == question.mud and packet.channel.lower() == question.user
    return packet.from_mud.lower() == question.mud


def _extra(user: Mapping[str, Any]) -> str:
    level = f"Level {user['level']} - " if "level" in user else ""
    return level + " ".join([user[name] for name in ("race", "guild", "title") if name in user])
