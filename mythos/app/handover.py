"""``mythosctl upgrade``: this process hands its listeners and its players to a new one of the same installation.

==================  ================================================================================================
the new one         starts, reads the configuration and the world's files, says ``ready``; this one goes on meanwhile
this one            holds still: nothing is read, no command runs; everything is written to the store as at a stop
this one            lets the store go, and sends the lock, the listeners and each connection with where it stands
the new one         loads the world, takes up sessions and connections, writes nothing, says ``taken``
this one            says ``go``: from here on the server is the new one
the new one         lets the world go on, and says ``goes``
==================  ================================================================================================

Until ``go`` the new one may fail in any way: it is killed, and this one goes on. Whoever hears the end of the line
before that (the new one too) gives up. From ``ready`` on this process blocks: whatever it did of itself would reach
clients that are another's. What cannot be handed over (TLS, event streams, half a frame) is told to come back, as at a
restart.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, NoReturn

from twisted.internet.defer import TimeoutError as Late
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.web.server import Site

from mythos.app import keeper
from mythos.app.doors import Doors
from mythos.app.files import LINE
from mythos.app.notify import Notifier
from mythos.app.parts import Parts
from mythos.config import Config
from mythos.errors import MythosError, Refusal
from mythos.net.adopt import Stillness, plug_of, receive, send
from mythos.net.api import Api
from mythos.net.guarded import idle
from mythos.net.outlet import Link
from mythos.net.transport import beneath
from mythos.play import handover
from mythos.store.memory import MemoryStore
from mythos.store.migrate import steps

__all__ = ["FORMAT", "HandOver", "Place", "Program", "identity"]

_log = Logger()

#: What is sent, and in which form: to be raised with any change of what a process of before could not read.
FORMAT: Final = 1
#: Variables that are about a process itself.
_OWN: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID")
#: Seconds that the new process may take while everybody waits, the store to take everything, and between two looks.
TAKES: Final = 5.0
_SETTLES: Final = 4.0
_LOOK: Final = 0.02
#: Times that everything is written, until nothing was told meanwhile.
_ROUNDS: Final = 5
_INSTEAD: Final = "Restart it the other way: mythosctl drain, then stop and start it."


@dataclass(frozen=True, slots=True)
class Program:
    """How the new process is started.

    :ivar words: the program and its words
    :ivar place: the directory it is started in
    """

    words: tuple[str, ...]
    place: Path


@dataclass(slots=True)
class Place:
    """Who follows this process, and how it learns of the next.

    :ivar pipe: tells the program that keeps the place of the first process; -1: there is none yet
    """

    notifier: Notifier
    pipe: int = -1


def identity(config: Config) -> dict[str, Any]:
    """What must be the same for both processes, by the name an operator has for it. To be asked at the start: the files
    of a newer version may lie there later."""
    kind = "postgresql" if config.database.url.postgres else "sqlite"
    return {
        "data directory": str(config.data.resolve()),
        "database": str(config.database.path.resolve() if config.database.path else config.database.url),
        "schema of the database": max(step.number for step in steps(kind)),
    }


class _Failed(Exception):
    """The new process did not take over; the sentence says why."""


class HandOver:
    """Of one server with a world.

    :param site: what is served at the door of HTTP
    :param identity: see :func:`identity`
    :param runs: the server is not being stopped
    :param still: holds every periodic job of the server, or lets them go on
    :param pause: stops what watches the server; ``go_on`` starts it again
    """

    def __init__(
        self,
        reactor: Any,
        parts: Parts,
        doors: Doors,
        *,
        api: Api,
        site: Site,
        program: Program,
        place: Place,
        lock: int,
        identity: Mapping[str, Any],
        runs: Callable[[], bool],
        still: Callable[[bool], None],
        pause: Callable[[], None],
        go_on: Callable[[], None],
    ) -> None:
        self._reactor = reactor
        self._parts = parts
        self._doors = doors
        self._api = api
        self._site = site
        self._program = program
        self._place = place
        self._lock = lock
        self._identity = identity
        self._runs = runs
        self._still = still
        self._pause = pause
        self._go_on = go_on
        self._stillness = Stillness(reactor)
        self._frozen = 0.0
        self._ear = -1  # the other end of the pipe, if this is the first process
        self._released = False  # the store
        self._busy = False

    async def carry_out(self, seconds: float) -> dict[str, Any]:
        """Start a new process, give it ``seconds`` to get ready, and hand everything over. What it returns is to be
        said in this turn of the reactor: there is no other.

        :raises Refusal: it was not done, and everything goes on here; with the reason
        """
        if self._busy:
            raise Refusal("The server is being renewed already.")
        if isinstance(self._parts.store, MemoryStore):
            raise Refusal(f"Its world is in memory alone, and cannot be handed over. {_INSTEAD}")
        if not self._place.notifier.ours and sys.platform != "linux":
            raise Refusal(f"On {sys.platform} nobody would follow the new process. {_INSTEAD}")
        self._busy = True
        ours, theirs = socket.socketpair()
        with ours, tempfile.TemporaryFile() as said:
            process = self._launch(theirs, said)
            try:
                await self._until_ready(process, ours, seconds)
                answer = await self._hand_over(process, ours)
            except _Failed as failure:
                _end(process)
                why = f"The server was not renewed, and goes on as it is: {_sentence(str(failure), said)}"
                _log.error("{why}", why=why)
                raise Refusal(why) from failure
            finally:
                self._busy = False
        return answer

    # ── the new process gets ready ──────────────────────────────────────────────────────────────

    def _launch(self, theirs: socket.socket, said: IO[bytes]) -> subprocess.Popen[bytes]:
        environ = {name: value for name, value in os.environ.items() if name not in _OWN}
        environ[LINE] = str(theirs.fileno())
        with theirs:
            return subprocess.Popen(
                self._program.words,
                cwd=self._program.place,
                env=environ,
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stderr=said,
            )

    async def _until_ready(self, process: subprocess.Popen[bytes], line: socket.socket, seconds: float) -> None:
        """:raises _Failed:"""
        end = self._reactor.seconds() + seconds
        line.setblocking(False)
        while True:
            try:
                if line.recv(1, socket.MSG_PEEK):
                    break
            except BlockingIOError:
                pass
            except OSError as error:
                raise _Failed(f"the line to the new process broke ({error.strerror})") from error
            else:
                process.wait()
                raise _Failed("")
            if process.poll() is not None:
                raise _Failed("")
            if self._reactor.seconds() > end:
                raise _Failed(f"the new process was not ready within {seconds:.0f} seconds.")
            await deferLater(self._reactor, _LOOK)
        line.settimeout(TAKES)
        ready = self._hear(line)
        if ready.get("format") != FORMAT:
            raise _Failed(
                f"the new version takes over in another way (form {ready.get('format')}; this one's is {FORMAT})."
                f" {_INSTEAD}"
            )
        for what, ours in self._identity.items():
            if ready.get(what) != ours:
                raise _Failed(f"the {what} would be {ready.get(what)} from now on, and is {ours}. {_INSTEAD}")

    def _hear(self, line: socket.socket) -> dict[str, Any]:
        """:raises _Failed:"""
        try:
            return receive(line)[0]
        except TimeoutError as error:
            raise _Failed(f"the new process did not take over within {TAKES:.0f} seconds.") from error
        except (OSError, EOFError) as error:
            raise _Failed("") from error

    # ── everything waits ────────────────────────────────────────────────────────────────────────

    async def _hand_over(self, process: subprocess.Popen[bytes], line: socket.socket) -> dict[str, Any]:
        """:raises _Failed: everything goes on here"""
        parts = self._parts
        self._frozen = parts.realm.clock.seconds()
        self._still(True)
        self._pause()
        self._stillness.begin()
        self._keep_place()
        try:
            await self._write_everything()
            if not self._runs():
                raise _Failed("it is being stopped.")
            handed, rest = self._send_everything(line)
            taken = self._hear(line)
        except BaseException as error:
            _end(process)
            await self._thaw()
            if isinstance(error, _Failed):
                raise
            if isinstance(error, Late):
                raise _Failed("the store does not answer.") from error
            if isinstance(error, OSError):
                raise _Failed(f"it could not be handed over: {error}.") from error
            raise
        return self._leave(process, line, taken, handed, rest)

    async def _write_everything(self) -> None:
        """As at a stop, and until nothing was told meanwhile: the store has every log as its clients know it."""
        parts, realm = self._parts, self._parts.realm
        realm.tell_bustle()
        realm.give_rests()
        realm.halt()
        for _ in range(_ROUNDS):
            await parts.lane.settled().addTimeout(_SETTLES, self._reactor)
            parts.outlet.flush()
            told = self._told()
            realm.save(with_logs=True)
            await parts.lane.settled().addTimeout(_SETTLES, self._reactor)
            if told == self._told() and not parts.commits.pending:
                break
        if parts.network is not None:
            parts.network.keep()
        self._released = True
        await parts.store.release()
        if told != self._told() or parts.commits.pending:
            raise _Failed("it never came to rest.")

    def _told(self) -> dict[str, int]:
        """How far each session's log goes."""
        return {session.id: session.log.head for session in self._parts.realm.every_session()}

    def _send_everything(self, line: socket.socket) -> tuple[list[Any], list[Link]]:
        """Returns the transports that go, and the links of all others. :raises OSError:"""
        parts, now = self._parts, self._parts.realm.clock.seconds()
        handed: list[Any] = []
        rest: list[Link] = []
        connections = []
        for link in tuple(parts.outlet.links):
            parcel = link.parcel()
            plug = plug_of(parcel[0]) if parcel is not None else None
            if parcel is None or plug is None:
                rest.append(link)
            else:
                handed.append(parcel[0])
                connections.append({**parcel[1], **plug})
        for connection in parts.telnet.waiting:
            state, plug = connection.kept(), plug_of(connection.transport)
            if state is not None and plug is not None:
                handed.append(connection.transport)
                connections.append({"door": "telnet", **state, **plug})
        for transport in self._stillness.connections:
            plug = plug_of(transport) if idle(transport.protocol) is self._site else None
            if plug is not None:
                handed.append(transport)
                connections.append({"door": "http", **plug})
        doors = self._doors.plugs()
        pipe = [self._place.pipe] if self._place.pipe >= 0 else []
        message = {
            "frozen": self._frozen,
            "kept": bool(pipe),
            "doors": [(name, endpoint) for name, endpoint, _ in doors],
            "connections": connections,
            "sessions": [handover.keep(session, now) for session in parts.realm.every_session()],
            "tickets": self._api.kept(),
            "draining": parts.accounts.draining,
        }
        plugs = [self._lock, 2, *pipe, *[plug for *_, plug in doors], *[one.fileno() for one in handed]]
        send(line, message, plugs)
        return handed, rest

    def _keep_place(self) -> None:
        """Prepare for the program that will keep this process's place, where systemd does not follow."""
        if not self._place.notifier.ours and self._place.pipe < 0:
            self._ear, self._place.pipe = os.pipe()

    async def _thaw(self) -> None:
        """Nothing happened."""
        parts = self._parts
        while self._released:
            try:
                await parts.store.take()
                self._released = False
            except MythosError as error:
                _log.error("the store is not ours again: {error} Trying once more.", error=error)
                await deferLater(self._reactor, 1.0)
        parts.realm.reopen()
        self._still(False)
        self._go_on()
        self._stillness.end()
        parts.realm.go_on()

    # ── the new process is the server ───────────────────────────────────────────────────────────

    def _leave(
        self,
        process: subprocess.Popen[bytes],
        line: socket.socket,
        taken: Mapping[str, Any],
        handed: list[Any],
        rest: list[Link],
    ) -> dict[str, Any]:
        """What the operator is told; this process ends at the end of the reactor's turn."""
        pause = 0.0
        notifier = self._place.notifier
        for one in keeper.PASSED:  # whatever comes from here on is for the new one
            signal.signal(one, lambda number, _: os.kill(process.pid, number))
        try:
            send(line, {"go": True})
            pause = float(receive(line)[0]["pause"])
        except (OSError, EOFError, KeyError) as error:  # it has everything; what follows this process sees it end
            _log.error("the new process has everything, and does not say that it goes on: {error!r}", error=error)
        notifier.tell(f"MAINPID={process.pid}", "READY=1")
        if self._ear < 0 and self._place.pipe >= 0:  # the place is kept already
            os.write(self._place.pipe, b"%d\n" % process.pid)
        self._reactor.callLater(0, _go, process.pid, self._ear)
        for transport in handed:
            _let_go(transport)
        for link in rest:
            try:
                link.close(1001, "the server is renewed; come back in a moment")
                _push(link)
            except Exception:  # it costs this connection its last words only
                _log.failure("{kind} connection broke while it was closed", kind=link.kind)
        _log.info(
            "handed over to process {pid}: {count} connections, {rest} come back by themselves, {pause} ms",
            pid=process.pid,
            count=taken["connections"],
            rest=len(rest),
            pause=round(pause * 1000),
        )
        return {"pid": process.pid, "handed": taken["connections"], "rest": len(rest), "pause_ms": round(pause * 1000)}


