"""Fights: who may, who strikes, who falls, what it brings."""

from __future__ import annotations

import pytest

from mythos.errors import Refusal
from mythos.ids import EntityId
from mythos.world import combat, movement
from mythos.world.facts import Attacked, Died, Dropped, Fled, Grown, Healed, Hit, Looked, Missed, Returned, Summoned
from mythos.world.state import World
from tests.world.town import (
    CAT,
    DEN,
    INN,
    MARTA,
    MOOR,
    RAT,
    SQUARE,
    WOLF,
    YARD,
    Loaded,
    Seeded,
    minted,
    person,
    town,
    wealth,
)

ALWAYS, NEVER = 0, 99  # a throw that hits or gets away, and one that does not


def until_over(world: World, npc: EntityId) -> int:
    """Rounds until the NPC does not fight any more."""
    for number in range(1, 200):
        combat.round(world, world.npcs[npc])
        if world.npcs[npc].fighting is None:
            return number
    raise AssertionError("this fight does not end")


# ── beginning ───────────────────────────────────────────────────────────────────────────────────


def test_both_sides_fight() -> None:
    """Who is attacked fights back; no blow falls before the round."""
    world = town()
    ann = person(world, "Ann", YARD)
    assert combat.attack(world, ann.id, RAT) == [Attacked(ann.id, RAT, YARD)]
    assert (ann.fighting, world.npcs[RAT].fighting) == (RAT, ann.id)
    assert (ann.hp, world.npcs[RAT].hp) == (20, 6)


@pytest.mark.parametrize(
    ("room", "target", "sentence"),
    [
        (SQUARE, MARTA, "safe place"),
        (YARD, CAT, "A cat will not fight you"),
        (YARD, WOLF, "A grey wolf is not here"),
    ],
)
def test_refusals(room: str, target: EntityId, sentence: str) -> None:
    """A refusal leaves everybody in peace."""
    world = town()
    ann = person(world, "Ann", room)  # type: ignore[arg-type]
    with pytest.raises(Refusal, match=sentence):
        combat.attack(world, ann.id, target)
    assert ann.fighting is None
    assert world.npcs[target].fighting is None


def test_players_do_not_fight_each_other() -> None:
    world = town()
    ann, bob = person(world, "Ann", YARD), person(world, "Bob", YARD)
    for target in (bob, ann):
        with pytest.raises(Refusal):
            combat.attack(world, ann.id, target.id)
    assert ann.fighting is bob.fighting is None


def test_attacking_twice_is_refused() -> None:
    world = town()
    ann = person(world, "Ann", YARD)
    combat.attack(world, ann.id, RAT)
    with pytest.raises(Refusal, match="already"):
        combat.attack(world, ann.id, RAT)


def test_a_fight_forgotten_is_no_fight() -> None:
    """Who left a fight without fleeing can begin it again."""
    world = town()
    ann = person(world, "Ann", YARD)
    combat.attack(world, ann.id, RAT)
    world.place_body(ann, SQUARE)
    combat.round(world, world.npcs[RAT])
    assert world.npcs[RAT].fighting is None
    assert ann.fighting is None
    world.place_body(ann, YARD)
    assert combat.attack(world, ann.id, RAT)


# ── blows ───────────────────────────────────────────────────────────────────────────────────────


def test_a_round_is_one_blow_each() -> None:
    """Bare hands against teeth: each strikes once."""
    world = town(Loaded(ALWAYS))
    ann = person(world, "Ann", YARD)
    combat.attack(world, ann.id, RAT)
    assert combat.round(world, world.npcs[RAT]) == [Hit(ann.id, RAT, YARD, 1, ""), Hit(RAT, ann.id, YARD, 2, "")]
    assert (ann.hp, world.npcs[RAT].hp) == (18, 5)


def test_a_miss_hurts_nobody() -> None:
    world = town(Loaded(NEVER))
    ann = person(world, "Ann", YARD)
    combat.attack(world, ann.id, RAT)
    assert combat.round(world, world.npcs[RAT]) == [Missed(ann.id, RAT, YARD), Missed(RAT, ann.id, YARD)]
    assert (ann.hp, world.npcs[RAT].hp) == (20, 6)


