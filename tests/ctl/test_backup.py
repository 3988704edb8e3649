"""``mythosctl backup``, ``verify``, ``restore``: what they say, and what they leave."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result

from mythos.ctl.backup import Bar
from tests.ctl.conftest import Run
from tests.ctl.test_db import GOLD
from tests.ctl.test_main import store
from tests.postgres import Cluster


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a store, in the directory of the test."""
    path = store(tmp_path / "mythos-data" / "mythos.db", *GOLD).parent
    (path / "secret").write_text("ab" * 32)
    (path / "i3-lists.json").write_text("{}")
    (tmp_path / "key").write_text("cd" * 32)
    (tmp_path / "other").write_text("ef" * 32)
    return path


def made(run: Run, *words: str) -> str:
    result = run("backup", "b", "--json", *words)
    assert (result.exit_code, result.stderr) == (0, "")
    return str(json.loads(result.stdout)["file"])


def refused(result: Result, said: str) -> None:
    """One sentence, and nothing else."""
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_backup(run: Run, data: Path) -> None:
    """Into backups/ of the data directory, if nothing else is said."""
    result = run("backup")
    assert (result.exit_code, result.stderr) == (0, "")
    (path, mark) = sorted((data / "backups").iterdir())
    assert mark.name == f"{path.name}.verified"
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{path}: ")
    assert lines[0].endswith(" KB, 0 entities, 0 accounts.")
    assert lines[1:] == [
        "It was unpacked elsewhere and is sound: I0, I1, I2, I3, I4, I5, I6, I7 hold.",
        "The server's secrets are not in it: --encrypt KEYFILE takes them along.",
    ]


def test_backup_as_json(run: Run, data: Path) -> None:
    result = run("backup", "b", "--json", "--encrypt", "key", "--no-verify")
    found = json.loads(result.stdout)
    assert (found["ok"], found["verified"], found["encrypted"]) == (True, False, True)
    assert (found["rows"]["ledger_line"], found["files"]) == (2, ["i3-lists.json", "secret"])
    assert Path(found["file"]).stat().st_size == found["bytes"]


def test_backup_beside_a_server(run: Run, data: Path) -> None:
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert run("backup").exit_code == 0


