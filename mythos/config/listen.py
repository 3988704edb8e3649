"""Where a door listens: a port, ADDRESS:PORT, a Twisted endpoint string, or ``off``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from mythos.config.problems import near

__all__ = ["ANYWHERE", "Listen", "address", "host_and_port"]

ANYWHERE: Final = "0.0.0.0"
_LOOPBACK: Final = "127.0.0.1"
_SCHEMES: Final = ("tcp", "tcp6", "ssl", "unix", "systemd")
_EXAMPLES: Final = "a port, ADDRESS:PORT, an endpoint such as tcp:4000:interface=127.0.0.1, or off"


@dataclass(frozen=True, slots=True)
class Listen:
    """One listener.

    :param endpoint: for ``twisted.internet.endpoints.serverFromString``; empty: do not listen.
    :param host: the address, for TCP; empty if the endpoint does not say (``unix:``, ``systemd:``).
    :param port: 0 takes a free one (or the endpoint has none).
    :param bare: only a port was given: on loopback, unless ``public`` opens it.
    """

    endpoint: str = ""
    host: str = ""
    port: int = 0
    bare: bool = False

    def __str__(self) -> str:
        return self.endpoint or "off"

    @property
    def off(self) -> bool:
        return not self.endpoint

    @property
    def on_network(self) -> bool:
        """True if other machines may reach it; what an endpoint does not tell counts as reachable."""
        if self.off or self.endpoint.startswith("unix:"):
            return False
        return not (self.host and ip_address(self.host).is_loopback)

    def at(self, host: str) -> Listen:
        """The same port on the address `host`, if only a port was given and `host` is not empty; else itself."""
        return Listen.tcp(host, self.port) if self.bare and host else self

    def opened(self) -> Listen:
        """The same port on every interface, if only a port was given; else itself."""
        return self.at(ANYWHERE)

    @classmethod
    def tcp(cls, host: str, port: int, *, bare: bool = False) -> Listen:
        interface = "" if host == ANYWHERE else ":interface=" + host.replace(":", r"\:")
        return cls(f"tcp:{port}{interface}", host, port, bare)

    @classmethod
    def parse(cls, text: str) -> Listen:
        """:raises ValueError: saying what was expected."""
        if text.lower() == "off":
            return cls()
        if text.isdecimal():
            return cls.tcp(_LOOPBACK, _port(text), bare=True)
        scheme, _, rest = text.partition(":")
        if scheme == "haproxy":
            raise ValueError(
                f"{text!r} would believe whoever connects: expected {rest or 'tcp:4000'!r}, and the proxies named in"
                " telnet.trusted_proxies or http.trusted_proxies"
            )
        if scheme in _SCHEMES:
            return cls._endpoint(text, scheme, rest)
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdecimal():
            raise ValueError(f"expected {_EXAMPLES}, not {text!r}{near(scheme, _SCHEMES) if rest else ''}")
        return cls.tcp(address(host), _port(port))

    @classmethod
    def _endpoint(cls, text: str, scheme: str, rest: str) -> Listen:
        if not rest:
            raise ValueError(f"expected {_EXAMPLES}, not {text!r}")
        if scheme in ("unix", "systemd"):
            return cls(text)
        parts = [re.sub(r"\\(.)", r"\1", part) for part in re.split(r"(?<!\\):", rest)]
        named = dict(part.split("=", 1) for part in parts if "=" in part)
        plain = [part for part in parts if "=" not in part]
        host = named.get("interface") or ("::" if scheme == "tcp6" else ANYWHERE)
        return cls(text, address(host), _port(named.get("port", plain[0] if plain else "")))


def host_and_port(host: str, port: str, default: str) -> str | None:
    """The text for `Listen.parse` from two variables, either of which may be empty.

    A host without a port counts only if it is an address: shells export ``HOST`` with the name of the machine.
    """
    if not host:
        return port
    if not port and not _is_address(host):
        return None
    return f"{f'[{host}]' if ':' in host else host}:{port or default}"


def _is_address(host: str) -> bool:
    try:
        return bool(address(host))
    except ValueError:
        return False


def address(host: str) -> str:
    """The address in its usual form; ``*`` and an empty one are every interface.

    :raises ValueError: saying what was expected.
    """
    host = host.strip("[]")
    if host in ("", "*"):
        return ANYWHERE
    if host == "localhost":
        return _LOOPBACK
    try:
        return str(ip_address(host))
    except ValueError:
        raise ValueError(f"expected an address such as 127.0.0.1, not {host!r}") from None


def _port(text: str) -> int:
    if not text.isdecimal() or len(text) > 5 or int(text) > 65535:
        raise ValueError(f"expected a port from 0 to 65535, not {text!r}")
    return int(text)
