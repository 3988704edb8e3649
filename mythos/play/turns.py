"""Commands: one line of one session at a time, each run to its end.

Sessions with something to do stand in one queue and are served round robin, so that nobody's flood delays another. A
line waits for its player's pace, and if the room will hear it for the room's.
"""

from __future__ import annotations

import heapq
import traceback
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from mythos.errors import Refusal
from mythos.flow.bucket import Bucket
from mythos.ids import RoomId
from mythos.play.audience import Heard, Only
from mythos.play.call import Call
from mythos.play.narrate.seeing import SHORT
from mythos.play.pager import page
from mythos.play.sessions import QUEUE, Session, Standing
from mythos.play.verbs import Rank, Verb, VerbTable, rank_of
from mythos.wire.message import Line, Role, Span, State, line
from mythos.world.movement import NoSuchExit

if TYPE_CHECKING:
    from mythos.play.realm import Realm

__all__ = ["Grammar", "Turns"]

#: Seconds of commands in one reactor turn, before sockets are read again. Ten lines said to a thousand people take half
#: of it; at 2 ms they were cut in two, and everybody got two sends instead of one.
BUDGET = 0.004
#: Most seconds a line waits for its room before its speaker is told.
ROOM_WAIT = 2.0


class Grammar(Protocol):
    """Words typed -> verbs; served by ``mythos.commands.grammar``."""

    def parse(
        self, verbs: VerbTable, rank: Rank, aliases: Mapping[str, str] | None, ways: Collection[str], typed: str
    ) -> list[tuple[Verb, str, str]]:
        """:raises Refusal: no such command; near ones are offered."""


