"""What MUD lists are told."""

from __future__ import annotations

from dataclasses import replace

from mythos.app.mssp import status_table
from mythos.config import Config
from mythos.wire.subnegotiation import mssp
from tests.scenes.people import in_town

_CONFIG = Config()
_PORTS = {"telnet": 4000, "http": 8000}


def test_what_is_counted() -> None:
    """Those who play now; the start as Unix time; numbers as text."""
    table = status_table(_CONFIG, in_town("Ann Bob").realm, _PORTS, 1_763_670_000.9)
    assert (table["NAME"], table["PLAYERS"], table["UPTIME"]) == (("Mythos",), ("2",), ("1763670000",))
    assert (table["PORT"], table["AREAS"], table["ROOMS"]) == (("4000",), ("2",), ("5",))
    assert table["GMCP"] == table["UTF-8"] == ("1",)
    assert table["MCCP"] == ("1",)
    assert table["MSDP"] == ("0",)
    assert "TLS" not in table
    assert status_table(_CONFIG, in_town("Ann").realm, {**_PORTS, "telnet-tls": 4443}, 0.0)["TLS"] == ("4443",)
    assert table["ZMP"] == table["PAY TO PLAY"] == ("0",)
    assert "CONTACT" not in table  # nobody said where
    assert mssp(table).startswith(b"\xff\xfa\x46\x01NAME\x02Mythos\x01PLAYERS\x022\x01UPTIME")


def test_what_the_operator_says() -> None:
    """It comes before what we would say; a name that comes twice has both values, in order."""
    said = ("GENRE=Fantasy", "PORT=23", "PORT=4000", "HIRING BUILDERS=1", "GAMEPLAY=Roleplaying")
    config = replace(_CONFIG, mud=replace(_CONFIG.mud, mssp=said, admin_email="a@example.org"))
    table = status_table(config, in_town("Ann").realm, _PORTS, 0.0)
    assert table["PORT"] == ("23", "4000")
    assert (table["GENRE"], table["GAMEPLAY"]) == (("Fantasy",), ("Roleplaying",))
    assert (table["HIRING BUILDERS"], table["CONTACT"]) == (("1",), ("a@example.org",))
