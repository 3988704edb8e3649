"""NPCs: how they come, what they do by themselves, what they answer."""

from __future__ import annotations

import pytest

from mythos.errors import Fault, Refusal
from mythos.ids import EntityId
from mythos.world import npcs, quests
from mythos.world.facts import (
    Arrived,
    Attacked,
    Gave,
    GaveGold,
    Healed,
    Idled,
    Left,
    Looked,
    NpcSaid,
    Summoned,
    TaskDone,
)
from mythos.world.state import BURN, Character, World
from mythos.world.zones import Effect
from tests.world.town import ATLAS, CAT, DEN, MARTA, MOOR, RAT, SQUARE, WOLF, YARD, Loaded, minted, person, town, wealth


def gold(world: World, me: Character, amount: int) -> None:
    world.move_gold(EntityId("mint"), me.id, amount)
    world.take_change()


# ── populate ────────────────────────────────────────────────────────────────────────────────────


def test_a_new_world_is_peopled() -> None:
    """Everybody in place, purses and goods made once, by postings."""
    world = town()
    assert world.npcs[RAT].room == YARD
    assert world.people[YARD].keys() == {RAT, CAT}
    assert wealth(world) == minted(world) == {"gold": 105, "tail": 6, "flask": 3, "knife": 1}


def test_again_makes_nothing() -> None:
    """Called again, after a reload or a restart, it mints nothing twice."""
    world = town()
    before = wealth(world)
    minted(world)
    for _ in range(3):
        npcs.populate(world)
    assert wealth(world) == before
    assert minted(world) == {}


def test_a_restart_makes_nothing() -> None:
    """What the store had, stands; even if somebody took what the spawns put down."""
    world = town()
    ann = person(world, "Ann", DEN)
    for item in world.held(DEN):
        world.move_item(item, ann.id)
    stored = World(ATLAS, Loaded(0), now=world.now, next_id=world.next_id)
    stored.npcs, stored.spawns, stored.characters = world.npcs, world.spawns, world.characters
    for item in world.items.values():
        stored.adopt_item(item)
    npcs.populate(stored)
    assert minted(stored) == {}
    assert stored.people[YARD].keys() == {RAT, CAT}
    assert wealth(stored) == wealth(world)


def test_the_dead_stay_dead_over_a_restart() -> None:
    world = town()
    rat = world.npcs[RAT]
    world.lift_body(rat)
    rat.returns = world.now + 10.0
    npcs.populate(world)
    assert RAT not in world.people[YARD]


def test_who_has_no_spawn_any_more_stands_nowhere() -> None:
    """What it holds stays with it: the ledger counts it."""
    world = town()
    gone = world.npcs[RAT]
    world.lift_body(gone)
    del world.npcs[RAT]
    gone.id = EntityId("n:t:old")
    world.npcs[gone.id] = gone
    world.stand(gone)
    npcs.populate(world)
    assert gone.id not in world.people[YARD]
    assert gone.gold == 5
    assert RAT in world.people[YARD]


# ── by themselves ───────────────────────────────────────────────────────────────────────────────


def test_wandering() -> None:
    """A step within the zone; not through the shut gate."""
    world = town()
    assert npcs.act(world, world.npcs[CAT]) == [Left(CAT, YARD, "south"), Arrived(CAT, SQUARE, "north")]
    assert CAT in world.people[SQUARE]


def test_nobody_wanders_out_of_the_zone() -> None:
    """The moor's only way leads into another zone."""
    world = town()
    crow = world.npcs[EntityId("n:f:crow")]
    for _ in range(50):
        assert npcs.act(world, crow) == []
    assert crow.room == MOOR


def test_the_aggressive_attack_the_present() -> None:
    world = town(Loaded(0))
    assert npcs.act(world, world.npcs[WOLF]) == []
    ann = person(world, "Ann", DEN)
    assert npcs.act(world, world.npcs[WOLF]) == [Attacked(WOLF, ann.id, DEN)]
    assert (ann.fighting, world.npcs[WOLF].fighting) == (WOLF, ann.id)


def test_idling_needs_somebody_to_see_it() -> None:
    """And chance: without a watcher no dice are thrown."""
    dice = Loaded(0)
    world = town(dice)
    marta = world.npcs[MARTA]
    npcs.act(world, marta)
    assert dice.thrown == 0
    ann = person(world, "Ann", SQUARE)
    marta.met.add(ann.id)
    assert npcs.act(world, marta) == [Idled(MARTA, SQUARE, "Marta hums.")]


def test_a_first_visit_is_greeted_once() -> None:
    world = town(Loaded(1))
    ann, bob = person(world, "Ann", SQUARE), person(world, "Bob", SQUARE)
    marta = world.npcs[MARTA]
    assert npcs.act(world, marta) == [NpcSaid(MARTA, SQUARE, "Welcome to town.", ann.id)]
    assert npcs.act(world, marta) == [NpcSaid(MARTA, SQUARE, "Welcome to town.", bob.id)]
    assert npcs.act(world, marta) == []


def test_acquaintances_are_bounded() -> None:
    """A thousand guests leave no thousand names in the row of one NPC."""
    world = town()
    marta = world.npcs[MARTA]
    for number in range(1000):
        guest = person(world, f"Guest{number}", SQUARE)
        npcs.talk(world, guest.id, MARTA, "")
        world.lift_body(guest)
    assert len(marta.met) <= 256


# ── talk ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("", "Welcome to town."),
        ("moon", "Ask me at night."),
        ("the Moon tonight", "Ask me at night."),
        ("tails", "Bring me three tails."),
        ("secret", "Tell nobody."),
    ],
)
def test_answers(word: str, answer: str) -> None:
    """The first topic whose words and conditions fit."""
    world = town()
    ann = person(world, "Ann", SQUARE)
    assert npcs.talk(world, ann.id, MARTA, word)[0] == NpcSaid(MARTA, SQUARE, answer, ann.id)


