"""A session from one process to another: what the store does not keep of it, for it is of use only while it is played.

The store has its character, its log and its command numbers, written as at every planned stop. Beside that go where
each of its connections stands in the log, the lines that wait for their turn, and that a question was open.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mythos.errors import Fault
from mythos.flow.log import Cursor
from mythos.play.call import Call
from mythos.play.realm import Realm
from mythos.play.sessions import QUEUE, Question, Session, Standing

__all__ = ["NotWhole", "crowded", "keep", "take_up", "type_on"]

_FORGOTTEN = "The server was renewed meanwhile, and what you answered was not kept. Please give the command again."


class NotWhole(Fault):
    """What the store has of a session is not all that was told of it."""


def keep(session: Session, now: float) -> dict[str, Any]:
    """What :func:`take_up` goes on with.

    :param now: monotonic second, which is the same in both processes
    """
    question = session.question
    return {
        "id": session.id,
        "head": session.log.head,
        "cursors": [(one.kind, one.sent, one.acked, one.gone) for one in session.log.cursors],
        "lines": list(session.lines or ()),
        "question": (question.text, question.secret) if question is not None else None,
        "present": session.standing is Standing.PRESENT,
        "idle_since": session.idle_since,
        "alone_since": now if session.connections else session.alone_since,
        "told_by": session.told_by,
        "news": session.news,
    }


def take_up(realm: Realm, session: Session, state: Mapping[str, Any]) -> None:
    """Let a session that the store remembered go on where it was; its character stands where it stood, and nobody is
    told of it. Its connections find their cursors by their places among those of :func:`keep`.

    :raises NotWhole: its log ends before what was told
    """
    log = session.log
    if log.head < state["head"]:
        raise NotWhole(f"of {state['head']} messages of a session the store has {log.head}")
    log.cursors = []
    for kind, sent, acked, gone in state["cursors"]:
        cursor = Cursor(kind, sent)
        cursor.acked, cursor.gone = acked, gone
        log.cursors.append(cursor)
    session.idle_since, session.alone_since = state["idle_since"], state["alone_since"]
    session.told_by, session.news = state["told_by"], state["news"]
    if state["question"] is not None:
        text, secret = state["question"]
        session.question = Question(text, _forget, secret)
        session.hear(session.asks(), realm.now)
    if state["present"]:
        session.standing = Standing.PRESENT
        session.me.present = True
        realm.world.place_body(session.me, session.me.room)


def type_on(realm: Realm, session: Session, state: Mapping[str, Any]) -> None:
    """Let the lines that waited be run. To be called when every session has been taken up: a command may be about any
    of them."""
    for c, line in state["lines"]:
        realm.submit(session, c, line)


def _forget(call: Call, typed: str) -> None:
    call.reply(_FORGOTTEN)


def crowded(session: Session) -> bool:
    """So many of its lines wait that its connections are not read."""
    return session.lines is not None and len(session.lines) >= QUEUE // 2
