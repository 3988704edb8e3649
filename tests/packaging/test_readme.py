"""The README holds its promises: its commands are these, its options exist, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from mythos.config import options
from mythos.tap import CHECKS
from tests.packaging.installs import ROOT, Install

_RUN = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/twistd -n mythos"
_TEST = 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/python -m pytest -n 2 --dist loadfile'
#: Lines that fit on the first screen.
_SCREEN = 24
_README = (ROOT / "README.md").read_text()


def _commands(text: str) -> list[str]:
    blocks: list[str] = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def test_two_lines_on_the_first_screen() -> None:
    """The two commands that run everything stand first, word for word."""
    assert _commands("\n".join(_README.splitlines()[:_SCREEN])) == [_RUN, _TEST]


def test_length() -> None:
    """Everything that takes more than 200 lines is in docs."""
    assert len(_README.splitlines()) <= 200


def test_links() -> None:
    """Every file that the README names by a link is there."""
    targets = [target for target in re.findall(r"\]\(([^)#]+)", _README) if "://" not in target]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_options_of_the_server() -> None:
    """The table names every option of ``twistd mythos``, and the commands use no other."""
    known = {f"--{name}" for name in (*CHECKS, *(option.name for option in options()))}
    cells = [line.split("|")[1] for line in _README.splitlines() if line.startswith("| `--")]
    assert {word for cell in cells for word in re.findall(r"--[\w-]+", cell)} == known
    used = {word for line in _commands(_README) if "twistd" in line for word in line.split() if word.startswith("--")}
    assert used - {"--pidfile="} <= known  # which is twistd's own


@pytest.mark.parametrize("line", [line for line in _commands(_README) if "mythosctl" in line])
def test_mythosctl(installed: Install, tmp_path: Path, line: str) -> None:
    """Every ``mythosctl`` command of the README is one of the installed program, with its options."""
    words = shlex.split(line)
    run = installed.run([installed.path / "bin" / "mythosctl", *words[1:], "--help"], tmp_path)
    assert run.returncode == 0, run.stderr
    named = {word for word in words if word.startswith("--")}
    assert named <= set(re.findall(r"--[\w-]+", run.stdout))


def test_the_check_runs_the_test_line() -> None:
    """CI runs the README's own line, and finds it."""
    (pattern,) = re.findall(r"grep -m 1 -E '([^']+)' README.md", (ROOT / ".ci" / "run").read_text())
    assert [line for line in _README.splitlines() if re.search(pattern, line)] == [_TEST]
