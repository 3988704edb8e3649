"""How things fail: the type says whose fault it is."""

from __future__ import annotations

__all__ = ["Fault", "MythosError", "Refusal", "WireError"]


class MythosError(Exception):
    """Anything Mythos raises on purpose."""


class Refusal(MythosError):
    """The player's: the message is a sentence they read. The world is as it was."""


class WireError(MythosError):
    """The peer's: what came over the wire breaks the protocol."""


class Fault(MythosError):
    """Ours: logged with its context."""
