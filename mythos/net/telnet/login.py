"""The conversation at the name prompt of telnet: one question at a time, before there is a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.logger import Logger

from mythos.errors import Refusal
from mythos.play import names
from mythos.play.accounts import Accounts, TooManyTries, WrongPassword
from mythos.play.ports import NOT_READ, StoreDown
from mythos.play.sessions import Session
from mythos.values import kept, restore
from mythos.wire.clean import sanitize

__all__ = ["Guest", "Login"]

_log = Logger()

#: Wrong passwords on one connection before it is closed.
TRIES = 5
#: Names that nobody may have, before it is said what else there is.
NAMES = 3
_KEPT = ("_name", "_tries", "_misnamed")


class Guest(Protocol):
    """Who is asked."""

    @property
    def address(self) -> str: ...

    def say(self, *lines: str) -> None: ...

    def question(self, text: str, *, secret: bool = False) -> None: ...

    def enter(self, session: Session) -> None: ...

    def hang_up(self, reason: str) -> None: ...

    def forget_typed(self) -> bool:
        """What was typed and not dealt with yet is passed over. Whether there was any."""

    def show_status(self) -> None:
        """What lists of MUDs are told, in plain text. :raises Refusal: too soon after the last time"""

    def read_aloud(self, on: bool) -> None:
        """Speech-friendly text from now on, or no longer."""


@dataclass(slots=True)
class _Newcomer:
    name: str
    password: str = ""


class Login:
    """Give it each line that is typed; it asks, and ends by letting the guest enter."""

    __slots__ = ("_accounts", "_guest", "_misnamed", "_name", "_new", "_tries")

    def __init__(self, guest: Guest, accounts: Accounts) -> None:
        self._guest = guest
        self._accounts = accounts
        self._name = ""
        self._new: _Newcomer | None = None
        self._tries = 0
        self._misnamed = 0

    @property
    def secret(self) -> bool:
        """The next line is a password."""
        return bool(self._name) or (self._new is not None and self._new.name != "")

    def kept(self) -> dict[str, Any]:
        """What was asked last, for another process. A password that was given is to be given again."""
        new = self._new.name if self._new is not None else ""
        return {**kept(self, _KEPT), "new": new}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one."""
        restore(self, _KEPT, state)
        self._new = _Newcomer(state["new"]) if state["new"] else None

    def ask_name(self) -> None:
        self._name, self._new = "", None
        self._guest.question("What is your name? ")

    async def line(self, text: str) -> None:
        """One line, as it was typed."""
        try:
            if self._new is not None:
                await self._newcomer(self._new, text)
            elif self._name:
                await self._password(text)
            else:
                await self._named(sanitize(text))
        except StoreDown:
            self._guest.say(NOT_READ)
            self.ask_name()
        except Refusal as refusal:
            self._guest.say(str(refusal))
            if isinstance(refusal, names.BadName):
                self._misnamed += 1
                if self._misnamed % NAMES == 0:
                    self._guest.say("To look around without a name, type guest. To leave, type quit.")
            self.ask_name()

    async def _named(self, name: str) -> None:
        guest = self._guest
        word, _, how = name.lower().partition(" ")
        if not name:
            self.ask_name()
        elif name.lower() == "guest":
            guest.enter(self._accounts.guest())
        elif name.lower() == "quit":
            guest.hang_up("Until another time.")
        elif word in ("sr", "screenreader") and how in ("", "on", "off"):
            guest.read_aloud(how != "off")
            guest.say(f"Screen reader mode is {'off' if how == 'off' else 'on: plain sentences, one thing a line'}.")
            self.ask_name()
        elif name == "MSSP-REQUEST":
            guest.show_status()
            self.ask_name()
        elif await self._accounts.known(name):
            self._name = name
            guest.question("Password: ", secret=True)
        else:
            self._new = _Newcomer(names.check(name))
            guest.say(
                f"Nobody is called {self._new.name} yet. Choose a password to take the name,",
                "or send an empty line to go back. To look around without one, the name to give is: guest",
            )
            if guest.forget_typed():
                guest.say("What you typed before this question is no answer to it, and was not done.")
            guest.question("New password: ", secret=True)

    async def _password(self, password: str) -> None:
        name, self._name = self._name, ""
        if (session := await self.admit(name, password)) is not None:
            self._guest.enter(session)

    async def admit(self, name: str, password: str) -> Session | None:
        """The session of whom these are. None: it was the last try, and the guest is sent away.

        :raises Refusal: they are wrong, or there were too many tries
        """
        self._tries += 1
        try:
            return await self._accounts.login(name, password, self._guest.address)
        except Refusal as refusal:
            if isinstance(refusal, WrongPassword):
                _log.warn("login failed from {address}", address=self._guest.address)
            elif isinstance(refusal, TooManyTries):
                _log.warn("login refused: {address} has tried too often", address=self._guest.address)
            if self._tries >= TRIES:
                self._guest.hang_up(
                    f"{refusal} That was the last try on this connection. Come back as guest to play without one."
                )
                return None
            raise

    async def _newcomer(self, new: _Newcomer, text: str) -> None:
        if not text:
            self.ask_name()
        elif not new.password:
            if len(text) < 8:
                self._guest.say("A password has at least 8 characters.")
            else:
                new.password = text
            self._guest.question("Once more: " if new.password else "New password: ", secret=True)
        elif text != new.password:
            new.password = ""
            self._guest.say("The two were not the same.")
            self._guest.question("New password: ", secret=True)
        else:
            self._new = None
            self._guest.enter(await self._accounts.register_new(new.name, text))
