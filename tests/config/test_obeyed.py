"""Settings that a server obeys: each changes what somebody outside sees of one that runs."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
import time
import urllib.error
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from mythos import content
from mythos.app.parts import Chance
from mythos.app.work import Work
from mythos.net.jobs import Job
from mythos.play.ports import Busy
from mythos.store.memory import MemoryStore
from mythos.wire.i3 import lpc
from mythos.wire.i3.mudmode import FrameReader
from tests.config.reading import read
from tests.house.clients import Telnet, WebSocket
from tests.house.server import PATIENCE, Server, select_nothing
from tests.house.test_gateway import Line
from tests.net.certificates import make

STARTER = Path(content.__file__).with_name("starter")
KEY = "q2JQ0r1c5T8cK4o1mUu9s3Zt7yXvBnAa"
OTHER = "7f4c2a9be1d84f06a5c3907bd2e86f14"


def until(true: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        select_nothing(0.02)


def guest(server: Server) -> WebSocket:
    return WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])


def refused(server: Server, path: str, body: dict[str, Any]) -> tuple[int, str]:
    """Status and code of an answer that is a mistake."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        server.post(path, body)
    with caught.value as error:
        return error.code, json.load(error)["error"]["code"]


def test_the_world(tmp_path: Path) -> None:
    """Whose it is, how fast it moves, how soon its people's places are on disk, and that it counts no times."""
    shutil.copytree(STARTER, tmp_path / "own")
    words = (tmp_path / "own/world.yaml").read_text(encoding="utf-8")
    (tmp_path / "own/world.yaml").write_text(words.replace("title: Saltreach", "title: Ashport"), encoding="utf-8")
    env = {"MYTHOS_WORLD_TICK": "50ms", "MYTHOS_WORLD_FLUSH_INTERVAL": "100ms", "PERFORMANCE_MONITORING": "no"}
    with Server(tmp_path / "data", "--world", "own", env=env) as server:
        until(lambda: 'world "Ashport"' in server.log.read_text())
        began = time.monotonic()
        until(lambda: server.metric("mythos_tick_seconds_count") >= 30)
        assert time.monotonic() - began < 20
        ann = guest(server)
        ann.command("look")
        before = server.metric("mythos_commit_seconds_count")
        began = time.monotonic()
        ann.command("south")
        until(lambda: server.metric("mythos_commit_seconds_count") > before)
        assert time.monotonic() - began < 4
        with pytest.raises(KeyError):
            server.metric('mythos_command_seconds_count{command="look"}')


async def test_how_many_jobs() -> None:
    """How many may run, when there are more of them, how many may wait, and how long one may take."""
    env = {"MIN_LANES": "3", "MAX_LANES": "4", "SCALE_THRESHOLD": "0.5", "QUEUE": "3", "TIMEOUT": "2s"}
    config = read(env={f"MYTHOS_JOBS_{name}": value for name, value in env.items()}).config
    clock, store = Clock(), MemoryStore()
    clock.wall = clock.seconds  # type: ignore[attr-defined]
    jobs = Work(config, clock, clock, store, list).jobs  # type: ignore[arg-type]
    begun: list[Job] = []

    async def hang(job: Job) -> None:
        begun.append(job)
        await Deferred()

    jobs.kind("hang", hang)
    await jobs.start()
    for _ in range(3):
        jobs.submit("hang", {}).addErrback(lambda _: None)
    with pytest.raises(Busy):
        await jobs.submit("hang", {})
    clock.advance(0.0)
    assert len(begun) == 3
    clock.advance(1.9)
    assert jobs.numbers().failed["hang"] == 0
    clock.advance(0.2)
    assert jobs.numbers().failed["hang"] == 3
    clock.advance(0.5)
    jobs.look()
    assert jobs.numbers().lanes == 4
    stopped = Deferred.fromCoroutine(jobs.stop())
    clock.advance(10.0)
    await stopped
    store.close()


def test_chance_repeats() -> None:
    def thrown(seed: int | None) -> list[int]:
        dice = Chance(seed)
        return [dice.below(1000) for _ in range(20)]

    assert thrown(7) == thrown(7) != thrown(8)
    assert thrown(None) != thrown(None)


