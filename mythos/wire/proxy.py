"""The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): for whom a proxy speaks, before all else.

==========================  ====================================================================================
``PROXY TCP4 a b p q CRLF``  version 1: source, destination and their ports as text; TCP6; at most 107 bytes
``PROXY UNKNOWN ... CRLF``   a check of the proxy's own, or something that is not TCP: it speaks for itself
signature, 4 bytes, rest     version 2: command and version, family, length; addresses, and more that is passed over
==========================  ====================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from mythos.errors import WireError

__all__ = ["Client", "Header", "NoHeader", "read"]

_SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
_WORD: Final = b"PROXY "
#: Bytes of a header of version 1 with its line end; bytes behind the fixed part of one of version 2.
_LONGEST_LINE: Final = 107
_LONGEST: Final = 1024
_FIXED: Final = 16
_LOCAL, _PROXY = 0x20, 0x21
#: Family and transport of version 2 -> bytes of an address; others are not TCP.
_WIDTHS: Final = {0x11: 4, 0x21: 16}


class NoHeader(WireError):
    """What comes first is no header of either version."""


@dataclass(frozen=True, slots=True)
class Client:
    """Where the connection comes from: an IPv4 or IPv6 address in its usual form, and a port."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Header:
    """``client``: None if the proxy speaks for itself; ``size``: bytes of the header."""

    client: Client | None
    size: int


def read(data: bytes) -> Header | None:
    """The header that ``data`` begins with. None: there is more to come, at most 1040 bytes in all.

    :raises NoHeader: it begins with none
    :raises WireError: with a broken one
    """
    if data[: len(_WORD)] == _WORD[: len(data)]:
        return _line(data)
    if data[: len(_SIGNATURE)] == _SIGNATURE[: len(data)]:
        return _binary(data)
    raise NoHeader("there is no PROXY header")


def _line(data: bytes) -> Header | None:
    end = data.find(b"\r\n", 0, _LONGEST_LINE)
    if end < 0:
        if len(data) >= _LONGEST_LINE:
            raise WireError("a PROXY header without an end")
        return None
    match data[:end].split(b" "):
        case [_, b"UNKNOWN", *_]:
            return Header(None, end + 2)
        case [_, b"TCP4" | b"TCP6" as family, source, destination, port, to]:
            kind = IPv4Address if family == b"TCP4" else IPv6Address
            try:
                client = Client(_host(kind(source.decode("ascii"))), _port(port))
                kind(destination.decode("ascii"))
                _port(to)
                return Header(client, end + 2)
            except ValueError as error:
                raise WireError(f"a broken PROXY header: {error}") from error
    raise WireError(f"a broken PROXY header: {data[:end]!r}")


def _host(address: IPv4Address | IPv6Address) -> str:
    """A proxy that listens on IPv6 for all shows IPv4 as a part of it."""
    return str((isinstance(address, IPv6Address) and address.ipv4_mapped) or address)


def _port(text: bytes) -> int:
    """:raises ValueError:"""
    if not text.isdigit() or len(text) > 5 or (text[:1] == b"0" and text != b"0") or int(text) > 65_535:
        raise ValueError(f"{text!r} is no port")
    return int(text)


def _binary(data: bytes) -> Header | None:
    if len(data) < _FIXED:
        return None
    command, family, length = data[12], data[13], int.from_bytes(data[14:16], "big")
    if command not in (_LOCAL, _PROXY):
        raise WireError(f"a PROXY header of an unknown version or command: {command:#x}")
    if length > _LONGEST:
        raise WireError(f"a PROXY header of {length} bytes")
    size = _FIXED + length
    if len(data) < size:
        return None
    width = _WIDTHS.get(family)
    if command == _LOCAL or width is None:
        return Header(None, size)
    if length < 2 * width + 4:
        raise WireError("a PROXY header too short for its addresses")
    packed = data[_FIXED : _FIXED + width]
    host = _host(IPv4Address(packed) if width == 4 else IPv6Address(packed))
    at = _FIXED + 2 * width
    return Header(Client(host, int.from_bytes(data[at : at + 2], "big")), size)
