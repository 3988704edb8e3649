"""The installed server starts from everywhere, and says in one sentence why it does not."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.packaging.installs import Install, serving

_FREE = ("--telnet", "0", "--http", "0", "--metrics", "0")


def _answers(ports: dict[str, int]) -> None:
    with socket.create_connection(("127.0.0.1", ports["telnet"]), timeout=10) as line:
        assert line.recv(1)
    with urlopen(f"http://127.0.0.1:{ports['http']}/", timeout=10) as page:
        assert b"<html" in page.read()


def test_installed_server(installed: Install, tmp_path: Path) -> None:
    """``twistd -n mythos`` opens its doors from the wheel alone: world, schema and web client came with it."""
    data = tmp_path / "data"
    with serving(installed.twistd("-n", "mythos", *_FREE, "--data", data), tmp_path, data) as ports:
        _answers(ports)


def test_tac_from_another_directory(bare: Install, checkout: Path, tmp_path: Path) -> None:
    """``twistd -n -y mythos.tac`` runs a checkout that is not installed, configured by the environment."""
    data = tmp_path / "data"
    environ = {"MYTHOS_TELNET": "0", "MYTHOS_HTTP": "0", "MYTHOS_METRICS": "0", "MYTHOS_DATA": str(data)}
    with serving(bare.twistd("-n", "-y", checkout / "mythos.tac"), tmp_path, data, environ) as ports:
        _answers(ports)


def _refused(install: Install, cwd: Path, *arguments: str | Path) -> tuple[int, list[str]]:
    """Exit code, and what was said on stderr."""
    run = install.run(install.twistd("-n", "mythos", *arguments), cwd)
    assert "Traceback" not in run.stdout + run.stderr
    return run.returncode, run.stderr.strip().splitlines()


@pytest.mark.parametrize("door", ["telnet", "http", "metrics"])
def test_port_in_use(installed: Install, tmp_path: Path, door: str) -> None:
    """A port in use is named, with the option that moves the door."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, said = _refused(installed, tmp_path, *_FREE, f"--{door}", port)
    assert code == 78
    (sentence,) = said
    assert port in sentence
    assert f"--{door}" in sentence


def test_data_directory_cannot_be_made(installed: Install, tmp_path: Path) -> None:
    """A data directory that cannot be written is named, with the option that moves it."""
    (tmp_path / "file").touch()
    data = tmp_path / "file" / "data"
    code, said = _refused(installed, tmp_path, *_FREE, "--data", data)
    assert code == 78
    (sentence,) = said
    assert str(data) in sentence
    assert "--data" in sentence


def test_broken_configuration(installed: Install, tmp_path: Path) -> None:
    """Every mistake in the configuration has a line of its own, with its place."""
    (tmp_path / "mythos.yaml").write_text("telnet:\n  listne: 4000\nhttp:\n  listen: 70000\n")
    code, said = _refused(installed, tmp_path)
    assert code == 78
    assert [line.split(": ")[0] for line in said] == ["mythos.yaml:2:3", "mythos.yaml:4:11"]
    assert "'listen'" in said[0]
    assert not (tmp_path / "mythos-data").exists()


def test_wrong_option(installed: Install, tmp_path: Path) -> None:
    """A wrong option is named and exits with 1."""
    run = installed.run(installed.twistd("-n", "mythos", "--telnt", "4000"), tmp_path)
    assert run.returncode == 1
    assert "telnt" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
