"""The turn and the session: who is told what, when, and what happens to whoever goes away or breaks something."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mythos.commands.table import VERBS
from mythos.ids import EntityId
from mythos.play.realm import Attached
from mythos.play.sessions import Standing
from mythos.play.verbs import VerbTable
from mythos.store import fsck
from mythos.world.state import MINT
from tests.scenes.people import in_town, typed
from tests.scenes.scene import Ear, Scene
from tests.world.test_reload import without_the_den
from tests.world.town import DEN, INN, ITEMS, RAT, SQUARE, YARD, wealth

KNIFE = next(proto for proto in ITEMS if proto.id == "knife")


def attach(scene: Scene, ear: Ear, **where: Any) -> Attached:
    """One more connection to the session of an ear."""
    found: list[Attached] = []
    scene.realm.attach(ear, ear.session, token=False, then=found.append, **where)
    scene.run()
    return found[0]


def linkdead(scene: Scene, who: str) -> None:
    scene.realm.detach(scene.ears[who], scene.ears[who].session)


# ── answers ─────────────────────────────────────────────────────────────────────────────────────


def test_a_command_runs_once() -> None:
    """A repeat gets the recorded answer; a number too high, or used for other words, is refused."""
    scene = in_town()
    session = scene.ears["Ann"].session
    realm = scene.realm
    assert realm.submit(session, 1, "say hello") is None
    scene.run()
    assert scene.hear("Bob") == ['Ann says, "hello"']
    assert realm.submit(session, 1, "say hello") == ("", 2, True)
    assert realm.submit(session, 1, "say goodbye") == ("taken", 2, False)
    assert realm.submit(session, 3, "say more") == ("gap", 2, False)
    scene.run()
    assert scene.hear("Bob") == []
    assert scene.ears["Ann"].answers == [(1, "", 2, False)]


def test_a_repeat_waits_for_the_words() -> None:
    """While the batch is on its way nothing is confirmed: a crash could still undo it."""
    scene = in_town()
    ann = scene.ears["Ann"]
    scene.world.mint_item(KNIFE, scene.me("Ann").id)
    wake, scene.realm.commits.wake = scene.realm.commits.wake, lambda: None
    scene.realm.submit(ann.session, 1, "drop knife")
    scene.run()
    assert (scene.hear("Ann"), ann.answers) == ([], [])
    assert scene.realm.submit(ann.session, 1, "drop knife") is None
    scene.run()
    assert ann.answers == []
    wake()
    scene.run()
    assert scene.hear("Ann") == ["You drop a knife."]
    assert ann.answers == [(1, "", 2, False)]


def test_a_number_used_twice_at_once() -> None:
    """Two tabs: the second learns that its words were not run, even while those of the first wait for the disk."""
    scene = in_town()
    session = scene.ears["Ann"].session
    scene.world.mint_item(KNIFE, scene.me("Ann").id)
    wake, scene.realm.commits.wake = scene.realm.commits.wake, lambda: None
    scene.realm.submit(session, 1, "drop knife")
    assert scene.realm.submit(session, 1, "say hello") == ("taken", 2, False)
    scene.run()
    assert scene.realm.submit(session, 1, "say hello") == ("taken", 2, False)
    assert scene.realm.submit(session, 1, "drop knife") is None
    wake()
    assert scene.realm.submit(session, 1, "say hello") == ("taken", 2, False)


def test_nobody_joins_a_session_that_ends() -> None:
    """Who is on the way in while the end waits for the disk is sent away: the character must not come back empty."""
    scene = in_town()
    ann = scene.ears["Ann"]
    wake, scene.realm.commits.wake = scene.realm.commits.wake, lambda: None
    late, attached = Ear(ann.session), list[Attached]()
    scene.type("Ann", "quit")
    scene.realm.attach(late, ann.session, then=attached.append)
    wake()
    scene.run()
    assert (attached, late.closed) == ([], (1000, "that session is over"))
    assert ann.session.me.id not in scene.world.characters
    assert scene.world.people[INN].keys() == {scene.me("Bob").id}


def test_words_keep_their_order_behind_a_batch() -> None:
    """What was said after a thing moved is not heard before it."""
    scene = in_town()
    scene.world.mint_item(KNIFE, scene.me("Ann").id)
    wake, scene.realm.commits.wake = scene.realm.commits.wake, lambda: None
    scene.type("Ann", "drop knife")
    scene.type("Bob", "say mine")
    assert scene.hear_all() == {"Ann": [], "Bob": []}
    wake()
    scene.run()
    assert scene.hear("Ann") == ["You drop a knife.", 'Bob says, "mine"']


def test_what_is_typed_behind_quit_is_not_run() -> None:
    """Not even while the end of the session waits for the disk."""
    scene = in_town()
    scene.realm.commits.wake = lambda: None
    ann = scene.ears["Ann"].session
    scene.realm.submit(ann, 0, "quit")
    scene.realm.submit(ann, 0, "north")
    scene.observer.turns.clear()
    scene.run()
    assert scene.observer.turns == ["quit"]


# ── faults ──────────────────────────────────────────────────────────────────────────────────────


def _broken_after(scene: Scene, step: Any) -> None:
    """``save`` does the step, then breaks."""

    def run(call: Any) -> None:
        step(call)
        raise RuntimeError("a bug")

    scene.realm.verbs = VerbTable(
        tuple(replace(verb, run=run) if verb.name == "save" else verb for verb in VERBS.verbs)
    )


def test_a_command_that_breaks() -> None:
    """The player is told, the others play on."""
    scene = in_town()
    _broken_after(scene, lambda call: None)
    scene.realm.submit(scene.ears["Ann"].session, 1, "save")
    scene.realm.pump()
    assert scene.hear("Ann") == ["Something broke on our side; the keepers have been told (t1)."]
    assert [what for what, _ in scene.observer.faults] == ["command save"]
    scene.observer.faults.clear()
    assert typed(scene, "Bob", "say hello")["Ann"] == ['Bob says, "hello"']


@pytest.mark.parametrize(("debug", "keeper"), [(True, True), (True, False), (False, True)])
def test_where_an_error_comes_from(*, debug: bool, keeper: bool) -> None:
    """Keepers are shown it where errors are looked for, and nobody else is."""
    scene = in_town()
    scene.realm.debug, scene.me("Ann").keeper = debug, keeper
    _broken_after(scene, lambda call: None)
    scene.realm.submit(scene.ears["Ann"].session, 1, "save")
    scene.realm.pump()
    (said,) = scene.hear("Ann")
    assert ("RuntimeError('a bug') at " in said) == (debug and keeper)
    assert ("test_realm.py:" in said) == (debug and keeper)
    scene.observer.faults.clear()


def test_a_command_that_breaks_half_way() -> None:
    """Nothing of it is written, nor of what gathered with it; the world is asked to be loaded again."""
    scene = in_town()
    me = scene.me("Ann").id
    scene.world.mint_item(KNIFE, me)
    scene.realm.happened((), "mint")
    scene.run()
    asked: list[str] = []
    scene.realm.recover = lambda: asked.append("recover")

    def half(call: Any) -> None:
        (knife,) = call.world.held(me)
        knife.worn = "hand"
        call.world.move_item(knife, EntityId(INN))

    _broken_after(scene, half)
    scene.realm.submit(scene.ears["Ann"].session, 1, "save")
    scene.realm.pump()
    scene.realm.commits.flush()
    scene.clock.advance(0)
    assert asked == ["recover"]
    connection = scene.store._database  # the store behind the scene is SQLite in memory
    assert (
        connection.execute("SELECT place FROM entity WHERE proto = 'knife' AND kind = 'i'").fetchall().count((me,)) == 1
    )
    assert [one for one in fsck.examine(connection) if one.invariant in ("I2", "I4")] == []


# ── away ────────────────────────────────────────────────────────────────────────────────────────


def test_linkdead_then_away_then_back() -> None:
    """In the world for the grace, in the store for the window; whoever comes back stands where they stood."""
    scene = in_town()
    linkdead(scene, "Ann")
    assert scene.hear("Bob") == ["Ann stares into nothing."]
    stands = []
    for seconds in (59, 6):
        scene.tick(seconds)
        scene.realm.sweep()
        stands.append(scene.ears["Ann"].session.standing)
    assert stands == [Standing.PRESENT, Standing.AWAY]
    assert scene.hear("Bob")[-1] == "Ann fades away."
    attach(scene, scene.ears["Ann"])
    assert (scene.me("Ann").room, scene.hear("Bob")[-1]) == (INN, "Ann appears.")


def test_the_window_ends() -> None:
    scene = in_town()
    session = scene.ears["Ann"].session
    linkdead(scene, "Ann")
    scene.tick(700)
    scene.realm.sweep()
    scene.run()
    assert scene.realm.session(session.id) is None


def test_a_guests_things_are_burned() -> None:
    """When a guest goes for good, the ledger knows what became of what it held."""
    scene = in_town()
    scene.arrive("Guest", guest=True)
    guest = scene.me("Guest")
    scene.world.mint_item(KNIFE, guest.id)
    scene.world.move_gold(MINT, guest.id, 7)
    scene.realm.happened((), "mint")
    scene.type("Guest", "quit")
    assert scene.ears["Guest"].closed == (1000, "quit")
    assert scene.hear("Guest")[-1] == "Goodbye, guest. Nothing of you stays here."
    assert not list(scene.world.held(guest.id))
    assert guest.id not in scene.world.characters


@pytest.mark.parametrize("how", ["quit", "kick", "sweep"])
def test_a_guest_goes_while_the_ledger_cannot_be_written(how: str) -> None:
    """The session ends, and others play on; what the guest held is burned when that can be written."""
    scene = in_town()
    scene.arrive("Guest", guest=True)
    ear, guest = scene.ears["Guest"], scene.me("Guest")
    scene.world.move_gold(MINT, guest.id, 7)
    scene.realm.happened((), "mint")
    scene.world.sealed = "Not just now."
    if how == "quit":
        scene.type("Guest", "quit")
    elif how == "kick":
        scene.realm.kick(ear.session, "")
    else:
        linkdead(scene, "Guest")
        scene.clock.advance(700)
        scene.realm.sweep()
    assert scene.realm.session(ear.session.id) is None
    assert ear.closed is not None or how == "sweep"
    assert typed(scene, "Ann", "say still here")["Bob"] == ['Ann says, "still here"']
    scene.accounts.sleepers.forget_old()
    assert guest.gold == 7
    scene.world.sealed = ""
    scene.accounts.sleepers.forget_old()
    assert guest.id not in scene.world.characters
    assert [one.message for one in fsck.examine(scene.store._database) if one.invariant in ("I2", "I3", "I4")] == []


def test_takeover() -> None:
    """Up to the limit they share the session; then the oldest is closed with a reason."""
    scene = in_town()
    session = scene.ears["Ann"].session
    ears = [scene.ears["Ann"], *[Ear(session) for _ in range(4)]]
    for ear in ears[1:]:
        attach(scene, ear)
    assert len(session.connections) == 4
    assert ears[0].closed is not None
    code, reason = ears[0].closed
    assert (code, reason.startswith("takeover")) == (4001, True)
    scene.hear_all()
    for ear in ears[1:]:
        ear.take()
    scene.type("Bob", "say all of you")
    assert [ear.take() for ear in ears[1:]] == [['Bob says, "all of you"']] * 4


# ── pace ────────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_is_paced_and_none_of_it_lost() -> None:
    """A door that sends too much is paused, and goes on when half of it is done."""
    scene = in_town()
    ann = scene.ears["Ann"]
    for number in range(200):
        scene.realm.submit(ann.session, 0, f"say {number}")
    assert ann.paused
    scene.run()
    assert not ann.paused
    assert [line.split('"')[1] for line in scene.hear("Bob")] == [str(number) for number in range(200)]


@pytest.mark.parametrize("line", ["look;look;xyzzy", "xyzzy;look"])
def test_a_line_is_understood_whole_or_not_at_all(line: str) -> None:
    (words,) = typed(in_town(room=SQUARE), "Ann", line)["Ann"]
    assert words.startswith("There is no command xyzzy.")


def test_the_rest_of_a_line_after_a_refusal_is_left() -> None:
    scene = in_town()
    assert typed(scene, "Ann", "drop moon; say hello") == {"Ann": ["You have no moon."]}


def test_a_tick_that_breaks_in_one_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others tick on."""
    scene = in_town()
    ticked: list[str] = []

    def tick(world: Any, zone: str, dt: float) -> tuple[()]:
        ticked.append(zone)
        if len(ticked) == 1:
            raise RuntimeError("a bug")
        return ()

    monkeypatch.setattr("mythos.world.step.tick", tick)
    scene.realm.tick(1.0)
    assert len(ticked) == 2
    assert [what for what, _ in scene.observer.faults] == [f"tick of {ticked[0]}"]


# ── a restart ───────────────────────────────────────────────────────────────────────────────────


def test_a_restart_in_a_smaller_world_makes_nothing_twice() -> None:
    """Who stood in a room that is no more is where it belongs, with what it had."""
    scene = in_town()
    scene.world.place_body(scene.world.npcs[RAT], DEN)
    scene.realm.happened((), "walk")
    scene.realm.save()
    before = wealth(scene.world)
    again = Scene(without_the_den(), "", before=scene)
    assert wealth(again.world) == before
    assert RAT in again.world.people[YARD]
