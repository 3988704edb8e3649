"""Fights: who types, who hears, and what the gauges say."""

from __future__ import annotations

from collections import Counter

from tests.scenes.people import in_town, typed
from tests.scenes.scene import Scene
from tests.world.town import INN, RAT, SQUARE, YARD


def by_tick(scene: Scene, seconds: int) -> dict[str, list[str]]:
    """What each one heard of so many seconds."""
    scene.tick(seconds)
    return scene.hear_all()


def alone_with_the_rat(people: str = "Ann Bob", *, room: str = YARD) -> Scene:
    """The yard, without the cat."""
    scene = in_town(people, room=room)
    cat = next(npc for npc in scene.world.npcs.values() if npc.proto.id == "cat")
    scene.world.lift_body(cat)
    cat.returns = 1e9
    return scene


def test_attack() -> None:
    scene = alone_with_the_rat()
    assert typed(scene, "Ann", "attack rat") == {
        "Ann": ["You attack a brown rat!"],
        "Bob": ["Ann attacks a brown rat!"],
    }
    assert scene.ears["Ann"].states["Char.Vitals"]["fighting"] is True


def test_aliases() -> None:
    for line in ("kill rat", "k rat", "K Rat"):
        assert typed(alone_with_the_rat(), "Ann", line)["Ann"] == ["You attack a brown rat!"]


def test_refusals() -> None:
    """Only whoever typed it is told."""
    scene = alone_with_the_rat()
    assert typed(scene, "Ann", "attack") == {"Ann": ["Whom do you want to attack?"]}
    assert typed(scene, "Ann", "attack bob") == {
        "Ann": ["You cannot attack Bob: players do not fight each other here."]
    }
    assert typed(scene, "Ann", "flee") == {"Ann": ["You are not fighting."]}
    scene.type("Ann", "attack rat")
    scene.hear_all()
    assert typed(scene, "Ann", "attack rat") == {"Ann": ["You are fighting a brown rat already."]}
    scene = in_town(room=SQUARE)
    assert typed(scene, "Ann", "attack marta") == {"Ann": ["This is a safe place. Nobody fights here."]}


def test_a_round_is_a_line_for_each_blow() -> None:
    """Actor, target and others each hear it their way; the gauge follows the blow."""
    scene = alone_with_the_rat()
    scene.type("Ann", "attack rat")
    scene.hear_all()
    mine, theirs = set[str](), set[str]()
    for _ in range(24):
        scene.me("Ann").hp = scene.world.npcs[RAT].hp = 6
        heard = by_tick(scene, 1)
        assert len(heard["Ann"]) >= 2
        mine.update(heard["Ann"])
        theirs.update(heard["Bob"])
        if "A brown rat hits you for 2." in heard["Ann"]:
            assert scene.ears["Ann"].states["Char.Vitals"]["hp"] == scene.me("Ann").hp == 4
    assert mine & {"You hit a brown rat for 1.", "You hit a brown rat for 2."}
    assert "A brown rat hits you for 2." in mine
    assert theirs == {
        "Ann hits a brown rat.",
        "A brown rat hits Ann.",
        "Ann misses a brown rat.",
        "A brown rat misses Ann.",
    }


def test_a_round_in_one_line() -> None:
    """For who is read to, on every door, and for others who want it; for the others, nothing is different."""
    scene = alone_with_the_rat("Ann Bob Cid")
    scene.type("Ann", "sr on", "attack rat")
    scene.type("Cid", "settings rounds on")
    scene.hear_all()
    scene.me("Ann").hp = scene.me("Ann").max_hp = scene.world.npcs[RAT].hp = 500
    heard = by_tick(scene, 1)
    (mine,), theirs = heard["Ann"], heard["Bob"]
    assert len(theirs) == 2
    assert heard["Cid"] == [" ".join(theirs)]
    assert mine.count("brown rat") == 2 and mine.count(".") == 2
    scene.type("Ann", "settings rounds off")
    scene.hear_all()
    assert len(by_tick(scene, 1)["Ann"]) == 2


def test_a_round_ends_where_something_else_is_heard() -> None:
    """What is told of a fight and what comes of it stay in order; nothing is lost, gauges go on."""
    scene = alone_with_the_rat()
    scene.type("Ann", "sr on", "attack rat")
    scene.world.npcs[RAT].hp = 1
    scene.hear_all()
    last: list[str] = []
    while scene.world.npcs[RAT].hp > 0:
        last = by_tick(scene, 1)["Ann"]
    assert last[0].startswith("You hit a brown rat for") and last[0].endswith(". You defeat a brown rat.")
    assert last[-1] == "You gain 60 experience."
    assert not any("defeat" in words for words in last[1:])
    assert scene.ears["Ann"].states["Char.Vitals"]["xp"] == 60


