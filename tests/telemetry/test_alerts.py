"""The alerts and the board that are shipped: what they ask for is there, and each alert comes when it should."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.house.clients import Telnet, WebSocket
from tests.house.server import Server, select_nothing
from tests.net import certificates

ROOT: Final = Path(__file__).parents[2]
RULES: Final = ROOT / "etc/prometheus/rules.yml"
BOARD: Final = json.loads((ROOT / "etc/grafana/mythos.json").read_text())
ALERTS: Final = {
    rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]
}
EXPRESSIONS: Final = [
    *((name, rule["expr"]) for name, rule in ALERTS.items()),
    *((panel["title"], target["expr"]) for panel in BOARD["panels"] for target in panel["targets"]),
]

#: What Prometheus itself puts on every sample.
_OWN: Final = {"instance", "job"}
_WORDS: Final = {"or", "and", "unless"}
_GROUPING: Final = re.compile(r"\b(?:by|on|group_left)\s*\(([^)]*)\)")
_SELECTOR: Final = re.compile(r"([a-zA-Z_]\w*)\s*(?:\{([^}]*)\})?\s*(\()?")
_MATCHER: Final = re.compile(r'(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"')

Samples = dict[str, list[dict[str, str]]]


def resolved(expression: str, samples: Samples) -> list[str]:
    """What an expression asks for that is not there: metrics, labels, values of labels."""
    wrong: list[str] = []
    grouped = {label.strip() for found in _GROUPING.findall(expression) for label in found.split(",") if label.strip()}
    there: set[str] = set(_OWN)
    plain = re.sub(r"\[\w+\]", "", _GROUPING.sub("", expression))
    asked = 0
    for name, matchers, is_function in _SELECTOR.findall(plain):
        if is_function or name in _WORDS:
            continue
        asked += 1
        if name == "up":
            continue
        found = samples.get(name, [])
        there.update(*found)
        for label, how, value in _MATCHER.findall(matchers):
            if label in _OWN:
                continue
            if how in ("=", "=~"):
                found = [one for one in found if re.fullmatch(value, one.get(label, "")) is not None]
            else:
                found = [one for one in found if label in one]
        if not found:
            wrong.append(f"{name}{{{matchers}}}")
    if not asked:
        wrong.append("no metric at all")
    return [*wrong, *sorted(grouped - there)]


def read(page: str) -> Samples:
    """The labels of each sample by its name."""
    found: Samples = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


def metrics(house: Server) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{house.ports['metrics']}/metrics", timeout=30) as answer:
        return read(answer.read().decode())


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Of a server with all its parts, where somebody has played."""
    place = tmp_path_factory.mktemp("alerts")
    certificate, key = place / "chain.pem", place / "key.pem"
    certificates.make(certificate, key, "localhost")
    env = {"SSL_CERT_PATH": str(certificate), "SSL_KEY_PATH": str(key), "MYTHOS_TELNET_TLS": "0",
           "MYTHOS_I3_ROUTER_LISTEN": "0", "MYTHOS_BACKUP_EVERY": "1d"}  # fmt: skip
    with Server(place / "data", "--i3-router", env=env) as house:
        socket = WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
        socket.command("look")
        socket.cut()
        player = Telnet(house.ports["telnet"])
        player.until("name")
        player.send("guest")
        player.until(">")
        player.close()
        for _ in range(600):
            found = metrics(house)
            left = len(found.get("mythos_connections_closed_total", ()))
            if left == 2 and "mythos_backup_verified_seconds" in found:
                break
            select_nothing(0.05)
        return found


@pytest.mark.parametrize(("name", "expression"), EXPRESSIONS)
def test_what_is_asked_for_is_there(name: str, expression: str, samples: Samples) -> None:
    """Every metric, every label, every value of a label."""
    assert resolved(expression, samples) == []


