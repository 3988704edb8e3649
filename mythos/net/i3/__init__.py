"""Intermud-3 on the network: links of MUDs to routers, and a small router of our own."""
