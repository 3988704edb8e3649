"""Routers, and the gateway's doors and keys: what is made of how they are written, here and for another gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from mythos.config import types
from mythos.config.declare import Alias, Given, LeftOut, Rows
from mythos.config.examples import is_placeholder
from mythos.config.listen import Listen
from mythos.config.scalars import boolean
from mythos.config.types import BOOL, LISTEN, NAME, TEXT, ApiKey, integer

__all__ = [
    "API_KEYS", "API_KEY_VARIABLES", "FALLBACK", "added", "all_keys", "all_routers", "auth_off", "own_key_named",
    "rate_of", "router_name", "tcp_listen", "unless_off", "websocket_listen",
]  # fmt: skip


def websocket_listen(listen: Listen, given: Given) -> Listen:
    return listen.at(given["gateway.address"]) if given["gateway.enabled"] else Listen()


def tcp_listen(listen: Listen, given: Given) -> Listen:
    return listen.at(given["gateway.tcp_address"]) if given["gateway.enabled"] else Listen()


_MAKE_ONE: Final = "to have one made: mythosctl gateway keys create MUD"


def _listed_key(row: Mapping[str, Any]) -> ApiKey:
    for name in ("key", "mud_name"):
        if not row.get(name):
            raise LeftOut(f"has no {name} and is left out")
    if is_placeholder(row["key"]):
        raise LeftOut(f"is an example from a guide and no key here; {_MAKE_ONE}")
    return ApiKey(row["mud_name"], row["key"], row.get("permissions") or ("*",), row.get("rate_limit_override"))


def _mud_key(given: Mapping[str, str]) -> str:
    ((name, secret),) = given.items()
    if is_placeholder(secret):
        raise LeftOut(f"is an example from a guide and no key here; {_MAKE_ONE}")
    return f"{name.removeprefix('API_KEY_')}={secret}"


def all_keys(keys: tuple[ApiKey, ...], given: Given) -> tuple[ApiKey, ...]:
    """With those of variables, unless the same key is here already, under a name that somebody wrote out."""
    known = {key.secret for key in keys}
    more: tuple[ApiKey, ...] = given["gateway.mud_keys"]
    return (*keys, *(key for key in more if key.secret not in known))


def own_key_named(keys: tuple[ApiKey, ...], given: Given) -> tuple[ApiKey, ...]:
    """``API_KEY_REACH`` is the key of the MUD of this configuration if that is called Reach or ReachMUD."""
    own = given["mud.name"]

    def letters(name: str) -> str:
        return "".join(filter(str.isalnum, name)).upper()

    return tuple(
        replace(key, mud=own) if letters(own) in (letters(key.mud), f"{letters(key.mud)}MUD") else key for key in keys
    )


#: What the other gateway calls whoever comes while it asks for no key.
_ANYBODY: Final = "default"


def auth_off(name: str) -> Alias:
    """A variable or key that says whether keys are asked for."""
    return Alias((name,), lambda given: None if boolean(given[name]) else _ANYBODY, weak=True, types={name: BOOL})


#: Public routers by their hosts: a router may refuse a MUD that calls it by another name.
_KNOWN_ROUTERS: Final = {
    "204.209.44.3": "*i4", "97.107.133.86": "*dalet", "195.242.99.94": "*wpr", "136.144.155.250": "*wpr",
    "150.101.219.57": "*Kelly",
}  # fmt: skip


def router_name(key: str) -> Callable[[Given], str]:
    def name(given: Given) -> str:
        return _called(given[f"{key}.host"])

    return name


def _called(host: str) -> str:
    return _KNOWN_ROUTERS.get(host, f"*{host}" if host else "")


def _listed_router(row: Mapping[str, Any]) -> str | None:
    host = row.get("host")
    if not host:  # files ship with ${I3_FALLBACK_ROUTER_HOST:}
        return None
    if row.get("password"):
        raise ValueError("a password is kept for the primary router alone")
    return f"{row.get('name') or _called(host)} {host}:{row.get('port', 8080)}"


def all_routers(routers: tuple[str, ...], given: Given) -> tuple[str, ...]:
    """With those that are given in parts; one address counts once."""
    first, last = (
        [f"{given[f'{key}.name']} {given[f'{key}.host']}:{given[f'{key}.port']}"] if given[f"{key}.host"] else []
        for key in ("i3.primary", "i3.fallback")
    )
    by_address: dict[str, str] = {}
    for router in (*first, *routers, *last):
        by_address.setdefault(router.split()[-1], router)
    return tuple(by_address.values())


def unless_off(port: str, enabled: str) -> Alias:
    """A port that a second key can take away."""
    return Alias(
        (port, enabled), lambda given: given.get(port) if boolean(given.get(enabled, "yes")) else "off",
        types={port: LISTEN, enabled: BOOL}
    )  # fmt: skip


def added(*keys: str) -> Alias:
    """The sum of what is given."""
    count = integer(1, 100_000)
    return Alias(keys, lambda given: str(sum(map(int, given.values()))), types=dict.fromkeys(keys, count))


def rate_of(method: str, key: str) -> Alias:
    """The requests of one method in a minute."""
    rate = integer(1, 10**9)
    return Alias((key,), lambda given: f"{method}={given[key]}", weak=True, types={key: rate})


#: ``router.fallback`` and ``api.auth.api_keys`` of the other gateway's file; ``API_KEY_<MUD>`` of its environment.
FALLBACK: Final = Rows(
    "router.fallback",
    {"name": types.ROUTER_NAME, "host": types.HOST, "port": integer(1, 65535), "password": types.ROUTER_PASSWORD},
    _listed_router,
)
API_KEYS: Final = Rows(
    "api.auth.api_keys",
    {"key": TEXT, "mud_name": NAME, "permissions": types.PERMISSIONS, "rate_limit_override": types.OPTIONAL_RATE},
    _listed_key,
    secret="key",
)
API_KEY_VARIABLES: Final = Alias(("API_KEY_*",), _mud_key)