def test_a_failed_flight_is_one_line() -> None:
    scene = alone_with_the_rat()
    scene.me("Ann").hp = scene.me("Ann").max_hp = 500
    scene.type("Ann", "sr on", "attack rat")
    scene.hear_all()
    heard = typed(scene, "Ann", "flee")["Ann"]
    while scene.me("Ann").fighting is None:
        scene.type("Ann", "north", "attack rat")
        scene.hear_all()
        heard = typed(scene, "Ann", "flee")["Ann"]
    (words,) = heard
    assert words.startswith("You try to get away, and fail! A brown rat ")


def test_a_victory() -> None:
    """The victor hears it once, others see it fall, its things lie there, and experience comes."""
    scene = alone_with_the_rat()
    scene.world.npcs[RAT].hp = 1
    scene.type("Ann", "attack rat")
    scene.hear_all()
    heard: dict[str, list[str]] = {"Ann": [], "Bob": []}
    while scene.world.npcs[RAT].hp > 0:
        for name, words in by_tick(scene, 1).items():
            heard[name] += words
    assert Counter(heard["Ann"])["You defeat a brown rat."] == 1
    assert "You gain 60 experience." in heard["Ann"]
    assert "A brown rat falls dead." in heard["Bob"]
    assert "You gain 60 experience." not in heard["Bob"]
    vitals = scene.ears["Ann"].states["Char.Vitals"]
    assert (vitals["xp"], vitals["fighting"]) == (60, False)
    assert scene.world.gold_at(YARD) == 5


def test_a_level_is_told() -> None:
    scene = alone_with_the_rat()
    scene.me("Ann").xp = 99
    scene.world.npcs[RAT].hp = 1
    scene.type("Ann", "attack rat")
    while scene.world.npcs[RAT].hp > 0:
        scene.tick()
    assert "You reach level 2!" in scene.hear("Ann")
    assert scene.ears["Ann"].states["Char.Vitals"]["level"] == 2


def test_a_defeat() -> None:
    """One wakes at home with all one had; the others see one fall."""
    scene = alone_with_the_rat()
    scene.arrive("Eve", room="t:inn")
    ann = scene.me("Ann")
    scene.world.mint_item(scene.world.atlas.items["flask"], ann.id)
    scene.world.npcs[RAT].max_hp = scene.world.npcs[RAT].hp = 500
    scene.type("Ann", "attack rat")
    scene.hear_all()
    heard: dict[str, list[str]] = {"Ann": [], "Bob": [], "Eve": []}
    while ann.room == YARD:
        for name, words in by_tick(scene, 1).items():
            heard[name] += words
    assert "You fall, and everything goes dark." in heard["Ann"]
    assert "You wake up, sore and alive. Nothing you carried is lost." in heard["Ann"]
    assert "Ann falls, and is carried away." in heard["Bob"]
    assert any("Ann" in words for words in heard["Eve"])
    assert scene.ears["Ann"].states["Char.Vitals"]["hp"] == 10
    assert [item.proto.id for item in scene.world.held(ann.id)] == ["flask"]


def test_flight() -> None:
    """Sooner or later one gets away, and all see where to; failing costs a blow."""
    scene = alone_with_the_rat()
    scene.me("Ann").hp = scene.me("Ann").max_hp = 500
    scene.type("Ann", "attack rat")
    scene.hear_all()
    heard: dict[str, list[str]] = {}
    failed = 0
    while scene.me("Ann").room == YARD:
        heard = typed(scene, "Ann", "flee")
        failed += "You try to get away, and fail!" in heard["Ann"]
    assert heard["Ann"][0] == "You flee south!"
    assert heard["Bob"] == ["Ann flees south!"]
    assert scene.ears["Ann"].states["Char.Vitals"]["fighting"] is False
    assert failed < 30


def test_time_heals_without_a_word_until_one_is_well() -> None:
    scene = alone_with_the_rat("Ann", room=INN)
    scene.me("Ann").hp = 14
    assert by_tick(scene, 10)["Ann"] == []
    assert scene.ears["Ann"].states["Char.Vitals"]["hp"] == 17
    assert by_tick(scene, 10)["Ann"] == ["You feel well again."]


def test_the_dead_come_back_and_are_seen() -> None:
    scene = alone_with_the_rat()
    rat = scene.world.npcs[RAT]
    scene.world.lift_body(rat)
    rat.returns = scene.world.now + 3.0
    assert "A brown rat is here again." in by_tick(scene, 5)["Bob"]


def test_the_day_is_seen_under_the_sky_only() -> None:
    """Dusk comes to the yard; the inn has a roof."""
    scene = in_town("Ann")
    scene.arrive("Bob", room=SQUARE)
    scene.world.now = 659.0
    heard = by_tick(scene, 2)
    assert "The light fails. It is dusk." in heard["Bob"]
    assert "The light fails. It is dusk." not in heard["Ann"]
