"""Losses that the model of a session found, and that reading for them found, each as small as it gets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mythos.flow.log import Limits
from mythos.net.outlet import Outlet
from mythos.net.poll import Poll
from mythos.net.transport import HOLD
from mythos.play.realm import Attached
from mythos.play.sessions import Session
from mythos.wire.message import State, line
from mythos.world.state import MINT
from tests.net.web import Frames, Stream, Web, playing
from tests.play.test_session_model import Wire
from tests.scenes.people import in_town
from tests.scenes.scene import Ear, Scene, result
from tests.world.town import ATLAS, INN


@pytest.fixture
def web() -> Iterator[Web]:
    with playing() as web:
        yield web


def mint(scene: Scene, *people: str) -> None:
    for who in people:
        scene.world.move_gold(MINT, scene.me(who).id, 10)
    scene.realm.happened((), "mint")
    scene.run()


def attach(scene: Scene, ear: Ear, **where: Any) -> Attached:
    found: list[Attached] = []
    scene.realm.attach(ear, ear.session, token=False, then=found.append, **where)
    scene.run()
    return found[0]


def hold(scene: Scene) -> Callable[[], None]:
    """The disk is slow until what this returns is called."""
    wake, scene.realm.commits.wake = scene.realm.commits.wake, lambda: None

    def go_on() -> None:
        scene.realm.commits.wake = wake
        wake()
        scene.run()

    return go_on


def restarted(scene: Scene) -> Scene:
    """Stopped and started as the house does it."""
    scene.realm.halt()
    scene.realm.save(with_logs=True)
    scene.clock.advance(0)
    return Scene(ATLAS, "", before=scene)


def records(client: Frames | Stream, kind: str) -> list[dict[str, Any]]:
    return [one for one in client.take() if one["t"] == kind]


# ── nobody reads what a crash undoes ────────────────────────────────────────────────────────────


def test_a_snapshot_tells_nothing_that_is_not_on_disk() -> None:
    """Who attaches while a batch is on its way sees no coins that lie there by the next one."""
    scene = in_town()
    mint(scene, "Bob")
    ann, commits = scene.ears["Ann"].session, scene.realm.commits
    hold(scene)
    commits.submit_entities([scene.me("Ann")])
    again = Ear(ann)
    scene.realm.attach(again, ann, token=False, then=lambda _: None)
    assert commits.take() is not None  # the attach waits for this one
    scene.type("Bob", "drop 7 gold")
    commits.written()
    assert [text for text in again.take() if "7 gold" in text] == []


def test_a_gap_shows_nothing_that_is_not_on_disk() -> None:
    """The gauges behind a gap are no way round the horizon either."""
    scene = Scene(ATLAS, "Ann Bob", room=INN, limits=Limits(events=12))
    mint(scene, "Ann")
    session, outlet = scene.ears["Ann"].session, Outlet(Poll(scene.clock))
    wire = _wire(scene, outlet)
    wire.pauseProducing()
    for number in range(20):
        scene.type("Bob", f"say {number}")
    hold(scene)
    scene.type("Ann", "drop 7 gold")
    wire.resumeProducing()
    outlet.flush()
    states = [what for _, _, what in session.log.entries if isinstance(what, State)]
    gauges = [state.data for state in states if state.name == "Char.Vitals"]
    assert [one["gold"] for one in gauges if one["gold"] != 10] == []


# ── the gap says what is missing ────────────────────────────────────────────────────────────────


def test_a_gap_counts_what_its_own_snapshot_displaces() -> None:
    """The states behind a gap may force more out of a full log: that is in the gap, too."""
    scene = Scene(ATLAS, "Ann Bob", room=INN, limits=Limits(events=24))
    outlet = Outlet(Poll(scene.clock))
    wire = _wire(scene, outlet)
    wire.pauseProducing()
    for number in range(44):
        scene.type("Bob", f"say {number}")
    wire.resumeProducing()
    outlet.flush()
    gap = next(one["gap"] for one in wire.flight if "gap" in one)
    first = next(one for one in wire.flight if one.get("text"))
    assert (first["s"], first["p"]) == (gap + 1, gap)


def _wire(scene: Scene, outlet: Outlet) -> Wire:
    session = scene.ears["Ann"].session
    wire = Wire(outlet, scene.realm, session)
    wire.kind = "sse"
    scene.realm.attach(wire, session, token=False, then=wire.greet)
    outlet.flush()
    wire.flight.clear()
    return wire


# ── every command is answered ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "answer"),
    [({"c": 9, "line": "look"}, "gap"), ({"c": 1, "line": "other"}, "taken"), ({"c": 1, "line": "look"}, None)],
)
def test_an_answer_outlives_a_batch_that_is_given_up(web: Web, sent: dict[str, Any], answer: str | None) -> None:
    """What is answered from memory waits for the disk, and is not lost with what the disk refuses."""
    scene = web.scene
    client = web.socket(web.guest()["token"])
    client.send({"c": 1, "line": "look"})
    client.take()
    go_on = hold(scene)
    mint(scene, "Bob")
    client.send(sent)
    scene.realm.commits.take()
    scene.realm.commits.failed()
    scene.load_again()
    go_on()
    found = [one for one in client.take() if one.get("c") == sent["c"]]
    assert [one.get("error") for one in found] == [answer]


def test_an_answer_by_stream_outlives_a_batch_that_is_given_up(web: Web) -> None:
    scene = web.scene
    token = web.guest()["token"]
    stream = web.stream(token)
    web.post("commands", {"c": 1, "line": "look"}, token)
    stream.take()
    go_on = hold(scene)
    mint(scene, "Bob")
    web.post("commands", {"c": 9, "line": "look"}, token)
    scene.realm.commits.take()
    scene.realm.commits.failed()
    scene.load_again()
    go_on()
    assert [one["error"] for one in records(stream, "refused")] == ["gap"]


# ── a planned restart loses nothing ─────────────────────────────────────────────────────────────


def test_two_restarts_before_the_player_is_back() -> None:
    """A session that slept through one restart sleeps through the next, with its log."""
    before = in_town()
    ann = before.ears["Ann"]
    token = result(before.accounts.grant(ann.session)).token
    epoch, last = ann.session.log.epoch, ann.cursor.sent
    before.type("Bob", "say one")
    scene = restarted(restarted(before))
    session = result(scene.accounts.session_by(token))
    again = Ear(session)
    attached = attach(scene, again, epoch=epoch, last=last)
    assert (attached.resumed, attached.reason) == (True, "")
    assert 'Bob says, "one"' in again.take()


def test_who_attaches_while_the_house_closes() -> None:
    """Its session has been saved with its log, and is not saved again without."""
    before = in_town()
    ann = before.ears["Ann"]
    token = result(before.accounts.grant(ann.session)).token
    epoch, last = ann.session.log.epoch, ann.cursor.sent
    before.type("Bob", "say one")
    before.realm.halt()
    before.realm.save(with_logs=True)
    before.realm.attach(Ear(ann.session), ann.session, then=lambda _: None)
    before.clock.advance(0)
    scene = Scene(ATLAS, "", before=before)
    session = result(scene.accounts.session_by(token))
    again = Ear(session)
    assert attach(scene, again, epoch=epoch, last=last).resumed
    assert 'Bob says, "one"' in again.take()


def test_a_question_that_a_restart_forgot() -> None:
    """The client was told that its next line is a secret; it is told that it is not any more."""
    before = in_town("Bob")
    before.arrive("Guest", guest=True)
    guest = before.ears["Guest"]
    token = result(before.accounts.grant(guest.session)).token
    before.type("Guest", "register Morwenna")
    before.hear("Guest")
    assert guest.states["Mythos.Ask"]["secret"]
    scene = restarted(before)
    session = result(scene.accounts.session_by(token))
    again = Ear(session)
    assert attach(scene, again, epoch=guest.session.log.epoch, last=guest.cursor.sent).resumed
    again.take()
    assert (session.question is not None) == bool(again.states.get("Mythos.Ask", guest.states["Mythos.Ask"])["text"])


# ── a command number means the same words over a restart ────────────────────────────────────────


def _again(scene: Scene, *, planned: bool) -> Session:
    """Ann's session after a restart, or after a kill."""
    ann = scene.ears["Ann"].session
    token = result(scene.accounts.grant(ann)).token
    after = restarted(scene) if planned else Scene(ATLAS, "", before=scene)
    session: Session = result(after.accounts.session_by(token))
    attach(after, Ear(session))
    return session


