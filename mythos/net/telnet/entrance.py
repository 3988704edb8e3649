"""The way into a session: a name and a password, typed or by GMCP, or a token that the client kept.

====================================== ======================================================================
``Char.Login.Credentials``             name and password; without them the player types
``Char.Login.Reconnect``               the token of ``Char.Login.Token``
``Mythos.Resume``                      a resume token, and up to which line the client has its session
====================================== ======================================================================

They are answered by ``Char.Login.Result`` and ``Mythos.Refused``. One thing at a time: what comes while the store is
asked waits (lines), or is passed over (messages).
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from mythos.errors import Refusal
from mythos.net.status import Status
from mythos.net.telnet.login import Login
from mythos.net.telnet.screen import Screen
from mythos.play.accounts import Accounts
from mythos.play.ports import NOT_READ, StoreDown
from mythos.play.sessions import Session
from mythos.wire import gmcp
from mythos.wire.telnet import escape

__all__ = ["MESSAGES", "Entrance", "Return"]

#: Messages of GMCP that are for it.
MESSAGES = frozenset(("mythos.resume", "char.login.credentials", "char.login.reconnect"))
#: Lines that wait for a password to be checked.
BACKLOG = 256
#: Seconds to wait for a client to say what it is, before the first words.
WAIT = 0.5
WAIT_FOR_NAME = 1.0
_SILENT = "Screen reader? Type sr for speech-friendly text."
_SPOKEN = "Screen reader mode is on. To be without it, type sr off."

_log = Logger()


class Return(NamedTuple):
    """How somebody comes back: up to which line of which epoch the client has the session, and by which token."""

    epoch: str | None = None
    last: int | None = None
    shown: str = ""


class Host(Protocol):
    """Whose entrance it is: the connection."""

    @property
    def address(self) -> str: ...

    def send(self, data: bytes) -> None: ...

    def hide_typing(self, hide: bool) -> None:
        """The next line is a secret, or is not."""

    def attach(self, session: Session, returned: Return) -> None:
        """They are in."""

    def hang_up(self, reason: str) -> None: ...


class Entrance:
    """Of one connection, until its session is attached. What the login asks of its guest is here.

    :ivar lines: typed, and not dealt with yet; what is left when they are in is for the session
    :param greeting: the first lines
    """

    __slots__ = (
        "_accounts",
        "_asked",
        "_busy",
        "_greeting",
        "_host",
        "_login",
        "_open",
        "_screen",
        "_status",
        "_timer",
        "lines",
    )

    def __init__(
        self,
        host: Host,
        screen: Screen,
        accounts: Accounts,
        status: Status,
        greeting: list[str],
        clock: IReactorTime,
    ) -> None:
        self._host = host
        self._screen = screen
        self._accounts = accounts
        self._status = status
        self._greeting = greeting
        self._login = Login(self, accounts)
        self._timer: IDelayedCall | None = clock.callLater(WAIT, self.greet)
        self._asked = ""
        self._busy = False
        self._open = True
        self.lines: list[str] = []

    # ── the first words ─────────────────────────────────────────────────────────────────────────

    @property
    def secret(self) -> bool:
        """The next line is a password."""
        return self._login.secret

    @property
    def greeted(self) -> bool:
        return self._timer is None

    def postpone(self) -> None:
        """The client is about to say what it is."""
        if self._timer is not None:
            self._timer.reset(WAIT_FOR_NAME)

    def greet(self) -> None:
        self._stop_waiting()
        self._screen.refresh()
        self.say(_SPOKEN if self._screen.style.screen_reader else _SILENT, *self._greeting)
        self._login.ask_name()

    def _stop_waiting(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def hurry(self, seconds: int) -> None:
        """That much is left to say who one is; and the question again."""
        warning = self._screen.words(f"Still there? Type something within {seconds} seconds, or the line is closed.")
        self._host.send((b"" if self._screen.prompt_mark else b"\r\n") + warning + self._screen.question(self._asked))

    def close(self) -> None:
        """Nobody comes in here any more."""
        self._open = False
        self._stop_waiting()

    # ── for another process ─────────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, Any] | None:
        """What was asked and typed; None: an answer is being looked at, or nobody comes in any more."""
        if self._busy or not self._open:
            return None
        return {"greeted": self.greeted, "asked": self._asked, "login": self._login.kept()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one."""
        if state["greeted"]:
            self._stop_waiting()
            self._asked = state["asked"]
            self._login.restore(state["login"])

    # ── what is typed ───────────────────────────────────────────────────────────────────────────

    def line(self, text: str) -> None:
        """It waits for :meth:`go_on`: what came in one piece was typed before any answer to it was seen."""
        if self._timer is not None:
            self.greet()
        if self._open and len(self.lines) >= BACKLOG:
            self.go_on()
            if self._open and (self.lines or self.secret):
                self.hang_up("Too many lines before you said who you are.")
                return
        self.lines.append(text)

    def go_on(self) -> None:
        """Deal with what was typed, one line at a time; the others wait for its answer."""
        if self.lines and self._open and not self._busy:
            self._start(self._converse())

    async def _converse(self) -> None:
        while self.lines and self._open:
            text = self.lines.pop(0)
            if self.secret:
                self._host.send(b"\r\n")  # the client has not shown that of its player
            await self._login.line(text)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._busy = True
        Deferred.fromCoroutine(self._alone(work)).addErrback(self._broke)

    async def _alone(self, work: Coroutine[Any, Any, None]) -> None:
        await work
        self._busy = False
        self.go_on()  # lines may have been typed meanwhile

    def _broke(self, failure: Failure) -> None:
        _log.failure("the conversation at the name prompt broke", failure)
        self.hang_up("Something broke on our side. Please come again.")

    # ── what the login asks of its guest ────────────────────────────────────────────────────────

    @property
    def address(self) -> str:
        return self._host.address

    def say(self, *lines: str) -> None:
        self._host.send(self._screen.words(*lines))

    def question(self, text: str, *, secret: bool = False) -> None:
        self._asked = text
        self._host.hide_typing(secret)
        self._host.send(self._screen.question(text))

    def enter(self, session: Session) -> None:
        self._let_in(session, Return())

    def hang_up(self, reason: str) -> None:
        self._host.hang_up(reason)

    def forget_typed(self) -> bool:
        typed, self.lines = self.lines, []
        return bool(typed)

    def show_status(self) -> None:
        self._host.send(escape(self._status.text(self.address)))

    def read_aloud(self, on: bool) -> None:
        self._screen.spoken = on
        self._screen.refresh()

    def _let_in(self, session: Session, returned: Return) -> None:
        if self._open:
            self.close()
            self._host.hide_typing(False)
            self._host.attach(session, returned)

    # ── what a program says instead ─────────────────────────────────────────────────────────────

    def offer(self, version: int) -> None:
        """The client knows this version of Char.Login."""
        offered: dict[str, Any] = {"type": ["password-credentials"]}
        self._host.send(gmcp.encode("Char.Login.Default", offered | ({"version": 2} if version > 1 else {})))

    def told(self, name: str, data: Mapping[str, Any]) -> None:
        """One of :data:`MESSAGES`. Without what it needs its player types."""
        token, account, password = data.get("token"), data.get("account"), data.get("password")
        if self._busy or self.lines or not self._open:
            return
        if name == "mythos.resume":
            if isinstance(token, str):
                epoch, last = data.get("e"), data.get("s")
                known = isinstance(epoch, str) and type(last) is int
                self._start(self._resume(Return(epoch, last, token) if known else Return(shown=token)))
        elif isinstance(account, str):
            if name == "char.login.reconnect" and isinstance(token, str):
                self._start(self._identify(self._accounts.session_by(token), Return(shown=token)))
            elif name == "char.login.credentials" and isinstance(password, str):
                self._start(self._identify(self._login.admit(account.partition(":")[0], password), Return()))

    async def _identify(self, session: Coroutine[Any, Any, Session | None], returned: Return) -> None:
        try:
            found = await session
        except (Refusal, StoreDown) as refusal:
            message = NOT_READ if isinstance(refusal, StoreDown) else str(refusal)
            self._host.send(gmcp.encode("Char.Login.Result", {"success": False, "message": message}))
            return
        if found is not None and self._open:
            self._host.send(gmcp.encode("Char.Login.Result", {"success": True}))
            self._let_in(found, returned)

    async def _resume(self, returned: Return) -> None:
        try:
            session = await self._accounts.session_by(returned.shown)
        except (Refusal, StoreDown) as refusal:
            message = NOT_READ if isinstance(refusal, StoreDown) else str(refusal)
            self._host.send(gmcp.encode("Mythos.Refused", {"message": message}))
        else:
            self._let_in(session, returned)