def test_what_is_not_there_is_found() -> None:
    """The control: names, labels and values that are wrong."""
    there = read('mythos_check{check="disk",status="ok"} 1\nmythos_ready 1\n')
    assert resolved('sum by (check) (mythos_check{status="ok"}) > 0 or mythos_ready', there) == []
    assert resolved("rate(mythos_raedy[5m])", there) == ["mythos_raedy{}"]
    assert resolved('mythos_check{status="dwon"}', there) == ['mythos_check{status="dwon"}']
    assert resolved("sum by (door) (mythos_check)", there) == ["door"]
    assert resolved("1 > 0", there) == ["no metric at all"]


def anchor(heading: str) -> str:
    """As Git's web sites make it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_each_has_its_page() -> None:
    """A heading that says what to do; the board's numbers are known to those who look at it."""
    headings = re.findall(r"^#+ (.+)$", (ROOT / "docs/operations.md").read_text("utf-8"), re.MULTILINE)
    pages = {f"docs/operations.md#{anchor(heading)}" for heading in headings}
    for name, rule in ALERTS.items():
        assert rule["annotations"]["runbook"] == f"docs/operations.md#{name.lower()}"
        assert rule["annotations"]["runbook"] in pages
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in ("critical", "warning")


def test_board() -> None:
    """It is the Prometheus that is provisioned, no two panels lie over each other, and the three of old are there."""
    source = yaml.safe_load((ROOT / "etc/grafana/provisioning/datasources/mythos.yml").read_text())["datasources"][0]
    places: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        assert all(one["datasource"]["uid"] == source["uid"] for one in (panel, *panel["targets"]))
        box = panel["gridPos"]
        cells = {(box["x"] + x, box["y"] + y) for x in range(box["w"]) for y in range(box["h"])}
        assert not places & cells
        assert max(x for x, _ in cells) < 24
        places |= cells
    titles = {panel["title"] for panel in BOARD["panels"]}
    assert titles >= {"Connection Statistics", "Connection Health", "Message Delivery Rate"}
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


# ── when they come ──────────────────────────────────────────────────────────────────────────────

_FAULTS = 'mythos_faults_total{instance="a",job="mythos"}'
_COUNT = 'mythos_command_seconds_count{instance="a",job="mythos",command="look"}'
_SUM = 'mythos_command_seconds_sum{instance="a",job="mythos",command="look"}'


def _buckets(name: str, below: str, **labels: str) -> list[tuple[str, str]]:
    """A hundred a minute, of which ``below`` are at or below half a second."""
    more = "".join([f',{key}="{value}"' for key, value in labels.items()])
    return [
        (f'{name}_bucket{{instance="a",job="mythos"{more},le="0.5"}}', f"0+{below}x60"),
        (f'{name}_bucket{{instance="a",job="mythos"{more},le="2.5"}}', "0+100x60"),
        (f'{name}_bucket{{instance="a",job="mythos"{more},le="+Inf"}}', "0+100x60"),
    ]


def _one(name: str, values: str, labels: str = "") -> list[tuple[str, str]]:
    return [(f'{name}{{instance="a",job="mythos"{labels}}}', values)]


