"""What is seen of a house from outside: how its parts are, and what they count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from mythos.app.backups import Backups
from mythos.app.parts import Parts, Watcher
from mythos.app.watching import Watching
from mythos.config import Config
from mythos.net.api import Api
from mythos.net.certificate import Certificate
from mythos.net.doorman import Doorman
from mythos.net.outlet import short
from mythos.play.ports import Connection
from mythos.play.sessions import Session, Standing
from mythos.store.postgres.store import PostgresStore
from mythos.telemetry.health import Health, Probe
from mythos.telemetry.logs import Observer
from mythos.telemetry.metrics import Metrics, Numbers
from mythos.telemetry.process import Cpu
from mythos.telemetry.scale import scale
from mythos.telemetry.stall import BEAT

__all__ = ["Vitals"]

#: Ticks that may be left out, and the least seconds of it, before the world counts as standing still.
_MISSED = 5, 10.0
#: Seconds before its end at which a certificate is spoken of.
_RENEW = 14 * 86_400.0


class Vitals:
    """See the module.

    :param seal: called with True when the disk of the store is full, with False when there is room again
    :ivar jobs: (seconds, what is to be done so often)
    """

    def __init__(
        self,
        config: Config,
        reactor: Any,
        health: Health,
        parts: Parts,
        api: Api,
        doorman: Doorman,
        watcher: Watcher,
        observer: Observer | None,
        seal: Callable[[bool], None],
    ) -> None:
        self._config = config
        self._reactor = reactor
        self._health = health
        self._parts = parts
        self._doorman = doorman
        self._watcher = watcher
        self._observer = observer
        self._certificate: Certificate | None = None
        self._seconds = parts.realm.clock.seconds
        self._due = self._ticked = self._seconds()
        self._cpu = Cpu(self._seconds)
        self.watching = Watching(config, parts, seal)
        self._backups = Backups(config, reactor, parts.realm.clock)
        self.metrics = Metrics(self._count)
        if config.log.correlation and observer is not None:
            observer.context = self._context
        parts.lane.seconds = self.metrics.commit.observe
        api.scale = lambda: scale(self._count(), doorman.most)
        if config.metrics.latency:
            watcher.turn = self.metrics.turn
            parts.outlet.waits = self.metrics.delivery.observe
            parts.outlet.established = self.metrics.established
            api.observe = self.metrics.request
        self.jobs: tuple[tuple[float, Callable[[], object]], ...] = (
            (BEAT, self._lag),
            (1.0, self._cpu.sample),
            (config.health.interval, health.look),
            *self.watching.jobs,
            *self._backups.jobs,
            *parts.work.periodic,
        )

    def start(self) -> None:
        """Watch, from the reactor's thread."""
        self._due = self._ticked = self._seconds()
        self.watching.first()
        self.watching.stall.startService()
        self._backups.start()

    def stop(self) -> None:
        self.watching.stall.stopService()
        self._backups.stop()

    # ── how the parts are ───────────────────────────────────────────────────────────────────────

    def checks(self, recovering: Callable[[], bool]) -> None:
        """Have health look at every part there is.

        :param recovering: the world is being loaded again
        """
        health, parts = self._health, self._parts
        health.checks["database"] = lambda: parts.realm.world.sealed or parts.store.trouble()
        health.probes["database"] = Probe(parts.store.any_keeper, self._reactor, self._config.health.timeout)
        health.checks["world"] = lambda: "It is loaded again from the store." if recovering() else self._stands()
        if parts.network is not None:
            health.warns["routers"] = self._routers
        parts.work.checks(health)
        parts.sharing.watch(health)
        watching = self.watching
        health.warns["reactor"] = watching.stalled
        health.warns["disk"], health.checks["disk"] = watching.disk_low, watching.disk_out
        health.details["disk"] = watching.disk_detail
        if self._config.backup.every:
            health.warns["backup"], health.details["backup"] = self._backups.trouble, self._backups.detail
        if self._config.memory.monitor:
            health.warns["memory"], health.checks["memory"] = watching.memory_low, watching.memory_out
            health.details["memory"] = watching.memory_detail

    def certificate(self, certificate: Certificate) -> None:
        """Look at it too."""
        self._certificate = certificate
        self._health.warns["certificate"] = lambda: _ends(certificate.ends - self._health.wall())

    def _stands(self) -> str:
        late = self._seconds() - self._ticked
        missed, least = _MISSED
        if self._health.state or late < max(least, missed * self._config.world.tick):
            return ""
        return f"It has not moved for {late:.0f} s."

    def _routers(self) -> str:
        assert self._parts.network is not None
        out = [link.mud for link in self._parts.network.numbers() if not link.up]
        return f"No router has let in: {', '.join(out)}." if out else ""

    def _context(self) -> dict[str, str]:
        """What the log tells with each line: the command that runs, and whose it is."""
        turn = self._parts.realm.turn
        return {} if turn is None else {"request_id": turn[0], "session": short(turn[1])}

    # ── what is told of time ────────────────────────────────────────────────────────────────────

    def ticked(self, started: float, ended: float) -> None:
        """The world has moved."""
        self._ticked = ended
        self.metrics.tick.observe(ended - started)

    def _lag(self) -> None:
        now = self._seconds()
        late = max(0.0, now - self._due)
        self.metrics.lag.observe(late)
        self.watching.stall.beat(late)
        self._due = now + BEAT

    # ── what the parts count ────────────────────────────────────────────────────────────────────

    def _count(self) -> Numbers:
        parts = self._parts
        outlet, realm = parts.outlet, parts.realm
        links = Counter(link.kind for link in outlet.links)
        postgres = parts.store if isinstance(parts.store, PostgresStore) else None
        pool = 2 if postgres else 1
        here = tuple(realm.sessions())
        zones: dict[str, int] = dict.fromkeys(realm.world.atlas.zones, 0)
        rooms = realm.world.atlas.rooms
        for room, count in Counter(session.me.room for session in here).items():
            zones[rooms[room].zone] += count
        by_type = Counter(_type(session.connections) for session in here if session.connections)
        states = Counter(_state(session) for session in realm.every_session())
        return Numbers(
            connections={door: links[door] for door in outlet.delivered},
            opened=outlet.opened,
            closed=outlet.closed,
            refused=self._doorman.refused,
            healthy=sum(not link.shut for link in outlet.links),
            by_type={kind: by_type[kind] for kind in ("websocket", "sse", "dual", "telnet")},
            sessions={state: states[state] for state in ("waiting", "present", "linkdead", "away")},
            present=len(here),
            zones=zones,
            queued=realm.queued,
            held=parts.commits.held,
            delivered=outlet.delivered,
            lost=outlet.lost,
            compressed={"mccp": parts.telnet.units.sizes(), "permessage_deflate": parts.sockets.units.sizes()},
            errors=self._observer.errors if self._observer else 0,
            faults=self._watcher.faults,
            jobs=parts.work.jobs.numbers(),
            breakers=parts.work.states(),
            i3=parts.network.numbers() if parts.network is not None else (),
            database=(pool, min(pool, int(parts.commits.pending))),
            outcomes=postgres.outcomes if postgres else {},
            checks={name: status for name, (status, _) in self._health.parts().items()},
            ready=not self._health.not_ready(),
            backup=self._backups.verified,
            backup_failures=self._backups.failures,
            certificate=self._certificate.ends if self._certificate else None,
            cpu=self._cpu.percent,
            memory=self.watching.memory,
            memory_step=self.watching.step,
            disk=(disk.free, disk.size) if (disk := self.watching.disk) else None,
            stalls=(self.watching.stall.count, self.watching.stall.total),
            shared=parts.sharing.numbers(),
        )


def _state(session: Session) -> str:
    standing = session.standing
    if standing is Standing.PRESENT and not session.connections:
        return "linkdead"
    return standing.value


def _type(connections: Sequence[Connection]) -> str:
    if len(connections) == 1:
        return connections[0].kind
    doors = {connection.kind for connection in connections}
    if {"websocket", "sse"} <= doors:
        return "dual"
    return "websocket" if "websocket" in doors else "sse" if "sse" in doors else "telnet"


def _ends(seconds: float) -> str:
    """:param seconds: until the certificate ends"""
    if seconds > _RENEW:
        return ""
    return f"It ends in {seconds / 86_400:.0f} days." if seconds > 0 else "It has ended: clients refuse it."
