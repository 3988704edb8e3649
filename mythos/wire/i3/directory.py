"""What a router has told of its network: the MUDs and the channels, with the ids of both lists.

Routers send changes. A list is kept with its id, by router, so that the next startup has to ask only for what has
changed since. Ids are opaque and of one router: they say nothing about another's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from mythos.wire.i3 import pinkfish
from mythos.wire.i3.lpc import Value
from mythos.wire.i3.packets import BadPacket, ChannelInfo, ChannelList, MudInfo, MudList

__all__ = ["Directory"]

#: Longest name of a MUD or a channel, in characters, and most entries of one list.
NAME = 128
MOST = 20_000
#: Sets of services that are shared.
SETS = 256
#: Longest entry, in characters of its notation; those in use have some hundred.
ENTRY = 8192


Watcher = Callable[[str, MudInfo | None, MudInfo | None], None]


class Directory:
    """One router's lists.

    :ivar watchers: each is called with a MUD's name and what was known of it and is now (None: nothing), at each change
    :ivar changed: :meth:`kept` would give something new
    """

    def __init__(self) -> None:
        self.muds: dict[str, MudInfo] = {}
        self.channels: dict[str, ChannelInfo] = {}
        self.mudlist_id = 0
        self.chanlist_id = 0
        self.watchers: list[Watcher] = []
        self.changed = False
        self._services: dict[str, Mapping[str, Value]] = {}

    def learn(self, packet: MudList | ChannelList) -> None:
        """Changes from the router. A bad entry costs only itself."""
        self.changed = True
        if isinstance(packet, MudList):
            self.mudlist_id = packet.id
            for name, entry in _named(packet.muds):
                self._learn_mud(name, entry)
            return
        self.chanlist_id = packet.id
        for name, entry in _named(packet.channels):
            if entry == 0:
                self.channels.pop(name, None)
            elif len(self.channels) < MOST:
                try:
                    info = ChannelInfo.read(entry)
                except BadPacket:
                    continue
                self.channels[name] = replace(info, host=_name(info.host))

    def _learn_mud(self, name: str, entry: Any) -> None:
        try:
            info = None if entry == 0 else self._read(entry)
        except BadPacket:
            return
        before = self.muds.get(name)
        if info is None:
            self.muds.pop(name, None)
        elif before is None and len(self.muds) >= MOST:
            return
        else:
            self.muds[name] = info
        if info != before:
            for watcher in tuple(self.watchers):
                watcher(name, before, info)

    def begin_anew(self) -> None:
        """A list may have come in part: ask for all of it the next time."""
        self.mudlist_id = self.chanlist_id = 0
        self.changed = True

    def _read(self, entry: Value) -> MudInfo:
        """With one mapping of services for all MUDs that offer the same: thousands do. :raises BadPacket:"""
        info = MudInfo.read(entry)
        if len(self._services) >= SETS:
            self._services.clear()
        return replace(info, services=self._services.setdefault(repr(info.services), info.services))

    def mud(self, name: str) -> str:
        """A MUD's own spelling of its name; as it is, if no MUD is called so."""
        if name in self.muds:
            return name
        wanted = name.lower()
        return next((one for one in self.muds if one.lower() == wanted), name)

    # ── what outlives the server ────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, Any]:
        """All of it, as JSON."""
        self.changed = False
        return {
            "mudlist_id": self.mudlist_id,
            "chanlist_id": self.chanlist_id,
            "muds": {name: info.write() for name, info in self.muds.items()},
            "channels": {name: info.write() for name, info in self.channels.items()},
        }

    def remember(self, kept: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave before a restart.

        :raises ValueError: it is none of it; then nothing is remembered
        """
        try:
            muds = {name: self._read(entry) for name, entry in kept["muds"].items()}
            channels = {name: ChannelInfo.read(entry) for name, entry in kept["channels"].items()}
            ids = int(kept["mudlist_id"]), int(kept["chanlist_id"])
        except (BadPacket, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no lists of a router: {error}") from error
        self.muds, self.channels = muds, channels
        self.mudlist_id, self.chanlist_id = ids


def _named(entries: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Those of a list that have a name and no excess of words, under that name as it is shown."""
    return (
        (_name(name), entry)
        for name, entry in entries.items()
        if isinstance(name, str) and _name(name) and len(repr(entry)) <= ENTRY
    )


def _name(name: str) -> str:
    """On one line, without control characters."""
    return " ".join(pinkfish.plain(name).split())[:NAME]
