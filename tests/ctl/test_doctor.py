"""``mythosctl doctor``: each thing that can be wrong is found, and what is right is not."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result

from tests.ctl.conftest import Run
from tests.ctl.stub import Stub
from tests.ctl.test_main import store
from tests.house.server import Server
from tests.net.certificates import make

#: Doors that nobody else has.
PORTS = {"MYTHOS_TELNET": "0", "MYTHOS_HTTP": "0", "MYTHOS_METRICS": "0"}


def verdicts(result: Result) -> dict[str, str]:
    """The worst of each thing."""
    found: dict[str, str] = {}
    for one in json.loads(result.stdout)["checks"]:
        if found.get(one["what"]) != "FAIL":
            found[one["what"]] = one["verdict"]
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Of a server that ran, and runs no more."""
    store(tmp_path / "mythos-data" / "mythos.db")
    (tmp_path / "mythos-data").chmod(0o700)
    return tmp_path / "mythos-data"


def test_all_is_well(run: Run, data: Path) -> None:
    result = run("doctor", "--json", **PORTS)
    found = verdicts(result)
    assert (result.exit_code, json.loads(result.stdout)["ok"]) == (0, True)
    assert {"configuration", "addresses", "data directory", "store", "ulimit", "ports"} <= {
        what for what, verdict in found.items() if verdict == "PASS"
    }
    assert (found["server"], found["backup"]) == ("WARN", "WARN")
    lines = run("doctor", **PORTS).stdout.splitlines()
    assert all(line.split()[0] in ("PASS", "WARN", "FAIL") and ": " in line for line in lines)


def test_before_the_first_start(run: Run, tmp_path: Path) -> None:
    """Nothing is made by looking."""
    result = run("doctor", "--json", **PORTS)
    found = verdicts(result)
    assert (result.exit_code, found["data directory"], found["store"]) == (0, "WARN", "WARN")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "what", ["data directory", "clock", "store", "newer", "configuration", "public", "certificate"]
)
def test_what_is_wrong(run: Run, data: Path, tmp_path: Path, what: str) -> None:
    env = dict(PORTS)
    match what:
        case "data directory":
            data.chmod(0o755)
        case "clock":
            os.utime(data / "mythos.db", (time.time() + 3600, time.time() + 3600))
        case "store":
            (data / "mythos.db").write_text("something else entirely\n" * 100)
        case "newer":
            (data / "mythos.db").unlink()
            what = "store"
            store(data / "mythos.db", "INSERT INTO schema_version VALUES (999, 'later', 'x', 999)")
            data.chmod(0o700)
        case "configuration":
            (tmp_path / "mythos.yaml").write_text("tlenet: 1\n")
        case "public":
            what = "configuration"
            env |= {"MYTHOS_TELNET": "0.0.0.0:0", "CORS_ORIGINS": "*"}
        case _:
            env |= {"SSL_CERT_PATH": str(data / "mythos.db")}
    result = run("doctor", "--json", **env)
    assert (result.exit_code, verdicts(result)[what]) == (1, "FAIL"), result.stdout


def test_a_certificate(run: Run, data: Path, tmp_path: Path) -> None:
    make(tmp_path / "cert.pem", tmp_path / "key.pem", "localhost")
    env = {"SSL_CERT_PATH": str(tmp_path / "cert.pem"), "SSL_KEY_PATH": str(tmp_path / "key.pem")}
    assert verdicts(run("doctor", "--json", **PORTS, **env))["certificate"] in ("PASS", "WARN")


def test_a_port_that_is_taken(run: Run, data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run("doctor", "--json", **PORTS | {"MYTHOS_TELNET": str(other.getsockname()[1])})
    assert verdicts(result)["ports"] == "FAIL"


@pytest.mark.parametrize(("limits", "verdict"), [("-S -n 64", "PASS"), ("-n 376", "PASS"), ("-n 375", "FAIL")])
def test_too_few_files(data: Path, tmp_path: Path, limits: str, verdict: str) -> None:
    """What counts is how many the server may take for itself."""
    program = ["sh", "-c", f'ulimit {limits}; exec "$@"', "sh", sys.executable, "-m", "mythos.ctl", "doctor", "--json"]
    env = {**os.environ, **PORTS, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(program, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert {one["what"]: one["verdict"] for one in json.loads(done.stdout)["checks"]}["ulimit"] == verdict


def test_weak_addresses(run: Run, data: Path) -> None:
    env = PORTS | {"MYTHOS_TELNET": "0.0.0.0:0", "ENVIRONMENT": "development", "RATE_LIMIT_ENABLED": "no"}
    lines = run("doctor", **env).stdout
    assert "WARN addresses: Passwords over telnet on " in lines
    assert "WARN addresses: No rate is limited" in lines


def test_a_server_in_trouble(run: Run, stub: Stub) -> None:
    """What the server says of its parts, its backups among them, is a line each."""
    checks = {
        "database": {"status": "down", "message": "It hangs."},
        "disk": {"status": "degraded", "message": "Little is left."},
        "backup": {"status": "ok", "message": ""},
    }
    stub.says(status="unhealthy", version="1.2", checks=checks)
    Path("mythos-data").chmod(0o700)
    result = run("doctor", "--json")
    found = verdicts(result)
    assert (result.exit_code, found["server"]) == (1, "PASS")
    assert [found[f"server's {name}"] for name in checks] == ["FAIL", "WARN", "PASS"]
    assert "backup" not in found


def test_a_server_that_runs(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        ran = subprocess.run(
            [str(Path(sys.executable).with_name("mythosctl")), "doctor", "--data", str(server.data)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert "PASS server: Mythos" in ran.stdout
    assert "PASS server's database: As it should be." in ran.stdout
    assert (ran.returncode, ran.stderr) == (0, "")
