"""The small language of dialogue: ``when: not flag met and has brass-lamp``, ``do: [give-item brass-lamp]``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from mythos.config.nodes import Node
from mythos.config.problems import Problems, near
from mythos.world.zones import Condition, Effect

__all__ = ["conditions", "effects"]

#: (the node that names it, what it names, the zone it stands in, its kind) -> the whole id
Named = Callable[[Node, str, str, str], str]

#: Exact in every JSON reader; and most things that change hands at once.
_AMOUNT = re.compile(r"[0-9]{1,15}")
_THINGS = 1000
_CONDITIONS = ("flag", "has", "gold", "night", "day")
#: What an effect names; None: nothing.
_EFFECTS = {
    "set-flag": "flag",
    "clear-flag": "flag",
    "give-item": "item",
    "take-item": "item",
    "give-gold": None,
    "take-gold": None,
    "heal": None,
    "teleport": "room",
    "task": "step",
}


def conditions(node: Node, zone: str, named: Named, problems: Problems) -> Iterator[Condition]:
    """Clauses joined by ``and``."""
    for clause in node.as_text(problems).split(" and "):
        words = clause.split()
        negated = words[:1] == ["not"]
        what, *rest = (words[1:] if negated else words) or [""]
        if what in ("night", "day") and not rest:
            yield Condition(what, negated=negated)
        elif what == "flag" and len(rest) == 1:
            yield Condition("flag", _flag(zone, rest[0]), negated=negated)
        elif what == "gold" and len(rest) == 1 and _AMOUNT.fullmatch(rest[0]):
            yield Condition("gold", amount=int(rest[0]), negated=negated)
        elif what == "has" and (len(rest) == 1 or (len(rest) == 2 and _AMOUNT.fullmatch(rest[0]))):
            amount = int(rest[0]) if len(rest) == 2 else 1
            yield Condition("has", named(node, rest[-1], zone, "item"), amount, negated)
        else:
            problems.add(node, f"'{clause.strip()}' is no condition{near(what, _CONDITIONS)}")


def effects(nodes: Sequence[Node], zone: str, named: Named, problems: Problems) -> Iterator[Effect]:
    """One step each."""
    for node in nodes:
        what, *rest = node.as_text(problems).split() or [""]
        if what not in _EFFECTS:
            problems.add(node, f"'{what}' is no effect{near(what, _EFFECTS)}")
            continue
        kind = _EFFECTS[what]
        amount = int(rest.pop(0)) if rest and _AMOUNT.fullmatch(rest[0]) else 1
        if not amount and what != "set-flag":
            problems.add(node, f"'{what}' of 0 is nothing")
        elif kind == "item" and amount > _THINGS:
            problems.add(node, f"'{what}' of {amount} is too much: at most {_THINGS} at once")
        elif (kind is None) != (not rest) or len(rest) > 1:
            problems.add(node, f"'{what}' takes {'an amount' if kind is None else f'the name of one {kind}'}")
        elif kind is None:
            yield Effect(what, amount=amount)
        elif kind == "flag":
            yield Effect(what, _flag(zone, rest[0]), amount)
        else:
            yield Effect(
                what, _step(rest[0], zone, node, named) if kind == "step" else named(node, rest[0], zone, kind), amount
            )


def _flag(zone: str, name: str) -> str:
    return name if ":" in name else f"{zone}:{name}"


def _step(name: str, zone: str, node: Node, named: Named) -> str:
    """``quest:step`` of the same zone, or ``zone:quest:step``."""
    return named(node, name if name.count(":") == 2 else f"{zone}:{name}", zone, "step")
