"""Ways into a server: many guests by telnet, WebSocket or event stream, each ready to listen."""

from __future__ import annotations

import base64
import http.client
import json
import re
import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic

from bench.compression import AGREED, OFFER, Mccp
from bench.crowd import Hearer
from bench.ears import LineEar, SocketEar, StreamEar, TelnetEar
from bench.machine import BenchError
from bench.servers import HOST

__all__ = ["GUEST", "WIDE", "Step", "compressing", "enter", "lines", "request", "sockets", "streams", "telnets"]

#: When what came since the last step ends like this, send that.
Step = tuple[re.Pattern[bytes], bytes]

#: A guest waits to be asked before it says its name; it is in when it is prompted.
GUEST: Sequence[Step] = ((re.compile(rb"name\? $"), b"guest\r\n"), (re.compile(rb"> $"), b""))
#: One whose screen is so wide that no row is broken.
WIDE: Sequence[Step] = (GUEST[0], (GUEST[1][0], b"settings width 500\r\n"), GUEST[1])

_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


class _Newcomer:
    __slots__ = ("heard", "mccp", "script", "socket", "step")

    def __init__(self, plug: socket.socket, script: Sequence[Step], mccp: Mccp | None) -> None:
        self.socket = plug
        self.script = script
        self.mccp = mccp
        self.step = 0
        self.heard = bytearray()

    def receive(self) -> bool:
        """Go on with the script. True: it is done."""
        data = self.socket.recv(65_536)
        if not data:
            raise BenchError(f"The server closed a connection at the door: {bytes(self.heard[-200:])!r}")
        if self.mccp is None:
            self.heard += data
        else:
            self.heard += self.mccp.plain(data)
            self.socket.send(self.mccp.replies)
            self.mccp.replies.clear()
        while self.step < len(self.script):
            wanted, answer = self.script[self.step]
            if not wanted.search(_COLOUR.sub(b"", self.heard)):
                return False
            self.heard.clear()
            self.step += 1
            if answer:
                self.socket.send(answer)
        return True


def enter(
    port: int,
    count: int,
    script: Callable[[int], Sequence[Step]],
    *,
    at_once: int = 250,
    source: Callable[[int], str] = lambda number: HOST,
    within: float = 60.0,
    mccp: Sequence[Mccp] = (),
) -> list[socket.socket]:
    """Connect ``count`` clients and lead each through its script.

    :param at_once: most that are on their way
    :param mccp: what each makes of its stream; empty: they negotiate nothing
    :param source: the address each comes from
    :raises BenchError: not all are in within so many seconds
    """
    poll = select.epoll()
    waiting: dict[int, _Newcomer] = {}
    made: list[socket.socket] = []
    left, end = count, monotonic() + within
    while left:
        while len(made) < count and len(waiting) < at_once:
            plug = socket.socket()
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plug.bind((source(len(made)), 0))
            plug.setblocking(False)
            plug.connect_ex((HOST, port))
            waiting[plug.fileno()] = _Newcomer(plug, script(len(made)), mccp[len(made)] if mccp else None)
            poll.register(plug.fileno(), select.EPOLLIN)
            made.append(plug)
        for number, _ in poll.poll(1.0):
            newcomer = waiting[number]
            try:
                done = newcomer.receive()
            except OSError as error:
                raise BenchError(f"A connection failed: {error}") from error
            if done:
                poll.unregister(number)
                del waiting[number]
                left -= 1
        if left and monotonic() > end:
            raise BenchError(f"{left} of {count} were not in after {within:.0f} s.")
    poll.close()
    return made


def lines(port: int, count: int) -> list[Hearer]:
    """Connections to a bound."""
    return [Hearer(socket.create_connection((HOST, port), timeout=20), LineEar()) for _ in range(count)]


def telnets(port: int, count: int, script: Callable[[int], Sequence[Step]] = lambda number: GUEST) -> list[Hearer]:
    """Guests by telnet."""
    return [Hearer(plug, TelnetEar()) for plug in enter(port, count, script)]