def test_verify(run: Run, data: Path) -> None:
    path = made(run)
    result = run("verify", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith("It is sound: I0, I1, I2, I3, I4, I5, I6, I7 hold.\n")
    assert json.loads(run("verify", path, "--json").stdout)["problems"] == []


def test_verify_of_a_store_that_is_not_sound(run: Run, data: Path) -> None:
    """It is told when the backup is made; the file is there, for whoever wants to mend it."""
    store(data / "broken.db", "INSERT INTO balance VALUES ('t:inn', 'gold', 5, 0)")
    result = run("backup", "b", DATABASE_URL=f"sqlite:///{data}/broken.db")
    assert result.exit_code == 1
    assert "I2: t:inn has 5 gold, by the ledger 0\n" in result.stdout
    assert "is not sound: see mythosctl fsck" in result.stderr
    (path,) = Path("b").iterdir()
    found = run("verify", str(path), "--json")
    assert (found.exit_code, json.loads(found.stdout)["ok"]) == (1, False)


def test_restore(run: Run, data: Path) -> None:
    """With the key the new directory is the old one; a dry run says so and makes nothing."""
    path = made(run, "--encrypt", "key")
    dry = run("restore", path, "--key", "key", "--data", "new", "--dry-run")
    assert (dry.exit_code, "can be restored into" in dry.stdout) == (0, True)
    assert not Path("new").exists()
    result = run("restore", path, "--key", "key", "--data", "new")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "is restored into" in result.stdout
    assert Path("new/secret").read_text() == "ab" * 32
    assert run("fsck", "--data", "new").exit_code == 0
    again = run("restore", path, "--key", "key", "--data", "new", "--dry-run")
    refused(again, "is not empty: it has")


def test_restore_into_postgresql(run: Run, data: Path, cluster: Cluster) -> None:
    """And from there into a file."""
    name = cluster.make()
    url = cluster.url_of(name)
    try:
        result = run("restore", made(run), "--data", "pg", "--json", DATABASE_URL=url)
        assert (result.exit_code, json.loads(result.stdout)["rows"]["ledger_line"]) == (0, 2)
        again = run("restore", made(run), "--data", "pg", DATABASE_URL=url)
        refused(again, "is not empty")
        back = json.loads(run("backup", "c", "--json", "--data", "pg", DATABASE_URL=url).stdout)
        assert back["source"].startswith("PostgreSQL")
    finally:
        cluster.drop(name)
    assert run("restore", back["file"], "--data", "back").exit_code == 0
    assert cluster.ask("SELECT 1") == [(1,)]


def test_restore_in_the_place_of_another(run: Run, data: Path) -> None:
    """What was there is kept beside, whole, with state that belongs to it alone, and not overwritten by another."""
    path = made(run)
    store(data / "mythos.db", "DELETE FROM account", "INSERT INTO batch VALUES ('since then', 1)")
    (data / "gateway-state.json").write_text('{"since": {}}')
    before = (data / "mythos.db").read_bytes()
    refused(run("restore", path), "is not empty")
    dry = run("restore", path, "--replace", "--dry-run")
    assert (dry.exit_code, (data / "mythos.db").read_bytes()) == (0, before)
    result = run("restore", path, "--replace")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "What was there is kept beside it, as .before-restore." in result.stdout
    assert (data / "mythos.db.before-restore").read_bytes() == before
    assert (data / "gateway-state.json.before-restore").exists()
    assert not (data / "gateway-state.json").exists()
    assert (data / "secret").read_text() == "ab" * 32  # the backup has none
    assert run("fsck").exit_code == 0
    with closing(sqlite3.connect(data / "mythos.db")) as database:
        assert database.execute("SELECT count(*) FROM batch WHERE incarnation = 'since then'").fetchone() == (0,)
    again = (data / "mythos.db").read_bytes()
    refused(run("restore", path, "--replace"), "of a restore before: move it away first. Nothing was restored.")
    assert (data / "mythos.db").read_bytes() == again


def test_a_restore_in_the_place_of_another_that_fails(run: Run, data: Path) -> None:
    """All is as it was: here the file that is to be written cannot be."""
    path = made(run, "--encrypt", "key")
    (data / "secret").write_text("cd" * 32)
    (data / "mythos.db").rename(data / "kept.db")
    (data / "mythos.db").mkdir()
    (data / "mythos.db" / "x").touch()
    (data / ".secret.part").touch()  # in the way of the new one
    assert run("restore", path, "--key", "key", "--replace").exit_code == 1
    assert (data / "secret").read_text() == "cd" * 32
    assert (data / "mythos.db" / "x").exists()
    assert not list(data.glob("*.before-restore"))


def test_restore_in_the_place_of_postgresql(run: Run, data: Path, cluster: Cluster) -> None:
    """In one transaction; what was there is a file of SQLite, from which it can be copied back."""
    name = cluster.make()
    url = cluster.url_of(name)
    try:
        assert run("restore", made(run), "--data", "pg", DATABASE_URL=url).exit_code == 0
        cluster.ask("INSERT INTO batch VALUES ('since then', 1)", database=name)
        result = run("restore", made(run), "--data", "pg", "--replace", DATABASE_URL=url)
        assert (result.exit_code, result.stderr) == (0, "")
        since = "SELECT count(*) FROM batch WHERE incarnation = 'since then'"
        assert cluster.ask(since, database=name) == [(0,)]
        with closing(sqlite3.connect("pg/postgresql.before-restore")) as kept:
            assert kept.execute(since).fetchone() == (1,)
        assert run("fsck", "--data", "pg", DATABASE_URL=url).exit_code == 0
    finally:
        cluster.drop(name)


def test_restore_under_a_server(run: Run, data: Path) -> None:
    path = made(run)
    (data / "mythos.db").unlink()
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused(run("restore", path), "Another server runs on")
    assert not (data / "mythos.db").exists()


def test_what_is_no_backup(run: Run, data: Path) -> None:
    """One sentence each, and nothing is made."""
    path = Path(made(run, "--encrypt", "key"))
    refused(run("verify", str(path)), "is encrypted: name the file of its key with --key FILE.")
    refused(run("verify", str(path), "--key", "other"), "was encrypted with another key")
    refused(
        run("verify", str(path), "--key", "nokey"),
        "The key file nokey cannot be read (No such file or directory): name the",
    )
    refused(run("verify", "nothing"), "cannot be read (No such file or directory): name a backup that")
    refused(run("restore", "key", "--data", "new"), "key is no backup of Mythos: name one")
    path.write_bytes(path.read_bytes()[:-1])
    refused(run("restore", str(path), "--key", "key", "--data", "new"), "is damaged or cut short")
    assert not Path("new").exists()


def test_what_cannot_be_backed_up(run: Run, data: Path) -> None:
    refused(run("backup", "b", DATABASE_URL="memory:"), "keeps everything in memory")
    refused(run("backup", "b", "--data", "nowhere"), "There is no")
    refused(run("backup", "key/b"), "key/b cannot be used (Not a directory): see that")
    (data / "text.db").write_text("this is not a database, however long the text in it may be" * 99)
    refused(
        run("backup", "b", DATABASE_URL=f"sqlite:///{data}/text.db"),
        "text.db is no database of SQLite: name another file",
    )
    refused(run("backup", "b", DATABASE_URL="postgresql://me:hush@127.0.0.1:1/d"), "cannot be reached")
    assert not Path("b").exists()
    assert not Path("nowhere").exists()


_MOUNTED = """
mount -t tmpfs -o size=64k none small && mount -t tmpfs -o ro none fixed || exit 99
"$0" -m mythos.ctl backup small 2>&1
"$0" -m mythos.ctl backup fixed 2>&1
TMPDIR=$PWD/small "$0" -m mythos.ctl backup room 2>&1
"$0" -m mythos.ctl backup room >/dev/null || exit 1
"$0" -m mythos.ctl restore room/*.gz --data small/data 2>&1
ls -A small
"""


def test_a_full_and_a_fixed_disk(data: Path, tmp_path: Path) -> None:
    """Where it is written, and where it is unpacked: one sentence, and nothing is left."""
    store(data / "mythos.db", "INSERT INTO meta VALUES ('noise', hex(randomblob(100000)))")
    for name in ("small", "fixed"):
        (tmp_path / name).mkdir()
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("unshare was not found")
    done = subprocess.run(
        [unshare, "--mount", "--map-root-user", "sh", "-c", _MOUNTED, sys.executable],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode == 99:
        pytest.skip("this user may not mount a file system of its own")
    full = "The disk is full: there must be room where it is written, and for a copy of the store in "
    lines = [line.replace(str(tmp_path), "") for line in done.stdout.splitlines()]
    assert [line.split(" (TMPDIR")[0] for line in lines] == [
        f"{full}{tempfile.gettempdir()}",
        "/fixed cannot be written: Read-only file system. Nothing was written.",
        f"{full}/small",
        "/small/data/mythos.db cannot grow, for its disk is full: make room there.",
    ]
    assert (done.returncode, done.stderr) == (0, "")


def test_a_bar() -> None:
    """On a terminal one line that changes, elsewhere one every ten seconds."""
    now, said = 0.0, list[str]()
    bar = Bar(terminal=True, seconds=lambda: now, write=said.append)
    for now in (100.0, 100.01, 101.0, 102.0):
        bar("Packing", int(now) - 99, 4)
    bar("Packing", 4, 4)
    bar.end()
    assert said[0] == "\r\033[KPacking            [#####               ]  25%, 0 s left"
    assert said[1].endswith("[##########          ]  50%, 1 s left")
    assert [text[-4:] for text in said[2:]] == ["left", "100%", "\r\033[K"]
    said.clear()
    now = 200.0
    bar = Bar(terminal=False, seconds=lambda: now, write=said.append)
    for now in (200.0, 205.0, 212.0, 215.0, 223.0):
        bar("Packing", int(now) - 200, 40)
    bar.end()
    assert said == ["Packing: 30%, 28 s left\n", "Packing: 57%, 17 s left\n"]
