"""The reactor's poll: nothing is forgotten on the shorter way through it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.main import CONNECTION_DONE
from twisted.internet.task import Clock

from mythos.net.poll import Poll
from tests.conftest import Failures


@pytest.fixture
def reactor() -> Iterator[Any]:
    """One of its own, which a test runs; a bug does not let it run for ever."""
    made: Any = EPollReactor()
    late: list[bool] = []

    def too_late() -> None:
        late.append(True)
        made.stop()

    made.callWhenRunning(lambda: made.callLater(20, too_late))
    yield made
    assert not late, "the test did not stop it"
    for reader in made.removeAll():
        if hasattr(reader, "plug"):
            reader.plug.close()
    made._poller.close()


def run(reactor: Any) -> None:
    reactor.run(installSignalHandlers=False)


class Reader:
    """One end of a connection; what it does with what comes is the test's."""

    def __init__(self, reactor: Any, work: Callable[[bytes], Any]) -> None:
        self.plug, self.peer = socket.socketpair()
        self.plug.setblocking(False)
        self.lost: list[Any] = []
        self._work = work
        reactor.addReader(self)

    def fileno(self) -> int:
        return self.plug.fileno()

    def doRead(self) -> Any:
        data = self.plug.recv(100)
        return self._work(data) if data else CONNECTION_DONE

    def connectionLost(self, reason: Any) -> None:
        self.lost.append(reason)
        self.plug.close()

    def logPrefix(self) -> str:
        return "reader"


def test_this_twisted_has_the_parts(reactor: Any) -> None:
    """Else every line costs more than it need; and a reactor has one poll."""
    poll = Poll.of(reactor)
    assert poll.fast
    assert Poll.of(reactor) is poll


def test_behind_all_reads(reactor: Any) -> None:
    """Work that one read puts behind comes after the others, in order; work of work comes before the poll waits."""
    poll = Poll.of(reactor)
    done: list[str] = []

    def read(data: bytes) -> None:
        done.append(data.decode())
        poll.behind(lambda: done.append(f"behind {data.decode()}"))
        poll.behind(lambda: poll.behind(lambda: done.append(f"last {data.decode()}")))
        if len(done) > 1:
            poll.behind(lambda: poll.behind(lambda: poll.behind(reactor.stop)))

    for letter in (b"a", b"b"):
        Reader(reactor, read).peer.send(letter)
    run(reactor)
    assert sorted(done[:2]) == ["a", "b"]
    assert done[2:] == [f"{word} {letter}" for word in ("behind", "last") for letter in done[:2]]


def test_behind_a_timer(reactor: Any) -> None:
    """No read has to come first."""
    poll = Poll.of(reactor)
    reactor.callWhenRunning(lambda: reactor.callLater(0, poll.behind, reactor.stop))
    run(reactor)


def test_timers_of_reads_and_of_work(reactor: Any) -> None:
    """The poll does not sleep through a timer that was set since it began."""
    poll = Poll.of(reactor)
    done: list[str] = []

    def read(data: bytes) -> None:
        done.append("read")
        reactor.callLater(0.01, timer)

    def timer() -> None:
        done.append("timer")
        poll.behind(lambda: reactor.callLater(0, reactor.stop))

    Reader(reactor, read).peer.send(b"a")
    run(reactor)
    assert done == ["read", "timer"]


def test_calls_of_threads(reactor: Any) -> None:
    """They are made although reads follow each other without end."""
    Poll.of(reactor)
    done: list[bytes] = []

    def read(data: bytes) -> None:
        done.append(data)
        if len(done) == 3:
            reactor.callFromThread(reactor.stop)
        one.peer.send(b"a")

    one = Reader(reactor, read)
    one.peer.send(b"a")
    run(reactor)
    assert len(done) < 10


@pytest.mark.parametrize("how", ["stop", "crash"])
def test_an_end(reactor: Any, how: str) -> None:
    """It comes although no timer does."""
    Poll.of(reactor)
    Reader(reactor, lambda data: getattr(reactor, how)()).peer.send(b"a")
    run(reactor)
    assert not reactor.running


def test_a_read_that_breaks(reactor: Any, failures: Failures) -> None:
    """It costs its own connection and no other."""
    poll = Poll.of(reactor)
    done: list[bytes] = []

    def broken(data: bytes) -> None:
        raise RuntimeError("a bug of this connection")

    def read(data: bytes) -> None:
        done.append(data)
        poll.behind(lambda: poll.behind(reactor.stop))

    readers = [Reader(reactor, work) for work in (broken, read)]
    for one in readers:
        one.peer.send(b"a")
    run(reactor)
    assert done == [b"a"]
    assert [reason.type for reason in readers[0].lost] == [RuntimeError]
    assert [reason.type for reason in readers[1].lost] == [ConnectionLost]  # as the reactor stopped
    assert len(failures.flush(RuntimeError)) == 1


def test_work_that_breaks(reactor: Any, failures: Failures) -> None:
    """What comes behind it is done."""
    poll = Poll.of(reactor)

    def broken() -> None:
        raise RuntimeError("a bug")

    reactor.callWhenRunning(poll.behind, broken)
    reactor.callWhenRunning(poll.behind, reactor.stop)
    run(reactor)
    assert len(failures.flush(RuntimeError)) == 1


@pytest.mark.parametrize("words", [b"", b"last words"])
def test_a_peer_that_goes(reactor: Any, words: bytes) -> None:
    """What it said is read, and its end is told once."""
    Poll.of(reactor)
    heard: list[bytes] = []
    one = Reader(reactor, heard.append)
    ends = one.connectionLost

    def lost(reason: Any) -> None:
        ends(reason)
        reactor.callLater(0.01, reactor.stop)

    one.connectionLost = lost  # type: ignore[method-assign]
    one.peer.send(words)
    one.peer.close()
    run(reactor)
    assert b"".join(heard) == words
    assert [reason.type for reason in one.lost] == [ConnectionDone]


def test_one_that_goes_while_others_are_read(reactor: Any) -> None:
    """It is not read any more, although it was ready."""
    Poll.of(reactor)
    done: list[bytes] = []

    def read(data: bytes) -> None:
        done.append(data)
        for one in readers:
            reactor.removeReader(one)
        reactor.callLater(0.01, reactor.stop)

    readers = [Reader(reactor, read) for _ in range(3)]
    for one in readers:
        one.peer.send(b"a")
    run(reactor)
    assert done == [b"a"]


def test_another_reactor() -> None:
    """There it is done in the next turn."""
    clock = Clock()
    done: list[int] = []
    Poll.of(clock).behind(lambda: done.append(1))
    assert not done
    clock.advance(0)
    assert done == [1]
