"""Buying and selling with whoever keeps a shop in the room."""

from __future__ import annotations

from mythos.commands import grammar
from mythos.commands.several import each
from mythos.errors import Refusal
from mythos.play.call import Call
from mythos.play.narrate import phrase
from mythos.play.narrate.talking import subject
from mythos.play.verbs import Verb
from mythos.wire.message import Role, Span, line
from mythos.world import trade
from mythos.world.state import Npc
from mythos.world.zones import ItemProto

__all__ = ["VERBS"]


def _keeper(call: Call, name: str) -> Npc:
    """Who trades here. :raises Refusal: nobody, or several and none of them named"""
    if name:
        body = grammar.person(call, name)
        if isinstance(body, Npc) and body.proto.shop is not None:
            return body
        raise Refusal(f"{phrase.capital(body.name)} does not trade.")
    crowd = call.world.people.get(call.me.room, {}).values()
    keepers = [body for body in crowd if isinstance(body, Npc) and body.proto.shop is not None]
    if not keepers:
        raise Refusal("Nobody trades here.")
    if len(keepers) > 1:
        raise Refusal(f"With whom: {phrase.listing([keeper.name for keeper in keepers])}?")
    return keepers[0]


def _list(call: Call) -> None:
    keeper = _keeper(call, call.rest)
    call.reply(line("item", subject(keeper), " sells:"))
    for proto, price in trade.wares(call.world, keeper):
        name = phrase.capital(phrase.a(proto))
        call.reply(line("item", Span(name, Role.ITEM), f": {price} gold."))
    call.reply(f"You have {call.me.gold} gold.")


def _buy(call: Call) -> None:
    if not call.rest:
        raise Refusal("Buy what? To see what there is, type: list")
    words, name = grammar.preposition(call.rest, "from")
    keeper = _keeper(call, name)
    number, _, rest = words.partition(" ")
    count = 1
    if rest and number.isascii() and number.isdigit():
        count, words = int(number[:6]), rest
    call.happen(trade.buy(call.world, call.me, keeper, _ware(call, keeper, words), count))


def _ware(call: Call, keeper: Npc, words: str) -> ItemProto:
    name = grammar.bare(words)
    found = [proto for proto, _ in trade.wares(call.world, keeper) if _is(name, proto)]
    exact = [proto for proto in found if name in proto.words or name == proto.name.lower()]
    found = exact or found
    if not found:
        raise Refusal(f"{phrase.capital(keeper.name)} sells no {words}.")
    if len(found) > 1:
        raise Refusal(f"Which do you mean: {phrase.listing([phrase.a(proto) for proto in found])}?")
    return found[0]


def _is(name: str, proto: ItemProto) -> bool:
    return grammar.called(name, proto.words) or name in (proto.plural.lower(), f"{proto.name.lower()}s")


def _sell(call: Call) -> None:
    if not call.rest:
        raise Refusal("Sell what?")
    words, name = grammar.preposition(call.rest, "to")
    keeper = _keeper(call, name)
    shelf = [item for item in call.world.held(call.me.id) if not item.worn]
    chosen = grammar.things(call, words, shelf, "")
    each(call, chosen, lambda item, count: trade.sell(call.world, call.me, keeper, item, count))


def _value(call: Call) -> None:
    if not call.rest:
        raise Refusal("Value what?")
    words, name = grammar.preposition(call.rest, "for")
    keeper = _keeper(call, name)
    item = grammar.thing(call, words, call.world.held(call.me.id), "")
    shop = keeper.proto.shop
    price = trade.offered(shop, item.proto) if shop is not None else 0
    if price:
        call.reply(line("item", subject(keeper), f" would pay {price} gold for the {item.proto.name}."))
    else:
        call.reply(line("item", subject(keeper), f" does not want the {item.proto.name}."))


VERBS = (
    Verb("list", _list, ("list", "list <keeper>"), "See what is for sale here.", "trade", see=("buy", "sell")),
    Verb(
        "buy",
        _buy,
        ("buy <thing>", "buy <number> <things>", "buy <thing> from <keeper>"),
        "Buy something that is for sale here.",
        "trade",
        see=("list", "sell"),
    ),
    Verb(
        "sell",
        _sell,
        ("sell <thing>", "sell <thing> to <keeper>"),
        "Sell something of yours.",
        "trade",
        see=("value", "buy"),
    ),
    Verb(
        "value",
        _value,
        ("value <thing>",),
        "Ask what a keeper would pay for something.",
        "trade",
        aliases=("appraise",),
        see=("sell",),
    ),
)
