"""How people of other MUDs are called, as their own MUD told it: the last of each of the MUDs heard of last."""

from __future__ import annotations

from typing import Final

from mythos.flow.newest import keep

__all__ = ["MUDS", "USERS", "Visnames"]

#: Most MUDs of which names are kept, and names of one.
MUDS: Final = 200
USERS: Final = 100


class Visnames:
    """A MUD that tells many names pushes out its own alone. Users are compared in small letters."""

    def __init__(self) -> None:
        self._muds: dict[str, dict[str, str]] = {}

    def get(self, mud: str, user: str) -> str | None:
        """None: nothing is known; empty: it was asked for."""
        return self._muds.get(mud, {}).get(user.lower())

    def put(self, mud: str, user: str, visname: str) -> None:
        users = self._muds.get(mud, {})
        keep(self._muds, mud, users, MUDS)
        keep(users, user.lower(), visname, USERS)
