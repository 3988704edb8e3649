"""The world by itself: one tick of one zone, and the turning of the day.

What a tick costs is bounded by the NPCs, spawns and doors builders made, and by the fights that go on; never by how
many people stand about.
"""

from __future__ import annotations

from mythos.ids import EntityId, ZoneId
from mythos.world import calendar, combat, npcs
from mythos.world.facts import DayTurned, Fact, Idled
from mythos.world.state import World

__all__ = ["advance", "tick"]

_NOBODY = EntityId("")
#: Seconds between two looks at item spawns, and between two healings.
_SPAWNS, _HEALING = 5.0, 10.0


def advance(world: World, dt: float) -> list[Fact]:
    """Move the world's clock by ``dt`` seconds: the day turns, time heals. Once for each tick of the world."""
    before = world.now
    world.now = before + dt
    facts: list[Fact] = []
    phase = calendar.phase(world.now)
    if phase != calendar.phase(before):
        world.changes += 1  # by daylight other things are seen
        facts.append(DayTurned(_NOBODY, phase))
    if _passed(world.now, dt, _HEALING):
        for character in world.characters.values():
            if character.hp < character.max_hp and character.present:
                facts += combat.heal(world, character)
    return facts


def tick(world: World, zone_id: ZoneId, dt: float) -> list[Fact]:
    """One tick of one zone, ``dt`` seconds after the last: fights, then NPCs, doors and spawns."""
    zone = world.atlas.zones[zone_id]
    facts: list[Fact] = []
    spawning = _passed(world.now, dt, _SPAWNS)
    healing = _passed(world.now, dt, _HEALING)
    for spawn in zone.spawns:
        npc = world.npcs.get(npcs.npc_id(spawn))
        if npc is None:
            if spawning:
                facts += npcs.replace(world, spawn)
        elif npc.returns:
            facts += npcs.revive(world, npc, spawn)
        elif npc.fighting is not None:
            facts += combat.round(world, npc)
        else:
            if healing:
                combat.heal(world, npc)
            facts += npcs.act(world, npc)
    facts += _doors(world, zone_id)
    return facts


def _passed(now: float, dt: float, period: float) -> bool:
    """Whether a multiple of ``period`` lies in the last ``dt`` seconds."""
    return now // period != (now - dt) // period


def _doors(world: World, zone: ZoneId) -> list[Fact]:
    """Doors that somebody left otherwise return to how the builder left them."""
    facts: list[Fact] = []
    for (room, direction), state in world.doors.items():
        if 0.0 < state.resets <= world.now and world.room(room).zone == zone:
            door = world.room(room).exits[direction].door
            if door is not None:
                if state.closed != door.closed:
                    words = f"The {door.name} {'falls shut' if door.closed else 'swings open'}."
                    sides = [side for (side, _), other in world.doors.items() if other.id == state.id]
                    facts += [Idled(_NOBODY, side, words) for side in sides]
                state.closed, state.locked = door.closed, door.locked
            state.resets = 0.0
            world.touch(state)
    return facts
