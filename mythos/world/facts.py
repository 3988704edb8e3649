"""All that can happen, as frozen values.

A rule returns facts after its change is whole; :mod:`mythos.play.narrate` turns each into what is heard.
A fact carries names as they were at that moment where the thing may be gone when it is told.
"""

from __future__ import annotations

from dataclasses import dataclass

from mythos.ids import EntityId, RoomId

__all__ = [
    "Arrived",
    "Attacked",
    "Bought",
    "Closed",
    "DayTurned",
    "Died",
    "Dropped",
    "Emoted",
    "Examined",
    "Fact",
    "Faded",
    "Fled",
    "FollowStarted",
    "FollowStopped",
    "Found",
    "Gave",
    "GaveGold",
    "Got",
    "GotGold",
    "Grown",
    "Healed",
    "Hit",
    "Idled",
    "Left",
    "LightChanged",
    "Locked",
    "Looked",
    "Missed",
    "NpcSaid",
    "Opened",
    "Put",
    "Removed",
    "Reset",
    "Returned",
    "Said",
    "Shouted",
    "Sold",
    "Summoned",
    "TaskDone",
    "Told",
    "Unlocked",
    "Whispered",
    "Wore",
]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened; ``who`` did it or had it happen."""

    who: EntityId


# ── moving ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Left(Fact):
    room: RoomId
    direction: str


@dataclass(frozen=True, slots=True)
class Arrived(Fact):
    """``origin`` is the direction they come from as the room sees it: ``south``, or empty."""

    room: RoomId
    origin: str


@dataclass(frozen=True, slots=True)
class Summoned(Fact):
    """Left one place for another without walking: @goto, @summon, death, a first arrival (from None)."""

    left: RoomId | None
    room: RoomId
    cause: str  # "goto", "summon", "death", "enter"


@dataclass(frozen=True, slots=True)
class Faded(Fact):
    """Went out of the world; ``cause``: quit, linkdead, kicked."""

    room: RoomId
    name: str
    cause: str


@dataclass(frozen=True, slots=True)
class FollowStarted(Fact):
    leader: EntityId


@dataclass(frozen=True, slots=True)
class FollowStopped(Fact):
    leader: EntityId


@dataclass(frozen=True, slots=True)
class Opened(Fact):
    room: RoomId
    direction: str
    other: RoomId


@dataclass(frozen=True, slots=True)
class Closed(Fact):
    room: RoomId
    direction: str
    other: RoomId


@dataclass(frozen=True, slots=True)
class Locked(Fact):
    room: RoomId
    direction: str
    other: RoomId


@dataclass(frozen=True, slots=True)
class Unlocked(Fact):
    room: RoomId
    direction: str
    other: RoomId


# ── seeing ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Looked(Fact):
    """Looked round the room; ``arriving``: because of a move, so that brief mode may shorten it; ``again``: has been
    shown it before, so that nothing but words is wanted."""

    room: RoomId
    arriving: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Examined(Fact):
    """Looked at one thing; ``target`` is an entity, or None with the builder's ``text``."""

    target: EntityId | None
    text: str


@dataclass(frozen=True, slots=True)
class Found(Fact):
    """Searched; ``text`` is empty if there was nothing; ``direction`` a hidden exit now known."""

    room: RoomId
    text: str
    direction: str = ""


# ── things ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Got(Fact):
    """Took ``count`` of an item from the room (``source`` None) or out of a container."""

    item: EntityId
    proto: str
    count: int
    room: RoomId
    source: EntityId | None = None


@dataclass(frozen=True, slots=True)
class GotGold(Fact):
    amount: int
    room: RoomId
    source: EntityId | None = None


@dataclass(frozen=True, slots=True)
class Dropped(Fact):
    """Dropped an item, or ``count`` gold if ``proto`` is ``gold``."""

    proto: str
    count: int
    room: RoomId


@dataclass(frozen=True, slots=True)
class Put(Fact):
    proto: str
    count: int
    into: EntityId
    room: RoomId


@dataclass(frozen=True, slots=True)
class Gave(Fact):
    proto: str
    count: int
    to: EntityId
    room: RoomId


@dataclass(frozen=True, slots=True)
class GaveGold(Fact):
    amount: int
    to: EntityId
    room: RoomId


@dataclass(frozen=True, slots=True)
class Wore(Fact):
    """Put on or took in hand (``slot`` hand)."""

    proto: str
    slot: str
    room: RoomId


@dataclass(frozen=True, slots=True)
class Removed(Fact):
    proto: str
    slot: str
    room: RoomId


@dataclass(frozen=True, slots=True)
class Bought(Fact):
    proto: str
    count: int
    price: int
    keeper: EntityId
    room: RoomId


@dataclass(frozen=True, slots=True)
class Sold(Fact):
    proto: str
    count: int
    price: int
    keeper: EntityId
    room: RoomId


# ── words ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Said(Fact):
    room: RoomId
    words: str


@dataclass(frozen=True, slots=True)
class NpcSaid(Fact):
    """An NPC speaks to ``to`` (None: to all in the room)."""

    room: RoomId
    words: str
    to: EntityId | None = None


@dataclass(frozen=True, slots=True)
class Emoted(Fact):
    room: RoomId
    words: str


@dataclass(frozen=True, slots=True)
class Whispered(Fact):
    room: RoomId
    to: EntityId
    words: str


@dataclass(frozen=True, slots=True)
class Told(Fact):
    to: EntityId
    words: str


@dataclass(frozen=True, slots=True)
class Shouted(Fact):
    """Heard in all of the zone."""

    room: RoomId
    words: str


@dataclass(frozen=True, slots=True)
class Idled(Fact):
    """An NPC did what it does now and then."""

    room: RoomId
    words: str


# ── fights ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Attacked(Fact):
    target: EntityId
    room: RoomId


@dataclass(frozen=True, slots=True)
class Hit(Fact):
    target: EntityId
    room: RoomId
    damage: int
    weapon: str  # the proto's name, or empty


@dataclass(frozen=True, slots=True)
class Missed(Fact):
    target: EntityId
    room: RoomId


@dataclass(frozen=True, slots=True)
class Fled(Fact):
    room: RoomId
    direction: str


@dataclass(frozen=True, slots=True)
class Died(Fact):
    """``who`` fell; ``by`` struck the blow. An NPC's goods lie in the room; a character loses time only."""

    by: EntityId | None
    room: RoomId


@dataclass(frozen=True, slots=True)
class Returned(Fact):
    """An NPC is back in the world, or a character woke up after death."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class Healed(Fact):
    amount: int


@dataclass(frozen=True, slots=True)
class Grown(Fact):
    """Earned ``xp``; ``level`` is the new level if it rose, else 0."""

    xp: int
    level: int


# ── the world by itself ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class DayTurned(Fact):
    """``phase``: dawn, day, dusk, night; ``who`` is the empty id."""

    phase: str


@dataclass(frozen=True, slots=True)
class LightChanged(Fact):
    """Lit (or put out) a light of theirs."""

    proto: str
    lit: bool
    room: RoomId


@dataclass(frozen=True, slots=True)
class Reset(Fact):
    """A spawn put a thing back into a room; ``who`` is the empty id."""

    proto: str
    room: RoomId


@dataclass(frozen=True, slots=True)
class TaskDone(Fact):
    """A step of a quest is done; ``ended``: it was the last."""

    quest: str
    step: str
    ended: bool
