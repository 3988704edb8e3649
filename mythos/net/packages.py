"""GMCP of one session's client: what it is told beside the session's log, and what it may ask.

====================== ======================================================================================
Char.Items.Inv, Room   the list anew
Char.Items.Contents    what is in a container, by its id
Comm.Channel.Players   who plays, and which channels they hear
Comm.Channel.Enable    the command ``channels on`` with that name
Core.KeepAlive         the player is not idle
====================== ======================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from mythos.play.channels import CHANNELS
from mythos.play.panels import LISTED, Told, contents_of
from mythos.play.realm import Realm
from mythos.play.sessions import Session
from mythos.wire import gmcp
from mythos.wire.message import State

__all__ = ["Packages"]


class Packages:
    """See the module. ``modules``: those the client supports, lower case -> version."""

    __slots__ = ("_realm", "_session", "_told")

    def __init__(self, realm: Realm, session: Session) -> None:
        self._realm = realm
        self._session = session
        self._told = Told()

    def greet(self, modules: Mapping[str, int]) -> bytes:
        """What a client is told once, before all else."""
        if "comm.channel" not in modules:
            return b""
        channels = [{"name": name, "caption": name.capitalize(), "command": name} for name in CHANNELS]
        return gmcp.encode("Comm.Channel.List", channels)

    def told(self, state: State, modules: Mapping[str, int]) -> bytes:
        """A state as frames: what it differs in from the last one, and itself if the client lists its module."""
        me = self._session.me.id
        told = b"".join([gmcp.encode(*one) for one in self._told.differences(me, state, modules)])
        if state.name != "Char.Status" and gmcp.wants(modules, state.name):
            told += gmcp.render(state)
        return told

    def asked(self, name: str, data: Any, modules: Mapping[str, int]) -> bytes:
        """Answer message ``name`` (lower case), as frames; what means nothing here is passed over."""
        realm, session = self._realm, self._session
        if name == "core.keepalive":
            session.idle_since = realm.clock.seconds()
        elif gmcp.module_of(name) not in modules:
            return b""
        elif name in ("char.items.inv", "char.items.room"):
            listed = self._told.again(name.rpartition(".")[2])
            return gmcp.encode(*listed) if listed is not None else b""
        elif name == "char.items.contents" and (isinstance(data, str) or type(data) is int):
            told = contents_of(realm.world, session.me, str(data))
            return gmcp.encode(*told) if told is not None else b""
        elif name == "comm.channel.enable" and isinstance(data, str) and data.lower() in CHANNELS:
            realm.submit(session, 0, f"channels on {data.lower()}")
        elif name == "comm.channel.players":
            return gmcp.encode("Comm.Channel.Players", self._listeners())
        return b""

    def _listeners(self) -> list[dict[str, Any]]:
        hears = self._realm.channels.hears
        return [
            {"name": one.me.name, "channels": [channel for channel in CHANNELS if hears(one.me, channel)]}
            for one in islice(self._realm.sessions(), LISTED)
        ]
