"""A session under everything that can happen to it: the real realm, log, outlet and store, and wires that lose.

Bob speaks and drops coins; Ann has up to three clients that come and go by all doors, from where they stand, with what
was in flight lost in both directions. The store may be slow, refuse a batch for ever, be stopped properly or be killed.
What Bob's own faithful connection is told is the truth: each of Ann's clients must hear the same, once and in order, or
be told that something is missing. What Ann types must happen once.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from mythos.flow.log import Entry, Gap, Limits, SessionLog
from mythos.ids import RoomId
from mythos.net.outlet import Link, Outlet
from mythos.net.poll import Poll
from mythos.play.ports import BadBatch
from mythos.play.realm import Attached, Pace, Realm
from mythos.play.sessions import Session
from mythos.store.memory import MemoryStore
from mythos.wire.message import Line
from mythos.world.state import GOLD, MINT
from tests.scenes.scene import Ear, Scene, result
from tests.world.town import ATLAS, INN

DOORS = ("websocket", "sse", "telnet")
LIMITS = Limits(events=12, bytes=4000, window=60.0)
PACE = Pace(
    per_minute=1e9, burst=1e9, room_per_second=1e9, connections=2, grace=1e9, grace_combat=1e9, window=1e9, sweep=1.0
)


class Wire(Link):
    """A connection of a door that writes JSON lines; ``flight`` is what the client has not read yet."""

    def __init__(self, outlet: Outlet, realm: Realm, session: Session) -> None:
        super().__init__(outlet, realm, session, "192.0.2.1")
        self.flight: list[dict[str, Any]] = []
        self.open = True

    def encode(self, entries: list[Entry], before: int) -> bytes:
        frames = []
        for number, _, message in entries:
            text = message.text if isinstance(message, Line) else None
            frames.append({"s": number, "p": before, "text": text})
            before = number
        return _lines(*frames)

    def encode_gap(self, gap: Gap, before: int) -> bytes:
        return _lines({"gap": gap.to})

    def encode_answer(self, c: int, error: str, expect: int, dup: bool) -> bytes:
        return _lines({"c": c, "error": error, "expect": expect})

    def send(self, data: bytes) -> None:
        if self.open:
            self.flight += [json.loads(line) for line in data.splitlines()]

    def abort(self) -> None:
        self.open = False

    def shutdown(self, code: int, reason: str) -> None:
        self.open = False

    def pause(self) -> None:
        """Nobody types that fast here."""

    def resume(self) -> None:
        """See :meth:`pause`."""

    def greet(self, attached: Attached) -> None:
        hello = {"hello": attached.epoch, "resumed": attached.resumed, "next": attached.next_c}
        self.send(_lines(hello))
        self.attached()


_KINDS: dict[str, type[Wire]] = {kind: type(f"{kind.title()}Wire", (Wire,), {"kind": kind}) for kind in DOORS}


def _lines(*frames: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(frame).encode() + b"\n" for frame in frames)


class Client:
    """What a good client keeps, as the web client does; and what it read, in stretches without a gap.

    :ivar typed: commands without an answer, in order, with the number each was sent under (0: not sent)
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.wire: Wire | None = None
        self.greeted = False
        self.epoch = ""
        self.last = 0
        self.fresh = True
        self.next = 1
        self.typed: list[list[Any]] = []
        self.sent: list[tuple[int, str]] = []  # in flight to the server
        self.stretches: list[list[str]] = [[]]
        self.answers: dict[str, str] = {}

    def read(self, frame: dict[str, Any]) -> None:
        if "hello" in frame:
            self._greeted(frame)
        elif "gap" in frame:
            self.stretches.append([])
            self.last = frame["gap"]
        elif "c" in frame:
            self._answered(frame["c"], frame["error"], frame["expect"])
        elif self.fresh or frame["s"] > self.last:
            assert self.fresh or frame["p"] == self.last, f"{self.name} lost {self.last + 1} to {frame['p']}: {frame}"
            self.fresh, self.last = False, frame["s"]
            if frame["text"] is not None:
                self.stretches[-1].append(frame["text"])

    def _greeted(self, frame: dict[str, Any]) -> None:
        self.greeted = True
        if not frame["resumed"]:
            self.stretches.append([])
            self.fresh = True
        self.epoch = frame["hello"]
        self.next = frame["next"]
        for entry in self.typed:
            if entry[0] >= self.next:
                entry[0] = 0
        self.sent = [(c, line) for c, line in self.typed if c]

    def _answered(self, c: int, error: str, expect: int) -> None:
        entry = next((one for one in self.typed if one[0] == c), None)
        self.next = expect if error in ("gap", "taken") else max(self.next, c + 1)
        if entry is None:
            return
        if error in ("gap", "taken"):
            entry[0] = 0
        else:
            self.typed.remove(entry)
            self.answers[entry[1]] = error

    def send(self) -> None:
        """One command at a time: under its number, or under the next."""
        if self.greeted and self.typed and not self.typed[0][0]:
            self.typed[0][0] = self.next
            self.next += 1
            self.sent.append((self.typed[0][0], self.typed[0][1]))