def test_what_is_wielded_strikes() -> None:
    """A knife in the hand counts, one in the pocket does not."""
    world = town(Loaded(ALWAYS))
    ann = person(world, "Ann", YARD)
    knife = world.mint_item(world.atlas.items["knife"], ann.id)
    combat.attack(world, ann.id, RAT)
    assert combat.round(world, world.npcs[RAT])[0] == Hit(ann.id, RAT, YARD, 1, "")
    knife.worn = "hand"
    assert combat.round(world, world.npcs[RAT])[0] == Hit(ann.id, RAT, YARD, 3, "knife")


def test_armour_makes_blows_miss() -> None:
    """Ten points of armour turn a throw that would just have hit."""
    for worn, fact in (("", Hit), ("body", Missed)):
        world = town(Loaded(69))
        ann = person(world, "Ann", YARD)
        world.mint_item(world.atlas.items["vest"], ann.id).worn = worn
        combat.attack(world, ann.id, RAT)
        assert type(combat.round(world, world.npcs[RAT])[-1]) is fact


def test_friends_help() -> None:
    """Two against one both strike; when the one it fought flees, it turns on the other."""
    world = town(Loaded(ALWAYS))
    ann, bob = person(world, "Ann", YARD), person(world, "Bob", YARD)
    rat = world.npcs[RAT]
    combat.attack(world, ann.id, RAT)
    combat.attack(world, bob.id, RAT)
    assert [fact.who for fact in combat.round(world, rat)] == [ann.id, bob.id, RAT]
    combat.flee(world, ann.id)
    assert rat.fighting == bob.id
    assert ann.fighting is None


def test_who_goes_out_of_the_world_leaves_the_fight_to_the_others() -> None:
    """The NPC turns on them: none of them stands there fighting somebody who does not fight."""
    world = town(Loaded(ALWAYS))
    ann, bob = person(world, "Ann", YARD), person(world, "Bob", YARD)
    rat = world.npcs[RAT]
    combat.attack(world, ann.id, RAT)
    combat.attack(world, bob.id, RAT)
    movement.leave(world, ann.id, "quit")
    assert (ann.fighting, rat.fighting, bob.fighting) == (None, bob.id, RAT)


# ── ends ────────────────────────────────────────────────────────────────────────────────────────


def test_an_npc_drops_all_it_has() -> None:
    """Goods and gold lie in the room, none lost, none doubled; it comes back when its spawn says."""
    world = town(Loaded(ALWAYS))
    ann = person(world, "Ann", YARD)
    rat = world.npcs[RAT]
    before = wealth(world)
    minted(world)
    combat.attack(world, ann.id, RAT)
    rat.hp = 1
    facts = combat.round(world, rat)
    assert Died(RAT, ann.id, YARD) in facts
    assert {fact.proto for fact in facts if isinstance(fact, Dropped)} == {"tail", "flask", "gold"}
    assert world.gold_at(YARD) == 5
    assert wealth(world) == before
    assert minted(world) == {}
    assert RAT not in world.people.get(YARD, {})
    assert rat.returns == world.now + 60.0
    assert (ann.fighting, rat.fighting) == (None, None)


def test_an_npc_without_return_stays_away() -> None:
    """``every: 0`` is never."""
    world = town(Loaded(ALWAYS))
    ann = person(world, "Ann", DEN)
    wolf = world.npcs[WOLF]
    combat.attack(world, ann.id, WOLF)
    wolf.hp = 1
    combat.round(world, wolf)
    assert wolf.returns == combat.NEVER


def test_experience_is_shared_and_makes_levels() -> None:
    """Whoever fights it has a part; a level brings health."""
    world = town(Loaded(ALWAYS))
    ann, bob, eve = (person(world, name, YARD) for name in ("Ann", "Bob", "Eve"))
    rat = world.npcs[RAT]
    ann.xp = 99
    combat.attack(world, ann.id, RAT)
    combat.attack(world, bob.id, RAT)
    rat.hp = 1
    facts = combat.round(world, rat)
    assert Grown(ann.id, 30, 2) in facts
    assert Grown(bob.id, 30, 0) in facts
    assert (ann.level, ann.max_hp, ann.hp) == (2, 25, 25)
    assert (bob.level, eve.xp) == (1, 0)


