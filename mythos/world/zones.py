"""What a world is made of, as its builders wrote it: frozen, shared, never saved.

The content loader makes these; what changes in play stands in :mod:`mythos.world.state`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mythos.ids import RoomId, ZoneId

__all__ = [
    "COMPASS",
    "DIRECTIONS",
    "OPPOSITE",
    "SLOTS",
    "Atlas",
    "Condition",
    "Door",
    "Effect",
    "Exit",
    "ItemProto",
    "NpcProto",
    "Quest",
    "Room",
    "Shop",
    "Spawn",
    "Topic",
    "Zone",
]

#: Every direction by its full name, in the order exits are listed.
DIRECTIONS = (
    "north",
    "northeast",
    "east",
    "southeast",
    "south",
    "southwest",
    "west",
    "northwest",
    "up",
    "down",
    "in",
    "out",
)
#: Direction -> columns eastward, rows northward.
COMPASS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "north": (0, 1),
        "northeast": (1, 1),
        "east": (1, 0),
        "southeast": (1, -1),
        "south": (0, -1),
        "southwest": (-1, -1),
        "west": (-1, 0),
        "northwest": (-1, 1),
    }
)
OPPOSITE: Mapping[str, str] = MappingProxyType(
    {
        "north": "south",
        "northeast": "southwest",
        "east": "west",
        "southeast": "northwest",
        "south": "north",
        "southwest": "northeast",
        "west": "east",
        "northwest": "southeast",
        "up": "down",
        "down": "up",
        "in": "out",
        "out": "in",
    }
)
#: Where things are worn, in the order ``equipment`` lists them; ``hand`` is what is wielded.
SLOTS = ("head", "neck", "body", "cloak", "arms", "hands", "waist", "legs", "feet", "hand", "light")


@dataclass(frozen=True, slots=True)
class Door:
    """A door in an exit; both sides of a passage share its state.

    :ivar key: prototype of the item that locks and unlocks it; None: it has no lock
    :ivar shuts_after: seconds until it returns to how the builder left it; 0: never
    """

    name: str
    key: str | None = None
    closed: bool = True
    locked: bool = False
    shuts_after: float = 300.0


@dataclass(frozen=True, slots=True)
class Exit:
    """A way out; ``direction`` is one of :data:`DIRECTIONS` or a word of the builder's (``gangway``)."""

    direction: str
    to: RoomId
    door: Door | None = None
    hidden: bool = False  # found by `search`


@dataclass(frozen=True, slots=True)
class Spawn:
    """What the builder put somewhere, kept there by the zone's tick.

    :ivar id: stable for the life of the world: an NPC's entity id is made from it
    :ivar proto: prototype of the NPC or item
    :ivar keep: how many there shall be (an NPC spawn has one)
    :ivar every: seconds until one that is gone is replaced; 0: never
    """

    id: str
    proto: str
    room: RoomId
    keep: int = 1
    every: float = 300.0


