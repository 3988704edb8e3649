"""``mythosctl bots``: guests who play like people, on every door, and count what is late, lost or told twice.

What a bot says on a channel is numbered. All the others hear it, whatever their door: whoever misses a number lost a
line, and whoever hears one again was told it twice. What comes over WebSocket and event stream has numbers besides.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

import click

from mythos.ctl.botdoors import DOORS, Door, Refused, Target
from mythos.ctl.remote import FAILED, NOT_REACHED, SPAN, configuration, data_option, fail, json_option

__all__ = ["bots"]

#: Seconds between two lines of one bot on a channel: fewer than the least limit allows.
_CHAT = 10.0
#: Seconds after the last command for the last words to come.
_LAST_WORDS = 10.0
#: Seconds between two words on how it goes.
_PROGRESS = 10.0
#: Bots on their way in at once.
_AT_ONCE = 8
#: What people type, and how often.
_HABITS = {"look": 30, "who": 4, "score": 4, "inventory": 4, "exits": 6, "walk": 22, "say": 30}
_WAYS = ("north", "east", "south", "west", "up", "down")


class _Run:
    """What all bots of one run share.

    :ivar sent: number of the last line each has heard itself say on the channel, by its place in the run
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.numbered = re.compile(rf"\b{name}-(\d+)-(\d+)\b")
        self.sent: dict[int, int] = {}
        self.refused: Counter[str] = Counter()
        self.repeated = self.lost = self.dropped = self.slowed = self.commands = self.lines = 0
        self.took: dict[str, list[float]] = {kind: [] for kind in DOORS}


class _Bot:
    """Implements ``Ear``.

    :ivar heard: number of the last line it heard of each
    """

    def __init__(self, run: _Run, place: int, kind: str, target: Target) -> None:
        self._run = run
        self._place = place
        self.door: Door = DOORS[kind](target, self)
        self.heard: dict[int, int] = {}
        self.there = False
        self._chance = random.Random(place)
        self._waits: dict[int, float] = {}
        self._said: dict[str, float] = {}
        self._chats = 0
        self._next_chat = 0.0

    # ── what it hears ───────────────────────────────────────────────────────────────────────────

    def line(self, text: str) -> None:
        self._run.lines += 1
        for place, number in [(int(one[1]), int(one[2])) for one in self._run.numbered.finditer(text)]:
            if "[chat]" not in text:
                self._answer(self._said.pop(f"{place}-{number}", None))
                continue
            before = self.heard.get(place, 0)
            if number <= before:
                self._run.repeated += 1
                continue
            self._run.lost += number - before - 1
            self.heard[place] = number

    def answered(self, c: int) -> None:
        self._answer(self._waits.pop(c, None))

    def lost(self, count: int) -> None:
        if count < 0:
            self._run.repeated -= count
        else:
            self._run.lost += count

    def slowed(self) -> None:
        self._run.slowed += 1

    def _answer(self, since: float | None) -> None:
        if since is not None:
            self._run.took[self.door.kind].append(monotonic() - since)

    # ── what it does ────────────────────────────────────────────────────────────────────────────

    async def listen(self) -> None:
        """Until the server closes, which it should not, or says what makes no sense."""
        with suppress(Exception):
            await self.door.listen()
        self.there = False
        self._run.dropped += 1

    async def play(self, until: float, pace: float) -> None:
        await asyncio.sleep(self._chance.random() * pace)
        while self.there and monotonic() < until:
            try:
                await self._act()
            except (OSError, Refused):
                if self.there:
                    self.there = False
                    self._run.dropped += 1
                return
            await asyncio.sleep(min(self._chance.expovariate(1.0 / pace), max(0.0, until - monotonic())))

    async def _act(self) -> None:
        self._run.commands += 1
        now = monotonic()
        if now >= self._next_chat:
            self._next_chat = now + _CHAT
            self._chats += 1
            self._run.sent[self._place] = self._chats
            await self._type(f"chat {self._run.name}-{self._place}-{self._chats}")
            return
        habit = self._chance.choices(list(_HABITS), list(_HABITS.values()))[0]
        if habit == "walk":
            await self._type(self._chance.choice(_WAYS))
        elif habit == "say":
            token = f"{self._place}-{self._chance.randrange(10**9)}"
            if not self.door.counts:
                self._said[token] = now
            await self._type(f"say {self._run.name}-{token}")
        else:
            await self._type(habit)

    async def _type(self, line: str) -> None:
        c = self.door.number()
        if c:
            self._waits[c] = monotonic()
        await self.door.type(line, c)


