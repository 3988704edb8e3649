"""A small town for tests of people: a square, a yard with a rat, a den with a wolf, and another zone far off."""

from __future__ import annotations

import random

from mythos.ids import EntityId, RoomId, ZoneId
from mythos.world.npcs import populate
from mythos.world.state import Character, World
from mythos.world.zones import (
    Atlas,
    Condition,
    Door,
    Effect,
    Exit,
    ItemProto,
    NpcProto,
    Quest,
    Room,
    Shop,
    Spawn,
    Topic,
    Zone,
)

TOWN, FAR = ZoneId("t"), ZoneId("f")
SQUARE, YARD, DEN, INN, MOOR = (RoomId(name) for name in ("t:square", "t:yard", "t:den", "t:inn", "f:moor"))
MARTA, RAT, WOLF, CAT = (EntityId(name) for name in ("n:t:marta", "n:t:rat", "n:t:wolf", "n:t:cat"))


class Loaded:
    """Dice that fall as told, then always as the last time. Counts its throws."""

    def __init__(self, *rolls: int) -> None:
        self.rolls = list(rolls)
        self.thrown = 0

    def below(self, sides: int) -> int:
        self.thrown += 1
        roll = self.rolls.pop(0) if len(self.rolls) > 1 else self.rolls[0]
        return min(roll, sides - 1)


class Seeded:
    """The same seed throws the same."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, sides: int) -> int:
        return self._random.randrange(sides)


def _room(id: RoomId, *exits: Exit, zone: ZoneId = TOWN, safe: bool = False, outdoors: bool = False) -> Room:
    title = id.partition(":")[2].capitalize()
    return Room(
        id,
        zone,
        title,
        f"The {title.lower()}.",
        {way.direction: way for way in exits},
        {},
        safe=safe,
        outdoors=outdoors,
    )


_GATE = Door("iron gate", closed=True)

ITEMS = (
    ItemProto("knife", "knife", ("knife",), "Sharp.", slot="hand", damage=(3, 3), price=10),
    ItemProto("vest", "leather vest", ("vest",), "Thick.", slot="body", armour=10, price=20),
    ItemProto("tail", "rat tail", ("tail",), "Thin.", stackable=True, plural="rat tails", price=2),
    ItemProto("flask", "flask", ("flask",), "Of glass.", price=4),
    ItemProto("bag", "bag", ("bag",), "Of cloth.", capacity=5, price=4),
)

NPCS = (
    NpcProto(
        "marta",
        "Marta",
        ("marta",),
        "She mends a net.",
        idles=("Marta hums.",),
        gold=100,
        shop=Shop(sells=("flask",), buys=("*",)),
        topics=(
            Topic(("moon",), "A fine moon.", when=(Condition("night"),)),
            Topic(("moon",), "Ask me at night."),
            Topic(
                ("tails", "tail"),
                "Three tails! Here is your gold.",
                when=(Condition("has", "tail", 3),),
                do=(
                    Effect("take-item", "tail", 3),
                    Effect("give-gold", amount=15),
                    Effect("task", "rats:tails"),
                ),
            ),
            Topic(("tails",), "Bring me three tails.", do=(Effect("task", "rats:asked"),)),
            Topic(("secret",), "You know it already.", when=(Condition("flag", "secret"),)),
            Topic(("secret",), "Tell nobody.", do=(Effect("set-flag", "secret"),)),
            Topic(("forget",), "Gone.", do=(Effect("clear-flag", "secret"),)),
            Topic(
                ("flask",),
                "Have a flask.",
                when=(Condition("has", "flask", negated=True),),
                do=(Effect("give-item", "flask"),),
            ),
            Topic(("trade",), "Done.", do=(Effect("take-gold", amount=10), Effect("give-item", "tail", 2))),
            Topic(("cure",), "There.", do=(Effect("heal", amount=5),)),
            Topic(("away",), "Off you go.", do=(Effect("teleport", "f:moor"),)),
            Topic((), "Welcome to town."),
        ),
    ),
    NpcProto(
        "rat",
        "a brown rat",
        ("rat",),
        "Brown.",
        hp=6,
        damage=(2, 2),
        gold=5,
        carries=("tail", "flask"),
        fights=True,
        xp=60,
    ),
    NpcProto("wolf", "a grey wolf", ("wolf",), "Grey.", hp=30, damage=(4, 4), fights=True, aggressive=True, xp=200),
    NpcProto("cat", "a cat", ("cat",), "A cat.", wanders=500),
    NpcProto("crow", "a crow", ("crow",), "A crow.", wanders=500),
)

ATLAS = Atlas(
    title="Town",
    start=SQUARE,
    home=INN,
    zones={
        TOWN: Zone(
            TOWN,
            "Town",
            SQUARE,
            (
                Spawn("t:marta", "marta", SQUARE),
                Spawn("t:rat", "rat", YARD, every=60.0),
                Spawn("t:wolf", "wolf", DEN, every=0.0),
                Spawn("t:cat", "cat", YARD),
                Spawn("t:flasks", "flask", YARD, keep=2, every=30.0),
                Spawn("t:tails", "tail", DEN, keep=5, every=30.0),
                Spawn("t:relic", "knife", DEN, every=0.0),
            ),
        ),
        FAR: Zone(FAR, "Far", MOOR, (Spawn("f:crow", "crow", MOOR),)),
    },
    rooms={
        SQUARE: _room(SQUARE, Exit("north", YARD), Exit("east", INN), safe=True, outdoors=True),
        YARD: _room(YARD, Exit("south", SQUARE), Exit("north", DEN, _GATE), outdoors=True),
        DEN: _room(DEN, Exit("south", YARD, _GATE)),
        INN: _room(INN, Exit("west", SQUARE), safe=True),
        MOOR: _room(MOOR, Exit("west", SQUARE), zone=FAR),
    },
    items={proto.id: proto for proto in ITEMS},
    npcs={proto.id: proto for proto in NPCS},
    quests={
        "rats": Quest(
            "rats",
            "Rats",
            (("asked", "Ask Marta about tails."), ("tails", "Bring Marta three tails.")),
            "Marta has her tails.",
        )
    },
)


def town(dice: Loaded | Seeded | None = None) -> World:
    """The town at noon, everybody in place."""
    world = World(ATLAS, dice or Loaded(0), now=240.0)
    populate(world)
    return world


def person(world: World, name: str, room: RoomId) -> Character:
    """A character that stands in a room."""
    me = Character(world.new_id("c"), name, room, present=True)
    world.characters[me.id] = me
    world.place_body(me, room)
    return me


def wealth(world: World) -> dict[str, int]:
    """How much there is of everything, counted where it is."""
    total = {"gold": sum(world.hoards.values())}
    for body in (*world.npcs.values(), *world.characters.values()):
        total["gold"] += body.gold
    for item in world.items.values():
        total[item.proto.id] = total.get(item.proto.id, 0) + item.stack
    return total


def minted(world: World) -> dict[str, int]:
    """What the postings since the last call made, less what they destroyed."""
    made: dict[str, int] = {}
    for posting in world.take_change().postings:
        change = posting.amount * ((posting.source == "mint") - (posting.target == "burn"))
        if change:
            made[posting.asset] = made.get(posting.asset, 0) + change
    return made
