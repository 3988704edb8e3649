"""The realm: what a front door may ask of the game.

A door attaches a connection to a session, submits lines, and is woken when there is something to write. The realm
runs one command of one session at a time, to its end (a **turn**), and lets its words go when what they tell of is
on disk. It reads no clock, opens no socket and starts no thread: all that comes through ports.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mythos.errors import Refusal
from mythos.flow.bucket import Bucket
from mythos.flow.log import Limits, SessionLog
from mythos.flow.rounds import Rounds
from mythos.ids import EntityId, SessionId
from mythos.play.audience import Audience, Heard, InRoom, Only
from mythos.play.channels import Channels
from mythos.play.commits import Commits
from mythos.play.narrate import narrate
from mythos.play.narrate.fights import in_rounds, vitals
from mythos.play.narrate.moving import crowded
from mythos.play.panels import Panels, Surroundings
from mythos.play.ports import Bus, Clock, Connection, Observer, Runner, Store, Tokens
from mythos.play.roster import Roster
from mythos.play.sanctions import Kind, Sanction
from mythos.play.sessions import Session, Standing
from mythos.play.settings import speech
from mythos.play.turns import Grammar, Turns
from mythos.play.verbs import Rank, VerbTable, rank_of
from mythos.wire.message import Line, Message, Role, Span, State, line
from mythos.world import movement, step
from mythos.world.facts import Fact, Looked
from mythos.world.state import BURN, NO_CHANGE, Character, World

if TYPE_CHECKING:
    from mythos.play.accounts import Accounts
    from mythos.play.intermud import Intermud

__all__ = ["Attached", "Pace", "Realm"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast people may act, and how long they are waited for. Seconds, and commands a minute."""

    per_minute: float = 1200.0
    burst: float = 40.0
    room_per_second: float = 10.0
    connections: int = 4
    grace: float = 60.0
    grace_combat: float = 300.0
    window: float = 600.0
    sweep: float = 5.0


@dataclass(frozen=True, slots=True)
class Attached:
    """What a connection is told when it is attached: the ``hello`` of design.

    :ivar reason: why it does not go on where it was; empty if it does
    :ivar missed: lines it is about to get (resumed), or numbers that are lost to it
    :ivar token: a new resume token; empty if it did not ask for one
    """

    session: SessionId
    epoch: str
    resumed: bool
    reason: str
    missed: int
    next_c: int
    token: str


