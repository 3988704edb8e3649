"""A scripted game of 10,000 ticks; prints a digest of everything that happened. Run as a program."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from mythos.errors import Refusal
from mythos.world import combat, npcs, step
from mythos.world.facts import Fact
from mythos.world.state import Character, World
from tests.world.town import MARTA, SQUARE, YARD, Seeded, minted, person, town, wealth

TICKS = 10_000


def play(seed: int) -> tuple[str, dict[str, int]]:
    """The digest of all facts and the end of the world, and how often each kind of fact happened."""
    world, will = town(Seeded(seed)), Seeded(seed + 1)
    people = [person(world, name, room) for name, room in (("Ann", SQUARE), ("Bob", YARD), ("Eve", YARD))]
    digest, kinds = hashlib.sha256(), dict[str, int]()
    made = minted(world)

    def happened(facts: Iterable[Fact]) -> None:
        for fact in facts:
            digest.update(repr(fact).encode())
            kinds[type(fact).__name__] = kinds.get(type(fact).__name__, 0) + 1

    for _ in range(TICKS):
        happened(step.advance(world, 1.0))
        for zone in world.atlas.zones:
            happened(step.tick(world, zone, 1.0))
        for me in people:
            if will.below(4) == 0:
                happened(act(world, me, will))
        for asset, amount in minted(world).items():
            made[asset] = made.get(asset, 0) + amount
    held = {asset: amount for asset, amount in wealth(world).items() if amount}
    if held != {asset: amount for asset, amount in made.items() if amount}:
        raise AssertionError(f"the ledger says {made}, and there is {held}")
    digest.update(repr([(me.room, me.hp, me.xp, me.gold, me.flags) for me in people]).encode())
    digest.update(repr([(npc.id, npc.room, npc.hp, npc.gold) for npc in world.npcs.values()]).encode())
    digest.update(repr([(item.id, item.place, item.stack) for item in world.items.values()]).encode())
    return digest.hexdigest(), kinds


def act(world: World, me: Character, will: Seeded) -> list[Fact]:
    """Something a player might do just now."""
    if me.fighting is not None:
        return combat.flee(world, me.id) if me.hp < 10 or will.below(8) == 0 else []
    choice = will.below(6)
    try:
        if choice == 0:
            for item in world.held(me.room):
                world.move_item(item, me.id)
            return []
        if choice == 1 and me.hp > 12:
            foes = [body.id for body in world.people[me.room].values() if body.id in world.npcs]
            return combat.attack(world, me.id, foes[will.below(len(foes))]) if foes else []
        if choice == 2:
            return npcs.talk(world, me.id, MARTA, ("", "tails", "trade", "flask", "cure", "secret")[will.below(6)])
        ways = combat.ways_out(world, me)
        return combat.transfer(world, me.id, ways[will.below(len(ways))].to, "goto") if ways else []
    except Refusal:
        return []


if __name__ == "__main__":
    print(*play(7))
