"""What NPCs do by themselves, what they say when asked, and how they come into the world."""

from __future__ import annotations

from mythos.errors import Refusal
from mythos.ids import EntityId
from mythos.world import combat, quests
from mythos.world.facts import Arrived, Fact, Idled, Left, NpcSaid, Reset, Returned
from mythos.world.state import MINT, Body, Character, Npc, SpawnState, World
from mythos.world.zones import OPPOSITE, ItemProto, NpcProto, Spawn, Topic

__all__ = ["act", "npc_id", "populate", "replace", "revive", "spawn_id", "talk"]

#: One in so many ticks with somebody there to see it: an idle; an attack of the aggressive.
_IDLES, _PATIENCE = 45, 3
#: Larger crowds are not greeted one by one.
_GREETS = 8
#: Acquaintances an NPC remembers before it forgets them all.
_MEMORY = 256


def npc_id(spawn: Spawn) -> EntityId:
    return EntityId(f"n:{spawn.id}")


def spawn_id(spawn: Spawn) -> EntityId:
    return EntityId(f"s:{spawn.id}")


# ── coming into the world ───────────────────────────────────────────────────────────────────────


def populate(world: World) -> None:
    """Bring in what the builders' spawns ask for and the store did not have; stand the living in their rooms.

    Called after the store was read, and again after new content was loaded. What an NPC holds and what a spawn puts
    down is minted with its row, in one turn: whoever has a row had theirs.
    """
    wanted: set[EntityId] = set()
    for zone in world.atlas.zones.values():
        for spawn in zone.spawns:
            person = world.atlas.npcs.get(spawn.proto)
            if person is not None:
                wanted.add(npc_id(spawn))
                _stand(world, spawn, person)
            elif spawn_id(spawn) not in world.spawns:
                _lay(world, spawn, world.atlas.items[spawn.proto])
    for npc in world.npcs.values():
        if npc.id not in wanted:  # its spawn is gone: it keeps what it holds, and stands nowhere
            combat.disengage(world, npc.id)
            world.lift_body(npc)


def _stand(world: World, spawn: Spawn, proto: NpcProto) -> None:
    id = npc_id(spawn)
    npc = world.npcs.get(id)
    if npc is None:
        npc = Npc(id, proto.name, spawn.room, proto.hp, proto.hp, proto=proto)
        world.npcs[id] = npc
        world.place_body(npc, spawn.room)
        _equip(world, npc)
        return
    npc.proto, npc.name, npc.max_hp = proto, proto.name, proto.hp  # the builder may have changed it
    npc.hp = min(npc.hp, npc.max_hp)
    if npc.returns:
        return
    room = world.atlas.rooms.get(npc.room)
    home = world.room(spawn.room)
    here = npc.room if room is not None and room.zone == home.zone else home.id
    if npc.id not in world.people.get(here, ()):
        world.place_body(npc, here)


def _equip(world: World, npc: Npc) -> None:
    """Its purse and its goods, made."""
    if npc.proto.gold:
        world.move_gold(MINT, npc.id, npc.proto.gold)
    for proto in npc.proto.carries:
        world.mint_item(world.atlas.items[proto], npc.id)


def _lay(world: World, spawn: Spawn, proto: ItemProto) -> None:
    state = SpawnState(spawn_id(spawn), spawn.keep, world.now + spawn.every)
    world.spawns[state.id] = state
    _make(world, spawn, proto, spawn.keep)
    world.touch(state)


def _make(world: World, spawn: Spawn, proto: ItemProto, count: int) -> None:
    if proto.stackable:
        world.mint_item(proto, spawn.room, count)
        return
    for _ in range(count):
        world.mint_item(proto, spawn.room)


def replace(world: World, spawn: Spawn) -> list[Fact]:
    """Look after an item spawn, if it is time: make what is missing in its room."""
    state = world.spawns.get(spawn_id(spawn))
    if state is None or not spawn.every or world.now < state.next:
        return []
    state.next = world.now + spawn.every
    shelf = world.contents.get(spawn.room, {})
    missing = spawn.keep - sum(item.stack for item in shelf.values() if item.proto.id == spawn.proto)
    if missing <= 0:
        return []
    _make(world, spawn, world.atlas.items[spawn.proto], missing)
    state.made += missing
    world.touch(state)
    return [Reset(EntityId(""), spawn.proto, spawn.room)]


