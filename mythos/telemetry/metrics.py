"""All numbers the server shows to Prometheus, by name, in one place; :mod:`.aliases` has those of other systems.

What is counted on a hot path is a plain integer or list there; it is read only when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from mythos import __version__
from mythos.flow.kept import Space
from mythos.telemetry import aliases
from mythos.telemetry.families import counter, gauge, one, single
from mythos.telemetry.health import DEGRADED, DOWN, OK
from mythos.telemetry.histogram import BOUNDS, Histogram, family, labelled

__all__ = ["I3Numbers", "JobsNumbers", "LinkMetrics", "Metrics", "Numbers", "RedisNumbers", "SharedNumbers"]

_COMMANDS = "mythos_command_seconds", "From the turn's start to its end"


@dataclass(frozen=True, slots=True)
class I3Numbers:
    """A MUD's link to a router. ``circuit``: closed, half-open or open; ``packets``: by what became of them."""

    mud: str
    up: bool
    circuit: str
    queued: int
    muds: int
    packets: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class JobsNumbers:
    """What the jobs service counts.

    :ivar states: by state (queued, running, delayed) and priority
    :ivar done: by kind; so are ``failed`` (tries), ``retried``, ``dead`` (jobs given up) and ``seconds`` (of a try)
    """

    states: Mapping[tuple[str, str], int]
    lanes: int
    utilisation: float
    done: Mapping[str, int]
    failed: Mapping[str, int]
    retried: Mapping[str, int]
    dead: Mapping[str, int]
    seconds: Mapping[tuple[str, ...], Histogram]

    @property
    def waiting(self) -> int:
        """Those for which no lane is free."""
        return sum(count for (state, _), count in self.states.items() if state == "queued")


@dataclass(frozen=True, slots=True)
class RedisNumbers:
    """A Redis by what it is for. ``commands``: by what became of them; ``seconds``: of those that were answered."""

    name: str
    up: bool
    connections: int
    commands: Mapping[str, int]
    seconds: Histogram


@dataclass(frozen=True, slots=True)
class SharedNumbers:
    """What servers share, and what is cached.

    :ivar cache: by namespace; ``cache_room``: bytes it may take
    :ivar limited: by limit, how often it was too much, and how often the other servers could not be asked
    """

    redis: Sequence[RedisNumbers] = ()
    cache: Mapping[str, Space] = field(default_factory=dict)
    cache_room: int = 0
    limited: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Numbers:
    """What the parts of a server count, as of now.

    :ivar connections: by door; so are ``opened`` and ``delivered``, since the start
    :ivar closed: by door and reason
    :ivar refused: connections that were not let in
    :ivar healthy: connections that keep up with what they are sent
    :ivar by_type: players by websocket, sse, dual (both of these) or telnet alone
    :ivar sessions: by what their bodies do
    :ivar present: characters that stand in the world; ``zones``: by zone
    :ivar queued: sessions with commands that wait; ``held``: words that wait for the disk
    :ivar lost: messages that readers who were too slow never got
    :ivar breakers: by name: 0 closed, 1 half open, 2 open
    :ivar database: connections to it, and how many of them are busy
    :ivar outcomes: of commits that got no answer: how many were written, how many had to be repeated
    :ivar checks: part of the server -> ok, degraded or down
    :ivar backup: unix second and bytes of the last one that was verified
    :ivar certificate: unix second at which it ends
    :ivar cpu: percent of one processor; ``memory``: bytes in use, and bytes allowed; ``memory_step``: marks it passed
    :ivar disk: bytes free, and of all, where the store is; ``stalls``: how many, and their seconds
    """

    connections: Mapping[str, int] = field(default_factory=dict)
    opened: Mapping[str, int] = field(default_factory=dict)
    closed: Mapping[tuple[str, str], int] = field(default_factory=dict)
    refused: int = 0
    healthy: int = 0
    by_type: Mapping[str, int] = field(default_factory=dict)
    sessions: Mapping[str, int] = field(default_factory=dict)
    present: int = 0
    zones: Mapping[str, int] = field(default_factory=dict)
    queued: int = 0
    held: int = 0
    delivered: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    compressed: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    errors: int = 0
    faults: int = 0
    jobs: JobsNumbers | None = None
    breakers: Mapping[str, int] = field(default_factory=dict)
    i3: Sequence[I3Numbers] = ()
    database: tuple[int, int] = (0, 0)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
    ready: bool = False
    certificate: float | None = None
    backup: tuple[float, int] | None = None
    backup_failures: int = 0
    cpu: float = 0.0
    memory: tuple[int, int] = (0, 0)
    memory_step: int = 0
    disk: tuple[int, int] | None = None
    stalls: tuple[int, float] = (0, 0.0)
    shared: SharedNumbers = field(default_factory=SharedNumbers)


