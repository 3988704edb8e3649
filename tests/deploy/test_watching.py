"""Prometheus, Alertmanager and Grafana with the files that are shipped."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from mythos.config import load
from tests.deploy.copies import ETC, ROOT, adapted, free_ports
from tests.house.clients import PATIENCE
from tests.house.server import Server
from tests.postgres import until

_SCRAPE: Final = ETC / "prometheus" / "prometheus.yml"
_ALERTS: Final = ETC / "alertmanager" / "alertmanager.yml"
#: What Prometheus and Alertmanager are told to listen on, as the header of the first file says.
_PROMETHEUS: Final = "127.0.0.1:9091"


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_files_are_right(promtool: Path, amtool: Path) -> None:
    """Their own programs take them."""
    commands: list[list[str | Path]] = [[promtool, "check", "config", _SCRAPE], [amtool, "check-config", _ALERTS]]
    for command in commands:
        run = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert run.returncode == 0, run.stderr


def test_who_is_told(amtool: Path) -> None:
    """What is critical goes another way than what is not."""
    command = [str(amtool), "config", "routes", "test", f"--config.file={_ALERTS}"]
    for severity, receiver in (("critical", "pager"), ("warning", "operator")):
        run = subprocess.run([*command, f"severity={severity}"], capture_output=True, text=True, timeout=PATIENCE)
        assert run.stdout.strip() == receiver


def test_they_ask_where_the_server_answers() -> None:
    """The ports are the defaults of the server, and none of the others takes one of them."""
    config = load(options={}, environ={}, files=lambda path: None, cwd=Path("/")).config
    scrape = _read(_SCRAPE)
    (mythos,) = scrape["scrape_configs"]
    assert mythos["static_configs"] == [{"targets": [f"127.0.0.1:{config.metrics.listen.port}"]}]
    assert mythos.get("metrics_path", "/metrics") == "/metrics"
    assert f"--web.listen-address={_PROMETHEUS}" in _SCRAPE.read_text()
    (source,) = _read(ETC / "grafana/provisioning/datasources/mythos.yml")["datasources"]
    assert source["url"] == f"http://{_PROMETHEUS}"
    doors = (config.telnet.listen, config.http.listen, config.metrics.listen, config.gateway.listen, config.gateway.tcp)
    assert not {door.port for door in doors} & {3000, 9091, 9093}


@contextmanager
def _prometheus(program: Path, place: Path, metrics: int) -> Iterator[str]:
    """It runs with the file that is shipped, which it reads once a second; its address."""
    (port,) = free_ports(1)
    config = place / "prometheus.yml"
    changes = {"127.0.0.1:9090": f"127.0.0.1:{metrics}", "scrape_interval: 15s": "scrape_interval: 1s"}
    config.write_text(adapted(_SCRAPE, changes))
    (place / "rules.yml").write_text((_SCRAPE.parent / "rules.yml").read_text())
    listen, store = f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={place / 'kept'}"
    with (place / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([program, f"--config.file={config}", listen, store], stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_prometheus_reads_the_server(promtool: Path, tmp_path: Path) -> None:
    """It finds the server up, and its numbers."""
    with Server(tmp_path / "data") as house:
        prometheus = promtool.with_name("prometheus")
        with _prometheus(prometheus, tmp_path, house.ports["metrics"]) as address:

            def value(expression: str) -> float:
                try:
                    with urllib.request.urlopen(f"{address}/api/v1/query?query={expression}", timeout=5) as answer:
                        found = json.load(answer)["data"]["result"]
                except OSError:
                    return 0.0
                return float(found[0]["value"][1]) if found else 0.0

            until(lambda: value("up") == 1, PATIENCE)
            assert value("process_open_fds") > 3


def test_grafana_finds_boards() -> None:
    """The folder that it reads them from is the one that compose and the guide put there."""
    (provider,) = _read(ETC / "grafana/provisioning/dashboards/mythos.yml")["providers"]
    folder = provider["options"]["path"]
    assert f"../grafana:{folder}:ro" in _read(ETC / "compose/prod.yml")["services"]["grafana"]["volumes"]
    assert f"cp -r etc/grafana/. {folder}/" in (ROOT / "docs" / "deployment.md").read_text()
