"""The lane between the commit queue and a store that is slow, down, or broken."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mythos.errors import Refusal
from mythos.ids import EntityId
from mythos.play.commits import Batch, Commits
from mythos.play.ports import BadBatch, StoreDown
from mythos.store.lane import RETRY, Lane
from mythos.store.memory import MemoryStore
from mythos.store.rows import Rows
from mythos.store.sqlite import SQLiteStore
from mythos.world.state import GOLD, MINT, Change, Character, Posting, World
from tests.conftest import Failures
from tests.store.batches import ANN, ask
from tests.world.town import ATLAS, SQUARE, YARD, Loaded, person, town


class SlowStore(MemoryStore):
    """Writes when it is told to, or fails as it is told to.

    :ivar asked: the rows of each call of :meth:`write`, the first first
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Rows] = []
        self._waiting: list[Deferred[None]] = []

    async def write(self, rows: Rows) -> None:
        self.asked.append(rows)
        told: Deferred[None] = Deferred()
        self._waiting.append(told)
        await told
        await super().write(rows)

    @property
    def writing(self) -> int:
        return len(self._waiting)

    def go(self, error: Exception | None = None) -> None:
        """Let the write that waits longest go through, or fail."""
        told = self._waiting.pop(0)
        if error is None:
            told.callback(None)
        else:
            told.errback(error)


class Traffic:
    """A world whose turns are committed, and what is heard of them.

    :ivar down: what the lane said of the store, in order
    :ivar broken: the numbers of batches that were given up, and why
    """

    def __init__(self, store: MemoryStore) -> None:
        self.world = town()
        self.ann = person(self.world, "Ann", SQUARE)
        self.world.take_change()
        self.clock, self.store = Clock(), store
        self.commits = Commits("life", 1, lambda: (self.world.now, self.world.next_id))
        self.lane = Lane(self.commits, store, self.clock)
        self.heard: list[str] = []
        self.down: list[bool] = []
        self.broken: list[tuple[int, str]] = []
        self.lane.down = self.down.append
        self.lane.broken = self._broken

    def _broken(self, batch: Batch, error: BadBatch) -> None:
        self.broken.append((batch.number, str(error)))

    def say(self, word: str) -> None:
        self.commits.after(lambda: self.heard.append(word))

    def pay(self, word: str, amount: int = 1) -> None:
        """A turn that moves gold and says so."""
        self.world.move_gold(MINT, self.ann.id, amount)
        self.commits.submit(self.world.take_change(), kind="pay")
        self.say(word)

    def stored_gold(self) -> int:
        found: list[list[tuple[int]]] = []
        rows = ask(self.store, "SELECT coalesce(sum(amount), 0) FROM balance WHERE holder = ?", self.ann.id)
        Deferred.fromCoroutine(rows).addCallback(found.append)
        return found[0][0][0]


@pytest.fixture
def slow() -> Iterator[SlowStore]:
    made = SlowStore()
    yield made
    made.close()


@pytest.fixture
def traffic(slow: SlowStore) -> Traffic:
    return Traffic(slow)


def test_turns_gather_while_one_batch_is_on_its_way(traffic: Traffic, slow: SlowStore) -> None:
    """The first goes at once and alone, all that come meanwhile go together; the store has never two to write."""
    traffic.pay("one")
    for number in range(20):
        traffic.pay(str(number))
    assert (slow.writing, len(slow.asked), traffic.heard) == (1, 1, [])
    slow.go()
    assert (slow.writing, len(slow.asked), traffic.heard) == (1, 2, ["one"])
    assert [len(rows.ledger) for rows in slow.asked] == [1, 20]
    assert len(slow.asked[1].entities) == 1
    slow.go()
    assert traffic.heard == ["one", *map(str, range(20))]
    assert (traffic.stored_gold(), traffic.ann.gold) == (21, 21)


def test_rows_are_of_the_turn_that_closed_the_batch(traffic: Traffic, slow: SlowStore) -> None:
    """What changes while the disk is busy, and while it is tried again, is in the next batch only."""
    traffic.pay("one")
    traffic.ann.title = "the late"
    slow.go(StoreDown("busy"))
    traffic.clock.advance(RETRY[0])
    assert slow.asked[0] is slow.asked[1]
    assert "the late" not in slow.asked[0].entities[0][6]
    slow.go()