def compressing(
    port: int, count: int, script: Callable[[int], Sequence[Step]] = lambda number: GUEST, within: float = 10.0
) -> list[Hearer]:
    """Guests by telnet to whom all is sent compressed (MCCP2).

    :raises BenchError: the server has not begun that within so many seconds
    """
    mccp = [Mccp() for _ in range(count)]
    hearers = [
        Hearer(plug, TelnetEar(one)) for plug, one in zip(enter(port, count, script, mccp=mccp), mccp, strict=True)
    ]
    end = monotonic() + within
    for hearer, one in zip(hearers, mccp, strict=True):
        hearer.socket.settimeout(max(0.1, end - monotonic()))
        while not one.on:
            try:
                hearer.ear.feed(_some(hearer.socket))
            except TimeoutError:
                raise BenchError(f"{sum(not left.on for left in mccp)} of {count} got nothing compressed.") from None
            hearer.socket.send(one.replies)
            one.replies.clear()
        hearer.socket.setblocking(False)
    return hearers


def sockets(
    port: int, count: int, lines: Callable[[int], Sequence[str]] = lambda number: (), *, deflate: bool = False
) -> list[Hearer]:
    """Guests by WebSocket, each greeted.

    :param lines: what each types first; nobody waits for the answers
    :param deflate: with permessage-deflate
    """
    key = base64.b64encode(bytes(16)).decode()
    head = (
        f"GET /ws HTTP/1.1\r\nHost: {HOST}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mythos.v1\r\n"
        f"{OFFER if deflate else ''}\r\n"
    )
    api = http.client.HTTPConnection(HOST, port, timeout=20)
    made = []
    for number in range(count):
        attach = json.dumps({"t": "attach", "token": _post(api, "guest", {})["token"]}).encode()
        plug, rest = request(port, head, "101", AGREED if deflate else b"")
        ear = SocketEar(deflate=deflate)
        plug.sendall(ear.says(attach))
        ear.feed(rest)
        while not ear.greeted:
            ear.feed(_some(plug))
        for c, line in enumerate(lines(number), 1):
            plug.sendall(ear.says(json.dumps({"c": c, "line": line}).encode()))
        made.append(Hearer(plug, ear))
        if number % 100 == 99:
            _heed(made)
    api.close()
    return made


def _heed(hearers: Sequence[Hearer]) -> None:
    """Read what came meanwhile: who does not answer a ping is dropped, and a busy machine takes its time."""
    for hearer in hearers:
        with suppress(BlockingIOError):
            hearer.ear.feed(_some(hearer.socket))
            hearer.socket.send(hearer.ear.replies)
            hearer.ear.replies.clear()


def streams(port: int, count: int, lines: Callable[[int], Sequence[str]] = lambda number: ()) -> list[Hearer]:
    """Guests by event stream, each greeted; ``lines`` as for :func:`sockets`."""
    api = http.client.HTTPConnection(HOST, port, timeout=20)
    made = []
    for number in range(count):
        token = _post(api, "guest", {})["token"]
        ticket = _post(api, "ticket", {}, token)["ticket"]
        head = f"GET /sse?ticket={ticket} HTTP/1.1\r\nHost: {HOST}:{port}\r\nAccept: text/event-stream\r\n\r\n"
        plug, rest = request(port, head, "200")
        ear = StreamEar()
        ear.feed(rest)
        while not ear.greeted:
            ear.feed(_some(plug))
        for c, line in enumerate(lines(number), 1):
            _post(api, "commands", {"c": c, "line": line}, token)
        made.append(Hearer(plug, ear))
    api.close()
    return made


def _post(api: http.client.HTTPConnection, path: str, body: dict[str, str | int], token: str = "") -> dict[str, str]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    api.request("POST", f"/api/v1/{path}", json.dumps(body).encode(), headers)
    answer = api.getresponse()
    page = answer.read()
    if answer.status >= 300:
        raise BenchError(f"POST /api/v1/{path} was answered with {answer.status}: {page[:200]!r}")
    found: dict[str, str] = json.loads(page)
    return found


def request(port: int, head: str, status: str, wanted: bytes = b"") -> tuple[socket.socket, bytes]:
    """Send a request's head; the connection, and what came behind the answer's head.

    :param wanted: stands in that head
    :raises BenchError: it is answered with another status, or without what is wanted
    """
    plug = socket.create_connection((HOST, port), timeout=20)
    plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plug.sendall(head.encode())
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(plug)
    answer, _, rest = data.partition(b"\r\n\r\n")
    if answer.split(b" ", 2)[1].decode() != status or wanted not in answer:
        raise BenchError(f"{head.split(' HTTP')[0]} was answered with {answer[:200]!r}")
    return plug, rest


def _some(plug: socket.socket) -> bytes:
    data = plug.recv(65_536)
    if not data:
        raise BenchError("The server closed a connection at the door.")
    return data
