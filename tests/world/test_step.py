"""The tick: the day turns, the dead return, spawns and doors go back, time heals; and an empty zone costs little."""

from __future__ import annotations

from mythos.ids import EntityId
from mythos.world import combat, step
from mythos.world.facts import Attacked, DayTurned, Fact, Healed, Hit, Idled, Reset, Returned
from mythos.world.state import DoorState, World
from tests.world.town import CAT, DEN, FAR, RAT, SQUARE, TOWN, YARD, Loaded, minted, person, town


def run(world: World, seconds: int) -> list[Fact]:
    """So many ticks of one second, all zones."""
    facts: list[Fact] = []
    for _ in range(seconds):
        facts += step.advance(world, 1.0)
        for zone in world.atlas.zones:
            facts += step.tick(world, zone, 1.0)
    return facts


def still(world: World) -> World:
    """The cat stays where it is."""
    world.lift_body(world.npcs[CAT])
    world.npcs[CAT].returns = combat.NEVER
    return world


def test_the_day_turns_four_times() -> None:
    """Each phase is told once, and the clock goes round."""
    world = still(town())
    turned = [fact.phase for fact in run(world, 1440) if isinstance(fact, DayTurned)]
    assert turned == ["dusk", "night", "dawn", "day"]
    assert world.now == 240.0 + 1440.0


def test_a_fight_goes_on_by_itself() -> None:
    """One round each tick, until it is over."""
    world = still(town(Loaded(0)))
    ann = person(world, "Ann", YARD)
    combat.attack(world, ann.id, RAT)
    facts = run(world, 6)
    assert [type(fact) for fact in facts].count(Hit) == 11
    assert world.npcs[RAT].returns


def test_the_dead_return_with_a_new_purse() -> None:
    """When their time has come, whole again, and what they hold is minted as a posting."""
    world = still(town(Loaded(0)))
    ann = person(world, "Ann", YARD)
    rat = world.npcs[RAT]
    combat.attack(world, ann.id, RAT)
    rat.hp = 1
    run(world, 1)
    world.place_body(ann, SQUARE)
    minted(world)
    assert not [fact for fact in run(world, 58) if isinstance(fact, Returned)]
    minted(world)
    assert Returned(RAT, YARD) in run(world, 2)
    assert (rat.hp, rat.gold, rat.returns, rat.room) == (6, 5, 0.0, YARD)
    assert RAT in world.people[YARD]
    made = minted(world)
    assert (made["gold"], made["tail"]) == (5, 1)


def test_spawns_replace_what_is_missing() -> None:
    """Up to ``keep``, when it is time; a stack counts by its height."""
    world = still(town())
    ann = person(world, "Ann", SQUARE)
    flask = next(item for item in world.held(YARD) if item.proto.id == "flask")
    tails = next(item for item in world.held(DEN) if item.proto.id == "tail")
    world.move_item(flask, ann.id)
    world.move_item(tails, ann.id, 2)
    minted(world)
    facts = run(world, 36)
    assert [fact for fact in facts if isinstance(fact, Reset)] == [
        Reset(EntityId(""), "flask", YARD),
        Reset(EntityId(""), "tail", DEN),
    ]
    assert minted(world) == {"flask": 1, "tail": 2}
    assert world.spawns[EntityId("s:t:tails")].made == 7
    run(world, 100)
    assert minted(world) == {}


def test_a_spawn_that_never_returns() -> None:
    """``every: 0``: what was taken is gone for good."""
    world = still(town())
    ann = person(world, "Ann", SQUARE)
    world.move_item(next(item for item in world.held(DEN) if item.proto.id == "knife"), ann.id)
    minted(world)
    run(world, 400)
    assert minted(world) == {}


def test_doors_return_to_how_the_builder_left_them() -> None:
    """Once, seen from both sides."""
    world = still(town())
    person(world, "Ann", SQUARE)
    gate = DoorState(EntityId("d:gate"), closed=False, locked=False, resets=world.now + 3.0)
    world.doors[YARD, "north"] = world.doors[DEN, "south"] = gate
    assert not [fact for fact in run(world, 2) if isinstance(fact, Idled) and not fact.who]
    words = "The iron gate falls shut."
    shut = [fact for fact in run(world, 30) if isinstance(fact, Idled) and not fact.who]
    assert shut == [Idled(EntityId(""), YARD, words), Idled(EntityId(""), DEN, words)]
    assert (gate.closed, gate.resets) == (True, 0.0)


def test_time_heals() -> None:
    """Who is hurt and not fighting is whole after a while, and nobody else is touched."""
    world = still(town(Loaded(99)))
    ann, bob = person(world, "Ann", SQUARE), person(world, "Bob", SQUARE)
    ann.hp = 14
    world.npcs[RAT].hp = 1
    world.take_change()
    healed = [fact for fact in run(world, 40) if isinstance(fact, Healed)]
    assert healed == [Healed(ann.id, 3), Healed(ann.id, 3)]
    assert world.npcs[RAT].hp == 5
    assert bob not in world.take_change().touched


def test_the_aggressive_find_who_comes() -> None:
    world = still(town(Loaded(0)))
    ann = person(world, "Ann", DEN)
    assert any(isinstance(fact, Attacked) and fact.target == ann.id for fact in run(world, 3))


def test_nobody_there_costs_no_chance_and_touches_nothing() -> None:
    """A tick of a zone where nobody is throws no dice but for the wanderers, and writes nothing."""
    dice = Loaded(99)
    world = still(town(dice))
    world.take_change()
    thrown = dice.thrown
    for _ in range(10):
        assert step.tick(world, TOWN, 1.0) == []
    assert dice.thrown == thrown
    assert world.take_change().touched == ()


def test_a_crowd_costs_a_tick_nothing() -> None:
    """What a tick looks at does not grow with the people who stand about."""

    class Counted(dict[EntityId, object]):
        looked = 0

        def values(self):  # type: ignore[no-untyped-def]
            for value in super().values():
                Counted.looked += 1
                yield value

    world = still(town(Loaded(99)))
    for number in range(300):
        person(world, f"Guest{number}", SQUARE)
    world.people[SQUARE] = Counted(world.people[SQUARE])  # type: ignore[assignment]
    step.tick(world, TOWN, 1.0)
    step.tick(world, FAR, 1.0)
    assert Counted.looked < 10
