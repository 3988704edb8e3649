"""Fights between characters and NPCs. Players do not fight each other.

A fight lives at its NPC: as long as anyone fights it, it fights somebody (:func:`round` holds that), so that a tick
finds every fight by looking at the NPCs of its zone.
"""

from __future__ import annotations

from mythos.errors import Refusal
from mythos.ids import EntityId, RoomId
from mythos.world.facts import (
    Arrived,
    Attacked,
    Died,
    Dropped,
    Fact,
    Fled,
    Grown,
    Healed,
    Hit,
    Looked,
    Missed,
    Returned,
    Summoned,
)
from mythos.world.state import GOLD, Body, Character, Npc, World
from mythos.world.zones import OPPOSITE, Exit

__all__ = [
    "NEVER",
    "TOP_LEVEL",
    "attack",
    "disengage",
    "flee",
    "heal",
    "round",
    "threshold",
    "transfer",
    "turn_on",
    "ways_out",
]

#: When a dead NPC returns that shall not.
NEVER = 2.0**53
TOP_LEVEL = 50
#: Health a level adds.
_HP_OF_LEVEL = 5
_BARE_HANDS = (1, 2)
#: Out of 100: to hit, and to get away.
_HIT, _LEAST, _MOST = 70, 20, 95
_FLEE = 70


def threshold(level: int) -> int:
    """Experience at which a level is reached: 0, 100, 300, 600…"""
    return 50 * level * (level - 1)


# ── beginning and leaving ───────────────────────────────────────────────────────────────────────


def attack(world: World, who: EntityId, target: EntityId) -> list[Fact]:
    """Start a fight, or turn on another foe. The first blows fall in the next tick.

    :raises Refusal: not here, not in this place, not this one
    """
    me, foe = world.body(who), world.body(target)
    name = foe.name
    if me is foe:
        raise Refusal("You cannot fight yourself.")
    if foe.room != me.room or foe.id not in world.people.get(me.room, ()):
        raise Refusal(f"{_start(name)} is not here.")
    if isinstance(foe, Character):
        raise Refusal(f"You cannot attack {name}: players do not fight each other here.")
    if world.room(me.room).safe:
        raise Refusal("This is a safe place. Nobody fights here.")
    if isinstance(foe, Npc) and not foe.proto.fights:
        raise Refusal(f"{_start(name)} will not fight you.")
    if me.fighting == foe.id and foe.fighting is not None:
        raise Refusal(f"You are fighting {name} already.")
    me.fighting = foe.id
    if foe.fighting is None:
        foe.fighting = me.id
    return [Attacked(me.id, foe.id, me.room)]


def turn_on(world: World, npc: Npc, victim: Character) -> list[Fact]:
    """An NPC attacks; its victim fights back unless it fights already."""
    npc.fighting = victim.id
    if victim.fighting is None:
        victim.fighting = npc.id
    return [Attacked(npc.id, victim.id, npc.room)]


def disengage(world: World, who: EntityId) -> None:
    """Out of its fights: it leaves the room. Whoever fought it turns to others in the next round."""
    me = world.body(who)
    me.fighting = None
    for body in world.people.get(me.room, {}).values():
        if body.fighting == who:
            body.fighting = None
            _find_foe(world, body)


def transfer(world: World, who: EntityId, room: RoomId, cause: str) -> list[Fact]:
    """Out of its fights and into another room without walking; ``cause`` as in :class:`Summoned`."""
    me = world.body(who)
    left = me.room
    disengage(world, who)
    me.following = None
    world.place_body(me, room)
    return [Summoned(who, left, room, cause), Looked(who, room, True)]


def _find_foe(world: World, body: Body) -> None:
    """Somebody in the room who fights this NPC, if there is one."""
    if isinstance(body, Npc):
        for other in world.people.get(body.room, {}).values():
            if other.fighting == body.id:
                body.fighting = other.id
                return


def ways_out(world: World, body: Body) -> list[Exit]:
    """Exits a body could take in a hurry: seen, and not shut."""
    known = body.seen or () if isinstance(body, Character) else ()
    ways = []
    for way in world.room(body.room).exits.values():
        door = world.door(body.room, way)
        shut = door.closed if door is not None else way.door is not None and way.door.closed
        if not shut and (not way.hidden or f"{body.room} {way.direction}" in known):
            ways.append(way)
    return ways


def flee(world: World, who: EntityId) -> list[Fact]:
    """Try to get out by an exit that chance picks; who fails takes a blow. No ``Fled`` in the facts: it failed.

    :raises Refusal: not fighting, or no way out
    """
    me = world.body(who)
    foe = world.npcs.get(me.fighting) if me.fighting is not None else None
    if foe is None or foe.room != me.room:
        me.fighting = None
        raise Refusal("You are not fighting.")
    ways = ways_out(world, me)
    if not ways:
        raise Refusal("There is no way out!")
    if world.dice.below(100) >= _FLEE:
        return _strike(world, foe, me)
    way = ways[world.dice.below(len(ways))]
    left = me.room
    disengage(world, who)
    world.place_body(me, way.to)
    return [
        Fled(who, left, way.direction),
        Arrived(who, way.to, OPPOSITE.get(way.direction, "")),
        Looked(who, way.to, True),
    ]


# ── the round ───────────────────────────────────────────────────────────────────────────────────


