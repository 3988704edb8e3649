"""One command on its way: what a verb is given, and what it leaves behind for the turn."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from mythos.play.audience import Audience, Heard, Only
from mythos.play.narrate import narrate
from mythos.play.verbs import Rank, Verb, rank_of
from mythos.wire.message import Message, line
from mythos.world.facts import Fact
from mythos.world.state import Character, World

if TYPE_CHECKING:
    from mythos.play.realm import Realm
    from mythos.play.sessions import Session

__all__ = ["Call"]


class Call:
    """One command of one character.

    A verb reads the world, calls one rule, and tells what happened with :meth:`happen`; or answers with
    :meth:`reply`. It raises :class:`~mythos.errors.Refusal` with a sentence, before anything is changed.

    :ivar verb: the declaration it was found by; ``word`` is what was typed for it (``n`` for ``go``)
    :ivar rest: what was typed after the verb, sanitised and stripped, inner spaces kept
    :ivar heard: messages of the turn, in the order they were made
    :ivar leaving: the session ends, once this command is answered
    """

    __slots__ = ("heard", "leaving", "me", "realm", "rest", "session", "verb", "word", "world")

    def __init__(
        self, realm: Realm, session: Session, me: Character, verb: Verb, word: str, rest: str, heard: list[Heard]
    ) -> None:
        self.realm = realm
        self.world: World = realm.world
        self.session = session
        self.me = me
        self.verb = verb
        self.word = word
        self.rest = rest
        self.heard = heard
        self.leaving = False

    @property
    def rank(self) -> Rank:
        return rank_of(self.me)

    def happen(self, facts: Iterable[Fact]) -> None:
        """Tell what a rule made happen, each to those who notice it."""
        for fact in facts:
            self.heard += narrate(self.world, fact)

    def reply(self, *messages: Message | str, kind: str = "system") -> None:
        """Words for the actor alone; a str becomes one line of ``kind``."""
        only = Only(self.me.id)
        for message in messages:
            self.heard.append((only, line(kind, message) if isinstance(message, str) else message))

    def tell(self, audience: Audience, message: Message) -> None:
        """A message that is no fact of the world: channels, broadcasts."""
        self.heard.append((audience, message))

    def ask(self, question: str, then: Callable[[Call, str], None], *, secret: bool = False) -> None:
        """Take the player's next line as the answer; ``then`` gets a fresh call with that line.

        A secret is typed without echo, and stands in no log, history or record.
        """
        self.session.ask(question, then, secret=secret)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something that waits (a password hash, the account store) go on after this turn."""
        self.realm.start(work)