@pytest.mark.parametrize(("level", "xp"), [(1, 0), (2, 100), (3, 300), (10, 4500)])
def test_thresholds(level: int, xp: int) -> None:
    assert combat.threshold(level) == xp


def test_a_character_wakes_at_home_and_loses_nothing() -> None:
    """Death costs the way back."""
    world = town(Loaded(ALWAYS))
    ann = person(world, "Ann", DEN)
    world.mint_item(world.atlas.items["flask"], ann.id)
    minted(world)
    before = wealth(world)
    ann.hp = 3
    combat.attack(world, ann.id, WOLF)
    facts = combat.round(world, world.npcs[WOLF])
    assert facts[-4:] == [
        Died(ann.id, WOLF, DEN),
        Summoned(ann.id, DEN, INN, "death"),
        Returned(ann.id, INN),
        Looked(ann.id, INN, True),
    ]
    assert (ann.room, ann.hp, ann.fighting, world.npcs[WOLF].fighting) == (INN, 10, None, None)
    assert world.people[INN] == {ann.id: ann}
    assert wealth(world) == before
    assert minted(world) == {}


def test_every_fight_ends() -> None:
    """With any luck, somebody falls, and nothing is lost."""
    for seed in range(40):
        world = town(Seeded(seed))
        ann = person(world, "Ann", DEN)
        before = wealth(world)
        combat.attack(world, ann.id, WOLF)
        until_over(world, WOLF)
        assert (ann.room == INN) != (world.npcs[WOLF].returns > 0)
        assert ann.hp > 0
        assert wealth(world) == before


# ── getting away ────────────────────────────────────────────────────────────────────────────────


def test_fleeing() -> None:
    """Out by an open exit; the gate is shut, so there is one only."""
    world = town(Loaded(ALWAYS))
    ann = person(world, "Ann", YARD)
    combat.attack(world, ann.id, RAT)
    facts = combat.flee(world, ann.id)
    assert facts[0] == Fled(ann.id, YARD, "south")
    assert (ann.room, ann.fighting, world.npcs[RAT].fighting) == (SQUARE, None, None)


def test_failing_to_flee_costs_a_blow() -> None:
    world = town(Loaded(NEVER, ALWAYS))
    ann = person(world, "Ann", YARD)
    combat.attack(world, ann.id, RAT)
    assert combat.flee(world, ann.id) == [Hit(RAT, ann.id, YARD, 2, "")]
    assert (ann.room, ann.hp, ann.fighting) == (YARD, 18, RAT)


def test_nowhere_to_flee() -> None:
    """Behind a shut gate one fights on."""
    world = town()
    ann = person(world, "Ann", DEN)
    combat.attack(world, ann.id, WOLF)
    with pytest.raises(Refusal, match="no way out"):
        combat.flee(world, ann.id)
    assert ann.fighting == WOLF


def test_fleeing_from_nothing() -> None:
    world = town()
    ann = person(world, "Ann", YARD)
    with pytest.raises(Refusal, match="not fighting"):
        combat.flee(world, ann.id)


def test_who_is_carried_off_fights_no_more() -> None:
    """A keeper's summons ends a fight on both sides."""
    world = town()
    ann = person(world, "Ann", YARD)
    combat.attack(world, ann.id, RAT)
    combat.transfer(world, ann.id, MOOR, "summon")
    assert (ann.room, ann.fighting, world.npcs[RAT].fighting) == (MOOR, None, None)


# ── mending ─────────────────────────────────────────────────────────────────────────────────────


def test_time_heals_who_does_not_fight() -> None:
    """Up to full health and not beyond it; not in a fight."""
    world = town()
    ann = person(world, "Ann", YARD)
    ann.hp = 16
    combat.attack(world, ann.id, RAT)
    assert combat.heal(world, ann) == []
    combat.disengage(world, ann.id)
    assert combat.heal(world, ann) == [Healed(ann.id, 3)]
    assert combat.heal(world, ann) == [Healed(ann.id, 1)]
    assert combat.heal(world, ann) == []
