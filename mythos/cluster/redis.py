"""Redis by txredisapi, which nothing else knows: connections that come back by themselves, and deadlines.

A command is never queued: it goes out at once, or fails at once with :class:`RedisAway`. One that gets no answer in
time costs its connection, as a late answer would be taken for that of the next one; until Redis has answered on a new
connection, nothing is sent. Of a command that was cut off nobody knows whether it was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from hiredis import HiredisError
from service_identity import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address
from twisted.internet import ssl
from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, ConnectingCancelledError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IHandshakeListener, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall, deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure
from txredisapi import ConnectionError, RedisError, RedisProtocol, ResponseError
from zope.interface import implementer

from mythos.config.redis import RedisUrl
from mythos.errors import MythosError
from mythos.flow.breaker import Breaker, BreakerOpen, State
from mythos.telemetry.histogram import Histogram

__all__ = ["Counts", "Redis", "RedisAway", "RedisRefused"]

_log = Logger()

#: Seconds between two pings of a connection, and for a connection to be made.
PING: Final = 5.0
CONNECT: Final = 3.0
#: Seconds before Redis is tried again: at first, and at most; up to half as much is added by chance.
FIRST, LAST = 0.1, 5.0
#: Commands on their way on a connection that count as busy.
BUSY: Final = 16
#: Most commands on their way at once, over all connections.
MOST: Final = 10_000
#: Seconds between two lines of the log on commands that were refused.
_TOLD: Final = 60.0


class RedisAway(MythosError):
    """It is not connected, did not answer in time, or went while it was asked: the outcome is unknown."""


class RedisRefused(MythosError):
    """It answered with an error: no memory left, no right to do that, a replica that takes no writes."""


@implementer(IHandshakeListener)
class _Line(RedisProtocol):  # type: ignore[misc]
    """One connection. Values are bytes.

    :param host: that its certificate has to be for; empty: it is not encrypted
    :ivar waiting: commands without an answer yet
    """

    def __init__(self, reactor: Any, host: str) -> None:
        super().__init__(charset=None, convertNumbers=False)
        self._clock = reactor
        self._host = host
        self._shaken: Deferred[None] | None = Deferred() if host else None
        self._gone: list[Deferred[None]] = []
        self.waiting = 0

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        try:
            super().dataReceived(data, unpause)
        except (HiredisError, RedisError) as error:
            _log.warn("what listens there speaks no Redis: {error}", error=error)
            self.transport.abortConnection()

    def handshakeCompleted(self) -> None:
        """Twisted takes a certificate that names no host at all for one that is good."""
        shaken, self._shaken = self._shaken, None
        assert shaken is not None
        try:
            verify = verify_ip_address if isIPAddress(self._host) or isIPv6Address(self._host) else verify_hostname
            verify(self.transport.getHandle(), self._host)
        except (CertificateError, VerificationError):
            self.transport.abortConnection()
            shaken.errback(RedisAway(f"its certificate is not for {self._host}"))
        else:
            shaken.callback(None)

    async def secured(self) -> None:
        """Before anything is said. :raises RedisAway: whoever is there cannot show who they are"""
        if self._shaken is not None:
            await self._shaken

    def connectionLost(self, reason: Failure) -> None:
        """Whoever waits for an answer hears of it last: they may ask again at once, and not here."""
        if self._shaken is not None:
            shaken, self._shaken = self._shaken, None
            shaken.errback(RedisAway(f"no TLS with it: {reason.getErrorMessage()}"))
        gone, self._gone = self._gone, []
        for one in gone:
            one.callback(None)
        super().connectionLost(reason)

    def closed(self) -> Deferred[None]:
        """Fires when it is; it is not yet."""
        gone: Deferred[None] = Deferred()
        self._gone.append(gone)
        return gone

    async def ask(self, command: Sequence[Any], seconds: float) -> Any:
        """:raises RedisAway: :raises RedisRefused:"""
        self.waiting += 1
        late = self._clock.callLater(seconds, self.transport.abortConnection)
        try:
            return await self.execute_command(*command)
        except ResponseError as error:
            raise RedisRefused(str(error)) from error
        except (ConnectionError, RedisError) as error:
            spent = not late.active()
            raise RedisAway(f"it gave no answer within {seconds:g} s" if spent else str(error)) from error
        finally:
            self.waiting -= 1
            if late.active():
                late.cancel()


@dataclass(slots=True)
class Counts:
    """Commands since the start, by what became of them: answered, refused, lost (cut off or late), away (not sent)."""

    answered: int = 0
    refused: int = 0
    lost: int = 0
    away: int = 0


class Redis:
    """See the module. Nothing is opened before :meth:`start`.

    :param connections: the fewest and the most
    :param timeout: seconds that a command may take
    :param chance: from 0 up to 1
    :ivar breaker: asked before each command. Attempts to connect have a pace of their own: one that goes well closes it
    :ivar up: it answers; a command may be tried
    :ivar trouble: why it does not; empty: it does
    """

    def __init__(
        self,
        url: RedisUrl,
        reactor: Any,
        *,
        connections: tuple[int, int],
        timeout: float,
        chance: Callable[[], float],
        breaker: Breaker,
    ) -> None:
        self.url = url
        self._reactor = reactor
        self._fewest, self._most = connections[0], max(connections)
        self._timeout = timeout
        self._chance = chance
        self.breaker = breaker
        self._lines: list[_Line] = []
        self._keeping: list[Deferred[None]] = []
        self._pings = LoopingCall(self._ping)
        self._pings.clock = reactor
        self._told = -_TOLD
        self._stopped = False
        self._was_away = False
        self.trouble = "It is being connected."
        self.counts = Counts()
        self.seconds = Histogram()

    def start(self) -> None:
        """Connect, and again whenever it is lost, until :meth:`stop`. Nothing waits for it."""
        for _ in range(self._fewest):
            self._open()
        self._pings.start(PING, now=False)

    async def stop(self) -> None:
        self._stopped = True
        if self._pings.running:
            self._pings.stop()
        lines, keeping, self._keeping = self._lines, self._keeping, []
        self._lines = []
        for one in keeping:
            one.cancel()
        for line in lines:
            gone = line.closed()
            line.transport.abortConnection()
            await gone

    @property
    def up(self) -> bool:
        return bool(self._lines) and self.breaker.state(self._reactor.seconds()) is not State.OPEN

    @property
    def connections(self) -> int:
        """Those that are open."""
        return len(self._lines)

    # ── commands ────────────────────────────────────────────────────────────────────────────────

    async def ask(self, *command: Any) -> Any:
        """One command: words, numbers or bytes. Its answer: bytes, an int, None, a list of these.

        :raises RedisAway: perhaps it was done
        :raises RedisRefused: it was not
        """
        now = self._reactor.seconds()
        line = min(self._lines, key=lambda one: one.waiting, default=None)
        if line is None:
            self.counts.away += 1
            raise RedisAway(f"Redis is away: {self.trouble}")
        if line.waiting >= BUSY:
            self._grow()
        if line.waiting * len(self._lines) >= MOST:
            self.counts.away += 1
            raise RedisAway(f"{MOST} commands wait for Redis.")
        try:
            self.breaker.enter(now)
        except BreakerOpen as error:
            self.counts.away += 1
            raise RedisAway(str(error)) from error
        try:
            found = await line.ask(command, self._timeout)
        except RedisAway:
            self.counts.lost += 1
            self.breaker.failed(self._reactor.seconds())
            raise
        except RedisRefused as error:
            self.breaker.succeeded(self._reactor.seconds())  # it answers
            if not str(error).startswith("NOSCRIPT"):
                self.counts.refused += 1
                self._refused(line, str(error))
            raise
        ended = self._reactor.seconds()
        self.counts.answered += 1
        self.seconds.observe(ended - now)
        self.breaker.succeeded(ended)
        return found

    async def run(self, script: str, digest: str, keys: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """A script, sent whole only if Redis does not know it. :raises RedisAway: :raises RedisRefused:"""
        try:
            return await self.ask("EVALSHA", digest, len(keys), *keys, *arguments)
        except RedisRefused as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
        return await self.ask("EVAL", script, len(keys), *keys, *arguments)

    def _refused(self, line: _Line, said: str) -> None:
        if said.startswith(("READONLY", "NOAUTH", "MASTERDOWN", "LOADING")):
            line.transport.abortConnection()  # it is a replica by now: look for the one that takes writes
        now = self._reactor.seconds()
        if now - self._told >= _TOLD:
            self._told = now
            _log.error("Redis at {where} refuses: {error}", where=str(self.url), error=_words(said))

    # ── connections ─────────────────────────────────────────────────────────────────────────────

    def _open(self) -> None:
        keeping = Deferred.fromCoroutine(self._keep())
        self._keeping.append(keeping)
        keeping.addErrback(lambda failure: failure.trap(CancelledError, ConnectingCancelledError) and None)
        keeping.addErrback(lambda failure: _log.failure("the connection to Redis is not kept up any more", failure))

    def _grow(self) -> None:
        if len(self._keeping) < self._most:
            self._open()

    async def _keep(self) -> None:
        pause = FIRST
        while not self._stopped:
            try:
                line = await self._connect()
            except (RedisAway, RedisRefused, ConnectError, ConnectionClosed, DNSLookupError, OSError) as error:
                if self._stopped:
                    return
                self.breaker.failed(self._reactor.seconds())
                self._away(error)
                await deferLater(self._reactor, pause * (1.0 + self._chance() / 2.0))
                pause = min(pause * 2.0, LAST)
                continue
            pause = FIRST
            self._lines.append(line)
            self._came()
            try:
                await line.closed()
            finally:
                if line in self._lines:
                    self._lines.remove(line)
            if not self._lines:
                self._away(RedisAway("the connection was lost"))

    def _came(self) -> None:
        self.trouble = ""
        self.breaker.reset()
        if self._was_away:
            self._was_away = False
            _log.info("Redis at {where} answers again", where=str(self.url))

    def _away(self, error: Exception) -> None:
        """Told once, until it is back."""
        if self._lines:
            return
        said = _words(str(error)) or type(error).__name__
        self.trouble = f"It does not answer ({type(error).__name__})."
        if not self._was_away:
            self._was_away = True
            _log.error(
                "Failed to connect to Redis at {where}: {error}. Limits are stricter, and nothing is shared, until it"
                " answers; it is tried again and again",
                where=str(self.url),
                error=said,
            )

    async def _connect(self) -> _Line:
        """A connection that answered. With Sentinels they are asked anew each time."""
        url = self.url
        if url.name:
            endpoint = await self._by_sentinels()
        else:
            endpoint = self._endpoint(*url.hosts[0]) if url.hosts else UNIXClientEndpoint(self._reactor, url.socket)
        line = await self._reach(endpoint, url.hosts[0][0] if url.tls else "")
        try:
            if url.password:
                await line.ask(["AUTH", *([url.user] if url.user else []), url.password], self._timeout)
            if url.db:
                await line.ask(["SELECT", url.db], self._timeout)
            await line.ask(["PING"], self._timeout)
            if url.name and (await line.ask(["ROLE"], self._timeout))[0] != b"master":
                raise RedisAway(f"Sentinel names a replica as {url.name}")
        except BaseException:
            line.transport.abortConnection()
            raise
        return line

    async def _by_sentinels(self) -> IStreamClientEndpoint:
        """Where the first Sentinel that knows says the Redis is."""
        url, why = self.url, "no Sentinel answers"
        for host, port in url.hosts:
            try:
                line = await self._reach(self._endpoint(host, port), "")
            except (RedisAway, ConnectError, DNSLookupError) as error:
                why = f"the Sentinel at {host} does not answer ({_words(str(error))})"
                continue
            try:
                if url.sentinel_password:
                    await line.ask(["AUTH", url.sentinel_password], self._timeout)
                found = await line.ask(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", url.name], self._timeout)
            except (RedisAway, RedisRefused) as error:
                why = f"the Sentinel at {host}: {_words(str(error))}"
                continue
            finally:
                line.transport.abortConnection()
            if isinstance(found, list) and len(found) == 2:
                return self._endpoint(found[0].decode("ascii", "replace"), int(found[1]))
            why = f"the Sentinel at {host} does not know {url.name}"
        raise RedisAway(why)

    def _endpoint(self, host: str, port: int) -> IStreamClientEndpoint:
        endpoint = HostnameEndpoint(self._reactor, host, port, timeout=CONNECT)
        if not self.url.tls:
            return endpoint
        trust = ssl.trustRootFromCertificates(_certificates(self.url.ca.read_bytes())) if self.url.ca else None
        options = ssl.optionsForClientTLS(host, trustRoot=trust)
        return wrapClientTLS(options, endpoint)

    async def _reach(self, endpoint: IStreamClientEndpoint, host: str) -> _Line:
        """:param host: that is to be found there, by its certificate; empty: without TLS"""
        factory = Factory.forProtocol(lambda: _Line(self._reactor, host))
        factory.noisy = False
        try:
            line = cast(_Line, await endpoint.connect(factory).addTimeout(CONNECT, self._reactor))
        except TimeoutError as error:
            raise RedisAway("it cannot be reached") from error
        late = self._reactor.callLater(CONNECT, line.transport.abortConnection)
        try:
            await line.secured()
        except BaseException:
            line.transport.abortConnection()
            raise
        finally:
            late.cancel() if late.active() else None
        return line

    def _ping(self) -> None:
        """A connection that is dead is found, though nobody uses it."""
        for line in tuple(self._lines):
            Deferred.fromCoroutine(line.ask(["PING"], self._timeout)).addErrback(
                lambda failure: failure.trap(RedisAway, RedisRefused) and None
            )


def _certificates(text: bytes) -> list[ssl.Certificate]:
    end = b"-----END CERTIFICATE-----"
    return [ssl.Certificate.loadPEM(one + end) for one in text.split(end) if b"-----BEGIN CERTIFICATE-----" in one]


def _words(said: str) -> str:
    """What an error of Redis says, on one line and not endless: it may hold anything."""
    if said.startswith(("MOVED", "CROSSSLOT", "CLUSTERDOWN", "ASK ")):
        return "it is a Redis Cluster, which is not supported: name one Redis, or its Sentinels by redis+sentinel://"
    return "".join([letter if letter.isprintable() else " " for letter in said[:200]])
