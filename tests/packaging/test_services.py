"""Programs that tests drive: found, installed once, and reported when missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import services
from tests.services import NotRun, Service, exempt, find, install, may_install

_PROBE = Service("probe", "probing", ("probe", "probe2"), ("probe-tools",))


def _program(path: Path, text: str = "") -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_found_on_the_path(tmp_path: Path) -> None:
    """The first of its names that is on the path is taken."""
    second = _program(tmp_path / "probe2")
    environ = {"PATH": str(tmp_path)}
    assert find(_PROBE, environ) == second
    first = _program(tmp_path / "probe")
    assert find(_PROBE, environ) == first


def test_variable_wins(tmp_path: Path) -> None:
    """The variable wins over the path, and one that names nothing is a mistake, not a missing program."""
    _program(tmp_path / "probe")
    other = _program(tmp_path / "elsewhere" / "mine")
    environ = {"PATH": str(tmp_path), "MYTHOS_TEST_PROBE": str(other)}
    assert find(_PROBE, environ) == other
    other.unlink()
    with pytest.raises(FileNotFoundError, match="MYTHOS_TEST_PROBE"):
        find(_PROBE, environ)


def test_who_may_install(tmp_path: Path) -> None:
    """Only root installs, only with apt, and not when it is forbidden."""
    environ = {"PATH": str(tmp_path)}
    assert not may_install(environ, 0)
    _program(tmp_path / "apt-get")
    assert may_install(environ, 0)
    assert not may_install(environ, 1000)
    assert not may_install({**environ, "MYTHOS_TEST_INSTALL": "0"}, 0)


def _apt(folder: Path, work: str) -> dict[str, str]:
    """The environment of a machine whose apt-get notes its arguments and then does ``work``."""
    _program(folder / "apt-get", f'echo "$@" >> {folder}/asked\n{work}')
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_installed_with_apt(tmp_path: Path) -> None:
    """The lists are updated, the package is installed, and the one who waits is told before and after."""
    environ = _apt(tmp_path, f'case "$*" in *install*) touch {tmp_path}/probe; chmod +x {tmp_path}/probe;; esac')
    told: list[str] = []
    assert install(_PROBE, environ, tmp_path / "lock", told.append) == tmp_path / "probe"
    update, got = (tmp_path / "asked").read_text().splitlines()
    assert update.endswith(" update")
    assert got.endswith(" install -y --no-install-recommends probe-tools")
    assert told == ["apt-get install probe-tools (for the probing tests) ...", "apt-get install probe-tools: done"]


def test_installation_fails(tmp_path: Path) -> None:
    """What apt says last is passed on, and nothing is found."""
    environ = _apt(tmp_path, "echo noise >&2; echo 'E: Unable to locate package' >&2; exit 100")
    told: list[str] = []
    assert install(_PROBE, environ, tmp_path / "lock", told.append) is None
    assert told[-1] == "apt-get install probe-tools: E: Unable to locate package"


def test_another_run_was_faster(tmp_path: Path) -> None:
    """A program that another run installed while this one waited for the lock is not installed again."""
    environ = _apt(tmp_path, "")
    there = _program(tmp_path / "probe")
    assert install(_PROBE, environ, tmp_path / "lock", pytest.fail) == there
    assert not (tmp_path / "asked").exists()


def test_exemptions() -> None:
    """Exempt is what stands there by name; a name that is no service is a mistake."""
    assert exempt("# why\n\ntintin  not packaged\n") == {services.TINTIN.reason}
    with pytest.raises(ValueError, match="tt"):
        exempt("tt\n")


def test_the_list_of_this_checkout() -> None:
    """The list that ships names services only."""
    exempt(services.NOT_INSTALLABLE.read_text())


def _not_run(*reasons: str, allowed: frozenset[str] = frozenset(), required: bool = False) -> NotRun:
    noted = NotRun(allowed, required)
    for reason in reasons:
        noted.note(pytest.CollectReport("t", "skipped", ("t.py", 1, f"Skipped: {reason}"), None))
    return noted


def test_closing_line() -> None:
    """The line counts what did not run by its reason, with the command that would make it run."""
    noted = _not_run("a whim", *[services.CHROMIUM.reason] * 4)
    assert noted.closing({"failed": 0, "passed": 612}) == (
        "612 passed · NOT RUN: 1 a whim, 4 browser (apt-get install chromium)"
    )
    assert not noted.failures


def test_nothing_to_say() -> None:
    """When all ran, pytest's own line stays the last."""
    assert _not_run().closing({"passed": 612}) == ""


def test_required() -> None:
    """What did not run is a failure when all is required, but for what cannot be installed."""
    reasons = ["a whim", services.TINTIN.reason]
    assert _not_run(*reasons, required=True).failures == 2
    assert _not_run(*reasons, required=True, allowed=frozenset({services.TINTIN.reason})).failures == 1