_DOWN = ',check="database",status="down"'
_COMMANDS = [(_COUNT, "0+100x60")]
_BOUND = [(_COUNT, "0+100x60"), (_SUM, "0+90x60")]
_OPENED = _one("mythos_connections_opened_total", "0+90x60", ',door="telnet"')
#: alert -> series for which it comes within half an hour, and series just on the other side of its threshold; one
#: sample a minute.
CASES: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str]]]] = {
    "MythosDown": (_one("up", "0x60"), _one("up", "1x60")),
    "MythosNotReady": (_one("mythos_ready", "0x60"), _one("mythos_ready", "1x27 0x3 1x30")),
    "DatabaseDown": (_one("mythos_check", "1x60", _DOWN), _one("mythos_check", "0x60", _DOWN)),
    "HighErrorRate": ([(_FAULTS, "0+6x60"), *_COMMANDS], [(_FAULTS, "0+4x60"), *_COMMANDS]),
    "CommandsBreak": ([(_FAULTS, "0+2x60"), *_COMMANDS], [(_FAULTS, "0+0.9x60"), *_COMMANDS]),
    "HighResponseTime": ([(_COUNT, "0+100x60"), (_SUM, "0+110x60")], _BOUND),
    "SlowCommands": (
        _buckets("mythos_command_seconds", "98", command="look"),
        _buckets("mythos_command_seconds", "99.5", command="look"),
    ),
    "ReactorStalls": (
        _one("mythos_reactor_stall_seconds_total", "0+0.5x60"),
        _one("mythos_reactor_stall_seconds_total", "0+0.1x60"),
    ),
    "SlowMessageDelivery": (
        _buckets("mythos_message_delivery_seconds", "90"),
        _buckets("mythos_message_delivery_seconds", "96"),
    ),
    "LinesLost": (_one("mythos_lines_lost_total", "0x25 1x35"), _one("mythos_lines_lost_total", "3x60")),
    "HighConnectionFailureRate": (
        [*_one("mythos_connection_failures_total", "0+11x60"), *_OPENED],
        [*_one("mythos_connection_failures_total", "0+9x60"), *_OPENED],
    ),
    "LowConnectionHealth": (
        _one("mythos_connection_health_percentage", "89x60"),
        _one("mythos_connection_health_percentage", "90x60"),
    ),
    "SlowConnectionEstablishment": (
        _buckets("mythos_connection_establishment_seconds", "5", type="sse"),
        _buckets("mythos_connection_establishment_seconds", "96", type="sse"),
    ),
    "HighMemoryUsage": (_one("mythos_memory_usage_percent", "81x60"), _one("mythos_memory_usage_percent", "80x60")),
    "HighCpuUsage": (_one("mythos_cpu_usage_percent", "81x60"), _one("mythos_cpu_usage_percent", "80x60")),
    "DiskFillsUp": (
        [*_one("mythos_disk_free_bytes", "9x60"), *_one("mythos_disk_size_bytes", "100x60")],
        [*_one("mythos_disk_free_bytes", "10x60"), *_one("mythos_disk_size_bytes", "100x60")],
    ),
    "RouterDown": (_one("mythos_i3_up", "0x60", ',mud="Reach"'), _one("mythos_i3_up", "0x10 1 0x49", ',mud="Reach"')),
    "BreakerOpen": (
        _one("mythos_breaker_state", "2 1 2x58", ',name="webhook:a"'),
        _one("mythos_breaker_state", "2x20 0 2x39", ',name="webhook:a"'),
    ),
    "JobsGivenUp": (
        _one("mythos_jobs_dead_total", "0x25 1x35", ',kind="webhook"'),
        _one("mythos_jobs_dead_total", "3x60", ',kind="webhook"'),
    ),
    "BackupOld": (
        _one("mythos_backup_verified_seconds", "-100000x120"),
        _one("mythos_backup_verified_seconds", "-80000x120"),
    ),
    "CertificateEnds": (
        _one("mythos_certificate_end_seconds", f"{13 * 86_400}x120"),
        _one("mythos_certificate_end_seconds", f"{15 * 86_400}x120"),
    ),
}
#: Minutes after which it is looked for, where half an hour is not enough or a moment is meant.
_AT = {"BackupOld": 90, "CertificateEnds": 90, "RouterDown": 25}


def _case(name: str, series: list[tuple[str, str]], comes: bool) -> dict[str, Any]:
    return {
        "interval": "1m",
        "name": f"{name} {'comes' if comes else 'does not come'}",
        "input_series": [{"series": one, "values": values} for one, values in series],
        "promql_expr_test": [
            {
                "expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}})',
                "eval_time": f"{_AT.get(name, 30)}m",
                "exp_samples": [{"labels": "{}", "value": 1}] if comes else [],
            }
        ],
    }


def test_when_they_come(promtool: Path, tmp_path: Path) -> None:
    """Each on its side of its threshold, after its time, and not on the other."""
    assert CASES.keys() == ALERTS.keys()
    file = tmp_path / "tests.yml"
    tests = [
        case
        for name, (bad, good) in CASES.items()
        for case in (_case(name, bad, comes=True), _case(name, good, comes=False))
    ]
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    for command in (("check", "rules", str(RULES)), ("test", "rules", str(file))):
        run = subprocess.run([promtool, *command], capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