def test_two_tabs_use_one_number_over_a_restart() -> None:
    scene = in_town()
    ann = scene.ears["Ann"].session
    scene.realm.submit(ann, 1, "say from the first tab")
    scene.run()
    session = _again(scene, planned=True)
    assert session.accept(1, "say from the second tab") == ("taken", 2, False)
    assert session.accept(1, "say from the first tab") == ("", 2, True)


def test_two_tabs_use_one_number_over_a_kill() -> None:
    """What moved something is in the ledger, with its number and a checksum of its words."""
    scene = in_town()
    mint(scene, "Ann")
    scene.realm.submit(scene.ears["Ann"].session, 1, "drop 2 gold")
    scene.run()
    session = _again(scene, planned=False)
    assert session.accept(1, "drop 3 gold") == ("taken", 2, False)
    assert session.accept(1, "drop 2 gold") == ("", 2, True)


@pytest.mark.parametrize("planned", [True, False])
def test_what_was_undone_stays_undone(planned: bool) -> None:
    scene = in_town()
    mint(scene, "Ann")
    ann = scene.ears["Ann"].session
    go_on = hold(scene)
    scene.realm.submit(ann, 1, "drop 2 gold")
    scene.run()
    scene.realm.commits.take()
    scene.realm.commits.failed()
    scene.load_again()
    go_on()
    scene.realm.submit(ann, 2, "drop 3 gold")
    scene.run()
    session = _again(scene, planned=planned)
    assert session.accept(1, "drop 2 gold") == ("undone", 3, True)
    assert session.accept(2, "drop 3 gold") == ("", 3, True)


