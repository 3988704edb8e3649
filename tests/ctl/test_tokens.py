"""Operators who are elsewhere: over HTTPS with a token, as much as it allows, and all of it in the audit log."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ctl.conftest import Run
from tests.ctl.test_server import CTL, ctl
from tests.house.server import Server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("tokens") / "data", env={"RATE_LIMIT_ENABLED": "no"}) as running:
        yield running


def token(server: Server, name: str, *words: str) -> Path:
    """A file with a new one."""
    made = json.loads(ctl(server, "token", "create", name, *words, "--json"))
    path = server.data.parent / str(made["id"])
    path.touch(mode=0o600)
    path.write_text(made["token"] + "\n")
    return path


def elsewhere(server: Server, path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    asked = [CTL, *words, "--url", server.url("/"), "--token-file", str(path)]
    return subprocess.run(asked, capture_output=True, text=True, timeout=30, cwd=path.parent, check=False)


def test_rights(server: Server) -> None:
    """A token orders what it may, and no more; what it ordered, and what it tried, stands in the log."""
    look, people = token(server, "grafana"), token(server, "moderators", "--rights", "look,people")
    assert elsewhere(server, look, "who").stdout == "Nobody plays.\n"
    refused = elsewhere(server, look, "ban", "name", "Voldemort")
    assert (refused.returncode, refused.stderr) == (4, "That needs the right 'people'; this token has: look.\n")
    assert elsewhere(server, people, "ban", "name", "Voldemort").returncode == 0
    for words in (["shutdown"], ["account", "role", "ann", "keeper"], ["token", "create", "more"], ["audit"]):
        assert elsewhere(server, people, *words).returncode == 4
    entries = json.loads(ctl(server, "audit", "--json"))["entries"]
    found = [(one["who"].partition(" from")[0], one["order"], one["outcome"]) for one in entries]
    assert (f"{look.name} grafana", "ban", "not allowed") in found
    assert (f"{people.name} moderators", "ban", "ordered") in found
    assert (f"{people.name} moderators", "shutdown", "not allowed") in found
    assert ("the control socket", "token-create", "ordered") in found
    assert "name Voldemort" in next(one["about"] for one in entries if one["order"] == "ban")
    assert server.running


def test_secrets_are_kept(server: Server) -> None:
    """No token and no password stands in a file, nor in a log; the files are their owner's."""
    path = token(server, "short", "--for", "1h")
    ctl(server, "account", "create", "zoe", stdin="correct horse\n")
    elsewhere(server, path, "who")
    for name in ("control-tokens.json", "audit.log"):
        kept = server.data / name
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert path.read_text().strip() not in kept.read_text()
        assert "correct horse" not in kept.read_text()
    assert path.read_text().strip() not in server.log.read_text()


def test_revoked(server: Server) -> None:
    path = token(server, "gone")
    assert path.name in ctl(server, "token", "list")
    assert ctl(server, "token", "revoke", path.name) == f"{path.name} (gone) is revoked.\n"
    refused = elsewhere(server, path, "who")
    assert (refused.returncode, "That token is not good" in refused.stderr) == (4, True)
    assert path.name not in ctl(server, "token", "list").split(":")


def test_a_restart(tmp_path: Path) -> None:
    """Tokens are good after it, even after a kill."""
    with Server(tmp_path / "data") as server:
        path = token(server, "monitor")
        server.kill()
        server.start()
        assert elsewhere(server, path, "status").returncode == 0


def test_guesses_are_slowed(server: Server, tmp_path: Path) -> None:
    """Who guesses has to wait; a good token is heeded all the same."""
    good, wrong = token(server, "good"), tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("nothing\n")
    said = [elsewhere(server, wrong, "who").stderr for _ in range(12)]
    assert "That token is not good" in said[0]
    assert "Too many at once" in said[-1]
    assert elsewhere(server, good, "who").returncode == 0


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--url", "http://mud.example.org"], 2, "would be overheard"),
        (["--url", "ftp://mud.example.org"], 2, "is no address of a server"),
        (["--url", "https://mud.example.org:port"], 2, "is no address of a server"),
        (["--url", "http://127.0.0.1:1"], 2, "wants a token"),
        (["--url", "http://127.0.0.1:1", "--token-file", "good"], 3, "cannot be reached"),
        (["--url", "http://127.0.0.1:1", "--token-file", "open"], 1, "chmod 600 open"),
        (["--url", "http://127.0.0.1:1", "--token-file", "nowhere"], 1, "cannot be read: No such file"),
        (["--url", "http://127.0.0.1:1", "--data", "d"], 2, "name two servers"),
    ],
)
def test_what_cannot_be_asked(run: Run, words: list[str], code: int, said: str) -> None:
    for name, mode in (("good", 0o600), ("open", 0o644)):
        Path(name).write_text("a\n")
        Path(name).chmod(mode)
    result = run("who", *words)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr


def test_by_variables(run: Run, server: Server) -> None:
    """The same as by options; the configuration, which is not asked then, takes them for what they are."""
    env = {"MYTHOS_URL": server.url("/"), "MYTHOS_TOKEN_FILE": str(token(server, "variables"))}
    assert run("who", **env).stdout == "Nobody plays.\n"
    assert run("config", "check", **env).exit_code == 0
    assert run("who", "--data", "nowhere", **env).exit_code == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--rights", "everything"], "one or more of these rights"),
        (["--for", "0s"], "a year at most"),
    ],
)
def test_no_token(server: Server, words: list[str], said: str) -> None:
    asked = [CTL, "token", "create", "x", *words, "--data", str(server.data)]
    result = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
    assert (result.returncode, said in result.stderr) == (4, True)
