"""``twistd -n mythos`` where something is wrong: one sentence names it and the way out, and nothing is half done."""

from __future__ import annotations

import os
import shutil
import socket
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from mythos.store.fsck import check
from mythos.store.sqlite import connect
from tests.house.server import TWISTD, Server
from tests.net.certificates import make
from tests.postgres import Cluster
from tests.security.wrong import Answer, Do, Wrong, asked, directory, judge, rows, snapshot, sqlite, written

_START: Final = (TWISTD, "--pidfile=", "-n", "mythos", "--telnet", "0", "--http", "0", "--metrics", "0")
_PASSWORD: Final = "a good long one"
_KEY: Final = "7f4c2a9be1d84f06a5c3907bd2e86f14"
_TLS: Final = {"SSL_CERT_PATH": "{p}/c.pem", "SSL_KEY_PATH": "{p}/k.pem", "MYTHOS_TELNET_TLS": "0"}
_DEVELOPMENT: Final = {"ENVIRONMENT": "development"}
_ASCII: Final = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
_STORE: Final = "{p}/mythos-data/mythos.db"
_SCHEMA: Final = (
    "CREATE TABLE schema_version (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL,"
    " min_compat INTEGER NOT NULL); INSERT INTO schema_version VALUES (99, 'later', 'x', 99)"
)


def _damage(place: Path, *, cut: bool = False) -> None:
    """The first page of the store stays, and with it the list of its tables."""
    path = place / "mythos-data/mythos.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] if cut else whole[:4096] + b"\xa5" * (len(whole) - 4096))


def _changed_step(place: Path) -> None:
    with closing(connect(str(place / "mythos-data/mythos.db"))) as database:
        database.execute("UPDATE schema_version SET checksum = 'x'")


def _pair(place: Path) -> None:
    make(place / "c.pem", place / "k.pem", "localhost")


def _text_for(text: str) -> Do:
    """A text where the certificate should be."""

    def do(place: Path) -> None:
        _pair(place)
        (place / "c.pem").write_text(text)

    return do


def _mismatch(place: Path) -> None:
    _pair(place)
    make(place / "other.pem", place / "k.pem", "localhost")


def _cover(name: str) -> Wrong:
    """A directory where the server keeps a file."""

    def do(place: Path) -> None:
        path = place / "mythos-data" / name
        path.unlink(missing_ok=True)
        path.mkdir()

    return Wrong(f"a directory in place of {name}", ("{p}/mythos-data/" + name, "move it away"), do)


