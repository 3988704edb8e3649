"""The world as it is now: who and what is where, and what a turn has touched.

Plain objects, changed only by synchronous rules. Everything that must outlive the process goes through
the few methods here that move things, so that each change marks what it touched and each conserved
thing that moves leaves a :class:`Posting`. There is no other way to move an item or a coin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mythos.errors import Fault, Refusal
from mythos.ids import AccountId, EntityId, PlaceId, RoomId
from mythos.values import value
from mythos.world.zones import Atlas, Exit, ItemProto, NpcProto, Room

__all__ = [
    "BURN",
    "GOLD",
    "MINT",
    "MOST",
    "Body",
    "Change",
    "Character",
    "Dice",
    "DoorState",
    "Entity",
    "Item",
    "Npc",
    "Posting",
    "SpawnState",
    "World",
]

#: The asset every purse counts.
GOLD = "gold"
#: Holders of the ledger that are no place: where things come from and where they end.
MINT = EntityId("mint")
BURN = EntityId("burn")
#: Largest amount of one posting: exact in every JSON reader.
MOST = 2**53


class Dice(Protocol):
    """Chance, as an argument: the same seed gives the same world."""

    def below(self, sides: int) -> int:
        """A number from 0 up to, without, ``sides``."""


@value
class Posting:
    """``amount`` of ``asset`` went from one holder to another: two lines of the ledger."""

    asset: str
    source: PlaceId
    target: PlaceId
    amount: int


@dataclass(slots=True, eq=False)
class Item:
    """A thing, or a stack of equal things.

    :ivar place: who or what holds it, always the same as in ``World.contents``
    :ivar worn: the slot it is worn in by its holder, or empty
    """

    id: EntityId
    proto: ItemProto
    place: PlaceId
    stack: int = 1
    worn: str = ""
    lit: bool = False


@dataclass(slots=True, eq=False)
class Body:
    """Whoever stands in a room. ``fighting``: whom it strikes at, each round."""

    id: EntityId
    name: str
    room: RoomId
    hp: int = 20
    max_hp: int = 20
    gold: int = 0
    fighting: EntityId | None = None
    following: EntityId | None = None


@dataclass(slots=True, eq=False)
class Npc(Body):
    """:ivar returns: the world's second at which it comes back from death; 0: it lives"""

    proto: NpcProto = field(kw_only=True)
    returns: float = 0.0
    met: set[EntityId] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Character(Body):
    """A player's character.

    :ivar account: None while a guest
    :ivar present: has a session; others are asleep in the store and stand nowhere
    :ivar flags: what dialogue remembers; ``quest:step`` for tasks
    :ivar settings: what the player chose, by name (``brief``, ``colour``, ``prompt``, ``screenreader``, ``width``…)
    :ivar seen: hidden exits found, as ``room direction``
    """

    account: AccountId | None = None
    keeper: bool = False
    xp: int = 0
    level: int = 1
    title: str = ""
    present: bool = False
    flags: dict[str, int] | None = None
    settings: dict[str, str] | None = None
    aliases: dict[str, str] | None = None
    seen: set[str] | None = None


@dataclass(slots=True, eq=False)
class DoorState:
    """A door between two rooms; ``id`` is the same from both sides."""

    id: EntityId
    closed: bool
    locked: bool
    resets: float = 0.0  # the world's second at which it returns to how the builder left it; 0: it is so now


@dataclass(slots=True, eq=False)
class SpawnState:
    """What a spawn has put into the world; ``next``: the second of the next look at it."""

    id: EntityId
    made: int = 0
    next: float = 0.0


Entity = Item | Npc | Character | DoorState | SpawnState


@value
class Change:
    """What one turn did to the world.

    :ivar touched: entities whose rows changed, each once
    :ivar gone: ids of entities that are no more
    """

    touched: tuple[Entity, ...]
    gone: tuple[EntityId, ...]
    postings: tuple[Posting, ...]


NO_CHANGE = Change((), (), ())


