"""The web doors without a socket: requests of HTTP/1.1, event streams and WebSockets, as their clients see them."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import txaio
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from mythos.flow.kept import Kept
from mythos.net.api import Api
from mythos.net.cache import Cache
from mythos.net.doorman import Doorman
from mythos.net.origins import Origins
from mythos.net.outlet import Outlet
from mythos.net.pages import Pages, TelnetPorts
from mythos.net.poll import Poll
from mythos.net.proxies import Proxies
from mythos.net.requests import Requests
from mythos.net.site import WebFiles, make_site
from mythos.net.telnet import TelnetFactory
from mythos.net.websocket import SocketFactory
from mythos.telemetry.health import Health
from tests.scenes.people import in_town
from tests.scenes.scene import Scene

__all__ = ["Answer", "Frames", "Plug", "Stream", "Web", "frame", "inflated", "playing"]

FILES = {
    "index.html": b"<script src=__STATIC__/js/main.js></script>" + b"<p>many words</p>" * 50,
    "js/main.js": b"run();",
    "worker.js": b"__STATIC__: __FILES__",
}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The code of a documented error."""
        assert self.json.keys() == {"error"}
        assert self.json["error"].keys() == {"code", "message"}
        assert self.json["error"]["message"]
        code: str = self.json["error"]["code"]
        return code


