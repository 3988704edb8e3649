"""The gateway: Intermud-3 for MUDs that do not speak it, as JSON-RPC over WebSocket and TCP.

Each MUD is on the network by its own name, over a link of its own. From the doors inwards: ``doors`` carries bytes to a
``talk``, which finds the method; ``methods`` act on a ``session`` and its ``mud``, to which the link's packets come and
become ``events``; ``gateway`` holds the MUDs, with ``keys`` that say who may be which.
"""