def revive(world: World, npc: Npc, spawn: Spawn) -> list[Fact]:
    """Back from death, if it is time, with a new purse and new goods."""
    if world.now < npc.returns:
        return []
    _equip(world, npc)
    npc.returns, npc.hp = 0.0, npc.max_hp
    world.place_body(npc, spawn.room)
    return [Returned(npc.id, spawn.room)]


# ── by themselves ───────────────────────────────────────────────────────────────────────────────


def act(world: World, npc: Npc) -> list[Fact]:
    """One tick of an NPC that lives and does not fight: at most one thing."""
    crowd = world.people.get(npc.room, {})
    proto = npc.proto
    if len(crowd) > 1 and (seen := _first_character(crowd)) is not None:
        if proto.aggressive and not world.room(npc.room).safe:
            if world.dice.below(_PATIENCE) == 0:
                return combat.turn_on(world, npc, seen)
        elif len(crowd) <= _GREETS and (facts := _greet(world, npc, crowd)):
            return facts
        if proto.idles and world.dice.below(_IDLES) == 0:
            return [Idled(npc.id, npc.room, proto.idles[world.dice.below(len(proto.idles))])]
    if proto.wanders and world.dice.below(1000) < proto.wanders:
        return _wander(world, npc)
    return []


def _first_character(crowd: dict[EntityId, Body]) -> Character | None:
    for body in crowd.values():
        if isinstance(body, Character):
            return body
    return None


def _wander(world: World, npc: Npc) -> list[Fact]:
    zone = world.room(npc.room).zone
    ways = [way for way in combat.ways_out(world, npc) if world.room(way.to).zone == zone]
    if not ways:
        return []
    way = ways[world.dice.below(len(ways))]
    left = npc.room
    world.place_body(npc, way.to)
    return [Left(npc.id, left, way.direction), Arrived(npc.id, way.to, OPPOSITE.get(way.direction, ""))]


def _greet(world: World, npc: Npc, crowd: dict[EntityId, Body]) -> list[Fact]:
    """Speak to somebody it never met, if it has a greeting that does nothing else."""
    if not npc.proto.topics:
        return []
    for body in crowd.values():
        if isinstance(body, Character) and body.id not in npc.met:
            topic = _topic(world, npc, body, "")
            if topic is None or topic.do:
                continue
            _meet(world, npc, body)
            return [NpcSaid(npc.id, npc.room, topic.say, body.id)]
    return []


# ── when asked ──────────────────────────────────────────────────────────────────────────────────


def talk(world: World, who: EntityId, npc: EntityId, word: str) -> list[Fact]:
    """Ask an NPC about a word; without one, greet it.

    :raises Refusal: it is not here, has no time, or nothing to say to that; or the world is sealed
    """
    me, other = world.characters[who], world.npcs[npc]
    name = other.name[:1].upper() + other.name[1:]
    if npc not in world.people.get(me.room, ()):
        raise Refusal(f"{name} is not here.")
    if other.fighting is not None:
        raise Refusal(f"{name} is fighting, and does not listen.")
    topic = _topic(world, other, me, word)
    if topic is None:
        raise Refusal(f"{name} has nothing to say about that." if word else f"{name} does not answer.")
    done = quests.carry_out(world, me, other, topic.do)
    _meet(world, other, me)
    return [NpcSaid(npc, other.room, topic.say, who), *done]


def _topic(world: World, npc: Npc, who: Character, word: str) -> Topic | None:
    """The first that fits and that can be done whole."""
    asked = word.lower().split()
    phrase = " ".join(asked)
    for topic in npc.proto.topics:
        if topic.words:
            fits = any(known == phrase or known in asked for known in topic.words)
        else:
            fits = not asked
        if fits and quests.meets(world, who, topic.when) and quests.possible(world, who, topic.do):
            return topic
    return None


def _meet(world: World, npc: Npc, who: Character) -> None:
    if who.id in npc.met:
        return
    if len(npc.met) >= _MEMORY:
        npc.met.clear()
    npc.met.add(who.id)
    world.touch(npc)
