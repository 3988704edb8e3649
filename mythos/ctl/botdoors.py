"""How a bot comes in by each door, and hears: telnet, WebSocket, event stream."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import secrets
import ssl
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["DOORS", "Door", "Ear", "Refused", "Target"]

#: Seconds for each step of coming in.
_PATIENCE = 30.0
#: Largest frame or line taken, in bytes.
_LARGEST = 2**20
#: Records between two acknowledgements.
_ACK = 32
_ANSI = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]|\x1b\][^\x1b\x07]*(?:\x07|\x1b\\)")
#: Subnegotiations, negotiations, and other commands of telnet.
_TELNET = re.compile(rb"\xff\xfa.*?\xff\xf0|\xff[\xfb-\xfe].|\xff[^\xfa-\xfe]", re.DOTALL)


class Refused(Exception):
    """The server let nobody in; its own sentence."""


class Ear(Protocol):
    """Who listens behind a door."""

    def line(self, text: str) -> None:
        """A line of words came."""

    def answered(self, c: int) -> None:
        """Command ``c`` is done."""

    def lost(self, count: int) -> None:
        """Lines were left out, or came again (a negative number)."""

    def slowed(self) -> None:
        """The server asked to wait."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a server is. ``tls`` is for HTTP."""

    host: str
    http: int
    telnet_host: str
    telnet: int
    tls: bool

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context() if self.tls else None
        return await asyncio.wait_for(
            asyncio.open_connection(self.host, self.http, ssl=context, limit=_LARGEST), _PATIENCE
        )

    async def post(self, path: str, body: dict[str, Any], token: str, slowed: Callable[[], None]) -> dict[str, Any]:
        """What a request of the API is answered with; waits as the server asks. :raises Refused:"""
        data = json.dumps(body).encode()
        head = f"POST /api/v1/{path} HTTP/1.0\r\nHost: {self.host}\r\nContent-Length: {len(data)}\r\n"  # 1.0: no chunks
        bearer = f"Authorization: Bearer {token}\r\n" if token else ""
        while True:
            reader, writer = await self.open()
            try:
                writer.write(f"{head}{bearer}\r\n".encode() + data)
                text = await asyncio.wait_for(reader.read(_LARGEST), _PATIENCE)
                while chunk := await asyncio.wait_for(reader.read(_LARGEST), _PATIENCE):
                    text += chunk
            finally:
                writer.close()
            top, _, page = text.partition(b"\r\n\r\n")
            status = int(top.split(b" ", 2)[1]) if top.startswith(b"HTTP/") else 0
            if status == 429:
                slowed()
                wait = re.search(rb"(?i)retry-after: (\d+)", top)
                await asyncio.sleep(float(wait[1]) if wait else 1.0)
                continue
            try:
                found = json.loads(page or b"{}")
            except ValueError:
                raise Refused(f"what answers at {self.host}:{self.http} is no Mythos") from None
            if status >= 300 or not status:
                raise Refused(str(found.get("error", {}).get("message", f"status {status}")))
            return dict(found)


class Door(ABC):
    """One connection. Made, then :meth:`open`, then :meth:`listen` until it ends.

    :ivar counts: its commands are answered by number
    """

    kind = ""
    counts = True

    def __init__(self, target: Target, ear: Ear) -> None:
        self.target = target
        self.ear = ear
        self._writer: asyncio.StreamWriter | None = None

    @abstractmethod
    async def open(self) -> None:
        """:raises Refused: with the server's sentence. :raises OSError:"""

    @abstractmethod
    async def listen(self) -> None:
        """Until the server closes."""

    def number(self) -> int:
        """Of the next command."""
        return 0

    @abstractmethod
    async def type(self, line: str, c: int) -> None:
        """Send command ``c``."""

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


class TelnetDoor(Door):
    kind = "telnet"
    counts = False

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.wait_for(
            asyncio.open_connection(self.target.telnet_host, self.target.telnet, limit=_LARGEST), _PATIENCE
        )
        await self._until(b"name? ")
        await self.type("guest", 0)
        await self._until(b"> ")

    async def _until(self, wanted: bytes) -> None:
        heard = b""
        while wanted not in _plain(heard):
            data = await asyncio.wait_for(self._reader.read(65_536), _PATIENCE)
            if not data:
                raise Refused(_plain(heard).decode("utf-8", "replace").strip() or "closed without a word")
            heard += data

    async def listen(self) -> None:
        rest = b""
        while data := await self._reader.read(65_536):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self.ear.line(_plain(line).decode("utf-8", "replace").strip())

    async def type(self, line: str, c: int) -> None:
        assert self._writer is not None
        self._writer.write(line.encode() + b"\r\n")
        await self._writer.drain()


