"""How fights sound: one short line for each blow. Players' gauges follow every change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mythos.ids import EntityId, RoomId
from mythos.play.audience import Audience, Heard, InRoom, Only
from mythos.play.narrate.talking import named, subject
from mythos.play.settings import wants_rounds
from mythos.wire.message import Line, Role, Span, State, line
from mythos.world.facts import Attacked, Died, Fact, Fled, Grown, Healed, Hit, Missed, Returned
from mythos.world.state import Body, Character, Npc, World

__all__ = ["NARRATORS", "in_rounds", "vitals"]


def vitals(character: Character) -> State:
    """A player's gauges, for clients that draw them."""
    return State(
        "Char.Vitals",
        {
            "hp": character.hp,
            "maxhp": character.max_hp,
            "gold": character.gold,
            "level": character.level,
            "xp": character.xp,
            "fighting": character.fighting is not None,
            "string": f"H:{character.hp}/{character.max_hp}",
        },
    )


def _gauges(*bodies: Body | None) -> list[Heard]:
    return [(Only(body.id), vitals(body)) for body in bodies if isinstance(body, Character)]


def _both(world: World, who: EntityId, target: EntityId, room: RoomId, words: tuple[str, str], end: str) -> list[Heard]:
    """One blow as each side and the others hear it. ``words``: what I do, what somebody does; NPCs hear nothing."""
    me, foe = world.body(who), world.body(target)
    mine, theirs = words
    heard: list[Heard] = []
    if isinstance(me, Character):
        heard.append((Only(who), line("combat", f"You {mine} ", named(foe), end)))
    if isinstance(foe, Character):
        to_you = line("combat", subject(me), f" {theirs} ", Span("you", Role.WARNING), end)
        heard.append((Only(target), to_you))
    others = end if end == "!" else "."
    heard.append((InRoom(room, (who, target)), line("combat", subject(me), f" {theirs} ", named(foe), others)))
    return heard


def _attacked(world: World, fact: Attacked) -> Iterable[Heard]:
    heard = _both(world, fact.who, fact.target, fact.room, ("attack", "attacks"), "!")
    return heard + _gauges(world.body(fact.who), world.body(fact.target))


def _hit(world: World, fact: Hit) -> Iterable[Heard]:
    end = f" with the {fact.weapon} for {fact.damage}." if fact.weapon else f" for {fact.damage}."
    heard = _both(world, fact.who, fact.target, fact.room, ("hit", "hits"), end)
    return heard + _gauges(world.body(fact.target))


def _missed(world: World, fact: Missed) -> Iterable[Heard]:
    return _both(world, fact.who, fact.target, fact.room, ("miss", "misses"), ".")


def _fled(world: World, fact: Fled) -> Iterable[Heard]:
    me = world.body(fact.who)
    return [
        (Only(me.id), line("combat", f"You flee {fact.direction}!")),
        (InRoom(fact.room, (me.id,)), line("combat", subject(me), f" flees {fact.direction}!")),
        *_gauges(me),
    ]


def _died(world: World, fact: Died) -> Iterable[Heard]:
    fallen = world.body(fact.who)
    by = world.body(fact.by) if fact.by is not None else None
    if isinstance(fallen, Npc):
        heard: list[Heard] = []
        if isinstance(by, Character):
            heard.append((Only(by.id), line("combat", Span("You defeat ", Role.GOOD), named(fallen), ".")))
        but = (by.id,) if by is not None else ()
        return [*heard, (InRoom(fact.room, but), line("combat", subject(fallen), " falls dead.")), *_gauges(by)]
    return [
        (Only(fallen.id), line("combat", Span("You fall, and everything goes dark.", Role.WARNING))),
        (InRoom(fact.room, (fallen.id,)), line("combat", subject(fallen), " falls, and is carried away.")),
        *_gauges(fallen),
    ]


def _returned(world: World, fact: Returned) -> Iterable[Heard]:
    body = world.body(fact.who)
    if isinstance(body, Npc):
        return ((InRoom(fact.room), line("move", subject(body), " is here again.")),)
    return ((Only(body.id), line("system", "You wake up, sore and alive. Nothing you carried is lost.")),)


def _healed(world: World, fact: Healed) -> Iterable[Heard]:
    """The gauge tells of each little bit; words, of the last."""
    me = world.characters[fact.who]
    if me.hp < me.max_hp:
        return _gauges(me)
    return [(Only(me.id), line("system", "You feel well again.")), *_gauges(me)]


def _grown(world: World, fact: Grown) -> Iterable[Heard]:
    me = world.characters[fact.who]
    heard: list[Heard] = [(Only(me.id), line("system", f"You gain {fact.xp} experience."))]
    if fact.level:
        heard.append((Only(me.id), line("system", Span(f"You reach level {fact.level}!", Role.GOOD))))
    return heard + _gauges(me)


def in_rounds(heard: Iterable[Heard], listeners: Callable[[Audience], Iterable[Character]]) -> list[Heard]:
    """The same, blows that follow each other put together in one line for those who want that.

    :param listeners: those who hear what an audience is told
    """
    told: list[Heard] = []
    rounds: dict[EntityId, list[Line]] = {}
    joined: dict[tuple[Line, ...], Line] = {}  # one for all who hear the same

    def end(who: EntityId) -> None:
        blows = tuple(rounds.pop(who))
        told.append((Only(who), joined.get(blows) or joined.setdefault(blows, _round(blows))))

    for audience, message in heard:
        if type(message) is Line and message.kind == "combat":
            wanting = tuple([one.id for one in listeners(audience) if wants_rounds(one)])
            for who in wanting:
                rounds.setdefault(who, []).append(message)
            if isinstance(audience, InRoom):
                told.append((InRoom(audience.room, (*audience.but, *wanting)), message))
            elif not wanting:
                told.append((audience, message))
            continue
        if rounds and type(message) is Line:
            for one in listeners(audience):
                if one.id in rounds:
                    end(one.id)
        told.append((audience, message))
    for who in tuple(rounds):
        end(who)
    return told


def _round(blows: tuple[Line, ...]) -> Line:
    if len(blows) == 1:
        return blows[0]
    spans = [span for blow in blows for span in (Span(" "), *blow.spans)]
    return line("combat", spans[1:])


NARRATORS: dict[type[Fact], Callable[[World, Any], Iterable[Heard]]] = {
    Attacked: _attacked,
    Hit: _hit,
    Missed: _missed,
    Fled: _fled,
    Died: _died,
    Returned: _returned,
    Healed: _healed,
    Grown: _grown,
}
