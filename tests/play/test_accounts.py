"""Guests, accounts, logins, tokens: who may play whom, and what guessing costs."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from mythos.errors import Refusal
from mythos.flow.throttle import Throttle
from mythos.play.accounts import Accounts, TooManyTries, WrongPassword
from mythos.play.ports import Busy, StoreDown, TokenInvalid
from mythos.play.realm import Attached
from mythos.store import fsck
from mythos.world.state import MINT
from tests.scenes.people import in_town
from tests.scenes.scene import Ear, PlainHasher, Scene
from tests.world.town import ATLAS, INN, ITEMS

KNIFE = next(proto for proto in ITEMS if proto.id == "knife")
HOME, ELSEWHERE = "192.0.2.7", "198.51.100.9"
PASSWORD = "a good long one"


def done(work: Coroutine[Any, Any, Any], scene: Scene) -> Any:
    """What it returns or raises, once nothing waits any more."""
    found: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(found.append)
    scene.run()
    assert found
    if isinstance(found[0], Failure):
        found[0].raiseException()
    return found[0]


def with_account(name: str = "Morwenna") -> tuple[Scene, Ear]:
    """Somebody who registered and plays."""
    scene = in_town()
    session = done(scene.accounts.register_new(name, PASSWORD), scene)
    ear = Ear(session)
    scene.realm.attach(ear, session, token=False, then=lambda _: None)
    scene.run()
    scene.ears[name] = ear
    return scene, ear


def test_a_guest_becomes_an_account() -> None:
    """Without leaving: the same character, with its things, under its new name; the others are told."""
    scene = in_town()
    scene.arrive("Guest", room=INN, guest=True)
    me = scene.me("Guest")
    scene.world.mint_item(KNIFE, me.id)
    scene.world.move_gold(MINT, me.id, 7)
    scene.hear_all()
    done(scene.accounts.register(scene.ears["Guest"].session, "Morwenna", PASSWORD), scene)
    assert scene.hear("Guest") == ["You are Morwenna from now on. Your things are kept for you."]
    assert scene.hear("Ann") == ["Guest is now known as Morwenna."]
    assert (me.name, me.gold, [item.proto.id for item in scene.world.held(me.id)]) == ("Morwenna", 7, ["knife"])
    assert done(scene.accounts.login("morwenna", PASSWORD, HOME), scene) is scene.ears["Guest"].session


def test_lines_typed_ahead_are_no_password() -> None:
    """A client that sends four commands in one piece does not take a name with one of them as its password; nor are
    they done, for they may have been meant as answers. What is typed after the question is an answer."""
    scene = in_town()
    scene.arrive("Guest", room=INN, guest=True)
    session = scene.ears["Guest"].session
    scene.hear_all()
    for text in ("register Morwenna", "say well met everybody", "say well met everybody", "look"):
        scene.realm.submit(session, 0, text)
    scene.run()
    assert scene.hear("Guest") == ["That was typed before the question: it is no answer, and was not done."] * 3
    assert scene.hear("Ann") == []
    assert session.question is not None and session.question.secret
    assert [session.asked(c) is None for c in range(1, 5)] == [False, True, True, True]  # they may be a secret
    for text in (PASSWORD, PASSWORD):
        scene.realm.submit(session, 0, text)
    scene.run()
    assert scene.hear("Guest") == ["You are Morwenna from now on. Your things are kept for you."]
    assert done(scene.accounts.login("morwenna", PASSWORD, HOME), scene) is session


@pytest.mark.parametrize("name", ["Morwenna", "MORWENNA", "morwenna"])
def test_a_name_is_one_character(name: str) -> None:
    scene, _ = with_account()
    with pytest.raises(Refusal, match="taken"):
        done(scene.accounts.register_new(name, PASSWORD), scene)


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_bad_passwords(password: str) -> None:
    scene = in_town()
    with pytest.raises(Refusal, match="at least 8"):
        done(scene.accounts.register_new("Morwenna", password), scene)


def test_login_joins_the_one_who_plays() -> None:
    """A name is one character in one place: a second login is the same session."""
    scene, ear = with_account()
    assert done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene) is ear.session


def test_login_after_quit() -> None:
    """A new session, and the character stands where it went to sleep, with what it had."""
    scene, ear = with_account()
    me = ear.session.me
    scene.world.mint_item(KNIFE, me.id)
    scene.realm.happened((), "mint")
    scene.type("Morwenna", "quit")
    assert me.id not in scene.world.characters
    back = done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene)
    assert back is not ear.session
    assert (back.me.id, [item.proto.id for item in scene.world.held(me.id)]) == (me.id, ["knife"])


def test_wrong_passwords() -> None:
    """The same answer whether the name is known or not."""
    scene, _ = with_account()
    for name in ("Morwenna", "Nobody"):
        with pytest.raises(WrongPassword):
            done(scene.accounts.login(name, "not it at all", HOME), scene)


def test_guessing_is_slowed_and_the_owner_gets_in() -> None:
    """Ten tries at one account, from however many places; who was in from home still gets in from home."""
    scene, _ = with_account()
    done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene)
    for guess in range(9):
        with pytest.raises(WrongPassword):
            done(scene.accounts.login("Morwenna", f"guess {guess:04}", f"203.0.{guess}.9"), scene)
    with pytest.raises(TooManyTries):
        done(scene.accounts.login("Morwenna", PASSWORD, ELSEWHERE), scene)
    assert done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene) is not None
    scene.clock.advance(900)
    assert done(scene.accounts.login("Morwenna", PASSWORD, ELSEWHERE), scene) is not None


def test_guessing_at_many_accounts_from_one_place() -> None:
    scene = in_town()
    for guess in range(50):
        with pytest.raises(WrongPassword):
            done(scene.accounts.login(f"name{guess}", "a guess of mine", ELSEWHERE), scene)
    with pytest.raises(TooManyTries):
        done(scene.accounts.login("another", "a guess of mine", ELSEWHERE), scene)


def test_refresh_rotates() -> None:
    """Each refresh token works once; used again, it and its successors are worth nothing."""
    scene, ear = with_account()
    first = done(scene.accounts.grant(ear.session), scene)
    second = done(scene.accounts.refresh(first.refresh), scene)
    assert done(scene.accounts.session_by(second.token), scene) is ear.session
    with pytest.raises(TokenInvalid):
        done(scene.accounts.refresh(first.refresh), scene)
    with pytest.raises(TokenInvalid):
        done(scene.accounts.refresh(second.refresh), scene)


def test_logout_ends_every_token() -> None:
    scene, ear = with_account()
    granted = done(scene.accounts.grant(ear.session), scene)
    done(scene.accounts.logout(ear.session), scene)
    for work in (scene.accounts.refresh(granted.refresh), scene.accounts.session_by(granted.token)):
        with pytest.raises(TokenInvalid):
            done(work, scene)


def test_access_tokens_end() -> None:
    scene, ear = with_account()
    granted = done(scene.accounts.grant(ear.session), scene)
    scene.clock.advance(24 * 3600)
    with pytest.raises(Refusal):
        done(scene.accounts.session_by(granted.token), scene)


def test_a_new_password_revokes_the_tokens() -> None:
    scene, ear = with_account()
    granted = done(scene.accounts.grant(ear.session), scene)
    done(scene.accounts.change_password(ear.session, "not it at all", "another long one"), scene)
    assert scene.hear("Morwenna")[-1] == "That is not your password. Nothing was changed."
    done(scene.accounts.change_password(ear.session, PASSWORD, "another long one"), scene)
    assert scene.hear("Morwenna")[-1] == "Your password is changed."
    with pytest.raises(TokenInvalid):
        done(scene.accounts.refresh(granted.refresh), scene)
    assert done(scene.accounts.login("Morwenna", "another long one", HOME), scene) is ear.session


def test_a_new_password_counts_after_a_kill() -> None:
    """An access token of before stays worth nothing, one of after is good."""
    scene, ear = with_account()
    old = done(scene.accounts.grant(ear.session), scene).token
    scene.clock.advance(2)
    kept = Scene(ATLAS, "", before=scene)
    assert done(kept.accounts.session_by(old), kept).id == ear.session.id  # a kill alone does not end it
    done(scene.accounts.change_password(ear.session, PASSWORD, "another long one"), scene)
    new = done(scene.accounts.grant(ear.session), scene).token
    after = Scene(ATLAS, "", before=scene)
    with pytest.raises(TokenInvalid, match="The password was changed"):
        done(after.accounts.session_by(old), after)
    assert done(after.accounts.session_by(new), after).id == ear.session.id


def test_the_first_keeper() -> None:
    """The code makes one keeper, once; then there is none to be had."""
    scene = in_town()
    code = done(scene.accounts.offer_claim(), scene)
    with pytest.raises(Refusal, match="code is not good"):
        done(scene.accounts.claim("AAAA-AAAA", "Morwenna", PASSWORD, HOME), scene)
    with pytest.raises(Refusal, match="at least 8"):
        done(scene.accounts.claim(code, "Morwenna", "short", HOME), scene)
    assert done(scene.accounts.claim(code.lower(), "Morwenna", PASSWORD, HOME), scene).me.keeper
    with pytest.raises(Refusal, match="code is not good"):
        done(scene.accounts.claim(code, "Tamsyn", PASSWORD, HOME), scene)
    assert done(scene.accounts.offer_claim(), scene) == ""


def test_the_code_ends() -> None:
    scene = in_town()
    code = done(scene.accounts.offer_claim(), scene)
    scene.clock.advance(3601)
    with pytest.raises(Refusal, match="code is not good"):
        done(scene.accounts.claim(code, "Morwenna", PASSWORD, HOME), scene)


def test_who_is_just_leaving_cannot_come_back_yet() -> None:
    """Until what they held is on disk: it would be loaded as it was before."""
    scene, ear = with_account()
    wake, scene.realm.commits.wake = scene.realm.commits.wake, lambda: None
    scene.type("Morwenna", "quit")
    with pytest.raises(Busy, match="just leaving"):
        done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene)
    wake()
    scene.run()
    session = done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene)
    assert session is not ear.session
    assert session.me.name == "Morwenna"


# ── after a restart ─────────────────────────────────────────────────────────────────────────────


def guest_with_knife() -> Scene:
    """A guest who holds a knife and three coins; what the ledger counts is on disk."""
    scene = in_town("")
    guest = scene.arrive("Guest", guest=True)
    scene.world.mint_item(KNIFE, guest.id)
    scene.world.move_gold(MINT, guest.id, 3)
    scene.realm.happened((), "mint")
    scene.run()
    return scene


def held(scene: Scene) -> list[Any]:
    """Who holds knives and coins by the ledger."""
    return [
        *scene.store._database.execute(
            "SELECT asset, amount FROM balance WHERE holder LIKE 'c%' AND amount > 0 ORDER BY asset"
        )
    ]


def characters(scene: Scene) -> int:
    (count,) = scene.store._database.execute("SELECT count(*) FROM entity WHERE kind = 'c'").fetchone()
    return int(count)


@pytest.mark.parametrize("restarts", [1, 3])
def test_a_guest_who_does_not_come_back_after_a_kill(restarts: int) -> None:
    """It has the whole window from the last restart on; then what it held is burned, and the ledger agrees."""
    scene = guest_with_knife()
    scene.clock.advance(2 * scene.realm.pace.window)  # it played for hours before the server was killed
    for _ in range(restarts):
        scene = Scene(ATLAS, "", before=scene)
        scene.tick(1)
        scene.accounts.sleepers.forget_old()
        assert held(scene) == [("gold", 3), ("knife", 1)]
    scene.clock.advance(scene.realm.pace.window + 1)
    scene.accounts.sleepers.forget_old()
    scene.run()
    assert (held(scene), characters(scene)) == ([], 0)
    assert [*fsck.examine(scene.store._database)] == []


def test_a_guest_comes_back_after_a_kill() -> None:
    """By the token of its last login, with what it held."""
    scene = guest_with_knife()
    grant = done(scene.accounts.grant(scene.ears["Guest"].session), scene)
    after = Scene(ATLAS, "", before=scene)
    session = done(after.accounts.session_by(grant.token), after)
    attached: list[Attached] = []
    after.realm.attach(Ear(session), session, then=attached.append)
    after.run()
    after.clock.advance(after.realm.pace.window + 1)
    after.accounts.sleepers.forget_old()
    after.run()
    assert [item.proto.id for item in after.world.held(session.me.id)] == ["knife"]
    assert held(after) == [("gold", 3), ("knife", 1)]


def test_an_account_sleeps_on() -> None:
    scene, ear = with_account()
    after = Scene(ATLAS, "", before=scene)
    after.clock.advance(after.realm.pace.window + 1)
    after.accounts.sleepers.forget_old()
    after.run()
    assert done(after.accounts.login("Morwenna", PASSWORD, HOME), after).me.id == ear.session.me.id


def test_a_guest_without_a_session_is_gone_at_the_next_start() -> None:
    """Its end was given up together with a broken turn: nobody could ever come back as it."""
    scene = guest_with_knife()
    scene.store._database.execute("DELETE FROM session")
    after = Scene(ATLAS, "", before=scene)
    after.run()
    assert (held(after), characters(after)) == ([], 0)


# ── hashes ──────────────────────────────────────────────────────────────────────────────────────


def test_an_outdated_hash_is_made_again() -> None:
    """At the next login that succeeds, without its player's noticing."""
    scene, ear = with_account()
    account = done(scene.store.by_key("morwenna"), scene)
    done(scene.store.set_password(account.id, f"weak:{PASSWORD}"), scene)
    with pytest.raises(WrongPassword):
        done(scene.accounts.login("Morwenna", "something else", HOME), scene)
    assert done(scene.store.by_key("morwenna"), scene).password == f"weak:{PASSWORD}"
    assert done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene) is ear.session
    assert done(scene.store.by_key("morwenna"), scene).password == f"plain:{PASSWORD}"


