"""A player with TinTin++, from the name prompt to the end of the tutorial, by what the texts tell them to type."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.house.server import Server
from tests.net.certificates import make

_PATIENCE = 20.0
#: Cursor movements and colours of the client's own screen.
_DRAWN = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|[()][0-9A-Za-z]|[=>78]|\][^\x07]*\x07)")


class TinTin:
    """The client in a terminal of its own."""

    def __init__(self, program: Path, home: Path) -> None:
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        environ = {"PATH": os.environ["PATH"], "HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            [program], stdin=far, stdout=far, stderr=far, env=environ, cwd=home, start_new_session=True
        )
        os.close(far)
        self._shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._near)

    def type(self, line: str) -> None:
        os.write(self._near, line.encode() + b"\n")

    def until(self, wanted: str) -> str:
        """What was shown up to there, blanks joined; it is not shown again."""
        end = time.monotonic() + _PATIENCE
        while True:
            plain = " ".join(_DRAWN.sub("", self._shown).split())
            if wanted in plain:
                self._shown = ""
                return plain
            left = end - time.monotonic()
            if left < 0 or not select.select([self._near], [], [], left)[0]:
                raise AssertionError(f"{wanted!r} was not shown: {plain[-2000:]}")
            self._shown += os.read(self._near, 65_536).decode("utf-8", "replace")


def test_the_tutorial(tintin: Path, tmp_path: Path) -> None:
    with Server(tmp_path / "data") as house, TinTin(tintin, tmp_path) as player:
        player.type(f"#session mythos 127.0.0.1 {house.ports['telnet']}")
        player.until("What is your name?")
        player.type("guest")
        player.until("Exits: south, ashore.")
        for line, shown in (
            ("look board", "Welcome aboard."),
            ("south", "The Waist"),
            ("open door", "You open the cabin door."),
            ("east", "The Cabin"),
            ("get lantern", "You get a tin lantern."),
            ("get coat", "You get an oilskin coat."),
            ("wear coat", "You put on an oilskin coat."),
            ("west", "The Waist"),
            ("south", "The Stern"),
            ("ask odo about mail", "gives you a locker key."),
            ("north", "The Waist"),
            ("down", "It is too dark to see anything."),
            ("light lantern", "You light a tin lantern."),
            ("look", "The Hold"),
            ("attack rat", "You defeat a bilge rat."),
            ("unlock locker", "You unlock the stout locker."),
            ("open locker", "You open the stout locker."),
            ("north", "The Mail Locker"),
            ("get bag", "You get a mail bag."),
            ("south", "The Hold"),
            ("up", "The Waist"),
            ("south", "The Stern"),
            ("give bag to odo", "Task done: The Crossing."),
            ("north", "The Waist"),
            ("north", "The Fore Deck"),
            ("ashore", "The Quay"),
            ("quit", "Goodbye, guest."),
        ):
            player.type(line)
            player.until(shown)


def test_it_plays_compressed(tintin: Path, tmp_path: Path) -> None:
    """Both ways, until it leaves: what it shows is what it would show without."""
    settings = {"MYTHOS_TELNET_MCCP3": "yes"}
    with Server(tmp_path / "data", env=settings) as house, TinTin(tintin, tmp_path) as player:
        player.type("#config {debug telnet} {on}")
        player.type(f"#session mythos 127.0.0.1 {house.ports['telnet']}")
        player.until("What is your name?")
        player.type("guest")
        player.until("INFO MCCP2 INITIALIZED")
        for line, shown in (
            ("say one", 'You say, "one"'),
            ("#info mccp", "MCCP3: TOTAL IN"),
            ("quit", "Goodbye, guest."),
        ):
            player.type(line)
            player.until(shown)


def test_it_plays_over_tls(tintin: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    make(both, both, "localhost")
    settings = {"SSL_CERT_PATH": str(both), "MYTHOS_TELNET_TLS": "0"}
    with Server(tmp_path / "data", env=settings) as house, TinTin(tintin, tmp_path) as player:
        player.type(f"#ssl mythos 127.0.0.1 {house.ports['telnet-tls']}")
        player.until("What is your name?")
        for line, shown in (("guest", "Exits: south, ashore."), ("south", "The Waist"), ("quit", "Goodbye, guest.")):
            player.type(line)
            player.until(shown)
