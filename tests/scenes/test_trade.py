"""Buying and selling: prices, refusals, and that no gold can be pumped out of a shop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.world import trade
from mythos.world.state import MINT
from mythos.world.zones import ItemProto, Shop
from tests.scenes.people import in_town, typed
from tests.scenes.scene import Scene
from tests.scenes.test_carry import PROTOS, held
from tests.world.town import MARTA, SQUARE


def at_the_shop(*protos: str, gold: int = 20) -> Scene:
    """On the square, where Marta trades. She asks 4 for a flask, and pays half the price of anything."""
    scene = in_town("Ann Bob", room=SQUARE)
    for npc in list(scene.world.people[SQUARE].values()):
        if npc.id not in (MARTA, scene.me("Ann").id, scene.me("Bob").id):
            scene.world.lift_body(npc)
    for proto in protos:
        scene.world.mint_item(PROTOS[proto], scene.me("Ann").id)
    scene.world.move_gold(MINT, scene.me("Ann").id, gold)
    return scene


def test_list() -> None:
    assert typed(at_the_shop(), "Ann", "list") == {"Ann": ["Marta sells:", "A flask: 4 gold.", "You have 20 gold."]}


def test_buy() -> None:
    scene = at_the_shop()
    assert typed(scene, "Ann", "buy flask") == {
        "Ann": ["You buy a flask from Marta for 4 gold."],
        "Bob": ["Ann buys a flask from Marta."],
    }
    assert typed(scene, "Ann", "buy 2 flasks from marta")["Ann"] == ["You buy 2 flasks from Marta for 8 gold."]
    assert (held(scene, "Ann"), scene.me("Ann").gold, scene.world.npcs[MARTA].gold) == (["1 flask"] * 3, 8, 112)
    assert scene.ears["Ann"].states["Char.Vitals"]["gold"] == 8


def test_sell() -> None:
    scene = at_the_shop("knife")
    assert typed(scene, "Ann", "value knife") == {"Ann": ["Marta would pay 5 gold for the knife."]}
    assert typed(scene, "Ann", "sell knife to marta") == {
        "Ann": ["You sell a knife to Marta for 5 gold."],
        "Bob": ["Ann sells a knife to Marta."],
    }
    assert (held(scene, "Ann"), scene.me("Ann").gold) == ([], 25)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("buy", "Buy what? To see what there is, type: list"),
        ("buy moon", "Marta sells no moon."),
        ("buy knife", "Marta sells no knife."),
        ("buy 6 flasks", "That costs 24 gold, and you have 20."),
        ("buy 0 flasks", "You can buy 1 to 100 at once."),
        ("buy 101 flasks", "You can buy 1 to 100 at once."),
        ("buy flask from bob", "Bob does not trade."),
        ("sell", "Sell what?"),
        ("sell moon", "You have no moon."),
        ("sell vest", "You have no vest."),
        ("sell bag", "The bag is not empty."),
        ("value", "Value what?"),
    ],
)
def test_refusals(line: str, words: str) -> None:
    scene = at_the_shop("knife", "vest", "bag", "tail")
    scene.type("Ann", "wear vest", "put knife in bag")
    scene.hear_all()
    before = (held(scene, "Ann"), scene.me("Ann").gold)
    assert typed(scene, "Ann", line) == {"Ann": [words]}
    assert (held(scene, "Ann"), scene.me("Ann").gold) == before


def test_a_keeper_without_gold() -> None:
    scene = at_the_shop("vest")
    scene.world.move_gold(MARTA, scene.me("Bob").id, 95)
    assert typed(scene, "Ann", "sell vest") == {"Ann": ["Marta has not enough gold left for that."]}
    assert held(scene, "Ann") == ["1 vest"]


def test_nobody_trades() -> None:
    for line in ("list", "buy flask", "sell knife", "value knife"):
        assert typed(in_town(), "Ann", line)["Ann"] == ["Nobody trades here."]


@given(st.integers(1, 10**6), st.integers(2, 10_000), st.data())
def test_no_pump(price: int, asks: int, data: st.DataObject) -> None:
    """Whatever the numbers: a keeper asks more for a thing than it pays."""
    shop = Shop(("x",), ("*",), asks, data.draw(st.integers(0, asks - 1)))
    proto = ItemProto("x", "x", ("x",), "", price=price)
    assert trade.offered(shop, proto) < trade.asked(shop, proto)
