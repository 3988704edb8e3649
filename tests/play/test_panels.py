"""What clients draw: all of it at first, then what differs."""

from __future__ import annotations

from typing import Any

from mythos.ids import EntityId
from mythos.play.panels import LISTED, Panels, Surroundings, Told, contents_of
from mythos.wire.message import State
from mythos.world.calendar import DAY, is_night
from mythos.world.state import MINT, Character, World
from tests.world.town import ATLAS, DEN, MARTA, SQUARE, YARD, person, town

_ALL = ("char", "char.items", "room")


class Drawer:
    """Somebody in the square, and the client that draws."""

    def __init__(self, *modules: str) -> None:
        self.world: World = town()
        self.me: Character = person(self.world, "Ann", SQUARE)
        self.now = 0.0
        self.surroundings = Surroundings()
        self.panels = Panels()
        self.told = Told()
        self.modules = modules

    def states(self, seconds: float = 2.0) -> list[State]:
        """What has changed at the end of a turn, so long after the last."""
        self.now += seconds
        self.world.take_change()
        if not self.panels.stale(self.world):
            return []
        return self.panels.look(self.world, self.me, self.surroundings, self.now)

    def look(self) -> list[tuple[str, Any]]:
        """As GMCP."""
        return [one for state in self.states() for one in self.told.differences(self.me.id, state, self.modules)]


def _flask(world: World, place: Any) -> EntityId:
    return world.mint_item(ATLAS.items["flask"], place).id


def test_all_at_first() -> None:
    drawer = Drawer(*_ALL)
    person(drawer.world, "Bob", SQUARE)
    assert drawer.look() == [
        ("Char.StatusVars", {"level": "Level", "xp": "Experience", "gold": "Gold", "title": "Title"}),
        ("Char.Status", {"level": 1, "xp": 0, "gold": 0, "title": ""}),
        ("Char.Items.List", {"location": "inv", "items": []}),
        (
            "Char.Items.List",
            {"location": "room", "items": [{"id": MARTA, "name": "Marta", "attrib": "m"}]},
        ),
        ("Room.Players", [{"name": "Bob", "fullname": "Bob"}]),
    ]
    assert drawer.look() == []


def test_only_what_is_asked_for() -> None:
    """A module is listed by its own name."""
    assert [name for name, _ in Drawer("char").look()] == ["Char.StatusVars", "Char.Status"]
    assert [name for name, _ in Drawer("room").look()] == ["Room.Players"]
    assert [name for name, _ in Drawer("char.items").look()] == ["Char.Items.List", "Char.Items.List"]
    assert Drawer("mythos").look() == []


def test_figures_that_change() -> None:
    drawer = Drawer("char")
    drawer.look()
    drawer.world.move_gold(MINT, drawer.me.id, 7)
    assert drawer.look() == [("Char.Status", {"gold": 7})]


def test_things_come_change_and_go() -> None:
    drawer = Drawer("char.items")
    world, me = drawer.world, drawer.me
    drawer.look()
    flask = _flask(world, SQUARE)
    thing = {"id": flask, "name": "a flask", "attrib": "t"}
    assert drawer.look() == [("Char.Items.Add", {"location": "room", "item": thing})]
    world.move_item(world.items[flask], me.id)
    assert drawer.look() == [
        ("Char.Items.Add", {"location": "inv", "item": thing}),
        ("Char.Items.Remove", {"location": "room", "item": thing}),
    ]
    vest = world.mint_item(ATLAS.items["vest"], me.id)
    drawer.look()
    vest.worn = "body"
    world.touch(vest)
    worn = {"id": vest.id, "name": "a leather vest", "attrib": "wt"}
    assert drawer.look() == [("Char.Items.Update", {"location": "inv", "item": worn})]
    world.burn_item(world.items[flask])
    assert drawer.look() == [("Char.Items.Remove", {"location": "inv", "item": thing})]


def test_a_stack_and_coins_are_one_thing() -> None:
    drawer = Drawer("char.items")
    world = drawer.world
    world.mint_item(ATLAS.items["tail"], drawer.me.id, 3)
    drawer.look()
    world.mint_item(ATLAS.items["tail"], drawer.me.id, 2)
    ((name, told),) = drawer.look()
    assert (name, told["item"]["name"]) == ("Char.Items.Update", "5 rat tails")
    world.move_gold(MINT, SQUARE, 4)
    assert drawer.look() == [
        ("Char.Items.Add", {"location": "room", "item": {"id": "gold", "name": "4 gold", "attrib": "t"}})
    ]


def test_people_come_and_go() -> None:
    drawer = Drawer("room")
    world = drawer.world
    drawer.look()
    bob = person(world, "Bob", SQUARE)
    assert drawer.look() == [("Room.AddPlayer", {"name": "Bob", "fullname": "Bob"})]
    bob.name = "Rob"
    world.stir(SQUARE)
    assert drawer.look() == [("Room.RemovePlayer", "Bob"), ("Room.AddPlayer", {"name": "Rob", "fullname": "Rob"})]
    world.place_body(bob, YARD)
    assert drawer.look() == [("Room.RemovePlayer", "Rob")]


def test_another_room_is_told_whole() -> None:
    drawer = Drawer("char.items", "room")
    drawer.look()
    drawer.world.place_body(drawer.me, YARD)
    (name, things), players = drawer.look()
    assert (name, things["location"]) == ("Char.Items.List", "room")
    assert [thing["name"] for thing in things["items"]] == ["a flask", "a flask", "A brown rat", "A cat"]
    assert players == ("Room.Players", [])


