"""What a connection of ours relies on in Twisted, and that it does without where it must."""

from __future__ import annotations

import errno
import random
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol, wrapClientTLS
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from mythos.net.certificate import Certificate
from mythos.net.transport import DIRECT, beneath, direct, tune, unsent
from tests.net.certificates import make

reactor: Any = the_reactor


class Collector(Protocol):
    """Keeps what it gets; ``done`` fires at the end."""

    def __init__(self) -> None:
        self.got = bytearray()
        self.done: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.got += data

    def connectionLost(self, reason: Any = None) -> None:
        self.done.callback(bytes(self.got))


class Teller(Protocol):
    """Sends three pieces directly, the second too large for any socket, and remembers what was left to the poller."""

    left: tuple[int, ...] = ()

    def connectionMade(self) -> None:
        pieces = (b"small,", b"large" * 2_000_000, b",last")
        left = []
        for piece in pieces:
            direct(self.transport, piece)
            transport: Any = self.transport
            left.append(len(transport.dataBuffer) + sum(map(len, transport._tempDataBuffer)))
        Teller.left = tuple(left)
        assert self.transport is not None
        self.transport.loseConnection()


async def test_sent_at_once_and_in_order() -> None:
    """A small piece never waits for the poller; what does not fit does, and what comes behind it waits with it."""
    port = reactor.listenTCP(0, Factory.forProtocol(Teller), interface="127.0.0.1")
    try:
        where = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        collector: Collector = await connectProtocol(where, Collector())
        assert await collector.done == b"small," + b"large" * 2_000_000 + b",last"
    finally:
        await port.stopListening()
    first, second, third = Teller.left
    assert first == 0
    assert second > 0
    assert third == second + len(b",last")


class Moody:
    """A socket that takes all of what it is sent, or a part, or nothing just now."""

    def __init__(self, plug: socket.socket, dice: random.Random) -> None:
        self._plug = plug
        self._dice = dice

    def send(self, data: bytes, *flags: int) -> int:
        mood = self._dice.random()
        if mood < 0.3:
            raise BlockingIOError(errno.EWOULDBLOCK, "not now")
        return self._plug.send(data if mood > 0.7 else data[: self._dice.randint(1, max(1, len(data)))], *flags)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plug, name)


