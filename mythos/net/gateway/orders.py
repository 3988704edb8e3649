"""What operators ask of the gateway over the control socket: ``mythosctl gateway keys``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from mythos.errors import MythosError
from mythos.net.control import Answer, Order, Question
from mythos.net.gateway.events import now_text
from mythos.net.gateway.gateway import Gateway
from mythos.net.gateway.keys import Key

__all__ = ["GatewayOrders"]

#: Seconds an old key is good beside its successor.
OVERLAP = 3600.0


class GatewayOrders:
    """:param open: opens the gateway's listeners, if they are not open; returns their ports"""

    def __init__(self, gateway: Gateway, open: Callable[[], Coroutine[Any, Any, dict[str, int]]]) -> None:
        self._gateway = gateway
        self._open = open

    @property
    def orders(self) -> dict[str, Order]:
        return {
            "gateway-keys-create": self._create,
            "gateway-keys-list": self._list,
            "gateway-keys-rotate": self._rotate,
            "gateway-keys-revoke": self._revoke,
        }

    async def _create(self, asked: Question) -> Answer:
        permissions = tuple(asked.text("permissions", "*").replace(",", " ").split())
        rate = int(asked.number("rate", 0)) or None
        allow, deny = [tuple(asked.text(name, "").replace(",", " ").split()) for name in ("allow", "deny")]
        key, secret = self._gateway.keys.create(asked.text("mud"), permissions, rate, allow, deny)
        try:
            ports = await self._open()
        except MythosError:
            self._gateway.keys.revoke(key.id)  # nobody was shown it
            raise
        return {"key": secret, **_shown(key), "ports": ports}

    async def _list(self, asked: Question) -> Answer:
        return {"keys": [{**_shown(key), "connections": self._connections(key)} for key in self._gateway.keys]}

    async def _rotate(self, asked: Question) -> Answer:
        overlap = asked.number("overlap", OVERLAP)
        key, secret = self._gateway.keys.rotate(asked.text("id"), max(0.0, overlap))
        return {"key": secret, **_shown(key)}

    async def _revoke(self, asked: Question) -> Answer:
        return _shown(self._gateway.keys.revoke(asked.text("id")))

    def _connections(self, key: Key) -> int:
        return sum(one.door is not None and one.key.id == key.id for one in self._gateway.sessions())


def _shown(key: Key) -> Answer:
    return {
        "key_id": key.id,
        "mud": key.mud,
        "permissions": list(key.permissions),
        "rate": key.per_minute,
        "allow": list(key.allow),
        "deny": list(key.deny),
        "created": now_text(key.created) if key.created else "in the configuration",
        "ends": now_text(key.ends) if key.ends else "",
    }
