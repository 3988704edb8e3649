"""Bots that play, each with a journal of what it was told, and the comparison of all journals with the ledger."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import random
import re
import struct
from collections import Counter
from collections.abc import Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Bot", "Socket", "Verdict", "aside", "judge", "play"]

#: What a bot is told when something conserved came to it (+) or left it (-): the sign, and what it was.
_TOLD = (
    (re.compile(r"You get (?:an? )?(.+?)(?: from .+)?\."), +1),
    (re.compile(r"You drop (?:an? )?(.+?)\."), -1),
    (re.compile(r"You give (?:an? )?(.+?) to \S+\."), -1),
    (re.compile(r"\S+ gives you (?:an? )?(.+?)\."), +1),
    (re.compile(r"You buy (?:an? )?(.+?) (?:from .+ )?for .+\."), +1),
    (re.compile(r"You sell (?:an? )?(.+?) (?:to .+ )?for .+\."), -1),
)
_GOLD = re.compile(r"(\d+) gold(?: coins?)?|(one|a) gold coin")
_PRICE = re.compile(r"You (buy|sell) .+ for (\d+|one|a) gold")


def told(text: str) -> list[tuple[str, int]]:
    """(asset's name, change) of a line about oneself; none if it says nothing of that kind."""
    found: list[tuple[str, int]] = []
    for pattern, sign in _TOLD:
        match = pattern.fullmatch(text)
        if match:
            gold = _GOLD.fullmatch(match[1])
            found.append(("gold", sign * _number(gold[1] or gold[2])) if gold else (match[1], sign))
            price = _PRICE.match(text)
            if price:
                found.append(("gold", (-1 if price[1] == "buy" else +1) * _number(price[2])))
            break
    return found


def _number(word: str) -> int:
    return int(word) if word.isdigit() else 1


@dataclass
class Bot:
    """One player.

    :ivar journal: (asset's name, change) of everything it was told, with how often
    :ivar unanswered: the command that was sent and not answered, with its number
    """

    name: str
    dice: random.Random
    token: str = ""
    character: str = ""
    epoch: str | None = None
    last: int = 0
    next_c: int = 1
    journal: Counter[tuple[str, int]] = field(default_factory=Counter)
    unanswered: tuple[int, str] | None = None
    done: int = 0
    lines: list[str] = field(default_factory=list)
    resumed: list[bool] = field(default_factory=list)

    async def play(self, port: int, others: list[str], commands: int) -> None:
        """Connect, send again what was not answered, and play ``commands`` more, or until the line breaks."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, EOFError):
            socket = await Socket.open(port)
            try:
                await self._attach(socket)
                if self.unanswered is not None:
                    await self._command(socket, self.unanswered[1])
                for _ in range(commands):
                    await self._command(socket, self._choose(others))
            finally:
                socket.close()

    async def _attach(self, socket: Socket) -> None:
        frame: dict[str, Any] = {"t": "attach", "token": self.token}
        if self.epoch is not None:
            frame |= {"epoch": self.epoch, "last": self.last}
        await socket.send(frame)
        hello = await socket.receive()
        if hello["t"] != "hello":
            raise ConnectionError(hello)
        self.resumed.append(hello["resumed"])
        if hello["epoch"] != self.epoch or not hello["resumed"]:
            self.last = 0
        self.epoch, self.token = hello["epoch"], hello["token"]
        if self.unanswered is None or hello["next"] <= self.unanswered[0]:
            self.next_c = hello["next"]
        else:  # it was taken: the same number gets the recorded answer
            self.next_c = self.unanswered[0]

    async def _command(self, socket: Socket, line: str) -> None:
        c = self.next_c
        self.unanswered = (c, line)
        await socket.send({"c": c, "line": line, "a": self.last})
        while True:
            record = await socket.receive()
            if record.get("c") == c and record["t"] in ("done", "refused"):
                self.next_c = max(self.next_c, c + 1) if record["t"] == "done" else record.get("expect", c + 1)
                break
            self._hear(record)
        self.unanswered = None
        self.done += 1

    def _hear(self, record: dict[str, Any]) -> None:
        number = record.get("s")
        if number is None or number <= self.last:
            return
        self.last = number
        if record["t"] == "line":
            self.lines.append(record["text"])
            del self.lines[:-40]
            self.journal.update(told(record["text"]))

    def _choose(self, others: list[str]) -> str:
        dice = self.dice
        thing = dice.choice(("pebble", "shell", "knife"))
        return dice.choice(
            (
                f"get {thing}",
                f"drop {thing}",
                f"give {thing} to {dice.choice(others)}",
                f"give {dice.randint(1, 3)} gold to {dice.choice(others)}",
                "buy knife",
                f"sell {thing}",
                "drop 1 gold",
                "get gold",
                dice.choice(("north", "south")),
            )
        )


def aside(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: the browser's tests keep a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def play(bots: list[Bot], port: int, commands: int) -> None:
    """All at once, until each has played its commands or lost its line."""
    names = [bot.name for bot in bots]
    await asyncio.gather(*[bot.play(port, names, commands) for bot in bots])


# ── the comparison ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Verdict:
    """:ivar lost: things bots were told of that the ledger does not hold: (bot, asset, change, how many)"""

    told: int
    lost: list[tuple[str, str, int, int]]


def judge(bots: list[Bot], lines: Iterable[tuple[str, str, int]], names: dict[str, str]) -> Verdict:
    """Whether the ledger holds everything that anybody was told.

    :param lines: the ledger's: holder, asset, delta
    :param names: a prototype's id -> the name bots hear
    """
    ledger: dict[str, Counter[tuple[str, int]]] = {}
    for holder, asset, delta in lines:
        ledger.setdefault(holder, Counter())[names.get(asset, asset), delta] += 1
    lost, count = [], 0
    for bot in bots:
        held = ledger.get(bot.character, Counter())
        for (asset, delta), times in bot.journal.items():
            count += times
            if held[asset, delta] < times:
                lost.append((bot.name, asset, delta, times - held[asset, delta]))
    return Verdict(count, lost)


class Socket:
    """A WebSocket with nothing in it but what bots need."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Socket:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}"
            "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mythos.v1\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head)
        return cls(reader, writer)

    async def send(self, frame: dict[str, Any]) -> None:
        payload = json.dumps(frame).encode()
        size = len(payload)
        head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + struct.pack("!H", size)
        self._writer.write(head + b"\0\0\0\0" + payload)  # a mask of zeros: legal, and cheap
        await self._writer.drain()

    def send_raw(self, data: bytes) -> None:
        self._writer.write(data)

    async def receive(self) -> dict[str, Any]:
        """The next record. :raises EOFError: closed"""
        while True:
            first, size = await self._reader.readexactly(2)
            if size == 126:
                size = struct.unpack("!H", await self._reader.readexactly(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", await self._reader.readexactly(8))[0]
            payload = await self._reader.readexactly(size)
            if first & 15 == 1:
                found: dict[str, Any] = json.loads(payload)
                return found
            if first & 15 == 8:
                raise EOFError(payload)

    def close(self) -> None:
        self._writer.close()

    def abort(self) -> None:
        """Without a word."""
        self._writer.transport.abort()
