"""Hypothesis strategies shared by tests: streams, and the ways TCP cuts them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import strategies as st

from mythos.wire.message import Line, Role, Span, State

__all__ = ["chunks", "cuts", "json_values", "lines", "states", "telnet_streams", "words"]

#: Where a stream is cut; positions beyond its end do not count.
cuts = st.lists(st.integers(0, 400), max_size=12)


def chunks(data: bytes, positions: Iterable[int]) -> Iterator[bytes]:
    """``data`` cut at ``positions``."""
    start = 0
    for position in sorted({position for position in positions if 0 < position < len(data)}):
        yield data[start:position]
        start = position
    yield data[start:]


#: What is likely to meet in one stream: text, line ends, commands whole and broken, terminal sequences.
_PIECES = st.sampled_from(
    [
        *(b"look", b"say hi", b"\r\n", b"\n", b"\r", b"\x00", b"\r\x00", b"\x08", b"\x7f", b"\t", b"\x15", b"\x17"),
        *("é".encode(), "日本".encode(), "e\u0301".encode(), b"\xe9", b"\xff\xff", b"\xff"),
        *(b"\x1b[A", b"\x1b[1z<VERSION x>", b"\x1b[1z", b"\x1b[", b"\x1bO", b"\x1b]0;x\x07", b"\x1b]x\x1b\\", b"\x1b"),
        *(b"\xff\xf6", b"\xff\xf4", b"\xff\xf7", b"\xff\xf8", b"\xff\xf1", b"\xff\xf0", b"\xff\x05"),
        *(
            b"\xff\xfb\x1f",
            b"\xff\xfd\xff",
            b"\xff\xfa\x1f\x00\xff\xff\x00\x18\xff\xf0",
            b"\xff\xfa\x18\x00XTERM\xff\xf0",
        ),
        *(b"\xff\xfa\xff\xf0", b"\xff\xfa\xff\xff\xff\xf0", b"\xff\xfa\xc9", b"\xff\xfa", b"x" * 600),
    ]
)
#: Bytes a telnet client, a careless one or an enemy could send.
telnet_streams = st.lists(_PIECES | st.binary(max_size=8), max_size=25).map(b"".join)

#: Printable words in several scripts, as the game makes them.
words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60)
spans = st.builds(Span, words, st.none() | st.sampled_from(Role))
lines = st.builds(Line, st.sampled_from(["say", "room", "combat"]), st.lists(spans, max_size=6).map(tuple))

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)
states = st.builds(
    State, st.sampled_from(["Char.Vitals", "Room.Info"]), st.dictionaries(words, json_values, max_size=4)
)
