"""One build of the checkout, and the ways to install it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.installs import ROOT, Install

#: What a checkout holds; nothing that a build, a test or a server leaves in it.
_CHECKOUT = (
    *("LICENSE", "MANIFEST.in", "README.md", "CHANGELOG.md", "Dockerfile", "mythos.tac", "pyproject.toml", "setup.cfg"),
    *("mythos", "twisted", "tests", "bench", "docs", "etc"),
)


@dataclass(frozen=True, slots=True)
class Built:
    """What ``python -m build`` makes."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout in which a server has been run: Twisted left its plugin cache there."""
    there = tmp_path_factory.mktemp("checkout")
    for name in _CHECKOUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, there / name, ignore=shutil.ignore_patterns("__pycache__", "dropin.cache"))
        else:
            shutil.copy(ROOT / name, there)
    (there / "twisted" / "plugins" / "dropin.cache").write_bytes(b"stale")
    return there


@pytest.fixture(scope="session")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The one build: the source archive, and the wheel made from it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(checkout)]
    run = subprocess.run(command, cwd=out, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    (sdist,), (wheel,) = out.glob("*.tar.gz"), out.glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """The wheel, installed."""
    made = Install.fresh(tmp_path_factory.mktemp("installed"))
    made.add(built.wheel)
    return made


@pytest.fixture(scope="session")
def editable(checkout: Path, built: Built, tmp_path_factory: pytest.TempPathFactory) -> Install:
    """The checkout, installed as developers do; after the build, which reads the same directory."""
    made = Install.fresh(tmp_path_factory.mktemp("editable"))
    made.add("--editable", checkout)
    (checkout / "twisted" / "plugins" / "dropin.cache").unlink()
    return made


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Install:
    """The packages Mythos needs, without Mythos."""
    return Install.fresh(tmp_path_factory.mktemp("bare"))
