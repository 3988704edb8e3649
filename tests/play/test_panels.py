"""What clients draw: all of it at first, then what differs."""

from __future__ import annotations

from typing import Any

from mythos.ids import EntityId
from mythos.play.panels import LISTED, Panels, Surroundings, contents_of
from mythos.world.calendar import DAY, is_night
from mythos.world.state import MINT, Character, World
from tests.world.town import ATLAS, DEN, MARTA, SQUARE, YARD, person, town

_ALL = ("char", "char.items", "room", "comm.channel")


class Drawer:
    """Somebody in the square, and the client that draws."""

    def __init__(self, *modules: str) -> None:
        self.world: World = town()
        self.me: Character = person(self.world, "Ann", SQUARE)
        self.turn = 0
        self.surroundings = Surroundings(lambda: self.turn)
        self.panels = Panels(self.surroundings)
        self.modules = modules

    def look(self) -> list[tuple[str, Any]]:
        self.turn += 1
        return list(self.panels.look(self.world, self.me, self.modules))


def _flask(world: World, place: Any) -> EntityId:
    return world.mint_item(ATLAS.items["flask"], place).id


def test_all_at_first() -> None:
    drawer = Drawer(*_ALL)
    person(drawer.world, "Bob", SQUARE)
    assert drawer.look() == [
        (
            "Comm.Channel.List",
            [
                {"name": "chat", "caption": "Chat", "command": "chat"},
                {"name": "newbie", "caption": "Newbie", "command": "newbie"},
            ],
        ),
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
    assert [name for name, _ in drawer.look()] == [name for name, _ in first]


def test_a_room_is_seen_once_for_all() -> None:
    """The same object for everybody, until something differs; and a view is of one turn."""
    drawer = Drawer()
    see = drawer.surroundings.of
    view = see(drawer.world, SQUARE)
    drawer.turn += 1
    assert see(drawer.world, SQUARE) is view
    _flask(drawer.world, SQUARE)
    drawer.turn += 1
    assert see(drawer.world, SQUARE) is not view


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
