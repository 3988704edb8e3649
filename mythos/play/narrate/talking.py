"""How talk sounds, and what the world does by itself: the day, idling, tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mythos.play.audience import Heard, InRoom, InZone, Only
from mythos.wire.message import Line, Role, Span, line
from mythos.world.facts import (
    DayTurned,
    Emoted,
    Fact,
    Idled,
    NpcSaid,
    Reset,
    Said,
    Shouted,
    TaskDone,
    Told,
    Whispered,
)
from mythos.world.state import Body, Character, World

__all__ = ["NARRATORS", "named", "subject"]

_SKY = {
    "dawn": "Grey light comes up out of the east. It is dawn.",
    "day": "The sun is up. It is day.",
    "dusk": "The light fails. It is dusk.",
    "night": "The last light goes. It is night.",
}


def named(body: Body) -> Span:
    """A body's name inside a sentence."""
    return Span(body.name, Role.PLAYER if isinstance(body, Character) else Role.NPC)


def subject(body: Body) -> Span:
    """A body's name at the beginning of a sentence."""
    if isinstance(body, Character):
        return Span(body.name, Role.PLAYER)
    return Span(body.name[:1].upper() + body.name[1:], Role.NPC)


def _said(world: World, fact: Said) -> Iterable[Heard]:
    # The busiest narrator of all: no helper in between, two lines, three spans.
    who = fact.who
    words = fact.words
    name = world.body(who).name
    return (
        (Only(who), Line("say", (Span(f'You say, "{words}"'),))),
        (InRoom(fact.room, (who,)), Line("say", (Span(name, Role.PLAYER), Span(f' says, "{words}"')))),
    )


def _npc_said(world: World, fact: NpcSaid) -> Iterable[Heard]:
    speaker = subject(world.body(fact.who))
    to = world.characters.get(fact.to) if fact.to is not None else None
    if to is None:
        return ((InRoom(fact.room), line("say", speaker, f' says, "{fact.words}"')),)
    return (
        (Only(to.id), line("say", speaker, f' says to you, "{fact.words}"')),
        (InRoom(fact.room, (to.id,)), line("say", speaker, " says to ", named(to), f', "{fact.words}"')),
    )


def _emoted(world: World, fact: Emoted) -> Iterable[Heard]:
    words = fact.words
    if words[-1].isalnum():
        words += "."
    gap = "" if words.startswith(("'", ",")) else " "
    return ((InRoom(fact.room), line("emote", subject(world.body(fact.who)), gap + words)),)


def _whispered(world: World, fact: Whispered) -> Iterable[Heard]:
    me, to = world.body(fact.who), world.body(fact.to)
    return (
        (Only(me.id), line("tell", "You whisper to ", named(to), f', "{fact.words}"')),
        (Only(to.id), line("tell", subject(me), f' whispers to you, "{fact.words}"')),
        (InRoom(fact.room, (me.id, to.id)), line("say", subject(me), " whispers something to ", named(to), ".")),
    )


def _told(world: World, fact: Told) -> Iterable[Heard]:
    me, to = world.body(fact.who), world.body(fact.to)
    return (
        (Only(me.id), line("tell", "You tell ", named(to), f', "{fact.words}"')),
        (Only(to.id), line("tell", subject(me), f' tells you, "{fact.words}"')),
    )


def _shouted(world: World, fact: Shouted) -> Iterable[Heard]:
    me = world.body(fact.who)
    zone = world.room(fact.room).zone
    return (
        (Only(me.id), line("say", f'You shout, "{fact.words}"')),
        (InZone(zone, (me.id,)), line("say", subject(me), f' shouts, "{fact.words}"')),
    )


def _idled(world: World, fact: Idled) -> Iterable[Heard]:
    return ((InRoom(fact.room), line("room", fact.words)),)


def _day_turned(world: World, fact: DayTurned) -> Iterable[Heard]:
    """Seen under the sky only: in the rooms outdoors where somebody stands."""
    sight = line("room", _SKY[fact.phase])
    return [(InRoom(room), sight) for room in world.people if world.room(room).outdoors]


def _reset(world: World, fact: Reset) -> Iterable[Heard]:
    """Things lie there again without anybody having seen how."""
    return ()


def _task_done(world: World, fact: TaskDone) -> Iterable[Heard]:
    quest = world.atlas.quests[fact.quest]
    if fact.ended:
        return (
            (Only(fact.who), line("system", Span(f"Task done: {quest.title}.", Role.GOOD), f" {quest.done}".rstrip())),
        )
    flags = world.characters[fact.who].flags or {}
    next_one = next((text for name, text in quest.steps if f"{quest.id}:{name}" not in flags), "")
    return ((Only(fact.who), line("system", Span(f"Task: {quest.title}.", Role.GOOD), f" {next_one}".rstrip())),)


NARRATORS: dict[type[Fact], Callable[[World, Any], Iterable[Heard]]] = {
    Said: _said,
    NpcSaid: _npc_said,
    Emoted: _emoted,
    Whispered: _whispered,
    Told: _told,
    Shouted: _shouted,
    Idled: _idled,
    DayTurned: _day_turned,
    Reset: _reset,
    TaskDone: _task_done,
}
