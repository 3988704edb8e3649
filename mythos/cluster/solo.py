"""The bus of a node that is alone: what is published is heard at once, here."""

from __future__ import annotations

from collections.abc import Callable

from mythos.wire.message import Message

__all__ = ["SoloBus"]


class SoloBus:
    """Implements ``Bus`` of :mod:`mythos.play.ports`.

    :ivar hear: called with each channel and message; set by who listens
    """

    def __init__(self) -> None:
        self.hear: Callable[[str, Message], None] = lambda channel, message: None

    def publish(self, channel: str, message: Message) -> None:
        self.hear(channel, message)
