"""Shops: a keeper sells what it can always get, and buys what it can use with the gold it has.

It asks more than it pays for anything, to the last coin, so that no gold can be pumped out of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from mythos.errors import Refusal
from mythos.world import things
from mythos.world.facts import Bought, Fact, Sold
from mythos.world.state import Character, Item, Npc, World
from mythos.world.zones import ItemProto, Shop

__all__ = ["asked", "buy", "offered", "sell", "wares"]

#: Most of one ware at once.
_AT_ONCE = 100


def asked(shop: Shop, proto: ItemProto) -> int:
    """What one of it costs, in gold: the odd part of a coin is the keeper's."""
    return max(1, -(-proto.price * shop.asks // 100))


def offered(shop: Shop, proto: ItemProto) -> int:
    """What the keeper pays for one, in gold; 0: it does not want it."""
    if shop.buys != ("*",) and proto.id not in shop.buys:
        return 0
    return proto.price * shop.pays // 100


def wares(world: World, keeper: Npc) -> Iterator[tuple[ItemProto, int]]:
    """What is for sale, with the price of one."""
    shop = _shop(keeper)
    for id in shop.sells:
        proto = world.atlas.items[id]
        yield proto, asked(shop, proto)


def _shop(keeper: Npc) -> Shop:
    shop = keeper.proto.shop
    if shop is None:
        raise Refusal(f"{_name(keeper)} does not trade.")
    if keeper.fighting is not None:
        raise Refusal(f"{_name(keeper)} is fighting, and does not trade.")
    return shop


def buy(world: World, who: Character, keeper: Npc, proto: ItemProto, count: int = 1) -> list[Fact]:
    """:raises Refusal: it is not for sale, costs more than one has, or cannot be carried"""
    shop = _shop(keeper)
    if proto.id not in shop.sells:
        raise Refusal(f"{_name(keeper)} sells no {proto.name}.")
    if not 0 < count <= _AT_ONCE:
        raise Refusal(f"You can buy 1 to {_AT_ONCE} at once.")
    price = asked(shop, proto) * count
    if who.gold < price:
        raise Refusal(f"That costs {price} gold, and you have {who.gold}.")
    if not things.room_for(world, who.id, proto.id, proto.stackable, count):
        raise Refusal("You cannot carry more things.")
    world.move_gold(who.id, keeper.id, price)
    if proto.stackable:
        world.mint_item(proto, who.id, count)
    else:
        for _ in range(count):
            world.mint_item(proto, who.id)
    return [Bought(who.id, proto.id, count, price, keeper.id, who.room)]


def sell(world: World, who: Character, keeper: Npc, item: Item, count: int) -> list[Fact]:
    """:raises Refusal: the keeper does not want it or cannot pay; it is worn, or not empty"""
    price = offered(_shop(keeper), item.proto) * count
    if not price:
        raise Refusal(f"{_name(keeper)} does not want the {item.proto.name}.")
    if item.worn:
        raise Refusal(f"You are using the {item.proto.name}. Remove it first.")
    if world.contents.get(item.id) or world.hoards.get(item.id):
        raise Refusal(f"The {item.proto.name} is not empty.")
    if keeper.gold < price:
        raise Refusal(f"{_name(keeper)} has not enough gold left for that.")
    world.move_gold(keeper.id, who.id, price)
    world.burn_item(item, count)
    return [Sold(who.id, item.proto.id, count, price, keeper.id, who.room)]


def _name(keeper: Npc) -> str:
    return keeper.name[:1].upper() + keeper.name[1:]