async def _play(count: int, seconds: float, pace: float, kinds: Sequence[str], target: Target, tell: bool) -> _Run:
    run = _Run(f"bot{secrets.token_hex(3)}")
    made = [_Bot(run, place, kinds[place % len(kinds)], target) for place in range(count)]
    gate = asyncio.Semaphore(_AT_ONCE)
    listening: list[asyncio.Task[None]] = []

    async def come_in(bot: _Bot) -> None:
        async with gate:
            try:
                await bot.door.open()
            except (TimeoutError, OSError, Refused, asyncio.IncompleteReadError) as error:
                run.refused[str(error) or type(error).__name__] += 1
                return
        bot.there = True
        listening.append(asyncio.create_task(bot.listen()))

    await asyncio.gather(*map(come_in, made))
    players = [bot for bot in made if bot.there]
    start = monotonic()
    playing = asyncio.gather(*[bot.play(start + seconds, pace) for bot in players])
    while not playing.done():
        await asyncio.wait([playing], timeout=_PROGRESS)
        if tell and not playing.done():
            told = f"{monotonic() - start:.0f} of {seconds:.0f} s: {sum(bot.there for bot in players)} bots play"
            click.echo(f"{told}, {run.commands} commands, {run.lost} lost, {run.repeated} repeated", err=True)
    await playing
    end = monotonic() + _LAST_WORDS
    while monotonic() < end and any(_owed(run, bot) for bot in players):
        await asyncio.sleep(0.1)
    run.lost += sum(_owed(run, bot) for bot in players)
    for task in listening:
        task.cancel()
    await asyncio.gather(*listening, return_exceptions=True)
    for bot in players:
        bot.door.close()
    return run


def _owed(run: _Run, bot: _Bot) -> int:
    """Lines of the channel that a bot should have heard by the end."""
    return sum(sent - bot.heard.get(place, 0) for place, sent in run.sent.items()) if bot.there else 0


def _ms(took: Sequence[float], part: float) -> float | None:
    found = sorted(took)
    return round(1000.0 * found[min(len(found) - 1, int(part * len(found)))], 1) if found else None


@click.command()
@data_option
@json_option
@click.argument("count", type=click.IntRange(1, 10_000))
@click.option("--minutes", type=click.FloatRange(0.01, 10_000), default=1.0, help="For so long; 1.")
@click.option("--against", metavar="URL", help="The server: http://host:8000. Without it, the one that runs here.")
@click.option("--telnet", metavar="HOST:PORT", help="Its telnet; port 4000 of the same host.")
@click.option("--doors", default="telnet,websocket,sse", help="By which doors they come; all three.")
@click.option("--pace", type=SPAN, default="3s", metavar="TIME", help="Between two commands of one bot, about; 3s.")
def bots(
    data: str | None, as_json: bool, count: int, minutes: float, against: str | None, telnet: str | None, doors: str,
    pace: float,
) -> None:  # fmt: skip
    """Let COUNT bots play as guests. Says how late answers were, and how many lines were lost or told twice.

    Exit 1 if any was, or if a bot was not let in or sent out.
    """
    kinds = [kind.strip() for kind in doors.split(",")]
    for kind in kinds:
        if kind not in DOORS:
            raise click.UsageError(f"there is no door {kind}: there are {', '.join(DOORS)}")
    target = _target(data, against, telnet)
    if pace < 0.01:
        raise click.UsageError("--pace is 10ms at least")
    run = asyncio.run(_play(count, 60.0 * minutes, pace, kinds, target, not as_json))
    if sum(run.refused.values()) == count:
        fail(f"Nobody was let in: {run.refused.most_common(1)[0][0]}", NOT_REACHED)
    found = _found(run, count)
    click.echo(json.dumps(found, indent=2) if as_json else "\n".join(_said(found)))
    if run.lost or run.repeated or run.dropped or run.refused:
        raise SystemExit(FAILED)


def _found(run: _Run, count: int) -> dict[str, Any]:
    return {
        "bots": count,
        "refused": dict(run.refused),
        "dropped": run.dropped,
        "commands": run.commands,
        "lines": run.lines,
        "lost": run.lost,
        "repeated": run.repeated,
        "slowed": run.slowed,
        "doors": {
            kind: {"answers": len(took), "p50_ms": _ms(took, 0.5), "p99_ms": _ms(took, 0.99)}
            for kind, took in run.took.items()
        },
    }


def _said(found: dict[str, Any]) -> list[str]:
    doors = [
        f"{kind}: {one['answers']} answers, p50 {one['p50_ms']} ms, p99 {one['p99_ms']} ms"
        for kind, one in found["doors"].items()
        if one["answers"]
    ]
    return [
        f"{found['bots']} bots, {found['commands']} commands, {found['lines']} lines heard",
        *doors,
        f"lost: {found['lost']}, repeated: {found['repeated']}, connections broken: {found['dropped']}",
        *[f"{count} not let in: {why}" for why, count in found["refused"].items()],
        *([f"{found['slowed']} requests were told to wait: see limits.http"] if found["slowed"] else []),
    ]


def _target(data: str | None, against: str | None, telnet: str | None) -> Target:
    if against is None:
        path: Path = configuration(data).data / "ports.json"
        try:
            ports = json.loads(path.read_text("ascii"))
        except (OSError, ValueError):
            fail(f"No server runs on {path.parent}: start it, or name one with --against URL.", NOT_REACHED)
        place = Target("127.0.0.1", ports.get("http", 0), "127.0.0.1", ports.get("telnet", 0), tls=False)
    else:
        try:
            url = urlsplit(against)
            port = url.port or (443 if url.scheme == "https" else 80)
        except ValueError:
            url, port = urlsplit(""), 0
        if url.scheme not in ("http", "https") or not url.hostname:
            raise click.UsageError(f"{against} is no address of a server, such as http://127.0.0.1:8000")
        place = Target(url.hostname, port, url.hostname, 4000, tls=url.scheme == "https")
    if telnet is None:
        return place
    host, _, number = telnet.rpartition(":")
    if not host or not number.isdecimal():
        raise click.UsageError(f"{telnet} is no HOST:PORT")
    return Target(place.host, place.http, host, int(number), place.tls)
