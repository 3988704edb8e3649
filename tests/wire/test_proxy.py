"""The PROXY protocol, of both versions, as proxies send it and as nobody should."""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mythos.errors import WireError
from mythos.wire.proxy import Client, Header, NoHeader, read

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"


def _binary(family: int, body: bytes, command: int = 0x21) -> bytes:
    return _SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


def _six(host: str) -> bytes:
    return _binary(0x21, socket.inet_pton(socket.AF_INET6, host) + bytes(16) + struct.pack("!HH", 1234, 4000))


_FOUR = _binary(0x11, bytes((192, 0, 2, 1, 198, 51, 100, 1)) + struct.pack("!HH", 56324, 4000))
_TLV = b"\x04\x00\x03abc"

_GOOD = {
    b"PROXY TCP4 192.0.2.1 198.51.100.1 56324 4000\r\n": Client("192.0.2.1", 56324),
    b"PROXY TCP6 2001:db8:0::1 2001:db8::2 1 65535\r\n": Client("2001:db8::1", 1),
    b"PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n": Client("192.0.2.1", 1),
    b"PROXY UNKNOWN\r\n": None,
    b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n": None,
    _FOUR: Client("192.0.2.1", 56324),
    _binary(0x11, _FOUR[16:] + _TLV): Client("192.0.2.1", 56324),
    _six("2001:db8::1"): Client("2001:db8::1", 1234),
    _six("::ffff:192.0.2.1"): Client("192.0.2.1", 1234),
    _binary(0x00, b""): None,
    _binary(0x31, bytes(216)): None,
    _binary(0x12, _FOUR[16:]): None,
    _binary(0x11, _FOUR[16:], command=0x20): None,
    _binary(0x00, _TLV, command=0x20): None,
}


@pytest.mark.parametrize(("data", "client"), _GOOD.items())
def test_headers(data: bytes, client: Client | None) -> None:
    """Whatever follows is not touched; until the last byte is there, there is more to come."""
    assert read(data) == Header(client, len(data))
    assert read(data + b"look\r\n") == Header(client, len(data))
    for size in range(len(data)):
        assert read(data[:size]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"PROXY TCP4 192.0.2.1 198.51.100.1 56324\r\n",
        b"PROXY TCP4  192.0.2.1 198.51.100.1 56324 4000\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 056324 4000\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 65536 4000\r\n",
        b"PROXY TCP4 192.0.2.1 198.51.100.1 1 -1\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP4 192.0.2.1 nowhere 1 2\r\n",
        b"PROXY TCP4 \xff\xff 198.51.100.1 1 2\r\n",
        b"PROXY TCP5 192.0.2.1 198.51.100.1 1 2\r\n",
        b"PROXY \r\n",
        b"PROXY " + b"x" * 101,
        _SIGNATURE + b"\x11\x11\x00\x0c" + _FOUR[16:],
        _SIGNATURE + b"\x22\x11\x00\x0c" + _FOUR[16:],
        _binary(0x11, _FOUR[16:-1]),
        _binary(0x21, bytes(35)),
        _SIGNATURE + b"\x21\x11\x04\x01",
    ],
)
def test_broken_headers(data: bytes) -> None:
    with pytest.raises(WireError) as found:
        read(data)
    assert not isinstance(found.value, NoHeader)


@pytest.mark.parametrize("data", [b"look\r\n", b"GET / HTTP/1.1\r\n", b"PROXYX", b"\r\n\r\nlook", b"\xff"])
def test_no_header(data: bytes) -> None:
    with pytest.raises(NoHeader):
        read(data)


@given(st.binary(max_size=40), st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", _SIGNATURE, _SIGNATURE + b"\x21\x11"]))
def test_any_bytes(data: bytes, begin: bytes) -> None:
    """Nothing but our error comes out, and a header is never longer than what was given."""
    try:
        header = read(begin + data)
    except WireError:
        return
    assert header is None or header.size <= len(begin + data)
