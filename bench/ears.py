"""How each kind of listener reads what it is sent, and checks it.

An ear is fed bytes as they come and yields the words that were said to it. A WebSocket's and an event stream's also
check that ``s`` rises by one, or names the record before.
"""

from __future__ import annotations

import re
import struct
from typing import Protocol

import msgspec

from bench.compression import Mccp, deflated, inflated

__all__ = ["Ear", "LineEar", "Misheard", "RpcEar", "SocketEar", "StreamEar", "TelnetEar", "masked"]


class Misheard(Exception):
    """A line was lost, doubled, changed or out of order: the measure is void."""


class Ear(Protocol):
    replies: bytearray
    """What the protocol wants sent back; the caller sends and empties it."""

    def feed(self, data: bytes) -> list[bytes]:
        """The words said, in order.

        :raises Misheard:
        """


class LineEar:
    """Every line is what was said: the bound's."""

    __slots__ = ("_rest", "replies")

    def __init__(self) -> None:
        self.replies = bytearray()
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + data).split(b"\r\n")
        return lines


_TELNET_SAID = re.compile(rb'(?:You say|\w+ says), "([^"]*)"\r\n')


class TelnetEar:
    """A telnet client.

    :param mccp: what it makes of the stream; None: it negotiates nothing
    """

    __slots__ = ("_mccp", "_rest", "replies")

    def __init__(self, mccp: Mccp | None = None) -> None:
        self.replies = bytearray() if mccp is None else mccp.replies
        self._mccp = mccp
        self._rest = b""

    def plain(self, data: bytes) -> bytes:
        """The words in what came."""
        return data if self._mccp is None else self._mccp.plain(data)

    def feed(self, data: bytes) -> list[bytes]:
        data = self._rest + self.plain(data)
        end = data.rfind(b"\n") + 1
        self._rest = data[end:]
        return _TELNET_SAID.findall(data, 0, end)


class _Record(msgspec.Struct):
    t: str
    s: int = 0
    p: int = -1
    c: int = 0
    kind: str = ""
    text: str = ""


_decode = msgspec.json.Decoder(_Record).decode
_SAID = re.compile(r'(?:You say|\w+ says), "([^"]*)"')


class _Records:
    """Checks the numbers of one session's records.

    :ivar done: number of the last command that was carried out
    """

    __slots__ = ("done", "greeted", "last")

    def __init__(self) -> None:
        self.greeted = False
        self.last = 0
        self.done = 0

    def take(self, text: bytes) -> bytes | None:
        """What was said, if this record says that."""
        record = _decode(text)
        if record.t == "hello":
            self.greeted = True
            return None
        if record.t == "done":
            self.done = record.c
        if not record.s:
            return None
        if self.last and record.s != self.last + 1 and record.p != self.last:
            raise Misheard(f"record {record.s} came after {self.last}")
        if record.t == "gap":
            raise Misheard(f"a gap before record {record.s}")
        self.last = record.s
        if record.kind != "say":
            return None
        said = _SAID.fullmatch(record.text)
        return said[1].encode() if said else None


def masked(opcode: int, payload: bytes) -> bytes:
    """A client's frame (RFC 6455, 5.2), at most 65535 bytes. The mask is zero: it changes nothing but is one.

    :param opcode: with 0x40 beside it, which is RSV1, if the payload is compressed
    """
    size = len(payload)
    head = bytes((0x80 | opcode, 0x80 | size)) if size < 126 else struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
    return head + b"\0\0\0\0" + payload


def _texts(data: bytes, replies: bytearray, *, deflate: bool = False) -> tuple[list[bytes], bytes]:
    """The text frames of a server, and what is left of a frame that is not whole; a ping is replied to.

    :param deflate: they may be compressed
    """
    texts = []
    at, end = 0, len(data)
    while end - at >= 2:
        size, start = data[at + 1], at + 2
        if size == 126:
            if end - start < 2:
                break
            size, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        elif size == 127:
            raise Misheard("a frame of more than 64 KiB")
        if start + size > end:
            break
        payload = data[start : start + size]
        if data[at] == 0x81:
            texts.append(payload)
        elif data[at] == 0xC1 and deflate:
            texts.append(inflated(payload))
        elif data[at] == 0x89:
            replies += masked(0xA, payload)
        else:
            raise Misheard(f"the server sent a frame that begins with {data[at]:#x}: {payload[:80]!r}")
        at = start + size
    return texts, data[at:]


