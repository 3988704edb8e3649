"""Secrets typed at every door, rightly and wrongly: nothing that the server wrote or tells has one of them."""

from __future__ import annotations

import base64
import gzip
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mythos.ids import EntityId, SessionId
from mythos.net.tokens import JWTTokens
from mythos.telemetry.logs import redact
from tests.house.clients import Frames, Telnet, WebSocket
from tests.house.server import PATIENCE, Server

BROKEN = str(Path(__file__).with_name("broken.py"))
#: Each secret has this in it, and no word of the game has.
MARK = "Xq7vLwCanary"
PASSWORD = f"{MARK}-password-1"
CHANGED = f"{MARK}-password-2"
WRONG = f"{MARK}-wrong-password"
KEY = f"{MARK}-gateway-key-0123456789"
SECRET = f"{MARK}-secret-key-0123456789abcdef"


@pytest.fixture(params=["json", "text"])
def server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """With as much in its log as there can be."""
    env = {
        "LOG_LEVEL": "debug", "LOG_FORMAT": request.param, "SECRET_KEY": SECRET, "MYTHOS_GATEWAY_KEYS": f"Far={KEY}",
        "MYTHOS_GATEWAY": "0", "MYTHOS_GATEWAY_TCP": "0", "MYTHOS_I3_ROUTER_LISTEN": "0", "RATE_LIMIT_ENABLED": "no",
    }  # fmt: skip
    with Server(tmp_path / "data", "--i3-router", "--private", env=env) as server:
        yield server