def _end(process: subprocess.Popen[bytes]) -> None:
    """It does nothing any more, whatever it was about to do."""
    process.kill()
    process.wait()


def _sentence(why: str, said: IO[bytes]) -> str:
    """The reason, or what a process that ended said last; all that it said goes where this process would say it."""
    said.seek(0)
    text = said.read().decode("utf-8", "replace").strip()
    if text and sys.__stderr__ is not None:
        sys.__stderr__.write(text + "\n")
        sys.__stderr__.flush()
    lines = [one.strip() for one in text.splitlines() if one.strip()]
    if why:
        return why
    if not lines:
        return "the new process ended without a word; see the log."
    return lines[-1] if "Traceback" in text else " ".join(lines)


def _let_go(transport: Any) -> None:
    """The connection is another process's. It is not closed: that would close it for the other too."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, transport.fileno())
    os.close(nowhere)


def _push(link: Link) -> None:
    """Its last words, as far as the kernel takes them: the reactor has no turn left for that."""
    transport = beneath(link.transport)
    if getattr(transport, "connected", False):
        transport.doWrite()


def _go(server: int, ear: int) -> NoReturn:
    """End, or become what keeps this process's place."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None:
            stream.flush()
    if ear < 0:
        os._exit(0)
    signal.pthread_sigmask(signal.SIG_BLOCK, {*keeper.PASSED, signal.SIGCHLD})  # until the keeper waits for them
    os.set_inheritable(ear, True)
    os.execv(sys.executable, [sys.executable, "-I", "-S", keeper.__file__, str(ear), str(server)])
