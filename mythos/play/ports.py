"""What the game needs served, in the game's own words.

Every implementation of a port passes one contract suite (``tests/store``). Coroutines here wait for disk or for
a thread; the game itself starts none: it hands them to :class:`Runner`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mythos.errors import Fault, MythosError, Refusal
from mythos.flow.log import Cursor
from mythos.ids import AccountId, EntityId, PlaceId, SessionId
from mythos.play.commits import Batch
from mythos.play.resume import Chain
from mythos.wire.message import Line, Message
from mythos.world.state import Entity, World

__all__ = [
    "Account",
    "AccountStore",
    "BadBatch",
    "Bus",
    "Busy",
    "Claims",
    "Clock",
    "Connection",
    "Contents",
    "Hasher",
    "NameTaken",
    "Observer",
    "RefreshGrant",
    "Runner",
    "SessionRecord",
    "Store",
    "StoreDown",
    "StoredEntities",
    "TokenInvalid",
    "Tokens",
    "Traces",
]


class StoreDown(MythosError):
    """A passing failure: busy, disk full, connection lost, outcome unknown. The same batch is tried again.

    It says why, for operators; others are told :data:`NOT_READ`.
    """


#: What is said to whom something of the store is needed, while it does not answer.
NOT_READ = "The world's ledger cannot be read just now. Try again in a moment."


class BadBatch(Fault):
    """A batch that can never go through: a constraint, or a row that does not encode."""


class NameTaken(Refusal):
    """An account of that name is there; names are compared by their key."""


class Busy(Refusal):
    """A bounded queue is full; the sentence asks to try again."""


class TokenInvalid(Refusal):
    """A token that is forged, expired, revoked or of another kind. Says no more than that."""


# ── time, chance, work ──────────────────────────────────────────────────────────────────────────


class Clock(Protocol):
    def seconds(self) -> float:
        """Monotonic, for waiting and ages."""

    def wall(self) -> float:
        """Unix time, for what is stored and for expiry."""


class Runner(Protocol):
    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it go on by itself; its failure is logged."""


class Bus(Protocol):
    """Carries messages to sessions of every node of this world."""

    def publish(self, channel: str, message: Message) -> None:
        """To all who listen to ``channel``; returns at once."""


class Connection(Protocol):
    """A door's side of one connection, as a session sees it.

    :ivar kind: telnet, websocket, sse
    :ivar cursor: set by the realm when the connection is attached
    :ivar token: digest of the resume token it was given there; empty if it wanted none
    :ivar woken: :meth:`wake` was called, and it has not written since
    """

    kind: str
    address: str
    cursor: Cursor
    token: str
    woken: bool

    def wake(self) -> None:
        """There is something to write, or to ask; it will be written by the end of this reactor turn."""

    def fits(self, lines: Sequence[Line]) -> int:
        """How many of these lines its screen shows at once, at least one; all of them, if it has no end."""

    def answer(self, c: int, error: str, expect: int, dup: bool) -> None:
        """Command ``c`` is done (``error`` empty) or refused; goes out behind all words put so far."""

    def close(self, code: int, reason: str) -> None:
        """Write what can be written, say why, and close. ``code`` as a WebSocket close code."""

    def pause(self) -> None:
        """Too many lines wait: read no more."""

    def resume(self) -> None:
        """Read again."""


# ── the store ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session as it is stored.

    :ivar tokens: chains of resume tokens
    :ivar asked: (number, CRC-32 of its words) of the last commands; secrets are left out
    :ivar undone: numbers of commands that were given up
    :ivar log: (number, age in seconds, message) as of a planned stop; None after any other end,
        and the session then starts a new epoch
    :ivar ended: it is over: the store forgets it
    :ivar since: unix second before which no access token of it is good
    """

    id: SessionId
    character: EntityId
    epoch: str
    head: int
    next_c: int
    tokens: tuple[Chain, ...]
    seen: float
    asked: tuple[tuple[int, int], ...] = ()
    undone: tuple[int, ...] = ()
    log: tuple[tuple[int, float, Message], ...] | None = None
    floor: int = 0
    cursors: tuple[tuple[str, int], ...] = ()
    ended: bool = False
    since: float = 0.0


@dataclass(frozen=True, slots=True)
class StoredEntities:
    """Rows of entities, decoded against the world's atlas, in the order of their ids' making."""

    entities: Sequence[Entity]
    hoards: Mapping[PlaceId, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a store holds when a server starts.

    :ivar entities: all but characters and what they hold
    :ivar strays: guests without a session: nobody can come back as one of them
    :ivar fresh: nothing was ever written
    """

    entities: StoredEntities
    sessions: Sequence[SessionRecord]
    strays: Sequence[EntityId]
    now: float
    next_id: int
    next_tx: int
    fresh: bool