def test_nothing_of_a_password_is_stored() -> None:
    """Not even a checksum: it would tell a thief of the database which guesses are worth a try."""
    scene = in_town("Bob")
    scene.arrive("Guest", guest=True)
    guest = scene.ears["Guest"].session
    for c, words in enumerate(("register Morwenna", "a long password", "a long password", "look"), 1):
        scene.realm.submit(guest, c, words)
        scene.run()
    assert [guest.asked(c) is None for c in (1, 2, 3, 4)] == [False, True, True, False]


# ── one connection costs another nothing ────────────────────────────────────────────────────────


def test_one_stream_does_not_acknowledge_for_another(web: Web) -> None:
    """Two tabs on event streams: what the first has read, the second may still miss."""
    token = web.guest()["token"]
    first, second = web.stream(token), web.stream(token)
    first.take()
    second.take()
    place = second.ids[-1]
    web.post("commands", {"c": 1, "line": "say one"}, token)
    first.take()
    web.post("commands", {"a": int(first.ids[-1].rpartition(".")[2])}, token)
    second.lost()  # with what was in flight
    back = web.stream(token, f"&last={place}").take()
    assert back[0]["resumed"], back[0]
    assert any("You say" in one.get("text", "") for one in back)


def test_each_of_two_streams_is_acknowledged(web: Web) -> None:
    """By the token of its own hello, as the web client sends it: else the log could let go of nothing."""
    bearer = web.guest()["token"]
    session = web.scene.realm.every_session()[-1]
    streams = [web.stream(bearer), web.stream(bearer)]
    for stream in streams:
        token = stream.take()[0]["token"]
        web.post("commands", {"a": int(stream.ids[-1].rpartition(".")[2])}, token)
    assert [one.cursor.acked for one in session.connections] == [session.log.head] * 2


# ── the last words ──────────────────────────────────────────────────────────────────────────────


def test_last_words_are_all_told() -> None:
    """A session that ends writes everything it has, however much that is, and the answer to ``quit``."""
    scene = in_town()
    wire = _wire(scene, Outlet(Poll(scene.clock)))
    session = wire.session
    words = "x" * 1000
    for _ in range(2 * HOLD // 1000):
        session.log.put(line("system", words), scene.clock.seconds())
    scene.realm.submit(session, 1, "quit")
    scene.run()
    told = [one for one in wire.flight if one.get("text") == words]
    assert len(told) == 2 * HOLD // 1000
    assert [one["error"] for one in wire.flight if one.get("c") == 1] == [""]