class World:
    """Everything there is.

    :ivar now: the world's own second, moved on by the tick; saved, so that a restart goes on where it stopped
    """

    def __init__(self, atlas: Atlas, dice: Dice, *, now: float = 0.0, next_id: int = 1) -> None:
        self.atlas = atlas
        self.dice = dice
        self.now = now
        self.next_id = next_id
        self.items: dict[EntityId, Item] = {}
        self.npcs: dict[EntityId, Npc] = {}
        self.characters: dict[EntityId, Character] = {}
        self.doors: dict[tuple[RoomId, str], DoorState] = {}
        self.spawns: dict[EntityId, SpawnState] = {}
        #: gold lying in rooms and containers; a body's purse is ``Body.gold``
        self.hoards: dict[PlaceId, int] = {}
        #: what lies in a place, in the order it came; no entry: nothing
        self.contents: dict[PlaceId, dict[EntityId, Item]] = {}
        #: who stands in a room, in the order they came; only the present and the living
        self.people: dict[RoomId, dict[EntityId, Body]] = {}
        #: those of them who live there: a crowd of players need not be gone through for them
        self.folk: dict[RoomId, dict[EntityId, Npc]] = {}
        #: how often somebody came into or went out of a room: who keeps a list of a crowd sees that it is stale
        self.stirred: dict[RoomId, int] = {}
        #: how often anything changed: who draws it sees that it may look otherwise
        self.changes = 0
        #: why nothing conserved may move just now, as a sentence for players; empty: it may
        self.sealed = ""
        self._touched: dict[EntityId, Entity] = {}
        self._gone: list[EntityId] = []
        self._postings: list[Posting] = []

    # ── reading ─────────────────────────────────────────────────────────────────────────────────

    def room(self, room: RoomId) -> Room:
        return self.atlas.rooms[room]

    def body(self, who: EntityId) -> Body:
        """:raises KeyError: nobody of that id is known."""
        found = self.characters.get(who) or self.npcs.get(who)
        if found is None:
            raise KeyError(who)
        return found

    def held(self, place: PlaceId) -> Iterator[Item]:
        """The items of a place, in the order they came; safe while they are moved."""
        return iter(tuple(self.contents.get(place, {}).values()))

    def gold_at(self, place: PlaceId) -> int:
        body = self.characters.get(place) or self.npcs.get(place)  # type: ignore[arg-type]
        return body.gold if body is not None else self.hoards.get(place, 0)

    def door(self, room: RoomId, exit: Exit) -> DoorState | None:
        """The state of the door in an exit; None if it has none."""
        return self.doors.get((room, exit.direction))

    # ── the turn's record ───────────────────────────────────────────────────────────────────────

    def touch(self, entity: Entity) -> None:
        self._touched[entity.id] = entity

    def take_change(self) -> Change:
        """What happened since the last call; the turn calls it once, at its end."""
        if not self._touched and not self._gone and not self._postings:
            return NO_CHANGE
        self.changes += 1
        change = Change(tuple(self._touched.values()), tuple(self._gone), tuple(self._postings))
        self._touched, self._gone, self._postings = {}, [], []
        return change

    def new_id(self, kind: str) -> EntityId:
        """``kind`` is one letter: c(haracter) or i(tem)."""
        number = self.next_id
        self.next_id = number + 1
        return EntityId(f"{kind}{number}")

    def _post(self, asset: str, source: PlaceId, target: PlaceId, amount: int) -> None:
        """The one place where postings are made.

        :raises Fault: for a transfer to oneself and for an amount that is not 1 to :data:`MOST`
        :raises Refusal: the world is sealed; rules move what is conserved before they change anything else
        """
        if self.sealed:
            raise Refusal(self.sealed)
        if source == target or not 0 < amount <= MOST:
            raise Fault(f"bad posting: {amount} {asset} from {source} to {target}")
        self._postings.append(Posting(asset, source, target, amount))

    # ── bodies ──────────────────────────────────────────────────────────────────────────────────

    def place_body(self, body: Body, room: RoomId) -> None:
        """Put a body that is present into a room, out of where it stood."""
        self.lift_body(body)
        body.room = room
        self.stand(body)
        self.touch(body)  # type: ignore[arg-type]

    def stand(self, body: Body) -> None:
        """A body that stands nowhere stands in its room from now on."""
        room = body.room
        self.people.setdefault(room, {})[body.id] = body
        if isinstance(body, Npc):
            self.folk.setdefault(room, {})[body.id] = body
        self.stir(room)

    def stir(self, room: RoomId) -> None:
        """The people in a room are not who, or not called as, they were."""
        self.stirred[room] = self.stirred.get(room, 0) + 1
        self.changes += 1

    def lift_body(self, body: Body) -> None:
        """Take a body out of its room: it stands nowhere; ``body.room`` remembers where it was."""
        crowd = self.people.get(body.room)
        if crowd is not None and crowd.pop(body.id, None) is not None:
            self.stir(body.room)
            if not crowd:
                del self.people[body.room]
            if isinstance(body, Npc):
                del self.folk[body.room][body.id]

    def forget(self, character: Character, *, keep_row: bool = False) -> None:
        """A character that stands nowhere leaves memory, with what it holds.

        :param keep_row: it sleeps in the store; else it is gone for good, and must hold nothing
        :raises Fault: it would take things with it that the ledger counts
        """
        self.lift_body(character)
        if not keep_row:
            if character.gold or self.contents.get(character.id):
                raise Fault(f"{character.id} still holds something")
            self._touched.pop(character.id, None)
            self._gone.append(character.id)
        self._drop_shelf(character.id)
        self.characters.pop(character.id, None)

    def _drop_shelf(self, place: PlaceId) -> None:
        for item in self.contents.pop(place, {}).values():
            self._drop_shelf(item.id)
            self.hoards.pop(item.id, None)
            del self.items[item.id]

    # ── items and coins ─────────────────────────────────────────────────────────────────────────

    def adopt(self, entities: Iterable[Entity], hoards: Mapping[PlaceId, int]) -> None:
        """Put what a store held into the world; its doors are hung already. Characters stand nowhere yet."""
        self.hoards.update(hoards)
        for entity in entities:
            if isinstance(entity, Item):
                self.adopt_item(entity)
            elif isinstance(entity, Npc):
                self.npcs[entity.id] = entity
                if not entity.returns:
                    self.stand(entity)
            elif isinstance(entity, Character):
                self.characters[entity.id] = entity
            elif isinstance(entity, SpawnState):
                self.spawns[entity.id] = entity
            else:
                self.doors = {side: entity if state.id == entity.id else state for side, state in self.doors.items()}

    def adopt_item(self, item: Item) -> None:
        """Put an item that the store or a rule made into the world, without a posting."""
        self.items[item.id] = item
        self.contents.setdefault(item.place, {})[item.id] = item

    def mint_item(self, proto: ItemProto, place: PlaceId, count: int = 1) -> Item:
        """Make ``count`` of a thing. What does not stack is made one at a time.

        :raises Fault: several at once of what does not stack
        """
        if count != 1 and not proto.stackable:
            raise Fault(f"{proto.id} does not stack")
        self._post(proto.id, MINT, place, count)
        return self._add(proto, place, count)

    def burn_item(self, item: Item, count: int | None = None) -> None:
        """Destroy a thing, or ``count`` of its stack; what it contains must be gone before."""
        count = item.stack if count is None else count
        if not 0 < count <= item.stack:
            raise Fault(f"{count} of {item.stack} {item.proto.id}")
        if self.contents.get(item.id) or self.hoards.get(item.id):
            raise Fault(f"{item.id} is not empty")
        self._post(item.proto.id, item.place, BURN, count)
        self._subtract(item, count)

    def move_item(self, item: Item, place: PlaceId, count: int | None = None) -> Item:
        """Move a thing, or ``count`` of its stack; returns the item that is now there (stacks merge)."""
        count = item.stack if count is None else count
        if not 0 < count <= item.stack:
            raise Fault(f"{count} of {item.stack} {item.proto.id}")
        self._post(item.proto.id, item.place, place, count)
        if not item.proto.stackable:
            self._unplace(item)
            item.place, item.worn = place, ""
            self.contents.setdefault(place, {})[item.id] = item
            self.touch(item)
            return item
        proto = item.proto
        self._subtract(item, count)
        return self._add(proto, place, count)

    def move_gold(self, source: PlaceId, target: PlaceId, amount: int) -> None:
        """Move coins between purses, hoards, :data:`MINT` and :data:`BURN`.

        :raises Fault: the source has less, or the posting is bad
        """
        if source != MINT and self.gold_at(source) < amount:
            raise Fault(f"{source} has no {amount} gold")
        self._post(GOLD, source, target, amount)
        if source != MINT:
            self._purse(source, -amount)
        if target != BURN:
            self._purse(target, amount)

    def _purse(self, place: PlaceId, delta: int) -> None:
        body: Character | Npc | None = self.characters.get(place) or self.npcs.get(place)  # type: ignore[arg-type]
        if body is not None:
            body.gold += delta
            self.touch(body)
            return
        left = self.hoards.get(place, 0) + delta
        if left:
            self.hoards[place] = left
        else:
            self.hoards.pop(place, None)

    def _add(self, proto: ItemProto, place: PlaceId, count: int) -> Item:
        if proto.stackable:
            for item in self.contents.get(place, {}).values():
                if item.proto.id == proto.id:
                    item.stack += count
                    self.touch(item)
                    return item
        item = Item(self.new_id("i"), proto, place, count)
        self.adopt_item(item)
        self.touch(item)
        return item

    def _subtract(self, item: Item, count: int) -> None:
        if count < item.stack:
            item.stack -= count
            self.touch(item)
            return
        self._unplace(item)
        del self.items[item.id]
        self._touched.pop(item.id, None)
        self._gone.append(item.id)

    def _unplace(self, item: Item) -> None:
        shelf = self.contents[item.place]
        del shelf[item.id]
        if not shelf:
            del self.contents[item.place]
