"""The gateway as it is run: alone or beside a world, its keys made from outside, and the small clients of its docs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house.server import PATIENCE, Server, select_nothing

CLIENTS = Path(__file__).parents[2] / "mythos" / "net" / "gateway" / "clients"
MYTHOSCTL = str(Path(sys.executable).with_name("mythosctl"))
FREE = {
    "MYTHOS_I3_ROUTER_LISTEN": "0",
    "MYTHOS_GATEWAY": "0",
    "MYTHOS_GATEWAY_TCP": "0",
    "MYTHOS_I3_THROTTLE": "0",
    "RATE_LIMIT_ENABLED": "no",
}


def keys(server: Server, *words: str) -> Any:
    """What ``mythosctl gateway keys`` says, as JSON."""
    command = [MYTHOSCTL, "gateway", "keys", words[0], "--json", "--data", str(server.data), *words[1:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    return json.loads(done.stdout)


def door(server: Server, mud: str) -> tuple[int, str]:
    """The TCP port, and a new key of a MUD."""
    made = keys(server, "create", mud)
    return made["ports"]["gateway-tcp"], made["key"]


class Line:
    """A client over TCP."""

    def __init__(self, port: int, key: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self._lines = self._socket.makefile("rw", encoding="utf-8", newline="\n")
        self.call("authenticate", api_key=key)

    def send(self, method: str, **params: Any) -> None:
        print(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}), file=self._lines, flush=True)

    def call(self, method: str, **params: Any) -> Any:
        self.send(method, **params)
        return self.result()

    def result(self) -> Any:
        """Of the first call that is not answered yet; events before it are not heeded."""
        while "id" not in (found := self.read()):
            pass
        return found.get("result", found)

    def read(self) -> Any:
        return json.loads(self._lines.readline())

    def wait(self, method: str, **wanted: Any) -> None:
        """Call a method until its result has these members."""
        end = time.monotonic() + PATIENCE
        while not wanted.items() <= self.call(method).items():
            assert time.monotonic() < end, f"{method} never had {wanted}"
            select_nothing(0.01)

    def until(self, method: str, **wanted: Any) -> Any:
        """The next event of a method with these parameters."""
        while True:
            found = self.read()
            params = found.get("params", {})
            if found.get("method") == method and all(params.get(name) == value for name, value in wanted.items()):
                return params


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Server]:
    """``--roles i3``, with a router of its own."""
    with Server(tmp_path / "alone", "--roles", "i3", "--i3-router", "--private", env=FREE) as server:
        yield server


def test_alone(alone: Server) -> None:
    """No world, no telnet, no web; the gateway opens with its first key."""
    assert set(alone.ports) == {"i3-router", "metrics"}
    made = keys(alone, "create", "Reach")
    assert set(made["ports"]) == {"gateway", "gateway-tcp"}
    ports = json.loads((alone.data / "ports.json").read_text())
    assert ports["gateway"] == made["ports"]["gateway"]
    line = Line(ports["gateway-tcp"], made["key"])
    assert line.call("status")["mud_name"] == "Reach"
    page = f"http://127.0.0.1:{ports['gateway']}/health"
    with urllib.request.urlopen(page, timeout=PATIENCE) as answer:
        assert json.load(answer)["active_sessions"] == 1
    assert alone.metric('mythos_i3_up{mud="Reach"}') == 1
    (listed,) = keys(alone, "list")["keys"]
    assert (listed["mud"], listed["connections"]) == ("Reach", 1)
    assert not any(path.suffix == ".db" for path in alone.data.iterdir())


def test_orders_over_https(alone: Server) -> None:
    """As a server with a world takes them: by a token with its rights, each in the audit log."""
    place = f"http://127.0.0.1:{keys(alone, 'create', 'Reach')['ports']['gateway']}/"

    def ctl(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([MYTHOSCTL, *words], capture_output=True, text=True, timeout=PATIENCE, check=False)

    made = json.loads(ctl("token", "create", "ops", "--rights", "look", "--json", "--data", str(alone.data)).stdout)
    token = alone.data.parent / "token"
    token.touch(mode=0o600)
    token.write_text(made["token"])
    elsewhere = ("--url", place, "--token-file", str(token))
    assert json.loads(ctl("status", "--json", *elsewhere).stdout)["ports"]["metrics"] == alone.ports["metrics"]
    refused = ctl("gateway", "keys", "create", "Salt", *elsewhere)
    assert (refused.returncode, "That needs the right" in refused.stderr) == (4, True)
    entries = json.loads(ctl("audit", "--json", "--data", str(alone.data)).stdout)["entries"]
    found = [(one["order"], one["outcome"]) for one in entries]
    assert {("token-create", "ordered"), ("gateway-keys-create", "not allowed")} <= set(found)


def test_keys_outlive_the_server(alone: Server) -> None:
    """A kill, and everything is there: the key, the channel that was joined, the tell that found nobody."""
    reach, salt = keys(alone, "create", "Reach")["key"], keys(alone, "create", "Salt")["key"]
    ports = json.loads((alone.data / "ports.json").read_text())
    line = Line(ports["gateway-tcp"], reach)
    line.wait("stats", online_muds=2)
    line.call("tell", target_mud="Salt", target_user="bob", message="wait for me")
    kept = alone.data / "gateway-tells.json"
    while "wait for me" not in (kept.read_text() if kept.exists() else ""):
        line.call("ping")
    alone.kill()
    alone.start()
    ports = alone.ports
    assert Line(ports["gateway-tcp"], salt).until("tell_received")["message"] == "wait for me"
    Line(ports["gateway-tcp"], reach).wait("status", connected=True)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "the file is gone"])
def test_tells_that_wait_outlive_a_kill(alone: Server, tmp_path: Path, kept: bool) -> None:
    """What was said to be sent, while the router took no more, comes once and in order: by the file that holds it."""
    hearer = Line(*door(alone, "Far"))
    routers = f"*mythos 127.0.0.1:{alone.ports['i3-router']}"
    near = {
        **FREE,
        "MYTHOS_I3_ROUTERS": routers,
        "MYTHOS_I3_THROTTLE": "20",
        "MYTHOS_GATEWAY_KEYS": "Near=a-key-of-some-length",
    }
    words = [str(number) for number in range(60)]
    with Server(tmp_path / "near", "--roles", "i3", env=near) as server:
        line = Line(server.ports["gateway-tcp"], "a-key-of-some-length")
        line.wait("stats", online_muds=2)
        for one in words:
            line.send("tell", target_mud="Far", target_user="bob", message=one)
        answers = [line.result() for _ in words]
        assert {answer["status"] for answer in answers} == {"sent"}
        assert answers[-1]["queued"] is True
        server.kill()
        unsent = [tell[7] for tell in json.loads((server.data / "gateway-unsent.json").read_text())["Near"]]
        assert unsent == words[-len(unsent) :]
        if not kept:
            (server.data / "gateway-unsent.json").unlink()
        server.start()
        line = Line(server.ports["gateway-tcp"], "a-key-of-some-length")
        line.wait("status", connected=True)
        end = "the end"
        line.call("tell", target_mud="Far", target_user="bob", message=end)
        heard: list[str] = []
        while end not in heard:
            heard.append(hearer.until("tell_received", from_mud="Near")["message"])
    assert heard == [*(words if kept else words[: -len(unsent)]), end]


def test_keys_of_the_configuration(tmp_path: Path) -> None:
    """A MUD whose key stands there is on the network as soon as the gateway runs, over a router of somebody else."""
    with Server(tmp_path / "router", "--roles", "i3", "--i3-router", "--private", env=FREE) as router:
        routers = f"*mythos 127.0.0.1:{router.ports['i3-router']}"
        env = {**FREE, "MYTHOS_I3_ROUTERS": routers, "MYTHOS_GATEWAY_KEYS": "Ash=a-key-of-some-length"}
        with Server(tmp_path / "gateway", "--roles", "i3", env=env) as server:
            Line(server.ports["gateway-tcp"], "a-key-of-some-length").wait("status", connected=True)


def test_beside_a_world(tmp_path: Path) -> None:
    """A player and a client of the gateway talk, over a router in the same process."""
    from tests.house.test_intermud import player, until

    with Server(tmp_path / "world", "--i3-router", "--private", env={**FREE, "MUD_NAME": "Saltreach"}) as world:
        ann, anns = player(world)
        key = keys(world, "create", "Reach")["key"]
        line = Line(json.loads((world.data / "ports.json").read_text())["gateway-tcp"], key)
        until(ann, "i3 muds", "Reach, Saltreach")
        ann.command("i3 tell bob@reach: hello")
        assert line.until("tell_received")["message"] == "hello"
        line.send("tell", target_mud="saltreach", target_user=anns, message="hello yourself", from_user="Bob")
        ann.until('Bob@Reach tells you, "hello yourself"')
        refused = subprocess.run(
            [MYTHOSCTL, "gateway", "keys", "create", "--data", str(world.data), "saltreach"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert refused.returncode == 4
        assert refused.stderr == "saltreach is the world that runs here: choose another name.\n"


@pytest.mark.parametrize("language", ["py", "js", "c", "lua"])
def test_small_clients(alone: Server, tmp_path: Path, language: str, request: pytest.FixtureRequest) -> None:
    """Each joins a channel, says hello and prints what it hears, as the docs say."""
    source = str(CLIENTS / f"client.{language}")
    if language == "c":
        program = [str(tmp_path / "client")]
        subprocess.run([str(request.getfixturevalue("cc")), "-Wall", "-o", program[0], source], check=True)
    else:
        runner = {"py": sys.executable, "js": "node", "lua": "lua"}[language]
        program = [runner if language == "py" else str(request.getfixturevalue(runner)), source]
    made = keys(alone, "create", "Listener")
    line = Line(made["ports"]["gateway-tcp"], made["key"])
    line.call("channel_join", channel="gossip")
    made = keys(alone, "create", "Speaker")
    line.wait("stats", online_muds=2)
    command = [*program, "127.0.0.1", str(made["ports"]["gateway-tcp"]), made["key"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as client:
        name = {"py": "Python", "js": "JavaScript", "c": "C", "lua": "Lua"}[language]
        heard = line.until("channel_message", from_mud="Speaker")
        assert (heard["message"], heard["visname"]) == (f"hello from {name}", "Ann")
        line.send("channel_send", channel="gossip", message="hello yourself", from_user="Bob")
        assert client.stdout is not None
        assert any("hello yourself" in text for text in client.stdout)
        client.kill()
