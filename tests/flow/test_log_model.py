"""The session log against a model: nothing is lost in silence, nothing comes twice, no gap without need.

The machine below is a server's side of one session (the production log, attached as ``play.realm`` attaches, written
as ``net.outlet`` writes, kept over a restart as ``play.accounts`` keeps it), a wire that may lose all that is on its
way, and clients that obey the rule of ``mythos.v1``. Beside it stands the reference: the plain list of everything
that was ever said. The controls at the end take a rule of the log away, and the machine must notice.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mythos.flow.bucket import Bucket
from mythos.flow.log import PLACES, Cursor, Entry, Gap, Limits, SessionLog
from mythos.ids import EntityId, RoomId, SessionId
from mythos.play.sessions import Session
from mythos.world.state import Character

LIMITS = Limits(events=8, bytes=1000, window=100.0)
CUT = Limits(events=7, bytes=875)
CONNECTIONS = 3
NUMBERED, BLIND = "websocket", "telnet"  # a client that can say where it is, and one that cannot


@dataclass(frozen=True, slots=True)
class Word:
    """What is logged: a line, or with a name the newest value of something."""

    id: int
    size: int
    name: str = ""


@dataclass(slots=True)
class Emitted:
    """One thing that was said. ``replaced``: a newer value took its place while it was kept."""

    number: int
    at: float
    word: Word
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Hello:
    epoch: str
    resumed: bool
    start: int
    token: str


@dataclass(frozen=True, slots=True)
class Record:
    number: int
    prev: int
    word: Word


@dataclass(eq=False, slots=True)
class Client:
    """A player's screen, and the connection it has or had.

    :ivar last: the last number it saw, as it knows itself (a blind one does not, but the test does)
    :ivar wire: on its way to it
    """

    kind: str
    epoch: str = ""
    last: int | None = None
    token: str = ""
    cursor: Cursor | None = None
    left: float = 0.0
    wire: list[Hello | Record | Gap] = field(default_factory=list)
    screen: list[Word] = field(default_factory=list)


class Delivery(RuleBasedStateMachine):
    """See the module. ``log_class`` is what a control replaces."""

    log_class: type[SessionLog] = SessionLog

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.count = 0
        self.clients: list[Client] = []
        self.attached: list[tuple[Cursor, Client | None]] = []  # None: its client is already somewhere else

    @initialize()
    def start(self) -> None:
        self._fresh_log()
        self._emit("")

    def _fresh_log(self) -> None:
        self._next()
        self.log = self.log_class(f"epoch{self.count}", LIMITS)
        self.emitted: list[Emitted] = []
        self.newest: dict[str, Emitted] = {}
        self.risk = 0  # whatever is above it, no bound and no age ever allowed to be freed

    def _next(self) -> int:
        self.now += 0.01
        self.count += 1
        return self.count

    # ── the game ────────────────────────────────────────────────────────────────────────────────

    @rule(name=st.sampled_from(["", "", "", "vitals", "room"]), size=st.sampled_from([10, 100, 100, 400, 1500]))
    def emit(self, name: str, size: int) -> None:
        self._emit(name, size)

    @rule(name=st.sampled_from(["vitals", "room"]), times=st.integers(2, 5))
    def refresh(self, name: str, times: int) -> None:
        """A gauge that changes often."""
        for _ in range(times):
            self._emit(name)

    def _emit(self, name: str, size: int = 50) -> None:
        word = Word(self._next(), size, name)
        if name:
            number = self.log.put_state(name, word, self.now)
            if name in self.newest:
                self.newest[name].replaced = True
        else:
            number = self.log.put(word, self.now)
        assert number == len(self.emitted) + 1
        self.emitted.append(Emitted(number, self.now, word))
        if name:
            self.newest[name] = self.emitted[-1]
        kept = [one for one in self.emitted if not one.replaced]
        most = LIMITS
        while len(kept) > most.events or sum(one.word.size for one in kept) > most.bytes:
            if len(kept) == 1:
                break
            most = CUT  # once it has to be cut, an eighth more goes
            self.risk = max(self.risk, kept.pop(0).number)

    def _owed(self, after: int) -> list[Emitted]:
        return [one for one in self.emitted[after:] if not one.replaced]

    @rule(seconds=st.sampled_from([1.0, 30.0, 99.0, 101.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.log.sweep(self.now)
        for one in self.emitted:
            if one.at < self.now - LIMITS.window:
                self.risk = max(self.risk, one.number)

    # ── connections ─────────────────────────────────────────────────────────────────────────────

    @precondition(lambda self: len(self.clients) < 5)
    @rule(kind=st.sampled_from([NUMBERED, BLIND]))
    def arrive(self, kind: str) -> None:
        """A client that was never here; a blind one only if no other of its door would be taken for it."""
        if kind == BLIND and self.log.return_of(BLIND) is not None:
            return
        client = Client(kind)
        self.clients.append(client)
        reason = self._attach(client, None, None)
        assert reason == "new"

    @rule(which=st.integers(0, 9), lose_hello=st.booleans())
    def come_back(self, which: int, lose_hello: bool) -> None:
        """From where it was: as long as it is inside the window and nothing overflowed it must go on there."""
        away = [one for one in self.clients if one.cursor is None and one.kind == NUMBERED and one.last is not None]
        if not away:
            return
        client = away[which % len(away)]
        assert client.last is not None
        in_time = self.now - client.left <= LIMITS.window
        reason = self._attach(client, client.epoch, client.last)
        if client.epoch != self.log.epoch:
            assert reason == "epoch"
        elif in_time and client.last >= self.risk:
            assert reason == "", "a gap without need"
        else:
            assert reason in ("", "behind")
        if lose_hello:
            self._lose(client, 0)

    @rule()
    def come_back_blind(self) -> None:
        """A plain telnet client: the door finds the place of the one that went last, and its screen with it."""
        away = [one for one in self.clients if one.cursor is None and one.kind == BLIND]
        place = self.log.return_of(BLIND)
        if not away:
            return
        client = max(away, key=lambda one: one.left)
        if place is None:
            assert self.now - client.left > LIMITS.window or client.epoch != self.log.epoch
            assert self._attach(client, None, None) == "new"
            return
        assert client.last is None or client.epoch != self.log.epoch or place <= client.last
        reason = self._attach(client, self.log.epoch, place)
        if place >= self.risk:
            assert reason == "", "a gap without need"

    @rule(which=st.integers(0, 9))
    def come_back_early(self, which: int) -> None:
        """It opens a new connection before the server notices that the old one is dead."""
        here = [one for one in self.clients if one.cursor is not None and one.kind == NUMBERED and one.last is not None]
        if not here:
            return
        client = here[which % len(here)]
        self.attached = [(cursor, None if one is client else one) for cursor, one in self.attached]
        client.wire.clear()
        client.cursor, client.left = None, self.now
        reason = self._attach(client, client.epoch, client.last)
        assert reason == "" or client.last is None or client.last < self.risk or client.epoch != self.log.epoch

    @rule(how=st.sampled_from(["epoch", "ahead"]), by=st.integers(1, 50))
    @precondition(lambda self: len(self.clients) < 5)
    def lie(self, how: str, by: int) -> None:
        """From a place that cannot be: told so, and shown the present."""
        client = Client(NUMBERED)
        self.clients.append(client)
        epoch = "of another world" if how == "epoch" else self.log.epoch
        assert self._attach(client, epoch, self.log.head + by) == how

    def _attach(self, client: Client, epoch: str | None, last: int | None) -> str:
        """What ``Realm.attach`` and the doors do."""
        cursor, reason = self.log.attach(client.kind, epoch, last)
        cursor.name = f"token{self._next()}" if client.kind == NUMBERED else ""
        if client.kind == BLIND:
            self.log.succeed(cursor)
        elif client.token:
            self.log.succeed(cursor, client.token)
        while len(self.attached) >= CONNECTIONS:  # takeover: the oldest goes
            oldest, whose = self.attached[0]
            if whose is None:
                self._detach(oldest)
            else:
                self._lose(whose, 1)
        self.attached.append((cursor, client))
        client.cursor = cursor
        client.wire = [Hello(self.log.epoch, not reason, cursor.sent, cursor.name)]
        if client.kind == BLIND and reason == "new":  # a login by hand, with no place left: it begins a new screen
            self._receive(client, client.wire.pop())
        return reason

    @precondition(lambda self: sum(one.gone is not None for one in self.log.cursors) < PLACES)
    @rule(which=st.integers(0, 9), seen=st.integers(0, 4))
    def lose(self, which: int, seen: int) -> None:
        """A connection breaks; the client saw a few more of what was on its way."""
        if self.attached:
            cursor, client = self.attached[which % len(self.attached)]
            if client is None:
                self._detach(cursor)
            else:
                self._lose(client, seen)

    def _lose(self, client: Client, seen: int) -> None:
        assert client.cursor is not None
        for frame in client.wire[:seen]:
            self._receive(client, frame)
        client.wire.clear()
        self._detach(client.cursor)
        client.cursor, client.left = None, self.now

    def _detach(self, cursor: Cursor) -> None:
        self.now += 0.01
        self.attached = [one for one in self.attached if one[0] is not cursor]
        self.log.detach(cursor, self.now)

    # ── the wire ────────────────────────────────────────────────────────────────────────────────

    @rule(which=st.integers(0, 9), most=st.sampled_from([0, 60, 500, 10_000]))
    def pull(self, which: int, most: int) -> None:
        """One flush, as ``Link.flush`` does it."""
        if not self.attached:
            return
        cursor, client = self.attached[which % len(self.attached)]
        before = cursor.sent
        gap = self.log.overtaken(cursor)
        if gap is not None:
            assert before < gap.to <= self.risk, "a gap without need"
            assert cursor.sent == gap.to
            assert gap.missed == gap.to - before
            if client is not None:
                client.wire.append(gap)
            before = cursor.sent
        entries: list[Entry] = self.log.pull(cursor, most)
        owed = self._owed(before)
        assert [number for number, _, _ in entries] == [one.number for one in owed[: len(entries)]]
        assert bool(entries) == bool(owed)
        assert sum(what.size for _, _, what in entries[:-1]) <= most
        for number, at, what in entries:
            assert isinstance(what, Word)
            assert self.emitted[number - 1].at == pytest.approx(at)
            if client is not None:
                client.wire.append(Record(number, before, what))
            before = number
        assert cursor.sent == before

    @rule(which=st.integers(0, 9), frames=st.integers(1, 20))
    def arrive_at_client(self, which: int, frames: int) -> None:
        waiting = [one for one in self.clients if one.wire]
        if waiting:
            client = waiting[which % len(waiting)]
            for frame in client.wire[:frames]:
                self._receive(client, frame)
            del client.wire[:frames]

    def _receive(self, client: Client, frame: Hello | Record | Gap) -> None:
        """The client's rule, and what must hold of all it is ever shown."""
        if isinstance(frame, Hello):
            if not frame.resumed:
                client.last = frame.start
            client.epoch, client.token = frame.epoch, frame.token
            return
        assert client.last is not None
        if isinstance(frame, Gap):
            client.last = max(client.last, frame.to)
            return
        if frame.number <= client.last:
            assert client.kind == BLIND, "shown twice"
            return
        if client.kind == NUMBERED:
            assert frame.prev == client.last, "`p` is not what was shown before"
        assert frame.prev <= client.last
        between = self.emitted[client.last : frame.number - 1]
        assert all(one.replaced for one in between), "lost in silence"
        client.last = frame.number
        client.screen.append(frame.word)

    @rule(which=st.integers(0, 9))
    def acknowledge(self, which: int) -> None:
        here = [one for one in self.clients if one.cursor is not None and one.last is not None]
        if here:
            client = here[which % len(here)]
            assert client.cursor is not None
            assert client.last is not None
            seen = client.last if client.epoch == self.log.epoch else 0
            if client.cursor.acked < seen <= client.cursor.sent:
                assert self.log.ack(client.cursor, seen)
                needed = min(cursor.acked for cursor in self.log.cursors)
                assert all(number > needed for number, _, _ in self.log.entries), "kept for nobody"

    @rule(which=st.integers(0, 9), by=st.integers(1, 9))
    def claim_too_much(self, which: int, by: int) -> None:
        """An acknowledgement of what was not sent is refused and changes nothing."""
        if self.attached:
            cursor, _ = self.attached[which % len(self.attached)]
            was = cursor.acked
            assert not self.log.ack(cursor, cursor.sent + by)
            assert cursor.acked == was

    # ── restarts ────────────────────────────────────────────────────────────────────────────────

    @rule()
    def restart(self) -> None:
        """A planned stop: the log goes to the store with its session, and comes back in another process."""
        me = Character(EntityId("c1"), "Ann", RoomId("a:b"))
        session = Session(SessionId("s"), me, self.log, Bucket(1.0, 1.0), 0.0)
        stopped = self.now
        record = session.record(0.0, stopped, with_log=True)
        had_place = [one for one in self.clients if one.cursor is not None or stopped - one.left <= LIMITS.window]
        self._break_all()
        self.now += 5.0
        self.log = self.log_class(record.epoch, LIMITS, record.head)
        assert record.log is not None
        self.log.restore(record.floor, [(number, self.now - age, what) for number, age, what in record.log])
        for one in self.emitted:
            one.at += self.now - stopped  # ages stand still while nobody runs
        for client in sorted(had_place, key=lambda one: one.left):
            self._next()
            client.left = self.now
        for kind, acked in record.cursors:
            place = Cursor(kind, acked)
            place.gone = self.now
            self.log.cursors.append(place)
        self.newest.clear()  # what was kept is not replaced any more

    @rule()
    def crash(self) -> None:
        """A log that was not saved: another epoch."""
        self._break_all()
        self._fresh_log()

    def _break_all(self) -> None:
        for cursor, client in tuple(self.attached):
            if client is None:
                self._detach(cursor)
            else:
                self._lose(client, 0)

    # ── always ──────────────────────────────────────────────────────────────────────────────────

    @invariant()
    def bounded(self) -> None:
        kept = self.log.entries
        assert self.log.size == sum(what.size for _, _, what in kept)
        assert len(kept) <= 1 or (len(kept) <= LIMITS.events and self.log.size <= LIMITS.bytes)
        assert [number for number, _, _ in kept] == [one.number for one in self._owed(self.log.floor)]

    @rule()
    def settle(self) -> None:
        """Everything that is owed arrives."""
        for index, (_, client) in enumerate(self.attached):
            self.pull(index, 10_000)
            if client is not None:
                for frame in client.wire:
                    self._receive(client, frame)
                client.wire.clear()
                assert client.last is not None
                assert not self._owed(client.last)
                ids = [word.id for word in client.screen]
                assert ids == sorted(set(ids)), "shown twice or out of order"


