"""Where log events go: lines for people, or one JSON object a line for machines; never a secret."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

__all__ = ["Observer", "redact"]

#: Longest text of one field.
MOST = 2_048
_LEVELS = {"debug": 0, "info": 1, "warn": 2, "warning": 2, "error": 3, "critical": 4}
#: Fields that never leave, whatever they hold; and what looks like a secret wherever it stands.
_SECRET_NAMES = re.compile(r"passw|secret|token|ticket|authorization|cookie|api_?key", re.IGNORECASE)
_SECRETS = re.compile(
    r"eyJ[\w-]+\.[\w-]+\.[\w-]+|[0-9a-f]{16,}\.[\w-]{20,}|\$argon2\S+|(?i:bearer\s+)\S+|(?<=ticket=)[\w-]+"
)
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0)) if code != 0x0A}
#: What Twisted tells of itself at start and stop is no news to an operator.
_QUIET = ("twisted", "stdout", "stderr", "log_legacy", "-")


def redact(text: str) -> str:
    """Without what looks like a token, a ticket or a password's hash; control characters made visible."""
    return _SECRETS.sub("[secret]", text[:MOST]).translate(_CONTROLS)


@implementer(ILogObserver)
class Observer:
    """:param stream: the process's own stream: ``sys.stderr`` is a log writer under twistd, and would recurse"""

    def __init__(self, level: str, *, as_json: bool, stream: TextIO | None = None) -> None:
        self._least = _LEVELS[level]
        self._as_json = as_json
        self._stream = stream or sys.__stdout__
        self.errors = 0

    def __call__(self, event: LogEvent) -> None:
        level: Any = event.get("log_level", LogLevel.info)
        rank = _LEVELS[level.name]
        namespace = str(event.get("log_namespace", "-"))
        if rank >= 3:
            self.errors += 1
        least = max(self._least, 2) if namespace.startswith(_QUIET) and self._least else self._least
        if rank < least:
            return
        try:
            text = (
                self._json(event, level.name, namespace) if self._as_json else self._text(event, level.name, namespace)
            )
            assert self._stream is not None
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # nowhere left to say it

    def _text(self, event: LogEvent, level: str, namespace: str) -> str:
        at = datetime.fromtimestamp(event["log_time"], UTC).strftime("%Y-%m-%d %H:%M:%S")
        return f"{at} {level.upper():8} {namespace.rsplit('.', 1)[-1]}: {redact(formatEvent(event))}{_trace(event)}"

    def _json(self, event: LogEvent, level: str, namespace: str) -> str:
        at = datetime.fromtimestamp(event["log_time"], UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {
            "ts": at,
            "level": level.upper(),
            "ns": namespace,
            "event": event.get("log_format") or "",
            "msg": redact(formatEvent(event)),
        }
        for name, value in event.items():
            if not name.startswith("log_") and name not in ("message", "time", "isError", "system", "format", "why"):
                said[name] = "[secret]" if _SECRET_NAMES.search(name) else _plain(value)
        if trace := _trace(event):
            said["traceback"] = trace.strip()
        return json.dumps(said, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact(str(value))


def _trace(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return "\n" + redact(failure.getTraceback()) if failure is not None else ""