def test_the_same_batch_until_it_goes_through(traffic: Traffic, slow: SlowStore) -> None:
    """A store that is down is tried again, seldom but for ever; words wait, and nothing overtakes."""
    traffic.pay("one")
    traffic.pay("two")
    waits, wait = [], RETRY[0]
    for _ in range(8):
        slow.go(StoreDown("disk full"))
        assert slow.writing == 0
        traffic.clock.advance(0.9 * wait)
        assert slow.writing == 0
        traffic.clock.advance(0.2 * wait)
        assert slow.writing == 1
        waits.append(wait)
        wait = min(2 * wait, RETRY[1])
    assert waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    assert ({rows.number for rows in slow.asked}, traffic.heard) == ({1}, [])
    slow.go()
    slow.go()
    assert (traffic.heard, traffic.stored_gold()) == (["one", "two"], 2)


def test_down_is_said_once_and_back_too(traffic: Traffic, slow: SlowStore) -> None:
    traffic.pay("one")
    assert traffic.down == []
    for _ in range(3):
        slow.go(StoreDown("busy"))
        traffic.clock.advance(RETRY[1])
    assert traffic.down == [True]
    slow.go()
    assert traffic.down == [True, False]
    traffic.pay("two")
    slow.go()
    assert traffic.down == [True, False]


def test_a_sealed_world_comes_back(traffic: Traffic, slow: SlowStore) -> None:
    """While the store is down nothing can change hands, people may still talk and walk, and then it goes on."""
    world = traffic.world

    def seal(down: bool) -> None:
        world.sealed = "Not just now." if down else ""

    traffic.lane.down = seal
    traffic.pay("one")
    slow.go(StoreDown("disk full"))
    with pytest.raises(Refusal, match="Not just now"):
        traffic.pay("refused")
    assert traffic.ann.gold == 1
    world.place_body(traffic.ann, YARD)
    traffic.commits.submit(world.take_change())
    traffic.say("walked")
    traffic.clock.advance(RETRY[0])
    slow.go()
    assert traffic.heard == ["one", "walked"]
    traffic.pay("two")
    slow.go()
    assert (traffic.heard[-1], traffic.stored_gold(), traffic.ann.gold) == ("two", 2, 2)


def test_unknown_outcome(traffic: Traffic, slow: SlowStore) -> None:
    """A batch that was written though the answer was lost comes again, and counts once."""
    traffic.pay("one", 7)
    Deferred.fromCoroutine(MemoryStore.write(slow, slow.asked[0]))
    slow.go(StoreDown("connection lost"))
    assert (traffic.heard, traffic.stored_gold()) == ([], 7)
    traffic.clock.advance(RETRY[0])
    slow.go()
    assert (traffic.heard, traffic.stored_gold()) == (["one"], 7)


def test_a_batch_that_never_goes_through(traffic: Traffic, slow: SlowStore) -> None:
    """It and what rests on it is given up unheard, whoever loads the world again is told, and the lane goes on."""
    traffic.pay("one")
    traffic.pay("two")
    slow.go(BadBatch("a constraint"))
    traffic.clock.advance(0)
    assert (traffic.heard, traffic.broken, traffic.down) == ([], [(1, "a constraint")], [])
    assert not traffic.commits.pending
    traffic.say("three")
    traffic.pay("four")
    slow.go()
    assert (traffic.heard, traffic.stored_gold()) == (["three", "four"], 1)


def test_down_ends_with_the_batch(traffic: Traffic, slow: SlowStore) -> None:
    """A store that comes back only to refuse the batch is not down any more."""
    traffic.pay("one")
    slow.go(StoreDown("busy"))
    traffic.clock.advance(RETRY[0])
    slow.go(BadBatch("a constraint"))
    traffic.clock.advance(0)
    assert (traffic.down, [number for number, _ in traffic.broken]) == ([True, False], [1])