#: Found before anything is opened: the place stays as it is, byte for byte.
EARLY: Final = [
    Wrong("YAML that is none", ("mythos.yaml:2:1: error: ", "expected"), written("mythos.yaml", "telnet: [4000\n")),
    Wrong("an unknown key", ("mythos.yaml:1:1", "did you mean 'telnet'"), written("mythos.yaml", "telent: 4000\n")),
    Wrong("an unknown variable", ("MYTHOS_TELENT", "did you mean"), env={"MYTHOS_TELENT": "4000"}),
    Wrong("a port that is none", ("--telnet", "expected a port from 0 to 65535"), words=("--telnet", "70000")),
    Wrong(
        "a file of settings that is not there",
        ("--config", "nope.yaml", "name another"),
        words=("--config", "nope.yaml"),
    ),
    Wrong("a directory in place of mythos.yaml", ("mythos.yaml", "move it away"), directory("mythos.yaml")),
    Wrong(
        "a file of settings in Latin-1",
        ("mythos.yaml", "line 2", "save it as UTF-8"),
        written("mythos.yaml", b"mud:\n  name: M\xfcd\n"),
    ),
    Wrong("a .env in Latin-1", (".env", "line 1", "save it as UTF-8"), written(".env", b"MUD_NAME=M\xfcd\n")),
    Wrong(
        "a file of settings that may not be read",
        ("mythos.yaml", "let the server's user read it"),
        written("mythos.yaml", "debug: yes\n", 0),
        rights=False,
    ),
    Wrong("a variable in Latin-1", ("MUD_NAME", "write it in UTF-8"), shell="MUD_NAME=$(printf 'M\\374d') exec {}"),
    Wrong(
        "a wrong key in a locale of ASCII",
        ("mythos.yaml:1:7", "did you mean 'name'"),
        written("mythos.yaml", "mud: {näme: x}\n"),
        env=_ASCII,
    ),
    Wrong(
        "a secret that is not there",
        ("SECRET_KEY_FILE", "nope", "write the secret into it"),
        env={"SECRET_KEY_FILE": "nope"},
    ),
    Wrong(
        "an empty secret",
        ("SECRET_KEY_FILE", "empty", "write the secret into it"),
        written("key", ""),
        env={"SECRET_KEY_FILE": "key"},
    ),
    Wrong("TLS without a certificate", ("ENABLE_SSL", "tls.certificate"), env={"ENABLE_SSL": "yes"}),
    Wrong("a key without a certificate", ("SSL_KEY_PATH", "tls.certificate"), env={"SSL_KEY_PATH": "k.pem"}),
    Wrong(
        "a database of another kind",
        ("DATABASE_URL", "sqlite:///FILE, postgresql://"),
        env={"DATABASE_URL": "mysql://u:hush@h/d"},
    ),
    Wrong(
        "no directory to be in",
        ("directory this was started in", "change to one"),
        shell="mkdir gone; cd gone; rmdir ../gone; exec {}",
    ),
    Wrong("a log in no directory", ("{p}/no/where.log", "LOG_FILE"), env={"LOG_FILE": "no/where.log"}),
    Wrong("a log that is a directory", ("{p}/logs", "LOG_FILE"), directory("logs"), env={"LOG_FILE": "logs"}),
    Wrong("few files may be open", ("may open 40 files", "ulimit -n"), shell="ulimit -n 40; exec {}"),
    Wrong("workers", (), words=("--workers", "4"), code=1),
    Wrong("an option that there is not", (), words=("--tlenet", "4000"), code=1),
    Wrong("a data directory that is a file", ("{p}/file", "--data DIR"), written("file", ""), words=("--data", "file")),
    Wrong(
        "a data directory in a file",
        ("{p}/file/data", "--data DIR"),
        written("file", ""),
        words=("--data", "file/data"),
    ),
    Wrong(
        "a data directory that may not be made",
        ("{p}/fixed/data", "Permission denied", "--data DIR"),
        directory("fixed", 0o500),
        words=("--data", "fixed/data"),
        rights=False,
    ),
    Wrong(
        "a file system that cannot be written",
        ("{p}/disk/data", "Read-only file system", "--data DIR"),
        words=("--data", "disk/data"),
        disk="ro",
    ),
    Wrong("no world", ("{p}/nowhere holds no world", "--world DIR"), words=("--world", "nowhere")),
    Wrong(
        "a world that is no YAML",
        ("world.yaml:2:1", "expected"),
        written("w/world.yaml", "a: [b\n"),
        words=("--world", "w"),
    ),
    Wrong(
        "a world in Latin-1",
        ("{p}/w/world.yaml", "byte 8", "Save it as UTF-8"),
        written("w/world.yaml", b"title: M\xfcd\n"),
        words=("--world", "w"),
    ),
    Wrong(
        "another program's database",
        (_STORE, "with the tables songs", "DATABASE_URL"),
        sqlite("mythos-data/mythos.db", "CREATE TABLE songs (id INT); INSERT INTO songs VALUES (1)"),
    ),
    Wrong(
        "another program's database with a table of ours",
        (_STORE, "with the tables account", "DATABASE_URL"),
        sqlite("mythos-data/mythos.db", "CREATE TABLE account (id INT)"),
    ),
    Wrong(
        "another program's steps of a schema",
        (_STORE, "another program", "DATABASE_URL"),
        sqlite("mythos-data/mythos.db", "CREATE TABLE schema_version (version INT)"),
    ),
    Wrong(
        "a newer schema",
        (_STORE, "schema 99", "start a newer version"),
        sqlite("mythos-data/mythos.db", f"PRAGMA journal_mode=WAL; {_SCHEMA}"),
    ),
    Wrong("a schema that was changed", (_STORE, "changed after it was applied", "restore a backup"), _changed_step),
    Wrong(
        "a store of text",
        (_STORE, "no database of SQLite", "DATABASE_URL"),
        written("mythos-data/mythos.db", "hello " * 200),
    ),
    Wrong(
        "a store that is a directory",
        (_STORE, "is a directory", "DATABASE_URL"),
        _cover("mythos.db").do,
    ),
    Wrong("a damaged store", (_STORE, "is damaged", "mythosctl restore"), _damage),
    Wrong("a store that was cut", (_STORE, "is damaged", "mythosctl restore"), lambda place: _damage(place, cut=True)),
    Wrong(
        "a store that may not be written",
        (_STORE, "run as the user that owns it"),
        lambda place: (place / "mythos-data/mythos.db").chmod(0o400),
        rights=False,
    ),
    Wrong("no place for a store", ("/proc/nowhere", "DB_PATH"), env={"DB_PATH": "/proc/nowhere/a.db"}),
    Wrong(
        "no room for a store",
        ("{p}/disk/data/mythos.db", "disk is full", "make room"),
        words=("--data", "disk/data"),
        disk="size=64k",
    ),
    Wrong("no room at all", ("{p}/disk/data", "make room"), words=("--data", "disk/data"), disk="size=4k"),
    Wrong(
        "files that may not grow",
        ("{p}/new/mythos.db", "ulimit -f"),
        words=("--data", "new"),
        shell="ulimit -f 20; exec {}",
    ),
    Wrong(
        "PostgreSQL that is not there",
        ("127.0.0.1:1", "database.url"),
        env={"DATABASE_URL": "postgresql://u:hush@127.0.0.1:1/d", "MYTHOS_DATABASE_START_TIMEOUT": "0"},
    ),
    Wrong(
        "an address of PostgreSQL that is none",
        ("colour", "database.url"),
        env={"DATABASE_URL": "postgresql://u@127.0.0.1:1/d?colour=red"},
    ),
]

