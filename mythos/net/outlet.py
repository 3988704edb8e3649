"""The only way bytes of a session leave.

A :class:`Link` is a door's connection as its session sees it. It keeps no queue: the session's log is the queue, and
a link pulls from its cursor what its transport will take. Woken links are flushed once in a reactor turn, each with
one send.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger
from zope.interface import implementer

from mythos.flow.log import Cursor, Entry, Gap
from mythos.flow.rounds import Rounds
from mythos.ids import SessionId
from mythos.net.poll import Poll
from mythos.net.transport import HOLD
from mythos.play.realm import Realm
from mythos.play.sessions import Session
from mythos.values import kept, restore
from mythos.wire.message import Line

__all__ = ["Link", "Outlet", "short"]

#: Why a connection ended, by the code it was closed with; else its client left, or the network lost it.
_WHY = {1000: "ended", 1001: "shutdown", 4001: "takeover", 4008: "slow"}

_DOORS = {"telnet": "Telnet", "websocket": "WebSocket", "sse": "SSE"}

#: A reader is dropped when it is this far behind, in bytes or in seconds without taking any.
SLOW_BYTES = 262_144
SLOW_SECONDS = 15.0
#: Seconds between two looks at a link.
SWEEP = 1.0
#: What another process needs of any link.
_KEPT = ("token", "_proved", "draws")

_log = Logger()
T = TypeVar("T")


class Outlet:
    """All links that have something to write in this reactor turn.

    :ivar delivered: messages handed to transports since the start, by kind of door; so is ``opened``, connections
    :ivar closed: connections that ended since the start, by kind of door and reason
    :ivar lost: messages that readers who were too slow never got
    :ivar established: told the door of each connection, and the seconds from its good token to its first words
    :ivar idle: seconds without a sign of life after which a door gives a connection up
    :ivar waits: told of each connection once a second how long its oldest message waits
    """

    __slots__ = (
        "_poll",
        "_rounds",
        "_scheduled",
        "_woken",
        "closed",
        "delivered",
        "established",
        "idle",
        "links",
        "lost",
        "opened",
        "waits",
    )

    def __init__(self, poll: Poll, idle: float = 300.0) -> None:
        self._poll = poll
        self.idle = idle
        self._woken: list[Link] = []
        self._scheduled = False
        self.links: set[Link] = set()
        self._rounds = Rounds(SWEEP, lambda: self.links)
        self.delivered: dict[str, int] = {"telnet": 0, "websocket": 0, "sse": 0}
        self.opened: dict[str, int] = {"telnet": 0, "websocket": 0, "sse": 0}
        self.closed: dict[tuple[str, str], int] = {}
        self.lost = 0
        self.established: Callable[[str, float], None] = lambda door, seconds: None
        self.waits: Callable[[float], None] = lambda seconds: None

    def wake(self, link: Link) -> None:
        self._woken.append(link)
        if not self._scheduled:
            self._scheduled = True
            self._poll.behind(self.flush)

    def during(self, work: Callable[[], T]) -> T:
        """Do work that wakes many links, and flush at its end without asking the reactor for a turn."""
        if self._scheduled:
            return work()
        self._scheduled = True
        try:
            return work()
        finally:
            self.flush()

    def flush(self) -> None:
        """One send for each link that was woken. A receiver's failure never reaches another, nor the sender."""
        self._scheduled = False
        woken, self._woken = self._woken, []
        for link in woken:
            try:
                link.flush()
            except Exception:  # a frame handler: it costs this connection only
                _log.failure("{kind} connection broke while it was written to", kind=link.kind)
                link.abort()

    def sweep(self, now: float) -> None:
        """Drop readers that take nothing, and learn what the others have: the next part of a round."""
        for link in self._rounds.part(now):
            if link not in self.links:
                continue
            try:
                self.waits(link.session.log.waits(link.cursor, now))
                link.sweep(now)
            except Exception:  # a periodic job goes on with the next
                _log.failure("{kind} connection broke while it was looked at", kind=link.kind)
                link.abort()

    def drop_slowest(self, share: float) -> int:
        """Drop those who take nothing and have most to take, up to a share of all; returns how many there were."""
        shut = [(link.session.log.behind(link.cursor, 0.0)[0], link) for link in self.links if link.shut]
        shut.sort(key=lambda one: -one[0])
        slowest = shut[: max(1, round(len(self.links) * share))]
        for _, link in slowest:
            link.drop()
        return len(slowest)


