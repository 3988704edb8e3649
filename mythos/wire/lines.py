"""Text from a client assembled into lines: line ends, editing keys, terminal sequences (the inner layer of telnet).

======================  ========================================================================================
``bytes``               a line without its end, not decoded
:class:`Markup`         an MXP client's answer, ``ESC[1z<VERSION ...>``: never a command
:class:`LineTooLong`    a line that broke :attr:`Lines.limit`: its beginning
======================  ========================================================================================
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final, TypeAlias

__all__ = ["LINE_LIMIT", "LOGIN_LINE_LIMIT", "LineEvent", "LineTooLong", "Lines", "Markup"]

#: Longest line in bytes, in play and before login.
LINE_LIMIT: Final = 4096
LOGIN_LINE_LIMIT: Final = 512


@dataclass(frozen=True, slots=True)
class Markup:
    text: bytes


@dataclass(frozen=True, slots=True)
class LineTooLong:
    """``line``: as much as the limit allows, no UTF-8 character cut."""

    line: bytes


LineEvent: TypeAlias = bytes | Markup | LineTooLong

# Where in an end of line or a terminal's sequence we are; TEXT is 0. CSI_1: exactly "ESC [ 1" so far,
# which may become MXP's "ESC [ 1 z".
_TEXT, _AFTER_CR, _ESC, _SS3, _CSI, _CSI_NEXT, _CSI_1, _OSC, _OSC_ESC = range(9)

#: Zero width joiner and skin tones: part of the character before them though no marks.
_JOINING: Final = "\u200d\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


class Lines:
    """Assembles lines from text that may be cut at any byte.

    :ivar limit: longest line in bytes; starts at the limit for those who have not logged in
    :ivar char_mode: the client edits nothing itself (SGA is on), so ^U and ^W edit the line
    """

    __slots__ = ("_inner", "_long", "_markup", "_pending", "char_mode", "limit")

    def __init__(self, limit: int = LOGIN_LINE_LIMIT) -> None:
        self.limit = limit
        self.char_mode = False
        self._inner = _TEXT
        self._pending: bytearray | None = None
        self._long = False
        self._markup = False

    def _character(self, byte: int) -> LineEvent | None:
        """One byte of text, in any state; what it completes."""
        state, self._inner = self._inner, _TEXT
        if state == _AFTER_CR:
            if byte == 0x0A:
                return None  # the NUL of CR NUL is dropped like any other
        elif state >= _ESC and self._sequence(state, byte):
            return None
        if byte in b"\r\n":
            self._inner = _AFTER_CR if byte == 0x0D else _TEXT
            return self._end()
        if byte >= 0x20 and byte != 0x7F:
            self._add(bytes((byte,)))
        else:
            self._control(byte)
        return None

    def _control(self, byte: int) -> None:
        if byte == 0x1B:
            self._inner = _ESC
        elif byte == 0x09:
            self._add(b" ")
        elif byte in b"\x08\x7f":
            self._rub_out()
        elif byte == 0x15 and self.char_mode:
            self._clear()
        elif byte == 0x17 and self.char_mode:
            self._rub_out_word()

    def _sequence(self, state: int, byte: int) -> bool:
        """One byte of a terminal's escape sequence; False: it is not part of it and counts as text.

        A control byte ends any sequence, so that a stray ESC never swallows a line end.
        """
        if state == _ESC:
            self._inner = {0x5B: _CSI, 0x4F: _SS3, 0x5D: _OSC}.get(byte, _TEXT)
            return self._inner != _TEXT
        if state == _SS3:
            return 0x20 <= byte <= 0x7E
        if state == _OSC:
            if byte == 0x1B:
                self._inner = _OSC_ESC
            elif byte >= 0x20:
                self._inner = _OSC
            return byte >= 0x20 or byte in b"\x07\x1b"
        if state == _OSC_ESC:  # ESC \ ends it; anything else is a new sequence
            return byte == 0x5C or self._sequence(_ESC, byte)
        if 0x20 <= byte <= 0x3F:
            self._inner = _CSI_1 if state == _CSI and byte == 0x31 else _CSI_NEXT
            return True
        if state == _CSI_1 and byte == 0x7A and not self._pending:
            self._pending, self._markup = bytearray(), True
        return 0x40 <= byte <= 0x7E

    def _add(self, part: bytes) -> None:
        if self._pending is None:
            self._pending = bytearray()
        if self._long:
            return
        room = self.limit - len(self._pending)
        self._pending += part[:room] if room > 0 else b""
        self._long = len(part) > room

    def _end(self) -> LineEvent:
        line = bytes(self._pending or b"")
        event: LineEvent = line
        if self._long:
            event = LineTooLong(_whole(line))
        elif self._markup and line.startswith(b"<"):
            event = Markup(line)
        self._clear()
        return event

    def _clear(self) -> None:
        self._pending = None
        self._long = self._markup = False

    def _rub_out(self) -> None:
        """Take the last character away, as the player sees it: with its marks, joined ones together."""
        if self._long:  # what stands at the end of the line is no longer known
            return
        pending = self._pending
        while pending:
            character = _last(pending)
            del pending[-len(character) :]
            text = character.decode("utf-8", "replace")
            if not _extends(text) and not pending.endswith(b"\xe2\x80\x8d"):  # U+200D joins what follows
                break

    def _rub_out_word(self) -> None:
        if self._pending is not None and not self._long:
            kept = self._pending.rstrip(b" ")
            self._pending = kept[: kept.rfind(b" ") + 1]


def _last(text: bytearray) -> bytes:
    """The bytes of the last character: of UTF-8 where they are that, else one."""
    for size in range(1, min(4, len(text)) + 1):
        tail = bytes(text[-size:])
        if tail[0] & 0xC0 != 0x80:  # where a character of UTF-8 may begin
            try:
                tail.decode("utf-8")
            except UnicodeDecodeError:
                break
            return tail
    return bytes(text[-1:])


def _extends(character: str) -> bool:
    """The character belongs to the one before it: a mark, a joiner, a skin tone."""
    return unicodedata.category(character) in ("Mn", "Me", "Mc") or character in _JOINING


def _whole(line: bytes) -> bytes:
    """Without the beginning of a UTF-8 character at its end, which would make the line look like Latin-1."""
    for size in range(1, min(3, len(line)) + 1):
        lead = line[-size]
        if lead >= 0xC0:
            needed = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
            return line[:-size] if size < needed else line
        if lead < 0x80:
            break
    return line
