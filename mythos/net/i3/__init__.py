"""Intermud-3 on the network: a small router of our own."""
