"""What the server counts, as Prometheus and others read it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from mythos.flow.kept import Space
from mythos.telemetry.histogram import Histogram
from mythos.telemetry.metrics import I3Numbers, JobsNumbers, Metrics, Numbers, RedisNumbers, SharedNumbers
from tests.telemetry.pages import values

BUSY = Numbers(
    connections={"telnet": 2, "websocket": 1, "sse": 1},
    opened={"telnet": 9, "websocket": 1, "sse": 1},
    closed={("telnet", "slow"): 1, ("telnet", "left"): 6},
    refused=3,
    healthy=3,
    by_type={"telnet": 2, "dual": 1},
    sessions={"present": 3, "away": 2},
    present=3,
    delivered={"telnet": 80, "websocket": 10, "sse": 6},
    lost=4,
    database=(2, 1),
    checks={"database": "ok", "disk": "degraded"},
    ready=True,
    cpu=12.5,
    memory=(100, 400),
)


def test_what_compression_saves() -> None:
    """Both ways of it, before and after."""
    sizes = {"mccp": {"plain": 900, "compressed": 300}, "permessage_deflate": {"plain": 80, "compressed": 20}}
    page = values(Metrics(lambda: Numbers(compressed=sizes)).text())
    assert page['mythos_mccp_bytes_total{size="compressed"}'] == 300.0
    assert page['mythos_permessage_deflate_bytes_total{size="plain"}'] == 80.0
    assert page['mythos_permessage_deflate_bytes_total{size="compressed"}'] == 20.0


def test_names_of_other_systems() -> None:
    """What their dashboards ask for is what ours has under names of its own."""
    page = values(Metrics(lambda: BUSY).text())
    assert {name: page[name] for name in page if name in OTHERS} == OTHERS


#: The names of ``docs/operations.md``, with what they are for the numbers above.
OTHERS = {
    "mythos_connections_total": 4.0,
    "mythos_active_connections": 4.0,
    'mythos_connections_by_type{type="dual"}': 1.0,
    'mythos_connections_by_type{type="telnet"}': 2.0,
    "mythos_connection_health_percentage": 75.0,
    "mythos_connection_failures_total": 3.0,
    "mythos_sessions_total": 5.0,
    'mythos_messages_sent_total{status="success",type="telnet"}': 80.0,
    'mythos_messages_sent_total{status="failed",type="all"}': 4.0,
    "mythos_message_delivery_success_rate": 96.0,
    "mythos_memory_usage_bytes": 100.0,
    "mythos_memory_usage_percent": 25.0,
    "mythos_cpu_usage_percent": 12.5,
}


def test_nothing_to_divide_by() -> None:
    """A server where nobody is yet has no failures."""
    page = values(Metrics(Numbers).text())
    assert page["mythos_connection_health_percentage"] == page["mythos_message_delivery_success_rate"] == 100.0


def test_commands() -> None:
    """A histogram for each verb, whatever it is called; it is text that Prometheus' own parser takes."""
    metrics = Metrics(Numbers)
    for seconds in (0.0002, 0.02, 9.0):
        metrics.turn('a"b\\', seconds)
    (found,) = [one for one in text_string_to_metric_families(metrics.text().decode()) if "command" in one.name and
                one.type == "histogram"]  # fmt: skip
    assert {sample.labels["command"] for sample in found.samples} == {'a"b\\'}
    at_most = {sample.labels["le"]: sample.value for sample in found.samples if sample.name.endswith("_bucket")}
    assert (at_most["0.0001"], at_most["0.00025"], at_most["0.025"], at_most["2.5"], at_most["+Inf"]) == (0, 1, 2, 2, 3)
    assert [sample.value for sample in found.samples if sample.name.endswith(("_count", "_sum"))] == [3.0, 9.0202]


def test_parts() -> None:
    """Each is one of three things."""
    page = values(Metrics(lambda: BUSY).text())
    assert [page[f'mythos_check{{check="disk",status="{each}"}}'] for each in ("ok", "degraded", "down")] == [0, 1, 0]
    assert page['mythos_check{check="database",status="ok"}'] == page["mythos_ready"] == 1.0
    assert page['mythos_database_connections{state="idle"}'] == 1.0


def test_why_connections_ended() -> None:
    """By door and reason."""
    assert values(Metrics(lambda: BUSY).text())['mythos_connections_closed_total{door="telnet",reason="left"}'] == 6.0


def test_as_json() -> None:
    """A few words for a dashboard of a game, and everything else by its name."""
    metrics = Metrics(lambda: replace(BUSY, i3=[LINK]))
    metrics.turn("look", 0.5)
    metrics.request("GET", "/health", 0.25)
    found = metrics.summary()
    assert (found["active_connections"], found["active_sessions"], found["players"]) == (4, 5, 3)
    assert found["database"] == {"pool_size": 2, "active": 1, "available": 1}
    every = found["metrics"]
    assert every["mythos_command_seconds"] == {"look": {"count": 1, "sum": 0.5}}
    assert every["mythos_i3_up"] == [{"mud": "Reach", "value": 1}]
    assert every["mythos_request_duration_seconds_sum"] == [{"method": "GET", "endpoint": "/health", "value": 0.25}]
    assert every["mythos_lines_lost_total"] == 4


LINK = I3Numbers("Reach", True, "closed", 0, 5, {"sent": 1})
JOBS = JobsNumbers({("queued", "high"): 3}, 5, 0.4, {"webhook": 9}, {"webhook": 4}, {"webhook": 3}, {"webhook": 1}, {})


def test_jobs_and_breakers() -> None:
    page = values(Metrics(lambda: replace(BUSY, jobs=JOBS, breakers={"redis": 2})).text())
    found = [page[f'mythos_jobs_{what}_total{{kind="webhook"}}'] for what in ("done", "failed", "retried", "dead")]
    assert found == [9.0, 4.0, 3.0, 1.0]
    assert page['mythos_jobs{priority="high",state="queued"}'] == 3.0
    assert (page["mythos_job_lanes"], page["mythos_job_utilisation"]) == (5.0, 0.4)
    assert page['mythos_breaker_state{name="redis"}'] == 2.0


def test_documented() -> None:
    """Each name the server has stands in a table of the manual, and the other way round."""
    manual = (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8")
    told = set(re.findall(r"`(mythos_\w+)`", " ".join(re.findall(r"^\| `mythos_.*?\|", manual, re.MULTILINE))))
    sizes = {"mccp": {"plain": 1}, "permessage_deflate": {"plain": 1}}
    redis = RedisNumbers("redis", True, 1, {"answered": 1}, Histogram())
    shared = SharedNumbers([redis], {"pages": Space()}, 1, {"http": (1, 2)})
    every = replace(
        BUSY, i3=[LINK], jobs=JOBS, compressed=sizes, certificate=1.0, disk=(1, 2), backup=(1.0, 2), shared=shared
    )
    families = text_string_to_metric_families(Metrics(lambda: every).text().decode())
    has = {f"{one.name}_total" if one.type == "counter" else one.name for one in families}
    assert told == {name for name in has if name.startswith("mythos_")}
