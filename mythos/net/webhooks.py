"""Webhooks: what happens to the server is posted to addresses that its operator names.

Each event is a job for each address, in the format of Standard Webhooks (standardwebhooks.com): a JSON object with
``type``, ``timestamp`` and ``data``, and the headers ``webhook-id`` (the same at each try: whoever gets it twice knows
it by that), ``webhook-timestamp`` and ``webhook-signature``. An address is looked up once for each try, and connected
to as it was judged: none on a private network, unless the operator allows that. Redirects are not followed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectionClosed
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure
from twisted.web.client import URI, Agent, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory, IBodyProducer, IResponse
from zope.interface import implementer

from mythos import __version__
from mythos.errors import MythosError
from mythos.flow.breaker import Breakers
from mythos.flow.jobs import Priority
from mythos.net.jobs import GiveUp, Job, Jobs
from mythos.play.ports import Clock

__all__ = ["EVENTS", "KIND", "Hooks", "Undelivered", "Webhooks", "permitted", "signature"]

#: What is told, and what ``data`` holds.
EVENTS: Final[Mapping[str, str]] = {
    "server.started": "version, ports",
    "server.stopping": "version",
    "store.lost": "nothing: the world's ledger cannot be written",
    "store.back": "nothing: it can be written again",
    "alert": "message, as the log has it behind ALERT",
    "sanction.added": "kind (address, account, name, mute), what, until (null: for good), reason, by",
    "sanction.lifted": "kind, what",
    "operator.ordered": "order, about (whom or what), who",
}
#: Of its jobs.
KIND: Final = "webhook"
#: Seconds that a try may take, and bytes of an answer that are read.
_TIMEOUT: Final = 5.0
_MOST: Final = 65_536
#: Answers below 500 after which the same may be taken later.
_LATER: Final = (408, 425, 429)
#: What a secret in the format of Standard Webhooks begins with.
_BASE64: Final = "whsec_"
#: Addresses that stand for one of IPv4 behind a gateway (RFC 6052).
_NAT64: Final = IPv6Network("64:ff9b::/96")


class Undelivered(MythosError):
    """It may be taken later."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What an operator says of them.

    :ivar urls: where everything is posted
    :ivar events: names of those that are; empty: all
    :ivar secret: that they are signed with
    :ivar allow_private: addresses of private networks and of this machine are no mistake
    """

    urls: tuple[str, ...] = field(default=(), repr=False)
    events: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    allow_private: bool = False


def signature(secret: str, id: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``.

    :param secret: text, or ``whsec_`` and base64
    :raises ValueError: what stands behind ``whsec_`` is no base64
    """
    try:
        key = base64.b64decode(secret.removeprefix(_BASE64), validate=True) if secret.startswith(_BASE64) else b""
    except binascii.Error as error:
        raise ValueError(f"what stands behind {_BASE64} is no base64") from error
    signed = hmac.new(key or secret.encode(), f"{id}.{timestamp}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(signed.digest()).decode()


def permitted(address: str, *, allow_private: bool) -> bool:
    """Whether an address may be connected to. Where metadata services of clouds are (169.254.0.0/16) never."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        ip = inner or ip
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local:
        return False
    return ip.is_global or (allow_private and (ip.is_private or ip.is_loopback))


class Webhooks:
    """See the module.

    :param reactor: connects, and waits
    :raises ValueError: the secret is no good
    """

    def __init__(self, hooks: Hooks, jobs: Jobs, breakers: Breakers, reactor: Any, clock: Clock) -> None:
        self._hooks = hooks
        self._jobs = jobs
        self._breakers = breakers
        self._reactor = reactor
        self._clock = clock
        self._urls = {_name(url): url for url in hooks.urls}
        for url in hooks.urls:
            breakers.of(_breaker(url))  # which is there to be seen before anything was told
        if hooks.urls:
            signature(hooks.secret, "", 0, b"")
        jobs.kind(KIND, self._deliver, priority=Priority.HIGH, lasting=True, timeout=_TIMEOUT)

    def tell(self, event: str, data: Mapping[str, Any]) -> None:
        """Post an event to all who want it; returns at once."""
        if self._hooks.events and event not in self._hooks.events:
            return
        at = datetime.fromtimestamp(self._clock.wall(), UTC).isoformat(timespec="milliseconds")
        for name in self._urls:
            told = {"to": name, "type": event, "timestamp": at, "data": dict(data)}
            self._jobs.submit(KIND, told).addErrback(lambda _: None)  # the log and a dead letter tell of it

    async def _deliver(self, job: Job) -> None:
        """:raises GiveUp: it will never be taken
        :raises Undelivered: it was not taken
        :raises BreakerOpen: that would be of no use just now
        """
        url = self._urls.get(job.payload["to"])
        if url is None:
            raise GiveUp("Its address is none of webhooks.url any more.")
        breaker = self._breakers.of(_breaker(url))
        breaker.enter(self._clock.seconds())
        well = False
        try:
            status = await self._post(url, job)
            well = status < 500
        except GiveUp:
            well = True  # of no use to anybody, and yet it does not fail
            raise
        finally:
            (breaker.succeeded if well else breaker.failed)(self._clock.seconds())
        if 200 <= status < 300:
            return
        if well and status not in _LATER:
            hint = ": name the address that it leads to" if 300 <= status < 400 else ""
            raise GiveUp(f"It was answered with status {status}{hint}.")
        raise Undelivered(f"It was answered with status {status}.")

    async def _post(self, url: str, job: Job) -> int:
        """The status of the answer."""
        told = {name: job.payload[name] for name in ("type", "timestamp", "data")}
        body = json.dumps(told, ensure_ascii=False).encode()
        at = int(self._clock.wall())
        headers = {
            "content-type": "application/json",
            "user-agent": f"Mythos/{__version__}",
            "webhook-id": job.id,
            "webhook-timestamp": str(at),
            "webhook-signature": signature(self._hooks.secret, job.id, at, body),
        }
        agent = Agent.usingEndpointFactory(self._reactor, _Pinned(self._reactor, await self._look_up(url)))
        try:
            answer: IResponse = await agent.request(
                b"POST", url.encode(), Headers({name: [value] for name, value in headers.items()}), _Body(body)
            )
            await _read(answer)
        except (ConnectError, ConnectionClosed, ResponseFailed) as error:
            raise Undelivered(f"It could not be delivered ({type(error).__name__}).") from error
        return int(answer.code)

    async def _look_up(self, url: str) -> str:
        """The address to connect to. :raises GiveUp: it is none that may be"""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = await self._jobs.in_thread(socket.getaddrinfo, host, port, 0, socket.SOCK_STREAM)
        except OSError as error:
            raise Undelivered(f"The host {host} is not known: {error.strerror}.") from error
        addresses = [str(address[0]) for *_, address in found]
        for address in addresses:
            if not permitted(address, allow_private=self._hooks.allow_private):
                raise GiveUp(f"{host} is {address}, which webhooks may not reach: see webhooks.allow_private.")
        return addresses[0]


def _breaker(url: str) -> str:
    """The name of its host's."""
    return f"webhook:{urlsplit(url).hostname}"


def _name(url: str) -> str:
    """What stands for an address in rows and logs: it may hold a secret itself."""
    return f"{urlsplit(url).hostname} {hashlib.sha256(url.encode()).hexdigest()[:8]}"


@implementer(IAgentEndpointFactory)
class _Pinned:
    """Connects to one address, whatever a second look at the name would say."""

    def __init__(self, reactor: Any, address: str) -> None:
        self._reactor = reactor
        self._address = address

    def endpointForURI(self, uri: URI) -> IStreamClientEndpoint:
        kind = TCP6ClientEndpoint if ":" in self._address else TCP4ClientEndpoint
        plain = kind(self._reactor, self._address, uri.port, timeout=_TIMEOUT)
        if uri.scheme != b"https":
            return plain
        return wrapClientTLS(optionsForClientTLS(uri.host.decode("ascii")), plain)


@implementer(IBodyProducer)
class _Body:
    """All of it at once: it is short."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def startProducing(self, consumer: Any) -> Deferred[None]:
        consumer.write(self._data)
        done: Deferred[None] = Deferred()
        done.callback(None)
        return done

    def pauseProducing(self) -> None:
        """There is nothing left."""

    resumeProducing = stopProducing = pauseProducing


class _Answer(Protocol):
    """Reads the body of an answer, for the connection's sake, up to a bound."""

    def __init__(self, ended: Deferred[None]) -> None:
        self._ended = ended
        self._left = _MOST

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.end()

    def end(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self._ended.called:
            self._ended.callback(None)


def _read(answer: IResponse) -> Deferred[None]:
    """Fires when the body is read, or is too long."""
    reader: _Answer
    ended: Deferred[None] = Deferred(lambda _: reader.end())
    reader = _Answer(ended)
    answer.deliverBody(reader)
    return ended
