"""Whatever rules do with things and gold, in whatever order: nothing is made, lost or in two places."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from mythos.errors import Refusal
from mythos.ids import EntityId
from mythos.world import combat, things, trade
from mythos.world.state import MINT, Character, Item, World
from tests.world.town import ITEMS, MARTA, SQUARE, minted, person, town, wealth

_PICK = st.integers(0, 10_000)
_COUNT = st.integers(0, 9)


class Hands(RuleBasedStateMachine):
    """Two people on the square with everything there is."""

    world: World

    @initialize()
    def begin(self) -> None:
        self.world = town()
        self.people = [person(self.world, "Ann", SQUARE), person(self.world, "Bob", SQUARE)]
        for proto in ITEMS:
            self.world.mint_item(proto, self.people[0].id, 7 if proto.stackable else 1)
            self.world.mint_item(proto, SQUARE, 7 if proto.stackable else 1)
        self.world.move_gold(MINT, self.people[0].id, 50)
        self.made: dict[str, int] = {}
        self.count()

    def count(self) -> None:
        for asset, change in minted(self.world).items():
            self.made[asset] = self.made.get(asset, 0) + change

    def one(self, pick: int, place: EntityId) -> Item:
        items = list(self.world.held(place))
        if not items:
            raise Refusal("nothing there")
        return items[pick % len(items)]

    def someone(self, pick: int) -> Character:
        return self.people[pick % 2]

    def do(self, what: str, who: Character, pick: int, count: int) -> None:
        world, me, other = self.world, who.id, self.people[self.people[0] is who].id
        here = EntityId(SQUARE)
        match what:
            case "get":
                item = self.one(pick, here)
                things.get(world, me, item, min(count, item.stack) or 1)
            case "get gold":
                things.get_gold(world, me, count)
            case "drop":
                item = self.one(pick, me)
                things.drop(world, me, item, min(count, item.stack) or 1)
            case "drop gold":
                things.drop_gold(world, me, count)
            case "give":
                item = self.one(pick, me)
                things.give(world, me, item, min(count, item.stack) or 1, other)
            case "give gold":
                things.give_gold(world, me, count, other)
            case "put":
                item, box = self.one(pick, me), self.one(pick // 7, me)
                things.put(world, me, item, min(count, item.stack) or 1, box)
            case "put gold":
                things.put_gold(world, me, count, self.one(pick, me))
            case "take out":
                box = self.one(pick, me)
                item = self.one(pick // 7, box.id)
                things.get(world, me, item, min(count, item.stack) or 1)
            case "take gold out":
                things.get_gold(world, me, count, self.one(pick, me))
            case "wear":
                things.wear(world, me, self.one(pick, me))
            case "remove":
                things.remove(world, me, self.one(pick, me))
            case "buy":
                trade.buy(world, who, world.npcs[MARTA], world.atlas.items["flask"], count)
            case "sell":
                item = self.one(pick, me)
                trade.sell(world, who, world.npcs[MARTA], item, min(count, item.stack) or 1)
            case _:
                combat.disengage(world, me)

    @rule(
        what=st.sampled_from(
            "get,get gold,drop,drop gold,give,give gold,put,put gold,take out,take gold out,wear,remove,buy,sell".split(
                ","
            )
        ),
        who=_PICK,
        pick=_PICK,
        count=_COUNT,
    )
    def act(self, what: str, who: int, pick: int, count: int) -> None:
        before = wealth(self.world)
        try:
            self.do(what, self.someone(who), pick, count)
        except Refusal:
            assert wealth(self.world) == before
            assert minted(self.world) == {}

    @rule(what=st.sampled_from(["drop", "give", "buy", "sell", "drop gold"]), who=_PICK, pick=_PICK)
    def act_while_sealed(self, what: str, who: int, pick: int) -> None:
        """Nothing conserved moves."""
        before = wealth(self.world)
        self.world.sealed = "sealed"
        try:
            with pytest.raises(Refusal):
                self.do(what, self.someone(who), pick, 1)
        finally:
            self.world.sealed = ""
        assert wealth(self.world) == before

    @invariant()
    def nothing_is_made_or_lost(self) -> None:
        self.count()
        there = {asset: amount for asset, amount in wealth(self.world).items() if amount}
        assert there == {asset: amount for asset, amount in self.made.items() if amount}

    @invariant()
    def everything_is_in_one_place(self) -> None:
        seen: dict[EntityId, Item] = {}
        for place, shelf in self.world.contents.items():
            for id, item in shelf.items():
                assert item.place == place
                assert id not in seen
                seen[id] = item
            stacks = [item.proto.id for item in shelf.values() if item.proto.stackable]
            assert len(stacks) == len(set(stacks))
        assert seen == self.world.items


def test_conservation() -> None:
    run_state_machine_as_test(Hands)


@pytest.mark.parametrize("broken", ["copies", "loses"])
def test_the_machine_notices(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a world that copies what is moved, or whose gold melts away."""

    class Broken(Hands):
        @initialize()
        def begin(self) -> None:
            Hands.begin(self)
            move_item, move_gold = self.world.move_item, self.world.move_gold

            def copies(item: Item, place: EntityId, count: int | None = None) -> Item:
                left, moved = item.place, move_item(item, place, count)
                self.world.contents.setdefault(left, {})[moved.id] = moved
                return moved

            def loses(source: EntityId, target: EntityId, amount: int) -> None:
                move_gold(source, target, amount)
                self.people[1].gold -= 1

            if broken == "copies":
                self.world.move_item = copies  # type: ignore[method-assign, assignment]
            else:
                self.world.move_gold = loses  # type: ignore[method-assign, assignment]

    with pytest.raises(AssertionError):
        run_state_machine_as_test(Broken)