def test_registering_twice_at_once() -> None:
    """One character never gets two accounts: the second try is turned away while the first is being done."""
    scene = in_town()
    guest = scene.arrive("Guest", guest=True)
    session = scene.ears["Guest"].session
    hashing: list[Deferred[str]] = []

    class Slow(PlainHasher):
        async def hash(self, password: str) -> str:
            hashing.append(Deferred())
            return await hashing[-1]

    accounts = Accounts(scene.realm, scene.store, scene.store, Slow(), scene.realm.tokens, scene.clock, Throttle())
    scene.realm.start(accounts.register(session, "Morwenna", PASSWORD))
    scene.realm.start(accounts.register(session, "Tamsin", PASSWORD))
    assert len(hashing) == 1
    hashing[0].callback("plain:")
    scene.run()
    heard = scene.hear("Guest")
    assert "That is being done. Wait a moment." in heard
    assert guest.name == "Morwenna"
    assert done(scene.store.by_key("tamsin"), scene) is None


# ── a store that is away or refuses ─────────────────────────────────────────────────────────────


def test_a_leave_that_was_given_up_is_taken_again() -> None:
    """A guest quits, and the batch with the end of its session can never be written: it does not come back as one
    that nobody plays."""
    scene = guest_with_knife()
    wake, scene.realm.commits.wake = scene.realm.commits.wake, lambda: None
    scene.type("Guest", "quit")
    scene.realm.commits.take()
    scene.realm.commits.failed()
    scene.load_again()
    scene.realm.commits.wake = wake
    wake()
    scene.run()
    scene.accounts.sleepers.forget_old()
    scene.run()
    assert (held(scene), characters(scene)) == ([], 0)
    assert [*scene.store._database.execute("SELECT id FROM session")] == []
    assert [*fsck.examine(scene.store._database)] == []


def test_a_password_that_cannot_be_written() -> None:
    """Its player is told, and the old one does."""
    scene, ear = with_account()

    async def away(account: Any, password: str) -> None:
        raise StoreDown("away")

    scene.store.set_password = away  # type: ignore[method-assign]
    done(scene.accounts.change_password(ear.session, PASSWORD, "another long one"), scene)
    assert "cannot be written just now" in scene.hear("Morwenna")[-1]
    assert done(scene.accounts.login("Morwenna", PASSWORD, HOME), scene) is ear.session


def test_a_claim_that_cannot_be_written_is_not_spent() -> None:
    scene, _ = with_account()
    code = done(scene.accounts.offer_claim(), scene)
    set_keeper = scene.store.set_keeper

    async def away(account: Any, keeper: bool) -> None:
        raise StoreDown("away")

    scene.store.set_keeper = away  # type: ignore[method-assign]
    with pytest.raises(StoreDown):
        done(scene.accounts.claim(code, "Morwenna", PASSWORD, HOME), scene)
    scene.store.set_keeper = set_keeper  # type: ignore[method-assign]
    assert done(scene.accounts.claim(code, "Morwenna", PASSWORD, HOME), scene).me.keeper
