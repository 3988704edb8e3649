"""The commit queue: what goes into a batch, and when its words may be heard."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import find, given
from hypothesis import strategies as st

from mythos.ids import EntityId, RoomId, SessionId
from mythos.play.commits import PART, Batch, Commits
from mythos.play.ports import SessionRecord
from mythos.world.state import GOLD, MINT, Change, Character, Entity, Posting

ROOM = RoomId("t:inn")
ANN, BOB = (Character(EntityId(id), name, ROOM) for id, name in (("c1", "Ann"), ("c2", "Bob")))
ONE_COIN = Posting(GOLD, MINT, ANN.id, 1)


def moved(*touched: Entity, gone: tuple[EntityId, ...] = ()) -> Change:
    """A change with a posting: it must be on disk before it is told."""
    return Change(touched, gone, (ONE_COIN,))


def walked(*touched: Entity, gone: tuple[EntityId, ...] = ()) -> Change:
    """A change that nothing conserved took part in."""
    return Change(touched, gone, ())


def queue(*, unsafe: bool = False) -> Commits:
    return Commits("life", 5, lambda: (12.5, 77), unsafe=unsafe)


def take(commits: Commits) -> Batch:
    batch = commits.take()
    assert batch is not None
    return batch


def record(session: str, head: int = 0) -> SessionRecord:
    return SessionRecord(SessionId(session), ANN.id, "epoch", head, 1, (), 0.0)


# ── what a batch is ─────────────────────────────────────────────────────────────────────────────


def test_a_batch_is_all_that_was_submitted() -> None:
    """Turns in their order, each with its number of the ledger, and the world's counters as they are at the close."""
    commits = queue()
    commits.submit(moved(ANN), kind="get", session=SessionId("a1"), c=3)
    commits.submit(moved(BOB, gone=(EntityId("i4"),)), kind="eat")
    batch = take(commits)
    assert (batch.incarnation, batch.number, batch.now, batch.next_id, batch.next_tx) == ("life", 1, 12.5, 77, 7)
    assert (batch.entities, batch.gone) == ((ANN, BOB), ("i4",))
    assert [(one.tx, one.kind, one.session, one.c, one.postings) for one in batch.transactions] == [
        (5, "get", "a1", 3, (ONE_COIN,)),
        (6, "eat", None, None, (ONE_COIN,)),
    ]


def test_one_row_for_each_entity() -> None:
    """However often it was touched; the row is made from the living thing, so it is the newest."""
    commits = queue()
    for _ in range(3):
        commits.submit(moved(ANN, BOB))
    batch = take(commits)
    assert batch.entities == (ANN, BOB)
    assert batch.entities[0] is ANN
    assert len(batch.transactions) == 3


def test_the_next_batch_begins_empty() -> None:
    commits = queue()
    commits.submit(moved(ANN, gone=(EntityId("i4"),)))
    commits.submit_session(SessionId("a1"), lambda: record("a1"))
    take(commits)
    commits.written()
    assert commits.take() is None
    commits.submit(moved(BOB))
    batch = take(commits)
    assert (batch.number, batch.entities, batch.gone, batch.sessions) == (2, (BOB,), (), ())
    assert [one.tx for one in batch.transactions] == [6]


def test_one_batch_at_a_time() -> None:
    """While one is on its way the next one gathers: that is the group commit."""
    commits = queue()
    commits.submit(moved(ANN))
    take(commits)
    for _ in range(10):
        commits.submit(moved(BOB))
    assert commits.take() is None
    commits.written()
    assert len(take(commits).transactions) == 10


def test_a_walk_waits_for_the_flush() -> None:
    """Where somebody stands is written every few seconds, once, and holds back nobody's words meanwhile."""
    commits = queue()
    commits.submit(walked(ANN))
    commits.submit(walked(BOB))
    commits.submit(walked(ANN))
    told = Told(commits)
    told.say(1)
    assert (told.words, commits.pending, commits.take()) == ([1], False, None)
    commits.flush()
    batch = take(commits)
    assert (batch.entities, batch.transactions) == ((ANN, BOB), ())
    commits.written()
    commits.flush()
    assert commits.take() is None


def test_a_great_flush_goes_in_parts() -> None:
    """Encoding ten thousand rows at once would hold up everybody; what is said meanwhile waits for one part only."""
    commits = queue()
    many = [Character(EntityId(f"c{number}"), "Ann", ROOM) for number in range(2 * PART + 1)]
    commits.submit(walked(*many))
    commits.flush()
    told = Told(commits)
    written: list[Entity] = []
    for part, size in enumerate((PART, PART, 1)):
        told.say(part)
        batch = take(commits)
        assert len(batch.entities) == size
        written += batch.entities
        commits.written()
        assert told.words == list(range(part + 1))
    assert written == many
    assert (commits.pending, commits.take()) == (False, None)


def test_what_moves_overtakes_a_great_flush() -> None:
    """It is in the next batch, and not written again by the flush."""
    commits = queue()
    many = [Character(EntityId(f"c{number}"), "Ann", ROOM) for number in range(PART + 2)]
    commits.submit(walked(*many))
    commits.flush()
    commits.submit(moved(many[-1]))
    assert many[-1] in take(commits).entities
    commits.written()
    assert take(commits).entities == (many[-2],)


