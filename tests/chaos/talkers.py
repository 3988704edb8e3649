"""Players who talk in pairs without an end, over telnet and WebSocket, in one thread: each line and command is counted.

Each tells its partner the next number as soon as it was told that the last one went out. Of the next line it types the
first half at once and the rest a little later, so that nearly always half a line stands at the server.
"""

from __future__ import annotations

import heapq
import json
import random
import re
import selectors
import socket
import struct
import threading
import time
import zlib
from collections.abc import Iterable, Sequence

__all__ = ["Choir", "Socket", "Talker", "Telnet"]

_IAC, _WILL, _DO, _SB = 255, b"\xff\xfb", b"\xff\xfd", b"\xff\xfa"
_MCCP2, _GMCP = b"\x56", b"\xc9"
_COMMAND = re.compile(rb"\xff(?:[\xfb-\xfe].|\xfa.*?\xff\xf0|[\xf0-\xf9])", re.DOTALL)
_SAID = re.compile(r'You tell \S+, "(\d+)"')
_TOLD = re.compile(r'\S+ tells you, "(\d+)"')


class Talker:
    """One of a pair.

    :ivar told: numbers that its partner's words came with, in order
    :ivar said: numbers that went out, in order
    :ivar typed: how many lines it has typed to their end
    :ivar waits: seconds from the end of each line to its answer
    :ivar broken: how it lost its connection; empty: it has not
    """

    def __init__(self, port: int, token: str, name: str, dice: random.Random) -> None:
        self.name = name
        self.partner: Talker | None = None
        self.told: list[int] = []
        self.said: list[int] = []
        self.waits: list[float] = []
        self.broken = ""
        self.ready = False
        self.typed = 0
        self._typed_at = 0.0
        self.rest = b""
        self.dice = dice
        self.socket = socket.create_connection(("127.0.0.1", port), 15)
        self.greet(token)
        self.socket.setblocking(False)

    def greet(self, token: str) -> None:
        """Come in."""
        raise NotImplementedError

    def words(self, data: bytes) -> Iterable[str]:
        """The lines in what was read."""
        raise NotImplementedError

    def packed(self, line: str) -> bytes:
        raise NotImplementedError

    def begin(self, number: int) -> float:
        """Type the first half of the next line; returns the seconds until the rest."""
        assert self.partner is not None
        line = self.packed(f"tell {self.partner.name} {number}")
        cut = self.dice.randrange(1, len(line) - 2)  # a CR alone ends a line
        self.socket.send(line[:cut])
        self.rest = line[cut:]
        return self.dice.random() * 0.2

    def finish(self) -> None:
        rest, self.rest = self.rest, b""
        self.typed += 1
        self._typed_at = time.monotonic()
        self.socket.send(rest)

    def heard(self, data: bytes) -> bool:
        """Whether the next line is due."""
        due = False
        for line in self.words(data):
            if found := _TOLD.search(line):
                self.told.append(int(found[1]))
            if found := _SAID.search(line):
                self.said.append(int(found[1]))
                self.waits.append(time.monotonic() - self._typed_at)
                due = True
        return due


class Telnet(Talker):
    """:ivar compressed: what it hears is compressed"""

    compress = False
    _text = b""
    _inflate: zlib._Decompress | None = None

    @property
    def compressed(self) -> bool:
        return self._inflate is not None

    def greet(self, token: str) -> None:
        said = json.dumps({"token": token}).encode()
        self.socket.sendall(b"\xff\xfc\x18" + _DO + _GMCP + _SB + _GMCP + b"Mythos.Resume " + said + b"\xff\xf0")

    def packed(self, line: str) -> bytes:
        return line.encode() + b"\r\n"

    def words(self, data: bytes) -> Iterable[str]:
        if self._inflate is not None:
            data = self._inflate.decompress(data)
        self._text += data
        if self._inflate is None and self.compress:
            if _WILL + _MCCP2 in self._text:
                self._text = self._text.replace(_WILL + _MCCP2, b"")
                self.socket.send(_DO + _MCCP2)
            start = self._text.find(_SB + _MCCP2 + b"\xff\xf0")
            if start >= 0:
                self._inflate = zlib.decompressobj()
                self._text = self._text[:start] + self._inflate.decompress(self._text[start + 5 :])
        *lines, self._text = self._text.split(b"\n")
        return [_COMMAND.sub(b"", line).decode("utf-8", "replace") for line in lines]


class Compressed(Telnet):
    compress = True


