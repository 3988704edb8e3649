"""``mythosctl`` where something is wrong: one sentence names it and the way out, and nothing is half done."""

from __future__ import annotations

import contextlib
import shutil
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from click.testing import CliRunner

from mythos.config.model import DECLARED
from mythos.ctl.main import main
from mythos.store.sqlite import connect
from tests.house.server import Server
from tests.security.wrong import PYTHON, Answer, Do, Wrong, asked, directory, judge, snapshot, sqlite, written

_CTL: Final = (PYTHON, "-m", "mythos.ctl")
_SONGS: Final = sqlite("mythos-data/mythos.db", "CREATE TABLE songs (id INT); INSERT INTO songs VALUES (1)")
_TEXT: Final = written("mythos-data/mythos.db", "hello " * 200)
_STORE: Final = "{p}/mythos-data/mythos.db"
_OTHERS: Final = (_STORE, "with the tables songs", "DATABASE_URL")
_NO_SQLITE: Final = (_STORE, "no database of SQLite", "DATABASE_URL")
_URL: Final = ("--url", "http://127.0.0.1:1")


def _damage(place: Path) -> None:
    path = place / "mythos-data/mythos.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))


def _newer(place: Path) -> None:
    with closing(connect(str(place / "mythos-data/mythos.db"))) as database:
        database.execute("INSERT INTO schema_version VALUES (99, 'later', 'x', 99)")


def _flipped(place: Path) -> None:
    path = place / "good.bak"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def _cut(name: str) -> Do:
    def do(place: Path) -> None:
        (place / name).write_bytes((place / name).read_bytes()[:-40])

    return do


def _wrong(name: str, words: str, says: tuple[str, ...], do: Do = lambda place: None, **more: object) -> Wrong:
    return Wrong(name, says, do, tuple(words.split()), **{"code": 1, **more})  # type: ignore[arg-type]


_ORDERS: Final = [
    _wrong("a backup that is not there", "verify nope", ("{p}/nope", "name a backup")),
    _wrong("a backup that is a directory", "verify mythos-data", ("{p}/mythos-data", "name a backup")),
    _wrong(
        "a backup that may not be read",
        "verify good.bak",
        ("{p}/good.bak", "that you may read"),
        lambda place: (place / "good.bak").chmod(0),
        rights=False,
    ),
    _wrong(
        "an empty backup",
        "verify good.bak",
        ("{p}/good.bak", "name one that mythosctl backup made"),
        written("good.bak", ""),
    ),
    _wrong(
        "a backup of text",
        "verify good.bak",
        ("{p}/good.bak", "name one that mythosctl backup made"),
        written("good.bak", "hello"),
    ),
    _wrong("a flipped bit", "verify good.bak", ("{p}/good.bak", "take another one"), _flipped),
    _wrong("a backup that was cut", "verify good.bak", ("{p}/good.bak", "take another one"), _cut("good.bak")),
    _wrong(
        "an encrypted backup that was cut",
        "verify shut.bak --key key",
        ("{p}/shut.bak", "take another one"),
        _cut("shut.bak"),
    ),
    _wrong("no key", "verify shut.bak", ("{p}/shut.bak", "--key FILE")),
    _wrong(
        "another key",
        "verify shut.bak --key other",
        ("{p}/shut.bak", "another key", "--key FILE"),
        written("other", "f" * 64),
    ),
    _wrong(
        "a short key", "verify shut.bak --key other", ("other has 3 bytes", "openssl rand"), written("other", "abc")
    ),
    _wrong("a key that is not there", "verify shut.bak --key nope", ("nope", "name the one that holds the key")),
    _wrong("no room to unpack", "verify good.bak", ("{p}/disk", "TMPDIR"), env={"TMPDIR": "{p}/disk"}, disk="size=40k"),
    _wrong(
        "no room to restore", "restore good.bak --data disk/d", ("{p}/disk/d/mythos.db", "has room"), disk="size=40k"
    ),
    _wrong("a world that is there", "restore good.bak", (_STORE, "is not empty")),
    _wrong("another program's database to fill", "restore good.bak", (_STORE, "is there already"), _SONGS),
    _wrong(
        "another server's key",
        "restore shut.bak --key key --data d",
        ("{p}/d/secret", "empty directory"),
        written("d/secret", "f" * 64),
    ),
    _wrong(
        "a damaged backup to restore", "restore good.bak --data new", ("{p}/good.bak", "take another one"), _flipped
    ),
    _wrong("a file to restore into", "restore good.bak --data file", ("{p}/file", "--data DIR"), written("file", "")),
    _wrong(
        "a directory to restore into that is fixed",
        "restore good.bak --data fixed/d",
        ("{p}/fixed/d", "--data DIR"),
        directory("fixed", 0o500),
        rights=False,
    ),
    _wrong("nothing to back up", "backup b --data nowhere", ("{p}/nowhere/mythos.db", "--data DIR")),
    _wrong("another program's database to back up", "backup b", _OTHERS, _SONGS),
    _wrong("text to back up", "backup b", _NO_SQLITE, _TEXT),
    _wrong("a damaged store to back up", "backup b", (_STORE, "is damaged", "mythosctl restore"), _damage),
    _wrong("a file in place of backups", "backup file", ("{p}/file", "File exists"), written("file", "")),
    _wrong(
        "backups on a disk that is full",
        "backup disk",
        ("disk is full", "there must be room"),
        disk="size=4k",
    ),
    _wrong(
        "backups where nothing may be written",
        "backup fixed",
        ("{p}/fixed", "Permission denied"),
        directory("fixed", 0o500),
        rights=False,
    ),
    _wrong("memory to back up", "backup b", ("in memory",), env={"DATABASE_URL": "memory:"}),
    *(
        wrong
        for order in ("fsck", "db status")
        for wrong in (
            _wrong(f"{order} of nothing", f"{order} --data nowhere", ("{p}/nowhere/mythos.db",)),
            _wrong(f"{order} of text", order, _NO_SQLITE, _TEXT),
        )
    ),
    _wrong("db status of another program's database", "db status", _OTHERS, _SONGS),
    _wrong("db upgrade of another program's database", "db upgrade", _OTHERS, _SONGS),
    _wrong("db status of a newer schema", "db status", (_STORE, "schema 99", "start a newer version"), _newer),
    _wrong("db upgrade of a newer schema", "db upgrade", (_STORE, "schema 99", "start a newer version"), _newer),
    _wrong(
        "a copy of what is not there",
        "db copy sqlite:///nope.db sqlite:///new.db",
        ("{p}/nope.db", "Nothing was copied"),
    ),
    _wrong(
        "a copy into another program's",
        "db copy sqlite:///mythos-data/mythos.db sqlite:///songs.db",
        ("{p}/songs.db", "another program"),
        sqlite("songs.db", "CREATE TABLE songs (id INT)"),
    ),
    _wrong(
        "a copy of another program's",
        "db copy sqlite:///songs.db sqlite:///new.db",
        ("{p}/songs.db",),
        sqlite("songs.db", "CREATE TABLE songs (id INT)"),
    ),
    _wrong("no server", "status", ("{p}/mythos-data", "start it", "--data DIR"), code=3),
    _wrong(
        "a socket that is none",
        "status",
        ("{p}/mythos-data", "start it"),
        written("mythos-data/control.sock", "x"),
        code=3,
    ),
    _wrong("a configuration that is wrong", "status", ("mythos.yaml:1:1",), written("mythos.yaml", "nope: 1\n")),
    _wrong("an address that is none", "status --url nonsense", ("nonsense", "https://"), code=2),
    _wrong("a token that would be overheard", "status --url http://mud.example.org", ("use https",), code=2),
    _wrong("no token", " ".join(("status", *_URL)), ("token", "--token-file"), code=2),
    _wrong(
        "a token for all to read",
        " ".join(("status", *_URL, "--token-file t")),
        ("chmod 600",),
        written("t", "x" * 40, 0o644),
    ),
    _wrong(
        "a server elsewhere that is not there",
        " ".join(("status", *_URL, "--token-file t")),
        ("127.0.0.1:1", "see that it runs"),
        written("t", "x" * 40),
        code=3,
    ),
    _wrong(
        "a file of settings that is there", "config init", ("mythos.yaml", "stays as it is"), written("mythos.yaml", "")
    ),
    _wrong("a place where none can be", "config init /proc/nowhere/x.yaml", ("/proc/nowhere/x.yaml",)),
    _wrong(
        "a disk that is full, for the answer",
        "config show",
        ("The answer cannot be written", "make room"),
        shell="{} >/dev/full",
    ),
    _wrong(
        "no directory to be in",
        "config check",
        ("directory this was started in", "change to one"),
        shell="mkdir gone; cd gone; rmdir ../gone; exec {}",
    ),
    _wrong(
        "no directory to ask from",
        "status",
        ("directory this was started in", "change to one"),
        shell="mkdir gone; cd gone; rmdir ../gone; exec {}",
    ),
]


