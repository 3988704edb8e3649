"""A server that tells others what happens to it, who do not always listen."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from mythos.net.webhooks import signature
from tests.chaos import world
from tests.config.test_obeyed import guest, until
from tests.house.server import Server
from tests.postgres import Cluster

SECRET = "a secret of many letters"


@dataclass(frozen=True)
class Told:
    id: str
    type: str
    data: Any


class Receiver:
    """Answers every request with the next status of ``statuses``, and with 204 when there is none.

    :ivar hangs: set: requests get no answer until ``free`` is
    """

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.statuses: list[int] = []
        self.free = threading.Event()
        self.free.set()
        self.wrong: list[str] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                id, at = self.headers["webhook-id"], int(self.headers["webhook-timestamp"])
                if self.headers["webhook-signature"] != signature(SECRET, id, at, body):
                    receiver.wrong.append(id)
                said = json.loads(body)
                receiver.told.append(Told(id, said["type"], said["data"]))
                receiver.free.wait(30)
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"

    def types(self) -> list[str]:
        return [one.type for one in self.told]

    def stop(self) -> None:
        self.free.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()
    assert made.wrong == []


@pytest.fixture
def serve(tmp_path: Path, receiver: Receiver) -> Callable[..., Server]:
    def make(**more: str) -> Server:
        env = {
            "MYTHOS_WEBHOOKS_URL": receiver.url,
            "MYTHOS_WEBHOOKS_SECRET": SECRET,
            "MYTHOS_WEBHOOKS_ALLOW_PRIVATE": "yes",
            **more,
        }
        return Server(tmp_path / "data", env=env)

    return make


def test_from_start_to_stop(serve: Callable[..., Server], receiver: Receiver) -> None:
    with serve() as server:
        until(lambda: receiver.types() == ["server.started"])
        assert receiver.told[0].data["ports"]["telnet"] == server.ports["telnet"]
        server.stop()
    assert receiver.types() == ["server.started", "server.stopping"]


def ctl(server: Server, *words: str) -> Any:
    """What ``mythosctl`` says, as JSON."""
    told = subprocess.run(
        [sys.executable, "-m", "mythos.ctl", *words, "--data", str(server.data), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return json.loads(told.stdout)


def rows(server: Server) -> int:
    """Of jobs that are on disk."""
    with closing(sqlite3.connect(server.data / "mythos.db")) as database:
        ((count,),) = database.execute("SELECT count(*) FROM job")
    return int(count)


def test_what_is_told(serve: Callable[..., Server], receiver: Receiver) -> None:
    """Orders and bans; and nothing but what is asked for."""
    with serve(MYTHOS_WEBHOOKS_EVENTS="operator.ordered, sanction.added, sanction.lifted") as server:
        ctl(server, "ban", "name", "mallory", "--reason", "spam")
        ctl(server, "unban", "name", "mallory")
        ctl(server, "who")
        until(lambda: len(receiver.told) == 4)
        server.stop()
    assert sorted((one.type, one.data.get("order") or one.data["what"]) for one in receiver.told) == [
        ("operator.ordered", "ban"),
        ("operator.ordered", "unban"),
        ("sanction.added", "mallory"),
        ("sanction.lifted", "mallory"),
    ]
    (added,) = [one.data for one in receiver.told if one.type == "sanction.added"]
    assert added == {"kind": "name", "what": "mallory", "reason": "spam", "by": "operator", "until": None}


def test_an_alert(serve: Callable[..., Server], receiver: Receiver) -> None:
    with serve(MYTHOS_WEBHOOKS_EVENTS="alert", MYTHOS_DISK_SEAL="1000GB"):
        until(lambda: receiver.told != [])
    assert "MB are free on the disk of the store" in receiver.told[0].data["message"]


def test_one_that_fails_and_recovers(serve: Callable[..., Server], receiver: Receiver) -> None:
    """It is tried again, with the same id."""
    receiver.statuses = [503]
    with serve(MYTHOS_WEBHOOKS_EVENTS="server.started") as server:
        until(lambda: len(receiver.told) == 2)
        until(lambda: server.metric('mythos_jobs_done_total{kind="webhook"}') == 1.0)
        assert server.metric('mythos_jobs_failed_total{kind="webhook"}') == 1.0
        assert server.metric('mythos_jobs_retried_total{kind="webhook"}') == 1.0
        assert server.metric('mythos_job_seconds_count{kind="webhook"}') == 2.0
        assert server.metric('mythos_jobs{priority="high",state="queued"}') == 0.0
        assert server.metric("mythos_job_lanes") == 2.0
    assert len({one.id for one in receiver.told}) == 1


def test_killed_between(serve: Callable[..., Server], receiver: Receiver) -> None:
    """What nobody has answered when the server is killed the next one tells, with the same id."""
    receiver.free.clear()
    with serve(MYTHOS_WEBHOOKS_EVENTS="sanction.added") as server:
        ctl(server, "ban", "name", "mallory")
        until(lambda: len(receiver.told) == 1)
        server.kill()
        receiver.free.set()
        server.start()
        until(lambda: len(receiver.told) == 2)
        until(lambda: rows(server) == 0)
        server.kill()
        server.start()
        ctl(server, "ban", "name", "trudy")
        until(lambda: len(receiver.told) == 3)
    assert [one.data["what"] for one in receiver.told] == ["mallory", "mallory", "trudy"]
    assert len({one.id for one in receiver.told}) == 2


def test_a_hung_receiver_holds_up_nobody(serve: Callable[..., Server], receiver: Receiver) -> None:
    """Players go on; the try ends after five seconds and is made again; a stop does not wait for it."""
    receiver.free.clear()
    with serve(MYTHOS_WEBHOOKS_EVENTS="server.started") as server:
        until(lambda: len(receiver.told) == 1)
        guest(server).command("look")
        until(lambda: server.metric('mythos_jobs_failed_total{kind="webhook"}') == 1.0)
        until(lambda: len(receiver.told) == 2)
        began = monotonic()
        server.stop()
        assert monotonic() - began < 20.0  # and not for ever
    assert len({one.id for one in receiver.told}) == 1


def test_dead_letters(serve: Callable[..., Server], receiver: Receiver) -> None:
    """What is refused for good is listed, shown, run once more and deleted."""
    receiver.statuses = [400, 400]
    with serve(MYTHOS_WEBHOOKS_EVENTS="server.started, sanction.added") as server:
        until(lambda: len(receiver.told) == 1)
        ctl(server, "ban", "name", "mallory")
        until(lambda: len(ctl(server, "jobs", "list")["dead"]) == 2)
        first, second = ctl(server, "jobs", "list")["dead"]
        assert (first["id"], first["kind"], first["tries"]) == (receiver.told[0].id, "webhook", 1)
        assert first["error"] == "It was answered with status 400."
        assert server.metric('mythos_jobs_dead_total{kind="webhook"}') == 2.0
        shown = ctl(server, "jobs", "show", second["id"])
        assert (shown["payload"]["type"], shown["payload"]["data"]["what"]) == ("sanction.added", "mallory")
        server.kill()
        server.start()
        assert ctl(server, "jobs", "replay", second["id"]) == {"replayed": [second["id"]]}
        until(lambda: any(one.id == second["id"] for one in receiver.told[2:]))
        until(lambda: [one["id"] for one in ctl(server, "jobs", "list")["dead"]] == [first["id"]])
        assert ctl(server, "jobs", "delete", "--all") == {"deleted": [first["id"]]}
        assert ctl(server, "jobs", "list")["dead"] == []


def test_a_breaker(serve: Callable[..., Server], receiver: Receiver) -> None:
    """Opened by what fails, seen in metrics and health, closed by the operator; meanwhile the host is left alone."""
    receiver.statuses = [500]
    with serve(MYTHOS_WEBHOOKS_EVENTS="server.started", MYTHOS_BREAKER_FAILURES="1") as server:
        until(lambda: server.metric('mythos_breaker_state{name="webhook:127.0.0.1"}') == 2.0)
        assert server.get("/health")["checks"]["breakers"]["status"] == "degraded"
        until(lambda: server.metric('mythos_jobs_failed_total{kind="webhook"}') >= 2.0)
        assert len(receiver.told) == 1
        assert ctl(server, "breaker", "list") == {"breakers": {"webhook:127.0.0.1": "open"}}
        assert ctl(server, "breaker", "reset", "webhook:127.0.0.1") == {"name": "webhook:127.0.0.1"}
        until(lambda: len(receiver.told) == 2)
        assert server.metric('mythos_breaker_state{name="webhook:127.0.0.1"}') == 0.0
        assert server.get("/health")["checks"]["breakers"]["status"] == "ok"


def test_a_breaker_that_is_not_open_for_long(serve: Callable[..., Server], receiver: Receiver) -> None:
    receiver.statuses = [500]
    env = {"MYTHOS_BREAKER_FAILURES": "1", "MYTHOS_BREAKER_OPEN_FOR": "100ms"}
    with serve(MYTHOS_WEBHOOKS_EVENTS="server.started", **env) as server:
        until(lambda: len(receiver.told) == 2)
        assert server.metric('mythos_breaker_state{name="webhook:127.0.0.1"}') == 1.0


def test_a_store_that_is_lost(tmp_path: Path, serve: Callable[..., Server], receiver: Receiver, postgres: Path) -> None:
    """It is told at once, though there is no row of it, and that it is back; each once."""
    cluster = Cluster(postgres)
    cluster.start()
    files = world.write(tmp_path / "world")
    env = {"DATABASE_URL": cluster.url, "DB_TIMEOUT": "500ms", "MYTHOS_WORLD_DIR": str(files)}
    try:
        with serve(MYTHOS_WEBHOOKS_EVENTS="store.lost, store.back", **env) as server:
            ann = guest(server)
            assert server.metric('mythos_breaker_state{name="postgresql"}') == 0.0
            cluster.stop(signal.SIGQUIT)
            ann.send({"c": 1, "line": "get pebble"})
            until(lambda: receiver.types() == ["store.lost"])
            cluster.start()
            until(lambda: receiver.types() == ["store.lost", "store.back"])
            until(lambda: server.metric('mythos_jobs_done_total{kind="webhook"}') == 2.0)
            until(lambda: server.metric('mythos_check{check="jobs",status="ok"}') == 1.0)
            until(lambda: cluster.ask("SELECT count(*) FROM job") == [(0,)])
            server.kill()
            server.start()
            server.stop()
        assert receiver.types() == ["store.lost", "store.back"]
    finally:
        cluster.remove()


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"SECRET": "short"}, "webhooks.secret signs what webhooks are sent: set one of at least 24 letters."),
        ({"SECRET": "whsec_" + "!" * 24}, "webhooks.secret is no good: what stands behind whsec_ is no base64."),
        ({"EVENTS": "server.melted"}, "webhooks.events names server.melted, which is no event. There are: server.star"),
        ({"ALLOW_PRIVATE": "no"}, "webhooks.url has an address without TLS: use https, or set webhooks.allow_private."),
    ],
)
def test_settings_that_make_no_sense(serve: Callable[..., Server], env: dict[str, str], sentence: str) -> None:
    """The server does not start, and says why in one line."""
    server = serve(**{f"MYTHOS_WEBHOOKS_{name}": value for name, value in env.items()})
    with pytest.raises(AssertionError) as error, server:
        pass
    assert sentence in str(error.value)
    assert "Traceback" not in str(error.value)