class Socket(Talker):
    """``mythos.v1``.

    :ivar deflated: frames that came compressed
    """

    deflate = False
    _buffer = b""
    deflated = 0

    def greet(self, token: str) -> None:
        port = self.socket.getpeername()[1]
        asked = "Sec-WebSocket-Extensions: permessage-deflate\r\n" if self.deflate else ""
        self.socket.sendall(
            f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: mythos.v1\r\n{asked}\r\n".encode()
        )
        while b"\r\n\r\n" not in self._buffer:
            self._buffer += self.socket.recv(4096)
        self._buffer = self._buffer.partition(b"\r\n\r\n")[2]
        self._number = 0
        self._c = 0
        self._last = -1
        self.socket.sendall(_frame(json.dumps({"t": "attach", "token": token}).encode()))

    def packed(self, line: str) -> bytes:
        self._c += 1
        said = json.dumps({"c": self._c, "line": line, "a": max(self._last, 0)}).encode()
        return _frame(said, deflate=self.deflate and self._c % 2 == 0)

    def begin(self, number: int) -> float:
        """Whole frames and halves of their heads: a server that has read part of the payload cannot hand it over."""
        assert self.partner is not None
        line = self.packed(f"tell {self.partner.name} {number}")
        cut = self.dice.choice((0, 1, 3))
        self.socket.send(line[:cut])
        self.rest = line[cut:]
        return self.dice.random() * 0.2

    def words(self, data: bytes) -> Iterable[str]:
        self._buffer += data
        while len(self._buffer) >= 2:
            code, size, at = self._buffer[0], self._buffer[1], 2
            if size == 126:
                if len(self._buffer) < 4:
                    return
                (size,), at = struct.unpack("!H", self._buffer[2:4]), 4
            if len(self._buffer) < at + size:
                return
            payload, self._buffer = self._buffer[at : at + size], self._buffer[at + size :]
            if code & 0x40:
                self.deflated += 1
                payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
            if code & 15 == 9:
                self.socket.send(b"\x8a\x80\0\0\0\0" if not payload else _frame(payload, 10))
            if code & 15 == 8:
                self.broken = f"closed: {payload!r}"
            if code & 15 == 1:
                record = json.loads(payload)
                number = record.get("s")
                if number is not None:
                    wanted = record.get("p", number - 1)
                    if self._last >= 0 and wanted != self._last:
                        self.broken = f"{number} behind {self._last}"
                    self._last = number
                if record["t"] == "refused":
                    self.broken = f"refused: {record}"
                if record["t"] == "line":
                    yield record["text"]


class Deflated(Socket):
    deflate = True


def _frame(payload: bytes, code: int = 1, *, deflate: bool = False) -> bytes:
    first = 0x80 | code
    if deflate:
        made = zlib.compressobj(wbits=-15)
        payload = (made.compress(payload) + made.flush(zlib.Z_SYNC_FLUSH))[:-4]
        first |= 0x40
    size = len(payload)
    head = bytes((first, 0x80 | size)) if size < 126 else bytes((first, 0xFE)) + struct.pack("!H", size)
    return head + b"\0\0\0\0" + payload


class Choir(threading.Thread):
    """All of them, who talk until :meth:`hush`.

    :param kinds: whose kinds take turns
    """

    def __init__(self, talkers: Sequence[Talker], dice: random.Random) -> None:
        super().__init__(daemon=True)
        self.talkers = talkers
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Talker]] = []
        self._dice = dice
        self._last = threading.Event()
        self.error: BaseException | None = None
        for at, one in enumerate(talkers):
            one.partner = talkers[at ^ 1]
            self._selector.register(one.socket, selectors.EVENT_READ, one)

    def run(self) -> None:
        try:
            self._talk()
        except BaseException as error:
            self.error = error

    def _talk(self) -> None:
        now = time.monotonic()
        for number, one in enumerate(self.talkers):
            heapq.heappush(self._due, (now + self._dice.random(), number, one))
        order = len(self.talkers)
        quiet = 0.0
        while True:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else 0.2
            for key, _ in self._selector.select(min(wait, 0.2)):
                one = key.data
                try:
                    data = one.socket.recv(262_144)
                except OSError as error:
                    data, one.broken = b"", one.broken or repr(error)
                if not data:
                    one.broken = one.broken or "closed"
                    self._selector.unregister(one.socket)
                elif one.heard(data) and not self._last.is_set():
                    order += 1
                    heapq.heappush(self._due, (time.monotonic() + self._dice.random() * 0.1, order, one))
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                one = heapq.heappop(self._due)[2]
                if one.broken:
                    continue
                if one.rest:
                    one.finish()
                else:
                    order += 1
                    heapq.heappush(self._due, (now + one.begin(len(one.said)), order, one))
            if self._last.is_set() and not self._due:
                quiet = quiet or now + 1.0
                if now > quiet:
                    return

    def hush(self) -> None:
        """Let everybody finish their line and hear the answer."""
        self._last.set()
        self.join(60)
        if self.error is not None:
            raise self.error
        assert not self.is_alive()

    def wrong(self) -> list[str]:
        """Who did not hear every line once, in order, or whose command was not run once."""
        found = []
        for one in self.talkers:
            assert one.partner is not None
            count = len(one.partner.said)
            if one.broken or one.said != list(range(one.typed)) or one.told != list(range(count)):
                found.append(
                    f"{type(one).__name__} {one.name}: {one.broken} said {one.said[-3:]} heard {one.told[-3:]}"
                )
        return found
