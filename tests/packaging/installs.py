"""Installs to test: a fresh environment over the packages of this one, and a server started from it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "Install", "serving"]

ROOT: Final = Path(__file__).parents[2]
_TWISTD: Final = "from twisted.scripts.twistd import run; run()"
#: Seconds that a start may take, and a stop, on a busy machine.
_PATIENCE: Final = 60


@dataclass(frozen=True, slots=True)
class Install:
    """An environment of its own that sees this one's packages, but nothing that is only linked into it."""

    path: Path

    @classmethod
    def fresh(cls, path: Path) -> Install:
        venv.create(path, symlinks=True)
        made = cls(path)
        (made.packages / "below.pth").write_text(sysconfig.get_path("purelib") + "\n")
        return made

    @property
    def packages(self) -> Path:
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.path), "platbase": str(self.path)}))

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    def add(self, *what: str | Path) -> None:
        """Install with pip, without dependencies and without the network."""
        pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", self.python, "-q", "install"]
        offline = ["--no-deps", "--no-index", "--no-build-isolation", "--ignore-installed"]
        _checked([*pip, *offline, *what], cwd=self.path)

    def where(self, module: str) -> Path:
        """The file that ``module`` is imported from."""
        code = f"import {module}; print({module}.__file__)"
        return Path(_checked([self.python, "-P", "-c", code], cwd=self.path).strip())

    def twistd(self, *arguments: str | Path) -> list[str | Path]:
        """The command line of this install's twistd."""
        return [self.python, "-P", "-c", _TWISTD, *arguments]

    def run(
        self, command: Sequence[str | Path], cwd: Path, environ: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run to its end, in a clean environment with ``environ``."""
        return subprocess.run(
            command, cwd=cwd, env=_clean(environ or {}), capture_output=True, text=True, timeout=_PATIENCE
        )


def _clean(more: Mapping[str, str]) -> dict[str, str]:
    """This process' environment without what configures a server, so that only ``more`` does."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **more}


def _checked(command: Sequence[str | Path], cwd: Path) -> str:
    run = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@contextmanager
def serving(
    command: Sequence[str | Path], cwd: Path, data: Path, environ: Mapping[str, str] | None = None
) -> Iterator[dict[str, int]]:
    """Run a server until the block ends; gives the ports that it wrote to ``ports.json`` in its data directory."""
    log = cwd / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=cwd, env=_clean(environ or {}), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield _ports(process, data / "ports.json", log)
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def _ports(process: subprocess.Popen[bytes], file: Path, log: Path) -> dict[str, int]:
    end = time.monotonic() + _PATIENCE
    while not file.exists():
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            assert time.monotonic() < end, f"no {file.name} after {_PATIENCE} s\n{log.read_text()}"
        else:
            raise AssertionError(f"the server ended with {process.returncode}\n{log.read_text()}")
    found: dict[str, int] = json.loads(file.read_text())
    return found
