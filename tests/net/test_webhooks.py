"""Webhooks: whom they may reach, how they are signed, and what is made of answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater

from mythos.errors import MythosError
from mythos.flow.breaker import BreakerOpen, Breakers, State
from mythos.net.jobs import GiveUp, Job, Jobs
from mythos.net.webhooks import Hooks, Undelivered, Webhooks, permitted, signature
from mythos.store.memory import MemoryStore

_REACTOR: Any = reactor
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_signed_as_the_standard_has_it() -> None:
    """The example of standardwebhooks.com."""
    body = b'{"test": 2432232314}'
    signed = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature("plain words", "a", 1, body) != signature("other words", "a", 1, body)


def test_a_secret_that_is_no_base64() -> None:
    with pytest.raises(ValueError, match="behind whsec_ is no base64"):
        signature("whsec_!!", "a", 1, b"")


PUBLIC = ("93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822")
PRIVATE = ("10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "::1", "fd00::1", "::ffff:10.0.0.1", "2002:7f00:1::")
NEVER = (
    *("169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254"),
    *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::"),
)


@pytest.mark.parametrize("address", [*PUBLIC, *PRIVATE, *NEVER])
def test_whom_they_may_reach(address: str) -> None:
    assert permitted(address, allow_private=False) is (address in PUBLIC)
    assert permitted(address, allow_private=True) is (address not in NEVER)


class Now:
    def seconds(self) -> float:
        return IReactorTime(reactor).seconds()

    def wall(self) -> float:
        return 1_800_000_000.0


class Answering(Protocol):
    """Hears one request, and sends what it is given to say."""

    factory: Any

    def connectionMade(self) -> None:
        self.factory.connections += 1

    def dataReceived(self, data: bytes) -> None:
        self.factory.heard += data
        if self.factory.says is None:
            self.transport.abortConnection()  # type: ignore[union-attr]
        else:
            self.transport.write(self.factory.says)  # type: ignore[union-attr]

    def connectionLost(self, reason: Any = None) -> None:
        self.factory.connections -= 1


class Place(Factory):
    protocol = Answering
    noisy = False

    def __init__(self, says: bytes | None) -> None:
        self.says = says
        self.heard = b""
        self.connections = 0


JOB = Job("id1", {"to": "", "type": "alert", "timestamp": "2027-01-15T08:00:00+00:00", "data": {"message": "Zoë"}}, 0)


async def deliver(
    says: bytes | None, *, allow_private: bool = True, closed: bool = False, breakers: Breakers | None = None
) -> tuple[Place, Breakers, MythosError | None]:
    """One try at a place that says this."""
    place = Place(says)
    port: Any = _REACTOR.listenTCP(0, place, interface="127.0.0.1")
    number = port.getHost().port
    if closed:
        await maybeDeferred(port.stopListening)
    store, breakers = MemoryStore(), breakers or Breakers(failures=1)
    jobs = Jobs(store, reactor, Now(), lambda: 0.5)
    hooks = Hooks((f"http://127.0.0.1:{number}/hook?key=1",), (), SECRET, allow_private)
    webhooks = Webhooks(hooks, jobs, breakers, reactor, Now())
    (name,) = webhooks._urls
    found = None
    try:
        await webhooks._deliver(Job(JOB.id, {**JOB.payload, "to": name}, 0))
    except MythosError as error:
        found = error
    finally:
        await jobs.stop()
        await maybeDeferred(port.stopListening)
        while place.connections:
            await deferLater(IReactorTime(reactor), 0.001)
        store.close()
    return place, breakers, found


def status(code: int, headers: str = "", body: str = "") -> bytes:
    return f"HTTP/1.1 {code} Word\r\ncontent-length: {len(body)}\r\n{headers}\r\n{body}".encode()


async def test_what_is_sent() -> None:
    place, breakers, error = await deliver(status(200, body="thanks"))
    assert error is None
    head, _, body = place.heard.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert first == "POST /hook?key=1 HTTP/1.1"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("id1", "1800000000")
    assert headers["webhook-signature"] == signature(SECRET, "id1", 1_800_000_000, body).lower()
    assert headers["content-type"] == "application/json"
    assert json.loads(body) == {key: JOB.payload[key] for key in ("type", "timestamp", "data")}
    assert breakers.states(Now().seconds()) == {"webhook:127.0.0.1": State.CLOSED}


@pytest.mark.parametrize(
    ("code", "kind", "state"),
    [
        (204, None, State.CLOSED),
        (400, GiveUp, State.CLOSED),
        (404, GiveUp, State.CLOSED),
        (408, Undelivered, State.CLOSED),
        (429, Undelivered, State.CLOSED),
        (500, Undelivered, State.OPEN),
        (503, Undelivered, State.OPEN),
    ],
)
async def test_answers(code: int, kind: type[MythosError] | None, state: State) -> None:
    """Whether it is tried again, and whether the host counts as failing."""
    _, breakers, error = await deliver(status(code))
    assert type(error) is (type(None) if kind is None else kind)
    assert breakers.states(Now().seconds()) == {"webhook:127.0.0.1": state}


async def test_a_redirect_is_not_followed() -> None:
    place, _, error = await deliver(status(302, "location: /elsewhere\r\n"))
    assert isinstance(error, GiveUp)
    assert str(error) == "It was answered with status 302: name the address that it leads to."
    assert place.heard.count(b"POST") == 1


async def test_no_address_of_ours() -> None:
    """Nothing is connected to, and the host is not blamed."""
    place, breakers, error = await deliver(status(204), allow_private=False)
    assert isinstance(error, GiveUp)
    assert str(error) == "127.0.0.1 is 127.0.0.1, which webhooks may not reach: see webhooks.allow_private."
    assert place.heard == b""
    assert breakers.states(Now().seconds()) == {"webhook:127.0.0.1": State.CLOSED}


@pytest.mark.parametrize(("says", "closed"), [(None, False), (b"what?\r\n\r\n", False), (b"", True)])
async def test_no_answer(says: bytes | None, closed: bool) -> None:
    """A connection that is refused or broken, and what is no HTTP: later."""
    _, breakers, error = await deliver(says, closed=closed)
    assert isinstance(error, Undelivered)
    assert "127.0.0.1" not in str(error)
    assert breakers.states(Now().seconds()) == {"webhook:127.0.0.1": State.OPEN}


async def test_an_endless_answer() -> None:
    """No more than 64 KiB of it are read."""
    place, _, error = await deliver(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 10_000_000)
    assert error is None
    assert place.connections == 0


async def test_an_open_breaker_sends_nothing() -> None:
    breakers = Breakers(failures=1)
    breakers.of("webhook:127.0.0.1").failed(Now().seconds())
    place, _, error = await deliver(status(204), breakers=breakers)
    assert isinstance(error, BreakerOpen)
    assert place.heard == b""


async def test_an_address_that_is_not_named_any_more() -> None:
    store = MemoryStore()
    jobs = Jobs(store, reactor, Now(), lambda: 0.5)
    webhooks = Webhooks(Hooks(("https://a.example/",), (), SECRET), jobs, Breakers(), reactor, Now())
    with pytest.raises(GiveUp, match=r"none of webhooks\.url any more"):
        await webhooks._deliver(Job("id1", {**JOB.payload, "to": "b.example 12345678"}, 0))
    store.close()


async def test_rows_hold_no_address() -> None:
    """It may be a secret in itself."""
    store = MemoryStore()
    jobs = Jobs(store, reactor, Now(), lambda: 0.5)
    hooks = Hooks(("https://a.example/key/abcdef", "https://b.example/"), ("alert",), SECRET)
    webhooks = Webhooks(hooks, jobs, Breakers(), reactor, Now())
    webhooks.tell("server.started", {})
    assert list(await store.jobs(dead=False, most=9)) == []
    webhooks.tell("alert", {"message": "hot"})
    rows = await store.jobs(dead=False, most=9)
    assert [json.loads(row.payload)["to"].split()[0] for row in rows] == ["a.example", "b.example"]
    assert "abcdef" not in "".join(row.payload for row in rows)
    assert SECRET not in repr(hooks)
    store.close()
