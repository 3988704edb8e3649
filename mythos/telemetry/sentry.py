"""Errors for Sentry, by its own library, which is an extra: ``pip install 'mythos[sentry]'``.

What is sent is made here, from the log's own words: no variables, no requests, nothing that looks like a secret. The
library sends from a thread of its own, and drops what its queue has no room for: nothing here waits.
"""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from twisted.logger import LogEvent, formatEvent

from mythos.errors import MythosError
from mythos.flow.bucket import Bucket
from mythos.telemetry.logs import redact

__all__ = ["Client", "Sentry", "SentryError", "open_sentry"]

#: Errors that are sent, a second and at once; the log has them all.
_PACE: Final = (0.1, 20.0)
#: Seconds that what is still to be sent may take at the end of the process.
_LAST: Final = 2.0


class SentryError(MythosError):
    """Errors cannot be sent; the sentence says what to do."""


class Client(Protocol):
    """What is used of the library's."""

    def capture_event(self, event: dict[str, Any], /) -> object: ...
    def close(self, *, timeout: float) -> object: ...


class Sentry:
    """:param client: of its library: ``capture_event`` returns at once, ``close`` when what waits was sent
    :param seconds: the clock, monotonic
    """

    def __init__(self, client: Client, seconds: Callable[[], float]) -> None:
        self._client = client
        self._seconds = seconds
        self._pace = Bucket(*_PACE)

    def report(self, event: LogEvent, namespace: str, context: Mapping[str, str]) -> None:
        """Send an error of the log, unless there are too many."""
        if self._pace.take(self._seconds()):
            return
        made: dict[str, Any] = {
            "level": "error",
            "logger": namespace,
            "logentry": {"formatted": redact(formatEvent(event))},
            "fingerprint": [namespace, str(event.get("log_format") or "")],
            "tags": dict(context),
        }
        failure = event.get("log_failure")
        if failure is not None:
            made["exception"] = {"values": [_exception(failure)]}
        self._client.capture_event(made)

    def close(self) -> None:
        """The process ends: what still waits is sent, for two seconds at most."""
        self._client.close(timeout=_LAST)


def open_sentry(dsn: str, *, version: str, environment: str, seconds: Callable[[], float]) -> Sentry:
    """:raises SentryError: the library is not installed, or does not know what to do with the DSN"""
    try:
        library: Any = importlib.import_module("sentry_sdk")
    except ImportError as error:
        raise SentryError(
            "SENTRY_DSN needs Sentry's library: pip install 'mythos[sentry]', or leave the variable out."
        ) from error
    try:
        client = library.Client(
            dsn=dsn,
            release=f"mythos@{version}",
            environment=environment,
            default_integrations=False,
            auto_enabling_integrations=False,
            send_default_pii=False,
        )
    except ValueError as error:
        raise SentryError(
            "SENTRY_DSN is no address that Sentry knows: copy it from your project's settings."
        ) from error
    return Sentry(client, seconds)


def _exception(failure: Any) -> dict[str, Any]:
    frames = [
        {"filename": frame.filename, "function": frame.name, "lineno": frame.lineno}
        for frame in traceback.extract_tb(failure.getTracebackObject())
    ]
    return {
        "type": failure.type.__name__,
        "value": redact(str(failure.value)),
        "stacktrace": {"frames": frames},
    }
