"""Things: taking them up, putting them down, handing them on, putting them on."""

from __future__ import annotations

from mythos.commands import grammar
from mythos.commands.several import each
from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.play.narrate import phrase, seeing
from mythos.play.verbs import Verb
from mythos.wire.message import Role, Span, line
from mythos.world import npcs, perception, things
from mythos.world.state import Item, Npc

__all__ = ["VERBS"]


def _needs(call: Call, what: str) -> None:
    if not call.rest:
        raise Refusal(f"{what} Type: {call.verb.syntax[0]}")


# ── up and down ─────────────────────────────────────────────────────────────────────────────────


def _get(call: Call) -> None:
    _needs(call, "Get what?")
    words, source = grammar.preposition(call.rest, "from", "out of")
    box = _box(call, source) if source else None
    if box is None and perception.is_dark(call.world, call.me.room):
        raise Refusal("It is too dark to find anything on the floor.")
    if (amount := grammar.gold(words)) is not None:
        call.happen(things.get_gold(call.world, call.me.id, amount, box))
        return
    where = f"in the {box.proto.name}" if box is not None else "here"
    shelf = list(call.world.held(call.me.room if box is None else box.id))
    if all_of_it := grammar.bare(words) == "all":
        shelf = [item for item in shelf if item.proto.takeable]
        if call.world.gold_at(call.me.room if box is None else box.id):
            call.happen(things.get_gold(call.world, call.me.id, 0, box))
            if not shelf:
                return
    if all_of_it and not shelf:
        raise Refusal(f"There is nothing {where} to take.")
    each(
        call,
        grammar.things(call, words, shelf, where),
        lambda item, count: things.get(call.world, call.me.id, item, count),
    )


def _box(call: Call, words: str) -> Item:
    """A container that one carries or that stands about."""
    box = grammar.thing(call, words, _about(call), "here")
    if not box.proto.capacity:
        raise Refusal(f"The {box.proto.name} holds nothing.")
    return box


def _about(call: Call) -> list[Item]:
    about = list(call.world.held(call.me.id))
    if not perception.is_dark(call.world, call.me.room):
        about += call.world.held(call.me.room)
    return about


def _mine(call: Call, words: str) -> list[tuple[Item, int]]:
    """What is meant of one's own: with ``all``, not what one wears."""
    shelf = list(call.world.held(call.me.id))
    if grammar.bare(words) == "all":
        shelf = [item for item in shelf if not item.worn]
    return grammar.things(call, words, shelf, "")


def _drop(call: Call) -> None:
    _needs(call, "Drop what?")
    if (amount := grammar.gold(call.rest)) is not None:
        call.happen(things.drop_gold(call.world, call.me.id, amount))
        return
    each(call, _mine(call, call.rest), lambda item, count: things.drop(call.world, call.me.id, item, count))


def _put(call: Call) -> None:
    _needs(call, "Put what?")
    words, into = grammar.preposition(call.rest, "into", "in", "inside")
    if not words or not into:
        raise Refusal(f"Put it where? Type: {call.verb.syntax[0]}")
    box = _box(call, into)
    if (amount := grammar.gold(words)) is not None:
        call.happen(things.put_gold(call.world, call.me.id, amount, box))
        return
    chosen = [(item, count) for item, count in _mine(call, words) if item is not box]
    if not chosen:
        raise Refusal(f"The {box.proto.name} does not go into itself.")
    each(call, chosen, lambda item, count: things.put(call.world, call.me.id, item, count, box))


def _give(call: Call) -> None:
    _needs(call, "Give what to whom?")
    words, whom = grammar.preposition(call.rest, "to")
    if not whom:  # "give bob lamp" is heard too, as "give lamp bob" is
        words, _, whom = call.rest.rpartition(" ")
    if not words:
        raise Refusal(f"Give it to whom? Type: {call.verb.syntax[0]}")
    to = grammar.person(call, whom)
    if (amount := grammar.gold(words)) is not None:
        call.happen(things.give_gold(call.world, call.me.id, amount, to.id))
        return
    chosen = _mine(call, words)
    if isinstance(to, Npc) and _asked_for(call, to, chosen[0][0]):
        return
    each(call, chosen, lambda item, count: things.give(call.world, call.me.id, item, count, to.id))