@implementer(IPushProducer)
class Link:
    """One connection of one session, on any door. A door says how entries become bytes.

    :ivar woken: it will be flushed at the end of this reactor turn
    :ivar ready: it was told ``hello``: it may be written to; ``number`` counts those that were
    :ivar shut: its transport holds as much as it may
    :ivar draws: its client draws what :mod:`mythos.play.panels` tells of
    """

    __slots__ = (
        "_answers",
        "_closed",
        "_proved",
        "_shut_since",
        "address",
        "cursor",
        "draws",
        "number",
        "outlet",
        "ready",
        "realm",
        "session",
        "shut",
        "token",
        "woken",
    )

    kind = ""
    cursor: Cursor

    def __init__(self, outlet: Outlet, realm: Realm, session: Session, address: str) -> None:
        self.outlet = outlet
        self.realm = realm
        self.session = session
        self.address = address
        self.number = 0
        self.ready = False
        self.shut = False
        self.draws = True
        self.token = ""
        self._proved = False  # its client has the token
        self.woken = False
        self._closed = ""  # why
        self._shut_since = realm.clock.seconds()  # or made at, until it is attached
        self._answers: list[bytes] | None = None

    # ── what a door provides ────────────────────────────────────────────────────────────────────

    def encode(self, entries: list[Entry], before: int) -> bytes:
        """Entries as bytes of this door; ``before`` is the number it was sent before them."""
        raise NotImplementedError

    def encode_gap(self, gap: Gap, before: int) -> bytes:
        raise NotImplementedError

    def encode_answer(self, c: int, error: str, expect: int, dup: bool) -> bytes:
        """What a command is answered with; a door that does not count them has an ``answer`` of its own."""
        raise NotImplementedError

    def after_flush(self) -> bytes:
        """What ends a flush that wrote something: a prompt, a position."""
        return b""

    def send(self, data: bytes) -> None:
        raise NotImplementedError

    @property
    def transport(self) -> Any:
        """What carries it."""
        raise NotImplementedError

    def abort(self) -> None:
        raise NotImplementedError

    def shutdown(self, code: int, reason: str) -> None:
        """Say why and close, after what was sent."""
        raise NotImplementedError

    def pause(self) -> None:
        raise NotImplementedError

    def resume(self) -> None:
        raise NotImplementedError

    # ── what the session asks ───────────────────────────────────────────────────────────────────

    def attached(self) -> None:
        """The hello is written: from now on it is flushed, swept and counted."""
        self._join()
        seconds = self.realm.clock.seconds() - self._shut_since
        self.outlet.established(self.kind, seconds)
        _log.info(
            "{door} connected: connection_establishment {dur_ms} ms, connection {connection} of session {session}",
            door=_DOORS[self.kind],
            dur_ms=round(seconds * 1000.0, 1),
            connection=f"c{self.number:x}",
            session=short(self.session.id),
            address=self.address,
            event="connection_establishment",
        )

    def heard_from(self) -> None:
        """Its client sent something behind its hello, which it therefore has."""
        if self.token and not self._proved:
            self._proved = True
            self.session.tokens.arrived(self.token, self.realm.clock.wall())

    def wake(self) -> None:
        if not self.woken and self.ready and not self.shut:
            self.woken = True
            self.outlet.wake(self)

    def fits(self, lines: Sequence[Line]) -> int:
        """As many as there are: a window that scrolls has no end."""
        return len(lines)

    def answer(self, c: int, error: str, expect: int, dup: bool) -> None:
        self.write_behind(self.encode_answer(c, error, expect, dup))

    def write_behind(self, data: bytes) -> None:
        """Write it once all words put so far are written."""
        if self._answers is None:
            self._answers = []
        self._answers.append(data)
        self.wake()

    def close(self, code: int, reason: str) -> None:
        if not self._closed:
            log = self.session.log
            while self.ready and not self.shut and (self.cursor.sent < log.head or self._answers is not None):
                self.flush()
            self._closed = _WHY.get(code, "refused")
            self.shutdown(code, reason)

    # ── writing ─────────────────────────────────────────────────────────────────────────────────

    def flush(self) -> None:
        if self.draws and not self._closed and not self.shut:
            self.realm.draw(self.session)
        self.woken = False
        if self._closed or self.shut:
            return
        log, cursor = self.session.log, self.cursor
        data = b""
        if cursor.sent < log.floor:
            self.realm.snapshot(self.session)  # first: in a full log it takes the place of more
            before = cursor.sent
            gap = log.overtaken(cursor)
            assert gap is not None
            self.outlet.lost += gap.missed
            data = self.encode_gap(gap, before)
        before = cursor.sent
        entries = log.pull(cursor, HOLD)
        if entries:
            self.outlet.delivered[self.kind] += len(entries)
            data += self.encode(entries, before)
        if cursor.sent >= log.head:
            if self._answers is not None:
                data += b"".join(self._answers)
                self._answers = None
            if data or entries:
                data += self.after_flush()
        if data:
            self.send(data)
        if cursor.sent < log.head or self._answers is not None:
            self.wake()

    # ── from one process to another ─────────────────────────────────────────────────────────────

    def parcel(self) -> tuple[Any, dict[str, Any]] | None:
        """Its transport, and what another process needs beside the session to go on with it; None: it cannot, and its
        client has to come again."""
        return None

    def kept(self) -> dict[str, Any]:
        """What is the same for all doors."""
        return {
            "session": self.session.id,
            "cursor": self.session.log.cursors.index(self.cursor),
            "answers": self._answers,
            **kept(self, _KEPT),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one, whose session has been taken up."""
        restore(self, _KEPT, state)
        self.cursor = self.session.log.cursors[state["cursor"]]
        self._answers = state["answers"]
        self.session.connections.append(self)
        self.session.alone_since = 0.0
        self._join()

    def _join(self) -> None:
        self.ready = True
        outlet = self.outlet
        outlet.links.add(self)
        outlet.opened[self.kind] += 1
        self.number = sum(outlet.opened.values())

    def detached(self) -> None:
        """The connection is gone."""
        self._closed = self._closed or "left"
        outlet = self.outlet
        if self in outlet.links:
            outlet.links.discard(self)
            ended = self.kind, self._closed
            outlet.closed[ended] = outlet.closed.get(ended, 0) + 1
            _log.info(
                "{door} disconnected: {reason}, connection {connection} of session {session}",
                door=_DOORS[self.kind],
                reason=self._closed,
                connection=f"c{self.number:x}",
                session=short(self.session.id),
                event="connection_end",
            )
        self.realm.detach(self, self.session)

    def sweep(self, now: float) -> None:
        if self.shut and not self._closed:
            behind, _ = self.session.log.behind(self.cursor, now)
            if behind > SLOW_BYTES or now - self._shut_since > SLOW_SECONDS:
                self.drop()
        elif self.draws and not self._closed:
            self.realm.draw(self.session)  # something may have changed without a word

    def drop(self) -> None:
        """It reads too slowly. Its session waits for it to come back."""
        if not self._closed:
            _log.info("{kind} connection is too slow: dropped", kind=self.kind)
            self._closed = _WHY[4008]
            self.shutdown(4008, "slow")
            self.abort()

    # ── IPushProducer: the transport says when it holds enough ──────────────────────────────────

    def pauseProducing(self) -> None:
        self.shut = True
        self._shut_since = self.realm.clock.seconds()

    def resumeProducing(self) -> None:
        self.shut = False
        self.wake()

    def stopProducing(self) -> None:
        self.shut = True


def short(session: SessionId) -> str:
    """A session as the log names it: with the whole of it nobody could resume it either, but it is long."""
    return session[:8]
