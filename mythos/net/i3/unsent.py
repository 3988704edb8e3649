"""Tells that wait for routers, on disk: a kill neither loses what somebody was told to be sent, nor sends again what a
router may have got."""

from __future__ import annotations

from pathlib import Path

from twisted.logger import Logger

from mythos.errors import WireError
from mythos.net.i3.link import RouterLink
from mythos.net.i3.state import read, saved, set_aside
from mythos.net.turn import Turn
from mythos.wire.i3 import packets

__all__ = ["Unsent"]

_log = Logger()


class Unsent:
    """What waits on several links, in one file. It is written once for all of a turn, before anything of it is sent,
    and not at all while nothing has to wait.

    :param turn: of all these links, and of those who are told
    """

    def __init__(self, path: Path, turn: Turn) -> None:
        self._path = path
        self._turn = turn
        self._links: dict[str, RouterLink] = {}
        self._due = False

    def watch(self, mud: str, link: RouterLink) -> None:
        """Before the link is started."""
        self._links[mud] = link
        link.tells_changed = self._changed

    def forget(self, mud: str) -> None:
        """What waits on its link, too."""
        del self._links[mud]
        self._changed()

    def remember(self) -> None:
        """What waited before a restart goes out as soon as a router is there. A file of no sense is set aside."""
        try:
            kept = read(self._path).items()
            tells = [
                (self._links[mud], packets.parse(tell)) for mud, some in kept if mud in self._links for tell in some
            ]
        except (TypeError, WireError) as error:
            set_aside(self._path, error)
            return
        self._due = True  # they are written
        for link, tell in tells:
            link.send_later(tell)
        self._due = False

    def save(self) -> None:
        self._due = False
        waiting = {mud: [*map(packets.values, link.unsent())] for mud, link in self._links.items()}
        if not saved({mud: tells for mud, tells in waiting.items() if tells}, self._path):
            self._remove()

    def _remove(self) -> None:
        """Those that stand there may be on their way: better lost by a kill than sent twice."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            _log.error("{file} cannot be removed: {error}", file=self._path.name, error=error)

    def _changed(self) -> None:
        if not self._due:
            self._due = True
            self._turn.first(self.save)
