"""Where log events go: lines for people, or one JSON object a line for machines; never a secret."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any, Protocol

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

from mythos.telemetry.logfile import LogFile
from mythos.telemetry.tail import Tail

__all__ = ["Observer", "Stream", "redact"]

#: Longest text of one field.
MOST = 2_048
_LEVELS = {"debug": 0, "info": 1, "warn": 2, "warning": 2, "error": 3, "critical": 4}
#: Twisted calls every failure critical; operators look for ERROR.
_SAID = {"critical": "ERROR", "warn": "WARNING"}
#: What a line is about, where it does not say so itself.
_CATEGORIES = (("mythos.net", "connection"), ("mythos.play", "user_action"), ("mythos.commands", "user_action"))
#: Fields that never leave, whatever they hold; and what looks like a secret wherever it stands.
_SECRET_NAMES = re.compile(r"passw|secret|token|ticket|authorization|cookie|api_?key", re.IGNORECASE)
_SECRETS = re.compile(
    r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]+|(?<![\w-])(?:[\w-]{16,}\.)?[\w-]{43}(?![\w-])|\$argon2\S+|(?i:bearer\s+)\S+"
    r"|(?<=ticket=)[\w-]+"
)
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x0A}
#: What would begin another line, or turn one around.
_CONTROLS |= {
    code: f"\\u{code:04x}" for code in (0x2028, 0x2029, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
#: What Twisted tells of itself at start and stop is no news to an operator.
_QUIET = ("twisted", "stdout", "stderr", "log_legacy", "-")


_encode = json.JSONEncoder(ensure_ascii=False, default=str).encode


@cache
def _is_secret(name: str) -> bool:
    """Fields have few names: those that the code gives them."""
    return _SECRET_NAMES.search(name) is not None


def redact(text: str) -> str:
    """Without what looks like a token, a ticket or a password's hash; control characters made visible."""
    return _SECRETS.sub("[secret]", text[: 2 * MOST])[:MOST].translate(_CONTROLS)


def _longest_first(levels: Mapping[str, str]) -> list[tuple[str, int]]:
    return sorted(((name, _LEVELS[least]) for name, least in levels.items()), key=lambda one: -len(one[0]))


class Stream(Protocol):
    """Where lines go."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


@implementer(ILogObserver)
class Observer:
    """:param stream: the process's own stream: ``sys.stderr`` is a log writer under twistd, and would recurse
    :param levels: least levels of parts, by their names (``mythos.store``) or the beginnings of them
    :ivar context: what is going on: fields for every line
    :ivar report: told of every error: the event, the part that speaks, and the context
    """

    def __init__(
        self,
        level: str,
        *,
        as_json: bool,
        stream: Stream | None = None,
        levels: Mapping[str, str] | None = None,
    ) -> None:
        self._least = _LEVELS[level]
        self._levels = _longest_first(levels or {})
        self._as_json = as_json
        self._stream = stream or sys.__stdout__
        self.errors = 0
        self.context: Callable[[], Mapping[str, str]] = dict
        self.report: Callable[[LogEvent, str, Mapping[str, str]], object] = lambda event, namespace, context: None

    def set_levels(self, level: str, levels: Iterable[str]) -> None:
        """Other least levels from now on; those of parts as ``part=level``."""
        self._least = _LEVELS[level]
        self._levels = _longest_first(dict(one.split("=") for one in levels))

    def reopen(self) -> None:
        """Go on in a new file, if the log is one."""
        if isinstance(self._stream, LogFile | Tail):
            self._stream.reopen()

    def __call__(self, event: LogEvent) -> None:
        level: Any = event.get("log_level", LogLevel.info)
        rank = _LEVELS[level.name]
        namespace = str(event.get("log_namespace", "-"))
        if rank >= 3:
            self.errors += 1
            with suppress(Exception):  # it is in the log in any case
                self.report(event, namespace, self.context())
        if rank < self._least_of(namespace):
            return
        said = _SAID.get(level.name, level.name.upper())
        try:
            text = self._json(event, said, rank, namespace) if self._as_json else self._text(event, said, namespace)
            assert self._stream is not None
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # nowhere left to say it

    def _least_of(self, namespace: str) -> int:
        for name, least in self._levels:
            if namespace == name or namespace.startswith(name + "."):
                return least
        return max(self._least, 2) if namespace.startswith(_QUIET) and self._least else self._least

    def _text(self, event: LogEvent, level: str, namespace: str) -> str:
        at = datetime.fromtimestamp(event["log_time"], UTC).strftime("%Y-%m-%d %H:%M:%S")
        found = self.context()
        where = f" [{' '.join(found.values())}]" if found else ""
        text = redact(formatEvent(event)).replace("\n", "\\n")
        return f"{at} {level:8} {namespace.rsplit('.', 1)[-1]}: {text}{where}{_trace(event)}"

    def _json(self, event: LogEvent, level: str, rank: int, namespace: str) -> str:
        at = datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {
            "ts": at,
            "level": level,
            "ns": namespace,
            "category": _category(rank, namespace),
            "event": event.get("log_format") or "",
            "msg": redact(formatEvent(event)),
            **self.context(),
        }
        for name, value in event.items():
            if not name.startswith("log_") and name not in ("message", "time", "isError", "system", "format", "why"):
                said[name] = "[secret]" if _is_secret(name) else _plain(value)
        if trace := _trace(event):
            said["traceback"] = trace.strip()
        return _encode(said)


def _category(rank: int, namespace: str) -> str:
    if rank >= 3:
        return "error"
    for name, category in _CATEGORIES:
        if namespace.startswith(name):
            return category
    return "system"


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def _trace(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return "\n" + redact(failure.getTraceback()).rstrip() if failure is not None else ""
