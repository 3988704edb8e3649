"""The types a setting can have: how its text is read and written."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar, Final, Generic, TypeVar
from urllib.parse import unquote, urlsplit

from mythos.config import scalars
from mythos.config.listen import Listen, address
from mythos.config.redis import RedisUrl

__all__ = [
    "ADDRESS",
    "BOOL",
    "EMAIL",
    "EVENTS",
    "HOST",
    "KEYS",
    "LEVELS",
    "LISTEN",
    "MSSP",
    "MUD",
    "NAME",
    "NETWORKS",
    "OPTIONAL_INT",
    "OPTIONAL_PATH",
    "OPTIONAL_RATE",
    "OPTIONAL_REDIS",
    "OPTIONAL_STORE",
    "ORIGINS",
    "PATH",
    "PERMISSIONS",
    "RATES",
    "ROLES",
    "ROUTERS",
    "ROUTER_NAME",
    "ROUTER_PASSWORD",
    "SHARE",
    "STORE",
    "TEXT",
    "URL",
    "WEBHOOKS",
    "ApiKey",
    "StoreUrl",
    "Type",
    "enumeration",
    "integer",
    "seconds",
    "size",
]  # fmt: skip

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Enum)

_ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9._-]+(?::[0-9]{1,5})?|https?://\[[0-9a-fA-F:]+\](?::[0-9]{1,5})?")
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+")
_ROUTER: Final = re.compile(r"\*[^\s,]{1,63} +[A-Za-z0-9._-]+:[0-9]{1,5}")
#: A part of the server by its name, and what it may tell.
_PART: Final = re.compile(r"[a-z_][a-z0-9_.]*")
_LEVELS: Final = ("debug", "info", "warning", "error", "critical")
_RATE: Final = re.compile(r"([a-z_]+) *= *([1-9][0-9]{0,8})")
_STATUS: Final = re.compile(r"([A-Z][A-Z0-9 -]{0,40}?) *= *(\S[^\x00-\x1f\x7f]{0,255})")
_URL: Final = re.compile(r"https?://[!-~]{1,2000}")
_WEBHOOK: Final = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?(?:/[!-~]{0,1900})?")
_EVENT: Final = re.compile(r"[a-z]+(?:\.[a-z]+)?")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_SQLITE: Final = re.compile(r"sqlite(?:\+\w+)?:///(.+)")
_POSTGRES: Final = re.compile(r"postgres(?:ql)?(?:\+\w+)?://([!-~]*)")
_PASSWORD: Final = re.compile(r"(?<=://)([^:@/?]*:)[^@/?]+(?=@)|([?&]password=)[^&]+")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the gateway. As text: ``MUD=key``, then its permissions and its rate, if it has its own.

    :ivar mud: the name on the network of all who come with it
    :ivar per_minute: requests of one connection in a minute; None: as many as others
    """

    PERMISSIONS: ClassVar = ("*", "tell", "channel", "info", "admin")
    LEAST: ClassVar = 16  # letters of a key

    mud: str
    secret: str = field(repr=False)
    permissions: tuple[str, ...] = ("*",)
    per_minute: int | None = None

    def __post_init__(self) -> None:
        if not self.mud or len(self.secret) < self.LEAST or len(self.secret.split()) > 1:  # which is not to be shown
            raise ValueError(f"expected a MUD and its key of at least {self.LEAST} letters, without blanks")

    def __str__(self) -> str:
        rate = "" if self.per_minute is None else f" {self.per_minute}"
        return f"{self.mud}={self.secret} {' '.join(self.permissions)}{rate}"


@dataclass(frozen=True, slots=True)
class StoreUrl:
    """Where a store is: ``memory:``, ``sqlite:///FILE`` or ``postgresql://…``. As text its password is not shown.

    :ivar url: with its password
    """

    url: str = field(repr=False)

    @property
    def path(self) -> Path | None:
        """The file of SQLite (a fourth slash begins an absolute path); None for others."""
        found = _SQLITE.fullmatch(self.url)
        return Path(found[1]) if found else None

    @property
    def postgres(self) -> bool:
        return self.url.startswith("postgresql:")

    @property
    def secret(self) -> bool:
        """It holds a password."""
        return self.postgres and _PASSWORD.search(self.url) is not None

    @property
    def password(self) -> str:
        """Of PostgreSQL; empty if there is none in it."""
        found = _PASSWORD.search(self.url) if self.postgres else None
        return unquote(re.sub(r"^[?&]password=", "", found[0]).rpartition(":")[2]) if found else ""

    def __str__(self) -> str:
        return _PASSWORD.sub(r"\1\2********", self.url) if self.postgres else self.url


