"""Two gateways with a router between them, each a process, and clients of theirs that speak JSON-RPC."""

from __future__ import annotations

import json
import socket
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import islice
from time import monotonic, perf_counter, sleep
from typing import Any, Final

from bench import doors
from bench.ears import Misheard, RpcEar, masked
from bench.machine import BenchError, Plan
from bench.servers import HOST, Mythos, relay

__all__ = ["MUDS", "Client", "Network", "Pair", "gateway", "network", "said", "told"]

#: The MUDs, one behind each gateway; the channel that both hear, their key, and how a WebSocket begins.
MUDS: Final = ("Ash", "Birch")
_CHANNEL: Final = "gossip"
_KEY: Final = "key-of-a-mud-of-the-bench"
_UPGRADE: Final = (
    f"GET /ws HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    f"Sec-WebSocket-Key: {'A' * 22}==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
#: Seconds until a network is up, and a client is answered.
_PATIENCE: Final = 20.0
#: The limits that a load must not meet.
_SETTINGS: Final = {
    **dict.fromkeys(("MYTHOS_GATEWAY_LISTEN", "MYTHOS_GATEWAY_TCP", "MYTHOS_I3_ROUTER_LISTEN"), "0"),
    **dict.fromkeys(("MYTHOS_GATEWAY_PER_MINUTE", "MYTHOS_GATEWAY_BURST"), "1000000000"),
    "MYTHOS_I3_THROTTLE": "0",
}


class Client:
    """One connection of a MUD.

    :param framed: it is a WebSocket, else lines over TCP
    :ivar sent: requests
    """

    __slots__ = ("_framed", "ear", "sent", "socket")

    def __init__(self, plug: socket.socket, *, framed: bool) -> None:
        self.socket = plug
        self.ear = RpcEar(framed=framed)
        self.sent = 0
        self._framed = framed

    @classmethod
    def of(cls, server: Mythos, *, framed: bool = False) -> Client:
        """Connected and authenticated."""
        if framed:
            plug, rest = doors.request(server.ports["gateway"], _UPGRADE, "101")
        else:
            plug, rest = socket.create_connection((HOST, server.ports["gateway-tcp"]), _PATIENCE), b""
            plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = cls(plug, framed=framed)
        client.ear.feed(rest)
        client.call("authenticate", api_key=_KEY)
        return client

    def close(self) -> None:
        self.socket.close()

    def framed(self, text: bytes) -> bytes:
        """A message as it goes out."""
        return masked(0x1, text) if self._framed else text + b"\n"

    def request(self, method: str, params: bytes) -> bytes:
        """The next request, as it goes out; the caller sends it.

        :param params: a JSON object
        """
        self.sent += 1
        return self.framed(
            b'{"jsonrpc":"2.0","id":%d,"method":"%b","params":%b}' % (self.sent, method.encode(), params)
        )

    def call(self, method: str, **params: Any) -> Any:
        """The result of a request; events that come before it are heard by nobody."""
        self.socket.settimeout(_PATIENCE)
        self.socket.sendall(self.request(method, json.dumps(params).encode()))
        while self.ear.answered < self.sent:
            self.ear.feed(_some(self.socket))
        return json.loads(self.ear.result)

    def join(self, neighbour: str) -> None:
        """Hear the channel; then both MUDs are on the network, and the router knows that this one listens."""
        _until(lambda: self.call("status")["connected"])
        self.call("channel_join", channel=_CHANNEL)
        asked = {"channel": _CHANNEL, "target_mud": neighbour, "wait": 1}
        _until(lambda: self.call("channel_who", **asked)["status"] == "success")


def said(speaker: Client, words: bytes) -> bytes:
    """The request that says words on the channel."""
    params = b'{"channel":"%b","from_user":"Ann","message":"%b"}'
    return speaker.request("channel_send", params % (_CHANNEL.encode(), words))


def told(speaker: Client, words: bytes) -> bytes:
    """The request that tells Bob of the second MUD."""
    params = b'{"target_mud":"%b","target_user":"Bob","from_user":"Ann","message":"%b"}'
    return speaker.request("tell", params % (MUDS[1].encode(), words))


class Pair:
    """A client of each of two gateways: what the first says is heard by the second.

    :param say: makes a request of words
    :param echo: the first hears it too
    :param clock: seconds, rising
    """

    def __init__(
        self,
        speaker: Client,
        hearer: Client,
        say: Callable[[Client, bytes], bytes],
        *,
        echo: bool,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._speaker, self._hearer = speaker, hearer
        self._say = say
        self._clock = clock
        self._due: dict[Client, deque[bytes]] = {one: deque() for one in ((speaker, hearer) if echo else (hearer,))}
        for client in (speaker, hearer):
            client.socket.setblocking(False)

    def stream(self, words: Iterable[bytes], flight: int, *, within: float = 60.0) -> None:
        """Say all of them, at most so many of which are not yet heard and answered.

        :param within: seconds until something more is heard or answered; how long all of it takes is the machine's
        :raises Misheard: one was heard changed, twice, in another order or not in time
        """
        coming = iter(words)
        speaker, hearer = self._speaker, self._hearer
        due = self._due[hearer]
        end = self._clock() + within
        while True:
            free = flight - max(len(due), speaker.sent - speaker.ear.answered)
            more = list(islice(coming, max(0, free)))
            if more:
                self._send(more)
            elif self._quiet():
                return
            now = self._clock()
            if self._listen():
                end = now + within
            elif now > end:
                open = speaker.sent - speaker.ear.answered
                raise Misheard(f"for {within} s nothing came: {len(due)} lines were not heard, {open} not answered")

    def pace(self, words: Sequence[bytes], rate: float) -> list[float]:
        """Say so many a second; the seconds from the send of each until it was heard.

        :raises Misheard: as for :meth:`stream`
        """
        due = self._due[self._hearer]
        sent: list[float] = []
        took: list[float] = []
        start = last = perf_counter()
        while not (len(took) == len(words) and self._quiet()):
            now = perf_counter()
            if len(sent) < len(words) and now >= start + len(sent) / rate:
                self._send([words[len(sent)]])
                sent.append(now)
            if self._listen():
                last = now
            if len(sent) - len(due) > len(took):
                now = perf_counter()
                took += [now - then for then in sent[len(took) : len(sent) - len(due)]]
            if now > last + 1 / rate + _PATIENCE:
                raise Misheard(f"for {_PATIENCE:.0f} s nothing came: {len(due)} lines were not heard")
        return took

    def _quiet(self) -> bool:
        return not any(self._due.values()) and self._speaker.sent == self._speaker.ear.answered

    def _send(self, words: Sequence[bytes]) -> None:
        for due in self._due.values():
            due.extend(words)
        data = b"".join([self._say(self._speaker, one) for one in words])
        if self._speaker.socket.send(data) != len(data):
            raise BenchError("A gateway does not read what it is sent.")

    def _listen(self) -> bool:
        """Whether a line was heard or a request answered; a ping is neither."""
        came = False
        for client in (self._hearer, self._speaker):
            try:
                data = _some(client.socket)
            except BlockingIOError:  # a client that slept would have to be woken, at the sender's cost
                continue
            before = client.ear.answered
            heard = client.ear.feed(data)
            came = came or bool(heard) or client.ear.answered > before
            if client.ear.replies:
                client.socket.send(client.ear.replies)
                client.ear.replies.clear()
            due = self._due.get(client, deque())
            for words in heard:
                if not due or due[0] != words:
                    raise Misheard(f"heard {words!r}, where {due[0] if due else 'nothing'!r} was due")
                due.popleft()
        return came


@dataclass(frozen=True, slots=True)
class Network:
    """:ivar gateways: one for each of :data:`MUDS`"""

    router: Mythos
    gateways: Sequence[Mythos]

    def cpu(self) -> float:
        """Of both gateways, in seconds."""
        return sum([one.cpu() for one in self.gateways])

    def clients(self, *, framed: bool = False) -> tuple[Client, Client]:
        """A client of each MUD, both on the channel."""
        first, second = [Client.of(server, framed=framed) for server in self.gateways]
        first.join(MUDS[1])
        second.join(MUDS[0])
        return first, second


@contextmanager
def network(plan: Plan) -> Iterator[Network]:
    """Two gateways and a router, all on the server's core.

    :raises BenchError: one of them does not start
    """
    with relay(plan, "router", _SETTINGS, router=True) as router:
        place = f"*mythos {HOST}:{router.ports['i3-router']}"
        with gateway(plan, MUDS[0], place) as first, gateway(plan, MUDS[1], place) as second:
            yield Network(router, (first, second))


def gateway(plan: Plan, mud: str, router: str) -> AbstractContextManager[Mythos]:
    """One for a MUD, which is on the network by this router (``*name host:port``)."""
    return relay(plan, mud, {**_SETTINGS, "MYTHOS_I3_ROUTERS": router, "MYTHOS_GATEWAY_KEYS": f"{mud}={_KEY}"})


def _until(true: Callable[[], bool]) -> None:
    """:raises BenchError: it does not come true"""
    end = monotonic() + _PATIENCE
    while not true():
        if monotonic() > end:
            raise BenchError(f"The gateways were not on the network after {_PATIENCE:.0f} s.")
        sleep(0.02)


def _some(plug: socket.socket) -> bytes:
    data = plug.recv(65_536)
    if not data:
        raise BenchError("A gateway closed a connection.")
    return data