def test_a_store_that_breaks_its_word(traffic: Traffic, slow: SlowStore, failures: Failures) -> None:
    """An error that no store should raise is logged and given up like a bad batch: a lane that stood still would hold
    back all words for ever."""
    traffic.pay("one")
    slow.go(ZeroDivisionError("no store raises this"))
    traffic.clock.advance(0)
    assert len(failures.flush(ZeroDivisionError)) == 1
    assert [number for number, _ in traffic.broken] == [1]
    traffic.pay("two")
    slow.go()
    assert traffic.heard == ["two"]


def test_what_does_not_encode(traffic: Traffic, slow: SlowStore) -> None:
    """It never reaches the store, and the words of the very turn that closed it are not told."""
    traffic.ann.title = "\ud800"
    traffic.pay("one")
    traffic.clock.advance(0)
    assert (slow.asked, [number for number, _ in traffic.broken]) == ([], [1])
    traffic.ann.title = ""
    traffic.pay("two")
    slow.go()
    assert traffic.heard == ["two"]


def test_a_listener_that_breaks(traffic: Traffic, slow: SlowStore, failures: Failures) -> None:
    """It is logged; the others hear, and the lane goes on."""
    traffic.pay("one")
    traffic.commits.after(lambda: [][0])
    traffic.say("two")
    slow.go()
    assert len(failures.flush(ExceptionGroup)) == 1
    traffic.pay("three")
    slow.go()
    assert traffic.heard == ["one", "two", "three"]


def test_settled(traffic: Traffic, slow: SlowStore) -> None:
    """At once when there is nothing; else when all is written, with what was submitted meanwhile."""
    done: list[str] = []
    traffic.lane.settled().addCallback(lambda _: done.append("idle"))
    assert done == ["idle"]
    traffic.pay("one")
    traffic.pay("two")
    traffic.lane.settled().addCallback(lambda _: done.append("first"))
    slow.go()
    traffic.pay("three")
    traffic.lane.settled().addCallback(lambda _: done.append("second"))
    slow.go()
    assert done == ["idle"]
    slow.go()
    assert (done, traffic.heard) == (["idle", "first", "second"], ["one", "two", "three"])


def test_each_commit_is_measured(traffic: Traffic, slow: SlowStore) -> None:
    """The time of the try that went through; not the wait before it."""
    seconds: list[float] = []
    traffic.lane.seconds = seconds.append
    traffic.pay("one")
    slow.go(StoreDown("busy"))
    traffic.clock.advance(RETRY[0])
    traffic.clock.advance(0.25)
    slow.go()
    assert seconds == [0.25]


def test_where_one_stands_is_written_by_the_flush() -> None:
    """Walking alone writes nothing; the flush that comes every few seconds writes where everybody is by then."""
    store = MemoryStore()
    traffic = Traffic(store)
    traffic.commits.submit_entities([traffic.ann])
    for room in (YARD, SQUARE, YARD):
        traffic.world.place_body(traffic.ann, room)
        traffic.commits.submit(traffic.world.take_change())
    assert _stored(store, traffic.ann.id).room == SQUARE
    traffic.commits.flush()
    assert _stored(store, traffic.ann.id).room == YARD
    store.close()


def _stored(store: MemoryStore, who: EntityId) -> Character:
    found: list[Character] = []

    async def look() -> None:
        (me,) = (await store.load_character(World(ATLAS, Loaded(0)), who)).entities
        assert isinstance(me, Character)
        found.append(me)

    Deferred.fromCoroutine(look())
    return found[0]


async def test_over_a_real_disk(sqlite: SQLiteStore) -> None:
    """With the thread and the file: in order, grouped, everything there when it is settled."""
    commits = Commits("life", 1, lambda: (0.0, 1))
    batches: list[float] = []
    lane = Lane(commits, sqlite, Clock())
    lane.seconds = batches.append
    coin, heard = Change((Character(ANN, "Ann", SQUARE),), (), (Posting(GOLD, MINT, ANN, 1),)), list[int]()
    for number in range(200):
        commits.submit(coin)
        commits.after(lambda number=number: heard.append(number))  # type: ignore[misc]
    assert heard == []
    await lane.settled()
    assert heard == list(range(200))
    assert 2 <= len(batches) <= 3
    assert await ask(sqlite, "SELECT holder, amount FROM balance") == [(ANN, 200)]