@dataclass(frozen=True, slots=True)
class Room:
    """A place.

    :ivar details: words a looker may use -> what they see; every noun of ``text`` has one
    :ivar night: instead of ``text`` when it is night; empty: no difference
    :ivar dark: needs a light at any hour; ``outdoors``: needs one at night unless ``lit``
    :ivar place: a number > 0, stable, for clients that map (GMCP ``Room.Info`` num)
    :ivar coords: (x, y, z) on the zone's grid, y growing northward
    :ivar found: what ``search`` tells, empty: nothing
    :ivar varying: its exits that do not look the same at all times and to everybody
    """

    id: RoomId
    zone: ZoneId
    title: str
    text: str
    exits: Mapping[str, Exit]
    details: Mapping[str, str]
    night: str = ""
    dark: bool = False
    outdoors: bool = False
    lit: bool = False
    safe: bool = False
    terrain: str = "town"
    place: int = 0
    coords: tuple[int, int, int] = (0, 0, 0)
    found: str = ""
    varying: tuple[Exit, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        varying = tuple(exit for exit in self.exits.values() if exit.door is not None or exit.hidden)
        object.__setattr__(self, "varying", varying)


@dataclass(frozen=True, slots=True)
class ItemProto:
    """A kind of thing; its id is also the asset of the ledger.

    :ivar name: with its article left off: ``brass lamp``; ``plural`` for stacks
    :ivar words: what a player may call it, lower case, the last word of the name among them
    :ivar price: gold; 0: no shop takes it
    :ivar slot: one of :data:`SLOTS` or empty
    :ivar capacity: how many items it holds; 0: not a container
    :ivar read: what is written on it
    """

    id: str
    name: str
    words: tuple[str, ...]
    text: str
    lies: str = ""  # how it looks lying in a room: "A brass lamp stands here."; empty: made from the name
    plural: str = ""
    article: str = "a"
    price: int = 0
    takeable: bool = True
    stackable: bool = False
    slot: str = ""
    damage: tuple[int, int] = (0, 0)
    armour: int = 0
    capacity: int = 0
    light: bool = False
    read: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """One clause of a ``when``.

    :ivar what: ``flag``, ``has`` (an item prototype), ``gold`` (at least ``amount``), ``night``, ``day``
    """

    what: str
    name: str = ""
    amount: int = 0
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """One step of a ``do``.

    :ivar what: ``set-flag``, ``clear-flag``, ``give-item``, ``take-item``, ``give-gold``, ``take-gold``,
        ``heal``, ``teleport``, ``task`` (marks the step ``name`` of a quest)
    """

    what: str
    name: str = ""
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Topic:
    """What an NPC says to a word; the first topic whose words and conditions fit is used.

    :ivar words: empty: the greeting, for ``talk`` without a word and for a first visit
    """

    words: tuple[str, ...]
    say: str
    when: tuple[Condition, ...] = ()
    do: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop its keeper runs.

    :ivar sells: prototypes on the list, without end
    :ivar buys: prototypes or ``*`` for anything with a price
    :ivar pays: percentage of the price the keeper pays; below ``asks``, or money could be pumped
    """

    sells: tuple[str, ...]
    buys: tuple[str, ...] = ()
    asks: int = 100
    pays: int = 50


@dataclass(frozen=True, slots=True)
class NpcProto:
    """A kind of person or beast.

    :ivar name: as heard in a sentence: ``Marta``, ``a harbour rat``
    :ivar gold: its purse, minted once when it first stands in the world and again when it comes back from death
    :ivar carries: prototypes it holds likewise
    :ivar wanders: chance in 1000 of a step in each tick; stays in its zone
    :ivar fights: may be attacked
    :ivar idles: what it does now and then
    """

    id: str
    name: str
    words: tuple[str, ...]
    text: str
    stands: str = ""  # "Marta is mending a net."
    topics: tuple[Topic, ...] = ()
    shop: Shop | None = None
    hp: int = 20
    damage: tuple[int, int] = (1, 3)
    gold: int = 0
    carries: tuple[str, ...] = ()
    wanders: int = 0
    fights: bool = False
    aggressive: bool = False
    xp: int = 0
    idles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quest:
    """A small task: its steps are names marked by effects, in order; the last one ends it."""

    id: str
    title: str
    steps: tuple[tuple[str, str], ...]  # (name, what the journal says while it is the next one)
    done: str = ""


@dataclass(frozen=True, slots=True)
class Zone:
    """A part of the world that ticks and is saved by itself.

    :ivar recall: where people of a room that is gone are put
    """

    id: ZoneId
    title: str
    recall: RoomId
    spawns: tuple[Spawn, ...] = ()


@dataclass(frozen=True, slots=True)
class Atlas:
    """All that builders wrote.

    :ivar start: the shared first room
    :ivar home: where the dead and the lost wake up
    """

    title: str
    start: RoomId
    home: RoomId
    zones: Mapping[ZoneId, Zone]
    rooms: Mapping[RoomId, Room]
    items: Mapping[str, ItemProto]
    npcs: Mapping[str, NpcProto]
    quests: Mapping[str, Quest] = field(default_factory=dict)
    help: Mapping[str, str] = field(default_factory=dict)
    greeting: str = ""
