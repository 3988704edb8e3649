"""The commands of docs/deployment.md, run in a copy of the machine where they harm nothing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.copies import ROOT

_GUIDE: Final = (ROOT / "docs" / "deployment.md").read_text()
#: Each has a title of its own.
_BLOCKS: Final = re.findall(r"^```sh\n(.*?)^```$", _GUIDE, re.MULTILINE | re.DOTALL)
#: Programs that change more than files, or that other tests run: here they only have to be called.
_CALLED: Final = tuple(
    "apt-get aws chown docker gcloud haproxy kubectl nginx openssl opt/mythos/bin/pip opt/mythos/bin/twistd promtool"
    " python3 supervisorctl systemctl ufw useradd".split()
)
_FOLDERS: Final = tuple(
    "bin etc/default etc/grafana/provisioning etc/haproxy etc/logrotate.d etc/mythos/tls etc/nginx etc/pgbouncer"
    " etc/prometheus etc/supervisor/conf.d etc/systemd/system opt/mythos/bin var/lib var/log".split()
)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A root directory with what a machine has before, and programs that do nothing."""
    for folder in _FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
    for name in ("fullchain.pem", "privkey.pem"):
        (tmp_path / "etc/mythos/tls" / name).write_text(name)
    for name in _CALLED:
        program = tmp_path / name if "/" in name else tmp_path / "bin" / name
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("block", _BLOCKS, ids=[block.split("\n")[0] for block in _BLOCKS])
def test_commands(machine: Path, block: str) -> None:
    """Each block runs to its end: the files that it copies are there, and so are the places where they go."""
    owner = f"-o {os.getuid()} -g {os.getgid()}"
    here = re.sub(r"(?<=[ =\n])/(?=etc/|opt/|var/|usr/)", f"{machine}/", "\n" + re.sub(r"-o \w+ -g \w+", owner, block))
    path = f"{machine / 'bin'}:{os.environ['PATH']}"
    run = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", here], cwd=ROOT, env={"PATH": path}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_every_file_is_told_of() -> None:
    """Each file in etc stands in the guide, by its name or by that of its folder; and what it names is there."""
    named = {one.rstrip("/.") for one in re.findall(r"(?:(?<=\.\./)|(?<![\w/]))etc/[\w./-]*", _GUIDE)}
    files = {path for path in (ROOT / "etc").rglob("*") if path.is_file()}
    told = {ROOT / one for one in named}
    assert {path for path in files if not told & {path, *path.parents}} == set()
    assert {path for path in told if not path.exists()} == set()
