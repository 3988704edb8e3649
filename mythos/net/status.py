"""MSSP: what crawlers of MUD lists are told, as a telnet option and in plain text. Bounded, for anybody may ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mythos.errors import Refusal
from mythos.flow.bucket import Buckets
from mythos.wire.subnegotiation import mssp, mssp_lines

__all__ = ["Status", "Table"]

Table = Mapping[str, str | Sequence[str]]

#: Seconds for which a table is told as it was made, and between two requests in plain text from one address.
FRESH = 10.0
_ADDRESSES = 1024


class Status:
    """:param table: makes the table anew
    :param seconds: the clock, monotonic
    """

    __slots__ = ("_asked", "_made", "_seconds", "_table", "_told")

    def __init__(self, table: Callable[[], Table], seconds: Callable[[], float]) -> None:
        self._table = table
        self._seconds = seconds
        self._made = -FRESH
        self._told: Table = {}
        self._asked = Buckets(1.0 / FRESH, 1.0, _ADDRESSES)

    @property
    def name(self) -> str:
        """The MUD's."""
        said = self._now().get("NAME", "")
        return said if isinstance(said, str) else said[0]

    def frame(self) -> bytes:
        """The answer to DO MSSP."""
        return mssp(self._now())

    def text(self, address: str) -> bytes:
        """The answer to the line ``MSSP-REQUEST``.

        :raises Refusal: this address asked a moment ago
        """
        if wait := self._asked.take(address, self._seconds()):
            raise Refusal(f"Ask again in {max(1, round(wait))} seconds.")
        return mssp_lines(self._now())

    def _now(self) -> Table:
        now = self._seconds()
        if now - self._made >= FRESH:
            self._told, self._made = self._table(), now
        return self._told