class Plug(StringTransport):
    """A connection that may become another protocol's."""

    protocol: Any = None
    aborted = False

    def receive(self, data: bytes) -> None:
        self.protocol.dataReceived(data)

    def take(self) -> bytes:
        data = bytes(self.value())
        self.clear()
        return data

    def lost(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def abortConnection(self) -> None:
        self.aborted = True
        self.disconnecting = True

    def unregisterProducer(self) -> None:
        """As a socket does it: also when there is none."""
        self.producer = None

    def setTcpNoDelay(self, on: bool) -> None:
        """No socket, no Nagle."""


@contextmanager
def playing(*, requests: float = 10_000, permessage_deflate: bool = True) -> Iterator[Web]:
    """A server, while whose doors are open Autobahn's clock is the scene's."""
    web = Web(requests=requests, permessage_deflate=permessage_deflate)
    before, txaio.config.loop = txaio.config.loop, web.scene.clock  # type: ignore[attr-defined]
    try:
        yield web
    finally:
        txaio.config.loop = before  # type: ignore[attr-defined]


class Web:
    """One server with the small town behind it.

    :ivar address: whom its requests come from, unless ``address_of`` says otherwise
    """

    def __init__(self, *, requests: float = 10_000, permessage_deflate: bool = True) -> None:
        self.scene: Scene = in_town()
        self.address = "192.0.2.1"
        self.address_of: Callable[[Any], str] = lambda request: self.address
        scene = self.scene
        self.outlet = Outlet(Poll(scene.clock))
        self.doorman = Doorman(1000, 1000, 1000)
        self.health = Health("1", scene.clock.wall, lambda: len(self.outlet.links))
        self.health.state = ""
        self.door = TelnetFactory(
            realm=scene.realm,
            accounts=scene.accounts,
            outlet=self.outlet,
            clock=scene.clock,
            doorman=self.doorman,
            greeting=["Welcome."],
            web_address="http://play.example.org/",
            status=dict,
        )
        origins = Origins(["https://play.example.org", "https://fans.example.net"])
        self.sockets = SocketFactory(
            realm=scene.realm,
            accounts=scene.accounts,
            outlet=self.outlet,
            clock=scene.clock,
            origins=origins,
            frames_per_second=1000.0,
            address_of=lambda socket: self.address,
            doorman=self.doorman,
            permessage_deflate=permessage_deflate,
            telnet=self.door,
        )
        self.cache = Cache(Kept(2**20), scene.clock.seconds, 300.0)
        counted = Requests(requests, 60.0, scene.clock, lambda request: self.address_of(request))
        self.api = Api(
            realm=scene.realm,
            accounts=scene.accounts,
            outlet=self.outlet,
            tokens=scene.realm.tokens,
            clock=scene.clock,
            health=self.health,
            requests=counted,
            address_of=lambda request: self.address_of(request),
            doorman=self.doorman,
            cache=self.cache,
        )
        files = WebFiles(FILES)
        self.telnet = TelnetPorts(plain=4000)
        self.proxies = Proxies(())
        self.pages = Pages(
            realm=scene.realm,
            clock=scene.clock,
            requests=counted,
            is_secure=lambda request: self.proxies.is_secure(request),
            telnet=lambda: self.telnet,
            static=files.prefix,
            cache=self.cache,
        )
        self.site: Any = make_site(
            files,
            self.pages,
            self.api,
            self.sockets,
            scene.clock,
            origins=origins,
            is_secure=lambda request: self.proxies.is_secure(request),
        )

    def connect(self) -> Plug:
        plug = Plug()
        plug.protocol = self.site.buildProtocol(None)
        plug.protocol.makeConnection(plug)
        return plug

    def run(self) -> None:
        self.scene.run()
        self.scene.clock.advance(0)
        self.outlet.flush()

    def raw(self, data: bytes) -> bytes:
        """Whatever is sent on a connection of its own, and what comes back."""
        plug = self.connect()
        plug.receive(data)
        self.run()
        found = plug.take()
        plug.lost()
        return found

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """:param body: sent as JSON, or as it is if it is bytes"""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: play.example.org", f"Content-Length: {len(data)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return parsed(self.raw("\r\n".join([*lines, "", ""]).encode() + data), head=method == "HEAD")

    def post(self, path: str, body: Any = None, token: str = "") -> Answer:
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        return self.ask("POST", f"/api/v1/{path}", {} if body is None else body, **bearer)

    def guest(self) -> Any:
        return self.post("guest").json

    def stream(self, token: str, query: str = "", **headers: str) -> Stream:
        ticket = self.post("ticket", token=token).json["ticket"]
        return Stream(self, f"/sse?ticket={ticket}{query}", **headers)

    def socket(self, token: str = "", *, epoch: str = "", last: int = 0, **headers: str) -> Frames:
        return Frames(self, token, epoch=epoch, last=last, **headers)


def parsed(data: bytes, *, head: bool = False) -> Answer:
    top, _, body = data.partition(b"\r\n\r\n")
    first, *lines = top.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    if headers.get("transfer-encoding") == "chunked":
        body = b"".join(chunks(body)[0])
    elif not head:
        assert len(body) == int(headers.get("content-length", len(body)))
    return Answer(int(first.split()[1]), headers, body)


def chunks(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole chunks of a body, and what is left."""
    found = []
    while b"\r\n" in data:
        size, rest = data.split(b"\r\n", 1)
        if len(rest) < int(size, 16) + 2:
            break
        found.append(rest[: int(size, 16)])
        data = rest[int(size, 16) + 2 :]
    return found, data


class Stream:
    """An event stream."""

    def __init__(self, web: Web, path: str, **headers: str) -> None:
        self._web = web
        self.plug = web.connect()
        lines = [f"GET {path} HTTP/1.1", "Host: play.example.org"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.plug.receive("\r\n".join([*lines, "", ""]).encode())
        web.run()
        head, _, self._rest = self.plug.take().partition(b"\r\n\r\n")
        self.head = head.decode()
        self.ids: list[str] = []
        self.retry = 0

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    def take(self) -> list[dict[str, Any]]:
        """The records since the last call; their ids are kept."""
        self._web.run()
        whole, self._rest = chunks(self._rest + self.plug.take())
        records = []
        for event in b"".join(whole).decode().split("\n\n"):
            for line in event.split("\n"):
                field, _, value = line.partition(": ")
                if field == "id":
                    self.ids.append(value)
                elif field == "data":
                    records.append(json.loads(value))
                elif field == "retry":
                    self.retry = int(value)
        return records

    def lost(self) -> None:
        self.plug.lost()


def frame(opcode: int, payload: bytes, *, masked: bool = True, last: bool = True) -> bytes:
    """A frame from a client (RFC 6455, 5.2); the mask is zero. ``opcode``: with the bits before it, 64 is RSV1."""
    size = len(payload)
    bit = 0x80 if masked else 0
    head = bytes([opcode | (0x80 if last else 0)])
    if size < 126:
        head += bytes([bit | size])
    elif size < 65_536:
        head += bytes([bit | 126]) + struct.pack("!H", size)
    else:
        head += bytes([bit | 127]) + struct.pack("!Q", size)
    return head + (b"\0\0\0\0" if masked else b"") + payload


def frames(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole frames from a server, each its opcode, with 64 for RSV1, and payload, and what is left."""
    found = []
    while len(data) >= 2:
        size, at = data[1] & 127, 2
        if size == 126:
            size, at = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, at = int.from_bytes(data[2:10], "big"), 10
        if len(data) < at + size:
            break
        found.append((data[0] & 0x7F, data[at : at + size]))
        data = data[at + size :]
    return found, data


def inflated(payload: bytes, bits: int = zlib.MAX_WBITS) -> bytes:
    """What a payload says that permessage-deflate made, on its own (RFC 7692, 7.2.2)."""
    return zlib.decompressobj(-bits).decompress(payload + b"\0\0\xff\xff")


class Frames:
    """A WebSocket; with a token it is attached.

    :ivar deflated: the payloads of compressed frames, as they came
    """

    def __init__(self, web: Web, token: str = "", *, epoch: str = "", last: int = 0, **headers: str) -> None:
        self._web = web
        self.plug = web.connect()
        key = base64.b64encode(bytes(16)).decode()
        lines = [
            *("GET /ws HTTP/1.1", "Host: play.example.org", "Upgrade: websocket", "Connection: Upgrade"),
            *(f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13"),
        ]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.plug.receive("\r\n".join([*lines, "", ""]).encode())
        web.run()
        head, _, self._rest = self.plug.take().partition(b"\r\n\r\n")
        self.head = head.decode()
        self.closed: tuple[int, str] | None = None
        self.pings: list[bytes] = []
        self.deflated: list[bytes] = []
        if token:
            self.send({"t": "attach", "token": token, **({"epoch": epoch, "last": last} if epoch else {})})

    @property
    def status(self) -> int:
        return int(self.head.split()[1])

    def send(self, value: Any) -> None:
        self.receive(frame(1, json.dumps(value).encode()))

    def receive(self, data: bytes) -> None:
        self.plug.receive(data)
        self._web.run()

    def take(self) -> list[dict[str, Any]]:
        """The text frames since the last call."""
        self._web.run()
        found = []
        whole, self._rest = frames(self._rest + self.plug.take())
        for opcode, payload in whole:
            if opcode == 1:
                found.append(json.loads(payload))
            elif opcode == 65:
                self.deflated.append(payload)
                found.append(json.loads(inflated(payload)))
            elif opcode == 8:
                self.closed = (int.from_bytes(payload[:2], "big"), payload[2:].decode())
            elif opcode == 9:
                self.pings.append(payload)
        return found

    def lost(self) -> None:
        self.plug.lost()