#: Found when the store is open: nothing in it is lost, and it is sound.
LATE: Final = [
    Wrong(
        "an empty key", ("{p}/mythos-data/secret", "put it back", "remove the file"), written("mythos-data/secret", "")
    ),
    Wrong("half a key", ("{p}/mythos-data/secret", "remove the file"), written("mythos-data/secret", _KEY[:31])),
    Wrong(
        "a key of bytes",
        ("{p}/mythos-data/secret", "remove the file"),
        written("mythos-data/secret", bytes(range(128, 192))),
    ),
    _cover("secret"),
    _cover("control.sock"),
    _cover("ports.json"),
    Wrong("a path too long for a socket", ("control.sock", "too long", "--data DIR"), words=("--data", "d" * 100)),
    Wrong(
        "bans that cannot be read", ("sanctions.json", "put the file right"), written("mythos-data/sanctions.json", "{")
    ),
    Wrong(
        "a method that there is not",
        ("gateway.per_method", "nope", "There are: "),
        env={"MYTHOS_GATEWAY_PER_METHOD": "nope=3"},
    ),
    Wrong(
        "an address that is not ours",
        ("192.0.2.1", "--telnet PORT"),
        words=("--telnet", "192.0.2.1:4000"),
        env=_DEVELOPMENT,
    ),
    Wrong(
        "a socket in no directory",
        ("http", "/no/such/x.sock", "see that it is there"),
        words=("--http", "unix:/no/such/x.sock"),
    ),
    Wrong("a path too long for a door", ("http", "too long", "--http PORT"), words=("--http", "unix:{p}/" + "x" * 120)),
    Wrong(
        "an endpoint with a wrong number",
        ("http", "unix:x:mode=abc", "--http PORT"),
        words=("--http", "unix:x:mode=abc"),
    ),
    Wrong(
        "an endpoint with a word too much",
        ("telnet", "tcp:0:colour=red", "--telnet PORT"),
        words=("--telnet", "tcp:0:colour=red"),
        env=_DEVELOPMENT,
    ),
    Wrong(
        "an endpoint of systemd without a socket",
        ("systemd gave no socket for telnet", "ListenStream"),
        words=("--telnet", "systemd:domain=INET:index=0"),
        env=_DEVELOPMENT,
    ),
    Wrong(
        "an endpoint of TLS without its key",
        ("http", "/no/c.pem", "see that it is there"),
        words=("--http", "ssl:0:privateKey=/no/key.pem:certKey=/no/c.pem"),
        env=_DEVELOPMENT,
    ),
    Wrong("a certificate that is not there", ("{p}/c.pem", "No such file", "tls.certificate"), env=_TLS),
    Wrong(
        "a certificate that is a directory",
        ("{p}/c.pem", "Is a directory", "tls.certificate"),
        directory("c.pem"),
        env=_TLS,
    ),
    Wrong(
        "a certificate that is empty",
        ("{p}/c.pem", "PEM"),
        _text_for(""),
        env=_TLS,
    ),
    Wrong(
        "a certificate of text",
        ("{p}/c.pem", "PEM"),
        _text_for("hello"),
        env=_TLS,
    ),
    Wrong(
        "a certificate and another one's key",
        ("{p}/c.pem", "{p}/k.pem", "mismatch", "belong together"),
        _mismatch,
        env=_TLS,
    ),
    Wrong(
        "a key with a password",
        ("{p}/k.pem", "have no password"),
        lambda place: make(place / "c.pem", place / "k.pem", "localhost", password=b"hush"),
        env=_TLS,
    ),
]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a server that ran, with a player in it."""
    place = tmp_path_factory.mktemp("played")
    with Server(place / "mythos-data") as server:
        server.post("/api/v1/register", {"name": "Morwenna", "password": _PASSWORD})
        server.stop()
    return place / "mythos-data"


@pytest.fixture
def place(tmp_path: Path, played: Path) -> Path:
    shutil.copytree(played, tmp_path / "mythos-data")
    return tmp_path


def _same(before: dict[str, tuple[int, bytes]], after: dict[str, tuple[int, bytes]]) -> None:
    assert {name: after.get(name) for name in before} == before


def _starts(data: Path, **env: str) -> None:
    """A right start finds the player."""
    with Server(data, env=env) as server:
        assert server.post("/api/v1/login", {"name": "Morwenna", "password": _PASSWORD})["token"]
        server.stop()


@pytest.mark.parametrize("wrong", EARLY, ids=str)
def test_found_early(wrong: Wrong, place: Path) -> None:
    """Nothing that was there is another, byte for byte, and there is nothing new but where a new server was to be."""
    wrong.do(place)
    before = snapshot(place)
    judge(wrong, asked(_START, wrong, place), place)
    after = snapshot(place)
    _same(before, after)
    assert after.keys() - before.keys() <= {"new", "new/mythos.db"}


@pytest.mark.parametrize("wrong", LATE, ids=str)
def test_found_late(wrong: Wrong, place: Path) -> None:
    """The store was open; it is sound, and its player is there."""
    wrong.do(place)
    ours = ("mythos-data/mythos.db", "mythos-data/gateway-state.json")  # its next numbers
    before = {name: found for name, found in snapshot(place).items() if not name.startswith(ours)}
    judge(wrong, asked(_START, wrong, place), place)
    _same(before, snapshot(place))
    store = place / "mythos-data/mythos.db"
    assert list(check(store)) == []
    assert rows(store)["account"] == 1


def test_a_right_start_after_all(place: Path) -> None:
    """One wrong start after another in the same place, then a right one: nobody notices. So it is in a place that was
    new, and had no room."""
    for wrong in LATE:
        if wrong.words or wrong.env is _TLS:
            wrong.do(place)
            assert asked(_START, wrong, place).code == wrong.code, wrong
            if (place / "c.pem").is_dir():
                (place / "c.pem").rmdir()
    _starts(place / "mythos-data")
    small = next(wrong for wrong in EARLY if wrong.name == "files that may not grow")
    assert asked(_START, small, place).code == 78
    with Server(place / "new") as server:
        assert server.get("/health")["status"] == "healthy"


def test_the_judge() -> None:
    """What the tests above rely on: a traceback, a bare errno, two sentences, a word that is missing."""
    wrong = Wrong("x", ("the thing", "the way out"))
    place = Path("/")
    judge(wrong, Answer(78, "", "the thing: the way out.\n"), place)
    for err in (
        "the thing.",
        "the way out: the thing.",
        "the thing: the way out.\nmore",
        "Traceback\nthe thing: the way out.",
        "[Errno 2] the thing: the way out.",
        "",
    ):
        with pytest.raises(AssertionError):
            judge(wrong, Answer(78, "", err), place)
    with pytest.raises(AssertionError):
        judge(wrong, Answer(1, "", "the thing: the way out.\n"), place)


def test_everything_at_once(place: Path) -> None:
    """Production refuses all that is careless, a line for each, and starts nothing."""
    (place / "mythos-data/secret").chmod(0o644)
    before = snapshot(place)
    env = {
        "ENVIRONMENT": "production",
        "SECRET_KEY": "short",
        "DEBUG": "yes",
        "CORS_ORIGINS": "*",
        "RATE_LIMIT_ENABLED": "no",
    }
    wrong = Wrong("careless", (), words=("--telnet", "0.0.0.0:0", "--metrics", "0.0.0.0:0"), env=env)
    answer = asked(_START, wrong, place)
    judge(wrong, answer, place)
    things = [
        "SECRET_KEY",
        "mythos-data/secret",
        "telnet.listen",
        "metrics.listen",
        "CORS_ORIGINS",
        "DEBUG",
        "RATE_LIMIT_ENABLED",
    ]
    things += ["as root"] if os.geteuid() == 0 else []
    assert [thing for thing in things if thing not in answer.err] == []
    assert len(answer.err.splitlines()) == len(things)
    assert snapshot(place) == before


def test_another_server(place: Path) -> None:
    """Its directory, its store and its port stay its own, and it goes on."""
    with Server(place / "mythos-data") as server:
        before = {**rows(place / "mythos-data/mythos.db"), "batch": 0}  # of those it writes more
        data = Wrong("its directory", ("Another server runs on {p}/mythos-data", "--data DIR"))
        judge(data, asked(_START, data, place), place)
        port = str(server.ports["telnet"])
        taken = Wrong(
            "its port", (f"Port {port} for telnet", "in use", "--telnet PORT"), words=("--data", "d", "--telnet", port)
        )
        judge(taken, asked(_START, taken, place), place)
        assert server.get("/health")["status"] == "healthy"
        assert {**rows(place / "mythos-data/mythos.db"), "batch": 0} == before


def test_a_port_for_nobody(place: Path) -> None:
    """One below 1024, as a user who may not; where everybody may, one that another program has."""
    least = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text())
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = "1" if least > 1 else str(other.getsockname()[1])
        wrong = Wrong("a port", (f"Port {port} for http", "--http PORT"), words=("--http", port), rights=False)
        judge(wrong, asked(_START, wrong, place), place)


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ("CREATE TABLE songs (id int)", ("belongs to another program", "the tables songs", "createdb")),
        ("CREATE TABLE account (id int)", ("belongs to another program", "the tables account", "createdb")),
        (_SCHEMA.replace("INTEGER", "bigint"), ("schema 99", "start a newer version")),
    ],
)  # fmt: skip
def test_a_database_of_postgresql(place: Path, cluster: Cluster, how: str, says: tuple[str, ...]) -> None:
    """Nothing is made in it."""
    name = cluster.make()
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
    for statement in how.split(";"):
        cluster.ask(statement, database=name)
    before = cluster.ask(tables, database=name)
    wrong = Wrong("a database", says, env={"DATABASE_URL": cluster.url_of(name), "MYTHOS_DATABASE_START_TIMEOUT": "0"})
    judge(wrong, asked(_START, wrong, place), place)
    assert cluster.ask(tables, database=name) == before
    cluster.drop(name)


def test_no_such_database_of_postgresql(place: Path, cluster: Cluster) -> None:
    wrong = Wrong(
        "no database", ("nowhere", "does not exist", "database.url"), env={"DATABASE_URL": cluster.url_of("nowhere")}
    )
    judge(wrong, asked(_START, wrong, place), place)


# ── what is no reason not to start ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("shell", "env"),
    [
        ('exec "$@" >/dev/full', {}),
        ('exec "$@" >&-', {}),
        ('unset HOME; exec "$@"', {}),
        ('exec "$@"', _ASCII | {"MUD_NAME": "Drúmhaven ✦"}),
        ('exec "$@"', {"LOG_FILE": "/dev/full"}),
        ('ulimit -S -n 40; exec "$@"', {}),
    ],
)  # fmt: skip
def test_it_starts_all_the_same(played: Path, tmp_path: Path, shell: str, env: dict[str, str]) -> None:
    """Nowhere to print, nowhere to log, no home, no letters but ASCII, a low limit that it may lift."""
    shutil.copytree(played, tmp_path / "data")
    program = ("sh", "-c", shell, "sh", TWISTD, "--pidfile=", "-n", "mythos")
    with Server(tmp_path / "data", env=env, program=program) as server:
        assert server.post("/api/v1/login", {"name": "Morwenna", "password": _PASSWORD})["token"]
        assert server.stop() == 143
    assert "Traceback" not in server.log.read_text()


def test_few_files(played: Path, tmp_path: Path) -> None:
    """A warning says how many it may have and how many it needs."""
    shutil.copytree(played, tmp_path / "data")
    program = ("sh", "-c", 'ulimit -n 100; exec "$@"', "sh", TWISTD, "--pidfile=", "-n", "mythos")
    with Server(tmp_path / "data", program=program) as server:
        said = server.log.read_text().splitlines()[0]
    assert said.startswith(
        "The server may open 100 files, and 100 connections (limits.connections) need 376: allow more"
    )


def test_an_expired_certificate(played: Path, tmp_path: Path) -> None:
    """The other doors are open; a line at the start and the health say what is wrong."""
    shutil.copytree(played, tmp_path / "data")
    make(tmp_path / "c.pem", tmp_path / "k.pem", "localhost", ends=timedelta(seconds=-60))
    env = {name: text.format(p=tmp_path) for name, text in _TLS.items()}
    with Server(tmp_path / "data", env=env) as server:
        health = server.get("/health")
        said = server.log.read_text()
    assert f"{tmp_path}/c.pem has ended, and clients refuse it: put a new one in its place." in said.splitlines()
    assert (health["status"], health["checks"]["certificate"]["status"]) == ("degraded", "degraded")


def test_gateway_keys_that_cannot_be_read(played: Path, tmp_path: Path) -> None:
    """They are kept aside; the server starts without them, and the log says so."""
    shutil.copytree(played, tmp_path / "data")
    (tmp_path / "data/gateway-keys.json").write_text("{nonsense")
    with Server(tmp_path / "data") as server:
        assert server.get("/health")["status"] == "healthy"
    assert (tmp_path / "data/gateway-keys.bad").read_text() == "{nonsense"
    assert "gateway-keys.json cannot be read, and is now gateway-keys.bad" in server.log.read_text()
