"""Things that change hands: what is typed, who hears what, and what refuses."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mythos.world.reload import change_atlas
from mythos.world.state import MINT
from tests.scenes.people import in_town, typed
from tests.scenes.scene import Scene
from tests.world.town import ATLAS, INN, ITEMS, SQUARE

PROTOS = {proto.id: proto for proto in ITEMS}


def with_things(who: str = "Ann", *protos: str, gold: int = 0) -> Scene:
    """In the inn; ``who`` holds the things and the gold."""
    scene = in_town("Ann Bob Cid")
    for proto in protos:
        scene.world.mint_item(PROTOS[proto], scene.me(who).id)
    if gold:
        scene.world.move_gold(MINT, scene.me(who).id, gold)
    return scene


def held(scene: Scene, who: str) -> list[str]:
    return sorted(f"{item.stack} {item.proto.id}" for item in scene.world.held(scene.me(who).id))


def test_equal_things_are_counted_together() -> None:
    scene = with_things("Ann", "bag", "flask", "flask", "knife")
    assert "2 flasks." in typed(scene, "Ann", "inventory")["Ann"]
    scene.type("Ann", "put all flask in bag", "put knife in bag")
    scene.hear_all()
    assert typed(scene, "Ann", "look in bag")["Ann"][-1] == "In it: 2 flasks and a knife."


def test_drop_and_get() -> None:
    scene = with_things("Ann", "knife")
    assert typed(scene, "Ann", "drop knife") == {
        "Ann": ["You drop a knife."],
        "Bob": ["Ann drops a knife."],
        "Cid": ["Ann drops a knife."],
    }
    assert typed(scene, "Bob", "get the knife") == {
        "Bob": ["You get a knife."],
        "Ann": ["Bob gets a knife."],
        "Cid": ["Bob gets a knife."],
    }
    assert (held(scene, "Ann"), held(scene, "Bob")) == ([], ["1 knife"])


def test_give() -> None:
    """The giver, the one it is given to, and the others each hear it their way; the two may be named in any order."""
    scene = with_things("Ann", "knife", "flask")
    assert typed(scene, "Ann", "give knife to bob") == {
        "Ann": ["You give a knife to Bob."],
        "Bob": ["Ann gives you a knife."],
        "Cid": ["Ann gives a knife to Bob."],
    }
    assert typed(scene, "Ann", "give flask bob")["Bob"] == ["Ann gives you a flask."]
    assert held(scene, "Bob") == ["1 flask", "1 knife"]


def test_gold() -> None:
    """Its gauge follows it; ``gold`` alone is all of it."""
    scene = with_things(gold=12)
    assert typed(scene, "Ann", "give 5 gold to bob")["Bob"] == ["Ann gives you 5 gold coins."]
    assert scene.ears["Bob"].states["Char.Vitals"]["gold"] == 5
    assert typed(scene, "Ann", "drop 1 coin")["Ann"] == ["You drop 1 gold coin."]
    assert typed(scene, "Bob", "get gold")["Bob"] == ["You get 1 gold coin."]
    assert typed(scene, "Ann", "drop 9 gold") == {"Ann": ["You have only 6 gold."]}
    assert typed(scene, "Ann", "drop gold")["Ann"] == ["You drop 6 gold coins."]
    assert typed(scene, "Ann", "drop gold") == {"Ann": ["You have no gold."]}
    assert typed(scene, "Cid", "get 7 gold") == {"Cid": ["There is only 6 gold."]}
    assert scene.ears["Ann"].states["Char.Vitals"]["gold"] == 0


def test_stacks() -> None:
    """One by one, so many, all of one kind, all."""
    scene = with_things("Ann")
    scene.world.mint_item(PROTOS["tail"], scene.me("Ann").id, 5)
    assert typed(scene, "Ann", "drop tail")["Ann"] == ["You drop a rat tail."]
    assert typed(scene, "Ann", "drop 2 tails")["Bob"] == ["Ann drops 2 rat tails."]
    assert typed(scene, "Ann", "drop 3 tails") == {"Ann": ["There are only 2."]}
    assert typed(scene, "Ann", "drop rat tails")["Ann"] == ["You drop 2 rat tails."]
    assert typed(scene, "Bob", "get all.tail")["Bob"] == ["You get 5 rat tails."]
    assert typed(scene, "Bob", "inventory")["Bob"] == ["You carry:", "5 rat tails.", "Gold: 0."]


def test_several_alike() -> None:
    scene = with_things("Ann", "flask", "flask", "knife")
    assert typed(scene, "Ann", "drop 2.flask")["Ann"] == ["You drop a flask."]
    assert typed(scene, "Ann", "drop 2.flask") == {"Ann": ["There is only one."]}
    assert typed(scene, "Ann", "drop all")["Ann"] == ["You drop a flask.", "You drop a knife."]
    assert typed(scene, "Bob", "get all")["Bob"] == ["You get a flask.", "You get a flask.", "You get a knife."]


def test_containers() -> None:
    scene = with_things("Ann", "bag", "knife", "flask", gold=3)
    assert typed(scene, "Ann", "put knife in bag")["Bob"] == ["Ann puts a knife into the bag."]
    assert typed(scene, "Ann", "put 2 gold into bag")["Ann"] == ["You put 2 gold coins into the bag."]
    assert typed(scene, "Ann", "look in bag")["Ann"] == ["Of cloth.", "In it: a knife and 2 gold."]
    assert typed(scene, "Ann", "put bag in bag") == {"Ann": ["The bag does not go into itself."]}
    assert typed(scene, "Ann", "put flask in knife") == {"Ann": ["You see no knife here."]}
    assert typed(scene, "Ann", "put bag in flask") == {"Ann": ["The flask holds nothing."]}
    scene.type("Ann", "drop bag")
    scene.hear_all()
    heard = typed(scene, "Bob", "get all from bag")
    assert heard["Bob"] == ["You get 2 gold coins from the bag.", "You get a knife from the bag."]
    assert typed(scene, "Bob", "get knife from bag") == {"Bob": ["You see no knife in the bag."]}


def test_a_container_takes_its_things_along() -> None:
    scene = with_things("Ann", "bag", "knife")
    scene.type("Ann", "put knife in bag", "give bag to bob")
    scene.hear_all()
    assert typed(scene, "Bob", "get knife from bag")["Bob"] == ["You get a knife from the bag."]


def test_wearing() -> None:
    scene = with_things("Ann", "vest", "vest", "knife")
    assert typed(scene, "Ann", "wear vest") == {
        "Ann": ["You put on a leather vest."],
        "Bob": ["Ann puts on a leather vest."],
        "Cid": ["Ann puts on a leather vest."],
    }
    assert typed(scene, "Ann", "wear 2.vest") == {"Ann": ["There is the leather vest already. Type: remove vest"]}
    assert typed(scene, "Ann", "wield vest") == {"Ann": ["You cannot wield the leather vest."]}
    assert typed(scene, "Ann", "wield knife")["Ann"] == ["You wield a knife."]
    assert typed(scene, "Ann", "equipment") == {"Ann": ["On the body: a leather vest.", "In hand: a knife."]}
    assert typed(scene, "Bob", "look ann")["Bob"][-1] == "In hand: a knife."
    for line in ("drop knife", "give knife to bob"):
        assert typed(scene, "Ann", line) == {"Ann": ["You are using the knife. To put it by first, type: remove knife"]}
    assert typed(scene, "Ann", "remove knife")["Bob"] == ["Ann puts by a knife."]
    assert typed(scene, "Ann", "remove knife") == {"Ann": ["You have no knife."]}
    assert typed(scene, "Ann", "drop all")["Ann"] == ["You drop a leather vest.", "You drop a knife."]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("get", "Get what? Type: get <thing>"),
        ("get moon", "You see no moon here."),
        ("get all", "There is nothing here to take."),
        ("get gold", "You see no gold here."),
        ("drop", "Drop what? Type: drop <thing>"),
        ("drop moon", "You have no moon."),
        ("drop knif", "You drop a knife."),
        ("drop nkife", "You have no nkife. Did you mean knife?"),
        ("drop 0 gold", "Zero gold is nothing."),
        ("give knife", "Give it to whom? Type: give <thing> to <someone>"),
        ("give knife to eve", "You see nobody called eve here."),
        ("give knife to me", "You have that already."),
        ("put knife", "Put it where? Type: put <thing> in <container>"),
        ("wear knife", "You wield a knife."),
        ("wear flask", "You cannot wear the flask."),
        ("remove vest", "You have no vest."),
        ("light knife", "The knife is nothing to light."),
        ("extinguish knife", "The knife is not lit."),
        ("drop -1 knife", "You have no -1 knife. Did you mean knife?"),
        ("drop 99999999999999999999 gold", "You have no gold."),
    ],
)
def test_one_line(line: str, words: str) -> None:
    assert typed(with_things("Ann", "knife", "flask"), "Ann", line)["Ann"] == [words]


def test_npcs_take_what_they_asked_for() -> None:
    """And nothing else."""
    scene = with_things("Ann", "knife")
    scene.world.mint_item(PROTOS["tail"], scene.me("Ann").id, 3)
    scene.world.place_body(scene.me("Ann"), SQUARE)
    assert typed(scene, "Ann", "give knife to marta") == {"Ann": ["Marta does not want that."]}
    assert "You give 3 rat tails to Marta." in typed(scene, "Ann", "give tails to marta")["Ann"]
    assert held(scene, "Ann") == ["1 knife"]


def test_too_much_to_carry() -> None:
    scene = with_things("Ann", *["flask"] * 60)
    scene.world.mint_item(PROTOS["knife"], INN)
    assert typed(scene, "Ann", "get knife") == {"Ann": ["You cannot carry more things."]}
    assert typed(scene, "Bob", "get knife", "give knife to ann")["Bob"][-1] == "Ann cannot carry more things."


def test_a_sealed_world_moves_nothing() -> None:
    """While the store is down: people may talk, and nothing conserved moves."""
    scene = with_things("Ann", "knife", gold=5)
    scene.world.sealed = "The world holds its breath."
    for line in ("drop knife", "give knife to bob", "drop gold", "give 1 gold to bob"):
        assert typed(scene, "Ann", line) == {"Ann": ["The world holds its breath."]}
    assert typed(scene, "Ann", "say hello")["Bob"] == ['Ann says, "hello"']
    assert (held(scene, "Ann"), scene.me("Ann").gold) == (["1 knife"], 5)


def test_a_thing_whose_kind_builders_took_away() -> None:
    """It is handled as any other."""
    scene = with_things("Ann", "knife")
    atlas = replace(ATLAS, items={id: proto for id, proto in ATLAS.items.items() if id != "knife"})
    scene.realm.happened(change_atlas(scene.world, atlas), "reload")
    assert typed(scene, "Ann", "drop knife", "get knife")["Ann"] == ["You drop a knife.", "You get a knife."]