def _never(value: object) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Type(Generic[_T]):
    """How a setting is read from text and written back.

    :param read: raises ValueError with a message that fits behind the place of the mistake.
    :param item: for a list, how one item of it is read; `read` then splits at commas and ends of lines.
    :param secret: whether a value holds a secret: others must not be able to read the file it stands in.
    """

    read: Callable[[str], _T]
    write: Callable[[_T], str] = str
    item: Callable[[str], Any] | None = None
    secret: Callable[[_T], bool] = _never

    @property
    def may_hold_secrets(self) -> bool:
        return self.secret is not _never


def integer(low: int, high: int | None = None) -> Type[int]:
    return Type(lambda text: scalars.integer(text, low, high))


def seconds(low: float, high: float | None = None, *, unit: float = 1.0) -> Type[float]:
    """:param unit: seconds that a bare number counts."""
    return Type(lambda text: scalars.seconds(text, low, high, unit), lambda value: f"{value:.15g}s")


def size(low: int, high: int | None = None) -> Type[int]:
    return Type(lambda text: scalars.size(text, low, high), _size)


def megabytes(low: int, high: int) -> Type[int]:
    """Whole ones; ``4GB`` is 4096, as is a bare number."""

    def read(text: str) -> int:
        return scalars.integer(text, low, high) if text.isdecimal() else scalars.size(text, low << 20, high << 20) >> 20

    return Type(read)


def enumeration(members: type[_E], **synonyms: str) -> Type[_E]:
    """Members by their values, which are lower case; case does not count. Other names for values are keywords."""
    known = {str(member.value): member for member in members}

    def read(text: str) -> _E:
        word = text.lower()
        return known[scalars.choice(synonyms.get(word, word), known)]

    return Type(read, lambda member: str(member.value))


def _list(item: Callable[[str], _T]) -> Type[tuple[_T, ...]]:
    def read(text: str) -> tuple[_T, ...]:
        parts = (part.strip(" \t\"'") for part in re.split("[,\n]", text.removeprefix("[").removesuffix("]")))
        return tuple(item(part) for part in parts if part)

    return Type(read, lambda items: ", ".join(map(str, items)), item)


def _name(text: str) -> str:
    if len(text) > 60 or not text.isprintable():
        raise ValueError("expected a name of at most 60 printable characters")
    return text


def _mud(text: str) -> str:
    name = _name(text)
    if name.startswith("*") or "@" in name:
        raise ValueError("expected the name of a MUD, without @ in it or a star before it")
    return name


def _email(text: str) -> str:
    if text and not _EMAIL.fullmatch(text):
        raise ValueError(f"expected an e-mail address, not {text!r}")
    return text


def _origin(text: str) -> str:
    if text != "*" and not _ORIGIN.fullmatch(text):
        raise ValueError(f"expected an origin such as https://mud.example.org, without a path, not {text!r}")
    return text


def _rate(text: str) -> str:
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a method and its requests in a minute, such as tell=30, not {text!r}")
    return f"{found[1]}={int(found[2])}"


def _level(text: str) -> str:
    name, _, level = text.partition("=")
    name, level = name.strip(), level.strip().lower()
    if not _PART.fullmatch(name) or level not in _LEVELS:
        raise ValueError(f"expected a part and its level, such as mythos.store=debug, not {text!r}")
    return f"{name}={level}"


def _status(text: str) -> str:
    found = _STATUS.fullmatch(text)
    if found is None:
        raise ValueError(f"expected a field of MSSP and its value, such as GENRE=Fantasy, not {text!r}")
    if found[1] in ("PLAYERS", "UPTIME"):
        raise ValueError(f"{found[1]} is counted, not set")
    return f"{found[1]}={found[2]}"


def _url(text: str) -> str:
    if text and not _URL.fullmatch(text):
        raise ValueError(f"expected an address that begins with https:// or http://, not {text!r}")
    return text


def _webhook(text: str) -> str:
    if not _WEBHOOK.fullmatch(text):  # it may hold a secret: it is not shown
        raise ValueError("expected an address such as https://hooks.example.org/mud, without a name and password")
    return text


def _event(text: str) -> str:
    if not _EVENT.fullmatch(text):
        raise ValueError(f"expected the name of an event, such as server.started, not {text!r}")
    return text


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"expected an address or a network such as 10.0.0.0/8, not {text!r}") from None


def _host(text: str) -> str:
    if text and not _HOST.fullmatch(text):
        raise ValueError(f"expected the name of a host or its address, not {text!r}")
    return text


def _router_name(text: str) -> str:
    name = "*" + text.lstrip("*")
    if text and not _ROUTER.fullmatch(f"{name} host:1"):
        raise ValueError(f"expected a router's name such as *i4, not {text!r}")
    return name if text else ""