def round(world: World, npc: Npc) -> list[Fact]:
    """One tick of the fight at an NPC: everybody in it strikes once, the NPC last."""
    facts: list[Fact] = []
    crowd = world.people.get(npc.room, {})
    for foe in [body for body in crowd.values() if body.fighting == npc.id]:
        facts += _strike(world, foe, npc)
        if npc.hp <= 0:
            return facts
    if npc.fighting not in crowd:
        _part(world, npc)
        _find_foe(world, npc)
    if npc.fighting is not None:
        target = world.body(npc.fighting)
        if target.fighting is None:
            target.fighting = npc.id
        facts += _strike(world, npc, target)
    return facts


def _part(world: World, npc: Npc) -> None:
    """Whom the NPC fought is not here any more: neither fights the other."""
    gone = world.characters.get(npc.fighting) if npc.fighting is not None else None
    if gone is not None and gone.fighting == npc.id:
        gone.fighting = None
    npc.fighting = None


def _strike(world: World, striker: Body, target: Body) -> list[Fact]:
    chance = _HIT - 2 * _armour(world, target)
    if isinstance(striker, Character):
        chance += 2 * striker.level
    if world.dice.below(100) >= min(_MOST, max(_LEAST, chance)):
        return [Missed(striker.id, target.id, striker.room)]
    weapon, (least, most) = _weapon(world, striker)
    damage = least + world.dice.below(most - least + 1)
    target.hp -= damage
    world.touch(target)  # type: ignore[arg-type]
    facts: list[Fact] = [Hit(striker.id, target.id, striker.room, damage, weapon)]
    if target.hp > 0:
        return facts
    if isinstance(target, Npc):
        return facts + _npc_dies(world, target, striker)
    assert isinstance(target, Character)
    return facts + _character_dies(world, target, striker)


def _weapon(world: World, body: Body) -> tuple[str, tuple[int, int]]:
    if isinstance(body, Npc):
        return "", body.proto.damage
    for item in world.contents.get(body.id, {}).values():
        if item.worn == "hand" and item.proto.damage[1] > 0:
            return item.proto.name, item.proto.damage
    return "", _BARE_HANDS


def _armour(world: World, body: Body) -> int:
    return sum(item.proto.armour for item in world.contents.get(body.id, {}).values() if item.worn)


# ── death and growth ────────────────────────────────────────────────────────────────────────────


def _npc_dies(world: World, npc: Npc, by: Body) -> list[Fact]:
    """What it held lies in the room; those who fought it share what it was worth."""
    room = npc.room
    facts: list[Fact] = [Died(npc.id, by.id, room)]
    for item in world.held(npc.id):
        facts.append(Dropped(npc.id, item.proto.id, item.stack, room))
        world.move_item(item, room)
    if npc.gold:
        facts.append(Dropped(npc.id, GOLD, npc.gold, room))
        world.move_gold(npc.id, room, npc.gold)
    victors = [body for body in world.people[room].values() if body.fighting == npc.id and isinstance(body, Character)]
    for body in victors:
        body.fighting = None
    world.lift_body(npc)
    npc.hp, npc.fighting, npc.following = 0, None, None
    npc.returns = _return_of(world, npc)
    world.touch(npc)
    if npc.proto.xp:
        share = max(1, npc.proto.xp // len(victors))
        facts += [_grow(world, victor, share) for victor in victors]
    return facts


def _return_of(world: World, npc: Npc) -> float:
    """The second at which a dead NPC comes back."""
    zone = world.atlas.zones[world.room(npc.room).zone]
    every = next((spawn.every for spawn in zone.spawns if f"n:{spawn.id}" == npc.id), 0.0)
    return world.now + every if every else NEVER


def _character_dies(world: World, me: Character, by: Body) -> list[Fact]:
    """They wake up at home with half their health, and all they had."""
    room, home = me.room, world.atlas.home
    me.hp = max(1, me.max_hp // 2)
    moved, looked = transfer(world, me.id, home, "death")
    return [Died(me.id, by.id, room), moved, Returned(me.id, home), looked]


def _grow(world: World, me: Character, xp: int) -> Fact:
    me.xp += xp
    risen = me.level
    while risen < TOP_LEVEL and me.xp >= threshold(risen + 1):
        risen += 1
    gained = risen - me.level
    me.level = risen
    me.max_hp += gained * _HP_OF_LEVEL
    me.hp += gained * _HP_OF_LEVEL
    world.touch(me)
    return Grown(me.id, xp, risen if gained else 0)


def heal(world: World, body: Character | Npc) -> list[Fact]:
    """What time mends of somebody who does not fight: one, and a tenth of their health."""
    if body.hp >= body.max_hp or _fights(world, body):
        return []
    amount = min(1 + body.max_hp // 10, body.max_hp - body.hp)
    body.hp += amount
    world.touch(body)
    return [Healed(body.id, amount)]


def _fights(world: World, body: Character | Npc) -> bool:
    """Whether it is in a fight still; a character that left one by other ways than :func:`flee` learns it here."""
    if isinstance(body, Character) and body.fighting is not None:
        foe = world.npcs.get(body.fighting)
        if foe is None or foe.room != body.room or foe.fighting is None:
            body.fighting = None
    return body.fighting is not None


def _start(name: str) -> str:
    """A name as a sentence begins with it."""
    return name[:1].upper() + name[1:]
