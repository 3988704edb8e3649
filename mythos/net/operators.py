"""Operators who are not on this machine: their tokens, what each may order, and the log of what was ordered."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twisted.logger import Logger

from mythos.errors import Refusal
from mythos.flow.bucket import Buckets
from mythos.flow.throttle import place
from mythos.net.control import HERE, RIGHTS, Answer, ControlFactory, Order, Question
from mythos.net.i3.state import read, save, set_aside

__all__ = ["Audit", "OperatorOrders", "Operators", "OperatorsDoor", "Token"]

_log = Logger()

#: Tokens at once, letters of a token's name, and the longest time one is good, in seconds.
MOST, NAME, LONGEST = 100, 64, 366 * 86_400.0
#: Orders by one token: in a second, and at once.
_RATE, _BURST = 2.0, 60.0
#: Wrong tokens from one address in a second, and at once.
_GUESSES, _GUESSES_AT_ONCE = 1 / 60, 10.0
#: Bytes of the log before it goes on in a new file; one old file is kept.
_LOG = 4 * 2**20
#: Lines of the log in one answer.
_LINES = 1_000


@dataclass(frozen=True, slots=True)
class Token:
    """:ivar digest: SHA-256 in hex; the token itself is 256 random bits, so that no slow hash is needed
    :ivar ends: unix second; 0.0: not before it is revoked
    """

    id: str
    name: str
    digest: str
    rights: tuple[str, ...]
    created: float
    ends: float


class Audit:
    """What was ordered, by whom, from where, and what came of it: a JSON object a line, on disk before it is done."""

    def __init__(self, path: Path, wall: Callable[[], float]) -> None:
        self._path = path
        self._wall = wall

    def write(self, who: str, order: str, about: str, outcome: str) -> None:
        """:raises Refusal: it cannot be written, and then nothing may be ordered but from this machine"""
        entry = {"at": _time(self._wall()), "who": who, "order": order, "about": about, "outcome": outcome}
        try:
            if self._path.exists() and self._path.stat().st_size > _LOG:
                self._path.replace(self._path.with_suffix(".log.1"))
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(json.dumps(entry, ensure_ascii=False).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            if who == HERE:  # a full disk must not keep its operator from doing something about it
                _log.error("{path} cannot be written: {error}", path=str(self._path), error=error.strerror)
                return
            raise Refusal(f"Nothing is ordered while {self._path} cannot be written: {error.strerror}.") from error

    def last(self, most: int) -> list[dict[str, Any]]:
        """The last entries, oldest first. A line that a crash cut is left out."""
        lines: list[bytes] = []
        for path in (self._path.with_suffix(".log.1"), self._path):
            if path.exists():
                lines += path.read_bytes().splitlines()
        found = []
        for line in lines[len(lines) - min(most, len(lines)) :]:
            try:
                found.append(json.loads(line))
            except ValueError:
                _log.warn("a line of {path} makes no sense", path=str(self._path))
        return found


class Operators:
    """See the module.

    :param path: where the tokens are kept; readable by their owner alone
    """

    def __init__(self, path: Path, wall: Callable[[], float], seconds: Callable[[], float]) -> None:
        self._path = path
        self._wall = wall
        self._seconds = seconds
        self._paces = Buckets(_RATE, _BURST, MOST)
        self._guesses = Buckets(_GUESSES, _GUESSES_AT_ONCE, 20_000)
        self._tokens: dict[str, Token] = {}
        self._next = 1
        kept = read(path)
        try:
            made = [Token(**{**one, "rights": tuple(one["rights"])}) for one in kept.get("tokens", ())]
            self._tokens = {one.id: one for one in made}
            self._next = int(kept.get("next", 1))
        except (LookupError, TypeError, ValueError) as error:
            set_aside(path, error)

    def __iter__(self) -> Iterator[Token]:
        """Those that are good."""
        wall = self._wall()
        return iter([one for one in self._tokens.values() if not one.ends or one.ends > wall])

    def create(self, name: str, rights: tuple[str, ...], seconds: float) -> tuple[Token, str]:
        """A new token, and its only showing. :raises Refusal:"""
        known = ", ".join(RIGHTS)
        if not 0 < len(name) <= NAME:
            raise Refusal(f"A token has a name of up to {NAME} letters.")
        if not rights or any(right not in RIGHTS for right in rights):
            raise Refusal(f"A token has one or more of these rights: {known}.")
        if not 0.0 < seconds <= LONGEST:
            raise Refusal("A token is good for a year at most.")
        if sum(1 for _ in self) >= MOST:
            raise Refusal(f"There are {MOST} tokens: revoke some.")
        secret, wall = secrets.token_urlsafe(32), self._wall()
        token = Token(f"t{self._next}", name, _digest(secret), rights, wall, wall + seconds)
        self._change({**{one.id: one for one in self}, token.id: token}, self._next + 1)
        return token, secret

    def revoke(self, id: str) -> Token:
        """It is worth nothing from now on. :raises Refusal:"""
        if id not in self._tokens:
            raise Refusal(f"There is no token {id!r}. To see them: mythosctl token list")
        token = self._tokens[id]
        self._change({one.id: one for one in self if one is not token}, self._next)
        return token

    def _change(self, tokens: dict[str, Token], number: int) -> None:
        try:
            save({"next": number, "tokens": [asdict(one) for one in tokens.values()]}, self._path)
        except OSError as error:
            raise Refusal(f"Nothing was changed: {self._path} cannot be written ({error.strerror}).") from error
        self._tokens, self._next = tokens, number

    def find(self, secret: str, address: str) -> Token | float:
        """Whose it is; or the seconds to wait, 0.0 if it is nobody's."""
        digest = _digest(secret)
        found = next((one for one in self if secrets.compare_digest(one.digest, digest)), None)
        now = self._seconds()
        if found is None:
            return self._guesses.take(place(address), now)
        return self._paces.take(found.id, now) or found


