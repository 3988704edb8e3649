"""What the server writes of itself, and where."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import LogLevel
from twisted.python.failure import Failure

from mythos.telemetry.logfile import LogFile
from mythos.telemetry.logs import Observer


def event(text: str, level: LogLevel = LogLevel.info, namespace: str = "mythos.store.lane", **fields: Any) -> Any:
    return {"log_format": text, "log_level": level, "log_namespace": namespace, "log_time": 0.0, **fields}


def told(*events: Any, level: str = "info", as_json: bool = False, **made: Any) -> list[str]:
    """The lines of these events."""
    observer = Observer(level, as_json=as_json, stream=(stream := StringIO()), **made)
    observer.context = lambda: {"request_id": "t1f", "session": "0a1b2c3d"}
    for one in events:
        observer(one)
    return stream.getvalue().splitlines()


def test_text() -> None:
    """One line for people: when, how bad, which part, what, and what it belongs to."""
    assert told(event("{count} rows", count=3)) == ["1970-01-01 00:00:00 INFO     lane: 3 rows [t1f 0a1b2c3d]"]


def test_json() -> None:
    """One object a line; the sentence is constant, what it is about are fields."""
    (line,) = told(event("{count} rows", count=3, token="hush"), as_json=True)
    assert json.loads(line) == {
        "ts": "1970-01-01T00:00:00.000+00:00",
        "level": "INFO",
        "ns": "mythos.store.lane",
        "category": "system",
        "event": "{count} rows",
        "msg": "3 rows",
        "request_id": "t1f",
        "session": "0a1b2c3d",
        "count": 3,
        "token": "[secret]",
    }


def test_failures_are_errors() -> None:
    """grep ERROR finds them, with where they come from."""
    try:
        raise ValueError("a bug")
    except ValueError:
        broken = event("it broke", LogLevel.critical, log_failure=Failure())
    (line,) = told(broken, as_json=True)
    said = json.loads(line)
    assert (said["level"], said["category"]) == ("ERROR", "error")
    assert said["traceback"].endswith("ValueError: a bug")
    lines = told(broken)
    assert lines[0] == "1970-01-01 00:00:00 ERROR    lane: it broke [t1f 0a1b2c3d]"
    assert lines[-1].endswith("ValueError: a bug")


@pytest.mark.parametrize(
    ("namespace", "category"),
    [("mythos.net.outlet", "connection"), ("mythos.play.realm", "user_action"), ("mythos.app.house", "system")],
)
def test_categories(namespace: str, category: str) -> None:
    """By the part that speaks."""
    (line,) = told(event("x", namespace=namespace), as_json=True)
    assert json.loads(line)["category"] == category


def test_levels() -> None:
    """One for all, and others for parts and for parts of parts; of Twisted's own words only what is wrong."""
    debug = LogLevel.debug
    events = [
        event("store", debug),
        event("pool", debug, "mythos.store.pool"),
        event("storehouse", debug, "mythos.storehouse"),
        event("net", LogLevel.info, "mythos.net.site"),
        event("telnet", LogLevel.info, "mythos.net.telnet.link"),
        event("twisted", LogLevel.info, "twisted.web"),
        event("twisted warns", LogLevel.warn, "twisted.web"),
    ]
    levels = {"mythos.store": "debug", "mythos.store.pool": "info", "mythos.net": "error", "mythos.net.telnet": "info"}
    lines = told(*events, levels=levels)
    assert [line.partition(": ")[2] for line in lines] == [
        "store [t1f 0a1b2c3d]",
        "telnet [t1f 0a1b2c3d]",
        "twisted warns [t1f 0a1b2c3d]",
    ]


def log(path: Path, size: int = 0, keep: int = 0) -> LogFile:
    return LogFile(path, size, keep)


def texts(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir())}


def test_rotated(tmp_path: Path) -> None:
    """Each file ends with a whole line; the latest is .1, and no more are kept than are wanted."""
    file = log(tmp_path / "a.log", 12, 2)
    for text in ("one\n", "two\n", "six\n", "seven\n", "eight\n", "nine\n", "eleven\n", "ten\n"):
        file.write(text)
    assert texts(tmp_path) == {"a.log": "ten\n", "a.log.1": "nine\neleven\n", "a.log.2": "seven\neight\n"}


def test_none_kept(tmp_path: Path) -> None:
    """The file begins anew."""
    file = log(tmp_path / "a.log", 8)
    for text in ("one\n", "two\n", "six\n"):
        file.write(text)
    assert texts(tmp_path) == {"a.log": "six\n"}


def test_a_line_that_is_too_long(tmp_path: Path) -> None:
    """Is written; there is no empty file for it."""
    file = log(tmp_path / "a.log", 8, 3)
    file.write("a long line\n")
    file.write("x\n")
    assert texts(tmp_path) == {"a.log": "x\n", "a.log.1": "a long line\n"}


def test_another_program_rotates(tmp_path: Path) -> None:
    """By moving the file, and a signal; or by copying and emptying it, which needs none."""
    file = log(tmp_path / "a.log", 100, 3)
    file.write("one\n")
    (tmp_path / "a.log").rename(tmp_path / "moved")
    file.write("two\n")
    file.reopen()
    file.write("six\n")
    assert texts(tmp_path) == {"a.log": "six\n", "moved": "one\ntwo\n"}
    (tmp_path / "a.log").write_text("")
    file.write("x" * 99 + "\n")
    assert texts(tmp_path)["a.log"] == "x" * 99 + "\n"


def test_goes_on_where_it_was(tmp_path: Path) -> None:
    """After a restart too; what cannot be encoded is escaped."""
    for text in ("one\n", "\ud800\n"):
        file = log(tmp_path / "a.log", 100, 3)
        file.write(text)
    assert texts(tmp_path) == {"a.log": "one\n\\ud800\n"}


def test_a_directory_that_is_gone(tmp_path: Path) -> None:
    """The log goes on in the old file; the server goes on too."""
    folder = tmp_path / "logs"
    folder.mkdir()
    observer = Observer("info", as_json=False, stream=log(folder / "a.log"))
    (folder / "a.log").unlink()
    folder.rmdir()
    with pytest.raises(FileNotFoundError):
        observer.reopen()
    observer(event("it goes on"))
