"""``mythosctl`` without a server: its help, its version, fsck."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mythos import __version__
from mythos.store.migrate import migrate
from mythos.store.sqlite import connect
from tests.ctl.conftest import Run


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_version(run: Run, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 0
    assert __version__ in result.stdout


def test_help(run: Run) -> None:
    """Every command is listed with what it does, and has help of its own."""
    listed = re.findall(r"^  ([a-z]+)  +\S", run("--help").stdout, re.MULTILINE)
    known = [
        "account",
        "broadcast",
        "config",
        "db",
        "fsck",
        "gateway",
        "kick",
        "reload",
        "shutdown",
        "status",
        "version",
        "who",
    ]
    assert listed == sorted([*known, "world"])
    for command in listed:
        assert run(command, "--help").exit_code == 0


def store(path: Path, *sql: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    database = connect(str(path))
    migrate(database)
    for statement in sql:
        database.execute(statement)
    database.close()
    return path


def test_fsck_of_a_sound_store(run: Run, tmp_path: Path) -> None:
    path = store(tmp_path / "mythos-data" / "mythos.db")
    before = path.read_bytes()
    result = run("fsck")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{path} is sound: I0, I1, I2, I3, I4, I5, I6, I7 hold.\n"
    assert json.loads(run("fsck", "--json").stdout) == {"ok": True, "problems": []}
    assert path.read_bytes() == before


def test_fsck_of_a_broken_store(run: Run, tmp_path: Path) -> None:
    """Each violation is a line; what it breaks is said once."""
    store(tmp_path / "d" / "mythos.db", "INSERT INTO balance VALUES ('t:inn', 'gold', 5, 0)")
    result = run("fsck", "--data", "d")
    assert (result.exit_code, result.stdout) == (1, "I2: t:inn has 5 gold, by the ledger 0\n")
    assert result.stderr.splitlines()[1:] == ["I2: each balance is the sum of its lines"]
    as_json = run("fsck", "--data", "d", "--json")
    problem = {"invariant": "I2", "message": "t:inn has 5 gold, by the ledger 0"}
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (1, {"ok": False, "problems": [problem]})


def test_fsck_of_the_configured_store(run: Run, tmp_path: Path) -> None:
    """The database need not be in the data directory."""
    path = store(tmp_path / "other" / "world.db")
    result = run("fsck", DATABASE_URL=f"sqlite:///{path}")
    assert (result.exit_code, result.stdout.split(" is ")[0]) == (0, str(path))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ("nothing", "name the server's data directory with --data DIR."),
        ("text", "cannot be read: file is not a database"),
        ("directory", "cannot be read: "),
    ],
)
def test_fsck_of_no_store(run: Run, tmp_path: Path, make: str, said: str) -> None:
    path = tmp_path / "mythos-data" / "mythos.db"
    path.parent.mkdir()
    if make == "text":
        path.write_text("something else entirely\n" * 100)
    elif make == "directory":
        path.mkdir()
    result = run("fsck")
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert path.exists() == (make != "nothing")


def test_fsck_of_memory(run: Run) -> None:
    result = run("fsck", DATABASE_URL="memory:")
    assert result.exit_code == 1
    assert result.stderr == "The configuration keeps everything in memory: there is no store to check.\n"
