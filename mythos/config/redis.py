"""Where a Redis is, as one address: ``redis://``, ``rediss://`` (TLS), ``unix://`` or ``redis+sentinel://``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

__all__ = ["PORT", "RedisUrl"]

#: Redis', and its Sentinel's.
PORT: Final = 6379
SENTINEL: Final = 26379

_KNOWN: Final = "redis://:PASSWORD@HOST:PORT/DB, rediss:// with TLS, unix:///SOCKET or redis+sentinel://HOST,HOST/NAME"
_PASSWORD: Final = re.compile(r"(?<=://)([^:@/?]*:)[^@/?]*(?=@)|([?&](?:sentinel_)?password=)[^&]+")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """As text its passwords are not shown.

    :ivar url: with them
    :ivar hosts: names and ports: of one Redis, or of all Sentinels; empty: it is a socket
    :ivar socket: path of a UNIX socket; empty: there is none
    :ivar name: what Sentinels call the Redis; empty: there are none
    :ivar ca: file of the authority that signed its certificate; None: the system's
    """

    url: str = field(repr=False)
    hosts: tuple[tuple[str, int], ...] = ()
    socket: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    db: int = 0
    tls: bool = False
    ca: Path | None = None
    name: str = ""
    sentinel_password: str = field(default="", repr=False)

    @classmethod
    def read(cls, text: str) -> RedisUrl:
        """:raises ValueError: with what was expected; no password is in it"""
        scheme, _, rest = text.partition("://")
        if "cluster" in scheme.lower():
            raise ValueError("Redis Cluster is not supported: name one Redis, or its Sentinels by redis+sentinel://")
        if scheme not in ("redis", "rediss", "unix", "redis+sentinel") or not rest:
            raise ValueError(f"expected {_KNOWN}, not {scheme + '://...'!r}")
        place = urlsplit(f"redis://{rest}")
        if place.netloc.count("@") > 1 or "@" in place.path or not text.isprintable() or " " in text:
            raise ValueError(f"expected {_KNOWN}; in a password, write @ as %40, / as %2F, and so on")
        login, _, hosts = place.netloc.rpartition("@")
        user, _, password = login.partition(":")
        made = cls(text, user=unquote(user), password=unquote(password), tls=scheme == "rediss")
        path, made = made._queried(place, scheme)
        if scheme == "unix":
            if hosts or not path:
                raise ValueError("expected unix:///PATH/OF/SOCKET")
            return replace(made, socket=unquote(f"/{path}"))
        if scheme == "redis+sentinel":
            name, _, db = path.partition("/")
            if not name:
                raise ValueError(
                    "expected redis+sentinel://HOST:26379,HOST:26379/NAME, with the name of what they watch"
                )
            made = made._with_db(db)
            return replace(made, hosts=tuple(_host(one, SENTINEL) for one in hosts.split(",")), name=unquote(name))
        return replace(made._with_db(path), hosts=(_host(hosts or "localhost", PORT),))

    def _queried(self, place: SplitResult, scheme: str) -> tuple[str, RedisUrl]:
        """The path without its slash, and what stands behind the question mark."""
        made = self
        for name, value in parse_qsl(place.query, keep_blank_values=True):
            if name == "db":
                made = made._with_db(value)
            elif name == "password":
                made = replace(made, password=value)
            elif name in ("ssl_ca_certs", "ca") and scheme == "rediss":
                made = replace(made, ca=Path(value))
            elif name == "sentinel_password" and scheme == "redis+sentinel":
                made = replace(made, sentinel_password=value)
            else:
                raise ValueError(f"{name} means nothing in the address of a Redis")
        return place.path.removeprefix("/"), made

    def _with_db(self, text: str) -> RedisUrl:
        if not text:
            return self
        if not text.isdecimal() or int(text) > 65_535:
            raise ValueError("the number of a database of Redis is 0 to 65535")
        return replace(self, db=int(text))

    def with_password(self, password: str) -> RedisUrl:
        """One that is missing is this."""
        return self if self.password or not password else replace(self, password=password)

    @property
    def secret(self) -> bool:
        """It holds a password."""
        return _PASSWORD.search(self.url) is not None

    @property
    def on_network(self) -> bool:
        """Others may reach it, or hear what is said to it."""
        return any(host not in ("localhost", "::1") and not host.startswith("127.") for host, _ in self.hosts)

    def __str__(self) -> str:
        return _PASSWORD.sub(r"\1\2********", self.url)


def _host(text: str, port: int) -> tuple[str, int]:
    host, colon, number = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    host = host if colon else text
    if not _HOST.fullmatch(host) or (colon and not (number.isdecimal() and 0 < int(number) < 65_536)):
        raise ValueError("expected HOST:PORT of a Redis, with a port from 1 to 65535; in a password, write / as %2F")
    return host.strip("[]"), int(number) if colon else port
