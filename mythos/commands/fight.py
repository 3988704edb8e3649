"""Fighting and getting away."""

from __future__ import annotations

from mythos.commands import grammar
from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.play.verbs import Verb
from mythos.world import combat
from mythos.world.facts import Fled

__all__ = ["VERBS"]


def _attack(call: Call) -> None:
    if not call.rest:
        raise Refusal(f"Whom do you want to {call.verb.name}?")
    call.happen(combat.attack(call.world, call.me.id, grammar.person(call, call.rest).id))


def _flee(call: Call) -> None:
    facts = combat.flee(call.world, call.me.id)
    if not any(isinstance(fact, Fled) for fact in facts):
        call.reply("You try to get away, and fail!", kind="combat")
    call.happen(facts)


VERBS = (
    Verb(
        "attack",
        _attack,
        ("attack <someone>",),
        "Start a fight, or turn on another foe.",
        "fight",
        aliases=("kill", "k"),
        more="You and your foe strike once every round until one falls or flees. Wield a weapon first. Who falls "
        "wakes up at home and loses nothing but time. Players do not fight each other.",
        see=("flee", "score"),
    ),
    Verb(
        "flee",
        _flee,
        ("flee",),
        "Run from a fight, by any way out.",
        "fight",
        more="It may fail, and then you take a blow.",
        see=("attack",),
    ),
)
