"""GMCP (option 201): ``Package.Message json`` inside a telnet subnegotiation, UTF-8.

Names are matched without case and sent in their canonical spelling. A client gets a message only if it lists the
module by name: ``Char 1`` does not imply ``Char.Items 1``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from mythos.errors import WireError
from mythos.wire.message import Line, Role, State, keep
from mythos.wire.telnet import Option, subnegotiate

__all__ = ["BadGmcp", "Gmcp", "decode", "encode", "module_of", "render", "render_talk", "supports_after", "wants"]

DEPTH_LIMIT: Final = 16
_MODULE_LIMIT: Final = 64

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}")
_SEPARATOR: Final = re.compile(rb"[ \t\r\n]")
_SUPPORT: Final = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.\-]{0,63})(?:\s+(\d{1,4}))?\s*")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode
_KEY: Final = "gmcp"


class BadGmcp(WireError):
    """A message to be dropped and counted; there is no reply to it."""


@dataclass(frozen=True, slots=True)
class Gmcp:
    """A message from a client.

    :ivar name: lower case, e.g. ``core.supports.set``
    :ivar data: any JSON value; None also if there was none
    """

    name: str
    data: Any = None


def encode(name: str, data: Any = msgspec.UNSET) -> bytes:
    """A message as a whole telnet frame; without ``data`` the name alone. Compact JSON, no NaN."""
    if data is msgspec.UNSET:
        return subnegotiate(Option.GMCP, name.encode())
    return subnegotiate(Option.GMCP, b"%b %b" % (name.encode(), _encode(data)))


def render(state: State) -> bytes:
    """``state`` as a frame, encoded once for the many who get it."""
    rendered = state.rendered.get(_KEY)
    if rendered is None:
        rendered = encode(state.name, state.data)
        keep(state, _KEY, rendered)
    return rendered


def render_talk(line: Line) -> bytes:
    """A line of a channel, or a tell, as Comm.Channel.Text: encoded once for the many who get it.

    The channel is the word in brackets such a line begins with; a tell is of ``tell`` and the other's name.
    """
    rendered = line.rendered.get(_KEY)
    if rendered is None:
        rendered = _talk(line)
        keep(line, _KEY, rendered)
    return rendered


def _talk(line: Line) -> bytes:
    talker = next((span.text for span in line.spans if span.role is Role.PLAYER), "")
    said: dict[str, str] = {"channel": f"tell {talker}", "talker": talker, "text": line.text}
    if line.kind == "channel":
        said["channel"] = line.text[1:].partition("]")[0]
    else:
        said["kind"] = "tell"
        if line.text.startswith(("You ", "To ")):
            said["talker"] = "You"
    return encode("Comm.Channel.Text", said)


def decode(payload: bytes) -> Gmcp:
    """Read a subnegotiation's payload (its size was limited by the parser).

    :raises BadGmcp: no name, no JSON, or JSON nested deeper than 16
    """
    head, *rest = _SEPARATOR.split(payload, maxsplit=1)
    name, body = head.decode("ascii", "replace"), b"".join(rest)
    if not _NAME.fullmatch(name):
        raise BadGmcp("no name")
    if not body.strip():
        return Gmcp(name.lower())
    try:
        data = _decode(body)
    except (ValueError, RecursionError) as wrong:
        raise BadGmcp(f"{name}: {wrong}") from None
    if body.count(b"[") + body.count(b"{") > DEPTH_LIMIT and _deeper_than(data, DEPTH_LIMIT):
        raise BadGmcp(f"{name}: nested deeper than {DEPTH_LIMIT}")
    return Gmcp(name.lower(), data)


def _deeper_than(value: Any, limit: int) -> bool:
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if children is None:
        return False
    return limit == 0 or any(_deeper_than(child, limit - 1) for child in children)


def supports_after(supports: Mapping[str, int], message: Gmcp) -> dict[str, int]:
    """The modules a client supports (lower case -> version) after Core.Supports.Set, Add or Remove.

    Entries that make no sense are passed over; at most 64 modules are kept.

    :raises BadGmcp: not such a message, or its data is no array
    """
    verb = message.name.removeprefix("core.supports.")
    if verb not in ("set", "add", "remove") or not isinstance(message.data, list):
        raise BadGmcp(f"{message.name}: not a list of modules")
    after = {} if verb == "set" else dict(supports)
    for entry in message.data:
        found = _SUPPORT.fullmatch(entry) if isinstance(entry, str) else None
        if found is None:
            continue
        module = found[1].lower()
        if verb == "remove":
            after.pop(module, None)
        elif module in after or len(after) < _MODULE_LIMIT:
            after[module] = int(found[2] or 1)
    return after


def module_of(name: str) -> str:
    """The module a message belongs to, lower case: ``Char.Items.List`` -> ``char.items``."""
    return name.rpartition(".")[0].lower()


def wants(supports: Mapping[str, int], name: str) -> bool:
    """The client listed the module of message ``name``. Core and Client need no listing."""
    module = module_of(name)
    return module in ("core", "client") or module in supports
