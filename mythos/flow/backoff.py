"""Pauses between tries of the same work."""

from __future__ import annotations

from typing import Final

__all__ = ["PAUSES", "pause"]

#: Seconds before the second try, the third, and so on; there is none after the last.
PAUSES: Final = (1.0, 2.0, 5.0, 10.0, 30.0)
#: Share of a pause by which chance makes it shorter or longer, so that what failed together does not come together.
_JITTER: Final = 0.25


def pause(failed: int, chance: float) -> float | None:
    """Seconds until the next try; None: there is to be no other.

    :param failed: tries so far, at least one
    :param chance: from 0 up to 1
    """
    if failed > len(PAUSES):
        return None
    return PAUSES[failed - 1] * (1.0 - _JITTER + 2.0 * _JITTER * chance)
