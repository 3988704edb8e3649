"""The control socket: what ``mythosctl`` asks of a server that runs.

A UNIX socket that only its owner may open. Each line is a JSON object ``{"do": "<order>", …}``, each answer one too:
``{"ok": true, …}`` or ``{"ok": false, "error": "<a sentence>"}``, in the order of the questions, with the question's
``"id"`` if it had one. What cannot be understood is answered, and the connection stays; after a line of more than
64 KiB, or more questions than may wait, it is closed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import Logger
from twisted.protocols.basic import LineOnlyReceiver
from twisted.python.failure import Failure

from mythos.config.problems import near
from mythos.errors import MythosError, Refusal
from mythos.net import census
from mythos.net.numbers import Counted
from mythos.net.transport import direct
from mythos.telemetry.health import Health
from mythos.telemetry.tail import KEPT, Tail

__all__ = ["HERE", "LOOKS", "MOST_BYTES", "RIGHTS", "Answer", "ControlFactory", "Order", "Question", "ServerOrders"]

_log = Logger()

#: Longest question.
MOST_BYTES = 65_536
#: Questions of one connection that may wait.
_WAITING = 64
#: Farthest off a shutdown may be, in seconds.
_LATEST = 86_400.0
#: Bytes of log lines in one answer.
_LINES = 1_048_576
#: Types that a census of objects names.
_TYPES = 25
#: Members that say whom or what an order is about, and how much of them is logged.
_ABOUT, _ABOUT_MOST = ("name", "mud", "kind", "what", "id"), 200
#: Who orders by the control socket: whoever may open it.
HERE = "the control socket"
#: Longest name of a question.
_ID = 64

#: Orders that change nothing.
LOOKS = frozenset(
    {
        "account",
        "accounts",
        "bans",
        "breakers",
        "cache",
        "gateway-keys-list",
        "jobs",
        "logs",
        "memory",
        "metrics",
        "session",
        "status",
        "who",
    }
)

#: What an operator may be allowed to order. Whatever stands nowhere here is for those who may order all.
RIGHTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "look": LOOKS,
        "people": frozenset({"ban", "broadcast", "kick", "mute", "unban", "unmute"}),
        "life": frozenset(
            {"breaker-reset", "cache-clear", "drain", "job-delete", "job-replay", "reload", "resume", "shutdown"}
        ),
        "all": frozenset({"audit", "job", "token-list"}),
    }
)

#: Orders whose answer has no other way: the process ends with it.
_HERE_ALONE = frozenset({"upgrade"})

Answer = dict[str, Any]
#: Carries an order out. May raise Refusal.
Order = Callable[["Question"], Coroutine[Any, Any, Answer]]


class _Control(LineOnlyReceiver):
    """One connection; questions are answered one after the other."""

    delimiter = b"\n"
    MAX_LENGTH = MOST_BYTES

    def __init__(self, factory: ControlFactory) -> None:
        self._factory = factory
        self._questions: list[bytes] = []
        self._busy = False

    def lineReceived(self, line: bytes) -> None:
        if len(self._questions) >= _WAITING:
            self._refuse(f"More than {_WAITING} questions wait for an answer.")
            return
        self._questions.append(line)
        if not self._busy:
            self._busy = True
            Deferred.fromCoroutine(self._work()).addErrback(self._broke)

    def lineLengthExceeded(self, line: bytes) -> None:
        self._refuse(f"A question is one line of up to {MOST_BYTES} bytes.")

    def _refuse(self, why: str) -> None:
        self._send({"ok": False, "error": why})
        assert self.transport is not None
        self.transport.loseConnection()

    async def _work(self) -> None:
        while self._questions:
            self._send(await self._factory.answer(self._questions[0]))
            del self._questions[0]
        self._busy = False

    def _broke(self, failure: Failure) -> None:
        _log.failure("a connection to the control socket broke", failure)
        assert self.transport is not None
        self.transport.loseConnection()  # whoever asked waits no longer

    def _send(self, answer: Answer) -> None:
        # At once: behind the answer to an upgrade this process has no turn of the reactor left.
        direct(self.transport, json.dumps(answer, ensure_ascii=False).encode() + b"\n")


class ControlFactory(Factory):
    """Answers operators.

    :param orders: name -> what carries it out
    :param audit: keeps who ordered what, about whom, and what came of it; may raise Refusal
    """

    noisy = False

    def __init__(
        self, orders: Mapping[str, Order], audit: Callable[[str, str, str, str], None] = lambda *entry: None
    ) -> None:
        self._orders = orders
        self._audit = audit

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        return _Control(self)

    async def answer(self, question: bytes, who: str = HERE, rights: Collection[str] = ("all",)) -> Answer:
        """What one line gets.

        :param rights: what its operator may order: of `RIGHTS`
        """
        named: Answer = {}
        try:
            asked = Question.read(question)
            named = asked.name()
            order = asked.text("do")
            carry_out = self._orders.get(order)
            if carry_out is None:
                raise Refusal(f"There is no order {order!r}{near(order, self._orders) or '.'}")
            if order in _HERE_ALONE and who != HERE:
                raise Refusal(f"That is ordered on the server's own machine: mythosctl {order}.")
            right = next((right for right, orders in RIGHTS.items() if order in orders), "all")
            changes = order not in LOOKS and not asked.flag("dry_run")
            if right not in rights and "all" not in rights:
                self._audit(who, order, asked.about(), "not allowed")
                raise Refusal(f"That needs the right {right!r}; this token has: {', '.join(rights)}.")
            if changes:
                self._audit(who, order, asked.about(), "ordered")
            answer = await carry_out(asked)
            if changes:
                _log.info("an operator ordered: {order} {what}", order=order, what=asked.about())
            return {"ok": True, **answer, **named}
        except MythosError as error:
            return {"ok": False, "error": str(error), **named}
        except Exception:
            _log.failure("an order over the control socket broke")
            return {"ok": False, "error": "Something broke in the server; its log says what.", **named}


class ServerOrders:
    """What every server does.

    :param ports: name of a listener -> its port
    :param stop: closes the server after some seconds, for a reason that is told
    :param reload_config: reads the configuration again; True: only says what would change
    :param counted: what it shows to Prometheus
    :param tail: the last lines of its log; None: they are not kept
    """

    def __init__(
        self,
        health: Health,
        *,
        ports: Callable[[], Mapping[str, int]],
        stop: Callable[[float, str], None],
        reload_config: Callable[[bool], str],
        counted: Counted,
        tail: Tail | None,
    ) -> None:
        self._health = health
        self._ports = ports
        self._stop = stop
        self._reload_config = reload_config
        self._counted = counted
        self._tail = tail

    @property
    def orders(self) -> dict[str, Order]:
        return {
            "status": self._status,
            "metrics": self._metrics,
            "logs": self._logs,
            "memory": self._memory,
            "reload": self._reload,
            "shutdown": self._shutdown,
        }

    async def _status(self, asked: Question) -> Answer:
        await self._health.look()
        return {**self._health.detailed(), "ports": dict(self._ports())}

    async def _metrics(self, asked: Question) -> Answer:
        """``text``: all numbers in Prometheus' format."""
        return {"text": self._counted.text().decode()}

    async def _logs(self, asked: Question) -> Answer:
        """The last ``most`` lines after number ``since`` that hold ``words``, in any case."""
        if self._tail is None:
            raise Refusal("This server keeps no lines of its log: read where it writes them.")
        most = asked.number("most", 50)
        if not 0 <= most <= KEPT:
            raise Refusal(f"Of the log, 0 to {KEPT} lines are kept.")
        words = asked.text("words", "").casefold()
        lines, last, left_out = self._tail.since(int(asked.number("since", 0)))
        found = [text for text in lines if words in text.casefold()]
        found = found[len(found) - min(int(most), len(found)) :]
        size = sum(map(len, found))
        while size > _LINES:
            size -= len(found.pop(0))
        return {"lines": found, "last": last, "left_out": left_out}

    async def _memory(self, asked: Question) -> Answer:
        return {**census.process(), **({"types": census.types(_TYPES)} if asked.flag("types") else {})}

    @property
    def reloads(self) -> dict[str, Callable[[bool], str]]:
        """What can be loaded again; each takes whether that is only to be tried, and returns a sentence."""
        return {"config": self._reload_config}

    async def _reload(self, asked: Question) -> Answer:
        what = asked.text("what", "world")
        reload = self.reloads.get(what)
        if reload is None:
            raise Refusal(f"There is no {what!r} to load again here. There is: {', '.join(self.reloads)}.")
        return {"message": reload(asked.flag("dry_run"))}

    async def _shutdown(self, asked: Question) -> Answer:
        seconds = asked.number("seconds", 0.0)
        if not 0.0 <= seconds <= _LATEST:
            raise Refusal(f"A shutdown is 0 to {_LATEST:.0f} seconds off.")
        if not asked.flag("dry_run"):
            self._stop(seconds, asked.text("reason", ""))
        return {"seconds": seconds, "connections": self._health.connections()}


