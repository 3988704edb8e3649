"""The options of one telnet connection, and what follows from each that is turned on or off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime

from mythos.flow.bucket import Bucket
from mythos.net.status import Status
from mythos.net.telnet.entrance import Entrance
from mythos.net.telnet.link import TelnetLink
from mythos.net.telnet.outofband import OutOfBand
from mythos.net.telnet.pipe import Pipe
from mythos.net.telnet.screen import Screen
from mythos.values import kept, restore
from mythos.wire.mccp import Units
from mythos.wire.negotiation import Change, Options, Side
from mythos.wire.subnegotiation import LINEMODE_EDIT, MXP_START, NEW_ENVIRON_SEND, TTYPE_SEND
from mythos.wire.telnet import Negotiation, Option, Parser

__all__ = ["CODE_COST", "Negotiator"]

#: What one answer counts for, of those that anybody may ask for again and again.
CODE_COST = 25.0
_KEPT = ("_hidden", "_offered")


class Offers(Protocol):
    """What is the same for all connections of the door."""

    @property
    def clock(self) -> IReactorTime: ...

    @property
    def status(self) -> Status: ...

    @property
    def units(self) -> Units: ...

    @property
    def mccp2(self) -> bool:
        """Offer to compress what is sent."""

    @property
    def mccp3(self) -> bool:
        """And take what clients compress."""


class Parts(Protocol):
    """What of the connection follows its options."""

    @property
    def entrance(self) -> Entrance | None: ...

    @property
    def link(self) -> TelnetLink | None: ...

    @property
    def outofband(self) -> OutOfBand: ...

    @property
    def pipe(self) -> Pipe: ...

    @property
    def screen(self) -> Screen: ...


class Negotiator:
    """See the module."""

    __slots__ = ("_hidden", "_offered", "_offers", "_options", "_pace", "_parser", "_parts")

    def __init__(self, parts: Parts, options: Options, parser: Parser, offers: Offers, pace: Bucket) -> None:
        self._parts = parts
        self._options = options
        self._parser = parser
        self._offers = offers
        self._pace = pace
        self._hidden = False  # what is typed
        self._offered = False  # compression

    def kept(self) -> dict[str, Any]:
        """What it has offered and hidden, for another process."""
        return kept(self, _KEPT)

    def restore(self, state: Mapping[str, Any]) -> None:
        """What :meth:`kept` gave, into a new one."""
        restore(self, _KEPT, state)

    def received(self, event: Negotiation, now: float) -> None:
        """:raises NegotiationFlood: there is no end of it"""
        pipe, link = self._parts.pipe, self._parts.link
        reply, change = self._options.received(event.verb, event.option, now)
        if pipe.compressing and event.option == Option.MCCP2 and not self._options.us(Option.MCCP2):
            pipe.stop_compressing(reply)
        elif reply and event.option == Option.TIMING_MARK and link is not None:
            link.mark(reply)
        else:
            pipe.send(reply)
        if change is not None:
            self._changed(change, now)

    def _changed(self, change: Change, now: float) -> None:
        option, side, on = change.option, change.side, change.on
        send, link, entrance = self._parts.pipe.send, self._parts.link, self._parts.entrance
        if option == Option.TIMING_MARK:
            if link is not None:
                link.arrival.marked()
            return  # which says nothing of the client, and comes every second
        if on and option == Option.TTYPE and side is Side.HIM:
            send(TTYPE_SEND)
            if entrance is not None:
                entrance.postpone()
        elif on and option == Option.NEW_ENVIRON and side is Side.HIM:
            send(NEW_ENVIRON_SEND)
        elif on and option == Option.CHARSET and side is Side.US:
            send(self._parts.screen.evidence.request_charset())
        elif on and option == Option.MSSP:
            if not self._pace.take(now, CODE_COST):
                send(self._offers.status.frame())
        elif option == Option.LINEMODE and side is Side.HIM:
            send(LINEMODE_EDIT if on else self._options.drop_us(Option.SGA, now))
        elif not on and option in (Option.GMCP, Option.MSDP):
            self._parts.outofband.forget(option)
        elif on and option == Option.MXP and not (self._options.us(option) and self._options.him(option)):
            send(MXP_START)
        elif on and option == Option.MCCP2:
            self._parts.pipe.compress(self._offers.units)
        elif option == Option.SGA and side is Side.US:
            self._parser.char_mode = on
        self.learnt()

    def learnt(self) -> None:
        """The client said something of itself: show it accordingly; when all is said, begin."""
        screen, entrance = self._parts.screen, self._parts.entrance
        screen.refresh()
        if entrance is not None and not entrance.greeted and self._options.settled and self._has_said_what_it_is():
            entrance.greet()

    def _has_said_what_it_is(self) -> bool:
        return self._parts.screen.evidence.named or not self._options.him(Option.TTYPE)

    def hide_typing(self, hide: bool) -> None:
        """IAC WILL ECHO before a secret, so that the client shows nothing, WONT ECHO after the last of several: some
        clients no longer hide anything when it changes often."""
        if hide != self._hidden:
            self._hidden = hide
            now = self._offers.clock.seconds()
            self._parts.pipe.send((self._options.offer_us if hide else self._options.drop_us)(Option.ECHO, now))

    def probe(self) -> bytes | None:
        """DO TIMING-MARK; nothing while one is unanswered. None: the peer speaks no telnet."""
        return self._options.probe() if self._parser.speaks_telnet else None

    def inflated(self) -> None:
        """The client's compression has ended, or broke."""
        self._parts.pipe.send(self._options.drop_us(Option.MCCP3, self._offers.clock.seconds()))

    def look(self, now: float) -> None:
        """Each second of a session: stop waiting for answers that do not come, and see to compression."""
        pipe = self._parts.pipe
        pipe.send(self._options.expire(now))
        if self._options.us(Option.MCCP2):
            pipe.compress(self._offers.units)
        elif not self._offered and self._parser.speaks_telnet and self._has_said_what_it_is():
            self._offer_compression(now)

    def _offer_compression(self, now: float) -> None:
        """To a session's client, and once it has said what it is: some lose the thread when it comes between."""
        self._offered = True
        if self._offers.mccp2:
            self._parts.pipe.send(self._options.offer_us(Option.MCCP2, now))
        if self._offers.mccp3:
            self._parser.stops_at = Option.MCCP3
            self._parts.pipe.send(self._options.offer_us(Option.MCCP3, now))
