"""MSDP (option 69): variables and their values, each text, an array or a table, marked off by the bytes 1 to 6.

Names are upper case and case counts. Everything is text on the wire; a number is written in decimal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from mythos.wire.subnegotiation import BadPayload
from mythos.wire.telnet import Option, subnegotiate

__all__ = ["DEPTH", "Value", "decode", "encode"]

Value: TypeAlias = str | int | Sequence["Value"] | Mapping[str, "Value"]

#: Arrays and tables inside one another, from a client.
DEPTH: Final = 8
_VAR, _VAL, _TABLE, _TABLE_END, _ARRAY, _ARRAY_END = (bytes((number,)) for number in range(1, 7))
_MARKS: Final = _VAR + _VAL + _TABLE + _TABLE_END + _ARRAY + _ARRAY_END
_NOT_IN_TEXT: Final = dict.fromkeys(range(7))


def encode(name: str, value: Value) -> bytes:
    """A variable as a whole telnet frame."""
    return subnegotiate(Option.MSDP, _VAR + _text(name) + _VAL + _value(value))


def _value(value: Value) -> bytes:
    if isinstance(value, str | int):
        return _text(str(value))
    if isinstance(value, Mapping):
        inner = b"".join([_VAR + _text(name) + _VAL + _value(one) for name, one in value.items()])
        return _TABLE + inner + _TABLE_END
    return _ARRAY + b"".join([_VAL + _value(one) for one in value]) + _ARRAY_END


def _text(text: str) -> bytes:
    return text.translate(_NOT_IN_TEXT).encode("utf-8", "replace")


def decode(payload: bytes) -> list[tuple[str, Value]]:
    """Read a subnegotiation's payload (its size was limited by the parser): variables in order, with their values.

    Several values behind one name are an array, as old clients write it.

    :raises BadPayload: what is open is not closed, or the reverse; deeper than :data:`DEPTH`; no name, or no value
    """
    reader = _Reader(payload)
    found = []
    while not reader.done:
        found.append(reader.variable(0))
    return found


class _Reader:
    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at >= len(self._payload)

    def variable(self, depth: int) -> tuple[str, Value]:
        self._expect(_VAR)
        name = self._text()
        values: list[Value] = []
        while self._next(_VAL):
            values.append(self._value(depth))
        if not name or not values:
            raise BadPayload(Option.MSDP, "a name without a value, or the reverse")
        return name, values[0] if len(values) == 1 else values

    def _value(self, depth: int) -> Value:
        if depth >= DEPTH:
            raise BadPayload(Option.MSDP, f"nested deeper than {DEPTH}")
        if self._next(_TABLE):
            table: dict[str, Value] = {}
            while not self._next(_TABLE_END):
                name, value = self.variable(depth + 1)
                table[name] = value
            return table
        if self._next(_ARRAY):
            array: list[Value] = []
            while not self._next(_ARRAY_END):
                self._expect(_VAL)
                array.append(self._value(depth + 1))
            return array
        return self._text()

    def _text(self) -> str:
        start = self._at
        while self._at < len(self._payload) and self._payload[self._at] not in _MARKS:
            self._at += 1
        return self._payload[start : self._at].decode("utf-8", "replace")

    def _next(self, mark: bytes) -> bool:
        if self._payload[self._at : self._at + 1] != mark:
            return False
        self._at += 1
        return True

    def _expect(self, mark: bytes) -> None:
        if not self._next(mark):
            raise BadPayload(Option.MSDP, f"expected byte {mark[0]}")
