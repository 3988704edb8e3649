"""Trade at full speed while PostgreSQL is killed, stopped, frozen and cut off: nothing lost, nothing twice."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mythos.store import fsck
from mythos.store.postgres.schema import Target
from tests.chaos import world
from tests.chaos.bots import Bot, aside, told
from tests.chaos.houses import fair
from tests.house.clients import Telnet
from tests.house.server import Server, select_nothing
from tests.postgres import Cluster

#: Commands that change what is on disk, to be told before the end.
_SHORT, _LONG = 1000, 50_000
_PEOPLE = 24
#: Commands between two connections of one that comes by WebSocket.
_BURST = 60
#: Seconds from the end of one fault to the next, and that most of them last. One in four lasts eight times as long:
#: that may be more than the deadline of a transaction.
_BETWEEN, _LASTS = (0.2, 1.0), (0.1, 1.0)
#: From one to the next where there is time.
_LEISURE = (1.0, 6.0)
#: Who is away for the longest fault while the others trade misses nothing: what is kept for them has room.
_ROOMY = {"MYTHOS_SESSIONS_LOG_EVENTS": "8192", "MYTHOS_SESSIONS_LOG_BYTES": "2MB"}
_NAME = re.compile(r"(Guest(\d+)), level")


def _wish(dice: random.Random, journal: Counter[tuple[str, int]], me: str, others: list[str]) -> str:
    """Something that will most likely be done."""
    held: Counter[str] = Counter()
    for (asset, delta), times in journal.items():
        held[asset] += delta * times
    things = sorted(asset for asset, count in held.items() if count > 0 and asset != "gold")
    whom = dice.choice([name for name in others if name != me])
    if held["gold"] > 0 and dice.random() < 0.2:
        return "buy knife" if held["gold"] >= 6 and dice.random() < 0.3 else f"give 1 gold to {whom}"
    if not things:
        return "get pebble"
    thing = dice.choice(things)
    return dice.choice((*[f"give {thing} to {whom}"] * 6, f"drop {thing}", f"sell {thing}"))


@dataclass
class _Caller:
    """One who plays by telnet.

    :ivar journal: as a bot's
    """

    telnet: Telnet
    dice: random.Random
    name: str = ""
    character: str = ""
    journal: Counter[tuple[str, int]] = field(default_factory=Counter)

    def enter(self) -> None:
        self.telnet.until("name?")
        self.telnet.send("guest")
        self.telnet.until("> ")
        self.telnet.send("score")
        found = _NAME.search(self.telnet.until("> "))
        assert found is not None
        self.name, self.character = found[1], f"c{found[2]}"

    async def play(self, others: list[str], enough: Callable[[], bool]) -> None:
        """Until it is enough. A prompt may also come because of others: then two lines are on their way."""
        loop = asyncio.get_running_loop()
        self.telnet.socket.setblocking(False)
        while not enough():
            line = _wish(self.dice, self.journal, self.name, others)
            await loop.sock_sendall(self.telnet.socket, f"{line}\r\n".encode())
            await self._hear("> ")

    async def hear(self) -> None:
        """All that was told up to now."""
        await asyncio.get_running_loop().sock_sendall(self.telnet.socket, b"say that is all\r\n")
        await self._hear('You say, "that is all"\r\n')

    async def _hear(self, wanted: str) -> None:
        loop = asyncio.get_running_loop()
        while wanted.encode() not in self.telnet.heard:
            data = await loop.sock_recv(self.telnet.socket, 65_536)
            assert data, "the line was cut"
            self.telnet.heard += data
        for line in self.telnet.until(wanted).replace("> ", "").splitlines():
            self.journal.update(told(line))


class _Trader(Bot):
    """One who plays by WebSocket, and comes back to where it was.

    :ivar gaps: how often it was told that it had missed something
    """

    gaps = 0

    def _hear(self, record: dict[str, Any]) -> None:
        self.gaps += record["t"] == "gap"
        super()._hear(record)

    async def trade(self, port: int, others: list[str], enough: Callable[[], bool]) -> None:
        while not enough():
            await self.play(port, others, _BURST)

    async def hear(self, port: int) -> None:
        """All that was told up to now."""
        await self.play(port, [], 1)

    def _choose(self, others: list[str]) -> str:
        return _wish(self.dice, self.journal, self.name, others) if others else "look"


# ── faults ──────────────────────────────────────────────────────────────────────────────────────


def _processes(cluster: Cluster) -> list[int]:
    """Of a cluster, its first one first."""
    first = int((cluster.data / "postmaster.pid").read_text().split()[0])
    return [first, *[pid for (pid,) in cluster.ask("SELECT pid FROM pg_stat_activity") if pid]]


def _tell(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, how)


def _killed(cluster: Cluster, seconds: float) -> None:
    """All its processes at once, as when the power goes."""
    pids = _processes(cluster)
    _tell(pids, signal.SIGSTOP)  # else the first one would see to the others
    _tell(pids, signal.SIGKILL)
    cluster.stop(signal.SIGKILL)
    select_nothing(seconds)
    cluster.start()


def _stopped(cluster: Cluster, seconds: float) -> None:
    """At once, without a word to who is connected but that."""
    cluster.stop(signal.SIGQUIT)
    select_nothing(seconds)
    cluster.start()


def _frozen(cluster: Cluster, seconds: float) -> None:
    pids = _processes(cluster)
    _tell(pids, signal.SIGSTOP)
    select_nothing(seconds)
    _tell(pids, signal.SIGCONT)


def _ended(cluster: Cluster, seconds: float) -> None:
    """The processes that serve the server, again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        cluster.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'mythos%'")
        select_nothing(0.02)