class Question:
    """The members of one question, each with what is wrong with it."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        self._members = members

    @classmethod
    def read(cls, text: bytes) -> Question:
        """:raises Refusal: it is not a JSON object"""
        try:
            members = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Refusal(f"That is not JSON: {error}.") from error
        if not isinstance(members, dict):
            raise Refusal('A question is a JSON object: {"do": "status"}.')
        return cls(members)

    def name(self) -> Answer:
        """The question's own ``id``, a number or a short text, as it goes into the answer."""
        value = self._members.get("id")
        if value is None:
            return {}
        if isinstance(value, str) and len(value) <= _ID and value.isprintable():
            return {"id": value}
        if isinstance(value, int) and abs(value) <= 2**53:
            return {"id": value}
        raise Refusal(f"The member 'id' is a number, or a text of up to {_ID} letters.")

    def about(self) -> str:
        """Whom or what it is about, for the log."""
        known = [str(self._members[name]) for name in _ABOUT if name in self._members]
        return " ".join(known)[:_ABOUT_MOST]

    def text(self, name: str, default: str | None = None) -> str:
        """One line of words, without control characters."""
        value = self._members.get(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise Refusal(f"The member {name!r} is missing: a text.")
        if not value.isprintable():
            raise Refusal(f"The member {name!r} holds control characters.")
        return value

    def number(self, name: str, default: float) -> float:
        value = self._members.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 2**53:
            raise Refusal(f"The member {name!r} is a number.")
        return float(value)

    def flag(self, name: str) -> bool:
        value = self._members.get(name, False)
        if not isinstance(value, bool):
            raise Refusal(f"The member {name!r} is true or false.")
        return value
