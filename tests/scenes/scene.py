"""Scenes: who types, who hears; through the real realm, with a store in memory and a clock that stands still."""

from __future__ import annotations

import random
from collections.abc import Coroutine, Sequence
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from mythos.cluster.solo import SoloBus
from mythos.commands import grammar
from mythos.commands.table import VERBS
from mythos.flow.log import Cursor, Gap, Limits
from mythos.flow.throttle import Throttle
from mythos.ids import RoomId
from mythos.net.tokens import JWTTokens
from mythos.play.accounts import Accounts
from mythos.play.audience import Listeners
from mythos.play.channels import Channels
from mythos.play.commits import Commits
from mythos.play.realm import Attached, Pace, Realm
from mythos.play.sessions import Session
from mythos.play.waking import load_again, load_world
from mythos.store.lane import Lane
from mythos.store.memory import MemoryStore
from mythos.wire.message import Line, State
from mythos.world import npcs
from mythos.world.state import Character, World
from mythos.world.zones import Atlas

__all__ = ["Ear", "PlainHasher", "Scene", "result"]


_SCENES = count(1)


class SeededDice:
    """Chance that is the same in every run."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, sides: int) -> int:
        return self._random.randrange(sides)


class PlainHasher:
    """Hashes without the work; passes the same contract but for its strength."""

    async def hash(self, password: str) -> str:
        return f"plain:{password}"

    async def verify(self, hash: str | None, password: str) -> bool:
        return hash in (f"plain:{password}", f"weak:{password}")

    def outdated(self, hash: str) -> bool:
        return hash.startswith("weak:")


class Ear:
    """A connection that keeps what it is told.

    :ivar height: lines its screen shows; 0: it has no end
    """

    kind = "telnet"
    cursor: Cursor

    def __init__(self, session: Session, address: str = "127.0.0.1") -> None:
        self.session = session
        self.address = address
        self.height = 0
        self.closed: tuple[int, str] | None = None
        self.answers: list[tuple[int, str, int, bool]] = []
        self.states: dict[str, Any] = {}
        self.paused = False
        self.token = ""
        self.woken = False

    def wake(self) -> None:
        """It is asked with :meth:`take`."""

    def fits(self, lines: Sequence[Line]) -> int:
        return self.height or len(lines)

    def answer(self, c: int, error: str, expect: int, dup: bool) -> None:
        self.answers.append((c, error, expect, dup))

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False
        self.woken = False

    def take(self) -> list[str]:
        """The plain words of all lines since the last call; states are kept in :attr:`states`."""
        log, words = self.session.log, []
        while True:
            gap = log.overtaken(self.cursor)
            if gap is not None:
                words.append(f"gap {gap.missed}" if isinstance(gap, Gap) else "")
            entries = log.pull(self.cursor, 1 << 20)
            for _, _, message in entries:
                if isinstance(message, Line):
                    words.append(message.text)
                elif isinstance(message, State):
                    self.states[message.name] = message.data
            if not entries:
                log.ack(self.cursor, self.cursor.sent)
                return words


class SceneClock(Clock):
    """Also the wall's clock."""

    def wall(self) -> float:
        return 1_800_000_000.0 + self.seconds()


class _Runner:
    def __init__(self) -> None:
        self.failures: list[Failure] = []

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        Deferred.fromCoroutine(work).addErrback(self.failures.append)


class _Observer:
    def __init__(self) -> None:
        self.faults: list[tuple[str, BaseException]] = []
        self.turns: list[str] = []

    def turn(self, verb: str, seconds: float) -> None:
        self.turns.append(verb)

    def fault(self, what: str, error: BaseException) -> None:
        self.faults.append((what, error))


