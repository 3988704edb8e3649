"""What is done beside the game: jobs, the breakers of what is outside, and who is told what happens."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import implementer

from mythos import __version__
from mythos.app.files import StartError
from mythos.app.sanctions import Kept
from mythos.config import Config
from mythos.flow.breaker import Breakers, State
from mythos.flow.jobs import LOOK
from mythos.net.control import Order
from mythos.net.i3.link import RouterLink
from mythos.net.joborders import JobOrders
from mythos.net.jobs import Jobs, Lanes
from mythos.net.webhooks import EVENTS, Hooks, Webhooks
from mythos.play.ports import Clock
from mythos.store.postgres.store import PostgresStore
from mythos.telemetry.health import Health
from mythos.telemetry.logs import redact

__all__ = ["Work", "hooks"]

#: Letters that a secret of webhooks has at least.
_LEAST: Final = 24
_ALERT: Final = "ALERT "
#: What the circuit of a link to routers is, as a breaker.
_CIRCUIT: Final = {"closed": State.CLOSED, "half-open": State.HALF_OPEN, "open": State.OPEN}


def hooks(config: Config) -> Hooks:
    """What the configuration says of webhooks. :raises StartError: it makes no sense"""
    given = config.webhooks
    made = Hooks(given.url, given.events, given.secret, given.allow_private)
    if not made.urls:
        return made
    if len(made.secret) < _LEAST:
        raise StartError(f"webhooks.secret signs what webhooks are sent: set one of at least {_LEAST} letters.")
    for event in made.events:
        if event not in EVENTS:
            raise StartError(f"webhooks.events names {event}, which is no event. There are: {', '.join(EVENTS)}.")
    if not made.allow_private and any(url.startswith("http:") for url in made.urls):
        raise StartError("webhooks.url has an address without TLS: use https, or set webhooks.allow_private.")
    return made


@implementer(ILogObserver)
class _Alerts:
    """Hears what is logged, in whatever thread, and passes the alerts on."""

    def __init__(self, heard: Callable[[str], object]) -> None:
        self._heard = heard

    def __call__(self, event: LogEvent) -> None:
        if str(event.get("log_format") or "").startswith(_ALERT):
            self._heard(redact(formatEvent(event)).removeprefix(_ALERT))


class Work:
    """See the module.

    :param store: keeps jobs; if it is PostgreSQL, its breaker is among the others
    :param links: to the routers of Intermud-3, by the MUDs whose they are
    :ivar jobs: see :class:`~mythos.net.jobs.Jobs`
    :ivar periodic: (seconds, what is to be done so often)
    """

    def __init__(
        self,
        config: Config,
        reactor: Any,
        clock: Clock,
        store: Any,
        links: Callable[[], Iterable[tuple[str, RouterLink]]],
    ) -> None:
        given = config.jobs
        self._clock = clock
        self._links = links
        self.breakers = Breakers(config.breaker.failures, config.breaker.open_for)
        if isinstance(store, PostgresStore):
            store.accounts.breaker = self.breakers.of("postgresql")
        lanes = Lanes(given.queue, given.min_lanes, given.max_lanes, given.scale_threshold, given.timeout)
        self.jobs = Jobs(store, reactor, clock, random.random, lanes)
        try:
            self.webhooks = Webhooks(hooks(config), self.jobs, self.breakers, reactor, clock)
        except ValueError as error:
            raise StartError(f"webhooks.secret is no good: {error}.") from error
        self._alerts = _Alerts(lambda said: reactor.callFromThread(self.webhooks.tell, "alert", {"message": said}))
        self.periodic = ((LOOK, self.jobs.look),)

    async def start(self, ports: Mapping[str, int]) -> None:
        """Take up what was left, and tell that the server is there."""
        globalLogPublisher.addObserver(self._alerts)
        await self.jobs.start()
        self.webhooks.tell("server.started", {"version": __version__, "ports": dict(ports)})

    async def stop(self) -> None:
        """Tell that it ends, and wait a moment for what is under way."""
        self.webhooks.tell("server.stopping", {"version": __version__})
        await self.jobs.stop()
        globalLogPublisher.removeObserver(self._alerts)

    # ── what is told ────────────────────────────────────────────────────────────────────────────

    def store_down(self, down: bool) -> None:
        self.webhooks.tell("store.lost" if down else "store.back", {})

    def sanctioned(self, added: Iterable[Kept], lifted: Iterable[Kept]) -> None:
        for one in added:
            about = {"kind": one["kind"], "what": one["shown"], "reason": one["reason"], "by": one["by"]}
            self.webhooks.tell("sanction.added", {**about, "until": one["until"] or None})
        for one in lifted:
            self.webhooks.tell("sanction.lifted", {"kind": one["kind"], "what": one["shown"]})

    def ordered(self, who: str, order: str, about: str, outcome: str) -> None:
        """As :meth:`mythos.net.operators.Audit.write`."""
        if outcome == "ordered":
            self.webhooks.tell("operator.ordered", {"order": order, "about": about, "who": who})

    # ── how it is ───────────────────────────────────────────────────────────────────────────────

    def states(self) -> Mapping[str, State]:
        """Of every breaker, the circuits of links to routers among them, which keep their own pace."""
        circuits = {f"router:{mud}": _CIRCUIT[link.state] for mud, link in self._links()}
        return {**self.breakers.states(self._clock.seconds()), **circuits}

    def _reset(self, name: str) -> None:
        """:raises KeyError: there is none of this name"""
        for mud, link in self._links():
            if name == f"router:{mud}":
                if not link.up:
                    link.reconnect()
                return
        self.breakers.reset(name)

    def checks(self, health: Health) -> None:
        """Have health look at them."""
        health.warns["jobs"], health.details["jobs"] = self.jobs.trouble, self.jobs.detail
        health.warns["breakers"] = self._open

    def _open(self) -> str:
        found = [name for name, state in self.breakers.states(self._clock.seconds()).items() if state is State.OPEN]
        return f"Left alone for a while, as they failed again and again: {', '.join(found)}." if found else ""

    @property
    def orders(self) -> dict[str, Order]:
        return JobOrders(self.jobs, self.states, self._reset).orders
