"""nginx and haproxy with the files that are shipped, on free ports, in front of a server; and who comes by them."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.deploy.copies import ETC, adapted, free_ports, is_open
from tests.house.clients import PATIENCE
from tests.net.certificates import make
from tests.postgres import until

__all__ = ["PLAYER", "Front", "Haproxy", "Nginx", "Stream", "ask", "by_tls", "from_player", "https"]

#: Where players come from in these tests: an address that is neither the front's nor the server's.
PLAYER: Final = "127.0.0.2"


class Front:
    """A program in front of a server. Its ports: ``http``, ``https``, ``telnet``, ``telnet-tls``.

    :param program: of nginx, haproxy
    :param server: the ports of the server behind it
    """

    def __init__(self, program: Path, place: Path, server: Mapping[str, int]) -> None:
        self._program = str(program)
        self._place = place
        self._process: subprocess.Popen[bytes] | None = None
        self._older: list[subprocess.Popen[bytes]] = []
        self.ports = dict(zip(("http", "https", "telnet", "telnet-tls"), free_ports(4), strict=True))
        self.log = place / "front.log"
        self.new_certificate()
        self._configure(server)

    def _configure(self, server: Mapping[str, int]) -> None:
        raise NotImplementedError

    def _command(self) -> list[str]:
        raise NotImplementedError

    def check(self) -> list[str]:
        """The command that checks the file and starts nothing."""
        raise NotImplementedError

    def certificate(self) -> bytes:
        """What clients are shown now."""
        with contextlib.closing(by_tls(self.ports["https"])) as line:
            return line.getpeercert(binary_form=True) or b""

    def new_certificate(self) -> None:
        """Shown from the next start or reload on."""
        chain, key = self._place / "fullchain.pem", self._place / "privkey.pem"
        make(chain, key, "localhost")
        (self._place / "mythos.pem").write_text(chain.read_text() + key.read_text())

    def _launch(self, *more: str) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen([*self._command(), *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self) -> None:
        """Returns when its ports are open."""
        process = self._process = self._launch()

        def opened() -> bool:
            assert process.poll() is None, self.log.read_text()
            return all(map(is_open, self.ports.values()))

        until(opened, PATIENCE)

    def reload(self, done: Callable[[], bool]) -> None:
        """Let it read its files again; returns when that is done."""
        assert self._process is not None
        self._reread(self._process)
        until(done, PATIENCE)

    def _reread(self, process: subprocess.Popen[bytes]) -> None:
        raise NotImplementedError

    def logged(self) -> str:
        """All that it wrote."""
        return "".join(path.read_text() for path in self._place.glob("*.log"))

    def stop(self) -> None:
        """At once, with all connections."""
        process, self._process = self._process, None
        for one in (*self._older, *([process] if process is not None else [])):
            one.terminate()
            one.wait(PATIENCE)
        self._older.clear()


class Nginx(Front):
    def _configure(self, server: Mapping[str, int]) -> None:
        kept = "".join(f"{kind}_temp_path {self._place / kind};\n" for kind in _KEPT)
        ports = {"80": "http", "443": "https", "4000": "telnet", "4443": "telnet-tls"}
        text = adapted(
            ETC / "nginx" / "nginx.conf",
            {
                "/etc/mythos/tls/": f"{self._place}/",
                "/var/log/nginx/access.log": str(self._place / "access.log"),
                "worker_rlimit_nofile 65536;": "",  # what files the tests may have open
                "worker_connections 16384;": "worker_connections 400;",
                "http {": f"http {{\n{kept}",
                "127.0.0.1:8000": f"127.0.0.1:{server['http']}",
                "127.0.0.1:4001": f"127.0.0.1:{server['telnet']}",
                "127.0.0.1:8080": f"127.0.0.1:{server.get('gateway', 8080)}",
                **{f"listen {port}": f"listen 127.0.0.1:{self.ports[name]}" for port, name in ports.items()},
            },
        )
        lines = [line for line in text.splitlines() if "listen [::]:" not in line]
        (self._place / "nginx.conf").write_text("\n".join(lines))

    def _command(self) -> list[str]:
        process = f"daemon off; pid {self._place}/nginx.pid;" + (" user root;" if os.geteuid() == 0 else "")
        return [self._program, "-e", "stderr", "-c", str(self._place / "nginx.conf"), "-g", process]

    def check(self) -> list[str]:
        return [*self._command(), "-t"]

    def _reread(self, process: subprocess.Popen[bytes]) -> None:
        process.send_signal(signal.SIGHUP)


class Haproxy(Front):
    def _configure(self, server: Mapping[str, int]) -> None:
        ports = {"80\n": "http", "443 ": "https", "4000\n": "telnet", "4443 ": "telnet-tls"}
        text = adapted(
            ETC / "haproxy" / "haproxy.cfg",
            {
                "    user haproxy\n    group haproxy\n": "",
                "maxconn 20000": "maxconn 200",  # what files the tests may have open
                "/etc/haproxy/mythos.pem": str(self._place / "mythos.pem"),
                "127.0.0.1:8000": f"127.0.0.1:{server['http']}",
                "127.0.0.1:4001": f"127.0.0.1:{server['telnet']}",
                "127.0.0.1:8080": f"127.0.0.1:{server.get('gateway', 8080)}",
                **{f"bind :{port}": f"bind 127.0.0.1:{self.ports[name]}{port[-1]}" for port, name in ports.items()},
            },
        )
        (self._place / "haproxy.cfg").write_text(text)

    def _command(self) -> list[str]:
        return [self._program, "-db", "-f", str(self._place / "haproxy.cfg")]

    def check(self) -> list[str]:
        return [*self._command(), "-c"]

    def _reread(self, process: subprocess.Popen[bytes]) -> None:
        """As its master does: a new process takes the ports, and tells the old one to finish."""
        self._older.append(process)
        self._process = self._launch("-sf", str(process.pid))


_KEPT: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def from_player(port: int) -> socket.socket:
    """TCP, from the address of players."""
    return socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=(PLAYER, 0))


def by_tls(port: int) -> ssl.SSLSocket:
    """The same with TLS; any certificate will do."""
    return _context().wrap_socket(from_player(port))


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def ask(
    front: Front,
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> http.client.HTTPResponse:
    """The answer to one request through a front, from the address of players. Its connection ends with it."""
    line = https(front)
    content = None if body is None else json.dumps(body)
    line.request(method, path, content, {"content-type": "application/json", **(headers or {})})
    return line.getresponse()


def https(front: Front) -> http.client.HTTPSConnection:
    """From the address of players."""
    return http.client.HTTPSConnection(
        "127.0.0.1", front.ports["https"], timeout=PATIENCE, source_address=(PLAYER, 0), context=_context()
    )


class Stream:
    """A player by event stream and POST, who keeps what is needed to resume."""

    def __init__(self, front: Front, token: str, place: str = "", headers: Mapping[str, str] | None = None) -> None:
        self._front = front
        self.token = token
        self._mine = {"authorization": f"Bearer {token}"}
        self.ticket: str = json.load(ask(front, "POST", "/api/v1/ticket", {}, self._mine))["ticket"]
        last = f"&last={place}" if place else ""
        self._answer = ask(front, "GET", f"/sse?ticket={self.ticket}{last}", headers=headers)
        assert self._answer.status == 200, self._answer.read()
        self.place = place
        self.lines: list[str] = []
        self.hello = self._record()
        assert self.hello["t"] == "hello", self.hello

    def _record(self) -> dict[str, Any]:
        """The next event. :raises EOFError: the stream has ended"""
        while line := self._answer.readline():
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                self.place = value
            elif name == "data":
                found: dict[str, Any] = json.loads(value)
                return found
        raise EOFError

    def until(self, wanted: str) -> None:
        while not any(wanted in line for line in self.lines):
            record = self._record()
            if record["t"] == "line":
                self.lines.append(record["text"])

    def close(self) -> None:
        self._answer.close()

    def command(self, c: int, line: str) -> None:
        with ask(self._front, "POST", "/api/v1/commands", {"c": c, "line": line}, self._mine) as answer:
            assert answer.status == 202, answer.read()