class Realm:
    """See the module.

    :ivar submit: takes a line from a door: :meth:`mythos.play.turns.Turns.submit`
    :ivar pump: runs commands that wait: :meth:`mythos.play.turns.Turns.pump`
    :ivar intermud: our side of Intermud-3; None: this world is on no network
    :ivar debug: keepers are shown where errors come from
    :ivar wake: called when there are commands to run; set by who drives :meth:`pump`
    :ivar ended: called with a session that is over, after its last words
    """

    def __init__(
        self,
        *,
        world: World,
        verbs: VerbTable,
        grammar: Grammar,
        channels: Channels,
        commits: Commits,
        store: Store,
        tokens: Tokens,
        clock: Clock,
        runner: Runner,
        bus: Bus,
        observer: Observer,
        pace: Pace,
        limits: Limits,
    ) -> None:
        self.world = world
        self.verbs = verbs
        self.channels = channels
        self.commits = commits
        self.store = store
        self.tokens = tokens
        self.clock = clock
        self.bus = bus
        self.observer = observer
        self.pace = pace
        self.limits = limits
        self.now = clock.seconds()
        self.wake: Callable[[], None] = lambda: None
        self.stop: Callable[[float, str], None] = lambda seconds, reason: None
        self.reload: Callable[[], str] = lambda: "There is nothing to load again."
        self.recover: Callable[[], None] = lambda: None
        self.debug = False
        self.intermud: Intermud | None = None
        self.accounts: Accounts  # they need the realm, and are given to it once both are made
        self._runner = runner
        self._roster = Roster(world, channels)
        self._surroundings = Surroundings()
        self._turns = Turns(self, grammar)
        self.submit, self.pump = self._turns.submit, self._turns.pump
        self._closing = False
        self._commands_of: dict[Rank, State] = {}
        self._rounds = Rounds(pace.sweep, self._roster.every)

    # ── asking ──────────────────────────────────────────────────────────────────────────────────

    def sessions(self) -> Iterator[Session]:
        """All that stand in the world, in the order they came."""
        return self._roster.present()

    def every_session(self) -> tuple[Session, ...]:
        return self._roster.every()

    def session(self, id: SessionId) -> Session | None:
        return self._roster.get(id)

    def session_of(self, character: EntityId) -> Session | None:
        return self._roster.of.get(character)

    def find_player(self, name: str) -> Session:
        """Who plays under a name or its beginning.

        :raises Refusal: nobody, or several
        """
        return self._roster.find(name)

    @property
    def turn(self) -> tuple[str, SessionId] | None:
        """The name of the command's turn that runs now, and whose it is."""
        running = self._turns.running
        return None if running is None else (self._turns.name, running.id)

    @property
    def queued(self) -> int:
        """Sessions with commands that wait."""
        return self._turns.queued

    async def register(self, session: Session, name: str, password: str) -> None:
        await self.accounts.register(session, name, password)

    async def change_password(self, session: Session, old: str, new: str) -> None:
        await self.accounts.change_password(session, old, new)

    async def delete_account(self, session: Session, password: str) -> None:
        await self.accounts.delete_account(session, password)

    async def tell_kept(self, session: Session) -> None:
        await self.accounts.tell_kept(session)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        self._runner.start(work)

    # ── sessions ────────────────────────────────────────────────────────────────────────────────

    def open_session(self, me: Character) -> Session:
        """A session for a character that has none; it comes into the world with its first connection."""
        now = self.now = self.clock.seconds()
        session = Session(
            SessionId(self.tokens.secret()[:32]),
            me,
            SessionLog(self.tokens.secret()[:16], self.limits),
            Bucket(self.pace.per_minute / 60.0, self.pace.burst),
            now,
        )
        self.adopt_session(session)
        self.keep(session)
        return session

    def keep(self, session: Session) -> None:
        """It goes to disk, and later words wait for that."""
        self.commits.submit_session(session.id, lambda: self._record(session))

    def adopt_session(self, session: Session) -> None:
        """Take in a session that the store remembered."""
        self._roster.add(session)

    def _record(self, session: Session, *, with_log: bool = False) -> Any:
        ended = session.standing is Standing.ENDED
        return session.record(self.clock.wall(), self.clock.seconds(), with_log=with_log or self._closing, ended=ended)

    def save(self, *, with_logs: bool = False) -> None:
        """Put everything that is only marked, and at a planned stop each session with its log, into the next batch."""
        self.commits.flush()
        if with_logs:
            self._closing = True
            self.accounts.sleepers.save()
            for session in self._roster.every():
                self.commits.submit_session(session.id, lambda one=session: self._record(one, with_log=True))  # type: ignore[misc]

    def change_pace(self, pace: Pace) -> None:
        """From now on, for those who play too; how often it looks at all sessions stays as it was."""
        self.pace = pace
        self._turns.forget_rooms()
        for session in self._roster.every():
            session.bucket.rate, session.bucket.burst = pace.per_minute / 60.0, pace.burst

    # ── attaching ───────────────────────────────────────────────────────────────────────────────

    def attach(
        self,
        connection: Connection,
        session: Session,
        *,
        epoch: str | None = None,
        last: int | None = None,
        returning: bool = False,
        token: bool = True,
        shown: str = "",
        then: Callable[[Attached], None],
    ) -> None:
        """Let a connection read a session, from ``last`` of ``epoch`` on if that is still kept.

        ``then`` is called when what it says is true on disk too, before anything is written; a connection that is
        gone by then must be detached there. It is not called if the session is over by then: the connection is closed.

        :param returning: a door that cannot say where it was (telnet): from where its last connection stood
        :param token: it wants a resume token
        :param shown: the one it came by, whose place that takes
        """
        secret = ""
        if token:
            secret = f"{session.id}.{self.tokens.secret()}"
            connection.token = self.tokens.digest(secret)
            session.tokens.give(connection.token, self.tokens.digest(shown), self.clock.wall())
            self.keep(session)
        self.commits.after(
            lambda: self._attach(connection, session, epoch, last, returning, secret, then), lasting=True
        )

    def _attach(
        self,
        connection: Connection,
        session: Session,
        epoch: str | None,
        last: int | None,
        returning: bool,
        secret: str,
        then: Callable[[Attached], None],
    ) -> None:
        if session.standing is Standing.ENDED:  # it ended while this waited for the disk
            connection.close(1000, "that session is over")
            return
        if banned := self.accounts.sanctions.of_address(connection.address, self.clock.wall()):
            connection.close(1008, banned.sentence())  # since it was let in at its door
            return
        now = self.now = self.clock.seconds()
        log = session.log
        if returning:
            place = log.return_of(connection.kind)
            if place is not None:
                epoch, last = log.epoch, place
        cursor, reason = log.attach(connection.kind, epoch, last)
        missed = 0
        if not reason and last is not None:
            missed = sum(1 for entry in log.entries if entry[0] > last and type(entry[2]) is Line)
        elif last is not None:
            missed = max(0, log.head - last) if reason == "behind" else 0
        connection.cursor = cursor
        while len(session.connections) >= self.pace.connections:
            oldest = session.connections[0]
            where = f"{connection.kind} from {connection.address}"
            oldest.close(4001, f"takeover: this session goes on by {where}")
            if session.connections and session.connections[0] is oldest:
                session.leave(oldest, now)
        alone = not session.connections
        session.connections.append(connection)
        session.idle_since = now
        then(Attached(session.id, log.epoch, not reason, reason, missed, session.next_c, secret))
        stood = session.standing is Standing.PRESENT
        if not stood:
            self._come_in(session, fresh=bool(reason))
        elif alone and not crowded(self.world, session.me.room):
            self._hear((InRoom(session.me.room, (session.me.id,)), line("move", _who(session), " is back.")))
        if reason:
            self.snapshot(session, look=stood)
        elif session.question is not None:
            self._hear_question(session)
        if news := session.news:
            session.news = ""
            self._hear((Only(session.me.id), line("system", news)))
        connection.wake()

    def _come_in(self, session: Session, *, fresh: bool) -> None:
        """Stand the session's character in the world."""
        session.standing = Standing.PRESENT
        session.me.present = True
        heard: list[Heard] = []
        for fact in movement.enter(self.world, session.me, session.me.room):
            told = narrate(self.world, fact)
            if not fresh and isinstance(fact, Looked):  # it goes on where it was: words it did not ask for are noise
                told = [one for one in told if type(one[1]) is State]
            heard.extend(told)
        self.end_turn(heard, "enter")
        if self.intermud is not None:
            self.intermud.announce(session)

    def snapshot(self, session: Session, *, look: bool = False) -> None:
        """Everything a client draws, anew: owed to a connection that could not go on where it was.

        :param look: words too, for a session that stood in the world before
        """
        me = session.me
        only = Only(me.id)
        heard = [one for one in narrate(self.world, Looked(me.id, me.room)) if look or type(one[1]) is State]
        states = (
            vitals(me),
            State("Char.Name", {"name": me.name, "fullname": me.name}),
            self.channels.state(me),
            self._commands(me),
            speech(me),
            session.asks(),
        )
        self._hear(*heard, *[(only, state) for state in states])  # behind the disk, as all that tells of the world
        if session.panels is not None:
            session.panels = Panels()
            self.draw(session)

    def draw(self, session: Session) -> None:
        """Tell a session what its clients draw, if it is not what it was told last."""
        panels = session.panels
        if panels is None:
            panels = session.panels = Panels()
        if panels.stale(self.world) and session.standing is Standing.PRESENT:
            me, now = session.me, self.clock.seconds()
            if states := panels.look(self.world, me, self._surroundings, now):
                self.now = now
                self._hear(*[(Only(me.id), state) for state in states])

    def _commands(self, me: Character) -> State:
        """``Mythos.Commands``: ``{"names": [...]}``, what somebody may type first; the same for all of a rank."""
        rank = rank_of(me)
        known = self._commands_of.get(rank)
        if known is None:
            names = [verb.name for verb in self.verbs.allowed(rank)]
            known = self._commands_of[rank] = State("Mythos.Commands", {"names": names})
        return known

    def _hear_question(self, session: Session) -> None:
        session.hear(session.asks(), self.now)

    def detach(self, connection: Connection, session: Session) -> None:
        """A connection is gone. The session waits for another, link-dead if it was the last."""
        if connection not in session.connections:
            return
        now = self.now = self.clock.seconds()
        session.leave(connection, now)
        if not session.connections and session.standing is Standing.PRESENT and not self._turns.halted:
            me = session.me
            if not crowded(self.world, me.room):
                self._hear((InRoom(me.room, (me.id,)), line("move", _who(session), " stares into nothing.")))
            self.commits.submit_entities([me])

    def renamed(self, session: Session, was: str) -> None:
        """A guest has a name now: it is told, and all in the room."""
        me = session.me
        self.world.stir(me.room)
        self.now = self.clock.seconds()
        self._hear(
            (Only(me.id), line("system", "You are ", _who(session), " from now on. Your things are kept for you.")),
            (Only(me.id), State("Char.Name", {"name": me.name, "fullname": me.name})),
            (Only(me.id), self._commands(me)),
            (InRoom(me.room, (me.id,)), line("system", f"{was} is now known as ", _who(session), ".")),
        )
        if self.intermud is not None:
            self.intermud.announce(session)

    # ── leaving ─────────────────────────────────────────────────────────────────────────────────

    def quit(self, session: Session, cause: str = "quit") -> None:
        """The character leaves the world, the session ends, its connections close after its last words."""
        if session.standing is Standing.ENDED:
            return
        heard = self._step_out(session, cause)
        me = session.me
        if me.account is None:
            try:
                self._dissolve(me)
            except Refusal:  # what it holds cannot be burned just now, and nothing was changed
                self.accounts.sleepers.let_go(me.id)
        session.standing = Standing.ENDED
        self.end_turn(heard, cause)
        if me.account is not None:
            self.commits.submit_entities([me])
        self.keep(session)
        self.commits.after(lambda: self._end(session, cause), lasting=True)

    def mute(self, session: Session, seconds: float, reason: str = "", by: str = "") -> None:
        """Keep a player from channels, tells and shouts, over restarts too; 0 seconds lets them speak again.

        :raises Refusal: it cannot be kept, or there is none to lift
        """
        wall, sanctions, me = self.clock.wall(), self.accounts.sanctions, session.me
        if seconds:
            sanctions.add(Sanction(Kind.MUTE, me.id, me.name, wall, wall + seconds, reason, by), wall)
        elif any(one.what == me.id and one.kind is Kind.MUTE for one in sanctions.every(wall)):
            sanctions.lift(Kind.MUTE, me.id, wall)
        self.channels.mute(me.id, self.now + seconds)

    def kick(self, session: Session, reason: str) -> None:
        session.hear(line("system", Span(f"You are sent away. {reason}".strip(), Role.WARNING)), self.now)
        self.quit(session, "kicked")

    def _step_out(self, session: Session, cause: str) -> list[Heard]:
        if session.standing is not Standing.PRESENT:
            return []
        heard: list[Heard] = []
        for fact in movement.leave(self.world, session.me.id, cause):
            heard.extend(narrate(self.world, fact))
        session.me.present = False
        return heard

    def put_away(self, me: Character) -> None:
        """A character that nobody plays leaves memory; a guest goes for good. :raises Refusal: not just now"""
        if me.account is None:
            self._dissolve(me)
            self.end_turn([], "gone")
        else:
            self.world.forget(me, keep_row=True)

    def _dissolve(self, me: Character) -> None:
        """A guest goes for good, and what it holds with it: burned, so that the ledger knows.

        :raises Refusal: the world is sealed, and it holds something; nothing was changed
        """
        self._burn_all(me.id)
        self.world.forget(me)

    def _burn_all(self, place: EntityId) -> None:
        for item in self.world.held(place):
            self._burn_all(item.id)
            self.world.burn_item(item)
        if gold := self.world.gold_at(place):
            self.world.move_gold(place, BURN, gold)

    def _end(self, session: Session, cause: str) -> None:
        self._roster.remove(session)
        session.lines = None
        for connection in tuple(session.connections):
            connection.close(1000, cause)
        if session.me.account is not None and session.me.id in self.world.characters:
            self.world.forget(session.me, keep_row=True)

    # ── words ───────────────────────────────────────────────────────────────────────────────────

    def end_turn(self, heard: list[Heard], kind: str, session: Session | None = None, c: int = 0) -> None:
        """Hand over what a turn changed, and let its words go when they may.

        :param kind: what the turn was, for the ledger: a verb's name, tick, enter …
        :param c: the command it was, of this session; 0: none
        """
        commits = self.commits
        change = self.world.take_change()
        if change is not NO_CHANGE:
            if session is not None and c:
                commits.submit(change, kind=kind, session=session.id, c=c, asked=session.asked(c))
            else:
                commits.submit(change, kind=kind)
        roster = self._roster
        if commits.pending and not commits.unsafe:
            told = [(audience, message, roster.listeners(audience)) for audience, message in heard]
            commits.after(lambda: self._release(told, session, c))
            return
        now = self.now
        if session is not None and len(heard) > 1:
            heard = _tell_actor(session, heard, now)
        for audience, message in heard:
            if type(audience) is Only:
                one = roster.of.get(audience.who)
                if one is not None:
                    one.hear(message, now)
            else:
                roster.tell(audience, message, roster.listeners(audience), now)
        if session is not None and c:
            session.answered(c)

    def _release(self, told: list[tuple[Audience, Message, list[Session]]], session: Session | None, c: int) -> None:
        now = self.now = self.clock.seconds()
        for audience, message, listeners in told:
            self._roster.tell(audience, message, listeners, now)
        if session is not None and c:
            session.answered(c)

    def _hear(self, *heard: Heard) -> None:
        """Words that no turn made; they wait for the horizon like all others."""
        self.end_turn(list(heard), "")

    def words_to(self, session: Session, *words: Line | str) -> None:
        """Words for one session that come later than its command: results of something that waited."""
        self.now = self.clock.seconds()
        only = Only(session.me.id)
        self._hear(*[(only, line("system", one) if isinstance(one, str) else one) for one in words])

    def tell_all(self, message: Line) -> None:
        """To everyone who plays."""
        self.now = self.clock.seconds()
        for session in self.sessions():
            session.hear(message, self.now)

    def hear(self, *heard: Heard) -> None:
        """Messages that came from elsewhere: by the bus, from another MUD."""
        self.now = self.clock.seconds()
        self._hear(*heard)

    def happened(self, facts: Iterable[Fact], kind: str) -> None:
        """Tell of what an operator did to the world, and write it."""
        self.now = self.clock.seconds()
        self._happen(facts, kind)

    # ── time ────────────────────────────────────────────────────────────────────────────────────

    def tick(self, dt: float) -> None:
        """Move the world on: one turn for the sky, one for each zone."""
        if self._turns.halted or self.world.sealed:
            return
        self.now = self.clock.seconds()
        self._happen(step.advance(self.world, dt), "tick")
        for zone in self.world.atlas.zones:
            try:
                facts = step.tick(self.world, zone, dt)
            except Exception as error:  # a periodic job goes on; what it left half done does not
                change = self.world.take_change()
                self.observer.fault(f"tick of {zone}", error)
                if change.postings:
                    self.commits.abandon()
                    self.recover()
                    return
                continue
            self._happen(facts, "tick")

    def _happen(self, facts: Iterable[Fact], kind: str) -> None:
        heard: list[Heard] = []
        for fact in facts:
            heard.extend(narrate(self.world, fact))
        self.end_turn(self.in_rounds(heard), kind)

    def in_rounds(self, heard: list[Heard]) -> list[Heard]:
        """What is heard of a fight, a round in one line for those who want that."""
        listeners = self._roster.listeners
        return in_rounds(heard, lambda audience: [session.me for session in listeners(audience)])

    def sweep(self) -> None:
        """Let go of what is overdue, the next part of a round: the link-dead after their grace, sessions after their
        window."""
        now = self.now = self.clock.seconds()
        pace = self.pace
        for session in self._rounds.part(now):
            session.log.sweep(now)
            if session.connections or session.standing is Standing.ENDED:
                continue
            alone = now - session.alone_since
            fighting = session.me.fighting is not None
            if session.standing is Standing.PRESENT and alone > (pace.grace_combat if fighting else pace.grace):
                heard = self._step_out(session, "linkdead")
                session.standing = Standing.AWAY
                self.end_turn(heard, "linkdead")
                self.commits.submit_entities([session.me])
            if alone > (pace.window if session.standing is not Standing.WAITING else pace.grace):
                self.quit(session, "gone")
        self._turns.sweep(now)

    def tell_bustle(self) -> None:
        """Tell crowds who came and went since the last call."""
        self.now = self.clock.seconds()
        self._roster.tell_bustle(self.now)

    def halt(self) -> None:
        """Run no more commands and no more ticks: the house is closing, or loads its world again."""
        self._turns.halted = True

    def restart(self, world: World) -> None:
        """Go on in a world that was loaded again: everybody is told, and sees where they stand now."""
        self.world = world
        self._roster.enter(world)
        for session in self._roster.every():
            me = world.characters.get(session.me.id)
            if me is None:
                session.standing = Standing.ENDED
                self._end(session, "gone")
                continue
            session.me = me
            session.question = None
            if session.undo():
                self.commits.submit_session(session.id, lambda one=session: self._record(one))  # type: ignore[misc]
            if session.standing is Standing.PRESENT:
                me.present = True
                world.place_body(me, me.room)
                session.hear(
                    line("system", Span("The world stumbles. The last moment did not happen.", Role.WARNING)), self.now
                )
                self.snapshot(session, look=True)

    def give_rests(self) -> None:
        """What the pager holds back is told: nobody could ask for it in another process."""
        for session in self._roster.every():
            question = session.question
            if question is not None and question.rest:
                session.question = None
                self._hear(*question.rest, (Only(session.me.id), session.asks()))

    def reopen(self) -> None:
        """It does not close after all: what was stored of sessions is not all that will be told."""
        self._closing = False
        for session in self._roster.every():
            self.commits.submit_session(session.id, lambda one=session: self._record(one))  # type: ignore[misc]

    def go_on(self) -> None:
        self._turns.halted = False
        if self._turns.queued:
            self.wake()


def _tell_actor(session: Session, heard: list[Heard], now: float) -> list[Heard]:
    """Tell the lines for the actor alone that a turn begins with, at once; returns what is left to tell."""
    first = heard[0][0]
    if type(first) is not Only or first.who != session.me.id:
        return heard
    lines: list[Message] = [message for audience, message in heard if audience is first and type(message) is Line]
    if len(lines) < len(heard):  # others hear something too
        lines = []
        for audience, message in heard:
            if (audience is not first and audience != first) or type(message) is not Line:
                break
            lines.append(message)
    if lines:
        session.hear_lines(lines, now)
    return heard[len(lines) :]


def _who(session: Session) -> Span:
    return Span(session.me.name, Role.PLAYER)
