"""Intermud-3, version 3: what MUDs say to each other through routers.

A connection carries frames (:mod:`mudmode`), a frame LPC values (:mod:`lpc`), a value a packet (:mod:`packets`); words
in a packet may hold Pinkfish colours (:mod:`pinkfish`). Nothing here does I/O or keeps time.

Sources: the Intermud-3 specification and the mudmode note at wotf.org/specs, and the behaviour of the routers and
drivers that are in use.
"""
