"""Bans and mutes, kept in the data directory and heeded by every door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mythos.app.files import StartError
from mythos.errors import Refusal
from mythos.net.doorman import Doorman
from mythos.net.i3.state import save
from mythos.play.channels import Channels
from mythos.play.ports import Clock
from mythos.play.sanctions import Kind, Sanctions

__all__ = ["Kept", "heed", "open_sanctions"]


#: One as it is kept.
Kept = Mapping[str, Any]


def open_sanctions(data: Path, clock: Clock, told: Callable[[Iterable[Kept], Iterable[Kept]], None]) -> Sanctions:
    """As they were kept.

    :param told: hears of those that were added, and of those that were lifted
    :raises StartError: the file makes no sense: nobody who is banned comes in by that
    """
    path = data / "sanctions.json"

    def keep(kept: list[dict[str, Any]]) -> None:
        try:
            save({"sanctions": kept}, path)
        except OSError as error:
            raise Refusal(f"Nothing was changed: {path} cannot be written ({error.strerror}).") from error
        before = [one.kept() for one in sanctions.every(clock.wall())]
        named = {(one["kind"], one["what"]) for one in kept}
        told(
            [one for one in kept if one not in before],
            [one for one in before if (one["kind"], one["what"]) not in named],
        )

    try:
        found = json.loads(path.read_text("utf-8"))["sanctions"] if path.exists() else []
        sanctions = Sanctions(found, keep)
        return sanctions
    except (OSError, ValueError, TypeError, LookupError) as error:
        raise StartError(
            f"The bans in {path} cannot be read ({error}): put the file right, or move it away to lift them all."
        ) from error


def heed(sanctions: Sanctions, clock: Clock, doorman: Doorman, channels: Channels) -> None:
    """Have the doors ask about addresses, and silence who is muted still."""
    doorman.banned = _banned(sanctions, clock)
    wall = clock.wall()
    for one in sanctions.every(wall):
        if one.kind is Kind.MUTE:
            channels.mute(one.what, clock.seconds() + one.until - wall)  # type: ignore[arg-type]


def _banned(sanctions: Sanctions, clock: Clock) -> Callable[[str], str]:
    def banned(address: str) -> str:
        one = sanctions.of_address(address, clock.wall())
        return one.sentence() if one is not None else ""

    return banned