class Metrics(Collector):
    """Implements ``Observer.turn`` of :mod:`mythos.play.ports`, and collects the rest."""

    def __init__(self, numbers: Callable[[], Numbers]) -> None:
        self._numbers = numbers
        self._commands: dict[str, Histogram] = {}
        self.commit = Histogram()
        self.lag = Histogram()
        self.tick = Histogram()
        self.delivery = Histogram()
        self._established: dict[tuple[str, ...], Histogram] = {}
        self._requests: dict[tuple[str, ...], Histogram] = {}
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def turn(self, verb: str, seconds: float) -> None:
        histogram = self._commands.get(verb)
        if histogram is None:
            histogram = self._commands[verb] = Histogram()
        histogram.counts[bisect_left(BOUNDS, seconds)] += 1  # as observe, without the call
        histogram.total += seconds

    def established(self, door: str, seconds: float) -> None:
        """A connection was let into its session."""
        self._established.setdefault((door,), Histogram()).observe(seconds)

    def request(self, method: str, endpoint: str, seconds: float) -> None:
        """A request to the API was answered. The endpoint is one of those there are, not what anybody asked for."""
        self._requests.setdefault((method, endpoint), Histogram()).observe(seconds)

    # ── what is asked for ───────────────────────────────────────────────────────────────────────

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry) + labelled(*_COMMANDS, "command", self._commands.items()).encode()

    def summary(self) -> dict[str, Any]:
        """As JSON: what dashboards for games ask for, and all the rest by the names Prometheus has for it."""
        numbers = self._numbers()
        size, busy = numbers.database
        commands = {verb: _summed(histogram) for verb, histogram in self._commands.items()}
        return {
            "active_connections": sum(numbers.connections.values()),
            "active_sessions": sum(numbers.sessions.values()),
            "players": numbers.present,
            "cache_hit_rate": _hit_rate(numbers.shared.cache),
            "database": {"pool_size": size, "active": busy, "available": size - busy},
            "metrics": {**_plain(self._registry), _COMMANDS[0]: commands},
        }

    def collect(self) -> Iterator[Metric]:
        numbers = self._numbers()
        yield gauge("mythos_build_info", "1: the version that runs", "version", {__version__: 1})
        yield one("mythos_ready", "1: it takes players", numbers.ready)
        yield _checks(numbers.checks)
        yield from _people(numbers)
        yield single("mythos_errors", "Errors logged", numbers.errors)
        yield single("mythos_faults", "Commands and ticks that broke", numbers.faults)
        yield gauge("mythos_breaker_state", "0: closed, 1: half open, 2: open", "name", numbers.breakers)
        if numbers.jobs is not None:
            yield from _jobs(numbers.jobs)
        yield from _i3(numbers.i3)
        yield from _machine(numbers)
        yield from _shared(numbers.shared)
        yield from _safety(numbers)
        yield from self._times()
        yield from aliases.collect(numbers)

    def _times(self) -> Iterator[Metric]:
        for name, text, histogram in (
            ("mythos_commit_seconds", "A batch on its way to the disk", self.commit),
            ("mythos_tick_seconds", "A tick of all zones", self.tick),
            ("mythos_reactor_lag_seconds", "How late the reactor came back to its clock", self.lag),
            ("mythos_message_delivery_seconds", "How long the oldest message waits, looked at once a second",
             self.delivery),
        ):  # fmt: skip
            yield family(name, text, (), {(): histogram})
        yield family(
            "mythos_connection_establishment_seconds",
            "From a good token or login to the session's first words",
            ("type",),
            self._established,
        )
        yield family("mythos_request_duration_seconds", "Requests to the API", ("method", "endpoint"), self._requests)