def test_tasks_are_a_list() -> None:
    """All of it whenever one goes on."""
    drawer = Drawer("char.tasks")
    offered = {"name": "Rats", "desc": "Ask Marta about tails.", "status": "offered"}
    assert drawer.look() == [("Char.Tasks.List", [offered])]
    for step, desc, status in (("asked", "Bring Marta three tails.", "open"), ("tails", "", "done")):
        drawer.me.flags = {**(drawer.me.flags or {}), f"rats:{step}": 1}
        drawer.world.touch(drawer.me)
        assert drawer.look() == [("Char.Tasks.List", [{"name": "Rats", "desc": desc, "status": status}])]
    drawer.me.flags = {**drawer.me.flags, "greeted": 1}  # type: ignore[dict-item]
    drawer.world.touch(drawer.me)
    assert drawer.look() == []


def test_many_differences_are_a_list() -> None:
    drawer = Drawer("char.items", "room")
    drawer.look()
    for number in range(9):
        _flask(drawer.world, drawer.me.id)
        person(drawer.world, f"P{number}", SQUARE)
    assert [name for name, _ in drawer.look()] == ["Char.Items.List", "Room.Players"]


def test_lists_are_bounded() -> None:
    drawer = Drawer("char.items", "room")
    for number in range(LISTED + 20):
        _flask(drawer.world, drawer.me.id)
        _flask(drawer.world, SQUARE)
        person(drawer.world, f"P{number}", SQUARE)
    inventory, room, players = [told for _, told in drawer.look()]
    assert len(inventory["items"]) == LISTED
    assert len(room["items"]) == LISTED + 1  # and Marta
    assert LISTED - 1 <= len(players) <= LISTED


def test_the_dark_shows_nothing() -> None:
    """As the words of a room do; what one carries is felt."""
    drawer = Drawer("char.items", "room")
    _flask(drawer.world, drawer.me.id)
    person(drawer.world, "Bob", SQUARE)
    drawer.world.now += DAY / 2  # it was noon
    assert is_night(drawer.world.now)
    inventory, room, players = [told for _, told in drawer.look()]
    assert len(inventory["items"]) == 1
    assert room["items"] == players == []


def test_a_world_loaded_again_is_told_whole() -> None:
    drawer = Drawer(*_ALL)
    first = drawer.look()
    drawer.world = town()
    drawer.me = person(drawer.world, "Ann", SQUARE)
    drawer.panels, drawer.told = Panels(), Told()
    assert drawer.look() == first


def test_a_room_is_seen_once_for_all() -> None:
    """The same object for everybody, until something differs."""
    drawer = Drawer()
    see = drawer.surroundings.of
    view = see(drawer.world, SQUARE)
    drawer.world.mint_item(ATLAS.items["flask"], drawer.me.id)
    drawer.world.take_change()
    assert see(drawer.world, SQUARE) is view
    _flask(drawer.world, SQUARE)
    drawer.world.take_change()
    assert see(drawer.world, SQUARE) is not view


def test_nothing_is_gathered_while_nothing_changes() -> None:
    drawer = Drawer()
    assert drawer.states()
    assert not drawer.panels.stale(drawer.world)
    drawer.world.move_gold(MINT, drawer.me.id, 7)
    drawer.world.take_change()
    assert drawer.panels.stale(drawer.world)


def test_a_crowd_is_shown_once_a_second() -> None:
    """Whoever comes into one sees it at once; all it comes to is seen in the end."""
    drawer = Drawer()
    for number in range(30):
        person(drawer.world, f"P{number}", SQUARE)
    assert "Mythos.Here" in [state.name for state in drawer.states()]
    person(drawer.world, "Bob", SQUARE)
    assert drawer.states(0.5) == []
    (here,) = drawer.states(0.6)
    assert here.data["more"] == 13  # of 32, and Marta
    drawer.world.place_body(drawer.me, YARD)
    assert [state.panel.room for state in drawer.states(0.0)] == [YARD]
    drawer.world.place_body(drawer.me, SQUARE)
    assert [state.panel.room for state in drawer.states(0.0)] == [SQUARE]


def test_what_looks_alike_is_counted_together() -> None:
    """As states, which name few; each thing counts, in however long a list."""
    drawer = Drawer()
    for _ in range(LISTED + 20):
        _flask(drawer.world, drawer.me.id)
    bag = next(state for state in drawer.states() if state.name == "Mythos.Bag")
    assert bag.data == {"things": [{"name": "120 flasks", "word": "flask", "worn": "", "lit": False}]}


def test_contents() -> None:
    """Of a container that is at hand; of nothing else."""
    world = town()
    me = person(world, "Ann", SQUARE)
    mine, there = (world.mint_item(ATLAS.items["bag"], place) for place in (me.id, DEN))
    flask = _flask(world, mine.id)
    thing = {"id": flask, "name": "a flask", "attrib": "t"}
    assert contents_of(world, me, mine.id) == ("Char.Items.List", {"location": f"rep{mine.id}", "items": [thing]})
    assert contents_of(world, me, there.id) is None
    assert contents_of(world, me, flask) is None
    assert contents_of(world, me, "no such thing") is None