def test_a_walk_goes_along_with_what_moves() -> None:
    """A commit that touches an entity writes all of it; the flush has no more to say about it."""
    commits = queue()
    commits.submit(walked(ANN, BOB))
    commits.submit(moved(ANN))
    assert take(commits).entities == (ANN,)
    commits.written()
    commits.flush()
    assert take(commits).entities == (BOB,)


def test_what_must_be_on_disk_though_nothing_moved() -> None:
    """A row that later words rely on, a new character's, holds them back."""
    commits = queue()
    commits.submit(walked(ANN))
    commits.submit_entities([ANN])
    told = Told(commits)
    told.say(1)
    assert told.words == []
    assert take(commits).entities == (ANN,)
    commits.written()
    commits.flush()
    assert (told.words, commits.take()) == ([1], None)


@pytest.mark.parametrize("change", [moved, walked])
def test_what_is_gone_is_not_written_again(change: Callable[..., Change]) -> None:
    """Whether it was marked for the flush or gathered already."""
    commits = queue()
    commits.submit(walked(ANN))
    commits.submit_entities([BOB])
    commits.submit(change(gone=(ANN.id, BOB.id)))
    commits.flush()
    batch = take(commits)
    assert (batch.entities, batch.gone) == ((), (ANN.id, BOB.id))


def test_a_session_is_asked_when_the_batch_closes() -> None:
    """Once, and by who asked last."""
    commits, asked, head = queue(), [], 1

    def late() -> SessionRecord:
        asked.append(head)
        return record("a1", head)

    commits.submit_session(SessionId("a1"), lambda: record("a1", -1))
    commits.submit_session(SessionId("a1"), late)
    head = 9
    assert asked == []
    assert [one.head for one in take(commits).sessions] == [9]
    assert asked == [9]


def test_wake_is_called_when_there_is_something_to_take() -> None:
    commits, woken = queue(), []
    commits.wake = lambda: woken.append(commits.pending)
    commits.submit(walked(ANN))
    assert woken == []
    commits.submit(moved(ANN))
    commits.submit(moved(BOB))
    assert woken == [True]
    take(commits)
    commits.submit(moved(ANN))
    assert woken == [True]
    commits.written()
    assert woken == [True, True]
    take(commits)
    commits.written()
    assert (len(woken), commits.pending) == (2, False)


# ── when words go out ───────────────────────────────────────────────────────────────────────────


class Told:
    """What went out, in its order."""

    def __init__(self, commits: Commits) -> None:
        self.commits = commits
        self.words: list[int] = []

    def say(self, *words: int) -> None:
        for word in words:
            self.commits.after(lambda word=word: self.words.append(word))  # type: ignore[misc]


def test_words_wait_for_the_disk() -> None:
    """Those of the turn that moved something, and all later ones, whoever says them."""
    commits = queue()
    told = Told(commits)
    told.say(1)
    commits.submit(moved(ANN))
    told.say(2, 3)
    assert (told.words, commits.held) == ([1], 2)
    take(commits)
    told.say(4)
    assert (told.words, commits.pending) == ([1], True)
    commits.written()
    assert (told.words, commits.held, commits.pending) == ([1, 2, 3, 4], 0, False)


def test_words_wait_for_their_own_batch() -> None:
    """What was said behind a turn that still gathers does not go out with the batch before."""
    commits = queue()
    told = Told(commits)
    commits.submit(moved(ANN))
    take(commits)
    told.say(1)
    commits.submit(moved(BOB))
    told.say(2)
    commits.written()
    assert told.words == [1]
    take(commits)
    told.say(3)
    assert told.words == [1]
    commits.written()
    assert told.words == [1, 2, 3]


def test_who_is_told_may_speak() -> None:
    """What is said while words go out comes behind those that waited before it; what is moved then waits again."""
    commits = queue()
    told = Told(commits)

    def give_back() -> None:
        commits.submit(moved(BOB))
        told.say(4)

    commits.submit(moved(ANN))
    commits.after(lambda: told.say(2))
    told.say(1)
    commits.after(give_back)
    told.say(3)
    take(commits)
    commits.written()
    assert (told.words, commits.pending) == ([1, 3, 2], True)
    take(commits)
    commits.written()
    assert told.words == [1, 3, 2, 4]


def test_one_failure_is_not_the_next_ones() -> None:
    """A receiver that breaks keeps nobody else from hearing; whoever drives the queue learns of it."""
    commits = queue()
    told = Told(commits)
    commits.submit(moved(ANN))
    told.say(1)
    commits.after(lambda: [][0])
    told.say(2)
    take(commits)
    with pytest.raises(ExceptionGroup) as broken:
        commits.written()
    assert [type(error) for error in broken.value.exceptions] == [IndexError]
    assert (told.words, commits.pending) == ([1, 2], False)