class Talker(Protocol):
    """Says numbered lines, some directly and some not, some of them large; with each line that comes back, more."""

    LINES = 2000

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._next = 0
        self.rest = b""
        self.heard: list[bytes] = []
        self.said: list[bytes] = []
        self.done: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        tune(self.transport)
        transport: Any = self.transport
        transport.socket = Moody(transport.socket, self._dice)
        self._say(8)

    def _say(self, most: int) -> None:
        for _ in range(min(most, self.LINES - len(self.said))):
            line = b"%d %s" % (len(self.said), b"x" * self._dice.choice((10, 10, 200, 40_000)))
            self.said.append(line)
            assert self.transport is not None
            if self._dice.random() < 0.8:
                direct(self.transport, line + b"\n")
            else:
                self.transport.write(line + b"\n")

    def dataReceived(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        self.heard += lines
        if len(self.heard) == self.LINES:
            assert self.transport is not None
            self.transport.loseConnection()
            self.done.callback(None)
        else:
            self._say(len(lines))


class Echo(Protocol):
    """Sends back what it gets, by a moody socket too, and reads nothing for a while now and then."""

    dice: random.Random

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.socket = Moody(transport.socket, self.dice)

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        direct(transport, data)
        if self.dice.random() < 0.2:
            transport.pauseProducing()
            reactor.callLater(0, self._go_on)

    def _go_on(self) -> None:
        transport: Any = self.transport
        if transport.connected:
            transport.resumeProducing()


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_a_socket_takes(seed: int) -> None:
    """Nothing stops, and nothing is lost, doubled or out of order: eight lines are always on their way."""
    dice = random.Random(seed)
    Echo.dice = dice
    port = reactor.listenTCP(0, Factory.forProtocol(Echo), interface="127.0.0.1")
    try:
        where = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
        talker: Talker = await connectProtocol(where, Talker(dice))
        await talker.done.addTimeout(30, reactor)
        assert talker.heard == talker.said
    finally:
        await port.stopListening()


def test_this_twisted_has_the_parts() -> None:
    """If this fails, deliveries go the slow way: see :func:`mythos.net.transport.direct`."""
    assert DIRECT


def test_other_transports_are_written_to() -> None:
    transport = StringTransport()
    direct(transport, b"hello")
    assert transport.value() == b"hello"


class Hearer(Collector):
    """Hears what comes to a tuned socket."""

    def connectionMade(self) -> None:
        tune(self.transport)


async def test_urgent_data_stays_in_its_place() -> None:
    """A Synch of telnet, whose last byte is urgent: it would be missing behind its IAC."""
    hearer = Hearer()
    factory: Any = Factory()
    factory.buildProtocol = lambda address: hearer
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        with socket.create_connection(("127.0.0.1", port.getHost().port)) as client:
            client.sendall(b"look\xff")
            client.send(b"\xf2", socket.MSG_OOB)
            client.sendall(b"north")
        assert await hearer.done == b"look\xff\xf2north"
    finally:
        await port.stopListening()


@implementer(IOpenSSLClientConnectionCreator)
class _AnyCertificate:
    """A client that takes what it is shown."""

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        return SSL.Connection(CertificateOptions().getContext(), None)


class Tuned(Protocol):
    """Notes how its socket is tuned, and what waits before and after it writes."""

    options: tuple[int, ...] = ()
    waits: tuple[int, ...] = ()
    idle = 300.0

    def connectionMade(self) -> None:
        transport: Any = self.transport
        tune(transport, Tuned.idle)
        plug = beneath(transport).getHandle()
        names = socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_USER_TIMEOUT
        alive = plug.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        Tuned.options = (alive, *[plug.getsockopt(socket.IPPROTO_TCP, name) for name in names])
        before = unsent(transport)
        transport.write(b"x" * 1000)
        Tuned.waits = before, unsent(transport)
        transport.loseConnection()


@pytest.mark.parametrize(("idle", "least", "most"), [(300.0, 60, 75), (10.0, 5, 10)])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_a_peer_that_vanishes_is_found(
    secure: bool, idle: float, least: float, most: float, tmp_path: Path
) -> None:
    """In time also if, just before it would be asked, words are sent, which it then has to acknowledge."""
    Tuned.idle = idle
    factory: Any = Factory.forProtocol(Tuned)
    where: Any
    if secure:
        both = tmp_path / "both.pem"
        make(both, both, "localhost")
        factory = TLSMemoryBIOFactory(Certificate(both, both), False, factory, reactor)
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    where = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    if secure:
        where = wrapClientTLS(_AnyCertificate(), where)
    try:
        collector: Collector = await connectProtocol(where, Collector())
        assert await collector.done == b"x" * 1000
    finally:
        await port.stopListening()
    alive, asked, interval, timeout = Tuned.options
    assert alive
    assert 0 < timeout <= 1000 * (asked + interval)  # the first question that stays unanswered is the last
    assert least <= asked + max(timeout / 1000, interval) <= most
    before, after = Tuned.waits
    assert before == 0
    assert after >= 1000


async def test_many_connections_share_their_names() -> None:
    """Also when all are there before the first has what it gets later: who plays costs less than 300 bytes there."""
    waiting: list[Protocol] = []
    all_in: Deferred[None] = Deferred()

    class Waiting(Protocol):
        def connectionMade(self) -> None:
            waiting.append(self)
            if len(waiting) == 60:
                all_in.callback(None)

    port = reactor.listenTCP(0, Factory.forProtocol(Waiting), backlog=60, interface="127.0.0.1")
    peers = [socket.create_connection(("127.0.0.1", port.getHost().port)) for _ in range(60)]
    await all_in
    sizes = set()
    for one in waiting:
        transport: Any = one.transport
        transport.bufferSize, transport.producer, transport.streamingProducer = 1, None, True
        sizes.add(sys.getsizeof(vars(transport)))
    for peer in peers:
        peer.close()
    await port.stopListening()
    assert max(sizes) < 300
