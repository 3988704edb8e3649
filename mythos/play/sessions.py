"""Sessions: a character's presence, over many connections and many losses of them.

A session outlives its connections. Its log (:mod:`mythos.flow.log`) is what its player heard; its command numbers
make a retried command run once. It knows no socket: connections are those of :mod:`mythos.play.ports`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import TYPE_CHECKING
from zlib import crc32

from mythos.flow.bucket import Bucket
from mythos.flow.log import SessionLog
from mythos.ids import EntityId, SessionId
from mythos.play.panels import Panels
from mythos.play.ports import Connection, SessionRecord
from mythos.play.resume import ResumeTokens
from mythos.wire.message import Message, State
from mythos.world.state import Character

if TYPE_CHECKING:
    from mythos.play.audience import Heard
    from mythos.play.call import Call

__all__ = ["ANSWERS", "QUEUE", "Question", "Session", "Standing"]

#: Lines that wait for their turn before its connections are no longer read.
QUEUE = 64
#: Commands that are known when they are sent again.
ANSWERS = 64


class Standing(Enum):
    """What the session's body does."""

    WAITING = "waiting"  # made, and not yet come in
    PRESENT = "present"  # stands in the world
    AWAY = "away"  # link-dead longer than its grace: out of the world, may still come back
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Question:
    """What the next line answers.

    :ivar words: the only answers, lower case; any other line is a command, and the question is dropped. Empty: every
        line is an answer
    :ivar behind: number of the last line that was typed before a command asked it: those up to there are no answers to
        a secret one. 0: an answer asked it, and its player may have more of them ready
    :ivar rest: what is told if the answer is yes, and not lost if the question is
    """

    text: str
    then: Callable[[Call, str], None]
    secret: bool = False
    words: tuple[str, ...] = ()
    behind: int = 0
    rest: tuple[Heard, ...] = ()

    def takes(self, typed: str) -> bool:
        return not self.words or typed.lower() in self.words


