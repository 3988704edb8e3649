"""How things sound that change hands, are put on, lit, bought and sold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mythos.ids import EntityId, RoomId
from mythos.play.audience import Heard, InRoom, Only
from mythos.play.narrate.fights import vitals
from mythos.play.narrate.moving import who_is
from mythos.play.narrate.phrase import a
from mythos.play.narrate.talking import named
from mythos.wire.message import Role, Span, line
from mythos.world.facts import (
    Bought,
    Dropped,
    Fact,
    Gave,
    GaveGold,
    Got,
    GotGold,
    LightChanged,
    Put,
    Removed,
    Sold,
    Trade,
    Wore,
)
from mythos.world.state import GOLD, World

__all__ = ["NARRATORS"]

Words = tuple[str | Span, ...]


def _thing(world: World, proto: str, count: int = 1) -> Span:
    if proto == GOLD:
        return Span(f"{count} gold coin{'' if count == 1 else 's'}", Role.ITEM)
    return Span(a(world.atlas.items[proto], count), Role.ITEM)


def _done(world: World, who: EntityId, room: RoomId, mine: str, theirs: str, *words: str | Span) -> list[Heard]:
    """One deed, as the one who does it and the others in the room hear it."""
    return [
        (Only(who), line("item", f"You {mine} ", *words, ".")),
        (InRoom(room, (who,)), line("item", who_is(world, who, room), f" {theirs} ", *words, ".")),
    ]


def _purse(world: World, *bodies: EntityId) -> list[Heard]:
    """The gauges of those whose gold changed."""
    return [(Only(body), vitals(world.characters[body])) for body in bodies if body in world.characters]


def _got(world: World, fact: Got) -> Iterable[Heard]:
    words: Words = (_thing(world, fact.proto, fact.count), *_from(world, fact.source))
    return _done(world, fact.who, fact.room, "get", "gets", *words)


def _got_gold(world: World, fact: GotGold) -> Iterable[Heard]:
    words: Words = (_thing(world, GOLD, fact.amount), *_from(world, fact.source))
    return [*_done(world, fact.who, fact.room, "get", "gets", *words), *_purse(world, fact.who)]


def _from(world: World, source: EntityId | None) -> Words:
    if source is None:
        return ()
    return " from ", Span(f"the {world.items[source].proto.name}", Role.ITEM)


def _dropped(world: World, fact: Dropped) -> Iterable[Heard]:
    heard = _done(world, fact.who, fact.room, "drop", "drops", _thing(world, fact.proto, fact.count))
    return [*heard, *_purse(world, fact.who)] if fact.proto == GOLD else heard


def _put(world: World, fact: Put) -> Iterable[Heard]:
    box = Span(f"the {world.items[fact.into].proto.name}", Role.ITEM)
    heard = _done(world, fact.who, fact.room, "put", "puts", _thing(world, fact.proto, fact.count), " into ", box)
    return [*heard, *_purse(world, fact.who)] if fact.proto == GOLD else heard


def _gave(world: World, fact: Gave) -> Iterable[Heard]:
    return _handed(world, fact.who, fact.to, fact.room, _thing(world, fact.proto, fact.count))


def _gave_gold(world: World, fact: GaveGold) -> Iterable[Heard]:
    heard = _handed(world, fact.who, fact.to, fact.room, _thing(world, GOLD, fact.amount))
    return [*heard, *_purse(world, fact.who, fact.to)]


def _handed(world: World, who: EntityId, to: EntityId, room: RoomId, what: Span) -> list[Heard]:
    giver, other = who_is(world, who, room), world.body(to)
    return [
        (Only(who), line("item", "You give ", what, " to ", named(other), ".")),
        (Only(to), line("item", giver, " gives you ", what, ".")),
        (InRoom(room, (who, to)), line("item", giver, " gives ", what, " to ", who_is(world, to, room, False), ".")),
    ]


def _wore(world: World, fact: Wore) -> Iterable[Heard]:
    mine, theirs = {"hand": ("wield", "wields"), "light": ("hold up", "holds up")}.get(fact.slot, ("put on", "puts on"))
    return _done(world, fact.who, fact.room, mine, theirs, _thing(world, fact.proto))


def _removed(world: World, fact: Removed) -> Iterable[Heard]:
    mine, theirs = ("put by", "puts by") if fact.slot in ("hand", "light") else ("take off", "takes off")
    return _done(world, fact.who, fact.room, mine, theirs, _thing(world, fact.proto))


def _light_changed(world: World, fact: LightChanged) -> Iterable[Heard]:
    mine, theirs = ("light", "lights") if fact.lit else ("put out", "puts out")
    return _done(world, fact.who, fact.room, mine, theirs, _thing(world, fact.proto))


def _traded(mine: str, theirs: str, side: str) -> Callable[[World, Any], Iterable[Heard]]:
    def narrate(world: World, fact: Trade) -> Iterable[Heard]:
        keeper = named(world.body(fact.keeper))
        what = _thing(world, fact.proto, fact.count)
        return [
            (Only(fact.who), line("item", f"You {mine} ", what, f" {side} ", keeper, f" for {fact.price} gold.")),
            (
                InRoom(fact.room, (fact.who,)),
                line("item", who_is(world, fact.who, fact.room), f" {theirs} ", what, f" {side} ", keeper, "."),
            ),
            *_purse(world, fact.who),
        ]

    return narrate


NARRATORS: dict[type[Fact], Callable[[World, Any], Iterable[Heard]]] = {
    Got: _got,
    GotGold: _got_gold,
    Dropped: _dropped,
    Put: _put,
    Gave: _gave,
    GaveGold: _gave_gold,
    Wore: _wore,
    Removed: _removed,
    LightChanged: _light_changed,
    Bought: _traded("buy", "buys", "from"),
    Sold: _traded("sell", "sells", "to"),
}
