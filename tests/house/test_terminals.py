"""Players with the programs that people have: from the name prompt through the tutorial into the town, by what the
texts tell them to type."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from mythos.wire.negotiation import Options, Policy
from tests.house.server import Server
from tests.house.terminal import Terminal
from tests.net.certificates import make

_PASSWORD = "seven grey gulls"
_TUTORIAL = (
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
    ("quit", "Goodbye"),
)


@dataclass(frozen=True, slots=True)
class Client:
    """How a program is used.

    :ivar service: its fixture
    :ivar arguments: behind the program; PORT is put in
    :ivar connect: what is typed first
    :ivar aloud: it says that it reads aloud
    :ivar telnet: it speaks telnet, hides passwords for one
    """

    service: str
    arguments: tuple[str, ...] = ()
    connect: str = ""
    aloud: bool = False
    telnet: bool = True


_HERE = ("127.0.0.1", "PORT")
_CLIENTS = {
    "TinTin++": Client("tintin", connect="#session mythos 127.0.0.1 PORT"),
    "TinTin++ -s": Client("tintin", ("-s",), "#session mythos 127.0.0.1 PORT", aloud=True),
    "TinyFugue": Client("tinyfugue", ("-v", "-f/dev/null", *_HERE)),
    "telnet": Client("telnet", _HERE),
    "PuTTY": Client("putty", ("-telnet", "-P", "PORT", "127.0.0.1")),
    "netcat": Client("netcat", _HERE, telnet=False),
}


@pytest.mark.parametrize("name", _CLIENTS)
def test_from_the_name_prompt_into_the_town(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """No command of telnet is shown, and no password by a client that can hide it; one that reads aloud is read to
    from the first line on."""
    client = _CLIENTS[name]
    program: Path = request.getfixturevalue(client.service)
    with Server(tmp_path / "data") as house:
        port = str(house.ports["telnet"])
        command = [str(program), *[argument.replace("PORT", port) for argument in client.arguments]]
        with Terminal(command, tmp_path) as player:
            if client.connect:
                player.type(client.connect.replace("PORT", port))
            greeting = player.until("What is your name?")
            assert ("Screen reader mode is on." in greeting) is client.aloud
            if client.telnet:
                for typed, shown in (
                    ("Morwenna", "New password:"),
                    (_PASSWORD, "Once more:"),
                    (_PASSWORD, "Exits: south, ashore."),
                ):
                    player.type(typed)
                    player.until(shown)
            else:
                player.type("guest")
                player.until("Exits: south, ashore.")
            for typed, shown in _TUTORIAL:
                player.type(typed)
                player.until(shown)
            screen = player.screen
    if not client.telnet:  # what is offered to everybody is all that it has to see
        offers = Options(Policy.standard()).open(0.0)
        assert screen.startswith(offers)
        screen = screen.removeprefix(offers)
    assert screen.isascii(), [byte for byte in screen if byte > 0x7F]
    assert _PASSWORD.encode() not in screen


def test_the_keys_of_telnet(telnet: Path, tmp_path: Path) -> None:
    """^C takes a line back, and all that is shown afterwards is shown; so it is behind a Synch."""
    with (
        Server(tmp_path / "data") as house,
        Terminal([telnet, "127.0.0.1", str(house.ports["telnet"])], tmp_path) as player,
    ):
        player.until("What is your name?")
        player.type("guest")
        player.until("Exits: south, ashore.")
        player.press(b"say half a li\x03")
        player.type("say one")
        player.until('You say, "one"')
        for order, typed, shown in (("synch", "say two", 'You say, "two"'), ("ayt", "", "[Yes]")):
            player.press(b"\x1d")
            player.until("telnet>")
            player.type(f"send {order}")
            player.type(typed)
            player.until(shown)


def test_tintin_plays_compressed(tintin: Path, tmp_path: Path) -> None:
    """Both ways, until it leaves: what it shows is what it would show without."""
    settings = {"MYTHOS_TELNET_MCCP3": "yes"}
    with Server(tmp_path / "data", env=settings) as house, Terminal([tintin], tmp_path) as player:
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


def test_tintin_plays_over_tls(tintin: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    make(both, both, "localhost")
    settings = {"SSL_CERT_PATH": str(both), "MYTHOS_TELNET_TLS": "0"}
    with Server(tmp_path / "data", env=settings) as house, Terminal([tintin], tmp_path) as player:
        player.type(f"#ssl mythos 127.0.0.1 {house.ports['telnet-tls']}")
        player.until("What is your name?")
        for line, shown in (("guest", "Exits: south, ashore."), ("south", "The Waist"), ("quit", "Goodbye, guest.")):
            player.type(line)
            player.until(shown)