class LinkMetrics(Collector):
    """The numbers of a server that has no world."""

    def __init__(
        self,
        links: Callable[[], Sequence[I3Numbers]],
        memory: Callable[[], int],
        shared: Callable[[], SharedNumbers],
    ) -> None:
        self._shared = shared
        self._links = links
        self._memory = memory
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        GCCollector(registry=self._registry)

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)

    def summary(self) -> dict[str, Any]:
        """As JSON."""
        return {"metrics": _plain(self._registry)}

    def collect(self) -> Iterator[Metric]:
        yield gauge("mythos_build_info", "1: the version that runs", "version", {__version__: 1})
        yield one("mythos_memory_usage_bytes", "Memory in use", self._memory())
        yield from _i3(self._links())
        yield from _shared(self._shared())


def _people(numbers: Numbers) -> Iterator[Metric]:
    """Connections, who plays, and the words on their way to them."""
    yield gauge("mythos_connections", "Open connections", "door", numbers.connections)
    yield counter("mythos_connections_opened", "Connections let into their sessions", "door", numbers.opened)
    closed = CounterMetricFamily(
        "mythos_connections_closed", "Connections that ended, and why", labels=["door", "reason"]
    )
    for (door, reason), count in numbers.closed.items():
        closed.add_metric([door, reason], count)
    yield closed
    yield gauge("mythos_sessions", "Sessions, by what their bodies do", "state", numbers.sessions)
    yield one("mythos_players", "Characters that stand in the world", numbers.present)
    yield gauge("mythos_zone_players", "The same by zone", "zone", numbers.zones)
    yield one("mythos_command_queue", "Sessions with commands that wait", numbers.queued)
    yield one("mythos_release_queue", "Words that wait for the disk", numbers.held)
    yield counter("mythos_messages_delivered", "Messages handed to connections", "door", numbers.delivered)
    yield single("mythos_lines_lost", "Messages that readers who were too slow never got", numbers.lost)
    for way, sizes in numbers.compressed.items():
        yield counter(f"mythos_{way}_bytes", "Bytes sent compressed, before and after", "size", sizes)


def _machine(numbers: Numbers) -> Iterator[Metric]:
    """Database, memory, disk, and how the process gets on."""
    size, busy = numbers.database
    pool = {"busy": busy, "idle": size - busy}
    yield gauge("mythos_database_connections", "Connections to the database", "state", pool)
    said = "Commits that got no answer, by what had become of them"
    yield counter("mythos_commits_unanswered", said, "outcome", numbers.outcomes)
    used, allowed = numbers.memory
    yield one("mythos_memory_usage_bytes", "Memory in use", used)
    yield one("mythos_memory_limit_bytes", "Memory it may have", allowed)
    yield one("mythos_memory_step", "Marks that memory has passed, of three", numbers.memory_step)
    if numbers.disk is not None:
        free, size = numbers.disk
        yield one("mythos_disk_free_bytes", "What may still be written where the store is", free)
        yield one("mythos_disk_size_bytes", "All there is of it", size)
    count, seconds = numbers.stalls
    yield single("mythos_reactor_stalls", "Times the server stood still for half a second or more", count)
    yield single("mythos_reactor_stall_seconds", "For how long in all", seconds)


def _safety(numbers: Numbers) -> Iterator[Metric]:
    """Backups and the certificate."""
    yield single("mythos_backup_failures", "Backups that were not made, or are not sound", numbers.backup_failures)
    if numbers.backup is not None:
        made, size = numbers.backup
        yield one("mythos_backup_verified_seconds", "Unix time of the last backup that was verified", made)
        yield one("mythos_backup_size_bytes", "How large it is", size)
    if numbers.certificate is not None:
        yield one("mythos_certificate_end_seconds", "Unix time at which the certificate ends", numbers.certificate)


def _i3(links: Sequence[I3Numbers]) -> Iterator[Metric]:
    if not links:
        return
    yield gauge("mythos_i3_up", "A router has let it in", "mud", {one.mud: int(one.up) for one in links})
    yield gauge("mythos_i3_queue", "Packets that wait for their turn", "mud", {one.mud: one.queued for one in links})
    yield gauge("mythos_i3_muds", "MUDs that are up", "mud", {one.mud: one.muds for one in links})
    circuit = GaugeMetricFamily("mythos_i3_circuit", "1: what the circuit to routers is", labels=["mud", "state"])
    packets = CounterMetricFamily("mythos_i3_packets", "Packets by what became of them", labels=["mud", "what"])
    for link in links:
        for state in ("closed", "half-open", "open"):
            circuit.add_metric([link.mud, state], float(link.circuit == state))
        for what, count in link.packets.items():
            packets.add_metric([link.mud, what], count)
    yield circuit
    yield packets


