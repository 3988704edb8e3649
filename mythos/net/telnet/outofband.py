"""What a client takes beside words: modules of GMCP, and variables of MSDP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mythos.net.reports import Reports
from mythos.wire import gmcp
from mythos.wire.negotiation import Options
from mythos.wire.telnet import Option
from mythos.wire.terminal import Evidence

__all__ = ["OutOfBand"]

_NONE: Mapping[str, int] = MappingProxyType({})


class OutOfBand:
    """One client's.

    :ivar modules: of GMCP, that it supports, lower case -> version
    :ivar counts: it acknowledges by ``Mythos.Ack``
    :ivar reports: what it asked for by MSDP; None: nothing
    :param server: variables of MSDP that do not depend on who asks
    """

    __slots__ = ("_evidence", "_options", "_server", "counts", "modules", "reports")

    def __init__(self, options: Options, evidence: Evidence, server: Mapping[str, Callable[[], Any]]) -> None:
        self.modules: Mapping[str, int] = _NONE
        self.counts = False
        self.reports: Reports | None = None
        self._options = options
        self._evidence = evidence
        self._server = server

    def wants(self, name: str) -> bool:
        """It listed this GMCP module."""
        return bool(self.modules) and self._options.us(Option.GMCP) and gmcp.wants(self.modules, name)

    def supported(self, message: gmcp.Gmcp) -> Mapping[str, int]:
        """It says which modules it supports; returns those it did before. :raises BadGmcp:"""
        before = self.modules
        self._evidence.core(message)
        self.modules = self._evidence.supports or _NONE
        self.counts = "mythos" in self.modules
        return before

    def configured(self, pairs: Sequence[tuple[str, Any]]) -> Reports:
        """It says something by MSDP; returns what answers."""
        for name, value in pairs:
            self._evidence.configured(name, value)
        if self.reports is None:
            self.reports = Reports(self._server)
        return self.reports

    def kept(self) -> dict[str, Any] | None:
        """What it reports, for another process; the rest is evidence."""
        return self.reports.kept() if self.reports is not None else None

    def restore(self, reports: Mapping[str, Any] | None) -> None:
        """What :meth:`kept` gave, behind the evidence."""
        self.modules = self._evidence.supports or _NONE
        self.counts = "mythos" in self.modules
        if reports is not None:
            self.reports = Reports(self._server)
            self.reports.restore(reports)

    def forget(self, option: int) -> None:
        """GMCP or MSDP is off again."""
        if option == Option.GMCP:
            self._evidence.supports, self.modules, self.counts = None, _NONE, False
        if self.reports is not None and (option == Option.MSDP or self.reports.json):
            self.reports = None
