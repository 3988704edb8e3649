"""The compose files, read against the specification's names, the image and the server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from mythos.config import Environment
from tests.deploy.copies import ETC, ROOT
from tests.deploy.settings import understood
from tests.house.clients import PATIENCE
from tests.house.server import Server
from tests.postgres import Cluster

_FILES: Final = {path.stem: path for path in (ETC / "compose").glob("*.yml")}
#: Of the Compose Specification: what stands on top, what a service may have.
_TOP: Final = {"name", "services", "volumes"}
_SERVICE: Final = set(
    "build cap_drop command depends_on entrypoint environment healthcheck image init logging network_mode ports"
    " profiles read_only restart security_opt shm_size stop_grace_period tmpfs ulimits volumes".split()
)


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_FILES[name].read_text())
    return {key: value for key, value in found.items() if not key.startswith("x-")}


def test_there_are_three() -> None:
    assert _FILES.keys() == {"dev", "prod", "test"}


@pytest.mark.parametrize("name", _FILES)
def test_names(name: str) -> None:
    """What is named is known; what is referred to is there: services, volumes, files of this checkout."""
    found = _read(name)
    assert found.keys() <= _TOP
    services, volumes = found["services"], found.get("volumes", {})
    used = set()
    for service in services.values():
        assert service.keys() <= _SERVICE
        assert service.get("depends_on", {}).keys() <= services.keys()
        if "build" in service:
            assert (_FILES[name].parent / service["build"] / "Dockerfile").resolve() == ROOT / "Dockerfile"
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (_FILES[name].parent / source).exists()
                assert volume.endswith(":ro")
            elif not source.startswith("/"):
                used.add(source)
    assert used == volumes.keys()


@pytest.mark.parametrize("name", _FILES)
def test_images_have_a_version(name: str) -> None:
    """None but our own is whatever is newest today."""
    images = {service["image"] for service in _read(name)["services"].values()} - {"mythos"}
    assert all(re.search(r":v?\d", image) for image in images)


@pytest.mark.parametrize(("name", "environment"), [("dev", "development"), ("prod", "production"), ("test", "test")])
def test_the_server_takes_it(name: str, environment: str) -> None:
    """Every variable is a setting that has an effect, and production has nothing against them."""
    service = _read(name)["services"]["mythos"]
    config = understood(service["environment"], service.get("command"))
    assert config.environment is Environment(environment)
    assert service["stop_grace_period"] if name != "test" else service["tmpfs"]


def test_development_stays_on_this_machine() -> None:
    assert all(port.startswith("127.0.0.1:") for port in _read("dev")["services"]["mythos"]["ports"])


def test_production_is_shut() -> None:
    """On the machine's own network only the front is on other addresses than loopback; no secret stands in the file."""
    services = _read("prod")["services"]
    assert {service["network_mode"] for service in services.values()} == {"host"}
    config = understood(services["mythos"]["environment"], services["mythos"]["command"])
    assert not any(door.on_network for door in (config.telnet.listen, config.http.listen, config.metrics.listen))
    said = {
        name: " ".join(map(str, services[name]["command"]))
        for name in ("postgres", "redis", "prometheus", "alertmanager")
    }
    assert all("127.0.0.1" in words for words in said.values())
    assert services["grafana"]["environment"]["GF_SERVER_HTTP_ADDR"] == "127.0.0.1"
    assert services["mythos"]["read_only"] is True
    for service in services.values():
        for variable, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET", variable):
                assert value.startswith("${")


def test_the_user_of_the_database(cluster: Cluster, postgres: Path, tmp_path: Path) -> None:
    """The script that PostgreSQL's image runs once: its user has the database that the server is told of, and is nobody
    else's master; the server plays there."""
    services = _read("prod")["services"]
    (script,) = [one.split(":")[0] for one in services["postgres"]["volumes"] if "initdb.d" in one]
    environ = {**os.environ, "PGHOST": str(cluster.home), "DB_PASSWORD": "a long one for compose"}
    environ["PATH"] = f"{postgres.resolve().parent}:{os.environ['PATH']}"
    try:
        run = subprocess.run([ETC / "compose" / script], env=environ, capture_output=True, text=True, timeout=PATIENCE)
        assert run.returncode == 0, run.stderr
        rights = cluster.ask("SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = 'mythos'")
        assert rights == [(False, False, False)]
        url = services["mythos"]["environment"]["DATABASE_URL"].replace("127.0.0.1:5432", "")
        with Server(tmp_path / "data", env={"DATABASE_URL": f"{url}?host={cluster.home}"}) as house:
            assert house.get("/health")["database"] == "ok"
    finally:
        cluster.drop("mythos")
        cluster.ask("DROP ROLE IF EXISTS mythos")


def test_the_guest_of_the_try(tmp_path: Path) -> None:
    """The code that tries the image: a guest can play."""
    (code,) = _read("test")["services"]["guest"]["command"]
    with Server(tmp_path / "data") as house:
        here = code.replace("http://mythos:8000", house.url(""))
        run = subprocess.run([sys.executable, "-c", here], capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0, run.stderr
    assert re.fullmatch(r"playing as \w+\n", run.stdout)