def _jobs(numbers: JobsNumbers) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "mythos_jobs", "Jobs that wait, run, or are to be tried again", labels=["state", "priority"]
    )
    for labels, count in numbers.states.items():
        states.add_metric(labels, count)
    yield states
    yield one("mythos_job_lanes", "Jobs that may run at once", numbers.lanes)
    yield one("mythos_job_utilisation", "Share of the lanes in use, over ten seconds", numbers.utilisation)
    yield counter("mythos_jobs_done", "Jobs that were done", "kind", numbers.done)
    yield counter("mythos_jobs_failed", "Tries that failed", "kind", numbers.failed)
    yield counter("mythos_jobs_retried", "Tries after one that failed", "kind", numbers.retried)
    yield counter("mythos_jobs_dead", "Jobs that were given up", "kind", numbers.dead)
    yield family("mythos_job_seconds", "A try, from its start to its end", ("kind",), numbers.seconds)


def _shared(numbers: SharedNumbers) -> Iterator[Metric]:
    yield from _redis(numbers.redis)
    yield from _cache(numbers)
    yield from _limited(numbers.limited)


def _redis(found: Sequence[RedisNumbers]) -> Iterator[Metric]:
    if not found:
        return
    yield gauge("mythos_redis_up", "1: it answers", "redis", {one.name: int(one.up) for one in found})
    yield gauge("mythos_redis_connections", "Open ones", "redis", {one.name: one.connections for one in found})
    commands = CounterMetricFamily(
        "mythos_redis_commands", "Commands by what became of them", labels=["redis", "outcome"]
    )
    for redis in found:
        for outcome, count in redis.commands.items():
            commands.add_metric([redis.name, outcome], count)
    yield commands
    seconds: dict[tuple[str, ...], Histogram] = {(one.name,): one.seconds for one in found}
    yield family("mythos_redis_seconds", "How long its answers took", ("redis",), seconds)


def _cache(numbers: SharedNumbers) -> Iterator[Metric]:
    spaces = numbers.cache
    for what, text in (
        ("hits", "Found in the cache"),
        ("misses", "Looked for in it and not found"),
        ("evicted", "Thrown out of it for want of room"),
        ("expired", "Too old"),
    ):
        counts = {name: getattr(space, what) for name, space in spaces.items()}
        yield counter(f"mythos_cache_{what}", text, "namespace", counts)
    yield gauge("mythos_cache_bytes", "Bytes it takes", "namespace", {name: one.bytes for name, one in spaces.items()})
    yield gauge("mythos_cache_entries", "Entries", "namespace", {name: one.entries for name, one in spaces.items()})
    yield one("mythos_cache_room_bytes", "Bytes it may take", numbers.cache_room)
    yield one("mythos_cache_hit_rate", "Of all that was looked for, what was there: 0 to 1", _hit_rate(spaces))


def _hit_rate(spaces: Mapping[str, Space]) -> float:
    hits, asked = sum(one.hits for one in spaces.values()), sum(one.hits + one.misses for one in spaces.values())
    return hits / asked if asked else 1.0


def _limited(found: Mapping[str, tuple[int, int]]) -> Iterator[Metric]:
    yield counter("mythos_rate_limited", "What was too much, by limit", "limit", {k: v[0] for k, v in found.items()})
    yield counter(
        "mythos_limits_alone",
        "Asked of this server alone, as Redis was away",
        "limit",
        {k: v[1] for k, v in found.items()},
    )


def _checks(found: Mapping[str, str]) -> Metric:
    checks = GaugeMetricFamily("mythos_check", "1: what a part of the server is", labels=["check", "status"])
    for name, status in found.items():
        for each in (OK, DEGRADED, DOWN):
            checks.add_metric([name, each], float(status == each))
    return checks


def _summed(histogram: Histogram) -> dict[str, float]:
    return {"count": sum(histogram.counts), "sum": histogram.total}


def _plain(registry: CollectorRegistry) -> dict[str, Any]:
    """Every sample but buckets, by its name; a list of them where there are labels."""
    found: dict[str, Any] = {}
    for metric in registry.collect():
        for sample in metric.samples:
            if sample.name.endswith("_bucket"):
                continue
            if sample.labels:
                found.setdefault(sample.name, []).append({**sample.labels, "value": sample.value})
            else:
                found[sample.name] = sample.value
    return found