def _asked_for(call: Call, npc: Npc, item: Item) -> bool:
    """Whether it is something this NPC takes in conversation: then that is what happens."""
    for topic in npc.proto.topics:
        wanted = any(effect.what == "take-item" and effect.name == item.proto.id for effect in topic.do)
        if wanted and topic.words:
            call.happen(npcs.talk(call.world, call.me.id, npc.id, topic.words[0]))
            return True
    return False


# ── on oneself ──────────────────────────────────────────────────────────────────────────────────


def _wear(call: Call) -> None:
    _needs(call, f"{call.verb.name.capitalize()} what?")
    shelf = [item for item in call.world.held(call.me.id) if item.proto.slot and not item.worn]
    if grammar.bare(call.rest) != "all" or not shelf:
        shelf = list(call.world.held(call.me.id))
    chosen = grammar.things(call, call.rest, shelf, "")
    if call.verb.name == "wield" and chosen[0][0].proto.slot != "hand":
        raise Refusal(f"You cannot wield the {chosen[0][0].proto.name}.")
    each(call, chosen, lambda item, _: things.wear(call.world, call.me.id, item))


def _remove(call: Call) -> None:
    _needs(call, "Remove what?")
    shelf = list(call.world.held(call.me.id))
    worn = [item for item in shelf if item.worn]
    chosen = grammar.things(call, call.rest, worn or shelf, "")
    each(call, chosen, lambda item, _: things.remove(call.world, call.me.id, item))


def _light(call: Call) -> None:
    _needs(call, "Light what?")
    _set_light(call, True)


def _extinguish(call: Call) -> None:
    _needs(call, "Put out what?")
    _set_light(call, False)


def _set_light(call: Call, lit: bool) -> None:
    item = grammar.thing(call, call.rest, call.world.held(call.me.id), "")
    call.happen(things.set_light(call.world, call.me.id, item, lit))


def _inventory(call: Call) -> None:
    me = call.me
    carried = phrase.alike(item for item in call.world.held(me.id) if not item.worn)
    worn = list(seeing.worn(call.world, me.id))
    call.reply("You carry:" if carried else "You carry nothing." if not worn else "You carry nothing in your bags.")
    for item, count in carried:
        call.reply(line("item", Span(phrase.capital(phrase.a(item.proto, count)), Role.ITEM), _note(item)))
    call.reply(*worn)
    call.reply(f"Gold: {me.gold}.")


def _note(item: Item) -> str:
    return " (lit)." if item.lit else "."


def _equipment(call: Call) -> None:
    worn = list(seeing.worn(call.world, call.me.id))
    call.reply(*worn or ["You wear and wield nothing."])


VERBS = (
    Verb(
        "get",
        _get,
        ("get <thing>", "get all", "get <thing> from <container>", "get <number> <things>", "get gold"),
        "Take something up, or out of something.",
        "things",
        aliases=("take",),
        more="With several alike, 2.lamp is the second of them, all.lamp is all of them.",
        see=("drop", "put", "give"),
    ),
    Verb(
        "drop",
        _drop,
        ("drop <thing>", "drop all", "drop <number> gold"),
        "Put something down.",
        "things",
        see=("get", "put"),
    ),
    Verb("put", _put, ("put <thing> in <container>",), "Put something into something.", "things", see=("get", "drop")),
    Verb(
        "give",
        _give,
        ("give <thing> to <someone>", "give <number> gold to <someone>"),
        "Hand something over.",
        "things",
        see=("get", "drop"),
    ),
    Verb(
        "wear",
        _wear,
        ("wear <thing>", "wear all"),
        "Put on what you carry.",
        "things",
        see=("remove", "wield", "equipment"),
    ),
    Verb("wield", _wear, ("wield <weapon>",), "Take a weapon in hand.", "things", see=("remove", "attack")),
    Verb(
        "remove",
        _remove,
        ("remove <thing>", "remove all"),
        "Take off what you wear, or put by what you wield.",
        "things",
        see=("wear", "wield"),
    ),
    Verb("light", _light, ("light <lamp>",), "Light something that gives light.", "things", see=("extinguish",)),
    Verb(
        "extinguish",
        _extinguish,
        ("extinguish <lamp>",),
        "Put out a light.",
        "things",
        aliases=("douse",),
        see=("light",),
    ),
    Verb(
        "inventory",
        _inventory,
        ("inventory",),
        "List what you carry.",
        "things",
        aliases=("i", "inv"),
        see=("equipment",),
    ),
    Verb(
        "equipment",
        _equipment,
        ("equipment",),
        "List what you wear and wield.",
        "things",
        aliases=("eq",),
        see=("inventory", "wear"),
    ),
)
