"""Sessions that the store remembers: those of before a restart, until their players come back or the window is over.

Each is woken by the first who proves to be its player. Of those that end, guests go for good; the characters of
accounts sleep on in the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from mythos.errors import Refusal
from mythos.flow.bucket import Bucket
from mythos.flow.log import Cursor, SessionLog
from mythos.ids import EntityId, SessionId
from mythos.play.ports import Busy, Clock, Contents, SessionRecord, Store, StoreDown, TokenInvalid, Tokens
from mythos.play.realm import Realm
from mythos.play.sessions import Session, Standing
from mythos.wire.message import State
from mythos.world.state import Character

__all__ = ["Sleepers"]


class Sleepers:
    """See the module."""

    def __init__(self, realm: Realm, store: Store, tokens: Tokens, clock: Clock) -> None:
        self._realm = realm
        self._store = store
        self._tokens = tokens
        self._clock = clock
        self._asleep: dict[SessionId, SessionRecord] = {}
        self._remembered = 0.0
        self._leaving: dict[EntityId, None] = {}  # nobody can come back as they: in the order it was found out
        self._letting_go = False

    def get(self, id: SessionId) -> SessionRecord | None:
        """One that nobody woke."""
        return self._asleep.get(id)

    def of(self, character: EntityId) -> Iterator[SessionRecord]:
        """Those of a character that nobody woke."""
        return iter([one for one in self._asleep.values() if one.character == character])

    def end(self, character: EntityId) -> None:
        """Nobody can wake the sessions of a character any more."""
        for record in self.of(character):
            del self._asleep[record.id]
            self._end(record)

    def remember(self, records: Iterable[SessionRecord], strays: Iterable[EntityId] = ()) -> None:
        """Sessions of before the restart: each is woken by the first who proves to be its player. They have the whole
        window from now on, however long the server was down.

        :param strays: guests that no session could bring back; they go for good
        """
        for record in records:
            self._asleep[record.id] = record
        self._remembered = self._clock.seconds()
        self._leaving.update(dict.fromkeys(strays))
        self.forget_old()

    def save(self) -> None:
        """Sessions that nobody woke sleep through the next restart too: their logs were handed out to us."""
        for record in self._asleep.values():
            self._realm.commits.submit_session(record.id, lambda record=record: record)  # type: ignore[misc]

    def forget_old(self) -> None:
        """Let go of sessions whose players did not come back within the window, and of guests nobody can be again."""
        if self._asleep and self._clock.seconds() > self._remembered + self._realm.pace.window:
            for record in self._asleep.values():
                self._end(record)
            self._asleep.clear()
        if self._leaving and not self._letting_go:
            self._letting_go = True
            self._realm.start(self._let_go())

    def let_go(self, guest: EntityId) -> None:
        """Nobody can come back as this guest: it goes for good as soon as it can."""
        self._leaving[guest] = None

    def restored(self, contents: Contents) -> None:
        """The world was loaded again: what had ended, and whose end was given up with a batch, ends now."""
        realm = self._realm
        for record in contents.sessions:
            session = realm.session(record.id)
            if record.id not in self._asleep and (session is None or session.standing is Standing.ENDED):
                self._end(record)
        self._leaving.update(dict.fromkeys(contents.strays))

    def _end(self, record: SessionRecord) -> None:
        self._realm.commits.submit_session(record.id, lambda: replace(record, ended=True))
        self._leaving[record.character] = None

    async def _let_go(self) -> None:
        """Those of them who are guests are gone for good; accounts sleep on. Whoever could not go just now is left
        for the next look."""
        try:
            for id in tuple(self._leaving):
                del self._leaving[id]
                try:
                    left = await self._left(id)
                except (StoreDown, Refusal):  # and nothing was changed
                    left = False
                if not left:
                    self._leaving[id] = None
        finally:
            self._letting_go = False

    async def _left(self, id: EntityId) -> bool:
        """Whether nothing remains to be done for a character: it is out of memory, or somebody plays it after all."""
        if self._realm.session_of(id) is None:
            me = await self.character(id)
            if me is not None and self._realm.session_of(id) is None:
                self._realm.put_away(me)
        session = self._realm.session_of(id)
        return session is None or session.standing is not Standing.ENDED

    async def awaken(self, id: SessionId) -> Session | None:
        """Wake a session, whoever its player is, whose clients know what its next line answers. None: it is not known,
        or its character is no more."""
        record = self._asleep.get(id)
        try:
            return await self.wake(record, asked=True) if record is not None else None
        except Refusal:
            return None

    async def wake(self, record: SessionRecord, *, asked: bool = False) -> Session:
        """:param asked: its clients know what its next line answers; else that is nothing, for questions are forgotten
        :raises TokenInvalid: its character is no more
        """
        me = await self.character(record.character)
        self._asleep.pop(record.id, None)
        standing = self.playing(record.character)
        if standing is not None:
            return standing
        if me is None:
            self._end(record)
            raise TokenInvalid("That session is over. Log in again.")
        now = self._clock.seconds()
        pace = self._realm.pace
        fresh = record.log is None
        log = SessionLog(
            self._tokens.secret()[:16] if fresh else record.epoch, self._realm.limits, 0 if fresh else record.head
        )
        if record.log is not None:
            log.restore(record.floor, [(number, now - age, what) for number, age, what in record.log])
            log.cursors = [_gone(kind, acked, now) for kind, acked in record.cursors]
            if not asked:
                log.put_state("Mythos.Ask", State("Mythos.Ask", {"text": "", "secret": False}), now)
        session = Session(record.id, me, log, Bucket(pace.per_minute / 60.0, pace.burst), now)
        session.standing = Standing.AWAY
        session.go_on(record)
        self._realm.adopt_session(session)
        return session

    def playing(self, character: EntityId) -> Session | None:
        """The session a character has.

        :raises Busy: it is on its way out: what it held is not yet on disk
        """
        session = self._realm.session_of(character)
        if session is not None and session.standing is Standing.ENDED:
            raise Busy(f"{session.me.name} is just leaving the world. Try again in a moment.")
        return session

    async def character(self, id: EntityId) -> Character | None:
        """A character from memory or from the store, with all it holds."""
        known = self._realm.world.characters.get(id)
        if known is not None:
            return known
        stored = await self._store.load_character(self._realm.world, id)
        world = self._realm.world
        known = world.characters.get(id)  # another login may have brought it meanwhile
        if known is not None:
            return known
        world.adopt(stored.entities, stored.hoards)
        return world.characters.get(id)


def _gone(kind: str, acked: int, now: float) -> Cursor:
    cursor = Cursor(kind, acked)
    cursor.gone = now
    return cursor