class Session:
    """See the module. Made and driven by :class:`~mythos.play.realm.Realm`.

    :ivar lines: (command number, line) that wait for their turn; None once it is over
    :ivar running: it stands in the realm's queue of those with something to do
    :ivar idle_since: monotonic second of its last command
    :ivar next_c: number of the next new command
    :ivar done_c: number up to which all commands are answered; those after it wait, or their words do
    :ivar alone_since: monotonic second its last connection left; 0.0 while it has one
    :ivar news: what is told when the next connection comes
    :ivar panels: what its log was told of what clients draw; None: none of its clients has drawn
    :ivar told_by: who last told it something, for ``reply``
    """

    __slots__ = (
        "_asked",
        "_undone",
        "alone_since",
        "bucket",
        "connections",
        "done_c",
        "id",
        "idle_since",
        "lines",
        "log",
        "made",
        "me",
        "news",
        "next_c",
        "panels",
        "question",
        "running",
        "since",
        "standing",
        "tokens",
        "told_by",
    )

    def __init__(self, id: SessionId, me: Character, log: SessionLog, bucket: Bucket, now: float) -> None:
        self.id = id
        self.me = me
        self.log = log
        self.bucket = bucket
        self.connections: list[Connection] = []
        self.lines: list[tuple[int, str]] | None = []
        self.running = False
        self.next_c = 1
        self.done_c = 0
        self.question: Question | None = None
        self.standing = Standing.WAITING
        self.made = now
        self.idle_since = now
        self.alone_since = now
        self.panels: Panels | None = None
        self.told_by: EntityId | None = None
        self.news = ""
        self.tokens = ResumeTokens()
        self.since = 0.0  # unix second: access tokens of before are no good
        self._asked: dict[int, int] = {}  # checksums of the last lines, by number
        self._undone: tuple[int, ...] = ()

    # ── what it hears ───────────────────────────────────────────────────────────────────────────

    def hear(self, message: Message, now: float) -> None:
        """Put a message into the log and let the connections know."""
        if type(message) is State:
            self.log.put_state(message.name, message, now)
        else:
            self.log.put(message, now)
        for connection in self.connections:
            if not connection.woken:
                connection.wake()

    def hear_lines(self, lines: list[Message], now: float) -> None:
        """As :meth:`hear`, for several lines at once."""
        self.log.put_several(lines, now)
        for connection in self.connections:
            if not connection.woken:
                connection.wake()

    def ask(self, text: str, then: Callable[[Call, str], None], *, secret: bool) -> None:
        self.question = Question(text, then, secret)

    def asks(self) -> State:
        """What its next line answers, as a client shows it; empty: its next line is a command."""
        question = self.question
        text, secret = (question.text, question.secret) if question else ("", False)
        return State("Mythos.Ask", {"text": text, "secret": secret})

    def take_question(self) -> Question | None:
        question, self.question = self.question, None
        return question

    # ── what it is asked to do ──────────────────────────────────────────────────────────────────

    def accept(self, c: int, line: str) -> tuple[str, int, bool] | None:
        """Take command ``c`` (0: the next number). None: it waits for its turn.

        Else the answer at once, as (error, number expected, whether it is a repeat): ``gap`` for a number too
        high, ``taken`` for a number that another connection used for other words, the recorded answer for one
        that was answered. One whose words still wait for the disk is answered with them.
        """
        if c == 0:
            c = self.next_c
        if c > self.next_c:
            return "gap", self.next_c, False
        if c < self.next_c:
            return self._repeated(c, line)
        self.next_c += 1
        self._asked[c] = _checksum(line)
        self._asked.pop(c - ANSWERS, None)
        if self.lines is not None:
            self.lines.append((c, line))
        return None

    def _repeated(self, c: int, line: str) -> tuple[str, int, bool] | None:
        if self._asked.get(c) not in (None, _checksum(line)):  # None: longer ago than is kept
            return "taken", self.next_c, False
        if c > self.done_c:
            return None
        return "undone" if c in self._undone else "", self.next_c, True

    def asked(self, c: int) -> int | None:
        """The checksum of the words of a command, if they are known: as :class:`SessionRecord` stores them."""
        return self._asked.get(c)

    def keep_secret(self, c: int) -> None:
        """The words of a command were a password: nothing of them may be stored."""
        self._asked.pop(c, None)

    def answered(self, c: int, error: str = "") -> None:
        """A command is answered; called when its words are released."""
        self.done_c = c
        for connection in self.connections:
            connection.answer(c, error, self.next_c, False)

    def undo(self) -> bool:
        """The world went back to before the commands that were run and not answered: that is their answer.
        Returns whether there were any."""
        waiting = self.lines[0][0] if self.lines else self.next_c
        undone = range(self.done_c + 1, waiting)
        for c in undone:
            self._undone = (*self._undone[-ANSWERS:], c)
            self.answered(c, "undone")
        return bool(undone)

    # ── who and where from ──────────────────────────────────────────────────────────────────────

    @property
    def linkdead(self) -> bool:
        return not self.connections

    def doors(self) -> list[str]:
        return [connection.kind for connection in self.connections]

    def addresses(self) -> list[str]:
        return [connection.address for connection in self.connections]

    def leave(self, connection: Connection, now: float) -> None:
        """A connection is gone; its place in the log stays for the window."""
        self.connections.remove(connection)
        self.log.detach(connection.cursor, now)
        if not self.connections:
            self.alone_since = now

    def go_on(self, record: SessionRecord) -> None:
        """Take up the commands and the tokens of a session that was stored."""
        self.next_c = record.next_c
        self.done_c = record.next_c - 1
        self.tokens = ResumeTokens(record.tokens)
        self.since = record.since
        self._asked = dict(record.asked[-ANSWERS:])
        self._undone = record.undone

    def record(self, wall: float, now: float, *, with_log: bool = False, ended: bool = False) -> SessionRecord:
        """As it is stored; ``with_log`` only at a planned stop."""
        log = self.log
        next_c = self.lines[0][0] if self.lines else self.next_c  # what waits has not happened
        by_age = sorted(log.cursors, key=lambda cursor: inf if cursor.gone is None else cursor.gone)
        return SessionRecord(
            id=self.id,
            character=self.me.id,
            epoch=log.epoch,
            head=log.head,
            next_c=next_c,
            asked=tuple([(c, checksum) for c, checksum in self._asked.items() if c < next_c]),
            undone=self._undone,
            tokens=self.tokens.chains,
            seen=wall,
            log=tuple([(number, now - at, what) for number, at, what in log.entries]) if with_log else None,  # type: ignore[misc]
            floor=log.floor,
            cursors=tuple([(cursor.kind, cursor.acked) for cursor in by_age]) if with_log else (),
            ended=ended,
            since=self.since,
        )


def _checksum(line: str) -> int:
    """Tells a line sent again from another under its number, over a restart too. 32 bits."""
    return crc32(line.encode("utf-8", "surrogatepass"))
