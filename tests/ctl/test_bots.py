"""``mythosctl bots``: a good server loses nothing, and one that does is caught."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.ctl.conftest import Run
from tests.house.server import Server

_CTL = str(Path(sys.executable).with_name("mythosctl"))
#: No limit is in the way of so many from one address.
FREE = {"RATE_LIMIT_ENABLED": "no", "CONNECTION_POOL_SIZE": "1000"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("bots") / "data", env=FREE) as running:
        yield running


def bots(cwd: Path, *words: str) -> tuple[int, dict[str, Any]]:
    ran = subprocess.run(
        [_CTL, "bots", *words, "--minutes", "0.05", "--pace", "300ms", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=cwd,
        check=False,
    )
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


def test_a_good_server(server: Server, tmp_path: Path) -> None:
    """By every door: each answers, and nothing is lost or told twice."""
    code, found = bots(tmp_path, "12", "--data", str(server.data))
    assert (code, found["lost"], found["repeated"], found["dropped"], found["refused"]) == (0, 0, 0, 0, {})
    assert found["lines"] >= 12 * 12
    for kind, one in found["doors"].items():
        assert one["answers"] > 0, kind
        assert 0 < one["p50_ms"] <= one["p99_ms"]


class Meddler:
    """A proxy before one port, which changes the lines that come back, to one connection alone or to all."""

    def __init__(self, port: int, change: Callable[[bytes], bytes], *, alone: bool = True) -> None:
        self._port = port
        self._change = change
        self._alone = alone
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        first = True
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            for source, sink, change in ((near, far, _same), (far, near, self._change if first else _same)):
                threading.Thread(target=_carry, args=(source, sink, change), daemon=True).start()
            first = not self._alone

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._threads[0].join()


def _same(line: bytes) -> bytes:
    return line


def _carry(source: socket.socket, sink: socket.socket, change: Callable[[bytes], bytes]) -> None:
    """Lines are carried whole, so that they can be changed; what is no line yet goes on as it is."""
    try:
        while data := source.recv(65_536):
            sink.sendall(b"".join([change(line) for line in data.splitlines(keepends=True)]))
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.mark.parametrize(("copies", "what"), [(0, "lost"), (2, "repeated")])
def test_a_server_that_loses_or_repeats_a_line(server: Server, tmp_path: Path, copies: int, what: str) -> None:
    """The control: one line on its way to one of them is left out, or comes twice."""
    done: list[bytes] = []

    def change(line: bytes) -> bytes:
        if b"[chat]" in line and b"-" in line and line.endswith(b"\n") and not done:
            done.append(line)
            return line * copies
        return line

    meddler = Meddler(server.ports["telnet"], change)
    words = ("--against", server.url("/"), "--telnet", f"127.0.0.1:{meddler.port}", "--doors", "telnet,websocket")
    code, found = bots(tmp_path, "6", *words)
    meddler.close()
    assert done
    other = "lost" if what == "repeated" else "repeated"
    assert (code, found[what], found[other]) == (1, 1, 0)


def test_a_server_that_says_what_makes_no_sense(server: Server, tmp_path: Path) -> None:
    """Its connections count as broken."""
    meddler = Meddler(server.ports["http"], lambda line: line.replace(b"[chat]", b'"chat"'), alone=False)
    found = bots(tmp_path, "2", "--against", f"http://127.0.0.1:{meddler.port}", "--doors", "websocket")
    meddler.close()
    assert (found[0], found[1]["dropped"]) == (1, 2)


def test_a_server_that_is_full(tmp_path: Path) -> None:
    """Who is not let in is counted, with the server's own sentence."""
    with Server(tmp_path / "data", env=FREE | {"CONNECTION_POOL_SIZE": "2"}) as small:
        code, found = bots(tmp_path, "4", "--data", str(small.data), "--doors", "telnet")
    assert (code, sum(found["refused"].values())) == (1, 2)
    assert "Every place here is taken" in next(iter(found["refused"]))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["0"], 2, "0 is not in the range"),
        (["2", "--doors", "window"], 2, "there is no door window"),
        (["2", "--against", "ftp://host"], 2, "is no address of a server"),
        (["2", "--against", "http://h:port"], 2, "is no address of a server"),
        (["2", "--against", "http://127.0.0.1:1", "--telnet", "here"], 2, "here is no HOST:PORT"),
        (["2", "--against", "http://127.0.0.1:1", "--telnet", "127.0.0.1:1"], 3, "Nobody was let in: "),
        (["2"], 3, "start it, or name one with --against URL"),
    ],
)
def test_no_server(run: Run, words: list[str], code: int, said: str) -> None:
    with ThreadPoolExecutor(1) as thread:  # the tests of browsers leave a loop behind in this one
        result = thread.submit(run, "bots", *words).result()
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
