"""Bans and mutes: who may not come in, and who may not speak to people elsewhere.

Told the time, never asks it: unix seconds, for they outlive the server. They are kept by a callable that returns when
they are on disk, and count from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from mythos.errors import Refusal
from mythos.flow.throttle import unmapped
from mythos.play import names

__all__ = ["Banned", "Kind", "Sanction", "Sanctions", "network_of"]

#: Most of them at once.
MOST = 10_000
#: Longest reason, in characters.
REASON = 500


class Kind(Enum):
    """What a sanction is on."""

    ADDRESS = "address"  # a network
    NAME = "name"  # nobody may take it, and who has it may not come in
    ACCOUNT = "account"
    MUTE = "mute"  # a character


class Banned(Refusal):
    """The sentence says for how long, and why."""


@dataclass(frozen=True, slots=True)
class Sanction:
    """:ivar what: a network, the key of a name or of an account, or a character's id
    :ivar shown: as operators know it
    :ivar until: unix second; 0.0: for good
    :ivar by: who ordered it
    """

    kind: Kind
    what: str
    shown: str
    since: float
    until: float = 0.0
    reason: str = ""
    by: str = ""

    def counts(self, wall: float) -> bool:
        return not self.until or self.until > wall

    def sentence(self) -> str:
        """For whom it is on."""
        end = ""
        if self.until:
            end = f" until {datetime.fromtimestamp(self.until, UTC):%Y-%m-%d %H:%M} UTC"
        return f"You may not come in here{end}. {self.reason}".strip()

    def kept(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.kind.value}


class Sanctions:
    """See the module.

    :param kept: as they were kept
    :param keep: writes all of them; may raise Refusal, and then nothing has changed
    :raises ValueError: what was kept makes no sense; also TypeError and LookupError
    """

    def __init__(
        self,
        kept: Iterable[Mapping[str, Any]] = (),
        keep: Callable[[list[dict[str, Any]]], None] = lambda kept: None,
    ) -> None:
        self._keep = keep
        made = [Sanction(**{**one, "kind": Kind(one["kind"])}) for one in kept]
        self._all = {(one.kind, one.what): one for one in made}
        self._networks = _networks(self._all.values())

    def every(self, wall: float) -> list[Sanction]:
        """Those that count, in the order they were made."""
        return [one for one in self._all.values() if one.counts(wall)]

    def add(self, sanction: Sanction, wall: float) -> None:
        """In the place of one of its kind on the same. :raises Refusal: there are too many, or it cannot be kept"""
        if len(sanction.reason) > REASON:
            raise Refusal(f"A reason has up to {REASON} letters.")
        known = {key: one for key, one in self._all.items() if one.counts(wall)}
        known.pop((sanction.kind, sanction.what), None)
        if len(known) >= MOST:
            raise Refusal(f"There are {MOST} bans and mutes: lift some, or ban networks for addresses.")
        self._change({**known, (sanction.kind, sanction.what): sanction})

    def lift(self, kind: Kind, what: str, wall: float) -> Sanction:
        """:raises Refusal: there is none, or it cannot be kept"""
        found = self._all.get((kind, what))
        if found is None or not found.counts(wall):
            raise Refusal(f"There is no such {'mute' if kind is Kind.MUTE else 'ban'}. To see them: mythosctl bans")
        self._change({key: one for key, one in self._all.items() if one is not found and one.counts(wall)})
        return found

    def forget(self, *whom: tuple[Kind, str]) -> None:
        """Whatever is on them, or was. :raises Refusal: it cannot be kept"""
        left = {key: one for key, one in self._all.items() if key not in whom}
        if len(left) < len(self._all):
            self._change(left)

    def _change(self, all: dict[tuple[Kind, str], Sanction]) -> None:
        self._keep([one.kept() for one in all.values()])
        self._all = all
        self._networks = _networks(all.values())

    # ── who is banned ───────────────────────────────────────────────────────────────────────────

    def of_address(self, address: str, wall: float) -> Sanction | None:
        if not self._networks:
            return None
        try:
            ip = ip_address(unmapped(address))
        except ValueError:
            return None
        for network, one in self._networks:
            if ip.version == network.version and ip in network and one.counts(wall):
                return one
        return None

    def of_name(self, name: str, wall: float) -> Sanction | None:
        """Of the account too that has this name."""
        key = names.key(name)
        for kind in (Kind.NAME, Kind.ACCOUNT):
            one = self._all.get((kind, key))
            if one is not None and one.counts(wall):
                return one
        return None


def network_of(text: str) -> str:
    """A network or an address, as bans have it. :raises Refusal: it is none, or this machine is in it"""
    try:
        network = ip_network(unmapped(text), strict=False)
    except ValueError as error:
        raise Refusal(f"{text!r} is no address and no network such as 10.0.0.0/8.") from error
    if ip_address("127.0.0.1" if network.version == 4 else "::1") in network:
        raise Refusal(f"{network} has this machine in it, and everybody whom a proxy on it speaks for.")
    return str(network)


def _networks(all: Iterable[Sanction]) -> list[tuple[IPv4Network | IPv6Network, Sanction]]:
    return [(ip_network(one.what), one) for one in all if one.kind is Kind.ADDRESS]
