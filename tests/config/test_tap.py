"""The command line of ``twistd mythos``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mythos import __version__
from mythos.tap import CHECKS, Options

ROOT = Path(__file__).parents[2]
TWISTD = Path(sys.executable).with_name("twistd")


def run(cwd: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """``twistd mythos`` in `cwd`, without the settings of the machine."""
    process = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env}
    return subprocess.run([TWISTD, "mythos", *words], cwd=cwd, env=process, capture_output=True, text=True, timeout=60)


def given(*words: str) -> dict[str, str]:
    options = Options()
    options.parseOptions(words)
    return options.given


def test_names_and_letters() -> None:
    """What the reader of the configuration is handed."""
    assert given() == {}
    for words in (["-c", "a.yaml", "-e", "b.env"], ["--config", "a.yaml", "--env-file", "b.env"]):
        assert given(*words) == {"config": "a.yaml", "env-file": "b.env"}
    assert given("--log-level", "DEBUG", "--debug", "--profile-memory") == {
        "log-level": "DEBUG", "debug": "yes", "profile-memory": "yes",
    }  # fmt: skip


def test_version(tmp_path: Path) -> None:
    said = run(tmp_path, "--version")
    assert (said.returncode, said.stdout) == (0, f"Mythos {__version__}\n")


@pytest.mark.parametrize("check", CHECKS)
def test_a_good_configuration(tmp_path: Path, check: str) -> None:
    """It is checked, also beside a server that runs there, and nothing is started; notes are no part of the answer."""
    (tmp_path / "other.yaml").write_text("mud: {name: Reach}\n")
    (tmp_path / "twistd.pid").write_text(str(os.getpid()))
    said = run(tmp_path, "-c", "other.yaml", f"--{check}", WORKERS="4")
    assert (said.returncode, said.stdout) == (0, "Configuration is valid!\n")
    assert said.stderr.startswith("WORKERS has no effect")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.yaml", "twistd.pid"]


def test_a_wrong_configuration(tmp_path: Path) -> None:
    """Every mistake has its line, a file that was named must be there."""
    (tmp_path / "mythos.yaml").write_text("telnet: x\nhttp: y\n")
    said = run(tmp_path, "--validate-config", "-e", "nowhere.env", MUD_PORT="z")
    assert (said.returncode, said.stdout) == (78, "")
    assert [line.split(": error: ")[0] for line in said.stderr.splitlines()] == [
        "--env-file", "MUD_PORT", "mythos.yaml:1:9", "mythos.yaml:2:7",
    ]  # fmt: skip


def test_what_production_refuses(tmp_path: Path) -> None:
    """A configuration that would not start is not valid."""
    said = run(tmp_path, "--validate-config", "--debug", ENVIRONMENT="production")
    assert said.returncode == 78
    assert "debug (DEBUG) is on: turn it off." in said.stderr.splitlines()


@pytest.mark.parametrize("option", ["-w", "--workers"])
def test_no_workers(tmp_path: Path, option: str) -> None:
    """One sentence says what to do instead, and nothing is started."""
    said = run(tmp_path, option, "4")
    assert said.returncode == 1
    assert "one process is one node: leave --workers 4 out, and run more nodes instead" in said.stdout + said.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    """One sentence, and no traceback."""
    said = run(tmp_path, LOG_FILE="no/where.log")
    assert said.returncode == 78
    assert said.stderr.splitlines()[-1] == (
        f"The log {tmp_path}/no/where.log cannot be written: No such file or directory. "
        "Another one: LOG_FILE or log.file."
    )


@pytest.mark.parametrize(
    ("env", "loaded"),
    [
        ({"MYTHOS_ROLES": "i3"}, False),
        ({"MYTHOS_ROLES": "i3", "MYTHOS_GATEWAY": "ssl:8443:privateKey=key.pem:certKey=cert.pem"}, True),
        ({}, True),
    ],
)
def test_a_gateway_alone_does_without_openssl(env: dict[str, str], loaded: bool) -> None:
    """Unless one of its doors is a TLS endpoint; nothing loads it before that is known."""
    program = (
        "import sys; from mythos import tap; from mythos.config import load;"
        " config = load(options={}, environ=%r, files=lambda path: None, cwd=__import__('pathlib').Path('/')).config;"
        " assert 'twisted.internet.reactor' not in sys.modules; tap._kind(config);"
        " from twisted.internet import reactor; print(sys.modules.get('OpenSSL') is not None)"
    )
    run = subprocess.run([sys.executable, "-c", program % env], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(loaded)
