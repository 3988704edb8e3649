"""Accounts that are deleted: the grace, coming back, and what is left of a person afterwards."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from mythos.errors import Refusal
from mythos.play.accounts import WrongPassword
from mythos.play.leaving import GRACE, HELD
from mythos.play.ports import StoreDown, TokenInvalid
from mythos.play.sanctions import Kind, Sanction
from mythos.store import fsck
from mythos.world.state import MINT
from tests.play.test_accounts import HOME, KNIFE, PASSWORD, done, with_account
from tests.scenes.scene import Ear, Scene
from tests.world.town import ATLAS

DAY = 86_400.0


def with_things() -> tuple[Scene, Ear]:
    """Morwenna, who has a knife and three coins, gave Ann a coin, and said something."""
    scene, ear = with_account()
    me = ear.session.me
    scene.world.mint_item(KNIFE, me.id)
    scene.world.move_gold(MINT, me.id, 4)
    scene.world.move_gold(me.id, scene.me("Ann").id, 1)
    scene.realm.end_turn([], "gift")
    scene.type("Morwenna", "chat well met", "alias hh say home")
    scene.hear_all()
    return scene, ear


def rows(scene: Scene, word: str) -> list[str]:
    """The tables in which a word stands."""
    database = scene.store._database
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return [name for name in names if any(word in str(row) for row in database.execute(f"SELECT * FROM {name}"))]  # noqa: S608


def broken(scene: Scene) -> list[str]:
    """What the store breaks. The people of a scene have accounts of other characters (I7)."""
    return [str(one) for one in fsck.examine(scene.store._database) if one.invariant != "I7"]


def go(scene: Scene) -> None:
    """The time of everybody who is to go has come."""
    scene.clock.advance(GRACE + 1)
    scene.accounts.leaving.look()
    scene.run()


def test_by_its_player() -> None:
    """With the password; then the session is over and no token of it is good, and after the grace nothing is left."""
    scene, ear = with_things()
    grant = done(scene.accounts.grant(ear.session), scene)
    number = ear.session.me.id
    assert rows(scene, "Morwenna")
    scene.type("Morwenna", "delete", "not my password")
    assert scene.hear("Morwenna")[-1] == "That is not your password. Nothing was changed."
    scene.type("Morwenna", "delete", PASSWORD)
    assert "Who logs in as Morwenna before 2027-" in scene.hear("Morwenna")[-1]
    assert ear.closed
    with pytest.raises(TokenInvalid):
        done(scene.accounts.session_by(grant.token), scene)
    with pytest.raises(TokenInvalid):
        done(scene.accounts.refresh(grant.refresh), scene)
    scene.accounts.leaving.look()
    scene.run()
    assert "account" in rows(scene, "Morwenna")
    go(scene)
    assert rows(scene, "Morwenna") == rows(scene, "morwenna") == []
    assert rows(scene, "well met") == rows(scene, "say home") == []
    assert not any("Morwenna" in said.text for said in scene.realm.channels.history("chat"))
    assert number not in scene.world.characters
    assert scene.me("Ann").gold == 1
    assert broken(scene) == []
    with pytest.raises(WrongPassword):
        done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene)


def test_who_comes_back_keeps_it() -> None:
    """By a login within the grace, and by nothing else; a restart changes nothing of that."""
    scene, _ = with_things()
    scene.type("Morwenna", "delete", PASSWORD)
    scene.clock.advance(GRACE - DAY)
    after = Scene(ATLAS, "", before=scene)
    with pytest.raises(WrongPassword):
        done(after.accounts.login("Morwenna", "a guess of mine", HOME), after)
    assert done(after.accounts.find("Morwenna"), after).leaves
    session = done(after.accounts.login("Morwenna", PASSWORD, HOME), after)
    ear = after.ears["Morwenna"] = Ear(session)
    after.realm.attach(ear, session, token=False, then=lambda _: None)
    after.run()
    assert "Your account was to be deleted. You came back, so it stays." in after.hear("Morwenna")
    go(after)
    assert [item.proto.id for item in after.world.held(session.me.id)] == ["knife"]
    assert not done(after.accounts.find("Morwenna"), after).leaves


def test_too_late() -> None:
    """When the grace is over, a login does not win against the next look."""
    scene, _ = with_things()
    scene.type("Morwenna", "delete", PASSWORD)
    scene.clock.advance(GRACE + 1)
    with pytest.raises(WrongPassword):
        done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene)
    with pytest.raises(Refusal, match="it is too late"):
        done(scene.accounts.keep("Morwenna"), scene)


def test_its_name_is_held() -> None:
    """For a while nobody can be taken for who had it; an operator can give it again."""
    scene, _ = with_things()
    scene.type("Morwenna", "delete", PASSWORD)
    go(scene)
    for name in ("Morwenna", "morwenna"):
        with pytest.raises(Refusal, match=r"The name \w+ is taken"):
            done(scene.accounts.register_new(name, PASSWORD), scene)
    scene.clock.advance(HELD + 1)
    assert done(scene.accounts.register_new("Morwenna", PASSWORD), scene).me.gold == 0


def test_by_an_operator() -> None:
    """Whoever is in is sent out; it can be kept until it goes, or goes at once."""
    scene, ear = with_things()
    account, leaves = done(scene.accounts.delete("morwenna", GRACE), scene)
    assert (account.name, leaves) == ("Morwenna", scene.clock.wall() + GRACE)
    assert ear.closed
    done(scene.accounts.keep("morwenna"), scene)
    with pytest.raises(Refusal, match="is not to be deleted"):
        done(scene.accounts.keep("morwenna"), scene)
    done(scene.accounts.delete("morwenna", 0.0), scene)
    assert rows(scene, "Morwenna") == []


def test_mutes_and_bans_of_it_go_too() -> None:
    """Those of the account; a ban of the name is the operator's own."""
    scene, ear = with_things()
    sanctions, wall = scene.accounts.sanctions, scene.clock.wall()
    for kind, what in ((Kind.MUTE, ear.session.me.id), (Kind.ACCOUNT, "morwenna"), (Kind.NAME, "voldemort")):
        sanctions.add(Sanction(kind, what, "Morwenna", wall, wall + 60.0 if kind is Kind.MUTE else 0.0), wall)
    done(scene.accounts.delete("morwenna", 0.0), scene)
    assert [one.kind for one in sanctions.every(wall)] == [Kind.NAME]
    assert [one["kind"] for one in map(Sanction.kept, sanctions._all.values())] == ["name"]


