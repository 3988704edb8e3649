"""MSDP of one client: what it asks for, and what it wants to be told whenever it changes.

=========================== ===========================================================================
LIST                        names: COMMANDS, LISTS, REPORTABLE_VARIABLES, REPORTED_VARIABLES,
                            SENDABLE_VARIABLES, CONFIGURABLE_VARIABLES
SEND                        the values of variables, now
REPORT, UNREPORT            their values now and at each change, four times a second at most; no more
RESET                       nothing is reported any more
CLIENT_NAME, CLIENT_VERSION what the client is; taken by :class:`~mythos.wire.terminal.Evidence`
=========================== ===========================================================================

The same in JSON comes over GMCP, as message ``MSDP`` with an object, and is answered in the way it was asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mythos.play.variables import VARIABLES
from mythos.wire import gmcp, msdp
from mythos.wire.terminal import CONFIGURABLE
from mythos.world.state import Character, World

__all__ = ["Reports"]

#: Seconds between two reports of one variable.
PACE = 0.25
_COMMANDS = ("LIST", "REPORT", "RESET", "SEND", "UNREPORT")
_LISTS = (
    *("COMMANDS", "LISTS", "REPORTABLE_VARIABLES", "REPORTED_VARIABLES"),
    *("SENDABLE_VARIABLES", "CONFIGURABLE_VARIABLES"),
)

#: Who asks, and in which world; None before the login.
Who = tuple[World, Character] | None


class Reports:
    """See the module.

    :ivar json: it asked over GMCP, and is answered there
    :param server: what can be sent at any time and is never reported: name -> what gives its value
    """

    __slots__ = ("_reported", "_server", "json")

    def __init__(self, server: Mapping[str, Callable[[], Any]]) -> None:
        self._server = server
        self._reported: dict[str, tuple[float, Any]] = {}  # when it was told last, and what; None: not yet
        self.json = False

    def asked(self, pairs: Iterable[tuple[str, Any]], who: Who, now: float, *, json: bool = False) -> bytes:
        """Do what a client says, and answer as frames: each variable and each list once."""
        self.json = json
        answers: dict[str, Any] = {}
        for command, said in pairs:
            names = said if isinstance(said, list) else [said]
            for name in dict.fromkeys([one for one in names if isinstance(one, str)]):
                if command == "LIST" and name in _LISTS:
                    answers[name] = self._list(name)
                elif command == "SEND" and name in self._server:
                    answers[name] = self._server[name]()
                elif command in ("SEND", "REPORT") and name in VARIABLES:
                    value = VARIABLES[name](*who) if who is not None else None
                    if value is not None:
                        answers[name] = value
                    if command == "REPORT":
                        self._reported[name] = now, value
                elif command == "UNREPORT":
                    self._reported.pop(name, None)
                elif command == "RESET" and name in ("REPORTABLE_VARIABLES", "REPORTED_VARIABLES"):
                    self._reported.clear()
        return self._frames(answers)

    def kept(self) -> dict[str, Any]:
        """What is reported, for another process."""
        return {"json": self.json, "reported": list(self._reported)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one: each variable is told anew."""
        self.json = state["json"]
        self._reported = {name: (0.0, None) for name in state["reported"] if name in VARIABLES}

    def changed(self, who: tuple[World, Character], now: float) -> bytes:
        """What is reported and differs from what was told last, as frames."""
        answers: dict[str, Any] = {}
        for name, (told, before) in self._reported.items():
            if before is None or now - told >= PACE:
                value = VARIABLES[name](*who)
                if value != before:
                    answers[name] = value
        for name, value in answers.items():
            self._reported[name] = now, value
        return self._frames(answers)

    def _list(self, name: str) -> list[str]:
        if name == "COMMANDS":
            return list(_COMMANDS)
        if name == "LISTS":
            return list(_LISTS)
        if name == "REPORTED_VARIABLES":
            return sorted(self._reported)
        if name == "CONFIGURABLE_VARIABLES":
            return sorted(CONFIGURABLE)
        return sorted(VARIABLES if name == "REPORTABLE_VARIABLES" else {**VARIABLES, **self._server})

    def _frames(self, answers: Mapping[str, Any]) -> bytes:
        if self.json:
            return b"".join([gmcp.encode("MSDP", {name: value}) for name, value in answers.items()])
        return b"".join([msdp.encode(name, value) for name, value in answers.items()])