class FlakyStore(MemoryStore):
    """:ivar refuses: the next batch can never be written"""

    refuses = False

    async def write(self, rows: Any) -> None:
        if self.refuses:
            self.refuses = False
            raise BadBatch("refused by the test")
        await super().write(rows)


class Sessions(RuleBasedStateMachine):
    """See the module."""

    log: Callable[[str, Limits], SessionLog] | None = None
    unsafe = False

    @initialize()
    def begin(self) -> None:
        self.store = FlakyStore()
        self.scene = Scene(ATLAS, "Ann Bob", room=INN, pace=PACE, limits=LIMITS, store=self.store)
        if self.unsafe:
            self.scene.realm.commits.unsafe = True
        ann = self.scene.ears["Ann"].session
        self.scene.realm.detach(self.scene.ears["Ann"], ann)
        if self.log is not None:
            ann.log = self.log(ann.log.epoch, LIMITS)
        for name in ("Ann", "Bob"):
            self.scene.world.move_gold(MINT, self.scene.me(name).id, 100_000)
        self.scene.realm.happened((), "mint")
        self.scene.run()
        self.ids = {name: self.scene.ears[name].session.id for name in ("Ann", "Bob")}
        self.tokens = {
            name: result(self.scene.accounts.grant(self.scene.ears[name].session)).token for name in ("Ann", "Bob")
        }
        self.ear = self._bob()
        self.outlet = Outlet(Poll(self.scene.clock))
        self.clients = [Client(f"client {number}") for number in range(3)]
        self.truth: list[str] = []
        self.heard: list[str] = []
        self.count = 0
        self.gone: list[Wire] = []
        self.doubtful: set[str] = set()
        self.held = False
        self.wake = self.scene.realm.commits.wake
        self._listen()
        self.truth.clear()

    # ── Bob, who is faithful ────────────────────────────────────────────────────────────────────

    def _bob(self) -> Ear:
        session = result(self.scene.accounts.session_by(self.tokens["Bob"]))
        session.log.limits = Limits()  # he never loses a line, however many are released at once
        ear = Ear(session)
        self.scene.realm.attach(ear, session, token=False, then=lambda _: None)
        return ear

    def _listen(self) -> None:
        """What Bob is told of his own doing is the truth; of Ann's, what has happened."""
        for text in self.ear.take():
            if text.startswith("You say,"):
                self.truth.append(text.replace("You say", "Bob says"))
            elif text.startswith("You drop"):
                self.truth.append(text.replace("You drop", "Bob drops"))
            elif text.startswith(("Ann says", "Ann drops")):
                self.heard.append(text)

    def _go(self) -> None:
        """Run what waits, and flush."""
        self.scene.run()
        self.outlet.flush()
        self._listen()

    def _bob_types(self, line: str) -> None:
        self.scene.realm.submit(self.ear.session, 0, line)
        self._go()

    @rule()
    def bob_says(self) -> None:
        self.count += 1
        self._bob_types(f"say w{self.count}")

    @rule()
    def bob_says_much(self) -> None:
        for _ in range(9):
            self.bob_says()

    @rule()
    def bob_drops_coins(self) -> None:
        """A different number each time, so that each is known."""
        self.count += 1
        self._bob_types(f"drop {self.count + 1} gold")

    # ── Ann's clients ───────────────────────────────────────────────────────────────────────────

    @rule(which=st.integers(0, 2), kind=st.sampled_from(DOORS))
    def connect(self, which: int, kind: str) -> None:
        """Whatever connection it has is lost; the server may not have noticed yet."""
        client = self.clients[which]
        self.cut(which)
        session = result(self.scene.accounts.session_by(self.tokens["Ann"]))
        wire = client.wire = _KINDS[kind](self.outlet, self.scene.realm, session)
        place: dict[str, Any] = {"epoch": client.epoch, "last": client.last} if client.epoch else {}
        if client.fresh:
            place = {}
        self.scene.realm.attach(wire, session, token=False, then=wire.greet, **place)
        self._go()

    @rule(which=st.integers(0, 2))
    def cut(self, which: int) -> None:
        """What is in flight is lost, in both directions."""
        client = self.clients[which]
        if client.wire is not None:
            client.wire.open = False
            self.gone.append(client.wire)
        client.wire, client.greeted, client.sent = None, False, []

    @precondition(lambda self: bool(self.gone))
    @rule()
    def notice(self) -> None:
        """The server learns of the connections that are gone."""
        for wire in self.gone:
            wire.detached()
        self.gone = []
        self._go()

    @rule(which=st.integers(0, 2), most=st.integers(1, 30))
    def deliver(self, which: int, most: int) -> None:
        client = self.clients[which]
        if client.wire is not None:
            for frame in client.wire.flight[:most]:
                client.read(frame)
            del client.wire.flight[:most]
            if not client.wire.flight and not client.wire.open:
                self.cut(which)

    @rule(which=st.integers(0, 2))
    def acknowledge(self, which: int) -> None:
        client = self.clients[which]
        if client.wire is not None and client.wire.ready and client.greeted and not client.fresh:
            assert self.session.log.ack(client.wire.cursor, client.last)

    @rule(which=st.integers(0, 2), coins=st.booleans())
    def type(self, which: int, coins: bool) -> None:
        self.count += 1
        line = f"drop {self.count + 1} gold" if coins else f"say a{self.count}"
        self.clients[which].typed.append([0, line])

    @rule(which=st.integers(0, 2))
    def transmit(self, which: int) -> None:
        """What it typed, and has to send again, arrives."""
        client = self.clients[which]
        client.send()
        wire, sent, client.sent = client.wire, client.sent, []
        if wire is None or not wire.ready:
            return
        for c, line in sent:
            at_once = self.scene.realm.submit(wire.session, c, line)
            if at_once is not None:
                self.scene.realm.commits.after(partial(wire.answer, c, *at_once))
        self._go()

    @property
    def session(self) -> Session:
        found = self.scene.realm.session(self.ids["Ann"])
        assert found is not None
        return found

    # ── time, the store, the server ─────────────────────────────────────────────────────────────

    @rule(seconds=st.sampled_from([1, 20, 61]))
    def wait(self, seconds: int) -> None:
        self.scene.clock.advance(seconds)
        now = self.scene.clock.seconds()
        self.outlet.sweep(now)
        self.scene.realm.sweep()
        self._go()

    @rule()
    def slow_disk(self) -> None:
        self.held = True
        self.scene.realm.commits.wake = lambda: None

    @rule()
    def quick_disk(self) -> None:
        if self.held:
            self.held = False
            self.scene.realm.commits.wake = self.wake
            self.wake()
        self._go()

    @precondition(lambda self: not self.unsafe)
    @rule()
    def bad_disk(self) -> None:
        """A batch is refused for ever: nothing in it has happened, nobody has heard of it."""
        self.quick_disk()
        self.store.refuses = True
        self._bob_types("drop 1 gold")
        self.scene.clock.advance(0)
        assert not self.store.refuses
        self._go()

    @rule(clean=st.booleans())
    def restart(self, clean: bool) -> None:
        """Planned: everything goes on. Killed: what waits for the disk is nobody's, and was told to nobody."""
        self.quick_disk() if clean else None
        for which in range(3):
            self.cut(which)
        self.gone = []
        if clean:
            self.scene.realm.halt()
            self.scene.realm.save(with_logs=True)
            self.scene.clock.advance(0)
        else:
            unanswered = (line for client in self.clients for _, line in client.typed)
            self.doubtful |= {f'Ann says, "{line[4:]}"' for line in unanswered if line.startswith("say ")}
        self.held = False
        before = self.ear
        self.scene = Scene(ATLAS, "", pace=PACE, limits=LIMITS, before=self.scene)
        self.scene.realm.commits.unsafe = self.unsafe
        self.wake = self.scene.realm.commits.wake
        self.outlet = Outlet(Poll(self.scene.clock))
        session = result(self.scene.accounts.session_by(self.tokens["Bob"]))
        session.log.limits = Limits()
        self.ear = Ear(session)
        attached: list[Attached] = []
        place: dict[str, Any] = {"epoch": before.session.log.epoch, "last": before.cursor.sent}
        self.scene.realm.attach(self.ear, session, token=False, then=attached.append, **place)
        assert attached[0].resumed == clean
        result(self.scene.accounts.session_by(self.tokens["Ann"]))
        self._come_in()
        self._go()

    def _come_in(self) -> None:
        """Ann's body stands where Bob is, whoever of her clients comes back when: or she would not hear him."""
        session = self.session
        session.me.room = RoomId(INN)
        ear = Ear(session)
        self.scene.realm.attach(
            ear, session, token=False, then=lambda _: None, epoch=session.log.epoch, last=session.log.head
        )
        self.scene.realm.detach(ear, session)
        session.log.cursors.remove(ear.cursor)

    # ── what must hold ──────────────────────────────────────────────────────────────────────────

    @invariant()
    def everybody_heard_the_truth(self) -> None:
        for client in getattr(self, "clients", ()):
            at = 0
            for stretch in client.stretches:
                words = [text for text in stretch if text.startswith(("Bob says", "Bob drops"))]
                if not words:
                    continue
                assert words[0] in self.truth[at:], f"{client.name} heard {words[0]} twice, or out of order"
                at = self.truth.index(words[0], at)
                assert words == self.truth[at : at + len(words)], f"{client.name}: {words} is not {self.truth[at:]}"
                at += len(words)

    @invariant()
    def what_ann_typed_happened_once(self) -> None:
        heard = getattr(self, "heard", [])
        for text in set(heard):
            assert heard.count(text) == 1 or text in self.doubtful, f"{text} {heard.count(text)} times"

    @invariant()
    def what_was_told_is_on_disk(self) -> None:
        if not hasattr(self, "store"):
            return
        told = sum(int(text.split()[2]) for text in (*self.truth, *self.heard) if " drops " in text)
        lines = self.store._database.execute(
            "SELECT sum(delta) FROM ledger_line WHERE holder = ? AND asset = ? AND delta > 0", (INN, GOLD)
        ).fetchone()[0]
        assert told <= (lines or 0), "somebody was told of what is not on disk"

    @invariant()
    def what_was_answered_is_so(self) -> None:
        for client in getattr(self, "clients", ()):
            for line, error in client.answers.items():
                verb, words = line.split(" ", 1)
                happened = f'Ann says, "{words}"' if verb == "say" else f"Ann drops {words} coins."
                assert error in ("", "undone")
                if happened not in self.doubtful or not error:
                    assert (happened in self.heard) == (not error), f"{client.name}: {line} was answered {error!r}"

    @invariant()
    def memory_is_bounded(self) -> None:
        for session in self.scene.realm.every_session() if hasattr(self, "scene") else ():
            assert session.id == self.ids["Bob"] or len(session.log.entries) <= LIMITS.events
            assert len(session.connections) <= PACE.connections

    def teardown(self) -> None:
        """In the end every client comes back, reads everything, and has an answer to all that it typed."""
        if not hasattr(self, "clients"):
            return
        self.quick_disk()
        for which, client in enumerate(self.clients):
            self.connect(which, "websocket")
            self.bob_says()
            for _ in range(200):
                self.deliver(which, 100)
                if not client.typed and not (client.wire and client.wire.flight):
                    break
                self.transmit(which)
            assert not client.typed, f"{client.name} never got an answer to {client.typed}"
            assert self.truth[-1] in client.stretches[-1], f"{client.name} did not hear the last word"
        self.everybody_heard_the_truth()
        self.what_ann_typed_happened_once()
        self.what_was_answered_is_so()


def _search(machine: type[Sessions], examples: int, phases: tuple[Phase, ...] = tuple(Phase)) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            phases=phases,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_everything_that_can_happen_to_a_session(long: bool) -> None:
    _search(Sessions, 10_000 if long else 600)


class EagerLog(SessionLog):
    """Takes what was sent for acknowledged, and lets who comes back for it go on without a word."""

    def pull(self, cursor: Any, most: int) -> Any:
        found = super().pull(cursor, most)
        self.ack(cursor, cursor.sent)
        return found

    def attach(self, kind: str, epoch: str | None, last: int | None) -> Any:
        if epoch == self.epoch and last is not None and last < self.floor:
            last = self.floor
        return super().attach(kind, epoch, last)


class Forgetful(Sessions):
    """The control of the log: with acknowledgements taken for granted, lines are lost."""

    log = EagerLog


class Hasty(Sessions):
    """The control of the horizon: told before it is written."""

    unsafe = True


@pytest.mark.parametrize("machine", [Forgetful, Hasty])
def test_the_model_finds_what_is_broken(machine: type[Sessions]) -> None:
    with pytest.raises(AssertionError):
        _search(machine, 200, (Phase.generate,))
