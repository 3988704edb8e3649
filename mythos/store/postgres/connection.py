"""One connection to PostgreSQL that comes back by itself. The only module that knows txpostgres.

Work goes through it one after the other, in the order it was asked for, each in a transaction of its own. Whatever is
not over within its deadline, and whatever fails, costs the connection: it is closed and another one is opened, for what
still stands on the old one's wire cannot be told apart from what comes next.

A transaction whose ``COMMIT`` got no answer may be on disk or not. Its work is done again on the next connection and is
handed what it came to the first time, so that it can tell.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, Final, TypeVar

import psycopg2
from psycopg2 import errorcodes
from psycopg2.extensions import parse_dsn
from twisted.internet.defer import CancelledError, Deferred, DeferredLock, succeed
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure
from txpostgres import txpostgres

from mythos.errors import MythosError
from mythos.flow.breaker import Breaker, BreakerOpen
from mythos.play.ports import BadBatch, StoreDown

__all__ = ["DEADLINE", "NOTHING", "Connection", "Cursor", "OutcomeUnknown", "parameters", "sentence"]

_log = Logger()
T = TypeVar("T")

#: Seconds that a transaction may take; on the server each statement of it has a little less.
DEADLINE: Final = 6.0
#: Seconds for a connection to be made and made ready.
_CONNECT: Final = 5.0
#: Seconds between two tries to connect: doubled from the first up to the second, and less by chance.
_PAUSE: Final = (0.05, 0.5)
#: Work that may wait for its turn, beyond which it is refused.
WAITING: Final = 1000
#: How often work is tried on connections that break under it, or against others' transactions.
_TRIES: Final = 3

#: Classes of errors after which the same may go through at once: 08 the connection broke, 40 rolled back for another's
#: sake, 57 the server was stopped, XX it failed inside.
_AGAIN: Final = ("08", "40", "57", "XX")
#: Those of them after which nothing is on disk, with the one by which a statement says that work has to look first.
_UNDONE: Final = ("40", errorcodes.DIVISION_BY_ZERO)
#: Those that pass when somebody has put something right: 28 the password, 53 resources (a full disk), 55 a lock, 58 the
#: disk; rights; a server that became a standby.
_LATER: Final = ("28", "53", "55", "58", errorcodes.INSUFFICIENT_PRIVILEGE, errorcodes.READ_ONLY_SQL_TRANSACTION)
#: Tables whose rows are for nobody's eyes.
_SECRET: Final = ("account", "job", "refresh_grant", "session")

#: Given to work that is done for the first time.
NOTHING: Final = object()


def parameters(url: str, password: str = "") -> dict[str, str]:
    """A ``postgresql://`` URL as libpq's parameters.

    :param password: counts if the URL has none
    :raises ValueError: libpq does not understand it
    """
    try:
        found: dict[str, str] = parse_dsn(url)
    except psycopg2.Error as error:
        raise ValueError(sentence(error)) from error
    if password:
        found.setdefault("password", password)
    return found


def sentence(error: BaseException) -> str:
    """What PostgreSQL says of it, in one line, with the row it concerns."""
    diagnosis = getattr(error, "diag", None)
    if diagnosis is None or not diagnosis.message_primary:
        lines = [" ".join(line.split()) for line in str(error).splitlines() if not line.startswith("\t")]  # its advice
        return "; ".join(filter(None, lines)) or type(error).__name__
    table, detail = diagnosis.table_name, diagnosis.message_detail
    if table in _SECRET and detail and not detail.startswith("Key"):
        detail = None
    return ": ".join(filter(None, (table, diagnosis.message_primary, detail)))


class OutcomeUnknown(StoreDown):
    """It may be on disk or not: no answer came to ``COMMIT``."""


class _Broken(Exception):
    """Try again: the connection is gone, or the transaction was rolled back for another's sake."""


class _Unknown(_Broken):
    """``COMMIT`` was sent and not answered. :ivar result: of the work"""

    def __init__(self, why: str, result: Any) -> None:
        super().__init__(why)
        self.result = result


def _undone(error: BaseException) -> bool:
    """PostgreSQL itself says that nothing is on disk."""
    return (getattr(error, "pgcode", None) or "").startswith(_UNDONE)


def _kind(error: BaseException) -> type[_Broken | StoreDown | BadBatch]:
    """What an error of the driver comes to."""
    code = getattr(error, "pgcode", None)
    if code is not None:
        return (
            _Broken
            if code[:2] in _AGAIN or _undone(error)
            else StoreDown
            if code[:2] in _LATER or code in _LATER
            else BadBatch
        )
    if isinstance(error, CancelledError):  # as txpostgres has it, when a statement takes too long
        return StoreDown
    broke = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError | ConnectionClosed)
    return _Broken if broke else BadBatch  # the rest are values that have no form in SQL