_FAULTS = (_killed, _stopped, _frozen, _ended)


# ── the storm ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class _Found:
    """:ivar commands: that stand in the ledger
    :ivar lost: what people were told of and the ledger does not have: (who, asset, change), how often
    :ivar untold: the other way round: what was written and nobody was told, or told once and written twice
    :ivar outcomes: of commits without an answer, as the server counts them
    :ivar gaps: how often anybody was told that they had missed something
    """

    commands: int
    told: int
    faults: Counter[str]
    lost: Counter[tuple[str, str, int]]
    untold: Counter[tuple[str, str, int]]
    wrong: list[Any]
    outcomes: dict[str, int]
    gaps: int
    seconds: float
    log: str


def _storm(
    place: Path,
    cluster: Cluster,
    wanted: int,
    *,
    patience: float,
    between: tuple[float, float] = _BETWEEN,
    guesses: bool = False,
    faults: tuple[Any, ...] = _FAULTS,
) -> _Found:
    """:param wanted: commands that have to be told of
    :param patience: seconds in which all of it has to be over
    :param guesses: the control: the server takes it for granted that a commit without an answer was written
    """
    dice = random.Random(5)
    name = cluster.make()
    url = cluster.url_of(name)
    done: Counter[str] = Counter()
    began = time.monotonic()
    with fair(place, url=url, guesses=guesses, settings=_ROOMY) as house:
        traders, callers = _people(house, dice)
        people: list[_Caller | _Trader] = [*traders, *callers]
        names = [one.name for one in people]
        over = threading.Event()

        def told_of() -> int:
            return sum(sum(one.journal.copy().values()) for one in people)

        async def play() -> None:
            port = house.ports["http"]
            trade = [one.trade(port, names, over.is_set) for one in traders]
            await asyncio.gather(*trade, *[one.play(names, over.is_set) for one in callers])
            await asyncio.gather(*[one.hear(port) for one in traders], *[one.hear() for one in callers])

        broken: list[BaseException] = []

        def go() -> None:
            try:
                aside(asyncio.wait_for(play(), patience))
            except BaseException as error:
                broken.append(error)

        trading = threading.Thread(target=go)
        trading.start()
        try:
            turns = list(faults)
            while trading.is_alive() and (turns or told_of() < 2 * wanted):  # most of it is told to two
                select_nothing(dice.uniform(*between))
                fault = turns.pop() if turns else dice.choice(faults)
                fault(cluster, dice.uniform(*_LASTS) * dice.choice((1, 1, 1, 8)))
                done[fault.__name__.removeprefix("_")] += 1
        finally:
            over.set()
            trading.join()
        assert guesses or not broken, broken
        outcomes = {
            said: int(house.metric(f'mythos_commits_unanswered_total{{outcome="{said}"}}'))
            for said in ("written", "repeated")
        }
        house.stop()
    lost, untold = _compared(cluster, name, people)
    ((commands,),) = cluster.ask("SELECT count(*) FROM ledger WHERE session IS NOT NULL", database=name)
    return _Found(
        commands,
        sum(sum(one.journal.values()) for one in people),
        done,
        lost,
        untold,
        list(fsck.check_postgres(Target(url))),
        outcomes,
        sum(one.gaps + one.resumed[1:].count(False) for one in traders),
        time.monotonic() - began,
        house.log.read_text(),
    )


