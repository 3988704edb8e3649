"""Telnet: the door of MUD clients, terminals and netcat. The shell around :mod:`mythos.wire.telnet`.

A ``connection`` carries what comes in to its parts. Its bytes go through a ``pipe``, compressed or not; the
``negotiator`` settles options with its client, the ``screen`` knows how words are shown there, ``outofband`` what it
takes beside words. At the ``entrance`` somebody says who they are, by GMCP or in a ``login`` typed line by line. Then a
session's log is read, like at every other door, over a ``link``; ``arrival`` tells the log what the client has.
"""

from mythos.net.telnet.connection import TelnetConnection, TelnetFactory

__all__ = ["TelnetConnection", "TelnetFactory"]