def test_what_a_router_is_told(tmp_path: Path) -> None:
    """Name, password, port and all the words of the MUD; the second router has the same when the first is lost."""
    first, second = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    env = {
        "MUD_NAME": "Reach", "MUD_ADMIN_EMAIL": "a@b.example", "MUD_TYPE": "LP", "MUD_STATUS": "beta testing",
        "MYTHOS_MUD_MUDLIB": "Own", "MYTHOS_MUD_BASE_MUDLIB": "Base", "MYTHOS_MUD_DRIVER": "Diesel 2",
        "MYTHOS_MUD_ANNOUNCE_PORT": "23", "I3_ROUTER_HOST": "127.0.0.1", "I3_ROUTER_NAME": "*one",
        "I3_ROUTER_PORT": str(first.getsockname()[1]), "I3_ROUTER_PASSWORD": "77",
        "I3_FALLBACK_ROUTER_HOST": "127.0.0.1", "I3_FALLBACK_ROUTER_PORT": str(second.getsockname()[1]),
        "I3_FALLBACK_ROUTER_NAME": "*two", "RECONNECT_DELAY": "1",
    }  # fmt: skip
    told = ["Own", "Base", "Diesel 2", "LP", "beta testing", "a@b.example"]
    with first, second, Server(tmp_path / "data", env=env):
        assert startup(first)[2:] == ["Reach", 0, "*one", 0, 77, 0, 0, 23, 0, 0, *told]
        began = time.monotonic()
        assert startup(second)[2:] == ["Reach", 0, "*two", 0, 0, 0, 0, 23, 0, 0, *told]
        assert time.monotonic() - began < 4


def startup(router: socket.socket) -> list[Any]:
    """The first eighteen fields of the first packet that a router is sent, which then hangs up."""
    router.settimeout(PATIENCE)
    connection, _ = router.accept()
    reader = FrameReader()
    with connection:
        while True:
            reader.receive(connection.recv(65_536))
            for payload in reader.frames():
                ((packet,), _) = lpc.decode(payload)
                found: list[Any] = packet[:18]
                return found


def test_what_is_logged(tmp_path: Path) -> None:
    """How much, in which form, and where."""
    env = {"LOG_FILE": "mud.log", "LOG_FORMAT": "json", "DEBUG": "true"}
    with Server(tmp_path / "data", env=env):
        pass
    lines = [json.loads(line) for line in (tmp_path / "mud.log").read_text().splitlines()]
    assert any(line["ns"].startswith("twisted") and line["level"] == "INFO" for line in lines)
    with Server(
        tmp_path / "data", env={**env, "LOG_FILE": "less.log", "DEBUG": "no", "LOG_LEVEL": "WARNING"}
    ) as server:
        server.stop()
    assert not (tmp_path / "less.log").read_text()
    with Server(tmp_path / "data", env={"LOG_FILE": "text.log", "LOG_FORMAT": "text", "LOG_LEVEL": "debug"}):
        pass
    assert not (tmp_path / "text.log").read_text().startswith("{")


def test_a_certificate_that_is_not_used(tmp_path: Path) -> None:
    make(tmp_path / "both.pem", tmp_path / "both.pem", "mud")
    env = {"SSL_CERT_PATH": "both.pem", "MYTHOS_TELNET_TLS": "0"}
    with Server(tmp_path / "data", env={**env, "ENABLE_SSL": "false"}) as server:
        assert "telnet-tls" not in server.ports
    with Server(tmp_path / "data", env=env) as server:
        assert "telnet-tls" in server.ports


def test_pages_of_other_sites(tmp_path: Path) -> None:
    """One that is named may open a WebSocket, another one not."""
    with Server(tmp_path / "data", env={"CORS_ORIGINS": "https://a.example"}) as server:
        assert upgrade(server, "https://a.example") == b"101"
        assert upgrade(server, "https://b.example") == b"403"


def upgrade(server: Server, origin: str) -> bytes:
    """The status that a WebSocket of a page gets."""
    with socket.create_connection(("127.0.0.1", server.ports["http"]), PATIENCE) as line:
        line.sendall(
            b"GET /ws HTTP/1.1\r\nHost: mud.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Protocol: mythos.v1\r\nOrigin: " + origin.encode() + b"\r\n\r\n"
        )
        return line.recv(4096).split()[1]


def test_without_metrics(tmp_path: Path) -> None:
    with Server(tmp_path / "data", env={"METRICS_ENABLED": "false"}) as server:
        assert "metrics" not in server.ports


def test_keys_that_sign(tmp_path: Path) -> None:
    """What one key has signed is good while it is the key, or the one before; not after that."""
    server = Server(tmp_path / "data", env={"SECRET_KEY": KEY})
    with server:
        shown = server.post("/api/v1/register", {"name": "Morwenna", "password": "a good long one"})["token"]
        server.stop()
    for env, good in (
        ({"SECRET_KEY": OTHER, "SECRET_KEY_PREVIOUS": KEY}, True),
        ({"SECRET_KEY": OTHER}, False),
        ({"SECRET_KEY": KEY}, True),
    ):
        with Server(tmp_path / "data", env=env) as server:
            if good:
                assert server.post("/api/v1/ticket", token=shown)["ticket"]
            else:
                with pytest.raises(urllib.error.HTTPError, match="401"):
                    server.post("/api/v1/ticket", token=shown)
            server.stop()


