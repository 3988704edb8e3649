"""Keys of MUDs: shown once, kept as digests. A key decides the name a MUD has on the network."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from mythos.config import ApiKey
from mythos.errors import Refusal
from mythos.net.i3.state import read, save, set_aside

__all__ = ["Key", "Keyring", "admits", "keyless"]

#: Longest name of a MUD, in characters.
NAME = 64
#: Longest time that an old key is good beside its successor, in seconds.
LONGEST = 366 * 86_400.0
#: This machine.
_HERE = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Key:
    """:ivar id: its name for operators
    :ivar digest: SHA-256 in hex; the key itself is 256 random bits, so that no slow hash is needed
    :ivar per_minute: requests of one connection; None: as configured
    :ivar ends: unix second; 0.0: not before it is revoked
    :ivar allow: networks it may be used from; empty: all. ``deny``: those it may not, whatever else is said
    """

    id: str
    mud: str
    digest: str
    permissions: tuple[str, ...]
    per_minute: int | None
    created: float
    ends: float = 0.0
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def permits(self, permission: str) -> bool:
        return not permission or "*" in self.permissions or permission in self.permissions


class Keyring:
    """All keys.

    :param path: where they are kept; readable by their owner alone
    :param configured: those of the configuration, good beside them
    :param own: the name of our own world, which is nobody else's
    :param anybody: whose key every secret is that is nobody's; None: such secrets are no good
    :ivar changed: called when a key was made, or is worth nothing any more
    """

    def __init__(
        self,
        path: Path,
        wall: Callable[[], float],
        configured: Iterable[ApiKey] = (),
        own: str = "",
        anybody: Key | None = None,
    ) -> None:
        self.changed: Callable[[], None] = lambda: None
        self._path = path
        self._own = own
        self._anybody = anybody
        self._wall = wall
        kept = read(path)
        self._next = 1
        self._keys: dict[str, Key] = {}
        try:
            self._keys = {one["id"]: _key(one) for one in kept.get("keys", ())}
            self._next = int(kept.get("next", 1))
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            set_aside(path, error)
        self._configured = []
        for number, one in enumerate(configured, 1):
            known = Key(f"config-{number}", one.mud, _digest(one.secret), one.permissions, one.per_minute, 0.0)
            self._configured.append(known)
        if anybody is not None:
            self._configured.append(anybody)

    def __iter__(self) -> Iterator[Key]:
        """Those that are good."""
        return iter([key for key in (*self._configured, *self._keys.values()) if self._good(key)])

    @property
    def keyless(self) -> bool:
        """Whether somebody may come without a key of their own."""
        return self._anybody is not None

    def find(self, secret: str, address: str, *, alone: bool = True) -> Key | None:
        """None: there is no such key, or it is not good at this address.

        :param alone: who has this address speaks for itself, and is no proxy and no web page; others need a key
        """
        digest = _digest(secret)
        found = next((key for key in self if secrets.compare_digest(key.digest, digest)), None)
        if found is None and alone:
            found = self._anybody
        return found if found is not None and admits(address, found.allow, found.deny) else None

    def create(
        self,
        mud: str,
        permissions: tuple[str, ...] = ("*",),
        per_minute: int | None = None,
        allow: tuple[str, ...] = (),
        deny: tuple[str, ...] = (),
    ) -> tuple[Key, str]:
        """A new key, and its only showing. :raises Refusal:"""
        for network in (*allow, *deny):
            try:
                ip_network(network)
            except ValueError as error:
                raise Refusal(f"{network!r} is no address and no network such as 10.0.0.0/8.") from error
        if not 0 < len(mud) <= NAME or not mud.isprintable() or mud != mud.strip() or mud[0] == "*" or "@" in mud:
            raise Refusal(f"A MUD has a name of up to {NAME} letters, without @ in it or a star before it.")
        if mud.lower() == self._own.lower():
            raise Refusal(f"{mud} is the world that runs here: choose another name.")
        for permission in permissions:
            if permission not in ApiKey.PERMISSIONS:
                known = ", ".join(ApiKey.PERMISSIONS)
                raise Refusal(f"There is no permission {permission!r}. There are: {known}.")
        if per_minute is not None and not 0 < per_minute <= 1_000_000:
            raise Refusal("A rate is 1 to 1000000 requests a minute.")
        key, secret = self._made(mud, permissions or ("*",), per_minute, allow, deny)
        self._change({**self._keys, key.id: key}, self._next + 1)
        return key, secret

    def rotate(self, id: str, overlap: float) -> tuple[Key, str]:
        """A new key in an old one's place, which is good for ``overlap`` seconds more. :raises Refusal:"""
        if not 0.0 <= overlap <= LONGEST:
            raise Refusal(f"An old key is good for up to {LONGEST:.0f} seconds more.")
        old = self._known(id)
        key, secret = self._made(old.mud, old.permissions, old.per_minute, old.allow, old.deny)
        old = replace(old, ends=self._wall() + overlap)
        self._change({**self._keys, id: old, key.id: key}, self._next + 1)
        return key, secret

    def revoke(self, id: str) -> Key:
        """It is worth nothing from now on. :raises Refusal:"""
        key = self._known(id)
        self._change({name: one for name, one in self._keys.items() if one is not key}, self._next)
        return key

    def _made(
        self,
        mud: str,
        permissions: tuple[str, ...],
        per_minute: int | None,
        allow: tuple[str, ...],
        deny: tuple[str, ...],
    ) -> tuple[Key, str]:
        secret, now = secrets.token_urlsafe(32), self._wall()
        return Key(f"k{self._next}", mud, _digest(secret), permissions, per_minute, now, 0.0, allow, deny), secret

    def _known(self, id: str) -> Key:
        if any(key.id == id for key in self._configured):
            raise Refusal(f"{id} stands in the configuration: change it there.")
        key = self._keys.get(id)
        if key is None or not self._good(key):
            raise Refusal(f"There is no key {id!r}. To see them: mythosctl gateway keys list")
        return key

    def _good(self, key: Key) -> bool:
        return not key.ends or key.ends > self._wall()

    def _change(self, keys: Mapping[str, Key], number: int) -> None:
        """Written first: a key that was revoked must not come back with the next start."""
        good = {id: key for id, key in keys.items() if self._good(key)}
        try:
            save({"next": number, "keys": [asdict(key) for key in good.values()]}, self._path)
        except OSError as error:
            raise Refusal(f"Nothing was changed: {self._path} cannot be written ({error.strerror}).") from error
        self._keys, self._next = good, number
        self.changed()


def keyless(mud: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> Key:
    """Whose key every secret is, from this machine and from the networks that are named."""
    return Key("keyless", mud, "", ("*",), None, 0.0, 0.0, (*_HERE, *allow), deny)


def _key(kept: Mapping[str, Any]) -> Key:
    made: dict[str, Any] = {name: tuple(part) if type(part) is list else part for name, part in kept.items()}
    return Key(**made)


def admits(address: str, allow: tuple[str, ...], deny: tuple[str, ...]) -> bool:
    """Whether an address may come, by networks; of a socket that has none, if nothing is allowed by name."""
    try:
        ip = ip_address(address)
    except ValueError:
        return not allow
    ip = getattr(ip, "ipv4_mapped", None) or ip  # as a socket for both kinds names those of the old one
    if any(ip in ip_network(one, strict=False) for one in deny):
        return False
    return not allow or any(ip in ip_network(one, strict=False) for one in allow)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