def test_what_failed_is_never_told() -> None:
    """Nor what came after it: it may rest on what did not happen. Then it goes on with numbers nobody had."""
    commits = queue()
    told = Told(commits)
    commits.submit(moved(ANN))
    told.say(1)
    batch = take(commits)
    commits.submit(moved(BOB, gone=(EntityId("i4"),)))
    commits.submit(walked(ANN))
    told.say(2)
    assert commits.failed() is batch
    assert (commits.pending, commits.held, commits.take()) == (False, 0, None)
    commits.flush()
    assert commits.take() is None
    told.say(3)
    commits.submit(moved(ANN))
    told.say(4)
    after = take(commits)
    assert (after.number, [one.tx for one in after.transactions], after.gone) == (2, [7], ())
    commits.written()
    assert told.words == [3, 4]


def test_a_turn_that_broke_is_given_up() -> None:
    """With all that gathered and was marked before it; the batch on its way is whole, and is told. Sessions stay."""
    commits = queue()
    told = Told(commits)
    commits.submit(moved(ANN))
    told.say(1)
    take(commits)
    commits.submit(walked(ANN))
    commits.submit(moved(BOB))
    told.say(2)
    commits.submit_session(SessionId("a1"), lambda: record("a1"))
    commits.after(lambda: told.words.append(3), lasting=True)
    commits.abandon()
    commits.flush()
    commits.written()
    assert told.words == [1]
    after = take(commits)
    assert (after.entities, after.transactions, [one.id for one in after.sessions]) == ((), (), ["a1"])
    commits.written()
    assert told.words == [1, 3]
    assert not commits.pending


def test_unsafe_tells_at_once() -> None:
    """The control of the crash tests: words that a crash undoes."""
    commits = queue(unsafe=True)
    told = Told(commits)
    commits.submit(moved(ANN))
    told.say(1)
    assert (told.words, commits.pending) == ([1], True)


# ── any order of things ─────────────────────────────────────────────────────────────────────────


class Disk:
    """Drives a queue step by step and checks what is told against what is written.

    :ivar told: the words in the order they went out, numbered in the order they were said
    :ivar early: those that went out before a posting that was made before they were said was written
    """

    def __init__(self, commits: Commits) -> None:
        self.commits = commits
        self.told: list[int] = []
        self.early: list[int] = []
        self.said = 0
        self._posted = self._written = 0
        self._batch: Batch | None = None

    def step(self, name: str) -> None:
        commits = self.commits
        match name:
            case "post":
                commits.submit(moved(ANN))
                self._posted += 1
            case "walk":
                commits.submit(walked(BOB))
            case "flush":
                commits.flush()
            case "say":
                self._say()
            case "answer":  # one who hears something says something
                commits.after(self._say)
            case "give back":  # one who hears something moves something, and says so
                commits.after(self._give_back)
            case "take" if self._batch is None:
                self._batch = commits.take()
            case "ack" if self._batch is not None:
                self._written += len(self._batch.transactions)
                self._batch = None
                commits.written()

    def _give_back(self) -> None:
        self.step("post")
        self._say()

    def _say(self) -> None:
        number, needs = self.said, self._posted
        self.said += 1

        def tell() -> None:
            self.told.append(number)
            if self._written < needs:
                self.early.append(number)

        self.commits.after(tell)


STEPS = st.lists(
    st.sampled_from(["post", "walk", "flush", "say", "answer", "give back", "take", "ack"]), min_size=2, max_size=40
)


def run(commits: Commits, steps: list[str]) -> Disk:
    disk = Disk(commits)
    for name in steps:
        disk.step(name)
    return disk


@given(STEPS)
def test_any_order_of_things(steps: list[str]) -> None:
    """However turns, words and the disk follow each other: all words go out in order, each when it is true on disk."""
    disk = run(queue(), steps)
    assert disk.early == []
    assert disk.told == list(range(len(disk.told)))
    while disk.commits.pending:
        disk.step("take")
        disk.step("ack")
    assert disk.early == []
    assert disk.told == list(range(disk.said))


class Hasty(Commits):
    """Forgets that words are still going out."""

    @property
    def pending(self) -> bool:
        return self._gathering or self._on_its_way is not None


class Careless(Commits):
    """Lets words go with the batch that is on its way, whatever gathers behind it."""

    def after(self, release: Callable[[], None], *, lasting: bool = False) -> None:
        if self._on_its_way is None:
            super().after(release, lasting=lasting)
        else:
            self._held.append((self._number, release, lasting))


def test_the_check_finds_what_is_early() -> None:
    """Positive controls: without the horizon, and with a horizon that is one batch too near."""
    for broken in (lambda: queue(unsafe=True), lambda: Careless("life", 5, lambda: (0.0, 1))):
        assert find(STEPS, lambda steps, broken=broken: bool(run(broken(), steps).early))  # type: ignore[misc]


def test_the_check_finds_what_is_out_of_order() -> None:
    """Positive control: with a queue where who is told may speak before those that waited."""

    def disordered(steps: list[str]) -> bool:
        told = run(Hasty("life", 5, lambda: (0.0, 1)), steps).told
        return told != sorted(told)

    assert find(STEPS, disordered)
