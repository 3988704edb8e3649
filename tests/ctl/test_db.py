"""``mythosctl db``, with both kinds of store."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mythos.store.migrate import steps
from tests.ctl.conftest import Run
from tests.ctl.test_main import store
from tests.postgres import Cluster

#: Of all steps that ship.
NEWEST = steps()[-1].number


@pytest.fixture
def name(cluster: Cluster) -> Iterator[str]:
    """Of an empty database."""
    made = cluster.make()
    yield made
    cluster.drop(made)


@pytest.fixture
def url(cluster: Cluster, name: str) -> str:
    return cluster.url_of(name)


NEWEST = len(steps())
GOLD = (
    "INSERT INTO ledger VALUES (1, 'grant', NULL, NULL, NULL, 0.5)",
    "INSERT INTO ledger_line VALUES (1, 'mint', 'gold', -5), (1, 't:inn', 'gold', 5)",
    "INSERT INTO balance VALUES ('t:inn', 'gold', 5, 1)",
    "INSERT INTO meta VALUES ('next_tx', '2'), ('next_id', '1'), ('now', '0.5')",
)


def test_status_of_a_file(run: Run, tmp_path: Path) -> None:
    path = store(tmp_path / "mythos-data" / "mythos.db", *GOLD)
    result = run("db", "status")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{path}: SQLite 3.")
    assert lines[1:3] == [f"schema: {NEWEST} of {NEWEST}", "used by: nobody"]
    assert "2 ledger_line" in lines[3]
    found = json.loads(run("db", "status", "--json").stdout)
    assert (found["schema"], found["newest"], found["rows"]["balance"]) == (NEWEST, NEWEST, 1)
    with (tmp_path / "mythos-data" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "used by: a server on" in run("db", "status").stdout
        refused = run("db", "upgrade")
    assert (refused.exit_code, "stop it first" in refused.stderr) == (1, True)


def test_status_of_no_file(run: Run) -> None:
    result = run("db", "status")
    assert (result.exit_code, "the server makes it at its first start" in result.stderr) == (1, True)
    assert not Path("mythos-data").exists()


def test_status_and_upgrade_of_postgresql(run: Run, url: str) -> None:
    """An empty database has to be upgraded; then it is ready."""
    before = run("db", "status", DATABASE_URL=url)
    assert before.exit_code == 1
    assert f"schema: 0 of {NEWEST}" in before.stdout
    assert before.stderr == "It has to be upgraded: a start does that, or mythosctl db upgrade.\n"
    done = run("db", "upgrade", DATABASE_URL=url)
    assert (done.exit_code, done.stdout.endswith(f"has schema {NEWEST}.\n")) == (0, True)
    after = run("db", "status", "--json", DATABASE_URL=url)
    found = json.loads(after.stdout)
    assert (after.exit_code, found["schema"], found["server"], found["rows"]["meta"]) == (0, NEWEST, "", 0)
    assert found["software"].startswith("PostgreSQL ")


def test_upgrade_of_a_file(run: Run, tmp_path: Path) -> None:
    """A file that is not there is made."""
    assert run("db", "upgrade", "--data", "d").stdout == f"{tmp_path}/d/mythos.db has schema {NEWEST}.\n"
    assert run("fsck", "--data", "d").exit_code == 0


def test_vacuum(run: Run, url: str, tmp_path: Path) -> None:
    """Room of rows that are gone is given back; what is there stays. Not under a server."""
    path = store(tmp_path / "d" / "mythos.db", *GOLD)
    long = "x" * 4000
    rows = [f"INSERT INTO meta VALUES ('a{n}', '{long}')" for n in range(100)]  # noqa: S608
    store(path, *rows, "DELETE FROM meta WHERE key GLOB 'a[0-9]*'")
    found = json.loads(run("db", "vacuum", "--data", "d", "--json").stdout)
    assert found["bytes_before"] - found["bytes"] > 300_000
    assert "is sound" in run("fsck", "--data", "d").stdout
    with (tmp_path / "d" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = run("db", "vacuum", "--data", "d")
    assert (refused.exit_code, "A server runs on" in refused.stderr) == (1, True)
    assert run("db", "vacuum", "--data", "nowhere").exit_code == 1
    run("db", "upgrade", DATABASE_URL=url)
    assert " MB, before " in run("db", "vacuum", DATABASE_URL=url).stdout


def test_downgrade_check(run: Run, url: str, tmp_path: Path) -> None:
    """Whether an older version could go on with the store."""
    assert run("db", "downgrade-check", "0", "--data", "d").exit_code == 0
    store(tmp_path / "d" / "mythos.db", *GOLD)
    run("db", "upgrade", DATABASE_URL=url)
    for words, env in ((["--data", "d"], {}), ([], {"DATABASE_URL": url})):
        assert "can use" in run("db", "downgrade-check", str(NEWEST), *words, **env).stdout
        older = run("db", "downgrade-check", str(NEWEST - 1), "--json", *words, **env)
        assert (older.exit_code, json.loads(older.stdout)["needs"]) == (1, NEWEST)
        assert f"which needs {NEWEST}: restore a backup of before." in older.stderr
    assert run("db", "downgrade-check", "old").exit_code == 2


def test_copy_there_and_back(run: Run, url: str, tmp_path: Path) -> None:
    path = store(tmp_path / "mythos-data" / "mythos.db", *GOLD)
    there = run("db", "copy", f"sqlite:///{path}", url)
    assert (there.exit_code, there.stderr) == (0, "")
    assert "ledger_line: 2\n" in there.stdout
    assert "holds the same as" in there.stdout
    assert run("fsck", DATABASE_URL=url).stdout.endswith("is sound: I0, I1, I2, I3, I4, I5, I6, I7 hold.\n")
    back = run("db", "copy", url, "sqlite:///new/back.db", "--json")
    assert json.loads(back.stdout)["rows"]["ledger_line"] == 2
    assert run("fsck", DATABASE_URL="sqlite:///new/back.db").exit_code == 0
    again = run("db", "copy", f"sqlite:///{path}", url)
    assert (again.exit_code, "is not empty" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["sqlite:///nowhere.db", "sqlite:///new.db"], 1, "There is no"),
        (["memory:", "sqlite:///new.db"], 2, "nothing to copy from or to memory:"),
        (["mysql://h/d", "sqlite:///new.db"], 2, "expected sqlite:///FILE, postgresql://"),
        (["postgresql://127.0.0.1:1/d", "sqlite:///new.db"], 1, "cannot be reached"),
    ],
)
def test_copy_of_what_is_no_store(run: Run, words: list[str], code: int, said: str) -> None:
    result = run("db", "copy", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert not Path("new.db").exists()


def test_copy_of_a_file_under_a_server(run: Run, tmp_path: Path) -> None:
    path = store(tmp_path / "mythos-data" / "mythos.db", *GOLD)
    with (path.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = run("db", "copy", f"sqlite:///{path}", "sqlite:///new.db")
    assert (result.exit_code, "stop it first" in result.stderr) == (1, True)


def test_fsck_of_a_broken_database(run: Run, cluster: Cluster, name: str, url: str) -> None:
    assert run("fsck", DATABASE_URL=url).stdout == "I0: this is no database of Mythos\n"
    run("db", "upgrade", DATABASE_URL=url)
    cluster.ask("INSERT INTO balance VALUES ('t:inn', 'gold', 5, 0)", database=name)
    result = run("fsck", DATABASE_URL=url)
    assert (result.exit_code, result.stdout) == (1, "I2: t:inn has 5 gold, by the ledger 0\n")


@pytest.mark.parametrize("words", [["fsck"], ["db", "status"], ["db", "upgrade"]])
def test_a_database_that_is_not_there(run: Run, words: list[str]) -> None:
    """One sentence, without its password."""
    result = run(*words, DATABASE_URL="postgresql://me:hush@127.0.0.1:1/d")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "PostgreSQL at 127.0.0.1:1 cannot be reached" in result.stderr
    assert "hush" not in result.stderr