class Turns:
    """See the module. Made and driven by :class:`~mythos.play.realm.Realm`, whose words and commits it uses.

    :ivar running: whose command runs; ``count``: the turn it is, since the start
    """

    def __init__(self, realm: Realm, grammar: Grammar) -> None:
        self.halted = False
        self.running: Session | None = None
        self.count = 0
        self._realm = realm
        self._grammar = grammar
        self._ready: deque[Session] = deque()
        self._waiting: list[tuple[float, int, Session]] = []
        self._order = 0
        self._rooms: dict[RoomId, Bucket] = {}

    @property
    def name(self) -> str:
        """What this turn is called in the log, and to a player whose command broke."""
        return f"t{self.count:x}"

    @property
    def queued(self) -> int:
        """Sessions with commands that wait."""
        return len(self._ready) + len(self._waiting)

    def forget_rooms(self) -> None:
        """What was said in any room does not count any more."""
        self._rooms.clear()

    def sweep(self, now: float) -> None:
        """Let go of the pace of rooms where nobody is, unless it is overdrawn."""
        people = self._realm.world.people
        self._rooms = {room: bucket for room, bucket in self._rooms.items() if bucket.take(now, 0.0) or room in people}

    def submit(self, session: Session, c: int, typed: str) -> tuple[str, int, bool] | None:
        """A line from a door, sanitised. None: it will be run; else the answer at once (see
        :meth:`~mythos.play.sessions.Session.accept`). Command number 0: the door does not count."""
        at_once = session.accept(c, typed)
        if at_once is None and session.lines is not None:
            if len(session.lines) >= QUEUE:
                for connection in session.connections:
                    connection.pause()
            if not session.running:
                session.running = True
                self._ready.append(session)
                self._realm.wake()
        return at_once

    def pump(self) -> float | None:
        """Run waiting commands, round robin, for up to 4 ms. Returns the seconds until there is more to run:
        0.0 at once, None if nothing waits."""
        if self.halted:
            return None
        realm = self._realm
        now = realm.now = realm.clock.seconds()
        waiting, ready = self._waiting, self._ready
        while waiting and waiting[0][0] <= now:
            ready.append(heapq.heappop(waiting)[2])
        end = now + BUDGET
        while ready and not self.halted:
            session = ready.popleft()
            lines = session.lines
            if not lines or session.standing is Standing.ENDED:
                session.running = False
                continue
            c, typed = lines[0]
            self.running = session
            self.count += 1
            if delay := self._turn(session, c, typed):
                self._order += 1
                heapq.heappush(waiting, (now + delay, self._order, session))
                continue
            if lines:
                del lines[0]
            if lines:
                ready.append(session)
                if len(lines) == QUEUE // 2:
                    for connection in session.connections:
                        connection.resume()
            else:
                session.running = False
            now = realm.now
            if now >= end:
                break
        self.running = None
        if ready:
            return 0.0
        return max(0.0, waiting[0][0] - now) if waiting else None

    def _turn(self, session: Session, c: int, typed: str) -> float:
        """Run one line of a session. Returns 0.0, the realm's ``now`` being that of its end; or the seconds it has to
        wait first."""
        realm = self._realm
        now = realm.now
        heard: list[Heard] = []
        name = "?"
        call: Call | None = None
        question = session.question
        asked = question is not None
        leaving = False
        try:
            if question is not None and question.secret and c <= question.behind:
                session.keep_secret(c)
                raise Refusal("That was typed before the question: it is no answer, and was not done.")
            if question is not None and question.takes(typed):
                if (wait := session.bucket.take(now)) > 0.0:
                    return wait
                call = self._answer(session, c, typed, heard)
                name = call.verb.name
            else:
                me = session.me
                ways = realm.world.atlas.rooms[me.room].exits
                commands = self._grammar.parse(realm.verbs, rank_of(me), me.aliases, ways, typed)
                if len(commands) == 1 and not commands[0][0].loud:  # nearly every line
                    wait = session.bucket.take(now, commands[0][0].cost)
                else:
                    wait = self._wait(session, commands, now)
                if wait > 0.0:
                    return wait
                session.question = None
                for verb, word, rest in commands:
                    call = Call(realm, session, session.me, verb, word, rest, heard)
                    name = verb.name
                    verb.run(call)
                    leaving = leaving or call.leaving
                if session.question is not None:
                    session.question = replace(session.question, behind=session.next_c - 1)
        except Refusal as refusal:
            if call is None:
                session.bucket.take(now)
            only = Only(session.me.id)
            heard.append((only, Line("error", (Span(str(refusal)),))))
            if isinstance(refusal, NoSuchExit) and refusal.direction in SHORT:
                heard.append((only, State("Room.WrongDir", SHORT[refusal.direction])))
        except Exception as error:  # the command boundary: the player is told, the operator too
            self._fault(session, c, name, error)
            return 0.0
        session.idle_since = now
        if session.me.fighting is not None:
            heard = realm.in_rounds(heard)
        if not leaving:
            heard = page(session, heard)
        if asked or session.question is not None:
            heard.append((Only(session.me.id), session.asks()))
        realm.end_turn(heard, name, session, c)
        if leaving:
            realm.quit(session)
        realm.now = realm.clock.seconds()
        realm.observer.turn(name, realm.now - now)
        return 0.0

    def _answer(self, session: Session, c: int, typed: str, heard: list[Heard]) -> Call:
        question = session.take_question()
        assert question is not None
        if question.secret:
            session.keep_secret(c)
        call = Call(self._realm, session, session.me, self._realm.verbs.verbs[0], "", typed, heard)
        question.then(call, typed)
        return call

    def _wait(self, session: Session, commands: list[tuple[Verb, str, str]], now: float) -> float:
        """Seconds these commands have to wait: for their player's pace, and for the room's if the room will hear them.

        :raises Refusal: the room is too loud
        """
        loud = sum([verb.loud for verb, _, _ in commands])
        cost = sum([verb.cost for verb, _, _ in commands])
        if (wait := session.bucket.take(now, cost)) > 0.0:
            return wait
        if loud:
            rate = self._realm.pace.room_per_second
            room = self._rooms.get(session.me.room)
            if room is None:
                room = self._rooms[session.me.room] = Bucket(rate, rate)
            if (wait := room.take(now, loud)) > 0.0:
                session.bucket.put_back(cost)
                if wait > ROOM_WAIT or (session.lines and len(session.lines) > ROOM_WAIT * rate):
                    raise Refusal("Too many speak here at once. Wait a moment, then say it again.")
                return wait
        return 0.0

    def _fault(self, session: Session, c: int, name: str, error: Exception) -> None:
        """A command of ours broke. What it left half done must not be written: the world is loaded again."""
        realm = self._realm
        commits = realm.commits
        change = realm.world.take_change()
        realm.observer.fault(f"command {name}", error)
        text = f"Something broke on our side; the keepers have been told ({self.name})."
        if realm.debug and session.me.keeper:
            last = traceback.extract_tb(error.__traceback__)[-1]
            text += f" {error!r} at {last.filename}:{last.lineno}, in {last.name}."
        sorry = line("error", Span(text, Role.WARNING))
        if change.postings:
            commits.abandon()
            realm.recover()  # which answers whatever is not answered by then: it did not happen
            realm.words_to(session, sorry)
        else:
            commits.submit(change)
            realm.words_to(session, sorry)
            commits.after(lambda: session.answered(c))
