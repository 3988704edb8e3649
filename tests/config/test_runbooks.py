"""Lines from the runbooks of other servers, typed as they stand there; only ports and process ids are filled in."""

from __future__ import annotations

import gzip
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.config.test_obeyed import guest, until
from tests.house.server import PATIENCE, Server
from tests.postgres import Cluster

KEY = "7f4c2a9be1d84f06a5c3907bd2e86f14"
PAGES = sorted((Path(__file__).parents[2] / "docs").glob("from-*.md"))

#: A line, and what its output holds. Ports are those of the guides.
LINES = [
    ("curl -sf http://localhost:8000/health", '"database"'),
    ("curl -s http://localhost:8000/api/health", '"connections"'),
    ("curl -s http://localhost:8000/health/ready", "{"),
    ("curl -s http://localhost:8000/health/live", "{"),
    ("curl -s http://localhost:8000/health/detailed", '"checks"'),
    ("curl -s http://localhost:8080/health", '"i3-gateway-api"'),
    ("curl -s http://localhost:8080/metrics", "# TYPE"),
    ("curl -s http://localhost:8080/health/detailed", "{"),
    ("curl -s http://localhost:8080/metrics | grep memory", "memory"),
    ("curl -s http://localhost:8080/metrics | grep connections", "connections"),
    ("curl -s http://localhost:9090/metrics | grep mythos_connections_total", "mythos_connections_total"),
    ("curl -s http://localhost:9090/metrics | grep memory", "memory"),
    ("curl -s http://localhost:9090/metrics | grep connections", "connections"),
    ('grep "WebSocket connected" logs/mythos.log | wc -l', "1"),
    ("grep connection_establishment logs/mythos.log", "WebSocket"),
    ("nc -zv localhost 8081 2>&1", "succeeded"),
    ("""echo '{"jsonrpc": "2.0", "method": "ping", "id": 1}' | nc -w 2 localhost 8081""", '"jsonrpc"'),
]


def port_of(server: Server, line: str) -> str:
    doors = {"8000": "http", "9090": "metrics", "8080": "gateway", "8081": "gateway-tcp"}
    for port, door in doors.items():
        line = line.replace(f"localhost:{port}", f"127.0.0.1:{server.ports[door]}")
        line = line.replace(f"localhost {port}", f"127.0.0.1 {server.ports[door]}")
    return line


def typed(line: str, cwd: Path) -> str:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=cwd, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, (line, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a world, a gateway and a player."""
    place = tmp_path_factory.mktemp("runbooks")
    (place / "logs").mkdir()
    env = {"MYTHOS_GATEWAY": "0", "MYTHOS_GATEWAY_TCP": "0", "API_KEY_REACH": KEY, "LOG_FILE": "logs/mythos.log"}
    with Server(place / "data", env=env) as server:
        guest(server).command("look")
        yield server


@pytest.mark.parametrize(("line", "holds"), LINES)
def test_each_line(server: Server, line: str, holds: str) -> None:
    program = "nc" if "nc " in line else line.split()[0]
    if shutil.which(program) is None:
        pytest.skip(f"lines with {program} (apt-get install {program})")
    assert holds in typed(port_of(server, line), server.data.parent)


def _as_written(line: str) -> str:
    """Without what keeps it quiet."""
    return line.replace(" -sf ", " -f ").replace(" -s ", " ").replace(" 2>&1", "")


def test_each_line_is_on_a_page() -> None:
    """Where its users look for it."""
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [line for line, _ in LINES if _as_written(line) not in pages] == []


def test_kill_hup(server: Server) -> None:
    """Also what ``systemctl reload`` comes to: the log goes on in a new file."""
    place = server.data.parent
    typed(f"mv logs/mythos.log logs/mythos.log.1 && kill -HUP {server.pid}", place)
    until(lambda: (place / "logs/mythos.log").exists())
    typed("mv logs/mythos.log.1 logs/mythos.log", place)
    typed(f"kill -HUP {server.pid}", place)
    until(lambda: "configuration was read again" in (place / "logs/mythos.log").read_text())
    assert server.running


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="lines with sqlite3 (apt-get install sqlite3)")
def test_a_copy_of_sqlite(server: Server) -> None:
    """Made while people play, whole, and a server starts on it."""
    place = server.data.parent
    typed('sqlite3 data/mythos.db ".backup copy.db"', place)
    with closing(sqlite3.connect(place / "copy.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    with Server(place / "again", env={"DB_PATH": "copy.db"}) as again:
        assert again.get("/health")["database"] == "ok"


@pytest.mark.skipif(shutil.which("pg_dump") is None, reason="lines with pg_dump (apt-get install postgresql-client)")
def test_a_dump_of_postgresql(tmp_path: Path, cluster: Cluster) -> None:
    """``pg_dump | gzip`` while people play, and a restore that a server starts on with what they had."""
    old, new = cluster.make(), cluster.make()
    host = parse_qs(urlsplit(cluster.url_of(old)).query)["host"][0]
    with Server(tmp_path / "data", env={"DATABASE_URL": cluster.url_of(old)}) as server:
        server.post("/api/v1/register", {"name": "Morwenna", "password": "a good long one"})
        typed(f"pg_dump -h {host} -U postgres {old} | gzip > backup.sql.gz", tmp_path)
    assert b"CREATE TABLE" in gzip.decompress((tmp_path / "backup.sql.gz").read_bytes())
    typed(f"gunzip -c backup.sql.gz | psql -q -v ON_ERROR_STOP=1 -h {host} -U postgres {new}", tmp_path)
    with Server(tmp_path / "again", env={"DATABASE_URL": cluster.url_of(new)}) as server:
        assert server.post("/api/v1/login", {"name": "Morwenna", "password": "a good long one"})["token"]
    for name in (old, new):
        cluster.drop(name)