def test_a_crash_between_character_and_account() -> None:
    """The account without a character goes at the first look after it."""
    scene, _ = with_things()
    scene.type("Morwenna", "delete", PASSWORD)

    async def away(*_: object) -> None:
        raise StoreDown("it is away")

    good, scene.store.remove = scene.store.remove, away  # type: ignore[method-assign,assignment]
    go(scene)
    assert rows(scene, "Morwenna") == ["account"]
    scene.store.remove = good  # type: ignore[method-assign]
    after = Scene(ATLAS, "", before=scene)
    after.accounts.leaving.look()
    after.run()
    assert rows(after, "Morwenna") == []
    assert broken(after) == []


def test_nothing_of_it_is_in_the_file(tmp_path: Path) -> None:
    """Not even in pages that are free; the control finds it there before."""
    scene, _ = with_things()
    scene.type("Morwenna", "delete", PASSWORD)
    for found in (True, False):
        database: sqlite3.Connection = scene.store._database
        path = tmp_path / f"{found}.db"
        copied = sqlite3.connect(path)
        database.backup(copied)
        copied.close()
        assert (b"Morwenna" in path.read_bytes()) is found
        go(scene)


def test_while_the_store_is_away() -> None:
    """Nothing is half done: it goes when the store is back."""
    scene, _ = with_things()
    scene.type("Morwenna", "delete", PASSWORD)

    async def away(*_: object) -> None:
        raise StoreDown("it is away")

    good, scene.store.leaving = scene.store.leaving, away  # type: ignore[method-assign,assignment]
    go(scene)
    assert "entity" in rows(scene, "Morwenna")
    scene.store.leaving = good  # type: ignore[method-assign]
    scene.accounts.leaving.look()
    scene.run()
    assert rows(scene, "Morwenna") == []


def test_export() -> None:
    """All of it, and no secret; in the game too, but for what was told before. A character that sleeps goes on to."""
    scene, ear = with_things()
    done(scene.accounts.grant(ear.session), scene)
    scene.type("Morwenna", "say so much for that")
    found = done(scene.accounts.export_own(ear.session), scene)
    assert found["account"] | {"id": 0} == {"id": 0, "name": "Morwenna", "keeper": False, "deleted_at": ""}
    assert (found["character"]["gold"], found["character"]["aliases"]) == (3, {"hh": "say home"})
    assert [one["thing"] for one in found["character"]["holds"]] == ["knife"]
    assert found["said"] == {"chat": ["[chat] Morwenna: well met"]}
    assert 'You say, "so much for that"' in found["sessions"][0]["told"]
    assert [one["state"] for one in found["logins"]] == ["good"]
    assert sorted((one["asset"], one["amount"]) for one in found["postings"]) == [
        ("gold", -1),
        ("gold", 4),
        ("knife", 1),
    ]
    text = json.dumps(found)
    (hash,) = scene.store._database.execute("SELECT password FROM account WHERE key = 'morwenna'").fetchone()
    for (digest,) in scene.store._database.execute("SELECT hash FROM refresh_grant"):
        assert digest not in text
    assert hash not in text
    assert ear.session.id not in text
    scene.type("Morwenna", "export")
    heard = scene.hear("Morwenna")
    assert {"account, name: Morwenna", "character, aliases, hh: say home"} <= set(heard)
    assert not any("well met" in one for one in heard if "told" in one)
    scene.type("Morwenna", "quit")
    asleep = done(scene.accounts.export("morwenna"), scene)
    assert (asleep["character"]["gold"], asleep["sessions"]) == (3, [])
    assert ear.session.me.id not in scene.world.characters
    with pytest.raises(Refusal, match="There is no account 'nobody'"):
        done(scene.accounts.export("nobody"), scene)


def test_a_guest_has_nothing() -> None:
    scene, _ = with_account()
    scene.arrive("Guest", guest=True)
    scene.type("Guest", "delete", "export")
    assert scene.hear("Guest")[-2:] == ["A guest who leaves is gone: type quit.", "Nothing of a guest is kept."]
