"""What dialogue asks of a player and does for them: conditions, effects, and the journal of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mythos.ids import RoomId
from mythos.world import calendar, combat
from mythos.world.facts import Fact, Gave, GaveGold, Healed, TaskDone
from mythos.world.state import BURN, MINT, Character, Item, Npc, World
from mythos.world.zones import Condition, Effect

__all__ = ["Entry", "Journal", "carry_out", "journal", "meets", "possible"]

#: Effects that move what the ledger counts. They are carried out before the others: they alone can be refused.
_CONSERVED = ("give-item", "take-item", "give-gold", "take-gold")


@dataclass(frozen=True, slots=True)
class Entry:
    """A task, and what is to be done next, or what was said when it was done."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Journal:
    """Tasks as they stand for one player, each list in the builders' order.

    :ivar open: begun, and not done
    :ivar offered: to somebody who has none open, a few that they could begin
    """

    open: list[Entry]
    offered: list[Entry]
    done: list[Entry]


#: Tasks that are offered.
_OFFERS = 3


# ── conditions ──────────────────────────────────────────────────────────────────────────────────


def meets(world: World, who: Character, conditions: Iterable[Condition]) -> bool:
    """Whether every clause holds."""
    return all(_holds(world, who, clause) is not clause.negated for clause in conditions)


def _holds(world: World, who: Character, clause: Condition) -> bool:
    match clause.what:
        case "flag":
            return bool(who.flags) and clause.name in (who.flags or {})
        case "has":
            return sum(item.stack for item in _of(world, who, clause.name)) >= max(1, clause.amount)
        case "gold":
            return who.gold >= clause.amount
        case "night":
            return calendar.is_night(world.now)
        case "day":
            return not calendar.is_night(world.now)
    raise ValueError(clause.what)


def _of(world: World, who: Character, proto: str) -> Iterator[Item]:
    return (item for item in world.held(who.id) if item.proto.id == proto)


def _spare(world: World, who: Character, proto: str) -> list[Item]:
    """What of a kind can be taken from somebody: empty, what is not worn first."""
    spare = [item for item in _of(world, who, proto) if not world.contents.get(item.id) and not world.gold_at(item.id)]
    return sorted(spare, key=lambda item: bool(item.worn))


# ── effects ─────────────────────────────────────────────────────────────────────────────────────


def possible(world: World, who: Character, effects: Sequence[Effect]) -> bool:
    """Whether all of it can be done: what is to be taken is there. Changes nothing."""
    gold = who.gold
    balance: dict[str, int] = {}
    for effect in effects:
        if effect.what == "give-gold":
            gold += effect.amount
        elif effect.what == "take-gold":
            gold -= effect.amount
            if gold < 0:
                return False
        elif effect.what in ("give-item", "take-item"):
            name = effect.name
            if name not in balance:
                balance[name] = sum(item.stack for item in _spare(world, who, name))
            balance[name] += effect.amount if effect.what == "give-item" else -effect.amount
            if balance[name] < 0:
                return False
    return True


def carry_out(world: World, who: Character, npc: Npc, effects: Sequence[Effect]) -> list[Fact]:
    """Do what :func:`possible` allowed, things and coins first.

    :raises Refusal: the world is sealed; nothing was changed
    """
    facts = [_trade(world, who, npc, effect) for effect in effects if effect.what in _CONSERVED]
    for effect in effects:
        if effect.what not in _CONSERVED:
            facts.extend(_change(world, who, effect))
    return facts


def _trade(world: World, who: Character, npc: Npc, effect: Effect) -> Fact:
    name, amount, room = effect.name, effect.amount, who.room
    match effect.what:
        case "give-gold":
            world.move_gold(MINT, who.id, amount)
            return GaveGold(npc.id, amount, who.id, room)
        case "take-gold":
            world.move_gold(who.id, BURN, amount)
            return GaveGold(who.id, amount, npc.id, room)
        case "give-item":
            proto = world.atlas.items[name]
            if proto.stackable:
                world.mint_item(proto, who.id, amount)
            else:
                for _ in range(amount):
                    world.mint_item(proto, who.id)
            return Gave(npc.id, name, amount, who.id, room)
    left = amount
    for item in _spare(world, who, name):
        taken = min(left, item.stack)
        if taken:
            world.burn_item(item, taken)
            left -= taken
    return Gave(who.id, name, amount, npc.id, room)


def _change(world: World, who: Character, effect: Effect) -> list[Fact]:
    name = effect.name
    world.touch(who)
    match effect.what:
        case "set-flag":
            who.flags = {**(who.flags or {}), name: effect.amount}
        case "clear-flag":
            who.flags = {flag: value for flag, value in (who.flags or {}).items() if flag != name}
        case "heal":
            amount = min(effect.amount, who.max_hp - who.hp)
            who.hp += amount
            return [Healed(who.id, amount)] if amount > 0 else []
        case "teleport":
            return combat.transfer(world, who.id, RoomId(name), "summon")
        case "task":
            return _mark(world, who, name)
        case _:
            raise ValueError(effect.what)
    return []


# ── tasks ───────────────────────────────────────────────────────────────────────────────────────


def _mark(world: World, who: Character, name: str) -> list[Fact]:
    """Mark a step, ``quest:step``; a step that is done stays done and is no news."""
    if who.flags and name in who.flags:
        return []
    quest_id, _, step = name.rpartition(":")
    quest = world.atlas.quests[quest_id]
    who.flags = {**(who.flags or {}), name: 1}
    return [TaskDone(who.id, quest_id, step, step == quest.steps[-1][0])]


def journal(world: World, who: Character) -> Journal:
    flags = who.flags or {}
    begun, fresh, done = list[Entry](), list[Entry](), list[Entry]()
    for quest in world.atlas.quests.values():
        steps = [f"{quest.id}:{name}" in flags for name, _ in quest.steps]
        if steps[-1]:
            done.append(Entry(quest.title, quest.done))
        else:
            (begun if any(steps) else fresh).append(Entry(quest.title, quest.steps[steps.index(False)][1]))
    return Journal(begun, [] if begun else fresh[:_OFFERS], done)
