"""What lists of MUDs are told: the table of the Mud Server Status Protocol."""

from __future__ import annotations

from collections.abc import Mapping

from mythos import __version__
from mythos.config import Config
from mythos.play.realm import Realm

__all__ = ["status_table"]

#: What a client may find here, and what not; each is told as 1 or 0.
_PROTOCOLS = {
    "ANSI": True,
    "ATCP": False,
    "GMCP": True,
    "MCP": False,
    "MSP": False,
    "PUEBLO": False,
    "UTF-8": True,
    "VT100": False,
    "WEBSOCKET": True,
    "XTERM 256 COLORS": True,
    "XTERM TRUE COLORS": True,
    "ZMP": False,
}
#: Nothing is sold, and nobody is looked for, unless the operator says so.
_NOT_HERE = ("PAY TO PLAY", "PAY FOR PERKS", "HIRING BUILDERS", "HIRING CODERS")


def status_table(config: Config, realm: Realm, ports: Mapping[str, int], started: float) -> dict[str, tuple[str, ...]]:
    """The values of each field, in the order they are told; what the operator says of one comes first.

    :param ports: of the doors that are open, by name
    :param started: Unix time
    """
    atlas = realm.world.atlas
    port: int | str = config.mud.announce_port or ports.get("telnet", 0) or ""
    counted = {
        "NAME": config.mud.name,
        "PLAYERS": sum(1 for _ in realm.sessions()),
        "UPTIME": int(started),
        "CRAWL DELAY": -1,
        "CODEBASE": f"Mythos {__version__}",
        "CONTACT": config.mud.admin_email,
        "PORT": port,
        "TLS": ports.get("telnet-tls", ""),
        "SSL": ports.get("telnet-tls", ""),
        "CHARSET": "UTF-8",
        "LANGUAGE": "English",
        "FAMILY": "Custom",
        "GAMESYSTEM": "Custom",
        "INTERMUD": "I3" if realm.intermud is not None else "",
        "AREAS": len(atlas.zones),
        "ROOMS": len(atlas.rooms),
        "MOBILES": len(realm.world.npcs),
        "OBJECTS": len(realm.world.items),
        "HELPFILES": len(atlas.help) + len(realm.verbs.verbs),
        **dict.fromkeys(("CLASSES", "RACES", "SKILLS"), 0),
        **{name: int(known) for name, known in _PROTOCOLS.items()},
        "MCCP": int(config.telnet.mccp2),
        "MSDP": int(config.telnet.msdp),
        "MXP": int(config.telnet.mxp),
        **dict.fromkeys(_NOT_HERE, 0),
    }
    table: dict[str, tuple[str, ...]] = {name: (str(value),) for name, value in counted.items() if value != ""}
    said: dict[str, tuple[str, ...]] = {}
    for entry in config.mud.mssp:
        name, _, value = entry.partition("=")
        said[name] = (*said.get(name, ()), value)
    return table | said