class SocketEar:
    """A WebSocket of ``mythos.v1``; acknowledges every 32 records and what came before a pause, as the web client
    does.

    :param deflate: it has agreed to permessage-deflate, and compresses what it says, as browsers do
    """

    ACK = 32
    __slots__ = ("_acked", "_deflate", "_records", "_rest", "replies")

    def __init__(self, *, deflate: bool = False) -> None:
        self.replies = bytearray()
        self._deflate = deflate
        self._rest = b""
        self._records = _Records()
        self._acked = 0

    @property
    def greeted(self) -> bool:
        return self._records.greeted

    @property
    def done(self) -> int:
        return self._records.done

    def says(self, text: bytes) -> bytes:
        """A frame of its own."""
        return masked(0x41, deflated(text)) if self._deflate else masked(0x1, text)

    def feed(self, data: bytes) -> list[bytes]:
        texts, self._rest = _texts(self._rest + data, self.replies, deflate=self._deflate)
        said = [words for text in texts if (words := self._records.take(text)) is not None]
        self._acknowledge(self.ACK)
        return said

    def pause(self) -> None:
        """Nothing came for a second: acknowledge what is left."""
        self._acknowledge(1)

    def _acknowledge(self, least: int) -> None:
        last = self._records.last
        if last - self._acked >= least:
            self._acked = last
            self.replies += self.says(b'{"a":%d}' % last)


class StreamEar:
    """The chunked body of an event stream."""

    __slots__ = ("_events", "_records", "_rest", "replies")

    def __init__(self) -> None:
        self.replies = bytearray()
        self._rest = b""
        self._events = b""
        self._records = _Records()

    @property
    def greeted(self) -> bool:
        return self._records.greeted

    def feed(self, data: bytes) -> list[bytes]:
        said = []
        *events, self._events = (self._events + self._unchunked(data)).split(b"\n\n")
        for event in events:
            number = b""
            for line in event.split(b"\n"):
                if line.startswith(b"id: "):
                    number = line.rpartition(b".")[2]
                elif line.startswith(b"data: "):
                    words = self._records.take(line[6:])
                    if number and int(number) != self._records.last:
                        raise Misheard(f"event id {number!r} stands before record {self._records.last}")
                    if words is not None:
                        said.append(words)
        return said

    def _unchunked(self, data: bytes) -> bytes:
        data = self._rest + data
        parts = []
        at = 0
        while (stop := data.find(b"\r\n", at)) >= 0:
            size = int(data[at:stop], 16)
            start = stop + 2
            if start + size + 2 > len(data):
                break
            parts.append(data[start : start + size])
            at = start + size + 2
        self._rest = data[at:]
        return b"".join(parts)


class _Params(msgspec.Struct):
    seq: int = 0
    message: str = ""


class _Message(msgspec.Struct):
    method: str = ""
    params: _Params | None = None
    id: int | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()


_decode_message = msgspec.json.Decoder(_Message).decode


class RpcEar:
    """A client of the gateway. Checks that ``seq`` rises by one, that requests are answered in order, and none by an
    error.

    :param framed: it is a WebSocket, else lines over TCP
    :ivar answered: number of the last request that was answered
    :ivar result: what it was answered with
    """

    __slots__ = ("_framed", "_rest", "_seq", "answered", "replies", "result")

    def __init__(self, *, framed: bool) -> None:
        self.replies = bytearray()
        self.answered = 0
        self.result = b""
        self._framed = framed
        self._rest = b""
        self._seq = 0

    def feed(self, data: bytes) -> list[bytes]:
        data = self._rest + data
        if self._framed:
            texts, self._rest = _texts(data, self.replies)
        else:
            *texts, self._rest = data.split(b"\n")
        return [words for text in texts if (words := self._take(text)) is not None]

    def _take(self, text: bytes) -> bytes | None:
        message = _decode_message(text)
        if message.id is not None or message.error:
            if message.error or message.id != self.answered + 1:
                raise Misheard(f"request {self.answered + 1} was answered with {text[:200]!r}")
            self.answered, self.result = message.id, bytes(message.result)
            return None
        params = message.params
        if params is None or message.method == "welcome":
            return None
        if params.seq != self._seq + 1:
            raise Misheard(f"event {params.seq} came after {self._seq}")
        self._seq = params.seq
        return params.message.encode() if message.method in ("channel_message", "tell_received") else None
