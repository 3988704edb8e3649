"""Players behind nginx and haproxy, which run with the files that are shipped."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.deploy.copies import ETC, free_ports
from tests.deploy.fronts import PLAYER, Front, Haproxy, Nginx, Stream, ask, by_tls, from_player, https
from tests.house.clients import PATIENCE, Telnet, WebSocket
from tests.house.server import TWISTD, Server
from tests.postgres import until

_PASSWORD = "a good long one"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the variables that are shipped for one behind a front, but not in production: that refuses root."""
    data = tmp_path_factory.mktemp("house") / "data"
    more = {"ENVIRONMENT": "test", "MYTHOS_GATEWAY_TCP": "0", "MYTHOS_GATEWAY_KEYS": "Reach=a-key-of-some-length"}
    with Server(data, "--gateway", "0", "--env-file", str(ETC / "env.example"), env=more) as server:
        for name in ("Cadan", "Demelza"):
            server.post("/api/v1/register", {"name": name, "password": _PASSWORD})
        yield server


@pytest.fixture(scope="module", params=[Nginx, Haproxy], ids=["nginx", "haproxy"])
def front(request: pytest.FixtureRequest, house: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """It runs when a test begins."""
    kind: type[Front] = request.param
    name = kind.__name__.lower()
    made = kind(request.getfixturevalue(name), tmp_path_factory.mktemp(name), house.ports)
    made.start()
    yield made
    made.stop()


def _guest(front: Front) -> str:
    token: str = json.load(ask(front, "POST", "/api/v1/guest", {}))["token"]
    return token


def _socket(front: Front, token: str, epoch: str | None = None, last: int | None = None) -> WebSocket:
    return WebSocket(front.ports["https"], token, epoch=epoch, last=last, connect=by_tls)


def _enter(front: Front, door: str, name: str) -> Telnet:
    """By telnet, with name and password."""
    player = Telnet(front.ports[door], by_tls if door == "telnet-tls" else from_player)
    player.until("name? ")
    player.send(name)
    player.until("Password: ")
    player.send(_PASSWORD)
    return player


def _doors(house: Server) -> Counter[str]:
    """How those who play came in, as an operator sees it."""
    command = [str(Path(TWISTD).with_name("mythosctl")), "who", "--data", str(house.data), "--json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return Counter(door for player in json.loads(run.stdout)["players"] for door in player["doors"])


def _said(lines: list[str]) -> list[str]:
    return [line.split('"')[1] for line in lines if 'says, "' in line]


def test_a_restart_of_the_front_loses_no_line(front: Front, house: Server) -> None:
    """By WebSocket, event stream, telnet and telnet over TLS: each is known by its own address, hears at once what is
    said, and after the front was gone hears what it missed, in order, once."""
    speaker = WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
    ann, bob = _socket(front, _guest(front)), Stream(front, _guest(front))
    plain, secure = _enter(front, "telnet", "Cadan"), _enter(front, "telnet-tls", "Demelza")
    for player in (plain, secure):
        player.send("look")
        player.until("The Fore Deck")
    found = _doors(house)
    assert found[f"websocket from {PLAYER}"] == found[f"sse from {PLAYER}"] == 1
    assert found[f"telnet from {PLAYER}"] == 2
    assert found["websocket from 127.0.0.1"] == 1  # the speaker, past the front

    speaker.command("say before")
    bob.command(1, "say by post")
    for browser in (ann, bob):
        browser.until('says, "before"')
        browser.lines.clear()
    for player in (plain, secure):
        player.until('says, "before"')
    front.stop()
    with pytest.raises((EOFError, OSError)):
        ann.until("what nobody says")
    for line in (plain, secure):
        line.ended()
    words = ["one", "two", "three", "four"]
    for word in words:
        speaker.command(f"say {word}")
    front.start()

    ann = _socket(front, ann.token, ann.epoch, ann.last)
    bob = Stream(front, bob.token, bob.place)
    for browser in (ann, bob):
        assert browser.hello["resumed"] is True
        browser.until('says, "four"')
        assert [word for word in _said(browser.lines) if word != "by post"] == words
    for door, name in (("telnet", "Cadan"), ("telnet-tls", "Demelza")):
        back = _enter(front, door, name)
        heard = back.until('says, "four"')
        assert [word for word in _said(heard.splitlines()) if word in words] == words
        back.close()
    ann.cut()
    speaker.cut()


def test_nobody_speaks_for_another(front: Front, house: Server) -> None:
    """What a client says itself of its address counts for nothing, in a header or by the PROXY protocol."""
    token = json.load(ask(front, "POST", "/api/v1/guest", {}))["token"]
    stream = Stream(front, token, headers={"X-Forwarded-For": "203.0.113.9"})
    liar = Telnet(front.ports["telnet"], from_player)
    liar.send_raw(b"PROXY TCP4 203.0.113.9 127.0.0.1 4000 4000\r\n")
    liar.until("name? ")
    liar.send("guest")
    liar.until("The Fore Deck")
    assert not [door for door in _doors(house) if "203.0.113.9" in door]
    liar.close()
    stream.close()


def test_tickets_are_not_logged(front: Front) -> None:
    """Whoever reads the log of a front cannot take up a stream that stands there."""
    stream = Stream(front, _guest(front))
    before = front.logged().count("/sse")
    stream.close()
    until(lambda: front.logged().count("/sse") > before, PATIENCE)
    assert stream.ticket not in front.logged()


def test_the_gateway_has_a_name_of_its_own(front: Front) -> None:
    """MUDs reach it by that name, with TLS; its numbers stay behind."""
    named = {"host": "gateway.mud.example.org"}
    assert json.load(ask(front, "GET", "/health", headers=named))["service"] == "i3-gateway-api"
    assert "service" not in json.load(ask(front, "GET", "/health"))
    assert ask(front, "GET", "/metrics", headers=named).status == 404
    upgrade = {"upgrade": "websocket", "connection": "Upgrade", "sec-websocket-version": "13"}
    opened = ask(front, "GET", "/", headers=named | upgrade | {"sec-websocket-key": "MDEyMzQ1Njc4OWFiY2RlZg=="})
    assert opened.status == 101


def test_what_a_front_adds(front: Front) -> None:
    """Without TLS it leads to TLS, and it tells browsers to come that way; numbers for operators do not pass."""
    line = HTTPConnection("127.0.0.1", front.ports["http"], timeout=PATIENCE, source_address=(PLAYER, 0))
    line.request("GET", "/play", headers={"Host": "mud.example.org"})
    moved = line.getresponse()
    assert (moved.status, moved.headers["location"]) == (301, "https://mud.example.org/play")
    page = ask(front, "GET", "/play")
    assert page.status == 200
    assert "max-age" in page.headers["strict-transport-security"]
    assert page.headers["content-encoding"] is None
    packed = {"accept-encoding": "gzip"}
    assert ask(front, "GET", "/play", headers=packed).headers["content-encoding"] == "gzip"
    assert ask(front, "GET", "/api/openapi.json", headers=packed).headers["content-encoding"] is None
    assert ask(front, "GET", "/metrics").status == 404
    assert ask(front, "GET", "/health/live").status == 200


def test_mud_lists_are_told_the_ports_of_the_front(house: Server) -> None:
    """Not those that only the front reaches."""
    crawler = Telnet(house.ports["telnet"], from_player)
    crawler.until("name? ")
    crawler.send("MSSP-REQUEST")
    told = crawler.until("MSSP-REPLY-END").splitlines()
    assert {"PORT\t4000", "TLS\t4443"} <= set(told)
    crawler.close()


def test_too_much_is_kept_away(front: Front, house: Server) -> None:
    """Requests far beyond what a player makes are answered by the front, bodies beyond bounds too; other players and
    health checks go on."""
    before = house.log.stat().st_size
    answers = Counter(ask(front, "GET", "/api/v1/nothing").status for _ in range(60))
    assert answers[429] > 10
    assert answers[404] > 10
    long = https(front)
    long.putrequest("POST", "/health/ready")
    long.putheader("content-length", "70000")
    long.endheaders()
    assert long.getresponse().status == 413
    assert ask(front, "GET", "/health/ready").status == 200
    assert house.log.stat().st_size == before


@pytest.mark.parametrize("kind", [Nginx, Haproxy], ids=["nginx", "haproxy"])
def test_a_reload_cuts_nobody(kind: type[Front], house: Server, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """It takes up a new certificate: who plays goes on over the same connection, who comes sees the new one."""
    front = kind(request.getfixturevalue(kind.__name__.lower()), tmp_path, house.ports)
    front.start()
    try:
        ann = _socket(front, _guest(front))
        old = front.certificate()
        front.new_certificate()
        front.reload(lambda: front.certificate() != old)
        assert ann.command("say still here")["t"] == "done"
        ann.cut()
    finally:
        front.stop()


def _wait_for(front: Front, status: int) -> None:
    """Until that is the answer whether the server is ready."""
    until(lambda: ask(front, "GET", "/health/ready").status == status, PATIENCE)


def test_a_restart_of_the_server(nginx: Path, haproxy: Path, tmp_path: Path) -> None:
    """Meanwhile the fronts say so, and let players back in as soon as it is there again."""
    telnet, http = free_ports(2)
    trusted = {"MYTHOS_HTTP_TRUSTED_PROXIES": "127.0.0.1", "MYTHOS_TELNET_TRUSTED_PROXIES": "127.0.0.1"}
    fronts: list[Front] = []
    with Server(tmp_path / "data", "--telnet", str(telnet), "--http", str(http), env=trusted) as house:
        try:
            for kind, program in ((Nginx, nginx), (Haproxy, haproxy)):
                place = tmp_path / kind.__name__
                place.mkdir()
                fronts.append(kind(program, place, house.ports))
                fronts[-1].start()
            players = [_socket(front, _guest(front)) for front in fronts]
            for player in players:
                player.command("look")
            assert house.stop() == 143
            for front, status in zip(fronts, (502, 503), strict=True):
                _wait_for(front, status)
            house.start()
            for front, player in zip(fronts, players, strict=True):
                _wait_for(front, 200)
                assert _socket(front, player.token, player.epoch, player.last).hello["resumed"] is True
        finally:
            for front in fronts:
                front.stop()


def test_files_are_right(nginx: Path, haproxy: Path, house: Server, tmp_path: Path) -> None:
    """Both programs take the files without a warning."""
    for number, (kind, program) in enumerate([(Nginx, nginx), (Haproxy, haproxy)]):
        place = tmp_path / str(number)
        place.mkdir()
        run = subprocess.run(
            kind(program, place, house.ports).check(), capture_output=True, text=True, timeout=PATIENCE
        )
        assert run.returncode == 0, run.stderr
        assert "warn" not in run.stderr.lower()
