"""All numbers the server shows to Prometheus, by name, in one place.

What is counted on a hot path is a plain integer or list there; it is read only when somebody asks.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

__all__ = ["Histogram", "I3Numbers", "LinkMetrics", "Metrics", "Sources"]

#: Upper bounds in seconds.
_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Histogram:
    """Seconds, counted into buckets; an observation is one bisection and two additions."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """(upper bound, how many are at or below it), as Prometheus wants it."""
        found, count = [], 0
        for bound, number in zip([*map(str, _BOUNDS), "+Inf"], self.counts, strict=True):
            count += number
            found.append((bound, float(count)))
        return found


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
class Sources:
    """Where numbers are read from when they are asked for."""

    connections: Callable[[], Mapping[str, int]]
    sessions: Callable[[], int]
    present: Callable[[], int]
    queued: Callable[[], int]
    held: Callable[[], int]
    delivered: Callable[[], Mapping[str, int]]
    compressed: Callable[[], Mapping[str, Mapping[str, int]]]
    errors: Callable[[], int]
    faults: Callable[[], int]
    i3: Callable[[], Sequence[I3Numbers]]


class Metrics(Collector):
    """Implements ``Observer.turn`` of :mod:`mythos.play.ports`, and collects the rest."""

    def __init__(self, registry: CollectorRegistry, sources: Sources) -> None:
        self._sources = sources
        self._commands: dict[str, Histogram] = {}
        self.commit = Histogram()
        self.lag = Histogram()
        self.tick = Histogram()
        registry.register(self)
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

    def turn(self, verb: str, seconds: float) -> None:
        histogram = self._commands.get(verb)
        if histogram is None:
            histogram = self._commands[verb] = Histogram()
        histogram.counts[bisect_left(_BOUNDS, seconds)] += 1  # as observe, without the call
        histogram.total += seconds

    def collect(self) -> Iterator[Metric]:
        sources = self._sources
        yield _gauge("mythos_connections", "Open connections", "door", sources.connections())
        yield _one(GaugeMetricFamily, "mythos_sessions", "Sessions, with and without connections", sources.sessions())
        yield _one(GaugeMetricFamily, "mythos_players", "Characters that stand in the world", sources.present())
        yield _one(GaugeMetricFamily, "mythos_command_queue", "Sessions with commands that wait", sources.queued())
        yield _one(GaugeMetricFamily, "mythos_release_queue", "Words that wait for the disk", sources.held())
        delivered = CounterMetricFamily("mythos_messages_delivered", "Messages handed to connections", labels=["door"])
        for door, count in sources.delivered().items():
            delivered.add_metric([door], count)
        yield delivered
        for way, sizes in sources.compressed().items():
            compressed = CounterMetricFamily(
                f"mythos_{way}_bytes", "Bytes sent compressed, before and after", labels=["size"]
            )
            for size, count in sizes.items():
                compressed.add_metric([size], count)
            yield compressed
        yield _one(CounterMetricFamily, "mythos_errors", "Errors logged", sources.errors())
        yield _one(CounterMetricFamily, "mythos_faults", "Commands and ticks that broke", sources.faults())
        yield from _i3(sources.i3())
        commands = HistogramMetricFamily(
            "mythos_command_seconds", "From the turn's start to its end", labels=["command"]
        )
        for verb, histogram in self._commands.items():
            commands.add_metric([verb], histogram.buckets(), histogram.total)
        yield commands
        yield _histogram("mythos_commit_seconds", "A batch on its way to the disk", self.commit)
        yield _histogram("mythos_tick_seconds", "A tick of all zones", self.tick)
        yield _histogram("mythos_reactor_lag_seconds", "How late the reactor came back to its clock", self.lag)


class LinkMetrics(Collector):
    """The numbers of a server that has no world."""

    def __init__(self, registry: CollectorRegistry, links: Callable[[], Sequence[I3Numbers]]) -> None:
        self._links = links
        registry.register(self)
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

    def collect(self) -> Iterator[Metric]:
        return _i3(self._links())


def _i3(links: Sequence[I3Numbers]) -> Iterator[Metric]:
    if not links:
        return
    yield _gauge("mythos_i3_up", "A router has let it in", "mud", {one.mud: int(one.up) for one in links})
    yield _gauge("mythos_i3_queue", "Packets that wait for their turn", "mud", {one.mud: one.queued for one in links})
    yield _gauge("mythos_i3_muds", "MUDs that are up", "mud", {one.mud: one.muds for one in links})
    circuit = GaugeMetricFamily("mythos_i3_circuit", "1: what the circuit to routers is", labels=["mud", "state"])
    packets = CounterMetricFamily("mythos_i3_packets", "Packets by what became of them", labels=["mud", "what"])
    for one in links:
        for state in ("closed", "half-open", "open"):
            circuit.add_metric([one.mud, state], float(one.circuit == state))
        for what, count in one.packets.items():
            packets.add_metric([one.mud, what], count)
    yield circuit
    yield packets


def _one(kind: type[GaugeMetricFamily] | type[CounterMetricFamily], name: str, text: str, value: float) -> Metric:
    return kind(name, text, value=value)


def _gauge(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _histogram(name: str, text: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, text)
    family.add_metric([], histogram.buckets(), histogram.total)
    return family
