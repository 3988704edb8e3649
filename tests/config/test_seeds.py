"""The files of other servers' guides, their placeholders replaced, start this one, which says what had no effect."""

from __future__ import annotations

import json
import os
import shutil
import socket
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mythos.config import Loaded, disk, load, refusals
from tests.config.archmesh import CODE
from tests.config.reading import read
from tests.config.test_obeyed import guest, until
from tests.house.server import PATIENCE, Server
from tests.net.certificates import make
from tests.postgres import Cluster

ROOT = Path(__file__).parents[2]
SEEDS = Path(__file__).with_name("seeds")

#: Doors on any port, so that no test meets another.
DOORS = {f"MYTHOS_{name}": "0" for name in ("TELNET_TLS", "GATEWAY", "GATEWAY_TCP")}
#: A production server does not run as root, as some tests do.
ENV = {**DOORS, **({"ENVIRONMENT": "staging"} if os.geteuid() == 0 else {})}

GAMES = "games: EVENT_BUFFER_SIZE, GAME_SUMMARY_CACHE_SIZE, GC_COMPLETED_GAMES_AFTER, MAX_ACTIVE_GAMES, "
ARCHIVE = "ARCHIVE_BACKEND, ARCHIVE_BATCH_SIZE, ARCHIVE_FLUSH_INTERVAL, ARCHIVE_RETENTION_DAYS, ARCHIVE_URL"
#: What each start says.
NOTES = {
    "dual-connections": [
        "MESSAGE_BATCH_SIZE has no effect: all that a connection is told in one turn goes out as one, as far as it "
        "takes it.",
    ],
    "arcane-codex": [
        "DB_POOL_SIZE has no effect: two connections serve all.",
        "SOCKETIO_ASYNC_MODE has no effect: WebSocket and event streams are served directly.",
        "Accepted, without effect, as this version does not have games: MAX_CONCURRENT_GAMES.",
    ],
    "archmesh": [],
    "i3-gateway": [
        "mythos.yaml:9:5: api.auth.secret has no effect: keys are all that a MUD needs at the gateway.",
        "mythos.yaml:31:1: services has no effect: all services are on; gateway.queue bounds what is kept for a MUD "
        "that is away.",
        "MAX_CONNECTIONS counts the connections of MUDs at the gateway; CONNECTION_POOL_SIZE counts those of players.",
        "I3_GATEWAY_SECRET has no effect: keys are all that a MUD needs at the gateway.",
    ],
    "liap": [
        "DATABASE_POOL_MAX has no effect: two connections serve all.",
        "DATABASE_POOL_MIN has no effect: two connections serve all.",
        "Accepted, without effect, as this version does not have "
        f"{GAMES}MAX_EVENTS_PER_GAME, USE_EVENT_SOURCING; an archive: {ARCHIVE}, USE_GAME_ARCHIVAL.",
    ],
}


def place(seed: str, where: Path) -> Path:
    """The files of one, as its users have them, in a directory."""
    for path in SEEDS.glob(f"{seed}.*"):
        shutil.copy(path, where / (".env" if path.suffix == ".env" else "mythos.yaml"))
        (where / ".env").chmod(0o600)
    return where


def settings(where: Path, **env: str) -> Loaded:
    return load(options={}, environ=env, files=disk.text, cwd=where)


@pytest.mark.parametrize("seed", NOTES)
def test_it_is_fit_for_production(seed: str, tmp_path: Path) -> None:
    """No gate keeps it from starting, once a key is made that a guide may not speak of."""
    loaded = settings(place(seed, tmp_path))
    assert list(loaded.notes) == NOTES[seed]
    assert refusals(loaded.config, uid=1000, has_secret=True) == []


@pytest.mark.parametrize("seed", ["dual-connections", "arcane-codex", "liap"])
def test_it_starts(seed: str, tmp_path: Path) -> None:
    """Players come in, and the store is where the file says."""
    where = place(seed, tmp_path)
    with Server(where / "data", env=ENV) as server:
        assert guest(server).command("look")["t"] == "done"
        said = server.log.read_text().splitlines()
        assert [line for line in said if line in NOTES[seed]] == NOTES[seed]
        path = settings(where, MYTHOS_DATA=str(where / "data")).config.database.path
        assert path is not None and path.exists()


def test_it_starts_with_postgresql(tmp_path: Path, cluster: Cluster) -> None:
    """The address of the database in parts, and TLS by the paths of its files."""
    where = place("archmesh", tmp_path)
    make(where / "cert.pem", where / "key.pem", "mud")
    name = cluster.make()
    found = urlsplit(cluster.url_of(name))
    parts = {"DB_HOST": parse_qs(found.query)["host"][0], "DB_NAME": name, "DB_USER": "postgres", "DB_PORT": "5432"}
    with Server(where / "data", env={**ENV, **parts}) as server:
        assert guest(server).command("look")["t"] == "done"
        assert "telnet-tls" in server.ports
        assert [line for line in server.log.read_text().splitlines() if line in NOTES["archmesh"]] == NOTES["archmesh"]
        until(lambda: cluster.ask("SELECT count(*) FROM session", database=name) == [(1,)])
    cluster.drop(name)


def test_it_starts_a_gateway(tmp_path: Path) -> None:
    """The page and the ping of its guide."""
    where = place("i3-gateway", tmp_path)
    with Server(where / "data", "--roles", "i3", env=ENV) as server:
        url = f"http://127.0.0.1:{server.ports['gateway']}/health"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            health = json.load(answer)
        assert health["service"] == "i3-gateway-api"
        with socket.create_connection(("127.0.0.1", server.ports["gateway-tcp"]), PATIENCE) as line:
            said = line.makefile("rw", encoding="utf-8", newline="\n")
            assert "welcome" in said.readline()
            key = settings(where).config.gateway.keys[0].secret
            for number, (method, params) in enumerate([("authenticate", {"api_key": key}), ("ping", {})]):
                call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
                print(json.dumps(call), file=said, flush=True)
                assert "result" in said.readline()
        notes = [line for line in server.log.read_text().splitlines() if line in NOTES["i3-gateway"]]
        assert notes == NOTES["i3-gateway"]


def test_no_place_for_the_store(tmp_path: Path) -> None:
    """One sentence, and no traceback."""
    (tmp_path / "data.db").write_text("a file")
    with pytest.raises(AssertionError, match=r"The directory of the store .* choose another with DATABASE_URL"):
        Server(tmp_path / "data", env={"DB_PATH": "data.db/mud.db"}).start()


@pytest.mark.parametrize(("key", "text", "setting", "value"), CODE)
def test_names_of_code(key: str, text: str, setting: str, value: object) -> None:
    """They set something, and the page for those who come from there says what."""
    assert read().values[setting] != value
    loaded = read(f"{key}: {text}\n")
    assert (loaded.values[setting], loaded.notes) == (value, ())
    assert f"| `{key}` | `{setting}` |" in (ROOT / "docs/from-archmesh.md").read_text(encoding="utf-8")
