"""Numbers under the names that dashboards for other servers ask for. ``docs/operations.md`` lists them.

``mythos_connections_total`` is a gauge for all its name: the boards that read it want what is open now.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, Metric

from mythos.telemetry.families import gauge, one, single

if TYPE_CHECKING:
    from mythos.telemetry.metrics import Numbers

__all__ = ["collect"]


def collect(numbers: Numbers) -> Iterator[Metric]:
    total = sum(numbers.connections.values())
    yield one("mythos_connections_total", "Open connections, through all doors", total)
    yield one("mythos_active_connections", "The same", total)
    yield gauge("mythos_connections_by_type", "Players by the doors they play through", "type", numbers.by_type)
    healthy = 100.0 * numbers.healthy / total if total else 100.0
    yield one("mythos_connection_health_percentage", "Connections that keep up, of 100", healthy)
    yield single("mythos_connection_failures", "Connections that were not let in", numbers.refused)
    yield one("mythos_sessions_total", "Sessions", sum(numbers.sessions.values()))
    delivered = sum(numbers.delivered.values())
    sent = CounterMetricFamily("mythos_messages_sent", "Messages by what became of them", labels=["type", "status"])
    for door, count in numbers.delivered.items():
        sent.add_metric([door, "success"], count)
    sent.add_metric(["all", "failed"], numbers.lost)
    yield sent
    tried = delivered + numbers.lost
    rate = 100.0 * delivered / tried if tried else 100.0
    yield one("mythos_message_delivery_success_rate", "Messages that were not lost, of 100", rate)
    used, allowed = numbers.memory
    yield one("mythos_memory_usage_percent", "Memory in use, of what it may have", 100.0 * used / max(1, allowed))
    yield one("mythos_cpu_usage_percent", "Of one processor", numbers.cpu)