class _Records(Door):
    """What WebSocket and event stream have in common: numbered records."""

    def __init__(self, target: Target, ear: Ear) -> None:
        super().__init__(target, ear)
        self._token = ""
        self._last = 0
        self._c = 0
        self._greeted = asyncio.Event()

    def _take(self, record: dict[str, Any]) -> None:
        kind, number = record.get("t"), record.get("s")
        if kind == "hello":
            self._c = int(record["next"]) - 1
            self._greeted.set()
        elif kind in ("done", "refused"):
            self.ear.answered(int(record["c"]))
        elif kind == "gap":
            self.ear.lost(int(record.get("missed", 1)))
        if number is None:
            return
        if kind != "gap" and self._last:
            if number <= self._last:
                self.ear.lost(-1)
                return
            if number != self._last + 1 and record.get("p") != self._last:
                self.ear.lost(number - self._last - 1)
        self._last = number
        if kind == "line":
            self.ear.line(record["text"])

    def number(self) -> int:
        self._c += 1
        return self._c

    async def _guest(self) -> None:
        granted = await self.target.post("guest", {}, "", self.ear.slowed)
        self._token = granted["token"]


class SocketDoor(_Records):
    kind = "websocket"

    async def open(self) -> None:
        await self._guest()
        self._reader, self._writer = await self.target.open()
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        self._writer.write(
            f"GET /ws HTTP/1.1\r\nHost: {self.target.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: mythos.v1\r\n\r\n".encode()
        )
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), _PATIENCE)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise Refused(head.split(b"\r\n")[0].decode("latin-1"))
        self._send({"t": "attach", "token": self._token})
        while not self._greeted.is_set():
            if not await asyncio.wait_for(self._frame(), _PATIENCE):
                raise Refused("closed before the hello")

    async def listen(self) -> None:
        while await self._frame():
            if self._last and self._last % _ACK == 0:
                self._send({"a": self._last})

    async def _frame(self) -> bool:
        """Take one. False: it was the last."""
        try:
            code, size = await self._reader.readexactly(2)
            if size == 126:
                (size,) = struct.unpack("!H", await self._reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
            payload = await self._reader.readexactly(size)
        except asyncio.IncompleteReadError:
            return False
        if code & 15 == 8:
            if not self._greeted.is_set():
                raise Refused(payload[2:].decode("utf-8", "replace"))
            return False
        if code & 15 == 9:
            self._frame_out(0xA, payload)
        elif code & 15 == 1:
            self._take(json.loads(payload))
        return True

    async def type(self, line: str, c: int) -> None:
        self._send({"c": c, "line": line, "a": self._last})
        assert self._writer is not None
        await self._writer.drain()

    def _send(self, frame: dict[str, Any]) -> None:
        self._frame_out(0x1, json.dumps(frame).encode())

    def _frame_out(self, code: int, payload: bytes) -> None:
        """A mask of zeros is one, and changes nothing."""
        size = len(payload)
        head = bytes((0x80 | code, 0x80 | size)) if size < 126 else struct.pack("!BBH", 0x80 | code, 0xFE, size)
        assert self._writer is not None
        self._writer.write(head + b"\0\0\0\0" + payload)


class StreamDoor(_Records):
    kind = "sse"

    async def open(self) -> None:
        await self._guest()
        ticket = (await self.target.post("ticket", {}, self._token, self.ear.slowed))["ticket"]
        self._reader, self._writer = await self.target.open()
        self._writer.write(f"GET /sse?ticket={ticket} HTTP/1.1\r\nHost: {self.target.host}\r\n\r\n".encode())
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), _PATIENCE)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise Refused(head.split(b"\r\n")[0].decode("latin-1"))
        self._chunked = b"chunked" in head.lower()
        self._rest = b""
        while not self._greeted.is_set():
            if not await asyncio.wait_for(self._more(), _PATIENCE):
                raise Refused("closed before the hello")

    async def listen(self) -> None:
        while await self._more():
            pass

    async def _more(self) -> bool:
        """Take some events. False: there are no more."""
        try:
            if self._chunked:
                size = int(await self._reader.readuntil(b"\r\n"), 16)
                data = (await self._reader.readexactly(size + 2))[:-2]
            else:
                data = await self._reader.read(65_536)
        except asyncio.IncompleteReadError:
            return False
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            text = b"\n".join([part[5:].strip() for part in event.split(b"\n") if part.startswith(b"data:")])
            if text:
                self._take(json.loads(text))
        return bool(data)

    async def type(self, line: str, c: int) -> None:
        await self.target.post("commands", {"c": c, "line": line, "a": self._last}, self._token, self.ear.slowed)


def _plain(data: bytes) -> bytes:
    return _ANSI.sub(b"", _TELNET.sub(b"", data))


#: By the names that numbers of the server have for them.
DOORS: dict[str, type[Door]] = {"telnet": TelnetDoor, "websocket": SocketDoor, "sse": StreamDoor}
