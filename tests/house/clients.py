"""Small clients for tests: blocking, one for each door, with nothing but sockets in them."""

from __future__ import annotations

import base64
import json
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

__all__ = ["Connect", "Frames", "Telnet", "WebSocket", "plain"]

PATIENCE = 15.0

#: A port of this machine -> a connection to it, with patience.
Connect = Callable[[int], socket.socket]


def plain(port: int) -> socket.socket:
    """TCP, from the usual address."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE)


class Telnet:
    """Reads text until something is in it."""

    def __init__(self, port: int, connect: Connect = plain) -> None:
        self.socket = connect(port)
        self.heard = b""

    def send(self, line: str) -> None:
        self.socket.sendall(line.encode() + b"\r\n")

    def send_raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def until(self, wanted: str) -> str:
        """Everything up to and with ``wanted``; what came after it is kept."""
        mark = wanted.encode()
        while mark not in self.heard:
            data = self.socket.recv(65_536)
            if not data:
                raise AssertionError(f"closed before {wanted!r}: {self.heard!r}")
            self.heard += data
        end = self.heard.index(mark) + len(mark)
        found, self.heard = self.heard[:end], self.heard[end:]
        return found.decode("utf-8", "replace")

    def ended(self) -> str:
        """Everything until the server closes."""
        while data := self.socket.recv(65_536):
            self.heard += data
        return self.heard.decode("utf-8", "replace")

    def close(self) -> None:
        self.socket.close()


class Frames:
    """JSON over a WebSocket.

    :param protocol: the subprotocol to ask for
    """

    def __init__(self, port: int, path: str, protocol: str = "", connect: Connect = plain) -> None:
        self._buffer = b""
        self.socket = connect(port)
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        )
        asked = f"Sec-WebSocket-Protocol: {protocol}\r\n" if protocol else ""
        self.socket.sendall(f"{upgrade}{asked}\r\n".encode())
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        assert b" 101 " in head.split(b"\r\n")[0], head

    def _more(self) -> None:
        data = self.socket.recv(65_536)
        if not data:
            raise EOFError
        self._buffer += data

    def send(self, frame: dict[str, Any]) -> None:
        payload = json.dumps(frame).encode()
        mask = os.urandom(4)
        size = len(payload)
        head = bytes([0x81, 0x80 | size]) if size < 126 else bytes([0x81, 0xFE]) + struct.pack("!H", size)
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def receive(self) -> dict[str, Any]:
        """The next text frame. :raises EOFError: closed"""
        while True:
            code, payload = self._frame()
            if code == 1:
                found: dict[str, Any] = json.loads(payload)
                return found
            if code == 8:
                raise EOFError(payload)

    def _frame(self) -> tuple[int, bytes]:
        self._need(2)
        code, size, at = self._buffer[0] & 15, self._buffer[1] & 127, 2
        if size == 126:
            self._need(4)
            size, at = struct.unpack("!H", self._buffer[2:4])[0], 4
        elif size == 127:
            self._need(10)
            size, at = struct.unpack("!Q", self._buffer[2:10])[0], 10
        self._need(at + size)
        payload, self._buffer = self._buffer[at : at + size], self._buffer[at + size :]
        return code, payload

    def _need(self, size: int) -> None:
        while len(self._buffer) < size:
            self._more()

    def cut(self) -> None:
        """Without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class WebSocket(Frames):
    """``mythos.v1``: keeps what it needs to resume."""

    def __init__(
        self, port: int, token: str, *, epoch: str | None = None, last: int | None = None, connect: Connect = plain
    ) -> None:
        super().__init__(port, "/ws", "mythos.v1", connect)
        attach: dict[str, Any] = {"t": "attach", "token": token}
        if epoch is not None:
            attach |= {"epoch": epoch, "last": last}
        self.send(attach)
        self.hello = self.receive()
        assert self.hello["t"] == "hello", self.hello
        self.token: str = self.hello["token"]
        self.epoch: str = self.hello["epoch"]
        self.next_c: int = self.hello["next"]
        self.last = (last or 0) if self.hello["resumed"] else -1  # -1: whatever comes first is right
        self.lines: list[str] = []

    def take(self, record: dict[str, Any]) -> None:
        """Keep a record's words, once."""
        number = record.get("s")
        if number is None or number <= self.last:
            return
        assert self.last < 0 or number == self.last + 1 or record.get("p") == self.last or record["t"] == "gap", record
        self.last = number
        if record["t"] == "line":
            self.lines.append(record["text"])

    def command(self, line: str, c: int | None = None) -> dict[str, Any]:
        """Type a line; reads until its answer, which it returns."""
        c = self.next_c if c is None else c
        self.next_c = max(self.next_c, c + 1)
        self.send({"c": c, "line": line, "a": max(self.last, 0)})
        while True:
            record = self.receive()
            if record.get("c") == c and record["t"] in ("done", "refused"):
                return record
            self.take(record)

    def until(self, wanted: str) -> None:
        while not any(wanted in line for line in self.lines):
            self.take(self.receive())