def test_limits_of_a_player(tmp_path: Path) -> None:
    """Connections, commands, tells and lines on a channel."""
    env = {
        "MAX_CONNECTIONS_PER_PLAYER": "1", "RATE_LIMIT_TELLS": "1", "RATE_LIMIT_CHANNELS": "2",
        "RATE_LIMIT_PER_PLAYER_PER_MINUTE": "600", "MYTHOS_LIMITS_PLAYER_BURST": "2",
    }  # fmt: skip
    with Server(tmp_path / "data", env=env) as server:
        granted, bob = server.post("/api/v1/guest"), server.post("/api/v1/guest")
        first = WebSocket(server.ports["http"], granted["token"])
        ann, _ = WebSocket(server.ports["http"], first.token), WebSocket(server.ports["http"], bob["token"])
        with pytest.raises(EOFError):
            first.until("never")
        began = time.monotonic()
        for number in range(7):
            ann.command(f"tell {bob['name']} {number}")
            ann.command(f"chat {number}")
        assert time.monotonic() - began > 1.0
        told, said = ([line for line in ann.lines if word in line] for word in ("You tell", "[chat]"))
        slowed = [line for line in ann.lines if line.startswith("You speak too fast")]
        assert (len(told), len(said), len(slowed)) == (5, 5, 4)
        assert sorted(line.split("Wait ")[1].split(" s")[0] > "35" for line in slowed) == [False, False, True, True]


def test_limits_of_a_room(tmp_path: Path) -> None:
    """Lines beyond its pace wait; those that would have to wait long are refused."""
    with Server(tmp_path / "data", env={"RATE_LIMIT_PER_ROOM_PER_SECOND": "1"}) as server:
        ann = guest(server)
        began = time.monotonic()
        ann.command("say one")
        ann.command("say two")
        assert time.monotonic() - began > 0.5


def test_no_limits(tmp_path: Path) -> None:
    """All rates are lifted at once."""
    env = {"RATE_LIMIT_ENABLED": "false", "RATE_LIMIT_TELLS": "1", "RATE_LIMIT_CHANNELS": "1"}
    env |= {"RATE_LIMIT_PER_ROOM_PER_SECOND": "1", "RATE_LIMIT_PER_PLAYER_PER_MINUTE": "1", "RATE_LIMIT_REQUESTS": "1"}
    with Server(tmp_path / "data", env=env) as server:
        ann, bob = guest(server), server.post("/api/v1/guest")["name"]
        WebSocket(server.ports["http"], server.post("/api/v1/guest")["token"])
        for number in range(7):
            ann.command(f"tell {bob} {number}")
            ann.command(f"chat {number}")
            ann.command(f"say {number}")
        assert not [line for line in ann.lines if "too fast" in line]
        assert sum("[chat]" in line for line in ann.lines) == 7


def test_limits_of_the_doors(tmp_path: Path) -> None:
    """Guesses at a password, requests of an address, connections of all."""
    env = {"RATE_LIMIT_REQUESTS": "5", "RATE_LIMIT_WINDOW": "3600", "MYTHOS_LIMITS_LOGINS": "2"}
    with Server(tmp_path / "data", env={**env, "CONNECTION_POOL_SIZE": "1"}) as server:
        server.post("/api/v1/register", {"name": "Morwenna", "password": "a good long one"})
        wrong = {"name": "Morwenna", "password": "a wrong one"}
        found = [refused(server, "/api/v1/login", wrong) for _ in range(5)]
        assert found == [*[(401, "unauthorized")] * 2, *[(429, "too_many_tries")] * 2, (429, "too_many_requests")]
        with closing(Telnet(server.ports["telnet"])) as first:
            first.until("name? ")
            assert "Every place here is taken just now." in Telnet(server.ports["telnet"]).ended()


def test_guests_of_before_are_swept(tmp_path: Path) -> None:
    """Those who do not come back within the window are let go at the next look, however soon that is."""
    env = {"RECONNECT_TIMEOUT_MINUTES": "0", "CLEANUP_INTERVAL": "1"}
    with Server(tmp_path / "data", env=env) as server:
        guest(server)
        server.kill()
        with closing(sqlite3.connect(tmp_path / "data/mythos.db")) as store:

            def sessions() -> int:
                ((count,),) = store.execute("SELECT count(*) FROM session")
                return int(count)

            assert sessions() == 1
            server.start()
            began = time.monotonic()
            until(lambda: sessions() == 0)
            assert time.monotonic() - began < 20