class Scene:
    """People in a world.

    :param people: names; they stand in ``room`` (the atlas' start), Ann and Bob by default
    :param before: the scene before a restart: its store is gone on with, and its clock
    :ivar heard: use :meth:`hear`
    """

    def __init__(
        self,
        atlas: Atlas,
        people: str = "Ann Bob",
        *,
        room: str = "",
        seed: int = 1,
        pace: Pace | None = None,
        limits: Limits | None = None,
        before: Scene | None = None,
        store: MemoryStore | None = None,
    ) -> None:
        self.clock: SceneClock = before.clock if before else SceneClock()
        self.observer = _Observer()
        self.runner = _Runner()
        self.store: MemoryStore = before.store if before else store or MemoryStore()
        world, contents = result(load_world(self.store, atlas, SeededDice(seed)))
        npcs.populate(world)
        tokens = JWTTokens("a secret key of a test, long enough to pass")
        commits = Commits(
            f"scene {next(_SCENES)}", contents.next_tx, lambda: (self.realm.world.now, self.realm.world.next_id)
        )
        self.lane = Lane(commits, self.store, self.clock)
        bus = SoloBus()
        self.realm: Realm = Realm(
            world=world,
            verbs=VERBS,
            grammar=grammar,
            channels=Channels(),
            commits=commits,
            store=self.store,
            tokens=tokens,
            clock=self.clock,
            runner=self.runner,
            bus=bus,
            observer=self.observer,
            pace=pace or Pace(per_minute=60_000, burst=1_000, room_per_second=1_000),
            limits=limits or Limits(),
        )
        self.accounts = Accounts(self.realm, self.store, self.store, PlainHasher(), tokens, self.clock, Throttle())
        self.realm.accounts = self.accounts
        self.lane.broken = lambda batch, error: self.load_again()
        bus.hear = lambda channel, message: self.realm.hear((Listeners(channel), message))
        self.accounts.sleepers.remember(contents.sessions, contents.strays)
        commits.submit(world.take_change(), kind="populate")
        self.ears: dict[str, Ear] = {}
        for name in people.split():
            self.arrive(name, room=room)
        self.hear_all()

    @property
    def world(self) -> World:
        return self.realm.world

    def arrive(self, name: str, *, room: str = "", keeper: bool = False, guest: bool = False) -> Character:
        """A new character comes into the world."""
        session = self.accounts.guest()
        me = session.me
        if room:
            me.room = RoomId(room)
        me.name, me.keeper = name, keeper
        if not guest:
            account = result(self.accounts.create(name + "x", "a long password"))
            me.account = account.id
        ear = Ear(session)
        attached: list[Attached] = []
        self.realm.attach(ear, session, token=False, then=attached.append)
        assert attached
        self.ears[name] = ear
        return me

    def type(self, who: str, *lines: str) -> None:
        """Each line is a command; the world runs until nothing waits."""
        for text in lines:
            self.realm.submit(self.ears[who].session, 0, text)
            self.run()

    def run(self) -> None:
        """Run commands until none waits that may run now; time moves by as much as they have to wait."""
        while (delay := self.realm.pump()) is not None:
            self.clock.advance(delay)
        for failure in self.runner.failures:
            failure.raiseException()
        for what, error in self.observer.faults:
            raise AssertionError(f"{what} broke") from error

    def tick(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.clock.advance(1.0)
            self.realm.tick(1.0)
        self.run()

    def load_again(self) -> None:
        """As the house does after a batch that can never be written."""
        self.realm.halt()
        result(load_again(self.realm))

    def hear(self, who: str) -> list[str]:
        """What somebody heard since they were last asked; what their client draws is then drawn."""
        self.realm.draw(self.ears[who].session)
        return self.ears[who].take()

    def hear_all(self) -> dict[str, list[str]]:
        return {name: self.hear(name) for name in self.ears}

    def me(self, who: str) -> Character:
        return self.ears[who].session.me


def result(work: Coroutine[Any, Any, Any]) -> Any:
    found: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(found.append)
    assert found, "it waits for something in a world where nothing waits"
    if isinstance(found[0], Failure):
        found[0].raiseException()
    return found[0]
