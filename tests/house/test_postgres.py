"""The whole server on PostgreSQL: it starts by an address, keeps what was played, and says why it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.chaos import world
from tests.house.clients import WebSocket
from tests.house.renewed import Refused, Renewed
from tests.house.server import Server
from tests.postgres import Cluster, until


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    """An empty database."""
    name = cluster.make()
    yield cluster.url_of(name)
    cluster.drop(name)


def house(place: Path, url: str, name: str = "data", **env: str) -> Server:
    files = world.write(place / "world") if not (place / "world").exists() else place / "world"
    return Server(place / name, "--world", str(files), env={"DATABASE_URL": url, **env})


def refused(server: Server) -> str:
    """What a server says that does not start."""
    with pytest.raises(AssertionError, match="did not start"):
        server.start()
    assert server.wait() == 78
    said = server.log.read_text()
    assert "Traceback" not in said
    return said


def test_it_plays(tmp_path: Path, url: str) -> None:
    """What a player holds is there after a stop and after a kill, once; no file of SQLite is made."""
    with house(tmp_path, url) as server:
        ann = WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        assert ann.command("get pebble")["t"] == "done"
        assert "You get a pebble." in ann.lines
        assert server.get("/health")["database"] == "ok"
        assert server.stop() == 143
        for _ in range(2):
            server.start()
            ann = WebSocket(server.ports["http"], ann.token, epoch=ann.epoch, last=ann.last)
            ann.lines.clear()
            assert ann.command("inventory")["t"] == "done"
            assert Counter(ann.lines)["A pebble."] == 1
            server.kill()
    assert not list(server.data.glob("*.db*"))
    assert "postgresql://" in server.log.read_text()


def test_one_server_for_one_world(tmp_path: Path, url: str) -> None:
    """A second one does not start; after a kill the next one does, at once."""
    with house(tmp_path, url) as first:
        assert "Another server runs on PostgreSQL" in refused(house(tmp_path, url, "other"))
        assert first.get("/health")["database"] == "ok"
        first.kill()
        house(tmp_path, url, "other").start().kill()


def test_it_waits_for_a_database_that_is_not_up_yet(tmp_path: Path, postgres: Path) -> None:
    """As when both are started together; and when none comes up, it says so in the end."""
    late = Cluster(postgres)
    try:
        said = refused(house(tmp_path, late.url, MYTHOS_DATABASE_START_TIMEOUT="500ms"))
        assert said.count("cannot be reached") == 2
        server = house(tmp_path, late.url, "patient")

        def come_up() -> None:
            until(lambda: server.log.exists() and "Waiting for it" in server.log.read_text())
            late.start()

        starting = Thread(target=come_up)
        starting.start()
        server.start()
        starting.join()
        assert server.get("/health")["database"] == "ok"
        server.kill()
    finally:
        late.remove()


def test_it_is_renewed(tmp_path: Path, url: str) -> None:
    """The lock on the world goes to the new process, and back to the old one if the new one fails."""
    with Renewed(tmp_path, env={"DATABASE_URL": url}) as server:
        bob = WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        server.fault.write_text(
            "import os, mythos.app.succession as s\ns.Succession.take_up = lambda *_: os.kill(os.getpid(), 9)"
        )
        for count in range(2):
            with pytest.raises(Refused):
                server.renew()
            assert bob.command(f"say old {count}")["t"] == "done"
        server.fault.unlink()
        for count in range(2):
            assert server.renew()["handed"] == 1
            assert bob.command(f"say new {count}")["t"] == "done"
            assert "Another server runs on PostgreSQL" in refused(house(tmp_path, url, f"other{count}"))
        wanted = ["old 0", "old 1", "new 0", "new 1"]
        bob.until("new 1")
        assert [line for line in bob.lines if line.startswith("You say")] == [f'You say, "{one}"' for one in wanted]