@pytest.fixture(scope="module")
def backed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a server that ran, and two backups of it, one of them encrypted."""
    place = tmp_path_factory.mktemp("backed")
    with Server(place / "mythos-data") as server:
        server.stop()
    (place / "key").write_text("0123456789abcdef" * 4)
    for name, words in (("good.bak", ()), ("shut.bak", ("--encrypt", "key"))):
        made = _done(place, "backup", name, *words)
        assert made.code == 0, made
        (found,) = (one for one in (place / name).iterdir() if one.suffix != ".verified")
        whole = found.read_bytes()
        shutil.rmtree(place / name)
        (place / name).write_bytes(whole)
    return place


def _done(place: Path, *words: str) -> Answer:
    return _ordered(Wrong("", (), words=words), place)


def _ordered(wrong: Wrong, place: Path) -> Answer:
    """In this process if nothing about the process itself is wrong, for a process takes a second."""
    if wrong.shell or wrong.disk or not wrong.rights:
        return asked(_CTL, wrong, place)
    given = dict.fromkeys([name for setting in DECLARED.settings() for name in setting.names])
    env = given | {name: text.format(p=place) for name, text in wrong.env.items()}
    with contextlib.chdir(place):
        result = CliRunner(env=env).invoke(main, [word.format(p=place) for word in wrong.words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return Answer(result.exit_code, result.stdout, result.stderr)


@pytest.mark.parametrize("wrong", _ORDERS, ids=str)
def test_orders(wrong: Wrong, backed: Path, tmp_path: Path) -> None:
    """Everything is as it was, byte for byte, and nothing is there that was not."""
    place = tmp_path / "place"
    shutil.copytree(backed, place)
    wrong.do(place)
    before = snapshot(place)
    judge(wrong, _ordered(wrong, place), place)
    assert snapshot(place) == before


def test_the_good_ones(backed: Path, tmp_path: Path) -> None:
    """What the orders above refuse for what is wrong with it, they do for what is right."""
    place = tmp_path / "place"
    shutil.copytree(backed, place)
    for words in (
        "verify good.bak",
        "verify shut.bak --key key",
        "restore good.bak --data new",
        "fsck --data new",
        "db status",
    ):
        answer = _done(place, *words.split())
        assert answer.code == 0, answer