def test_the_gateway(tmp_path: Path) -> None:
    """Whose key is good, how many come, how much they ask, how long their words are; and that there is none."""
    env = {"MYTHOS_GATEWAY": "0", "MYTHOS_GATEWAY_TCP": "0", "MUD_NAME": "Reach", "API_KEY_REACH": KEY}
    bounds = {"MAX_CONNECTIONS": "1", "RATE_LIMIT_PER_MINUTE": "1", "RATE_LIMIT_BURST": "3"}
    with Server(tmp_path / "data", "--roles", "i3", env={**env, **bounds, "MYTHOS_GATEWAY_LONGEST": "64"}) as server:
        line = Line(server.ports["gateway-tcp"], KEY)
        with closing(socket.create_connection(("127.0.0.1", server.ports["gateway-tcp"]), PATIENCE)) as other:
            assert other.recv(4096) == b""
        long = {"target_mud": "Far", "target_user": "zoe", "from_user": "Ann", "message": "x" * 65}
        assert "64" in line.call("tell", **long)["error"]["message"]
        found = [line.call("ping") for _ in range(3)]
        assert ["error" in one for one in found] == [False, False, True]
        assert found[2]["error"]["message"] == "Rate limit exceeded"
    with Server(tmp_path / "data", "--roles", "i3", env={**env, "API_ENABLED": "false"}) as server:
        assert "gateway" not in server.ports


def _told(server: Server, last: bytes) -> bytes:
    """What Mudlet is sent when it plays as a guest, up to and with ``last``, which an operator chose to have sent."""
    hello = b'Core.Hello {"client": "Mudlet", "version": "4.18"}'
    with closing(Telnet(server.ports["telnet"])) as mudlet:
        mudlet.send_raw(b"\xff\xfd\xc9\xff\xfa\xc9" + hello + b"\xff\xf0")
        for wanted, answer in ((b"name? ", "guest"), (last, "look"), (b"Exits", "")):
            while wanted not in mudlet.heard:
                mudlet.heard += mudlet.socket.recv(65_536)
            if answer:
                mudlet.send(answer)
        return mudlet.heard


def test_what_telnet_offers(tmp_path: Path) -> None:
    """MSDP, MXP and the two compressions, and what Mudlet may fetch."""
    msdp, mxp, mccp2, mccp3 = (b"\xff\xfb" + bytes((option,)) for option in (69, 91, 86, 87))
    downloads = (b"https://a.example/g.mpackage", b'"7"', b"https://a.example/map.xml")
    with Server(tmp_path / "usual") as server:
        told = _told(server, mccp2)
    assert [one for one in (msdp, mxp, mccp3, *downloads) if one in told] == []
    env = {f"MYTHOS_TELNET_{name}": "yes" for name in ("MSDP", "MXP", "MCCP3")}
    env |= {f"MYTHOS_TELNET_{name}_URL": url.decode() for name, url in (("GUI", downloads[0]), ("MAP", downloads[2]))}
    env |= {"MYTHOS_TELNET_GUI_VERSION": "7", "MYTHOS_TELNET_MCCP2": "no"}
    with Server(tmp_path / "other", env=env) as server:
        told = _told(server, mccp3)
    assert mccp2 not in told
    assert [one for one in (msdp, mxp, mccp3, *downloads) if one not in told] == []


@pytest.mark.parametrize(
    ("env", "kept"),
    [({}, True), ({"MYTHOS_SESSIONS_LOG_EVENTS": "16"}, False), ({"MYTHOS_SESSIONS_LOG_BYTES": "4096"}, False)],
)
def test_how_much_is_kept(tmp_path: Path, env: dict[str, str], kept: bool) -> None:
    """Of what a player did not acknowledge; who comes back for more begins anew."""
    with Server(tmp_path / "data", env=env) as server:
        player = guest(server)
        epoch = player.hello["epoch"]
        for c in range(player.next_c, player.next_c + 20):
            player.send({"c": c, "line": "look"})
            while player.receive().get("c") != c:
                pass
        player.cut()
        again = WebSocket(server.ports["http"], player.token, epoch=epoch, last=0)
        assert again.hello["resumed"] == kept, again.hello


def _counts(server: Server, name: str, number: float) -> bool:
    return server.metric(name) == number


def test_how_long_who_left_stays(tmp_path: Path) -> None:
    """In the world for the grace; afterwards for as long as they can come back, and then not at all."""
    usual = {"MYTHOS_SESSIONS_GRACE": "3600", "CLEANUP_INTERVAL": "1", "RECONNECT_TIMEOUT_MINUTES": "60"}
    for name, env, state in (
        ("grace", {}, 'mythos_sessions{state="linkdead"}'),
        ("away", {"MYTHOS_SESSIONS_GRACE": "0"}, 'mythos_sessions{state="away"}'),
        ("gone", {"MYTHOS_SESSIONS_GRACE": "0", "RECONNECT_TIMEOUT_MINUTES": "0"}, ""),
    ):
        with Server(tmp_path / name, env=usual | env) as server:
            player = guest(server)
            player.command("look")
            player.cut()
            until(partial(_counts, server, state or "mythos_sessions_total", float(bool(state))))
