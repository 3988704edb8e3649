"""What is known of a client: evidence as it comes in, and the terminal it amounts to.

The order of evidence for each question is in :meth:`Evidence.terminal` and below it: what the player set beats what
the client says of itself, and exact statements beat names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mythos.values import kept, restore
from mythos.wire.ansi import Colours, Links, Style, style
from mythos.wire.charset import Charset, Encoding, charset_named
from mythos.wire.gmcp import Gmcp, supports_after
from mythos.wire.subnegotiation import (
    TTYPE_SEND,
    CharsetVerb,
    charset_accept,
    charset_reject,
    charset_request,
    linemode_answer,
    read_charset,
    read_environ,
    read_terminal_type,
    read_window,
)
from mythos.wire.telnet import Option

__all__ = ["CONFIGURABLE", "Evidence", "Preferences", "Terminal"]

WIDTH: Final = (20, 500)
HEIGHT: Final = (5, 300)
_TERMINAL_TYPES: Final = 4  # answers asked for at most
_NAME_LIMIT: Final = 40

# Bits of the MUD Terminal Type Standard.
_MTTS_ANSI, _MTTS_UTF8, _MTTS_256, _MTTS_SCREEN_READER, _MTTS_TRUECOLOR = 1, 4, 8, 64, 256
_MTTS: Final = re.compile(r"MTTS (\d{1,6})")

#: Clients that show 256 colours without saying so.
_COLOURFUL: Final = frozenset(
    ("MUDLET", "MUSHCLIENT", "CMUD", "PUTTY", "BEIP", "POTATO", "KILDCLIENT", "ATLANTIS", "TINYFUGUE")
)
#: Clients that nobody uses but with a screen reader.
_ALOUD: Final = frozenset(("VIPMUD", "VIP"))
#: The only NEW-ENVIRON variables kept; others (USER, DISPLAY) say things about people that are none of our business.
_KEPT: Final = re.compile(
    r"CLIENT_NAME|CLIENT_VERSION|MTTS|CHARSET|TERMINAL_TYPE|IPADDRESS|SCREEN_READER|256_COLORS|TRUECOLOR|UTF-8|ANSI"
    r"|WORD_WRAP|TLS|COLORTERM|LANG|OSC_HYPERLINKS_SEND"
)


#: What a client may say of itself over MSDP.
CONFIGURABLE: Final = ("CLIENT_NAME", "CLIENT_VERSION")


#: What there is to know of evidence, and of an encoding.
_SAID: Final = ("supports", "_hello", "_names", "_named", "_window", "_environ", "_asked")
_ENCODING: Final = ("wanted", "agreed", "learnt")


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the player set; None leaves it to the evidence. ``width`` 0 never wraps."""

    colours: Colours | None = None
    width: int | None = None
    screen_reader: bool | None = None


@dataclass(frozen=True, slots=True)
class Terminal:
    """What to write for.

    :ivar width: columns, 20-500, or 0: never wrap
    :ivar height: rows, 5-300
    :ivar client: what it calls itself: a client's name or a terminal type; may be empty
    :ivar gmcp: modules the client asked for, lower case -> version
    """

    width: int = 80
    height: int = 24
    colours: Colours = Colours.NONE
    charset: Charset = Charset.ASCII
    screen_reader: bool = False
    links: Links = Links.NONE
    client: str = ""
    version: str = ""
    gmcp: Mapping[str, int] = field(default_factory=dict)

    @property
    def style(self) -> Style:
        """The style for :func:`ansi.render`."""
        return style(self.colours, self.charset, self.width, self.screen_reader, self.links)


