"""A gateway with a real router behind it and clients before it, in one process and without a socket."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import txaio
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mythos.config import ApiKey
from mythos.net.gateway.doors import Admission, ApiSocketFactory, LineFactory
from mythos.net.gateway.gateway import Gateway
from mythos.net.gateway.keys import Keyring
from mythos.net.gateway.keys import keyless as keyless_key
from mythos.net.gateway.mud import SERVICES, Limits
from mythos.net.gateway.site import make_gateway_site
from mythos.net.i3.answers import Answers
from mythos.net.i3.exchange import Exchange
from mythos.net.i3.link import Identity, Router, RouterLink
from mythos.net.i3.router import RouterFactory
from mythos.net.proxies import Proxies
from mythos.wire.i3.directory import Directory
from mythos.wire.i3.packets import ChannelInfo
from tests.net.web import chunks, frame, frames

__all__ = ["ROADS", "Client", "Place", "gateway"]

ROADS = ("tcp", "ws")


class Wall(Clock):
    """The reactor of the gateway: its time, and its connections to routers that stand here."""

    def __init__(self) -> None:
        super().__init__()
        self.routers: dict[tuple[str, int], RouterFactory] = {}

    def wall(self) -> float:
        return 1_800_000_000.0 + self.seconds()

    def connectTCP(self, host: str, port: int, factory: Any, *_: Any, **__: Any) -> Any:
        factory.startedConnecting(None)
        self.callLater(0, self._connect, (host, port), factory)

    def _connect(self, where: tuple[str, int], factory: Any) -> None:
        router = self.routers.get(where)
        if router is None:
            factory.clientConnectionFailed(None, Failure(ConnectionRefusedError()))
            return
        link, mud = factory.buildProtocol(None), router.buildProtocol(None)
        here, there = Wire(self, mud), Wire(self, link)
        here.other, there.other = there, here
        mud.makeConnection(there)
        link.makeConnection(here)


class Wire(StringTransport):
    """One end of a connection: what is written arrives at the other in the next turn."""

    other: Wire

    def __init__(self, clock: Clock, far: Any) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", "192.0.2.9", 4000))
        self._clock = clock
        self._far = far
        self._ended = False

    def write(self, data: bytes) -> None:
        if not self._ended:
            self._clock.callLater(0, self._arrive, data)

    def _arrive(self, data: bytes) -> None:
        if not self.other._ended:
            self._far.dataReceived(data)

    def loseConnection(self) -> None:
        if not self._ended:
            self._ended = self.disconnecting = True
            self._clock.callLater(0, self._lost)

    abortConnection = loseConnection

    def _lost(self) -> None:
        for end in (self, self.other):
            end._ended = True
        self._far.connectionLost(Failure(ConnectionDone()))
        self.other._far.connectionLost(Failure(ConnectionDone()))

    def setTcpNoDelay(self, on: bool) -> None:
        """No socket, no Nagle."""

    def setTcpKeepAlive(self, on: bool) -> None:
        """No socket to keep."""

    def getHandle(self) -> Any:
        return None


class Plug(StringTransport):
    """A client's connection to the gateway."""

    aborted = False
    protocol: Any

    def __init__(self, address: str) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", address, 4000))

    def abortConnection(self) -> None:
        self.aborted = self.disconnecting = True

    def setTcpNoDelay(self, on: bool) -> None:
        """No socket, no Nagle."""

    def setTcpKeepAlive(self, on: bool) -> None:
        """No socket to keep."""

    def unregisterProducer(self) -> None:
        """Autobahn's channel may have none."""
        self.producer = None


