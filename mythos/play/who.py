"""Who plays, as everybody may know it: in ``who``, and outside of the game."""

from __future__ import annotations

from dataclasses import dataclass

from mythos.play.sessions import Session

__all__ = ["MOST", "Listed", "listed"]

#: Names that a list of players has at most; the others are counted.
MOST = 60
#: Seconds after which somebody is listed as idle.
_IDLE = 300.0


@dataclass(frozen=True, slots=True)
class Listed:
    """One who plays.

    :ivar notes: what stands in brackets behind the name and the title: ``guest``, ``idle 7 minutes``
    """

    name: str
    title: str
    notes: tuple[str, ...]


def listed(session: Session, now: float) -> Listed:
    """:param now: monotonic second"""
    me = session.me
    notes = []
    if me.keeper:
        notes.append("keeper")
    elif me.account is None:
        notes.append("guest")
    if session.linkdead:
        notes.append("link-dead")
    elif now - session.idle_since >= _IDLE:
        notes.append(f"idle {int(now - session.idle_since) // 60} minutes")
    return Listed(me.name, me.title, tuple(notes))