def ask(server: Server, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Whatever it answers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = urllib.request.Request(server.url(path), body or None, named, method=method)
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        return error.read()


def by_api(server: Server) -> None:
    """Every field of every request, right and wrong; secrets where none belong."""
    paths = ("guest", "register", "login", "claim", "refresh", "logout", "ticket", "commands", "nothing")
    for path in paths:
        for value in (
            {"name": "Morwenna", "password": WRONG},
            {"name": WRONG, "password": WRONG},
            {"code": WRONG, "name": "Morwenna", "password": WRONG},
            {"code": WRONG, "name": WRONG, "password": 5},
            {"refresh": WRONG},
            {WRONG: WRONG},
            {"c": WRONG, "line": WRONG},
            WRONG,
        ):
            ask(server, "POST", f"/api/v1/{path}", json.dumps(value).encode(), Authorization=f"Bearer {WRONG}")
        ask(server, "POST", f"/api/v1/{path}", WRONG.encode(), Authorization=f"Bearer {WRONG}.{WRONG}.{WRONG}")
        ask(server, "POST", f"/api/v1/{path}?password={WRONG}", b"{" + WRONG.encode(), Cookie=f"token={WRONG}")
        ask(server, "PUT", f"/api/v1/{path}?token={WRONG}", WRONG.encode(), Content_Type=WRONG)
    for path in (
        f"/sse?ticket={WRONG}",
        f"/sse?ticket={WRONG}&last={WRONG}",
        f"/nowhere?{WRONG}",
        f"/help/nothing?password={WRONG}",
        f"/static/nothing?token={WRONG}",
        f"/ws?token={WRONG}",
    ):
        for headers in ({}, {"Authorization": WRONG, "Last_Event_ID": WRONG, "Referer": f"http://x/{WRONG}"}):
            ask(server, "GET", path, b"", **headers)
    for data in (f"GET /?{WRONG} HTTP/9.{WRONG}\r\n\r\n", f"{WRONG}\r\n\r\n", f"GET / HTTP/1.1\r\n{WRONG}\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.ports["http"]), PATIENCE) as plug:
            plug.sendall(data.encode())
            while plug.recv(65_536):
                pass


def by_telnet(server: Server) -> None:
    """Where it is asked for, where a name is, and by a client that logs in by itself; then changed."""
    telnet = Telnet(server.ports["telnet"])
    telnet.until("name? ")
    for line, answer in ((WRONG, "name? "), ("Morwenna", "Password: "), (WRONG, "name? "), ("Nessa", "New password: ")):
        telnet.send(line)
        telnet.until(answer)
    for line, answer in ((WRONG, "Once more: "), (PASSWORD, "New password: "), ("", "name? "), ("Morwenna", "word: ")):
        telnet.send(line)
        telnet.until(answer)
    for line, answer in (
        (PASSWORD, "> "), ("password", "?"), (WRONG, "?"), (CHANGED, "please: "), (CHANGED, "not your password"),
        ("password", "?"), (PASSWORD, "?"), (CHANGED, "please: "), (CHANGED, "Your password is changed."),
        ("password", "?"), (CHANGED, "?"), (PASSWORD, "please: "), (PASSWORD, "Your password is changed."),
    ):  # fmt: skip
        telnet.send(line)
        telnet.until(answer)
    telnet.close()
    for told in ({"account": "Morwenna", "password": WRONG}, {"account": WRONG, "password": WRONG, WRONG: 1}, WRONG):
        telnet = Telnet(server.ports["telnet"])
        telnet.send_raw(b"\xff\xfd\xc9\xff\xfa\xc9Char.Login.Credentials " + json.dumps(told).encode() + b"\xff\xf0")
        telnet.send_raw(b"\xff\xfa\xc9Core.Supports.Set [" + WRONG.encode() + b"\xff\xf0")
        telnet.until("name? ")
        telnet.close()
    telnet = Telnet(server.ports["telnet"])
    telnet.send_raw(f"POST / HTTP/1.1\r\nAuthorization: Bearer {WRONG}\r\n\r\n{WRONG}".encode())
    telnet.ended()
    telnet.close()


def by_websocket(server: Server, token: str) -> None:
    """In frames that are right, wrong and no frames at all; a guest who registers."""
    for frame in ({"t": "attach", "token": WRONG}, {"t": WRONG, "token": WRONG}, {WRONG: WRONG}):
        for path in ("/ws", f"/ws?token={WRONG}"):
            client = Frames(server.ports["http"], path, "mythos.v1")
            client.send(frame)
            with suppress(EOFError):
                while True:
                    client.receive()
            client.cut()
    with suppress(AssertionError):
        Frames(server.ports["http"], "/ws", WRONG)
    guest = WebSocket(server.ports["http"], token)
    for line in ("register Tamsyn", WRONG, WRONG + "2", "register Tamsyn", PASSWORD, PASSWORD):
        guest.command(line)
    guest.send({"c": 99, WRONG: WRONG})
    with suppress(EOFError):
        while True:
            guest.receive()
    guest.cut()


def by_gateway(server: Server) -> None:
    """A key that is good, and others that are not, on both roads."""
    for key in (KEY, WRONG):
        with socket.create_connection(("127.0.0.1", server.ports["gateway-tcp"]), PATIENCE) as plug:
            lines = plug.makefile("rw", encoding="utf-8", newline="\n")
            for asked in (
                {"jsonrpc": "2.0", "id": 1, "method": "authenticate", "params": {"api_key": key}},
                {"jsonrpc": "2.0", "id": 2, "method": WRONG, "params": {WRONG: WRONG}},
                {"jsonrpc": WRONG, "id": WRONG, "method": "authenticate", "params": WRONG},
            ):
                print(json.dumps(asked), file=lines, flush=True)
            print(WRONG, file=lines, flush=True)
            plug.shutdown(socket.SHUT_WR)
            while plug.recv(65_536):
                pass
        request = urllib.request.Request(f"http://127.0.0.1:{server.ports['gateway']}/metrics?key={key}")
        request.add_header("x-api-key", key)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            assert MARK.encode() not in answer.read()


def by_control(server: Server) -> None:
    """An account made by an operator, and orders that are none."""
    for order in (
        {"do": "create-account", "name": "Jory", "password": PASSWORD},
        {"do": "create-account", "name": "Jory", "password": PASSWORD, "keeper": WRONG},
        {"do": WRONG, "password": WRONG},
        [WRONG],
    ):
        with socket.socket(socket.AF_UNIX) as plug:
            plug.settimeout(PATIENCE)
            plug.connect(str(server.data / "control.sock"))
            plug.sendall(json.dumps(order).encode() + b"\n")
            assert plug.recv(65_536)


def fetched(server: Server) -> dict[str, bytes]:
    """What it tells whoever asks."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.ports['metrics']}/metrics", timeout=PATIENCE) as answer:
        metrics = answer.read()
    pages = ("/health/detailed", "/who", "/", "/api/openapi.json", "/play")
    return {"metrics": metrics, **{path: ask(server, "GET", path) for path in pages}}


def test_nothing_keeps_a_secret(server: Server, tmp_path: Path) -> None:
    """Log, store, files, numbers and pages. Tokens that were given are secrets too."""
    given: list[str] = []

    def grants(granted: Any) -> Any:
        given.extend((granted["token"], granted["refresh"]))
        return granted

    grants(server.post("/api/v1/register", {"name": "Morwenna", "password": PASSWORD}))
    granted = grants(server.post("/api/v1/login", {"name": "Morwenna", "password": PASSWORD}))
    grants(server.post("/api/v1/refresh", {"refresh": granted["refresh"]}))
    ask(server, "POST", "/api/v1/refresh", json.dumps({"refresh": granted["refresh"]}).encode())
    guest = grants(server.post("/api/v1/guest"))
    given.append(server.post("/api/v1/ticket", token=guest["token"])["ticket"])
    player = WebSocket(server.ports["http"], guest["token"])
    given.append(player.token)
    player.cut()
    by_api(server)
    by_telnet(server)
    by_websocket(server, grants(server.post("/api/v1/guest"))["token"])
    by_gateway(server)
    by_control(server)
    told = fetched(server)
    server.stop()
    files = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    written = files | told
    assert len(files) > 3
    assert b"POST /api/v1/login 401" in files["data.log"]
    assert any(b"login failed from" in data for data in files.values())
    secrets = [SECRET.encode(), KEY.encode(), *[one.encode() for one in given]]
    for one in (PASSWORD, CHANGED, WRONG):
        secrets += [one.encode(), base64.b64encode(one.encode()).rstrip(b"=")]
    assert [(name, one) for name, data in written.items() for one in secrets if one in data] == []
    assert [name for name, data in written.items() if MARK.lower().encode() in data.lower()] == []


def test_faults_tell_no_secret(tmp_path: Path) -> None:
    """A command that breaks on a secret, and a store that breaks on each that it is handed: neither the log at its most
    talkative, with its tracebacks, nor Sentry has one."""
    data = tmp_path / "data"
    env = {"SECRET_KEY": SECRET, "MYTHOS_GATEWAY_KEYS": f"Far={KEY}", "MYTHOS_GATEWAY": "0", "RATE_LIMIT_ENABLED": "no"}
    env |= {"MYTHOS_GATEWAY_TCP": "0", "MYTHOS_I3_ROUTER_LISTEN": "0", "MYTHOS_I3_ROUTER": "yes"}
    with Server(data, env=env, program=(sys.executable, BROKEN)) as server:
        granted = server.post("/api/v1/register", {"name": "Morwenna", "password": PASSWORD})
        player = WebSocket(server.ports["http"], granted["token"])
        for line in ("burst", WRONG, f"nothing {WRONG}"):
            player.command(line)
        given = [granted["token"], granted["refresh"], player.token]
        (tmp_path / "data.break").touch()
        by_api(server)
        bodies = {
            "register": {"name": "Tamsyn", "password": PASSWORD},
            "login": {"name": "Morwenna", "password": PASSWORD},
            "refresh": {"refresh": granted["refresh"]},
            "claim": {"code": WRONG, "name": "Jory", "password": PASSWORD},
            "logout": {"refresh": granted["refresh"]},
            "ticket": {},
        }
        for path, body in bodies.items():
            ask(
                server, "POST", f"/api/v1/{path}", json.dumps(body).encode(), Authorization=f"Bearer {granted['token']}"
            )
        telnet = Telnet(server.ports["telnet"])
        for answer, line in (("name? ", "Morwenna"), ("", PASSWORD)):
            telnet.until(answer)
            telnet.send(line)
        by_control(server)
        by_gateway(server)
        told = fetched(server)
        (tmp_path / "data.break").unlink()
        server.stop()
    log, sentry = (tmp_path / "data.log").read_bytes(), (tmp_path / "data.sentry").read_bytes()
    for fault in (b"the answer broke", b"the store broke"):
        assert fault in log
        assert fault in sentry
    written = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} | told
    assert _with_secrets(written, given) == []


def test_what_operators_look_at_has_no_secret(server: Server, tmp_path: Path) -> None:
    """mythosctl's answers, and backups that are not encrypted, unpacked; one that is has them, and nobody reads it."""
    granted = server.post("/api/v1/register", {"name": "Morwenna", "password": PASSWORD})
    by_control(server)
    (tmp_path / "key").write_text("0123456789abcdef" * 4)
    env = {**os.environ, "SECRET_KEY": SECRET, "DB_PASSWORD": WRONG, "MYTHOS_GATEWAY_KEYS": f"Far={KEY}"}
    env |= {"SENTRY_DSN": f"https://{MARK}@sentry.example/1", "DATABASE_URL": f"sqlite:///{server.data}/mythos.db"}
    told = {}
    for words in (
        "config show", "config show --json --source", "config check", "config check --production", "config doc",
        "config explain SECRET_KEY", "config explain DB_PASSWORD", "config show --as-seed A", "config show --as-seed D",
        "doctor", "doctor --json", "status --json", "metrics", "memory", "logs", "audit", "audit --json", "who --json",
        "account list --json", "gateway keys list", "token list", "db status", "fsck", "backup plain",
        "backup shut --encrypt key",
    ):  # fmt: skip
        line = [sys.executable, "-m", "mythos.ctl", *words.split()]
        where = [] if words.startswith("config") else ["--data", str(server.data)]
        done = subprocess.run([*line, *where], cwd=tmp_path, env=env, capture_output=True, timeout=60, check=False)
        assert b"Traceback" not in done.stderr, done.stderr
        told[words] = done.stdout + done.stderr
    (plain,) = (tmp_path / "plain").glob("*.gz")
    (shut,) = (tmp_path / "shut").glob("*.enc")
    told |= {"plain": gzip.decompress(plain.read_bytes()), "shut": shut.read_bytes()}
    assert b"Morwenna" in told["plain"]
    assert b"********" in told["config show"]
    assert _with_secrets(told, [granted["token"], granted["refresh"]]) == []


def _with_secrets(written: Mapping[str, bytes], given: Sequence[str]) -> list[str]:
    """What has one of them in it, however it is written."""
    secrets = [SECRET, KEY, PASSWORD, CHANGED, WRONG, *given]
    coded = [base64.b64encode(one.encode()).rstrip(b"=") for one in secrets]
    marks = [MARK.lower().encode(), *[one.lower().encode() for one in given]]
    return [
        name
        for name, data in written.items()
        if any(one in data.lower() for one in marks) or any(one in data for one in coded)
    ]


def test_the_search_finds() -> None:
    """What the tests above rely on."""
    token = "abcdefghijklmnopqrstuvwxyz"
    found = {"plain": f"x{PASSWORD}".encode(), "coded": base64.b64encode(WRONG.encode()), "large": KEY.upper().encode()}
    assert _with_secrets({**found, "token": token.encode(), "none": b"nothing"}, [token]) == [*found, "token"]


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer {}",
        "GET /sse?ticket={}&last=e.1",
        "eyJhbGciOiJIUzI1NiJ9.{}.{}",
        "$argon2id$v=19$m=19456${}",
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str) -> None:
    """Wherever it stands: what a library logs of itself too."""
    secret = "Xq7vLwCanary-0123456789"
    assert secret not in redact(f"it was {text.format(secret, secret)} that broke")
    assert re.search(r"it was .*\[secret\]", redact(f"it was {text.format(secret, secret)} that broke"))


def test_what_we_give_is_masked() -> None:
    """Tokens of every kind, wherever they stand, also where a long text is cut."""
    tokens = JWTTokens(SECRET)
    session = SessionId(tokens.secret()[:32])
    access = tokens.access(session, EntityId("c1"), None, 1e6)
    for one in (access, tokens.secret(), f"{session}.{tokens.secret()}"):
        for text in (f"{one} broke", f"it was {one}", f"{{'token': '{one}'}}", f"{'x ' * 1020}{one}"):
            assert not any(one[at : at + 8] in redact(text) for at in range(len(one) - 8))
            assert "[secret" in redact(text) or len(text) > 2048
    assert redact("mythos.net.websocket: connection c12 of session 5f2a left") == (
        "mythos.net.websocket: connection c12 of session 5f2a left"
    )
