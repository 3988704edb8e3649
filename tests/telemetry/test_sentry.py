"""Errors that are sent to Sentry, through a double of its library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from twisted.logger import LogLevel
from twisted.python.failure import Failure

from mythos.telemetry.logs import Observer
from mythos.telemetry.sentry import Sentry
from tests.house.server import TWISTD, Server, select_nothing

#: What stands in for the library: the parts of its client that are used, as its manual has them.
DOUBLE = """
import json, os

class Client:
    def __init__(self, dsn=None, **options):
        if not dsn.startswith("https://"):
            raise ValueError("Unsupported scheme")
        self.options = options

    def capture_event(self, event, hint=None, scope=None):
        with open(os.environ["SENTRY_FILE"], "a") as file:
            file.write(json.dumps({**event, "release": self.options["release"]}) + "\\n")

    def close(self, timeout=None, callback=None):
        with open(os.environ["SENTRY_FILE"], "a") as file:
            file.write(json.dumps({"closed": timeout}) + "\\n")
"""


class Kept:
    """A client that keeps what it is given."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def capture_event(self, event: dict[str, Any], /) -> None:
        self.sent.append(event)

    def close(self, *, timeout: float) -> None:
        """It has sent everything."""


class Broken(Kept):
    def capture_event(self, event: dict[str, Any], /) -> None:
        raise OSError("no network")


def event(text: str, level: LogLevel = LogLevel.error, **fields: Any) -> Any:
    return {"log_format": text, "log_level": level, "log_namespace": "mythos.store.lane", "log_time": 0.0, **fields}


def test_what_is_sent(tmp_path: Path) -> None:
    """The sentence, where it comes from and what it belongs to; no secret, and nothing that is no error."""
    client = Kept()
    with (tmp_path / "log").open("w") as stream:
        observer = Observer("critical", as_json=True, stream=stream)
        observer.context = lambda: {"request_id": "t1f"}
        observer.report = Sentry(client, lambda: 0.0).report
        observer(event("all is well", LogLevel.info))
        try:
            raise ValueError("Bearer abcdef is wrong")
        except ValueError:
            observer(event("batch {number} broke", LogLevel.critical, number=7, log_failure=Failure()))
    (one,) = client.sent
    assert one["logentry"] == {"formatted": "batch 7 broke"}
    assert one["fingerprint"] == ["mythos.store.lane", "batch {number} broke"]
    assert (one["logger"], one["level"], one["tags"]) == ("mythos.store.lane", "error", {"request_id": "t1f"})
    (exception,) = one["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("ValueError", "[secret] is wrong")
    frame = exception["stacktrace"]["frames"][-1]
    assert frame["function"] == "test_what_is_sent"
    assert frame.keys() == {"filename", "function", "lineno"}
    json.dumps(one)


def test_not_too_many() -> None:
    """Twenty at once, then one in ten seconds: a storm of errors is no storm of requests."""
    now = 0.0
    sentry = Sentry(client := Kept(), lambda: now)
    for _ in range(50):
        sentry.report(event("again"), "mythos", {})
    assert len(client.sent) == 20
    now = 10.5
    for _ in range(5):
        sentry.report(event("again"), "mythos", {})
    assert len(client.sent) == 21


def test_sending_breaks(tmp_path: Path) -> None:
    """The log goes on."""
    path = tmp_path / "log"
    with path.open("w") as stream:
        observer = Observer("info", as_json=False, stream=stream)
        observer.report = Sentry(Broken(), lambda: 0.0).report
        observer(event("it broke"))
    assert path.read_text().endswith("it broke\n")


def test_a_server_reports(tmp_path: Path) -> None:
    """From its configuration to the library, and the rest when it ends."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "sentry_sdk.py").write_text(DOUBLE)
    file = tmp_path / "sent"
    env = {
        "SENTRY_DSN": "https://key@sentry.example/1",
        "SENTRY_FILE": str(file),
        "PYTHONPATH": f"{library}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        "MYTHOS_DISK_SEAL": "1000GB",
    }
    server = Server(tmp_path / "data", env=env).start()
    end = time.monotonic() + 10.0
    while not file.exists():
        assert time.monotonic() < end
        select_nothing(0.05)
    server.stop()
    first, *_, last = [json.loads(line) for line in file.read_text().splitlines()]
    assert first["logentry"]["formatted"].endswith("nothing changes hands until there is room")
    assert first["release"].startswith("mythos@")
    assert last == {"closed": 2.0}
    assert "sentry.example" not in server.log.read_text()


def refused(tmp_path: Path, dsn: str, library: str) -> str:
    """The one line of a start that is refused."""
    (tmp_path / "sentry_sdk.py").write_text(library)
    env = {**os.environ, "SENTRY_DSN": dsn, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    program = [sys.executable, TWISTD, "--pidfile=", "-n", "mythos", "--telnet", "0", "--http", "0", "--metrics", "0"]
    run = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False, env=env, cwd=tmp_path)
    assert run.returncode == 78
    (line,) = run.stderr.splitlines()
    return line


def test_what_is_refused(tmp_path: Path) -> None:
    """One sentence: the library is missing, or the address is none."""
    missing = refused(tmp_path, "https://key@sentry.example/1", "raise ImportError")
    assert missing == "SENTRY_DSN needs Sentry's library: pip install 'mythos[sentry]', or leave the variable out."
    wrong = refused(tmp_path, "sentry.example", DOUBLE)
    assert wrong == "SENTRY_DSN is no address that Sentry knows: copy it from your project's settings."