class Cursor:
    """A transaction that is open, or about to be: ``BEGIN`` goes out with its first statement."""

    def __init__(self, wire: _Wire, *, begin: str = "BEGIN;") -> None:
        self._wire = wire
        self._cursor: Any = wire.pollable().cursor()
        self._begin = begin
        self._last: tuple[str, Sequence[Any]] = ("", ())

    async def run(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> None:
        """One statement, or several that go out together."""
        begin, self._begin = self._begin, ""
        await self._wire.execute(self._cursor, begin + sql, values)

    async def rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        await self.run(sql, values)
        found: list[tuple[Any, ...]] = self._cursor.fetchall() if self._cursor.description else []
        return found

    async def row(self, sql: str, values: Sequence[Any] | Mapping[str, Any] | None = None) -> tuple[Any, ...] | None:
        """The first one."""
        return next(iter(await self.rows(sql, values)), None)

    def finish(self, sql: str, values: Sequence[Any]) -> None:
        """Statements that go out with ``COMMIT``, and need no answer but its."""
        self._last = sql, values

    async def commit(self) -> bool:
        """False: the transaction had failed before."""
        sql, values = self._last
        await self.run(sql + "COMMIT", values or None)
        return bool(self._cursor.statusmessage == "COMMIT")


class _Wire(txpostgres.Connection):  # type: ignore[misc]  # txpostgres is not typed
    """The reactor watches a descriptor of our own for the same socket: libpq closes its own whenever it finds the line
    broken, and the next connection that anybody makes may get its number.

    :ivar gone: called when the server closes it while nobody waits for an answer
    """

    def __init__(self, reactor: Any, gone: Callable[[_Wire, str], None]) -> None:
        super().__init__(reactor)
        self.gone = gone
        self._watched = -1

    async def open(self, where: Mapping[str, Any]) -> None:
        """While it connects libpq goes from socket to socket, and none is watched while it does."""
        await self.connect(**where)
        self.reactor.removeReader(self)
        self._watched = os.dup(self._connection.fileno())
        self.reactor.addReader(self)

    def fileno(self) -> int:
        return self._watched if self._watched >= 0 else int(super().fileno())

    @property
    def busy(self) -> bool:
        """Somebody waits for an answer."""
        return self._pollingD is not None

    def execute(self, cursor: Any, sql: str, values: Any) -> Deferred[Any]:
        """Fires with the answer. A cursor of txpostgres does the same, but takes the socket from its connection and
        gives it back."""
        cursor.execute(sql, values)
        answer: Deferred[Any] = self.poll()
        return answer

    def doRead(self) -> None:
        if self._watched < 0:
            super(txpostgres.Connection, self).doRead()  # a connection's own would go on watching what has failed
            return
        try:
            self.continuePolling()
        except psycopg2.Error as error:
            self.gone(self, sentence(error))

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        self.gone(self, "the connection was closed")

    def end(self) -> None:
        """Close it, whatever it is doing; who waits for an answer is told."""
        if self._connection is not None:
            self.close()
        if self._watched >= 0:
            os.close(self._watched)
            self._watched = -1


class Connection:
    """See the module.

    :param ready: run on each new connection, before any work; what it raises is as if there were no connection
    :param patience: seconds that work waits for a connection that was lost
    :param deadline: seconds that a transaction may take
    :param level: how loud it is said that there is no connection
    :ivar breaker: refuses work at once while the last of it failed; a new connection is tried. Not for work that
        has to go through in the end
    """

    breaker: Breaker | None = None

    def __init__(
        self,
        name: str,
        found: Mapping[str, str],
        reactor: Any,
        *,
        ready: Callable[[Cursor], Awaitable[None]],
        patience: float,
        deadline: float = DEADLINE,
        level: LogLevel = LogLevel.error,
    ) -> None:
        self.name = name
        self._hosts = _each_host(found)
        self._reactor = reactor
        self._ready = ready
        self._patience = patience
        self._deadline = deadline
        self._level = level
        self._turn = DeferredLock()
        self._waiting = 0
        self._wire: _Wire | None = None
        self._since = reactor.seconds()  # that there is no connection
        self._why = "there is no connection yet"
        self._for_wire: list[Deferred[None]] = []
        self._trying: _Wire | None = None
        self._pause: Deferred[Any] | None = None
        self._closed = False

    @property
    def trouble(self) -> str:
        """Why there is no connection; empty if there is one."""
        return "" if self._wire is not None else self._why

    def start(self) -> None:
        """Connect, now and whenever the connection is lost, until :meth:`close`."""
        opening = Deferred.fromCoroutine(self._open())
        opening.addErrback(lambda failure: _log.failure("no connection to PostgreSQL any more", failure))

    def close(self) -> None:
        """Whatever still runs fails."""
        self._closed = True
        self._why = "it was closed"
        if self._pause is not None:
            self._pause.cancel()
        if self._trying is not None:
            self._trying.end()
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.end()
        self._tell()

    # ── work ────────────────────────────────────────────────────────────────────────────────────

    async def run(self, work: Callable[[Cursor, Any], Awaitable[T]], *, deadline: float = 0.0) -> T:
        """Do ``work`` in a transaction, behind everything asked before.

        :param work: takes the cursor and, if a transaction of it may be on disk already, what it returned then; else
            :data:`NOTHING`
        :param deadline: seconds that this one may take, if it is to have more than others
        :raises OutcomeUnknown: it may have been done
        :raises StoreDown: nothing was done
        :raises BadBatch: it can never be done
        """
        return await self._guarded(lambda wire, before: self._transact(wire, work, before, deadline or self._deadline))

    async def query(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement, which may run more than once, behind everything asked before.

        Raises as :meth:`run`.
        """

        async def work(cursor: Cursor, _: Any) -> list[tuple[Any, ...]]:
            return await cursor.rows(sql, values)

        return await self._guarded(lambda wire, _: self._transact(wire, work, NOTHING, self._deadline, alone=True))

    async def _guarded(self, work: Callable[[_Wire, Any], Coroutine[Any, Any, T]]) -> T:
        breaker = self.breaker
        if breaker is None:
            return await self._apart(work)
        try:
            breaker.enter(self._reactor.seconds())
        except BreakerOpen as error:
            raise StoreDown(str(error)) from error
        try:
            done = await self._apart(work)
        except StoreDown:
            breaker.failed(self._reactor.seconds())
            raise
        except BadBatch:
            breaker.succeeded(self._reactor.seconds())  # it answered
            raise
        breaker.succeeded(self._reactor.seconds())
        return done

    async def _apart(self, work: Callable[[_Wire, Any], Coroutine[Any, Any, T]]) -> T:
        """Whoever gives up waiting for it leaves it to its end: txpostgres cannot be cancelled half-way."""
        answer: Deferred[T] = Deferred()
        Deferred.fromCoroutine(self._in_turn(work)).addCallbacks(answer.callback, answer.errback)
        return await answer

    async def _in_turn(self, work: Callable[[_Wire, Any], Coroutine[Any, Any, T]]) -> T:
        if self._waiting >= WAITING:
            raise StoreDown(f"Connection pool exhausted: more than {WAITING} wait for PostgreSQL")
        self._waiting += 1
        try:
            await self._turn.acquire()
        finally:
            self._waiting -= 1
        try:
            return await self._tried(work)
        finally:
            self._turn.release()

    async def _tried(self, work: Callable[[_Wire, Any], Coroutine[Any, Any, T]]) -> T:
        before: Any = NOTHING
        why = ""
        try:
            for _ in range(_TRIES):
                wire = await self._connected()
                try:
                    return await work(wire, before)
                except _Unknown as broken:
                    before = broken.result
                    why = str(broken)
                except _Broken as broken:
                    why = str(broken)
            raise StoreDown(why)
        except StoreDown as error:
            if before is NOTHING:
                raise
            raise OutcomeUnknown(str(error)) from error

    async def _transact(
        self,
        wire: _Wire,
        work: Callable[[Cursor, Any], Awaitable[T]],
        before: Any,
        deadline: float,
        *,
        alone: bool = False,
    ) -> T:
        """:param alone: the work is one statement, which is its own transaction"""
        result: Any = NOTHING
        late = _Late(wire, self._reactor, deadline)
        try:
            cursor = Cursor(wire, begin="" if alone else "BEGIN;")
            done = await work(cursor, before)
            if not alone:
                result = done
                if not await cursor.commit():
                    raise _Broken("the transaction was rolled back")
            return done
        except (psycopg2.Error, ConnectionClosed, CancelledError) as error:
            why, kind = sentence(error), _kind(error)
            self._lose(wire, why)
            if late.over:
                late_kind = StoreDown if result is NOTHING else OutcomeUnknown
                raise late_kind(f"PostgreSQL gave no answer within {deadline:.3g} s") from error
            if kind is _Broken and result is not NOTHING and not _undone(error):
                raise _Unknown(why, result) from error
            raise kind(why) from error
        except (OverflowError, ValueError) as error:  # a value that no column holds
            self._lose(wire, sentence(error))
            raise BadBatch(sentence(error)) from error
        except BaseException as error:
            self._lose(wire, f"its work failed: {error!r}")
            raise
        finally:
            late.stop()

    # ── the connection ──────────────────────────────────────────────────────────────────────────

    async def _connected(self) -> _Wire:
        """:raises StoreDown: there has been none for longer than work waits"""
        while self._wire is None:
            wait = self._since + self._patience - self._reactor.seconds()
            if self._closed or wait <= 0:
                raise StoreDown(self._why)
            waiting: Deferred[None] = Deferred()
            self._for_wire.append(waiting)
            waiting.addTimeout(wait, self._reactor, onTimeoutCancel=lambda result, _: None)
            await waiting
        return self._wire

    def _tell(self) -> None:
        waiting, self._for_wire = self._for_wire, []
        for one in waiting:
            if not one.called:
                one.callback(None)

    def _lose(self, wire: _Wire, why: str) -> None:
        """Drop a connection, and open another."""
        if wire is not self._wire:
            return
        self._wire = None
        wire.end()
        self._since, self._why = self._reactor.seconds(), why
        if not self._closed:
            _log.info("PostgreSQL: the connection for {name} is made anew: {why}", name=self.name, why=why)
            self.start()

    def _went(self, wire: _Wire, why: str) -> None:
        """The server closed it, and nobody waits for an answer."""
        if not wire.busy:
            self._lose(wire, why)

    async def _open(self) -> None:
        pause, tried = _PAUSE[0], False
        while not self._closed:
            reasons = []
            for host in self._hosts:
                if not (why := await self._try(host)) or self._closed:
                    break
                reasons.append(why)
            if not why:
                if tried:
                    _log.info("PostgreSQL is there again for {name}", name=self.name)
                if self.breaker is not None:
                    self.breaker.hope(self._reactor.seconds())
                self._tell()
                return
            if self._closed:
                return
            self._why = why = "; ".join(dict.fromkeys(reasons))
            if not tried:
                tried = True
                said = "no connection to PostgreSQL for {name}: {why}; trying again"
                _log.emit(self._level, said, name=self.name, why=why)
            self._pause = deferLater(self._reactor, pause * random.uniform(0.5, 1.0))
            with suppress(CancelledError):
                await self._pause
            self._pause = None
            pause = min(pause * 2, _PAUSE[1])

    async def _try(self, host: Mapping[str, str]) -> str:
        """Connect once; empty if it went well, else why not."""
        try:
            where = await self._addressed(host)
        except OSError as error:
            return sentence(error)
        if self._closed:
            return self._why
        wire = self._trying = _Wire(self._reactor, self._went)
        late = _Late(wire, self._reactor, _CONNECT)
        try:
            await wire.open(where)
            await self._ready(Cursor(wire, begin=""))
        except (psycopg2.Error, ConnectionClosed, CancelledError, MythosError) as error:
            wire.end()
            return f"PostgreSQL gave no answer within {_CONNECT:.0f} s" if late.over else sentence(error)
        finally:
            self._trying = None
            late.stop()
        if self._closed:
            wire.end()
        else:
            self._wire = wire
        return ""

    async def _addressed(self, parameters: Mapping[str, str]) -> dict[str, Any]:
        """The parameters with the host's addresses: libpq would look them up while everything else stands still.

        :raises OSError: it has none
        """
        found: dict[str, Any] = {"client_encoding": "utf8", **parameters, "application_name": self.name}
        host = found.get("host", "")
        if "hostaddr" in found or not host or host.startswith("/"):
            return found
        addresses = await (succeed([host]) if _is_address(host) else deferToThread(_look_up, host))
        return {**found, "host": ",".join([host] * len(addresses)), "hostaddr": ",".join(addresses)}


def _each_host(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    """The parameters for each of the hosts that they name. libpq goes from one to the next by itself, but not while one
    does not answer at all."""
    lists = {name: parameters[name].split(",") for name in ("host", "hostaddr", "port") if name in parameters}
    many = max(map(len, lists.values()), default=1)
    return [
        {**parameters, **{name: parts[number] if len(parts) > 1 else parts[0] for name, parts in lists.items()}}
        for number in range(many)
    ]


class _Late:
    """Closes a connection that takes too long. :ivar over: it did"""

    def __init__(self, wire: _Wire, reactor: Any, seconds: float) -> None:
        self.over = False
        self._wire = wire
        self._call: IDelayedCall = reactor.callLater(seconds, self._end)

    def _end(self) -> None:
        self.over = True
        self._wire.end()

    def stop(self) -> None:
        if self._call.active():
            self._call.cancel()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _look_up(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise OSError(f"the host {host} is not known: {error.strerror}") from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
