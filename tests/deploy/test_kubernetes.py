"""The manifests for Kubernetes: names of its API, references that resolve, and what the server really has."""

from __future__ import annotations

import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from mythos.config import ConfigError, Environment
from tests.deploy.copies import ETC, ROOT, free_ports, is_open
from tests.deploy.settings import understood
from tests.house.clients import PATIENCE, WebSocket
from tests.house.server import Server
from tests.postgres import until

_FILES: Final = sorted((ETC / "k8s").glob("*.yaml"))
_ALL: Final = [one for path in _FILES for one in yaml.safe_load_all(path.read_text())]
#: Kind -> its API, and the fields that its ``spec`` (or the manifest itself) may have.
_KINDS: Final = {
    "ConfigMap": ("v1", "data"),
    "StatefulSet": ("apps/v1", "serviceName replicas selector template volumeClaimTemplates"),
    "Service": ("v1", "type externalTrafficPolicy selector ports"),
    "Ingress": ("networking.k8s.io/v1", "ingressClassName tls rules"),
    "NetworkPolicy": ("networking.k8s.io/v1", "podSelector policyTypes ingress"),
    "PodDisruptionBudget": ("policy/v1", "maxUnavailable minAvailable selector"),
    "HorizontalPodAutoscaler": ("autoscaling/v2", "scaleTargetRef minReplicas maxReplicas metrics"),
}
_POD: Final = set(
    "automountServiceAccountToken containers enableServiceLinks securityContext terminationGracePeriodSeconds"
    " volumes".split()
)
_CONTAINER: Final = set(
    "name image args env envFrom ports startupProbe livenessProbe readinessProbe resources securityContext"
    " volumeMounts".split()
)
_PROBE: Final = {"httpGet", "periodSeconds", "timeoutSeconds", "failureThreshold"}


def _the(kind: str, name: str = "mythos") -> dict[str, Any]:
    (found,) = [one for one in _ALL if (one["kind"], one["metadata"]["name"]) == (kind, name)]
    return dict(found)


_POD_SPEC: Final = _the("StatefulSet")["spec"]["template"]["spec"]
_SERVER, _METRICS = _POD_SPEC["containers"]


def test_names_of_the_api() -> None:
    """Kinds, their versions and their fields, down to the probes of a container."""
    for one in _ALL:
        version, fields = _KINDS[one["kind"]]
        assert one["apiVersion"] == version
        assert one["metadata"].keys() <= {"name", "labels", "annotations"}
        inner = one.get("spec", {key: one[key] for key in one.keys() - {"apiVersion", "kind", "metadata"}})
        assert inner.keys() <= set(fields.split())
    assert _POD_SPEC.keys() <= _POD
    for container in _POD_SPEC["containers"]:
        assert container.keys() <= _CONTAINER
        for probe in (value for key, value in container.items() if key.endswith("Probe")):
            assert probe.keys() <= _PROBE


