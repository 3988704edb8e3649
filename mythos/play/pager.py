"""The pager: an answer longer than the screen stops when it is full, for players who want that.

What does not fit is no part of the session's log until it is asked for. What others say and do is never held back.
"""

from __future__ import annotations

from mythos.play.audience import Heard, Only
from mythos.play.call import Call
from mythos.play.sessions import Question, Session
from mythos.play.settings import chosen
from mythos.wire.message import Line

__all__ = ["page"]

_ON, _END = "", "q"


def page(session: Session, heard: list[Heard]) -> list[Heard]:
    """What is told now of the words of one turn; the session is asked whether it wants the lines that are left.

    Only lines for its player alone are held back.
    """
    me = session.me
    if not me.settings or session.question is not None or chosen(me, "pager") == "off":
        return heard
    mine = [one for one in heard if type(one[0]) is Only and one[0].who == me.id and type(one[1]) is Line]
    lines = [message for _, message in mine if isinstance(message, Line)]
    fit = min([connection.fits(lines) for connection in session.connections], default=len(lines))
    if fit >= len(lines):
        return heard
    later = mine[fit:]
    kept = {id(one) for one in later}

    def go_on(call: Call, typed: str) -> None:
        if typed.lower() != _END:
            call.heard += later

    count = "One line" if len(later) == 1 else f"{len(later)} lines"
    session.question = Question(f"{count} more. Enter goes on, q ends.", go_on, words=(_ON, _END), rest=tuple(later))
    return [one for one in heard if id(one) not in kept]
