"""What a telnet client has of what it was sent: by its own word, by TIMING-MARK, or by what its TCP acknowledged."""

from __future__ import annotations

from typing import Protocol

from mythos.net.outlet import Link
from mythos.net.telnet.pipe import Pipe

__all__ = ["Arrival"]

#: Answered marks after which a client is believed to answer them all; some answer the first alone.
_PROVEN = 2


class Carrier(Protocol):
    """Whose client it is: the connection."""

    @property
    def pipe(self) -> Pipe: ...

    def probe(self) -> bytes | None:
        """What asks for a mark; nothing while one is awaited. None: the peer speaks no telnet."""


class Arrival:
    """Acknowledges in the session's log what has arrived."""

    __slots__ = ("_answered", "_asked", "_carrier", "_link", "_mark")

    def __init__(self, link: Link, carrier: Carrier) -> None:
        self._link = link
        self._carrier = carrier
        self._asked = 0  # number up to which the unanswered mark asks; 0: there is none
        self._answered = 0
        self._mark: tuple[int, int] | None = None  # (bytes written, number sent) when TCP was looked at

    def look(self) -> None:
        """Now and then, for a client that does not acknowledge by itself."""
        cursor = self._link.cursor
        if cursor.acked < cursor.sent and not self._ask():
            self._look_at_tcp()

    def acknowledged(self, number: int, epoch: str | None) -> None:
        """The client's own word."""
        if self._link.ready:
            self._link.heard_from()
            log = self._link.session.log
            if epoch is None or epoch == log.epoch:
                log.ack(self._link.cursor, number)

    def marked(self) -> None:
        """The peer answered TIMING-MARK, with either word."""
        self._answered += 1
        if self._asked:
            self._link.session.log.ack(self._link.cursor, self._asked)
            self._asked = 0

    def _ask(self) -> bool:
        """Ask for a mark, unless one is awaited. False: this client is not known to answer more than one."""
        if not self._asked:
            mark = self._carrier.probe()
            if mark is None:
                return False
            if mark:
                self._asked = self._link.cursor.sent
                self._carrier.pipe.send(mark)
        return self._answered >= _PROVEN

    def _look_at_tcp(self) -> None:
        """What the peer's TCP has acknowledged, it has: bytes written, less what stands in queues."""
        log, cursor, pipe = self._link.session.log, self._link.cursor, self._carrier.pipe
        arrived = pipe.written - pipe.unsent
        if self._mark is not None and arrived >= self._mark[0]:
            log.ack(cursor, self._mark[1])
            self._mark = None
        if self._mark is None and cursor.acked < cursor.sent:
            self._mark = (pipe.written, cursor.sent)
            if arrived >= pipe.written:
                log.ack(cursor, cursor.sent)
                self._mark = None
