"""All that can happen, as frozen values.

A rule returns facts after its change is whole; :mod:`mythos.play.narrate` turns each into what is heard.
A fact carries names as they were at that moment where the thing may be gone when it is told.
"""

from __future__ import annotations

from mythos.ids import EntityId, RoomId
from mythos.values import value

__all__ = [
    "Arrived",
    "Attacked",
    "Bought",
    "Closed",
    "DayTurned",
    "Died",
    "DoorFact",
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
    "Trade",
    "Unlocked",
    "Whispered",
    "Wore",
]


@value
class Fact:
    """Something that happened; ``who`` did it or had it happen."""

    who: EntityId


# ── moving ──────────────────────────────────────────────────────────────────────────────────────


@value
class Left(Fact):
    room: RoomId
    direction: str


@value
class Arrived(Fact):
    """``origin`` is the direction they come from as the room sees it: ``south``, or empty."""

    room: RoomId
    origin: str


@value
class Summoned(Fact):
    """Left one place for another without walking: @goto, @summon, death, a first arrival (from None)."""

    left: RoomId | None
    room: RoomId
    cause: str  # "goto", "summon", "death", "enter"


@value
class Faded(Fact):
    """Went out of the world; ``cause``: quit, linkdead, kicked."""

    room: RoomId
    name: str
    cause: str


@value
class FollowStarted(Fact):
    leader: EntityId


@value
class FollowStopped(Fact):
    leader: EntityId


@value
class DoorFact(Fact):
    """Something done to a door, from the side of ``room``; ``other`` lies behind it."""

    room: RoomId
    direction: str
    other: RoomId


@value
class Opened(DoorFact):
    pass


@value
class Closed(DoorFact):
    pass


@value
class Locked(DoorFact):
    pass


@value
class Unlocked(DoorFact):
    pass


# ── seeing ──────────────────────────────────────────────────────────────────────────────────────


@value
class Looked(Fact):
    """Looked round the room; ``arriving``: because of a move, so that brief mode may shorten it; ``again``: has been
    shown it before, so that nothing but words is wanted."""

    room: RoomId
    arriving: bool = False
    again: bool = False


@value
class Examined(Fact):
    """Looked at one thing; ``target`` is an entity, or None with the builder's ``text``."""

    target: EntityId | None
    text: str


@value
class Found(Fact):
    """Searched; ``text`` is empty if there was nothing; ``direction`` a hidden exit now known."""

    room: RoomId
    text: str
    direction: str = ""


# ── things ──────────────────────────────────────────────────────────────────────────────────────


@value
class Got(Fact):
    """Took ``count`` of an item from the room (``source`` None) or out of a container."""

    item: EntityId
    proto: str
    count: int
    room: RoomId
    source: EntityId | None = None


@value
class GotGold(Fact):
    amount: int
    room: RoomId
    source: EntityId | None = None


@value
class Dropped(Fact):
    """Dropped an item, or ``count`` gold if ``proto`` is ``gold``."""

    proto: str
    count: int
    room: RoomId


@value
class Put(Fact):
    proto: str
    count: int
    into: EntityId
    room: RoomId


@value
class Gave(Fact):
    proto: str
    count: int
    to: EntityId
    room: RoomId


@value
class GaveGold(Fact):
    amount: int
    to: EntityId
    room: RoomId


@value
class Wore(Fact):
    """Put on or took in hand (``slot`` hand)."""

    proto: str
    slot: str
    room: RoomId


@value
class Removed(Fact):
    proto: str
    slot: str
    room: RoomId


@value
class Trade(Fact):
    """Coins for things; ``price`` is that of all of them, in gold."""

    proto: str
    count: int
    price: int
    keeper: EntityId
    room: RoomId


@value
class Bought(Trade):
    pass


@value
class Sold(Trade):
    pass


# ── words ───────────────────────────────────────────────────────────────────────────────────────


@value
class Said(Fact):
    room: RoomId
    words: str


@value
class NpcSaid(Fact):
    """An NPC speaks to ``to`` (None: to all in the room)."""

    room: RoomId
    words: str
    to: EntityId | None = None


@value
class Emoted(Fact):
    room: RoomId
    words: str


@value
class Whispered(Fact):
    room: RoomId
    to: EntityId
    words: str


@value
class Told(Fact):
    to: EntityId
    words: str


@value
class Shouted(Fact):
    """Heard in all of the zone."""

    room: RoomId
    words: str


@value
class Idled(Fact):
    """An NPC did what it does now and then."""

    room: RoomId
    words: str


# ── fights ──────────────────────────────────────────────────────────────────────────────────────


@value
class Attacked(Fact):
    target: EntityId
    room: RoomId


@value
class Hit(Fact):
    target: EntityId
    room: RoomId
    damage: int
    weapon: str  # the proto's name, or empty


@value
class Missed(Fact):
    target: EntityId
    room: RoomId


@value
class Fled(Fact):
    room: RoomId
    direction: str


@value
class Died(Fact):
    """``who`` fell; ``by`` struck the blow. An NPC's goods lie in the room; a character loses time only."""

    by: EntityId | None
    room: RoomId


@value
class Returned(Fact):
    """An NPC is back in the world, or a character woke up after death."""

    room: RoomId


@value
class Healed(Fact):
    amount: int


@value
class Grown(Fact):
    """Earned ``xp``; ``level`` is the new level if it rose, else 0."""

    xp: int
    level: int


# ── the world by itself ─────────────────────────────────────────────────────────────────────────


@value
class DayTurned(Fact):
    """``phase``: dawn, day, dusk, night; ``who`` is the empty id."""

    phase: str


@value
class LightChanged(Fact):
    """Lit (or put out) a light of theirs."""

    proto: str
    lit: bool
    room: RoomId


@value
class Reset(Fact):
    """A spawn put a thing back into a room; ``who`` is the empty id."""

    proto: str
    room: RoomId


@value
class TaskDone(Fact):
    """A step of a quest is done; ``ended``: it was the last."""

    quest: str
    step: str
    ended: bool
