"""Looking and moving: the room, what is in it, ways out and their doors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mythos.commands import grammar
from mythos.errors import Refusal
from mythos.ids import EntityId
from mythos.play.call import Call
from mythos.play.narrate import mapping, seeing
from mythos.play.settings import chosen
from mythos.play.verbs import Verb
from mythos.wire.message import line
from mythos.world import movement, perception
from mythos.world.facts import Examined, Fact, Looked
from mythos.world.state import Item, World

__all__ = ["VERBS"]

#: Letters of a detail's name from which its beginning is enough.
_BEGINNING = 3


# ── looking ─────────────────────────────────────────────────────────────────────────────────────


def _look(call: Call) -> None:
    rest = call.rest
    if not rest:
        call.happen((Looked(call.me.id, call.me.room, again=True),))
        return
    word, _, words = rest.partition(" ")
    if word in ("at", "in", "into", "inside", "to") and words:
        rest = words
    if (way := grammar.WAYS.get(rest.lower(), rest.lower())) in call.world.room(call.me.room).exits:
        _look_along(call, way)
        return
    _sight(call, rest)


def _look_along(call: Call, direction: str) -> None:
    world, room = call.world, call.world.room(call.me.room)
    for exit in perception.exits_seen(world, call.me):
        if exit.direction == direction:
            state = world.door(room.id, exit)
            if exit.door is not None and state is not None and state.closed:
                raise Refusal(f"The {exit.door.name} is closed.")
            call.reply(line("room", f"That way lies: {world.room(exit.to).title}."))
            return
    raise Refusal("You see nothing special that way.")


def _examine(call: Call) -> None:
    if not call.rest:
        raise Refusal("Examine what? Type, for example: examine door")
    _sight(call, call.rest.removeprefix("at "))


def _sight(call: Call, words: str) -> None:
    call.happen((Examined(call.me.id, *_seen(call, words)),))


def _seen(call: Call, words: str) -> tuple[EntityId | None, str]:
    """What is meant: somebody, a thing at hand, or a detail of the room. :raises Refusal: nothing here is called so"""
    name = grammar.bare(words)
    details = call.world.room(call.me.room).details
    dark = perception.is_dark(call.world, call.me.room)
    if name in details and not dark and not _named_so(call, name):
        return None, details[name]
    try:
        return grammar.person(call, words).id, ""
    except grammar.Missing:
        pass
    except Refusal:
        if not dark:
            raise
    try:
        return grammar.thing(call, words, _at_hand(call), "here").id, ""
    except grammar.Missing as missing:
        if dark:
            raise Refusal("It is too dark to see that.") from None
        for known, text in details.items():
            if len(name) >= _BEGINNING and known.startswith(name):
                return None, text
        for exit in perception.exits_seen(call.world, call.me):
            if exit.door is not None and grammar.called(name, exit.door.name.lower().split()):
                return None, _door_text(call.world, call.me.id, exit.direction)
        raise missing


def _named_so(call: Call, name: str) -> bool:
    """Whether somebody or something at hand bears just this name."""
    crowd = call.world.people.get(call.me.room, {}).values()
    return any(name in grammar.names_of(body) for body in crowd if body is not call.me) or any(
        name in item.proto.words for item in _at_hand(call)
    )


def _at_hand(call: Call) -> Iterator[Item]:
    """What one carries; and what lies about, if it can be seen."""
    yield from call.world.held(call.me.id)
    if not perception.is_dark(call.world, call.me.room):
        yield from call.world.held(call.me.room)


def _door_text(world: World, who: EntityId, direction: str) -> str:
    room = world.room(world.body(who).room)
    exit = room.exits[direction]
    state = world.door(room.id, exit)
    assert exit.door is not None
    how = "open" if state is None or not state.closed else "locked" if state.locked else "closed"
    return f"The {exit.door.name} leads {direction}. It is {how}."


def _read(call: Call) -> None:
    if not call.rest:
        raise Refusal("Read what?")
    target, text = _seen(call, call.rest)
    if target is None:
        call.happen((Examined(call.me.id, None, text),))
        return
    item = call.world.items.get(target)
    if item is None or not item.proto.read:
        raise Refusal("There is nothing to read on that.")
    call.reply(line("item", f'It reads: "{item.proto.read}"'))


def _search(call: Call) -> None:
    call.happen(movement.search(call.world, call.me.id))


def _exits(call: Call) -> None:
    if perception.is_dark(call.world, call.me.room):
        raise Refusal("It is too dark to see any way out. You can still feel your way: type a direction.")
    call.reply(seeing.exits_line(call.world, call.me.room, perception.exits_seen(call.world, call.me)))


def _map(call: Call) -> None:
    how = call.rest.lower()
    if how not in ("", "words"):
        raise Refusal(f"Type: {', or '.join(call.verb.syntax)}")
    if perception.is_dark(call.world, call.me.room):
        raise Refusal("It is too dark to see how the ways lie.")
    spoken = how or chosen(call.me, "screenreader") == "on"
    call.reply(*(mapping.words if spoken else mapping.picture)(call.world, call.me, mapping.STEPS))


# ── moving ──────────────────────────────────────────────────────────────────────────────────────


def _go(call: Call) -> None:
    if not call.rest:
        raise Refusal("Go where? Type a direction, such as north or n.")
    word = grammar.bare(call.rest)
    call.happen(movement.walk(call.world, call.me.id, grammar.WAYS.get(word, word)))


def _enter(call: Call) -> None:
    """By the way in, a way of that name, or a door of that name."""
    word = grammar.bare(call.rest) or "in"
    exits = perception.exits_seen(call.world, call.me)
    if word not in {exit.direction for exit in exits}:
        for exit in exits:
            if exit.door is not None and grammar.called(word, exit.door.name.lower().split()):
                word = exit.direction
                break
        else:
            raise Refusal("There is nothing here to enter." if not call.rest else f"You cannot enter {call.rest}.")
    call.happen(movement.walk(call.world, call.me.id, word))


def _door(rule: Callable[[World, EntityId, str], list[Fact]]) -> Callable[[Call], None]:
    def run(call: Call) -> None:
        if not call.rest:
            raise Refusal(f"{call.verb.name.capitalize()} what? Type: {call.verb.syntax[0]}")
        name, _ = grammar.preposition(call.rest, "with")
        name = grammar.bare(name)
        call.happen(rule(call.world, call.me.id, grammar.WAYS.get(name, name)))

    return run


def _follow(call: Call) -> None:
    if not call.rest:
        raise Refusal("Follow whom?")
    call.happen(movement.follow(call.world, call.me.id, grammar.person(call, call.rest).id))


def _unfollow(call: Call) -> None:
    call.happen(movement.unfollow(call.world, call.me.id))


VERBS = (
    Verb(
        "look",
        _look,
        ("look", "look <thing or person>", "look in <container>", "look <direction>"),
        "See where you are, or look at something.",
        "look",
        aliases=("l",),
        more="Every noun of a room's text can be looked at.",
        see=("examine", "exits", "search"),
    ),
    Verb(
        "examine",
        _examine,
        ("examine <thing or person>",),
        "Look closely at something in the room or in your hands.",
        "look",
        aliases=("x", "exa"),
        see=("look", "read"),
    ),
    Verb("read", _read, ("read <thing>",), "Read what is written on something.", "look", see=("examine",)),
    Verb(
        "search",
        _search,
        ("search",),
        "Search the place for what does not meet the eye.",
        "look",
        cost=3.0,
        see=("look",),
    ),
    Verb(
        "map",
        _map,
        ("map", "map words"),
        "See where the ways from here lead, in a picture or in words.",
        "look",
        more="In the picture @ is where you are, o a place, u one with a way up, d one with a way down, x one with "
        "both; lines are ways, + is a closed door.\n"
        "In words each place has the way to it behind its name. To have a small map with each look: settings map on, "
        "or settings map words.",
        see=("exits", "look", "settings"),
    ),
    Verb("exits", _exits, ("exits",), "List the ways out.", "look", see=("go", "look")),
    Verb(
        "go",
        _go,
        ("go <direction>",),
        "Walk somewhere. The direction alone is enough.",
        "move",
        aliases=("walk",),
        more="Directions are north, northeast, east, southeast, south, southwest, west, northwest, up, down, in and "
        "out; or n, ne, e, se, s, sw, w, nw, u and d.",
        see=("exits", "enter", "follow"),
    ),
    Verb("enter", _enter, ("enter", "enter <door or way>"), "Go inside.", "move", see=("go",)),
    Verb(
        "open",
        _door(movement.open_door),
        ("open <door or direction>",),
        "Open a door.",
        "move",
        see=("close", "unlock"),
    ),
    Verb(
        "close",
        _door(movement.close_door),
        ("close <door or direction>",),
        "Close a door.",
        "move",
        aliases=("shut",),
        see=("open", "lock"),
    ),
    Verb(
        "lock",
        _door(movement.lock_door),
        ("lock <door or direction>",),
        "Lock a closed door, if you have its key.",
        "move",
        see=("unlock", "close"),
    ),
    Verb(
        "unlock",
        _door(movement.unlock_door),
        ("unlock <door or direction>",),
        "Unlock a door, if you have its key.",
        "move",
        see=("lock", "open"),
    ),
    Verb(
        "follow",
        _follow,
        ("follow <someone>",),
        "Go wherever somebody goes.",
        "move",
        see=("unfollow",),
    ),
    Verb("unfollow", _unfollow, ("unfollow",), "Stop following.", "move", see=("follow",)),
)