class Evidence:
    """What one client has said of itself. Nothing is stored until it is said.

    :ivar encoding: decodes its lines
    :ivar supports: GMCP modules, lower case -> version; None before the first Core.Supports
    """

    __slots__ = ("_asked", "_environ", "_hello", "_named", "_names", "_window", "encoding", "supports")

    def __init__(self) -> None:
        self.encoding = Encoding()
        self.supports: Mapping[str, int] | None = None
        self._hello: tuple[str, str] | None = None
        self._names: tuple[str, ...] = ()
        self._named = False
        self._window: tuple[int, int] | None = None
        self._environ: dict[str, str] | None = None
        self._asked = False

    # ── hearing ──────────────────────────────────────────────────────────────────────────────────

    def heard(self, option: int, payload: bytes) -> bytes:
        """Take NAWS, TTYPE, CHARSET, NEW-ENVIRON or LINEMODE in; what to answer. Other options say nothing here.

        :raises BadPayload: it is not what the option says; drop and count
        """
        if option == Option.NAWS:
            self._window = read_window(payload)
        elif option == Option.TTYPE:
            return self._terminal_type(read_terminal_type(payload))
        elif option == Option.CHARSET:
            return self._charset(payload)
        elif option == Option.NEW_ENVIRON:
            self._variables(read_environ(payload))
        elif option == Option.LINEMODE:
            return linemode_answer(payload)
        return b""

    def request_charset(self) -> bytes:
        """Ask for UTF-8, once the client has answered WILL CHARSET with DO."""
        self._asked = True
        return charset_request()

    def core(self, message: Gmcp) -> None:
        """Take Core.Hello or Core.Supports.* in; other messages say nothing here.

        :raises BadGmcp: a list of modules that is none
        """
        if message.name == "core.hello" and isinstance(message.data, dict):
            said = {key.lower(): str(value)[:_NAME_LIMIT] for key, value in message.data.items()}
            self._hello = said.get("client", ""), said.get("version", "")
        elif message.name.startswith("core.supports."):
            self.supports = supports_after(self.supports or {}, message)

    def configured(self, name: str, value: object) -> None:
        """Take one of :data:`CONFIGURABLE` in, as MSDP sets it; others say nothing here."""
        if name in CONFIGURABLE and isinstance(value, str):
            self._variables({name: value[:_NAME_LIMIT]})

    @property
    def named(self) -> bool:
        """TTYPE has said all it will: compression may be offered now."""
        return self._named

    def variable(self, name: str) -> str | None:
        """A NEW-ENVIRON variable, of those that are kept. IPADDRESS is to be believed of trusted proxies only."""
        return (self._environ or {}).get(name)

    def _terminal_type(self, name: str) -> bytes:
        repeated = name in self._names
        if not repeated and len(self._names) < _TERMINAL_TYPES:
            self._names = (*self._names, name)
        self._agree_by_hints()
        if self._named or repeated or _MTTS.fullmatch(name) or len(self._names) >= _TERMINAL_TYPES:
            self._named = True
            return b""
        return TTYPE_SEND

    def _charset(self, payload: bytes) -> bytes:
        said = read_charset(payload)
        if said.verb is CharsetVerb.REQUEST:
            for charset in (Charset.UTF8, Charset.LATIN1):
                if charset in said.charsets and not self._asked:
                    self.encoding.agreed = charset
                    return charset_accept(charset)
            return charset_reject()
        if said.verb is CharsetVerb.TTABLE_IS:
            return charset_reject(said.verb)
        if self._asked and said.charsets:
            self.encoding.agreed = said.charsets[0]
        self._asked = False
        return b""

    def _variables(self, said: Mapping[str, str | None]) -> None:
        for name, value in said.items():
            if _KEPT.fullmatch(name):
                self._environ = {**(self._environ or {}), name: value or ""}
        self._agree_by_hints()

    def _agree_by_hints(self) -> None:
        """MTTS and variables count where CHARSET has not decided."""
        if self.encoding.agreed is None:
            if self._mtts() & _MTTS_UTF8 or self._true("UTF-8"):
                self.encoding.agreed = Charset.UTF8
            else:
                self.encoding.agreed = charset_named(self.variable("CHARSET") or "")

    # ── for another process ──────────────────────────────────────────────────────────────────────

    def kept(self) -> dict[str, Any]:
        """All that it said."""
        encoding = {name: one.value for name in _ENCODING if (one := getattr(self.encoding, name)) is not None}
        return {**kept(self, _SAID), "encoding": encoding}

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one. :raises KeyError: some of it is missing"""
        restore(self, _SAID, state)
        self._names = tuple(self._names)
        for name, value in state["encoding"].items():
            setattr(self.encoding, name, Charset(value))

    # ── judging ──────────────────────────────────────────────────────────────────────────────────

    def terminal(
        self, preferences: Preferences = Preferences(), *, speaks_telnet: bool = True, mxp: bool = False
    ) -> Terminal:
        """What all of it amounts to. ``speaks_telnet``: the peer has sent an IAC command; ``mxp``: MXP is agreed."""
        width, height = self._window or (0, 0)
        hello = self._hello or ("", "")
        reader = preferences.screen_reader
        if reader is None:
            reader = self._reads_aloud()
        wanted = preferences.width
        if wanted is None:
            wanted = 0 if reader else width or self._word_wrap() or 80  # a sentence is not to be read out in pieces
        return Terminal(
            width=wanted and _between(wanted, WIDTH),
            height=_between(height or 24, HEIGHT),
            colours=preferences.colours if preferences.colours is not None else self._colours(speaks_telnet),
            charset=self.encoding.output(terminal_type=bool(self._names)),
            screen_reader=reader,
            links=self._links(mxp=mxp),
            client=self.variable("CLIENT_NAME") or hello[0] or (self._names[0] if self._names else ""),
            version=self.variable("CLIENT_VERSION") or hello[1],
            gmcp=self.supports or {},
        )

    def _colours(self, speaks_telnet: bool) -> Colours:
        mtts = self._mtts()
        told = (self.variable("CLIENT_NAME"), self.variable("TERMINAL_TYPE"))
        names = (*self._names, *[name.upper() for name in told if name])
        if mtts & _MTTS_TRUECOLOR or self._true("TRUECOLOR") or self.variable("COLORTERM") == "truecolor":
            return Colours.TRUE
        if any(name.endswith("-TRUECOLOR") for name in names):
            return Colours.TRUE
        if mtts & _MTTS_256 or self._true("256_COLORS"):
            return Colours.XTERM
        if any(name.endswith("-256COLOR") or name.startswith("XTERM") or _brand(name) in _COLOURFUL for name in names):
            return Colours.XTERM
        if mtts & _MTTS_ANSI or self._true("ANSI") or any(name.startswith(("ANSI", "VT", "LINUX")) for name in names):
            return Colours.ANSI
        if any(name in ("DUMB", "UNKNOWN") for name in names):
            return Colours.NONE
        return Colours.ANSI if speaks_telnet else Colours.NONE

    def _links(self, *, mxp: bool) -> Links:
        """A terminal that does not say it knows a kind of link would print it."""
        if self.variable("OSC_HYPERLINKS_SEND") == "1":
            return Links.OSC8
        return Links.MXP if mxp else Links.NONE

    def _reads_aloud(self) -> bool:
        if self._mtts() & _MTTS_SCREEN_READER or self._true("SCREEN_READER"):
            return True
        return any(_brand(name.upper()) in _ALOUD for name in (*self._names, self.variable("CLIENT_NAME") or ""))

    def _mtts(self) -> int:
        for name in self._names:
            if found := _MTTS.fullmatch(name):
                return int(found[1])
        said = self.variable("MTTS") or ""
        return int(said) if said.isascii() and said.isdigit() else 0

    def _word_wrap(self) -> int:
        said = self.variable("WORD_WRAP") or ""
        return int(said) if said.isascii() and said.isdigit() else 0

    def _true(self, name: str) -> bool:
        """A variable that is there is not yet true: ``UTF-8=0`` occurs."""
        return (self.variable(name) or "0") != "0"


def _brand(name: str) -> str:
    """``MUDLET`` of ``MUDLET 4.17`` or ``MUDLET-DEV``."""
    return re.split(r"[ -]", name, maxsplit=1)[0]


def _between(value: int, bounds: tuple[int, int]) -> int:
    return min(max(value, bounds[0]), bounds[1])
