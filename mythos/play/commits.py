"""The commit queue: what a turn changed goes to disk before anyone hears of it.

A synchronous state machine. Turns :meth:`~Commits.submit` what they changed; the store's lane takes a
:class:`Batch` (everything submitted so far), writes it, and says :meth:`~Commits.written`. While one batch is on
its way the next one gathers: that is the group commit.

The release horizon: while anything is pending, all later words wait for it, whatever way they leave by. Take a
thing in one room, then walk into another: nobody there may see what a crash undoes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from mythos.ids import EntityId, SessionId
from mythos.values import value
from mythos.world.state import Change, Entity, Posting

if TYPE_CHECKING:
    from mythos.play.ports import SessionRecord

__all__ = ["Batch", "Commits", "Transaction"]

#: Entities of a flush that go with one batch: a few milliseconds of encoding.
PART = 500


@value
class Transaction:
    """A turn in the ledger.

    :ivar tx: rises by one, never used twice
    :ivar session: whose command it was; None for the world's own doing
    :ivar asked: CRC-32 of the command's words
    """

    tx: int
    kind: str
    session: SessionId | None
    c: int | None
    postings: tuple[Posting, ...]
    asked: int | None = None


@value
class Batch:
    """One transaction of the store, named so that applying it twice is harmless.

    The entities are the living ones: the store encodes them in the turn that takes the batch, so that it is a cut
    through one instant.
    """

    incarnation: str
    number: int
    entities: tuple[Entity, ...]
    gone: tuple[EntityId, ...]
    transactions: tuple[Transaction, ...]
    sessions: tuple[SessionRecord, ...]
    now: float
    next_id: int
    next_tx: int


class Commits:
    """See the module.

    :ivar counters: the world's second and next id, asked when a batch closes
    :ivar wake: called when there is something to take; set by who drives it
    :ivar unsafe: words do not wait for the disk. Only tests can set it: the control that must lose
    """

    def __init__(
        self, incarnation: str, next_tx: int, counters: Callable[[], tuple[float, int]], *, unsafe: bool = False
    ) -> None:
        self.incarnation = incarnation
        self.next_tx = next_tx
        self.wake: Callable[[], None] = lambda: None
        self.unsafe = unsafe
        self.counters = counters
        self._entities: dict[EntityId, Entity] = {}
        self._gone: dict[EntityId, None] = {}
        self._transactions: list[Transaction] = []
        self._sessions: dict[SessionId, Callable[[], SessionRecord]] = {}
        self._stale: dict[EntityId, Entity] = {}
        self._due: dict[EntityId, Entity] = {}  # marked before the last flush
        self._gathering = False
        self._number = 0  # of the last batch taken
        self._on_its_way: Batch | None = None
        self._held: deque[tuple[int, Callable[[], None], bool]] = deque()

    # ── what turns do ───────────────────────────────────────────────────────────────────────────

    @property
    def pending(self) -> bool:
        """Something is gathered, on its way or being told: words wait."""
        return self._gathering or self._on_its_way is not None or bool(self._held)

    @property
    def held(self) -> int:
        """How many releases wait."""
        return len(self._held)

    def submit(
        self,
        change: Change,
        *,
        kind: str = "",
        session: SessionId | None = None,
        c: int | None = None,
        asked: int | None = None,
    ) -> None:
        """Take over what a turn changed. Without postings it is only marked, for the next flush."""
        if not change.postings:
            for entity in change.touched:
                self._stale[entity.id] = entity
            if change.gone:
                self._forget(change.gone)
                self._gather()
            return
        self._write(change.touched)
        self._forget(change.gone)
        self._transactions.append(Transaction(self.next_tx, kind, session, c, change.postings, asked))
        self.next_tx += 1
        self._gather()

    def submit_entities(self, entities: Iterable[Entity]) -> None:
        """Rows that must be on disk before later words, though nothing conserved moved."""
        self._write(entities)
        self._gather()

    def submit_session(self, session: SessionId, record: Callable[[], SessionRecord]) -> None:
        """``record`` is asked when the batch closes."""
        self._sessions[session] = record
        self._gather()

    def flush(self) -> None:
        """Write all that is only marked: a part with the next batch, the rest with those after it, so that encoding
        a great many holds nobody up."""
        if self._stale:
            self._due.update(self._stale)
            self._stale.clear()
            self._gather()

    def after(self, release: Callable[[], None], *, lasting: bool = False) -> None:
        """Call ``release`` once everything submitted so far is on disk: now, if it is.

        One that is asked for by another that is just going out waits behind those that waited before it.

        :param lasting: it is called even if what was submitted has to be given up, for it tells nothing of the world
        """
        if self.unsafe or not self.pending:
            release()
        else:
            self._held.append((self._number + 1 if self._gathering else self._number, release, lasting))

    def _write(self, entities: Iterable[Entity]) -> None:
        for entity in entities:
            self._entities[entity.id] = entity
            self._stale.pop(entity.id, None)
            self._due.pop(entity.id, None)

    def _forget(self, gone: Iterable[EntityId]) -> None:
        for entity in gone:
            self._entities.pop(entity, None)
            self._stale.pop(entity, None)
            self._due.pop(entity, None)
            self._gone[entity] = None

    def _gather(self) -> None:
        if not self._gathering:
            self._gathering = True
            if self._on_its_way is None:
                self.wake()

    # ── what the lane does ──────────────────────────────────────────────────────────────────────

    def take(self) -> Batch | None:
        """Close the batch that gathers; None if there is none, or one is on its way."""
        if not self._gathering or self._on_its_way is not None:
            return None
        self._number += 1
        for entity in tuple(islice(self._due, PART)):
            self._entities[entity] = self._due.pop(entity)
        now, next_id = self.counters()
        batch = Batch(
            self.incarnation,
            self._number,
            tuple(self._entities.values()),
            tuple(self._gone),
            tuple(self._transactions),
            tuple([record() for record in self._sessions.values()]),
            now,
            next_id,
            self.next_tx,
        )
        self._entities, self._gone, self._transactions, self._sessions = {}, {}, [], {}
        self._gathering = False
        self._on_its_way = batch
        return batch

    def written(self) -> None:
        """The batch on its way is on disk: what waited for it goes out, in order.

        :raises ExceptionGroup: some of it failed; everything else has gone out
        """
        assert self._on_its_way is not None
        written = self._on_its_way.number
        self._on_its_way = None
        held, errors = self._held, []
        while held and held[0][0] <= written:
            try:
                held.popleft()[1]()
            except Exception as error:  # one receiver's failure is not the next one's
                errors.append(error)
        if self._gathering:
            self.wake()
        elif self._due:
            self._gather()
        if errors:
            raise ExceptionGroup("some words could not be told", errors)

    def failed(self) -> Batch:
        """The batch on its way can never be written: it and everything after it is given up.

        Held words are discarded: nobody may hear them. The caller loads the world again from the store.
        """
        assert self._on_its_way is not None
        batch, self._on_its_way = self._on_its_way, None
        self.abandon()
        return batch

    def abandon(self) -> None:
        """Give up everything gathered and marked, for a turn broke half-way: the living things are not to be written.

        A batch on its way is whole, and its words go out. What waits for the gathered one is discarded, but for
        sessions: their rows are no part of the world, and who was promised one still gets it.
        """
        self._entities, self._gone, self._transactions = {}, {}, []
        self._stale.clear()
        self._due.clear()
        kept = [(number, release, lasting) for number, release, lasting in self._held if lasting]
        told = self._on_its_way.number if self._on_its_way is not None else 0
        self._held = deque([held for held in self._held if held[0] <= told] + [held for held in kept if held[0] > told])
        self._gathering = False
        if self._sessions or any(number > told for number, _, _ in self._held):
            self._gather()
