"""What a connection of ours relies on in Twisted, and that it does without where it must."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as the_reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport

from mythos.net.transport import DIRECT, direct

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


def test_this_twisted_has_the_parts() -> None:
    """If this fails, deliveries go the slow way: see :func:`mythos.net.transport.direct`."""
    assert DIRECT


def test_other_transports_are_written_to() -> None:
    transport = StringTransport()
    direct(transport, b"hello")
    assert transport.value() == b"hello"