def _labels(selector: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = selector.get("matchLabels", selector)
    return found


def test_references() -> None:
    """Who selects the pod selects it by its labels; ports, volumes and maps that are named are there."""
    template = _the("StatefulSet")["spec"]["template"]
    ports = {port["name"]: port["containerPort"] for one in _POD_SPEC["containers"] for port in one["ports"]}
    for one in _ALL:
        spec = one.get("spec", {})
        for selector in (spec.get("selector"), spec.get("podSelector")):
            assert selector is None or _labels(selector).items() <= template["metadata"]["labels"].items()
    for service in (one for one in _ALL if one["kind"] == "Service"):
        assert all(port["port"] == ports[port["targetPort"]] for port in service["spec"]["ports"])
    for rule in _the("NetworkPolicy")["spec"]["ingress"]:
        assert all(port["port"] in ports for port in rule["ports"])
    (path,) = _the("Ingress")["spec"]["rules"][0]["http"]["paths"]
    backend = path["backend"]["service"]
    assert backend["port"]["name"] in [port["name"] for port in _the("Service", backend["name"])["spec"]["ports"]]
    volumes = {volume["name"] for volume in _POD_SPEC["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in _the("StatefulSet")["spec"]["volumeClaimTemplates"]}
    assert {mount["name"] for one in _POD_SPEC["containers"] for mount in one["volumeMounts"]} == volumes
    maps = {volume["configMap"]["name"] for volume in _POD_SPEC["volumes"] if "configMap" in volume}
    maps |= {source["configMapRef"]["name"] for source in _SERVER["envFrom"] if "configMapRef" in source}
    assert maps == {one["metadata"]["name"] for one in _ALL if one["kind"] == "ConfigMap"}
    assert template["metadata"]["annotations"]["prometheus.io/port"] == str(ports["metrics"])
    target = _the("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert _the(target["kind"], target["name"])["apiVersion"] == target["apiVersion"]


def test_one_node() -> None:
    """There is never a second one, and its place may be emptied."""
    assert _the("StatefulSet")["spec"]["replicas"] == _the("HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 1
    assert _the("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1


def test_the_server_takes_its_settings() -> None:
    """Each has an effect; ports are those of the doors, the directory is on the volume, and links of Services, which
    would be unknown settings, are off."""
    config = understood(_the("ConfigMap")["data"], _SERVER["args"])
    assert config.environment is Environment.PRODUCTION
    assert _POD_SPEC["enableServiceLinks"] is False
    with pytest.raises(ConfigError, match="MYTHOS_PORT: error: unknown setting"):
        understood({"MYTHOS_PORT": "tcp://10.0.0.1:8000"})
    ports = {port["name"]: port["containerPort"] for port in _SERVER["ports"]}
    assert ports == {"telnet": config.telnet.listen.port, "http": config.http.listen.port}
    assert config.telnet.listen.on_network and config.http.listen.on_network
    (data,) = [Path(mount["mountPath"]) for mount in _SERVER["volumeMounts"] if mount["name"] == "data"]
    assert data in config.data.parents
    most = [metric["pods"] for metric in _the("HorizontalPodAutoscaler")["spec"]["metrics"] if "pods" in metric]
    bounds = {metric["metric"]["name"]: int(metric["target"]["averageValue"]) for metric in most}
    assert bounds["mythos_connections"] == config.limits.connections * 0.8


def test_not_root() -> None:
    """The user is the image's, as is the group that may write on the volume; what it does not need it does not have."""
    (uid,) = re.findall(r"useradd .*--uid (\d+)", (ROOT / "Dockerfile").read_text())
    assert _POD_SPEC["securityContext"]["fsGroup"] == _SERVER["securityContext"]["runAsUser"] == int(uid)
    assert _POD_SPEC["securityContext"]["runAsNonRoot"] is True
    for container in _POD_SPEC["containers"]:
        shut = container["securityContext"]
        assert shut["capabilities"] == {"drop": ["ALL"]}
        assert shut["readOnlyRootFilesystem"] is True
        assert shut["allowPrivilegeEscalation"] is False
        assert container["resources"].keys() == {"requests", "limits"}
        assert re.search(r":\d", container["image"])


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("house") / "data") as server:
        yield server


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return int(error.code)


def test_probes_and_numbers_are_the_servers(house: Server) -> None:
    """What is asked for answers."""
    probes = {key: _SERVER[key]["httpGet"] for key in _SERVER if key.endswith("Probe")}
    assert len(probes) == 3
    ann = WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
    for probe in probes.values():
        assert probe["port"] == "http"
        assert _status(house.url(probe["path"])) == 200
    with urllib.request.urlopen(f"http://127.0.0.1:{house.ports['metrics']}/metrics", timeout=PATIENCE) as answer:
        names = {line.split("{")[0].split()[0] for line in answer.read().decode().splitlines() if line[0] != "#"}
    ann.cut()
    metrics = _the("HorizontalPodAutoscaler")["spec"]["metrics"]
    assert {metric["pods"]["metric"]["name"] for metric in metrics if "pods" in metric} <= names | {
        "mythos_connections"
    }


def test_only_numbers_are_shown(haproxy: Path, house: Server, tmp_path: Path) -> None:
    """The front of the numbers takes its file, and lets nothing else through."""
    text = _the("ConfigMap", "mythos-metrics")["data"]["haproxy.cfg"]
    (port,) = free_ports(1)
    config = tmp_path / "haproxy.cfg"
    config.write_text(text.replace(":9113", f"127.0.0.1:{port}").replace(":9090", f":{house.ports['metrics']}"))
    process = subprocess.Popen([haproxy, "-db", "-f", config], stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: is_open(port), PATIENCE)
        assert _status(f"{address}/metrics") == 200
        assert _status(f"{address}/") == 403
    finally:
        process.terminate()
        process.wait(PATIENCE)
