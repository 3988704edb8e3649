"""What ``mythosctl top`` makes of the numbers of a server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import inf
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Numbers", "bytes_text", "seconds_text"]


class Numbers:
    """One look at a server's numbers. Of those that rise, two looks make a rate.

    :param samples: name, labels and value of each
    """

    def __init__(self, samples: Iterable[tuple[str, Mapping[str, str], float]] = ()) -> None:
        self._samples = list(samples)

    @classmethod
    def read(cls, text: str) -> Numbers:
        """From Prometheus' text format, without the times at which things were first counted."""
        return cls(
            (sample.name, sample.labels, sample.value)
            for metric in text_string_to_metric_families(text)
            for sample in metric.samples
            if not sample.name.endswith("_created")
        )

    def __iter__(self) -> Iterator[tuple[str, Mapping[str, str], float]]:
        return iter(self._samples)

    def sum(self, name: str) -> float:
        """Of all its labels."""
        return sum(value for known, _, value in self._samples if known == name)

    def by(self, name: str, label: str) -> dict[str, float]:
        return {labels[label]: value for known, labels, value in self._samples if known == name and label in labels}

    def _buckets(self, name: str) -> dict[float, float]:
        found: dict[float, float] = {}
        for known, labels, value in self._samples:
            if known == f"{name}_bucket":
                bound = inf if labels["le"] == "+Inf" else float(labels["le"])
                found[bound] = found.get(bound, 0.0) + value
        return found

    def percentile(self, name: str, part: float, before: Numbers) -> str:
        """At most so long is what ``part`` of all took since the look before."""
        old = before._buckets(name)
        counts = {bound: count - old.get(bound, 0.0) for bound, count in sorted(self._buckets(name).items())}
        total = counts.get(inf, 0.0)
        if total <= 0:
            return "none"
        bound = next(bound for bound, count in counts.items() if count >= part * total)
        longest = max(known for known in counts if known != inf)
        return f"over {longest * 1000:g} ms" if bound == inf else f"{bound * 1000:g} ms"

    def summary(self, before: Numbers, seconds: float) -> dict[str, Any]:
        """:param seconds: since the look before; ``Numbers()``: since the server's start"""
        seconds = max(seconds, 0.001)

        def rate(name: str) -> float:
            return max(0.0, self.sum(name) - before.sum(name)) / seconds

        return {
            "commands_per_s": round(rate("mythos_command_seconds_count"), 2),
            "command_p50": self.percentile("mythos_command_seconds", 0.5, before),
            "command_p99": self.percentile("mythos_command_seconds", 0.99, before),
            "messages_per_s": round(rate("mythos_messages_delivered_total"), 2),
            "tick_p99": self.percentile("mythos_tick_seconds", 0.99, before),
            "commit_p99": self.percentile("mythos_commit_seconds", 0.99, before),
            "lag_p99": self.percentile("mythos_reactor_lag_seconds", 0.99, before),
            "sessions_waiting": self.sum("mythos_command_queue"),
            "words_waiting": self.sum("mythos_release_queue"),
            "memory_bytes": self.sum("mythos_memory_usage_bytes"),
            "cpu_percent": round(100.0 * rate("process_cpu_seconds_total"), 1),
            "errors": self.sum("mythos_errors_total"),
            "faults": self.sum("mythos_faults_total"),
            "i3": {mud: bool(up) for mud, up in self.by("mythos_i3_up", "mud").items()},
        }


def bytes_text(size: float) -> str:
    for unit in ("B", "KB", "MB"):
        if size < 1024:
            return f"{size:.0f} {unit}"
        size /= 1024
    return f"{size:.1f} GB"


def seconds_text(seconds: float) -> str:
    """The largest two units: ``2 h 5 min``."""
    whole = int(seconds)
    parts = [(whole // 86_400, "d"), (whole // 3_600 % 24, "h"), (whole // 60 % 60, "min"), (whole % 60, "s")]
    said = [f"{count} {unit}" for count, unit in parts if count]
    return " ".join(said[:2]) or "0 s"