class OperatorOrders:
    """``mythosctl token`` and ``mythosctl audit``."""

    def __init__(self, operators: Operators, audit: Audit) -> None:
        self._operators = operators
        self._audit = audit

    @property
    def orders(self) -> dict[str, Order]:
        return {
            "token-create": self._create,
            "token-list": self._list,
            "token-revoke": self._revoke,
            "audit": self._read,
        }

    async def _create(self, asked: Question) -> Answer:
        rights = tuple(asked.text("rights", "look").replace(",", " ").split())
        token, secret = self._operators.create(asked.text("name"), rights, asked.number("seconds", 90 * 86_400.0))
        return {"token": secret, **_shown(token)}

    async def _list(self, asked: Question) -> Answer:
        return {"tokens": [_shown(one) for one in self._operators]}

    async def _revoke(self, asked: Question) -> Answer:
        return _shown(self._operators.revoke(asked.text("id")))

    async def _read(self, asked: Question) -> Answer:
        return {"entries": self._audit.last(int(min(_LINES, max(0.0, asked.number("most", 50)))))}


class OperatorsDoor:
    """The same orders over HTTPS, for who shows a token."""

    def __init__(self, factory: ControlFactory, operators: Operators) -> None:
        self._factory = factory
        self._operators = operators

    async def answer(self, secret: str, question: bytes, address: str) -> tuple[int, Mapping[str, Any]]:
        """Status and body. The status is 200 for every answer to a good token, yes or no."""
        found = self._operators.find(secret, address)
        if isinstance(found, Token):
            return 200, await self._factory.answer(question, f"{found.id} {found.name} from {address}", found.rights)
        if found:
            return 429, {"ok": False, "error": f"Too many at once. Wait {max(1, round(found))} seconds."}
        return 401, {"ok": False, "error": "That token is not good. Make one with: mythosctl token create NAME"}


def _shown(token: Token) -> Answer:
    return {
        "id": token.id,
        "name": token.name,
        "rights": list(token.rights),
        "created": _time(token.created),
        "ends": _time(token.ends) if token.ends else "",
    }


def _time(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="seconds")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
