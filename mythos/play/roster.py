"""Who plays, and who hears a message.

An audience (:mod:`mythos.play.audience`) becomes sessions here, and a message goes into their logs. In a crowd nobody
reads of each one who comes or goes: that is gathered for a moment and told as one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mythos.errors import Refusal
from mythos.flow.log import put_all
from mythos.ids import EntityId, RoomId, SessionId
from mythos.play.audience import Audience, Bustle, InRoom, InZone, Listeners, Only
from mythos.play.channels import Channels
from mythos.play.narrate.phrase import together
from mythos.play.sessions import Session, Standing
from mythos.wire.message import Line, Message, Span, State, line
from mythos.world.state import World

__all__ = ["Roster"]

#: Of those who came or went in a crowd, so many are named in the line that tells of all.
_NAMED = 3


class Roster:
    """See the module.

    :ivar world: the one that is played in; another after it was loaded again (:meth:`enter`)
    :ivar of: the session of a character
    """

    def __init__(self, world: World, channels: Channels) -> None:
        self.world = world
        self.of: dict[EntityId, Session] = {}
        self._channels = channels
        self._sessions: dict[SessionId, Session] = {}
        self._crowds: dict[RoomId, tuple[int, list[Session]]] = {}
        #: who came (True) and went by room, in order, with the line that tells of each alone
        self._bustle: dict[RoomId, dict[EntityId, tuple[bool, Line]]] = {}

    def enter(self, world: World) -> None:
        """Go on in another world."""
        self.world = world
        self._crowds.clear()
        self._bustle.clear()

    # ── who plays ───────────────────────────────────────────────────────────────────────────────

    def add(self, session: Session) -> None:
        self._sessions[session.id] = session
        self.of[session.me.id] = session

    def remove(self, session: Session) -> None:
        self._sessions.pop(session.id, None)
        if self.of.get(session.me.id) is session:
            del self.of[session.me.id]

    def get(self, id: SessionId) -> Session | None:
        return self._sessions.get(id)

    def every(self) -> tuple[Session, ...]:
        """All sessions, whatever they do, in the order they came."""
        return tuple(self._sessions.values())

    def present(self) -> Iterator[Session]:
        """Those that stand in the world."""
        return (session for session in self._sessions.values() if session.standing is Standing.PRESENT)

    def find(self, name: str) -> Session:
        """Who plays under a name or its beginning.

        :raises Refusal: nobody, or several
        """
        wanted = name.lower()
        near = []
        for session in self.present():
            known = session.me.name.lower()
            if known == wanted:
                return session
            if known.startswith(wanted):
                near.append(session)
        if len(near) == 1:
            return near[0]
        if near:
            raise Refusal(f"Which do you mean: {', '.join(sorted(s.me.name for s in near))}?")
        raise Refusal(f"Nobody called {name} is here just now.")

    # ── who hears ───────────────────────────────────────────────────────────────────────────────

    def listeners(self, audience: Audience) -> list[Session]:
        """Who hears, as of now. The list is not the caller's to change."""
        of = self.of
        if type(audience) is Only:
            one = of.get(audience.who)
            return [one] if one is not None else []
        if type(audience) is InRoom:
            crowd = self._crowd(audience.room)
            out = [of.get(who) for who in audience.but]
            return [one for one in crowd if one not in out] if out else crowd
        if type(audience) is InZone:
            rooms = self.world.atlas.rooms
            return [
                session
                for session in self.present()
                if rooms[session.me.room].zone == audience.zone and session.me.id not in audience.but
            ]
        if type(audience) is Listeners:
            return [session for session in self.present() if self._channels.hears(session.me, audience.channel)]
        if type(audience) is Bustle:
            return []  # nobody yet: see tell
        return list(self.present())

    def _crowd(self, room: RoomId) -> list[Session]:
        """The sessions of those in a room, kept until somebody comes or goes."""
        stirred = self.world.stirred.get(room, 0)
        known = self._crowds.get(room)
        if known is None or known[0] != stirred:
            of = self.of
            crowd = [of[who] for who in self.world.people.get(room, ()) if who in of]
            known = self._crowds[room] = (stirred, crowd)
        return known[1]

    # ── telling ─────────────────────────────────────────────────────────────────────────────────

    def tell(self, audience: Audience, message: Message, listeners: list[Session], now: float) -> None:
        """Put a message into the logs of those who hear it.

        Who came or went in a crowd is told before anything else that its room hears: words never come before the
        arrival of who said them.
        """
        if type(audience) is Bustle:
            self._notice(audience, message)
            return
        if self._bustle and type(audience) is InRoom and audience.room in self._bustle:
            self._tell_bustle(audience.room, now)
        _put(listeners, message, now)

    def _notice(self, audience: Bustle, message: Message) -> None:
        assert type(message) is Line
        seen = self._bustle.setdefault(audience.room, {})
        before = seen.pop(audience.who, None)
        if before is None or before[0] == audience.came:
            seen[audience.who] = (audience.came, message)  # else it came and went again, and nobody noticed

    def tell_bustle(self, now: float) -> None:
        """Tell who came and went in crowds since the last call."""
        for room in tuple(self._bustle):
            self._tell_bustle(room, now)

    def _tell_bustle(self, room: RoomId, now: float) -> None:
        seen = self._bustle.pop(room)
        if len(seen) == 1:
            ((who, (_, alone)),) = seen.items()
            _put(self.listeners(InRoom(room, (who,))), alone, now)
        elif seen:
            came = [message for is_in, message in seen.values() if is_in]
            went = [message for is_in, message in seen.values() if not is_in]
            words: list[str | Span] = []
            if came:
                words += [*_names(came), " arrives." if len(came) == 1 else " arrive."]
            if went:
                words += [" " if came else "", *_names(went), " leaves." if len(went) == 1 else " leave."]
            _put(self._crowd(room), line("move", *words), now)


def _names(lines: list[Line]) -> Iterable[str | Span]:
    """``Ann, Bob, Cid and 14 others``: each line begins with who it tells of; who is not seen, is counted."""
    known = [one.spans[0] for one in lines if one.spans[0].role is not None]
    shown = known[: _NAMED if len(lines) > _NAMED + 1 else len(lines)]
    more = len(lines) - len(shown)
    if not shown:
        return [f"{more} people" if more > 1 else "Someone"]
    return together(shown, more)


def _put(listeners: list[Session], message: Message, now: float) -> None:
    """:meth:`Session.hear` of many without a call for each, as crowds are where time goes."""
    if type(message) is State:
        for listener in listeners:
            listener.hear(message, now)
        return
    put_all([listener.log for listener in listeners], message, now)
    for listener in listeners:
        for connection in listener.connections:
            if not connection.woken:
                connection.wake()