Delivery.TestCase.settings = settings(max_examples=150, stateful_step_count=60)
TestDelivery = Delivery.TestCase


# ── controls: without a rule the machine must fail ──────────────────────────────────────────────


class TrimsWhatWasSent(SessionLog):
    """No trim rule: whatever went out to all who are attached is freed."""

    __slots__ = ()

    def trim(self) -> None:
        attached = [cursor.sent for cursor in self.cursors if cursor.gone is None]
        if attached and self.entries:
            seen = min(attached)
            count = sum(1 for number, _, _ in self.entries if number <= seen)
            self._free(count, self.size - sum(what.size for _, _, what in self.entries[:count]))


class SkipsInSilence(SessionLog):
    """No overtake rule: a cursor below what is kept goes on with what is left."""

    __slots__ = ()

    def overtaken(self, cursor: Cursor) -> Gap | None:
        return None


class GuessesWhoCameBack(SessionLog):
    """A client that comes back takes the place nearest below it, which may be another's."""

    __slots__ = ()

    def succeed(self, cursor: Cursor, name: str | None = None) -> None:
        near = [one for one in self.cursors if one.gone is not None and one.acked <= cursor.sent]
        if near:
            self.cursors.remove(max(near, key=lambda one: one.acked))
            self.trim()


class ForgetsWhatTheBlindMissed(SessionLog):
    """A blind client is put back at the oldest that is kept, and not told of what is not."""

    __slots__ = ()

    def return_of(self, kind: str) -> int | None:
        place = super().return_of(kind)
        return None if place is None else max(place, self.floor)


@pytest.mark.parametrize(
    "broken",
    [TrimsWhatWasSent, SkipsInSilence, GuessesWhoCameBack, ForgetsWhatTheBlindMissed],
    ids=lambda it: it.__name__,
)
def test_the_model_notices(broken: type[SessionLog]) -> None:
    """The machine is no better than what it finds when a rule is off."""

    class Broken(Delivery):
        log_class = broken

    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            Broken,
            settings=settings(
                max_examples=1500,
                stateful_step_count=60,
                phases=[Phase.generate],
                print_blob=False,
                database=None,
                derandomize=True,
            ),
        )
