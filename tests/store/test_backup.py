"""Backups: what goes in comes out, in either kind of database; a file that is not whole is not believed."""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import sqlite3
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mythos.errors import MythosError
from mythos.store import backup as backups
from mythos.store import backup_file
from mythos.store.backup_file import BackupError, Unpacked, Writer, read_key, seal_holds
from mythos.store.copying import TABLES, counts, differences, reading
from mythos.store.fsck import check, check_postgres
from mythos.store.migrate import steps
from mythos.store.postgres.schema import Target
from mythos.store.sqlite import connect
from tests.store.test_copying import dump
from tests.store.test_fsck import played

KEY, OTHER = b"k" * 32, b"o" * 32
NOW = datetime(2026, 11, 21, 12, 34, 56, 789_000, tzinfo=UTC)


def silent(what: str, done: int, total: int) -> None:
    assert 0 <= done <= total, what


def back_up(data: Path, to: Path, key: bytes | None = None, store: Path | Target | None = None) -> Path:
    return backups.back_up(store or data / "mythos.db", data, to, now=NOW, key=key, tell=silent)[0]


def restore(path: Path, store: Path | Target, data: Path, key: bytes | None = None, *, dry_run: bool = False) -> None:
    backups.restore(path, key, store, data, dry_run=dry_run, tell=silent)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a world that was played in."""
    directory = tmp_path_factory.mktemp("backup") / "data"
    directory.mkdir()
    store = played().store
    file = connect(str(directory / "mythos.db"))
    store._database.backup(file)
    store.close()
    file.close()
    for name, text in (
        ("secret", "ab" * 32),
        ("i3-passwords.json", '{"Mythos": {"*i4": 7}}'),
        ("i3-channels.json", "{}"),
        ("gateway-keys.json", "[]"),
        ("ports.json", '{"telnet": 4000}'),
    ):
        (directory / name).write_text(text)
    return directory


@pytest.fixture(scope="module", params=[None, KEY], ids=["plain", "encrypted"])
def made(request: pytest.FixtureRequest, data: Path) -> tuple[Path, bytes | None]:
    """A backup, and its key."""
    return back_up(data, data.parent / "made", request.param), request.param


@pytest.fixture
def target(cluster: Any) -> Iterator[Target]:
    name = cluster.make()
    yield Target(cluster.url_of(name))
    cluster.drop(name)


def same(one: Path | Target, other: Path | Target) -> None:
    with reading(one) as here, reading(other) as there:
        assert list(differences(here, there)) == []


# ── there and back ──────────────────────────────────────────────────────────────────────────────


def test_there_and_back(made: tuple[Path, bytes | None], data: Path, tmp_path: Path) -> None:
    """The store comes back row for row; files of the directory do too, secrets of an encrypted backup alone."""
    path, key = made
    manifest, broken = backups.verify(path, key, tell=silent)
    assert broken == []
    with reading(data / "mythos.db") as side:
        assert manifest.rows == counts(side)
    assert (manifest.made, manifest.schema) == ("2026-11-21T12:34:56.789000+00:00", len(steps()))
    new = tmp_path / "new"
    new.mkdir()
    restore(path, new / "mythos.db", new, key)
    assert sorted(dump(new / "mythos.db")) == sorted(dump(data / "mythos.db"))  # lines have no order
    assert list(check(new / "mythos.db")) == []
    expected = {"mythos.db", "i3-channels.json", "gateway-keys.json"}
    assert {file.name for file in new.iterdir() if file.suffix not in (".db-wal", ".db-shm")} == expected | (
        set() if key is None else {"secret", "i3-passwords.json"}
    )
    for name in manifest.kept:
        assert (new / name).read_bytes() == (data / name).read_bytes()
        assert stat.S_IMODE((new / name).stat().st_mode) == 0o600


def test_between_engines(data: Path, target: Target, tmp_path: Path) -> None:
    """From a file into PostgreSQL, from there into a file, and nothing has changed."""
    restore(back_up(data, tmp_path / "one"), target, tmp_path)
    assert list(check_postgres(target)) == []
    path = back_up(data, tmp_path / "two", store=target)
    manifest, broken = backups.verify(path, None, tell=silent)
    assert (broken, manifest.source.split()[0]) == ([], "PostgreSQL")
    restore(path, tmp_path / "back.db", tmp_path)
    same(data / "mythos.db", tmp_path / "back.db")
    with pytest.raises(MythosError, match=r"is not empty: .* Nothing was copied\."):
        restore(path, target, tmp_path)


def test_the_file(made: tuple[Path, bytes | None], data: Path) -> None:
    """Nobody else may read it; what is not encrypted opens without Mythos; nothing is left beside it."""
    path, key = made
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.name == "mythos-20261121T123456.789Z.tar.gz" + ("" if key is None else ".enc")
    assert not list(path.parent.glob(".*"))
    if key is None:
        listed = subprocess.run(["tar", "-tzf", path], capture_output=True, text=True, check=True)
        assert listed.stderr == ""
        assert listed.stdout.split() == ["manifest.json", "store.db", "data/gateway-keys.json", "data/i3-channels.json"]
        subprocess.run(["gzip", "-t", path], check=True)
    else:
        assert b"SQLite" not in path.read_bytes()


def test_while_somebody_writes(data: Path, tmp_path: Path) -> None:
    """A backup is one instant: what is written after its first page is not in it, though the file has it already."""
    busy = connect(str(data / "mythos.db"))
    with sqlite3.connect(data / "mythos.db") as before:
        (sessions,) = before.execute("SELECT count(*) FROM session").fetchone()
    before.close()
    wrote = 0

    def tell(what: str, done: int, total: int) -> None:
        nonlocal wrote
        if what == "Copying the store":
            wrote += 1
            busy.execute("INSERT INTO batch VALUES ('meanwhile', 1) ON CONFLICT DO UPDATE SET number = number + 1")

    path, manifest = backups.back_up(data / "mythos.db", data, tmp_path, now=NOW, key=None, tell=tell)
    (number,) = busy.execute("SELECT number FROM batch WHERE incarnation = 'meanwhile'").fetchone()
    busy.execute("DELETE FROM batch WHERE incarnation = 'meanwhile'")
    busy.close()
    assert wrote == number > 0
    restore(path, tmp_path / "back.db", tmp_path)
    same(data / "mythos.db", tmp_path / "back.db")
    assert manifest.rows["session"] == sessions


# ── files that are not whole ────────────────────────────────────────────────────────────────────


def refused(path: Path, key: bytes | None, said: str) -> None:
    with pytest.raises(BackupError, match=said) as caught:
        backups.verify(path, key, tell=silent)
    assert "\n" not in str(caught.value)


def places(size: int, long: bool) -> list[int]:
    """Where to break a file: both ends, and some of what is between; with --long everywhere."""
    if long:
        return list(range(size))
    ends = [*range(150), *range(size - 150, size)]
    return sorted({*ends, *random.Random(6).sample(range(size), 200)})


def test_a_changed_byte(made: tuple[Path, bytes | None], tmp_path: Path, long: bool) -> None:
    """Wherever it is, whichever bit."""
    path, key = made
    whole = path.read_bytes()
    dice = random.Random(5)
    bad = tmp_path / "bad"
    for place in places(len(whole), long):
        bad.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :])
        refused(bad, key, "is damaged|is no backup of Mythos|another key")


def test_a_cut(made: tuple[Path, bytes | None], tmp_path: Path, long: bool) -> None:
    """Anywhere; and something behind the end is no better."""
    path, key = made
    whole = path.read_bytes()
    bad = tmp_path / "bad"
    for size in places(len(whole), long):
        bad.write_bytes(whole[:size])
        refused(bad, key, "is damaged or cut short|is no backup of Mythos|another key")
    bad.write_bytes(whole + b"\0")
    refused(bad, key, "is damaged")


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131_072, 200_000])
def test_chunks(size: int, tmp_path: Path) -> None:
    """Whatever fits how into chunks comes out again; chunks that change their places or are gone are noticed."""
    path, text = tmp_path / "file", random.Random(size).randbytes(size)
    with path.open("wb") as file:
        packed = Writer(file, KEY)
        packed.write(text)
        packed.finish()
    seal_holds(path, KEY)
    source = Unpacked(path, KEY)
    assert b"".join(iter(lambda: source.read(1000), b"")) == text
    whole = path.read_bytes()
    head = whole.index(b"\n") + 1 + 32
    chunks = [whole[start : start + 65552] for start in range(head, len(whole), 65552)]
    for bad in ([*chunks[1:], chunks[0]], chunks[:-1], [*chunks, chunks[-1]]):
        if bad != chunks:
            path.write_bytes(whole[:head] + b"".join(bad))
            with pytest.raises(BackupError):
                seal_holds(path, KEY)


def test_keys(data: Path, tmp_path: Path) -> None:
    """A wrong key, none, and what is no key: a sentence each."""
    path = back_up(data, tmp_path, KEY)
    refused(path, OTHER, "was encrypted with another key")
    refused(path, None, "is encrypted: name the file of its key with --key FILE")
    (tmp_path / "short").write_text("ab")
    with pytest.raises(BackupError, match=r"has 2 bytes.*openssl rand -hex 32 > FILE"):
        read_key(tmp_path / "short")
    with pytest.raises(BackupError, match=r"cannot be read \(No such file.*: name"):
        read_key(tmp_path / "none")
    (tmp_path / "good").write_text("ab" * 32 + "\n")
    assert read_key(tmp_path / "good") == b"ab" * 32


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b\x08" + bytes(100), b"SQLite format 3\0" + bytes(99)])
def test_another_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    refused(tmp_path / "file", None, "is no backup of Mythos")


def test_nothing_there(tmp_path: Path) -> None:
    refused(tmp_path / "file", None, r"cannot be read \(No such file")
    refused(tmp_path, None, r"cannot be read \(Is a directory")


def forge(path: Path, *members: tuple[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    """A file with a good seal."""
    with path.open("wb") as file:
        packed: Any = Writer(file, None)
        with tarfile.open(fileobj=packed, mode="w|") as archive:
            for name, text in members:
                about = tarfile.TarInfo(name)
                about.size, about.type = len(text), kind
                archive.addfile(about, io.BytesIO(text))
        packed.finish()
    return path


def opened(path: Path) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {one.name: file.read() for one in archive if (file := archive.extractfile(one)) is not None}


def change(path: Path, to: Path, how: Callable[[dict[str, Any], dict[str, bytes]], None]) -> Path:
    """A backup that says something else of itself."""
    members = opened(path)
    manifest = json.loads(members.pop("manifest.json"))
    how(manifest, members)
    return forge(to, ("manifest.json", json.dumps(manifest).encode()), *members.items())


def _newer_form(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    manifest.clear()
    manifest.update(form=2, version="9.0")


def _other_store(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members["store.db"] += bytes(1)


def _no_store(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    del manifest["files"]["store.db"], members["store.db"]


def _lost(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    del members["data/i3-channels.json"]


def _stray(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    members["data/more.json"] = b"{}"


def _elsewhere(manifest: dict[str, Any], members: dict[str, bytes]) -> None:
    manifest["files"]["data/../../out"] = manifest["files"]["data/i3-channels.json"]
    members["data/../../out"] = members["data/i3-channels.json"]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (_newer_form, r"was made by Mythos 9\.0, in a form this version cannot read: start a newer one"),
        (_other_store, "does not hold what it says: store.db is not the one that was packed"),
        (_no_store, "it holds no store"),
        (_lost, "does not hold what it says: data/i3-channels.json"),
        (_stray, "is no backup of Mythos"),
        (_elsewhere, "is no backup of Mythos"),
    ],
)
def test_a_manifest_that_is_not_true(data: Path, tmp_path: Path, how: Any, said: str) -> None:
    path = change(back_up(data, tmp_path / "good"), tmp_path / "bad", how)
    refused(path, None, said)
    assert {one.name for one in tmp_path.iterdir()} == {"good", "bad"}


def test_archives_of_others(tmp_path: Path) -> None:
    refused(forge(tmp_path / "one", ("hello.txt", b"hello")), None, "is no backup of Mythos")
    refused(forge(tmp_path / "two", ("manifest.json", b"[]")), None, "its manifest cannot be read")
    refused(forge(tmp_path / "three", ("manifest.json", b""), kind=tarfile.DIRTYPE), None, "is no backup of Mythos")
    refused(forge(tmp_path / "four"), None, "is no backup of Mythos")


def test_a_newer_schema(data: Path, tmp_path: Path) -> None:
    """It can be backed up by this version, and not be read by it."""
    (tmp_path / "d").mkdir()
    file = connect(str(tmp_path / "d" / "mythos.db"))
    with sqlite3.connect(data / "mythos.db") as source:
        source.backup(file)
    source.close()
    file.execute("INSERT INTO schema_version VALUES (99, 'later', '', 99)")
    file.close()
    refused(back_up(tmp_path / "d", tmp_path), None, r"has schema 99, which this version of Mythos cannot read")


# ── what is in the way ──────────────────────────────────────────────────────────────────────────


def test_a_target_that_is_not_empty(data: Path, tmp_path: Path) -> None:
    """It stays as it is; a file that is the same is not in the way."""
    path = back_up(data, tmp_path, KEY)
    new = tmp_path / "new"
    new.mkdir()
    (new / "secret").write_text("another")
    with pytest.raises(BackupError, match=r"secret is there already, and is another one.*Nothing was restored"):
        restore(path, new / "mythos.db", new, KEY)
    assert [file.name for file in new.iterdir()] == ["secret"]
    (new / "secret").write_bytes((data / "secret").read_bytes())
    restore(path, new / "mythos.db", new, KEY)
    before = dump(new / "mythos.db")
    with pytest.raises(BackupError, match=r"mythos\.db is not empty: it has \d+ rows\. Nothing was restored\."):
        restore(path, new / "mythos.db", new, KEY)
    assert dump(new / "mythos.db") == before
    (new / "other").write_text("something else")
    with pytest.raises(BackupError, match=r"other is there already, and is no database of SQLite: name another file"):
        restore(path, new / "other", new, KEY)


def test_a_dry_run(data: Path, tmp_path: Path) -> None:
    path = back_up(data, tmp_path)
    restore(path, tmp_path / "new.db", tmp_path, dry_run=True)
    assert list(tmp_path.iterdir()) == [path]


def test_a_restore_that_breaks(data: Path, tmp_path: Path) -> None:
    """Nothing half done: what was there before is all that is there."""
    path = back_up(data, tmp_path)
    new = tmp_path / "new"
    new.mkdir()
    with pytest.raises(MythosError, match="PostgreSQL"):
        restore(path, Target("postgresql://127.0.0.1:1/d"), new)
    with pytest.raises(MythosError, match=r"mythos\.db cannot be opened: run as the user that owns it"):
        restore(path, new / "nowhere" / "mythos.db", new)
    assert list(new.iterdir()) == []


def test_a_store_that_is_not_sound(data: Path, tmp_path: Path) -> None:
    """It is backed up as it is, for whoever wants to mend it; who verifies it is told, and it is not restored."""
    (tmp_path / "d").mkdir()
    file = connect(str(tmp_path / "d" / "mythos.db"))
    with sqlite3.connect(data / "mythos.db") as source:
        source.backup(file)
    source.close()
    file.execute("UPDATE balance SET amount = amount + 5 WHERE holder = 'c7' AND asset = 'gold'")
    file.close()
    path = back_up(tmp_path / "d", tmp_path)
    _, broken = backups.verify(path, None, tell=silent)
    assert [one.invariant for one in broken] == ["I2"]
    with pytest.raises(BackupError, match=r"is not sound \(I2: c7 has .* gold.*Nothing was restored"):
        restore(path, tmp_path / "new.db", tmp_path)
    assert not (tmp_path / "new.db").exists()


def test_what_cannot_be_backed_up(data: Path, tmp_path: Path, target: Target) -> None:
    with pytest.raises(BackupError, match=r"There is no .*none\.db"):
        back_up(data, tmp_path / "to", store=tmp_path / "none.db")
    sqlite3.connect(tmp_path / "other.db").close()
    with pytest.raises(BackupError, match=r"other\.db is no database of Mythos"):
        back_up(data, tmp_path / "to", store=tmp_path / "other.db")
    with pytest.raises(BackupError, match="is no database of Mythos: see mythosctl db status"):
        back_up(data, tmp_path / "to", store=target)
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="Not a directory"):
        back_up(data, tmp_path / "file" / "to")
    assert not (tmp_path / "to").exists()


def test_every_table_is_counted(data: Path) -> None:
    with reading(data / "mythos.db") as side:
        assert counts(side).keys() == {table.name for table in TABLES}


def test_the_seal_is_gzip() -> None:
    """Of nothing."""
    seal = backup_file._SEAL % os.urandom(32)
    assert (gzip.decompress(seal), len(seal)) == (b"", backup_file._SEAL_SIZE)