def _router(text: str) -> str:
    if not _ROUTER.fullmatch(text):
        raise ValueError(f"expected a router's name and address, such as *i3 router.example.org:8080, not {text!r}")
    return text


def _key(text: str) -> ApiKey:
    mud, _, rest = text.partition("=")  # a key may end with the signs that base64 fills up with
    secret, *words = rest.split() or [""]
    if len(rates := [word for word in words if word.isdecimal()]) > 1:
        raise ValueError(f"expected one number of requests in a minute, not {' '.join(rates)}")
    for word in words:
        if word not in ApiKey.PERMISSIONS and word not in rates:
            raise ValueError(f"expected one of {', '.join(ApiKey.PERMISSIONS)} or requests in a minute, not {word!r}")
    permissions = tuple(dict.fromkeys(word for word in words if word not in rates))
    per_minute = scalars.integer(rates[0], 1, 10**9) if rates else None
    return ApiKey(_name(mud.strip()), secret, permissions or ("*",), per_minute)


def _permission(text: str) -> str:
    return scalars.choice(text, ApiKey.PERMISSIONS)


def _roles(text: str) -> tuple[str, ...]:
    known = ("doors", "world", "i3")
    roles = dict.fromkeys([scalars.choice(one, known) for one in text.lower().replace(",", " ").split()])
    if ("doors" in roles) != ("world" in roles) or not ("i3" in roles or "world" in roles):
        raise ValueError("expected i3 alone, or doors and world together, with i3 or without")
    return tuple(roles)


def _store(text: str) -> StoreUrl:
    if found := _POSTGRES.fullmatch(text):
        try:
            _ = urlsplit(text).port
        except ValueError:
            raise ValueError("expected postgresql://USER@HOST:PORT/DATABASE, with a port from 0 to 65535") from None
        return StoreUrl(f"postgresql://{found[1]}")
    if text in ("memory:", "sqlite://", "sqlite:///:memory:"):
        return StoreUrl("memory:")
    if not (found := _SQLITE.fullmatch(text)):
        known = "sqlite:///FILE, postgresql://USER@HOST/DATABASE or memory:"
        raise ValueError(f"expected {known}, not {text.partition(':')[0] + ':...'!r}")
    return StoreUrl(f"sqlite:///{Path(found[1])}")


def _postgres(text: str) -> StoreUrl:
    if not (found := _store(text)).postgres:
        raise ValueError("expected postgresql://USER@HOST/DATABASE")
    return found


def _size(value: int) -> str:
    for unit, name in ((2**30, "GB"), (2**20, "MB"), (2**10, "KB")):
        if value and value % unit == 0:
            return f"{value // unit}{name}"
    return str(value)


def _optional(read: Callable[[str], _T], none: str = "") -> Type[_T | None]:
    """:param none: another way to write that there is none"""
    return Type(
        lambda text: read(text) if text not in ("", none) else None, lambda value: "" if value is None else str(value)
    )


TEXT: Final = Type(str)
NAME: Final = Type(_name)
MUD: Final = Type(_mud)
EMAIL: Final = Type(_email)
ADDRESS: Final = Type(lambda text: address(text) if text else "")
BOOL: Final = Type(scalars.boolean, lambda value: "yes" if value else "no")
LISTEN: Final = Type(Listen.parse)
PATH: Final = Type(Path)
OPTIONAL_PATH: Final = _optional(Path)
OPTIONAL_RATE: Final = _optional(lambda text: scalars.integer(text, 1, 10**9), "null")
OPTIONAL_INT: Final = _optional(scalars.integer)
ORIGINS: Final = _list(_origin)
NETWORKS: Final = _list(_network)
RATES: Final = _list(_rate)
LEVELS: Final = _list(_level)
MSSP: Final = _list(_status)
SHARE: Final = Type(lambda text: scalars.number(text, 0.05, 1.0), lambda value: f"{value:g}")
URL: Final = Type(_url)
WEBHOOKS: Final = _list(_webhook)
EVENTS: Final = _list(_event)
HOST: Final = Type(_host)
ROUTER_PASSWORD: Final = Type(
    lambda text: scalars.integer(text or "0", 0, 2**31 - 1), lambda value: str(value) if value else ""
)
ROUTER_NAME: Final = Type(_router_name)
ROUTERS: Final = _list(_router)
KEYS: Final = _list(_key)
PERMISSIONS: Final = _list(_permission)
ROLES: Final = Type(_roles, lambda roles: ", ".join(roles))
STORE: Final = Type(_store, secret=lambda url: url.secret)
OPTIONAL_STORE: Final = replace(_optional(_postgres), secret=lambda url: url is not None and url.secret)
OPTIONAL_REDIS: Final = replace(_optional(RedisUrl.read), secret=lambda url: url is not None and url.secret)
