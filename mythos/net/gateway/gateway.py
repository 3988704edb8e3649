"""The gateway as a whole: its keys, its MUDs and their clients, and what of them outlives the server."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.interfaces import IReactorTime

from mythos.errors import WireError
from mythos.flow.bucket import Bucket
from mythos.flow.limit import Shared
from mythos.net.gateway.events import Event, Told, now_text
from mythos.net.gateway.keys import Key, Keyring
from mythos.net.gateway.mud import GatewayMud, Limits
from mythos.net.gateway.session import ApiSession, Door
from mythos.net.i3.answers import Answers
from mythos.net.i3.link import RouterLink
from mythos.net.i3.state import read, saved, set_aside
from mythos.net.i3.unsent import Unsent
from mythos.net.turn import Turn

if TYPE_CHECKING:  # a gateway alone does without the game
    from mythos.play.ports import Clock

__all__ = ["Gateway"]

#: Seconds until tells that could not be written are written again.
AGAIN: Final = 5.0
#: Clients of one MUD that are away and may still resume: a client that comes without end must not fill the memory.
AWAY: Final = 32
#: Files in the data directory: tells that found nobody, and those that wait for a router, are written at once, the rest
#: now and then.
TELLS = "gateway-tells.json"
UNSENT = "gateway-unsent.json"
STATE = "gateway-state.json"


class Gateway:
    """Implements ``Host`` of :mod:`mythos.net.gateway.mud` and ``Service`` of :mod:`mythos.net.gateway.methods`.

    :param link: makes a MUD's link to a router, not yet started
    :param rate: (requests a minute, at once) of one connection
    :param per_method: requests a minute of single methods
    :param longest: characters of one message
    :param answers: what other MUDs answered a moment ago; None: each question is asked of the network
    :ivar turn: of all its connections, to clients and to routers
    :ivar shared: servers that share a Redis count the requests of a key together; None: this one counts for itself
    """

    def __init__(
        self,
        keys: Keyring,
        clock: Clock,
        timer: IReactorTime,
        *,
        link: Callable[[str], RouterLink],
        data: Path,
        limits: Limits,
        rate: tuple[int, int],
        longest: int,
        per_method: Mapping[str, int] | None = None,
        answers: Answers | None = None,
    ) -> None:
        self.answers = answers
        self.shared: Shared | None = None
        self.keys = keys
        self.limits = limits
        self.turn = Turn()
        self.longest = longest
        self.muds: dict[str, GatewayMud] = {}
        self.wall, self.seconds = clock.wall, clock.seconds
        self._timer = timer
        self._link = link
        self._data = data
        self.rate = rate
        self.per_method = per_method or {}
        self._since = clock.seconds()
        self._events = 0
        self._tells_due = False
        self._unsent = Unsent(data / UNSENT, self.turn)
        self._started = False
        keys.changed = self._look_at_keys
        self._remember()

    # ── MUDs ────────────────────────────────────────────────────────────────────────────────────

    def mud(self, name: str) -> GatewayMud:
        """A MUD by the name its key gives it. It is on the network as long as it has a key."""
        found = self.muds.get(name)
        if found is None:
            found = self.muds[name] = GatewayMud(name, self, self._link(name))
            found.link.turn = self.turn
            found.answers = self.answers
            self._unsent.watch(name, found.link)
            if self._started:
                found.link.start()
        return found

    def _look_at_keys(self) -> None:
        """Every MUD with a key is on the network; whoever is there by one that is worth nothing any more must go."""
        good = {key.id: key.mud for key in self.keys}
        for session in [one for one in self.sessions() if one.key.id not in good]:
            if session.door is not None:
                session.door.close(1008, "this key is not good any more")
            self._end(session)
        for name in dict.fromkeys(good.values()):
            self.mud(name)
        for name in self.muds.keys() - set(good.values()):
            gone = self.muds.pop(name)
            gone.stop()
            Deferred.fromCoroutine(gone.link.stop())
            self.tells_changed()
            self._unsent.forget(name)

    # ── sessions ────────────────────────────────────────────────────────────────────────────────

    def sessions(self) -> Iterator[ApiSession]:
        for mud in self.muds.values():
            yield from mud.sessions.values()

    def enter(self, key: Key, door: Door, old: ApiSession | None) -> ApiSession:
        """A session for who has shown a key: a new one, or an old one that goes on by this connection."""
        if old is not None:
            if old.door is not None:
                old.door.close(4001, "takeover: this session goes on by another connection")
            old.key, old.door = key, door
            return old
        session = self._session(str(uuid.uuid4()), self.mud(key.mud), key)
        session.door = door
        return session

    def _session(self, id: str, mud: GatewayMud, key: Key) -> ApiSession:
        per_minute, burst = self.rate
        if key.per_minute:
            per_minute, burst = key.per_minute, max(20, key.per_minute // 3)
        session = mud.sessions[id] = ApiSession(id, mud, key, Bucket(per_minute / 60.0, burst), self.wall())
        session.of_methods = {name: Bucket(rate / 60.0, rate) for name, rate in self.per_method.items()}
        return session

    def resumable(self, id: str, key: Key) -> ApiSession | None:
        mud = self.muds.get(key.mud)
        return mud.sessions.get(id) if mud is not None else None

    def welcome(self, session: ApiSession) -> None:
        """Behind the answer to its authentication: what it missed, and the tells that found nobody."""
        last, session.resume_from = session.resume_from, None
        if last is not None:
            session.tell_again(last)
        session.mud.hand_out(session)

    def away(self, session: ApiSession) -> None:
        session.door = None
        session.left_at = session.seq
        session.away_since = self.wall()
        mud = session.mud
        mud.changed = True
        away = [one for one in mud.sessions.values() if one.door is None]
        if len(away) > AWAY:
            self._end(min(away, key=lambda one: one.away_since))

    def _end(self, session: ApiSession) -> None:
        mud = session.mud
        mud.sessions.pop(session.id, None)
        mud.changed = True
        mud.listen_again()

    def sweep(self) -> None:
        """Let go of what is too old: keys, sessions that are away, what they were told, tells that nobody fetched."""
        self._look_at_keys()
        before = self.wall() - self.limits.queue_time
        for mud in self.muds.values():
            mud.listen_again()
            for session in tuple(mud.sessions.values()):
                session.forget(before)
                if session.door is None and session.away_since < before:
                    self._end(session)
            if mud.tells and mud.tells[0].at < before:
                while mud.tells and mud.tells[0].at < before:
                    mud.tells.popleft()
                self.tells_changed()

    # ── what MUDs and methods ask ───────────────────────────────────────────────────────────────

    def event(self, told: Told) -> Event:
        self._events += 1
        method, params, permission, channel = told
        return Event(self._events, self.wall(), method, params, permission, channel)

    def later(self, seconds: float, work: Callable[[], None]) -> Callable[[], None]:
        call = self._timer.callLater(seconds, work)
        return lambda: call.cancel() if call.active() else None

    def uptime(self) -> float:
        return self.seconds() - self._since

    def connected(self) -> int:
        return sum(session.door is not None for session in self.sessions())

    def on_channel(self, channel: str) -> list[tuple[str, str]]:
        return [(mud.name, user) for mud in self.muds.values() for user in mud.on_channel(channel)]

    def joined(self, session: ApiSession, channel: str, user: str, *, joined: bool) -> None:
        mud = session.mud
        what, action = ("joined", "join") if joined else ("left", "leave")
        mud.emit(f"channel_{what}", {"channel": channel, "mud_name": mud.name}, "channel")
        if user:
            for other in self.muds.values():
                params = {"channel": channel, "user": user, "mud": mud.name, "action": action}
                other.emit(f"user_{what}_channel", params, "channel", channel)

    def warn(self, session: ApiSession, left: int) -> None:
        """It is near the end of what it may send."""
        per_minute = int(session.bucket.rate * 60)
        params = {"limit": per_minute, "remaining": left, "message": f"{left} requests left of {per_minute} a minute."}
        session.tell(self.event(("rate_limit_warning", params, "", "")), self.limits.queue)

    def announce(self, method: str, seconds: float, message: str) -> None:
        """``maintenance_scheduled`` or ``shutdown_warning``, to everybody."""
        when = now_text(self.wall() + seconds)
        for mud in self.muds.values():
            mud.emit(method, {"message": message, "seconds": round(seconds), "at": when})

    # ── what outlives the server ────────────────────────────────────────────────────────────────

    def tells_changed(self) -> None:
        """Write the tells that wait, once for all of this reactor turn."""
        if not self._tells_due:
            self._tells_due = True
            self._timer.callLater(0, self._save_tells)

    def _save_tells(self) -> None:
        self._tells_due = False
        waiting = {name: [event.kept() for event in mud.tells] for name, mud in self.muds.items() if mud.tells}
        if not saved(waiting, self._data / TELLS):
            self._tells_due = True
            self._timer.callLater(AGAIN, self._save_tells)

    def save(self, *, stopped: bool = False) -> None:
        """History, sessions and what they were told, if any of it changed.

        :param stopped: nothing comes after it
        """
        if stopped or any(mud.changed for mud in self.muds.values()):
            muds = {name: mud.kept() for name, mud in self.muds.items()}
            state = {"events": self._events, "stopped": stopped, "muds": muds}
            if not saved(state, self._data / STATE, durable=stopped):
                for mud in self.muds.values():
                    mud.changed = True

    def _remember(self) -> None:
        """What was there before the restart: a MUD comes back with its sessions, for they may be resumed."""
        for key in self.keys:
            self.mud(key.mud)
        self._unsent.remember()
        for file, remember in ((STATE, self._remember_state), (TELLS, self._remember_tells)):
            kept = read(self._data / file)
            try:
                remember(kept)
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, WireError) as error:
                set_aside(self._data / file, error)

    def _remember_state(self, kept: Mapping[str, Any]) -> None:
        self._events = int(kept.get("events", 0)) + 1_000_000  # beyond those that were told and not written
        keys = {key.id: key for key in self.keys}
        now = self.wall()
        for name, one in kept.get("muds", {}).items():
            mud = self.muds.get(name)
            if mud is None:
                continue
            mud.remember(one)
            events = {event.id: event for event in map(Event.again, one["events"])}
            for session in one["sessions"]:
                key = keys.get(session["key"])
                if key is not None and key.mud == name:
                    again = self._session(session["id"], mud, key)
                    again.remember(session, events, now, stopped=kept["stopped"])

    def _remember_tells(self, kept: Mapping[str, Any]) -> None:
        for name, tells in kept.items():
            if name in self.muds:
                self.muds[name].tells.extend(map(Event.again, tells))
                self._events = max([self._events, *[event.id for event in self.muds[name].tells]])

    def start(self) -> None:
        """Be on the network with every MUD that has a key."""
        self._started = True
        for mud in self.muds.values():
            mud.changed = True
        self.save()  # what is told from now on is not in what the stop wrote
        for mud in self.muds.values():
            mud.link.start()

    async def stop(self) -> None:
        """Say that we go, send what waits for the routers, and keep the rest."""
        self.announce("shutdown_warning", 0, "The gateway stops; come back in a moment.")
        muds = tuple(self.muds.values())
        await gatherResults([Deferred.fromCoroutine(mud.link.stop()) for mud in muds])
        for mud in muds:
            mud.stop()
        for session in tuple(self.sessions()):
            if session.door is not None:
                session.door.close(1001, "Server shutting down")
                self.away(session)
        self.save(stopped=True)
        self._save_tells()
        self._unsent.save()
