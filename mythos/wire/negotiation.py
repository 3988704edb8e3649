"""Telnet options: RFC 1143, the Q method, for both sides of each option.

Each side of an option is NO, YES, or on its way: WANTNO and WANTYES, with a queue bit when the opposite was wanted
in the meantime. Requests for the state already held are never answered, so no two endpoints can loop.

Two departures from the RFC, both for clients that leave our WONT unanswered: WANTNO falls to NO after 5 s, and ECHO
falls at once, else the next password would be shown. TIMING-MARK (RFC 860) has no state at all. And SGA is ours only
beside LINEMODE: alone it makes terminals send each key by itself, and edit nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from mythos.errors import WireError
from mythos.values import kept, restore
from mythos.wire.telnet import Option, Verb, negotiate

__all__ = ["Change", "NegotiationFlood", "Options", "Policy", "Side"]


class Side(IntEnum):
    """Who does what the option says: ``US`` is WILL and WONT from us, ``HIM`` from the peer."""

    US = 0
    HIM = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """Which options there are.

    :ivar offers: sent at connect, in this order; either side of an option, never both (some clients keep one bit
        for the two)
    :ivar us: what we turn on when asked to
    :ivar him: what the peer may turn on when it offers
    """

    offers: tuple[tuple[Side, int], ...]
    us: frozenset[int]
    him: frozenset[int]

    @classmethod
    def standard(cls, *, msdp: bool = False, mxp: bool = False) -> Policy:
        """What Mythos offers and allows. MCCP and ECHO are offered later, by :meth:`Options.offer_us`."""
        offers = [
            (Side.HIM, Option.TTYPE),
            (Side.HIM, Option.NAWS),
            (Side.HIM, Option.NEW_ENVIRON),
            (Side.US, Option.CHARSET),
            (Side.US, Option.EOR),
            (Side.US, Option.GMCP),
            (Side.US, Option.MSSP),
        ]
        us = {Option.BINARY, Option.CHARSET, Option.EOR, Option.GMCP, Option.MSSP}
        him = {
            *(Option.BINARY, Option.SGA, Option.TTYPE, Option.NAWS),
            *(Option.LINEMODE, Option.NEW_ENVIRON, Option.CHARSET),
        }
        if msdp:
            offers.append((Side.US, Option.MSDP))
            us.add(Option.MSDP)
        if mxp:
            offers.append((Side.US, Option.MXP))
            us.add(Option.MXP)
            him.add(Option.MXP)
        return cls(tuple(offers), frozenset(us), frozenset(him))


@dataclass(frozen=True, slots=True)
class Change:
    """The peer's word turned a side on, or off: withdrawn, or refused when we had asked.

    TIMING_MARK, HIM: the peer answered our probe, with either word; all we sent before it has arrived.
    """

    option: int
    side: Side
    on: bool


class NegotiationFlood(WireError):
    """The peer negotiates without end; close."""


class _State(IntEnum):
    NO = 0
    YES = 1
    WANTNO = 2
    WANTNO_OPPOSITE = 3
    WANTYES = 4
    WANTYES_OPPOSITE = 5


_REFUSAL_TIME: Final = 5.0  # seconds that a WONT or DONT of ours may stay unanswered
_OPENING: Final = 10.0  # seconds at the start in which clients say all they can
_OPENING_ANSWERS: Final = 100
_RATE: Final = 20.0  # answers per second afterwards
_ANSWERS: Final = 600
_EXCESS: Final = 10  # times a limit: no client but an attacker

_KEPT: Final = ("_states", "_left", "_refused", "_marking", "_count", "_began", "_refilled", "_allowance")
_KNOWN: Final = frozenset(option.value for option in Option)
_VERBS: Final = {
    (Side.US, True): Verb.WILL,
    (Side.US, False): Verb.WONT,
    (Side.HIM, True): Verb.DO,
    (Side.HIM, False): Verb.DONT,
}


class Options:
    """The options of one connection. ``now``: seconds, monotonic. Methods return bytes to send, perhaps none."""

    __slots__ = ("_allowance", "_began", "_count", "_left", "_marking", "_policy", "_refilled", "_refused", "_states")

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._states: dict[int, _State] = {}  # option * 2 + side -> state, where it is not NO
        self._left: dict[int, float] | None = None  # key -> when we said WONT or DONT and wait
        self._refused = 0  # one bit for each key of an unknown option that was refused
        self._marking = False
        self._count = 0
        self._began = 0.0
        self._refilled = 0.0
        self._allowance = 0.0

    def kept(self) -> dict[str, Any]:
        """Where it stands, for another process of the same machine, whose clock is the same."""
        return kept(self, _KEPT)

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one. :raises KeyError: some of it is missing"""
        restore(self, _KEPT, state)
        self._states = {key: _State(number) for key, number in self._states.items()}

    # ── what holds ───────────────────────────────────────────────────────────────────────────────

    def us(self, option: int) -> bool:
        """We do it and the peer knows."""
        return self._states.get(option * 2) == _State.YES

    def him(self, option: int) -> bool:
        """The peer does it."""
        return self._states.get(option * 2 + 1) == _State.YES

    def agreed(self, option: int) -> bool:
        """On at either side: its subnegotiations count; all others are to be dropped."""
        return self.us(option) or self.him(option)

    @property
    def settled(self) -> bool:
        """Nothing that we asked for is unanswered. Silence is common: never wait for it without a limit."""
        return not any(state in (_State.WANTYES, _State.WANTYES_OPPOSITE) for state in self._states.values())

    # ── what we want ─────────────────────────────────────────────────────────────────────────────

    def open(self, now: float) -> bytes:
        """All offers of the policy, to be sent in one write before any text."""
        return b"".join([self._want(side, option, now, on=True) for side, option in self._policy.offers])

    def offer_us(self, option: int, now: float) -> bytes:
        """WILL."""
        return self._want(Side.US, option, now, on=True)

    def drop_us(self, option: int, now: float) -> bytes:
        """WONT."""
        return self._want(Side.US, option, now, on=False)

    def ask_him(self, option: int, now: float) -> bytes:
        """DO."""
        return self._want(Side.HIM, option, now, on=True)

    def drop_him(self, option: int, now: float) -> bytes:
        """DONT."""
        return self._want(Side.HIM, option, now, on=False)

    def probe(self) -> bytes:
        """DO TIMING-MARK, unless the last one is still unanswered; its answer comes as a :class:`Change`."""
        if self._marking:
            return b""
        self._marking = True
        return negotiate(Verb.DO, Option.TIMING_MARK)

    def expire(self, now: float) -> bytes:
        """Call now and then: stop waiting for those who leave a WONT or DONT unanswered."""
        due = [key for key, since in (self._left or {}).items() if now - since >= _REFUSAL_TIME]
        return b"".join([self._fall(key) for key in due])

    def _want(self, side: Side, option: int, now: float, *, on: bool) -> bytes:
        expired = self.expire(now) if self._left else b""
        key = option * 2 + side
        state = self._states.get(key, _State.NO)
        if on:
            if state == _State.NO:
                return expired + self._enter(key, _State.WANTYES, say=True)
            if state == _State.WANTNO:
                self._set(key, _State.WANTNO_OPPOSITE)
            elif state == _State.WANTYES_OPPOSITE:
                self._set(key, _State.WANTYES)
        elif option == Option.ECHO and state != _State.NO:
            return expired + self._enter(key, _State.NO, say=False)
        elif state == _State.YES:
            return expired + self._leave(key, now)
        elif state == _State.WANTNO_OPPOSITE:
            self._set(key, _State.WANTNO)
        elif state == _State.WANTYES:
            self._set(key, _State.WANTYES_OPPOSITE)
        return expired

    def _leave(self, key: int, now: float) -> bytes:
        """Say WONT or DONT and wait for the answer, not for ever."""
        self._left = {**(self._left or {}), key: now}
        return self._enter(key, _State.WANTNO, say=False)

    def _fall(self, key: int) -> bytes:
        """Take WANTNO as answered."""
        if self._states.get(key) == _State.WANTNO_OPPOSITE:
            return self._enter(key, _State.WANTYES, say=True)
        self._set(key, _State.NO)
        return b""

    # ── what the peer says ───────────────────────────────────────────────────────────────────────

    def received(self, verb: Verb, option: int, now: float) -> tuple[bytes, Change | None]:
        """Answer one negotiation. DO TIMING-MARK is answered when all input before it has been dealt with.

        :raises NegotiationFlood: far beyond the limits; within them, but over, there is no answer
        """
        side = Side.HIM if verb in (Verb.WILL, Verb.WONT) else Side.US
        on = verb in (Verb.WILL, Verb.DO)
        key = option * 2 + side
        if option == Option.TIMING_MARK:
            awaited = self._marking and side is Side.HIM
        else:
            awaited = self._states.get(key, _State.NO) > _State.YES
        if not awaited and not self._allows_answer(now):  # answers to our own requests are bounded by those
            return b"", None
        if option == Option.TIMING_MARK:
            return self._mark(side, on)
        expired = self.expire(now) if self._left else b""
        reply, change = self._positive(key, now) if on else self._negative(key)
        return expired + reply, Change(option, side, change) if change is not None else None

    def _mark(self, side: Side, on: bool) -> tuple[bytes, Change | None]:
        if side is Side.US:
            return (negotiate(Verb.WILL, Option.TIMING_MARK) if on else b""), None
        if not self._marking:
            return b"", None
        self._marking = False
        return b"", Change(Option.TIMING_MARK, Side.HIM, on)

    def _positive(self, key: int, now: float) -> tuple[bytes, bool | None]:
        state = self._states.get(key, _State.NO)
        if state == _State.NO:
            if not self._allows(key):
                return self._refuse(key), None
            return self._enter(key, _State.YES, say=True), True
        if state == _State.WANTNO:  # our DONT was answered by WILL
            self._set(key, _State.NO)
            return b"", None
        if state == _State.WANTYES_OPPOSITE:
            return self._leave(key, now), None
        self._set(key, _State.YES)
        return b"", None if state == _State.YES else True

    def _allows(self, key: int) -> bool:
        if key == Option.SGA * 2 + Side.US:
            return self.him(Option.LINEMODE)
        return key >> 1 in (self._policy.him if key & 1 else self._policy.us)

    def _negative(self, key: int) -> tuple[bytes, bool | None]:
        state = self._states.get(key, _State.NO)
        if state == _State.YES:
            return self._enter(key, _State.NO, say=False), False
        if state == _State.WANTNO_OPPOSITE:
            return self._enter(key, _State.WANTYES, say=True), None
        self._set(key, _State.NO)
        return b"", False if state == _State.WANTYES else None

    def _refuse(self, key: int) -> bytes:
        """WONT or DONT; for an option we do not know, and so never ask for, only once."""
        if key >> 1 not in _KNOWN:
            if self._refused >> key & 1:
                return b""
            self._refused |= 1 << key
        return negotiate(_VERBS[Side(key & 1), False], key >> 1)

    def _enter(self, key: int, state: _State, *, say: bool) -> bytes:
        """Change to ``state`` and tell the peer that we want the side on or off."""
        self._set(key, state)
        return negotiate(_VERBS[Side(key & 1), say], key >> 1)

    def _set(self, key: int, state: _State) -> None:
        if state == _State.NO:
            self._states.pop(key, None)
        else:
            self._states[key] = state
        if self._left and state not in (_State.WANTNO, _State.WANTNO_OPPOSITE):
            self._left.pop(key, None)
            self._left = self._left or None

    def _allows_answer(self, now: float) -> bool:
        if self._count == 0:
            self._began = self._refilled = now
        self._count += 1
        opening = now - self._began < _OPENING
        if self._count > _EXCESS * (_OPENING_ANSWERS if opening else _ANSWERS):
            raise NegotiationFlood("negotiates without end")
        if opening:
            return self._count <= _OPENING_ANSWERS
        self._allowance = min(_RATE, self._allowance + (now - self._refilled) * _RATE)
        self._refilled = now
        if self._allowance < 1.0 or self._count > _ANSWERS:
            return False
        self._allowance -= 1.0
        return True