def test_some_answers_are_for_the_night() -> None:
    world = town()
    world.now = 900.0
    ann = person(world, "Ann", SQUARE)
    assert npcs.talk(world, ann.id, MARTA, "moon")[0] == NpcSaid(MARTA, SQUARE, "A fine moon.", ann.id)


def test_refusals_of_talk() -> None:
    """Not here; nothing to say; fighting."""
    world = town()
    ann = person(world, "Ann", YARD)
    with pytest.raises(Refusal, match="not here"):
        npcs.talk(world, ann.id, MARTA, "")
    with pytest.raises(Refusal, match="A brown rat does not answer"):
        npcs.talk(world, ann.id, RAT, "")
    world.npcs[RAT].fighting = ann.id
    with pytest.raises(Refusal, match="fighting"):
        npcs.talk(world, ann.id, RAT, "")
    world.place_body(ann, SQUARE)
    with pytest.raises(Refusal, match="nothing to say"):
        npcs.talk(world, ann.id, MARTA, "philosophy")


def test_flags_are_remembered_and_forgotten() -> None:
    world = town()
    ann = person(world, "Ann", SQUARE)

    def told() -> str:
        fact = npcs.talk(world, ann.id, MARTA, "secret")[0]
        assert isinstance(fact, NpcSaid)
        return fact.words

    assert [told(), told()] == ["Tell nobody.", "You know it already."]
    npcs.talk(world, ann.id, MARTA, "forget")
    assert told() == "Tell nobody."


def test_a_task_from_end_to_end() -> None:
    """Asked, brought, paid: each step marked once, each thing and coin by a posting."""
    world = town()
    ann = person(world, "Ann", SQUARE)
    assert npcs.talk(world, ann.id, MARTA, "tails")[1:] == [TaskDone(ann.id, "rats", "asked", False)]
    assert npcs.talk(world, ann.id, MARTA, "tails")[1:] == []
    assert quests.journal(world, ann) == quests.Journal([quests.Entry("Rats", "Bring Marta three tails.")], [], [])
    world.mint_item(world.atlas.items["tail"], ann.id, 4)
    world.take_change()
    assert npcs.talk(world, ann.id, MARTA, "tails")[1:] == [
        Gave(ann.id, "tail", 3, MARTA, SQUARE),
        GaveGold(MARTA, 15, ann.id, SQUARE),
        TaskDone(ann.id, "rats", "tails", True),
    ]
    assert ann.gold == 15
    assert [item.stack for item in world.held(ann.id)] == [1]
    assert minted(world) == {"tail": -3, "gold": 15}
    assert quests.journal(world, ann) == quests.Journal([], [], [quests.Entry("Rats", "Marta has her tails.")])


def test_what_cannot_be_taken_is_not_promised() -> None:
    """A trade nobody can pay does not match: nothing is given for nothing."""
    world = town()
    ann = person(world, "Ann", SQUARE)
    gold(world, ann, 9)
    with pytest.raises(Refusal):
        npcs.talk(world, ann.id, MARTA, "trade")
    assert minted(world) == {}
    gold(world, ann, 1)
    npcs.talk(world, ann.id, MARTA, "trade")
    assert minted(world) == {"gold": -10, "tail": 2}


def test_a_full_bag_is_not_taken() -> None:
    """What holds other things cannot be burned, so it does not count."""
    world = town()
    ann = person(world, "Ann", SQUARE)
    items = world.atlas.items
    bag = world.mint_item(items["bag"], ann.id)
    world.mint_item(items["flask"], bag.id)
    give_bag = Effect("take-item", "bag")
    assert not quests.possible(world, ann, [give_bag])
    world.burn_item(next(world.held(bag.id)))
    assert quests.possible(world, ann, [give_bag])


@pytest.mark.parametrize("count", [0, 4])
def test_no_more_is_burned_than_is_there(count: int) -> None:
    """A mistake of ours that would make things out of nothing."""
    world = town()
    tails = world.mint_item(world.atlas.items["tail"], person(world, "Ann", SQUARE).id, 3)
    with pytest.raises(Fault):
        world.burn_item(tails, count)
    assert tails.stack == 3
    assert not any(posting.target == BURN for posting in world.take_change().postings)


def test_a_sealed_world_refuses_before_anything_changes() -> None:
    """No flag is set for a reward that was not paid."""
    world = town()
    ann = person(world, "Ann", SQUARE)
    world.mint_item(world.atlas.items["tail"], ann.id, 3)
    world.take_change()
    world.sealed = "The disk is full."
    with pytest.raises(Refusal, match="disk"):
        npcs.talk(world, ann.id, MARTA, "tails")
    assert ann.flags is None
    assert minted(world) == {}


def test_conditions_can_be_negated() -> None:
    """A flask for whoever has none."""
    world = town()
    ann = person(world, "Ann", SQUARE)
    npcs.talk(world, ann.id, MARTA, "flask")
    with pytest.raises(Refusal):
        npcs.talk(world, ann.id, MARTA, "flask")


def test_healing_and_travel() -> None:
    """Other effects: health up to its end, and another place."""
    world = town()
    ann = person(world, "Ann", SQUARE)
    ann.hp = 17
    assert npcs.talk(world, ann.id, MARTA, "cure")[1:] == [Healed(ann.id, 3)]
    assert npcs.talk(world, ann.id, MARTA, "cure")[1:] == []
    assert npcs.talk(world, ann.id, MARTA, "away")[1:] == [
        Summoned(ann.id, SQUARE, MOOR, "summon"),
        Looked(ann.id, MOOR, True),
    ]
    assert ann.room == MOOR
