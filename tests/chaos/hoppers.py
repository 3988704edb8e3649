"""Players who change doors while their lines drop, each with the record of what it heard.

A hopper types ``x1``, ``x2`` and so on. The answer to each is a line that only it hears, with the number in it: heard
in order, each once, is what the promise says.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.bots import Socket

__all__ = ["Hopper"]

_ECHO = re.compile(r"There is no command x(\d+)\.")
_IAC, _SB, _SE, _DO, _WILL, _GMCP = b"\xff", b"\xfa", b"\xf0", b"\xfd", b"\xfb", b"\xc9"
_SUBNEGOTIATION = re.compile(rb"\xff\xfa\xc9(.*?)\xff\xf0", re.DOTALL)
_OTHER = re.compile(rb"\xff[\xfb-\xfe].|\xff\xf9|\xff\xef", re.DOTALL)


class _Enough(Exception):
    """The line is to be cut here."""


@dataclass
class Hopper:
    """One player.

    :ivar token: good for every door
    :ivar patience: seconds it waits for a line that is owed; ``stalled``: how often that was not enough
    :ivar heard: numbers of the answers, in the order they were heard
    :ivar gaps: how many lines it was told it had lost
    :ivar visits: attachments by door; ``cut``: how many of them ended without a word
    """

    token: str
    dice: random.Random
    patience: float = 30.0
    epoch: str | None = None
    last: int = 0
    typed: int = 0
    heard: list[int] = field(default_factory=list)
    gaps: int = 0
    resumed: int = 0
    visits: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    stalled: int = 0

    async def play(self, ports: dict[str, int], commands: int) -> None:
        """Type so many commands by all doors, and at the end one more."""
        doors = (self._websocket, self._sse, self._telnet)
        while self.heard[-1:] <= [commands]:
            door, end = self.dice.choice(doors), self.dice.choice(("hello", "at once", "half", "some", "some"))
            burst = min(self.dice.randint(1, 12), commands - self.typed)
            if burst <= 0:  # all is typed: one more, and what is heard before it is all there is
                door, burst, end = self._websocket, 1, "all"
            try:
                await door(ports, burst, end)
            except TimeoutError:
                self.stalled += 1
            except (_Enough, ConnectionError, EOFError):
                pass

    # ── what every door tells ───────────────────────────────────────────────────────────────────

    def _hello(self, door: str, hello: dict[str, Any], epoch: str) -> None:
        self.visits[door] = self.visits.get(door, 0) + 1
        self.resumed += hello["resumed"]
        if epoch != self.epoch or not hello["resumed"]:
            self.last = 0
        self.epoch, self.token = epoch, hello["token"]
        self.typed = hello["next"] - 1

    def _take(self, record: dict[str, Any]) -> None:
        number = record.get("s")
        if number is None or number <= self.last:
            return
        self.last = number
        if record["t"] == "gap":
            self.gaps += record["missed"]
        elif record["t"] == "line" and (echo := _ECHO.match(record["text"])):
            self.heard.append(int(echo[1]))

    @property
    def _place(self) -> dict[str, Any]:
        return {"epoch": self.epoch, "last": self.last} if self.epoch else {}

    # ── doors ───────────────────────────────────────────────────────────────────────────────────

    async def _websocket(self, ports: dict[str, int], burst: int, end: str) -> None:
        socket = await Socket.open(ports["http"])
        try:
            await socket.send({"t": "attach", "token": self.token, **self._place})
            if end == "hello":
                raise _Enough
            hello = await socket.receive()
            self._hello("websocket", hello, hello["epoch"])
            for _ in range(burst):
                self.typed += 1
                await socket.send({"c": self.typed, "line": f"x{self.typed}"})
            if end == "half":
                socket.send_raw(b"\x81\xfe\x01\x00half a frame")
                raise _Enough
            wanted = 0 if end == "at once" else self.typed if end == "all" else self.typed - self.dice.randint(0, 3)
            while wanted and (not self.heard or self.heard[-1] < wanted):
                self._take(await asyncio.wait_for(socket.receive(), self.patience))
            if end != "all" and self.dice.random() < 0.5:
                await socket.send({"a": self.last})
        finally:
            self.cut += 1
            socket.abort()

    async def _sse(self, ports: dict[str, int], burst: int, end: str) -> None:
        ticket = (await self._post(ports, "/api/v1/ticket", {}))["ticket"]
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["http"])
        try:
            place = f"&last={self.epoch}.{self.last}" if self.epoch else ""
            writer.write(f"GET /sse?ticket={ticket}{place} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if end == "hello":
                raise _Enough
            hello = await self._record(reader)
            self._hello("sse", hello, hello["epoch"])
            for count in range(burst):
                self.typed += 1
                await self._post(ports, "/api/v1/commands", {"c": self.typed, "line": f"x{self.typed}", "a": self.last})
                if end == "half" and count:
                    raise _Enough
            wanted = 0 if end == "at once" else self.typed - self.dice.randint(0, 3)
            while wanted and (not self.heard or self.heard[-1] < wanted):
                self._take(await asyncio.wait_for(self._record(reader), self.patience))
        finally:
            self.cut += 1
            writer.transport.abort()

    async def _record(self, reader: asyncio.StreamReader) -> dict[str, Any]:
        """The next record of a stream, whatever chunks it comes in."""
        while True:
            line = await reader.readline()
            if not line:
                raise EOFError
            if line.startswith(b"data: "):
                found: dict[str, Any] = json.loads(line[6:])
                return found

    async def _post(self, ports: dict[str, int], path: str, body: dict[str, Any]) -> dict[str, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["http"])
        text = json.dumps(body)
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
        )
        answer = await reader.read()
        writer.close()
        head, _, rest = answer.partition(b"\r\n\r\n")
        if b" 20" not in head.split(b"\r\n")[0]:
            raise ConnectionError(answer)
        found: dict[str, Any] = json.loads(rest[rest.index(b"{") : rest.rindex(b"}") + 1])
        return found

    async def _telnet(self, ports: dict[str, int], burst: int, end: str) -> None:
        """Words count as heard when ``Mythos.Seq`` has said their number: what came after it will come again."""
        reader, writer = await asyncio.open_connection("127.0.0.1", ports["telnet"], limit=1 << 24)
        try:
            writer.write(_IAC + _DO + _GMCP + self._gmcp("Core.Supports.Set", ["Mythos 1"]))
            resume: dict[str, Any] = {"token": self.token}
            if self.epoch:
                resume |= {"e": self.epoch, "s": self.last}
            writer.write(self._gmcp("Mythos.Resume", resume))
            if end == "hello":
                raise _Enough
            await self._read_telnet(reader, "Mythos.Session")
            for count in range(burst):
                self.typed += 1
                writer.write(f"x{self.typed}".encode())
                if end == "half" and count == burst - 1:
                    raise _Enough
                writer.write(b"\r\n")
            wanted = 0 if end == "at once" else self.typed - self.dice.randint(0, 3)
            while wanted and (not self.heard or self.heard[-1] < wanted):
                await self._read_telnet(reader, "Mythos.Seq")
            if self.dice.random() < 0.5:
                writer.write(self._gmcp("Mythos.Ack", {"e": self.epoch, "s": self.last}))
                await writer.drain()
        finally:
            self.cut += 1
            writer.transport.abort()

    def _gmcp(self, name: str, data: Any) -> bytes:
        return _IAC + _SB + _GMCP + f"{name} {json.dumps(data)}".encode() + _IAC + _SE

    async def _read_telnet(self, reader: asyncio.StreamReader, wanted: str) -> None:
        """Until a message of that name; words before a ``Mythos.Seq`` are heard with it."""
        while True:
            chunk = await asyncio.wait_for(reader.readuntil(_IAC + _SE), self.patience)
            found = _SUBNEGOTIATION.search(chunk)
            if found is None:
                continue
            words = _OTHER.sub(b"", chunk[: found.start()]).decode("utf-8", "replace")
            name, _, text = found[1].decode().partition(" ")
            if name == "Mythos.Refused":
                raise ConnectionError(text)
            if name == "Mythos.Session":
                hello = json.loads(text)
                self._hello("telnet", hello, hello["e"])
            elif name == "Mythos.Seq":
                self.last = json.loads(text)["s"]
                self.heard += [int(number) for number in _ECHO.findall(words.replace("\r\n", " "))]
            if name == wanted:
                return