def _people(house: Server, dice: random.Random) -> tuple[list[_Trader], list[_Caller]]:
    traders, callers = [], []
    for number in range(_PEOPLE):
        own = random.Random(dice.random())
        if number % 3:
            granted = house.post("/api/v1/guest")
            trader = _Trader(granted["name"], own, granted["token"])
            trader.character = "c" + granted["name"].removeprefix("Guest")
            traders.append(trader)
        else:
            callers.append(_Caller(Telnet(house.ports["telnet"]), own))
            callers[-1].enter()
    return traders, callers


def _compared(
    cluster: Cluster, database: str, people: Sequence[_Caller | _Trader]
) -> tuple[Counter[tuple[str, str, int]], Counter[tuple[str, str, int]]]:
    """What people were told and the ledger does not have, and the other way round."""
    heard = Counter({(one.character, asset, delta): n for one in people for (asset, delta), n in one.journal.items()})
    mine = [one.character for one in people]
    lines = cluster.ask("SELECT holder, asset, delta FROM ledger_line WHERE holder = ANY(%s)", mine, database=database)
    written = Counter((holder, world.NAMES.get(asset, asset), delta) for holder, asset, delta in lines)
    return heard - written, written - heard


@pytest.fixture
def fragile(postgres: Path) -> Any:
    made = Cluster(postgres)
    made.start()
    yield made
    made.remove()


def test_a_storm(tmp_path: Path, fragile: Cluster, long: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that anybody was told is written, everything written was told, and each once."""
    wanted = _LONG if long else _SHORT
    patience, between = (1800, _LEISURE) if long else (60, _BETWEEN)
    found = _storm(tmp_path, fragile, wanted, patience=patience, between=between)
    with capsys.disabled():
        print(
            f"\n{found.commands} commands in {found.seconds:.0f} s, {found.told} things told;"
            f" faults: {dict(found.faults)}; {sum(found.lost.values())} lost, {sum(found.untold.values())} doubled or"
            f" untold; commits without an answer: {found.outcomes}"
        )
    assert found.gaps == 0
    assert found.lost == found.untold == Counter()
    assert found.wrong == []
    assert found.commands >= wanted
    assert sum(found.outcomes.values()) > 0
    assert found.log.count("what became of batch") == sum(found.outcomes.values())
    assert "Traceback" not in found.log
    assert "ALERT batch" not in found.log


def test_who_guesses_loses(tmp_path: Path, fragile: Cluster) -> None:
    """The control: a server that takes a commit without an answer for written tells of what is not."""
    found = _storm(tmp_path, fragile, 0, patience=15, guesses=True, faults=(_killed,) * 4)
    assert found.lost or found.wrong
