"""The text of the Dockerfile: an image needs an engine, its promises do not."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import PurePosixPath

from mythos.config import options
from tests.packaging.installs import ROOT


def _instructions() -> list[tuple[str, str]]:
    """Instruction and arguments of each line, continued lines joined, without comments."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in text.splitlines() if line)]


def _last_stage() -> dict[str, str]:
    """The instructions of the stage that becomes the image, by name; the last of each."""
    found = _instructions()
    start = max(at for at, (word, _) in enumerate(found) if word == "FROM")
    return dict(found[start:])


def test_stages() -> None:
    """What builds the server is not in the image that runs it."""
    stages = [rest.split(" AS ") for word, rest in _instructions() if word == "FROM"]
    assert len(stages) >= 2
    assert {image for image, _name in stages} == {"python:3.11-slim-bookworm"}
    assert "pip" not in " ".join(_last_stage().values())


def test_not_root() -> None:
    """The server runs as a user that the image makes."""
    user = _last_stage()["USER"]
    assert user not in ("root", "0")
    assert re.search(rf"useradd .*\b{user}\b", _last_stage()["RUN"])


def test_health_check() -> None:
    """Docker asks for life, which touches nothing else, and needs no curl for it."""
    check = _last_stage()["HEALTHCHECK"]
    program, flag, code = json.loads(check[check.index("CMD") + 3 :])
    assert (program, flag) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    assert "http://127.0.0.1:8000/health/live" in code


def test_habits() -> None:
    """What hadolint asks for: bases with a version, absolute places, lists as commands, nothing fetched or piped."""
    for word, rest in _instructions():
        assert word != "ADD"
        if word == "FROM":
            assert re.search(r":[\w.]*\d", rest.split()[0])
        if word in ("WORKDIR", "VOLUME"):
            assert rest.startswith("/")
        if word in ("CMD", "ENTRYPOINT"):
            json.loads(rest)
        if word == "RUN":
            assert not re.search(r"\bsudo\b|\bcurl\b|\bwget\b|\|(?!\|)|\bapt\b", rest)
            assert "pip" not in rest or "--no-cache-dir" in rest


def test_plugin_cache() -> None:
    """Twisted's plugin cache is written while the image is built, after the install."""
    runs = [rest for word, rest in _instructions() if word == "RUN"]
    (install,) = (at for at, run in enumerate(runs) if "pip install" in run)
    (cache,) = (at for at, run in enumerate(runs) if "twistd --help" in run)
    assert install < cache


def test_no_secrets() -> None:
    """No secret is baked in, and no file that might hold one reaches the build."""
    named = [rest for word, rest in _instructions() if word in ("ENV", "ARG")]
    assert not re.search(r"(?i)secret|password|token|key|_url", " ".join(named))
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert next(line for line in ignored if line and not line.startswith("#")) == "*"


def test_what_is_copied_is_there() -> None:
    """Everything that the build copies is in the checkout and not kept from it."""
    copies = [shlex.split(rest) for word, rest in _instructions() if word == "COPY"]
    sources = {source for copy in copies if not copy[0].startswith("--from") for source in copy[:-1]}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert sources == allowed
    assert all((ROOT / PurePosixPath(source)).exists() for source in sources)


def test_command() -> None:
    """The command starts the server in the foreground, with options that it has."""
    command = json.loads(_last_stage()["CMD"])
    assert command[0] == "twistd"
    own = [word for word in command[command.index("mythos") + 1 :] if word.startswith("--")]
    assert set(own) <= {f"--{option.name}" for option in options()}
    assert command[command.index("--data") + 1] == _last_stage()["VOLUME"]
