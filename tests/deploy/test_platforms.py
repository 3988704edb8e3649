"""Heroku, ECS and Cloud Run: one node, with settings that the server takes."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path
from typing import Any

import yaml

from mythos.config import Environment
from tests.deploy.copies import ETC, ROOT, free_ports, is_open
from tests.deploy.settings import understood
from tests.house.clients import PATIENCE, WebSocket
from tests.house.server import TWISTD, Server
from tests.postgres import until


def _procfile() -> str:
    name, _, command = (ETC / "heroku" / "Procfile").read_text().strip().partition(": ")
    assert name == "web"
    return command


def test_heroku(tmp_path: Path) -> None:
    """The line of the Procfile, run: HTTP on the port that it is given, and no other door."""
    config = understood({"SECRET_KEY": "$SECRET_KEY", "DATABASE_URL": "postgres://u@h/d"}, shlex.split(_procfile()))
    assert config.environment is Environment.PRODUCTION
    assert config.telnet.listen.off and config.metrics.listen.off
    (port,) = free_ports(1)
    environ = {"PATH": f"{Path(TWISTD).parent}:{os.environ['PATH']}", "PORT": str(port), "ENVIRONMENT": "test"}
    environ |= {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
    process = subprocess.Popen(
        ["bash", "-c", f"exec {_procfile()}"], cwd=tmp_path, env=environ, stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: is_open(port), PATIENCE)
        house = Server(tmp_path / "mythos-data")
        house.ports = {"http": port}
        assert WebSocket(port, house.post("/api/v1/guest")["token"]).command("look")["t"] == "done"
        assert json.loads((tmp_path / "mythos-data" / "ports.json").read_text()) == {"http": port}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def test_ecs() -> None:
    """The container's variables, ports and question are the image's."""
    task = json.loads((ETC / "ecs" / "task-definition.json").read_text())
    (container,) = task["containerDefinitions"]
    variables = {one["name"]: one["value"] for one in container["environment"]}
    variables |= {one["name"]: f"${one['name']}" for one in container["secrets"]}
    variables["DATABASE_URL"] = "postgresql://u@h/d"
    config = understood(variables)
    assert config.environment is Environment.PRODUCTION
    ports = {one["name"]: one["containerPort"] for one in container["portMappings"]}
    assert ports == {"telnet": config.telnet.listen.port, "http": config.http.listen.port}
    image = (ROOT / "Dockerfile").read_text()
    (asked,) = re.findall(r"^ +CMD (\[.*\])$", image, re.MULTILINE)
    assert container["healthCheck"]["command"] == ["CMD", *json.loads(asked)]
    assert "linuxParameters" in container and container["stopTimeout"] >= 60


def test_cloud_run() -> None:
    """One instance, and HTTP alone, on the port that the platform names."""
    service: dict[str, Any] = yaml.safe_load((ETC / "cloudrun" / "service.yaml").read_text())
    template = service["spec"]["template"]
    scale = template["metadata"]["annotations"]
    assert scale["autoscaling.knative.dev/minScale"] == scale["autoscaling.knative.dev/maxScale"] == "1"
    (container,) = template["spec"]["containers"]
    (port,) = (one["containerPort"] for one in container["ports"])
    variables = {one["name"]: one.get("value", f"${one['name']}") for one in container["env"]}
    variables |= {"PORT": port, "DATABASE_URL": "postgresql://u@h/d"}
    config = understood(variables, container["args"])
    assert config.environment is Environment.PRODUCTION
    assert (config.http.listen.host, config.http.listen.port) == ("0.0.0.0", port)
    assert config.telnet.listen.off and config.metrics.listen.off and not config.gateway.enabled
    start = container["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] <= 240  # the platform's bound
    for probe in (start, container["livenessProbe"]):
        assert probe["httpGet"] == {"path": "/health/live", "port": port}