class Observer(Protocol):
    """Watches the game from outside: it counts and logs, which the game does not."""

    def turn(self, verb: str, seconds: float) -> None:
        """One command was run; ``verb`` is a declared name, or ``?``."""

    def fault(self, what: str, error: BaseException) -> None:
        """Something of ours failed."""


class Store(Protocol):
    """The truth. One batch at a time, each applied whole or not at all, and once, however often it is sent."""

    async def load(self, world: World) -> Contents:
        """Everything a server needs to start. The logs of sessions are handed out once: they are gone afterwards."""

    async def load_character(self, world: World, character: EntityId) -> StoredEntities:
        """A character and all it holds, however deep; empty if there is none of that id."""

    def encode(self, batch: Batch) -> Any:
        """The rows of a batch, as they are at this instant; called in the turn the batch closes.

        :raises BadBatch: something in it cannot be a row
        """

    async def write(self, rows: Any) -> None:
        """:raises StoreDown: try the same rows again
        :raises BadBatch: never will
        """


@dataclass(frozen=True, slots=True)
class Account:
    """:ivar id: 0 until the store gave one; ``key``: what makes names one (case and look-alikes folded)
    :ivar leaves: unix second at which it is deleted; 0.0: it stays
    """

    id: AccountId
    name: str
    key: str
    password: str  # argon2id, in its own text form
    character: EntityId
    keeper: bool = False
    leaves: float = 0.0


@dataclass(frozen=True, slots=True)
class RefreshGrant:
    """A refresh token that was shown once.

    :ivar hash: SHA-256 of the token in hex
    :ivar family: all that came from one login; revoked together when one is used twice
    """

    hash: str
    family: str
    session: SessionId
    account: AccountId | None
    expires: float


@dataclass(frozen=True, slots=True)
class Traces:
    """What a store keeps on a person beside the rows of account, character and sessions.

    :ivar logins: of each refresh token the unix second it ends, and its state
    :ivar postings: of each the world's second, the kind of its turn, the asset and how much the character got
    """

    logins: Sequence[tuple[float, str]]
    postings: Sequence[tuple[float, str, str, int]]


class AccountStore(Protocol):
    async def add(self, account: Account) -> Account:
        """With its id. :raises NameTaken:"""

    async def by_key(self, key: str) -> Account | None: ...

    async def by_id(self, account: AccountId) -> Account | None: ...

    async def some(self, behind: AccountId, most: int) -> Sequence[Account]:
        """At most so many, by their ids, those behind one."""

    async def set_password(self, account: AccountId, password: str) -> None: ...

    async def set_keeper(self, account: AccountId, keeper: bool) -> None: ...

    async def any_keeper(self) -> bool: ...

    async def set_leaves(self, account: AccountId, leaves: float) -> None: ...

    async def leaving(self, wall: float) -> Sequence[Account]:
        """Those whose time has come."""

    async def remove(self, account: AccountId, name: str, wall: float, ends: float) -> None:
        """It is gone, and all its grants; ``name``, a digest, is held until ``ends``. Gone before: nothing happens."""

    async def is_held(self, name: str, wall: float) -> bool:
        """Whether a name, by its digest, was that of an account that was removed, and may not be taken yet."""

    async def traces(self, account: AccountId, character: EntityId, most: int) -> Traces:
        """At most so many postings, the newest first. It reads the whole ledger, which nobody waits for."""

    async def add_grant(self, grant: RefreshGrant) -> None: ...

    async def use_grant(self, hash: str, wall: float) -> RefreshGrant | None:
        """Spend it. None: unknown, expired or revoked. Spent before: its whole family is revoked, and None."""

    async def revoke_account(self, account: AccountId) -> None:
        """No grant of it can be used any more."""

    async def revoke_session(self, session: SessionId) -> None:
        """No grant of it can be used any more."""


# ── secrets ─────────────────────────────────────────────────────────────────────────────────────


class Hasher(Protocol):
    """argon2id in a bounded pool of its own."""

    async def hash(self, password: str) -> str:
        """:raises Busy:"""

    async def verify(self, hash: str | None, password: str) -> bool:
        """With None it takes as long as with a hash, and is false. :raises Busy:"""

    def outdated(self, hash: str) -> bool:
        """Whether it was made with other parameters than today's."""


@dataclass(frozen=True, slots=True)
class Claims:
    session: SessionId
    character: EntityId
    account: AccountId | None
    issued: float
    expires: float


class Tokens(Protocol):
    def secret(self) -> str:
        """256 fresh random bits, safe in a URL."""

    def digest(self, secret: str) -> str:
        """SHA-256 in hex."""

    def access(self, session: SessionId, character: EntityId, account: AccountId | None, wall: float) -> str:
        """A JWT that is good for 60 minutes."""

    def read(self, token: str, wall: float) -> Claims:
        """:raises TokenInvalid:"""