class Place:
    """:param before: the place before a restart: its clock, its routers and its files are gone on with"""

    def __init__(
        self,
        data: Path,
        *,
        before: Place | None = None,
        limits: Limits | None = None,
        rate: tuple[int, int] = (1_000_000, 100_000),
        per_method: Mapping[str, int] | None = None,
        throttle: int = 0,
        routers: int = 1,
        most: int = 100,
        deny: tuple[str, ...] = (),
        allow: tuple[str, ...] = (),
        keys: tuple[ApiKey, ...] = (),
        keyless: str = "",
        keyless_from: tuple[tuple[str, ...], tuple[str, ...]] = ((), ()),
        proxies: tuple[str, ...] = (),
        answers: Answers | None = None,
    ) -> None:
        self.data = data
        self.clock: Wall = before.clock if before else Wall()
        self.exchanges: list[Exchange] = before.exchanges if before else []
        for number in range(0 if before else routers):
            exchange = Exchange(f"*r{number}", f"192.0.2.{number} 8080", lambda: 77, private=not throttle)
            exchange.channels["gossip"] = ChannelInfo(exchange.name, 0)
            self.exchanges.append(exchange)
            self.clock.routers[f"192.0.2.{number}", 8080] = RouterFactory(exchange, self.clock)
        self._throttle = throttle
        self._clients: list[Client] = []
        self.directories: dict[str, Directory] = before.directories if before else {}
        self._passwords: dict[str, dict[str, int]] = before._passwords if before else {}
        anybody = keyless_key(keyless, *keyless_from) if keyless else None
        self.keys = Keyring(data / "gateway-keys.json", self.clock.wall, keys, "Own World", anybody)
        self.gateway = Gateway(
            self.keys,
            self.clock,
            self.clock,
            link=self._link,
            data=data,
            limits=limits or Limits(),
            rate=rate,
            longest=2048,
            per_method=per_method,
            answers=answers,
        )
        admission = self.admission = Admission(allow, deny, most)
        known = Proxies(proxies)
        self.sockets = ApiSocketFactory(self.gateway, self.clock, admission, ping=(30, 10), address_of=known.of_socket)
        self.lines = LineFactory(self.gateway, self.clock, admission, idle=3600)
        self.site = make_gateway_site(self.gateway, self.sockets, admission, {"C": "int main"}, self.clock, known)
        self.gateway.start()
        self.run()

    def _link(self, mud: str) -> RouterLink:
        return RouterLink(
            self.clock,
            [Router(exchange.name, f"192.0.2.{number}", 8080) for number, exchange in enumerate(self.exchanges)],
            Identity(mud, 4000, "admin@example.org", SERVICES),
            rate=self._throttle,
            passwords=self._passwords.setdefault(mud, {}),
            keep=lambda: None,
            chance=lambda: 0.5,
            directory=lambda router: self.directories.setdefault(router, Directory()),
        )

    def run(self) -> None:
        """Until nothing moves any more but by time."""
        for _ in range(30):
            self.clock.advance(0)
        for client in self._clients:
            client.hear()

    def pass_time(self, seconds: float) -> None:
        """In steps of up to a second."""
        while seconds > 0:
            self.clock.advance(min(1.0, seconds))
            self.run()
            seconds -= 1.0

    def key(self, mud: str, *permissions: str, per_minute: int | None = None) -> str:
        """A new key; its MUD is on the network."""
        _, secret = self.keys.create(mud, permissions or ("*",), per_minute)
        self.run()
        return secret

    def client(self, road: str, mud: str = "", key: str = "", **headers: str) -> Client:
        """A connection; with a MUD or a key it is authenticated."""
        client = Client(self, road, **headers)
        if mud or key:
            client.result("authenticate", api_key=key or self.key(mud))
            client.take()
        return client

    def cut(self, router: int) -> None:
        """A router is gone, and does not come back."""
        del self.clock.routers[f"192.0.2.{router}", 8080]
        for mud in self.gateway.muds.values():
            if mud.link.router == self.exchanges[router].name and mud.link._connection is not None:
                mud.link._connection.transport.loseConnection()
        self.run()

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        """An HTTP request: status, headers, body."""
        return self.request("GET", path, b"", **headers)

    def request(self, method: str, path: str, sent: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
        plug = Plug("198.51.100.7")
        plug.protocol = self.site.buildProtocol(None)
        plug.protocol.makeConnection(plug)
        lines = [f"{method} {path} HTTP/1.1", "Host: gateway.example.org"]
        lines += [f"Content-Length: {len(sent)}"] if sent else []
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        plug.protocol.dataReceived("\r\n".join([*lines, "", ""]).encode() + sent)
        self.run()
        top, _, body = plug.value().partition(b"\r\n\r\n")
        first, *rest = top.decode().split("\r\n")
        known = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
        if known.get("transfer-encoding") == "chunked":
            body = b"".join(chunks(body)[0])
        return int(first.split()[1]), known, body


class Client:
    """A MUD's connection, by either road.

    :ivar welcome: what TCP says first
    :ivar closed: the WebSocket's close code and reason
    """

    def __init__(
        self, place: Place, road: str, *, address: str = "198.51.100.7", path: str = "/ws", **headers: str
    ) -> None:
        self.place = place
        self.road = road
        place._clients.append(self)
        self.closed: tuple[int, str] | None = None
        self.welcome: Any = None
        self.status = 0
        self.answers_pings = True
        self._number = 0
        self._rest = b""
        self._kept: list[Any] = []
        self.plug = plug = Plug(address)
        factory: Any = place.lines if road == "tcp" else place.site
        plug.protocol = factory.buildProtocol(None)
        plug.protocol.makeConnection(plug)
        if road == "tcp":
            place.run()
            self.welcome = next(iter(self.take()), None)
            return
        lines = [
            *(f"GET {path} HTTP/1.1", "Host: gateway.example.org", "Upgrade: websocket", "Connection: Upgrade"),
            *(f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}", "Sec-WebSocket-Version: 13"),
        ]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        plug.protocol.dataReceived("\r\n".join([*lines, "", ""]).encode())
        place.run()
        head, _, self._rest = plug.value().partition(b"\r\n\r\n")
        plug.clear()
        self.status = int(head.split()[1])
        self.hear()

    def raw(self, data: bytes) -> None:
        """One message, whatever it is."""
        if not self.plug.disconnecting:
            self.plug.protocol.dataReceived(data + b"\n" if self.road == "tcp" else frame(1, data))
        self.place.run()

    def send(self, value: Any) -> None:
        self.raw(json.dumps(value).encode())

    def call(self, method: str, **params: Any) -> Any:
        """The response; events that come with it are kept for :meth:`take`."""
        self._number += 1
        self.send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self.response(self._number)

    def response(self, id: Any) -> Any:
        found = next((one for one in self._kept if "id" in one and one["id"] == id), None)
        if found is not None:
            self._kept.remove(found)
        return found

    def result(self, method: str, **params: Any) -> Any:
        response = self.call(method, **params)
        assert "result" in response, response
        return response["result"]

    def error(self, method: str, **params: Any) -> tuple[int, str]:
        error = self.call(method, **params)["error"]
        return error["code"], error["message"]

    def take(self, method: str = "") -> list[Any]:
        """Everything since the last call; only events of one method, without what all have, if one is named."""
        self.place.run()
        found, self._kept = self._kept, []
        if not method:
            return found
        return [_own(one["params"]) for one in found if one.get("method") == method]

    def lost(self) -> None:
        self.plug.protocol.connectionLost(Failure(ConnectionDone()))
        self.place.run()

    def hear(self) -> None:
        """What came goes to what is kept; pings are answered."""
        if self.road == "tcp" or self.status:
            found = self._read()
            for one in found:
                if isinstance(one, dict):  # clients tell responses from events by this alone
                    assert ("id" in one) != ("method" in one), one
            self._kept += found

    def _read(self) -> list[Any]:
        data = self._rest + self.plug.value()
        self.plug.clear()
        found = []
        if self.road == "tcp":
            *lines, self._rest = data.split(b"\n")
            return [json.loads(line) for line in lines]
        whole, self._rest = frames(data)
        for opcode, payload in whole:
            if opcode == 1:
                found.append(json.loads(payload))
            elif opcode == 8:
                self.closed = (int.from_bytes(payload[:2], "big"), payload[2:].decode())
            elif opcode == 9 and self.answers_pings:
                self.plug.protocol.dataReceived(frame(10, payload))
        return found


def _own(params: dict[str, Any]) -> dict[str, Any]:
    assert params["timestamp"].endswith("Z")
    assert params["seq"] > 0
    return {name: value for name, value in params.items() if name not in ("timestamp", "seq")}


@contextmanager
def gateway(data: Path, **given: Any) -> Iterator[Place]:
    """A place, while whose doors are open Autobahn's clock is the place's."""
    place = Place(data, **given)
    before, txaio.config.loop = txaio.config.loop, place.clock  # type: ignore[attr-defined]
    try:
        yield place
    finally:
        txaio.config.loop = before  # type: ignore[attr-defined]
