"""What the tests' own rules catch, seen from outside: small suites run by a pytest of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from tests.packaging.installs import ROOT

#: In one process, and as the README says it.
_WAYS = pytest.mark.parametrize("way", [(), ("-n", "2", "--dist", "loadfile")], ids=["one", "two"])


def _suite(folder: Path, text: str, way: tuple[str, ...] = (), **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `text` as the only test module beside this conftest, where no program of the machine is to be found."""
    tests = folder / "tests"
    tests.mkdir()
    (tests / "house").mkdir()
    for name in (
        *("__init__.py", "conftest.py", "services.py", "postgres.py", "redis.py", "not_installable.txt"),
        *("house/__init__.py", "house/server.py"),
    ):
        shutil.copy(ROOT / "tests" / name, tests / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (tests / "test_it.py").write_text(dedent(text))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MYTHOS_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *way],
        cwd=folder,
        env={**kept, "PATH": str(folder), "MYTHOS_TEST_INSTALL": "0", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


_MISSING = """
    import pytest

    def test_runs(): ...
    def test_browser(chromium): ...
    def test_client(tintin): ...
    def test_whim():
        pytest.skip("no wish to")
    """


@_WAYS
def test_not_run_is_said_last(tmp_path: Path, way: tuple[str, ...]) -> None:
    """The last line says what did not run and what would make it run; the run is good all the same."""
    run = _suite(tmp_path, _MISSING, way)
    assert run.stdout.splitlines()[-1] == (
        "1 passed · NOT RUN: 1 TinTin++ (apt-get install tintin++), 1 browser (apt-get install chromium), 1 no wish to"
    )
    assert run.returncode == 0


@_WAYS
def test_not_run_fails_when_required(tmp_path: Path, way: tuple[str, ...]) -> None:
    """With MYTHOS_TEST_REQUIRE=all the same run is a failure."""
    run = _suite(tmp_path, _MISSING, way, MYTHOS_TEST_REQUIRE="all")
    assert run.stdout.splitlines()[-1].endswith("1 no wish to · which MYTHOS_TEST_REQUIRE=all forbids")
    assert run.returncode == 1


@_WAYS
def test_a_module_that_skips_itself_is_counted(tmp_path: Path, way: tuple[str, ...]) -> None:
    """A module skipped as a whole does not slip through."""
    run = _suite(tmp_path, "import pytest\npytest.importorskip('no_such_module')", way, MYTHOS_TEST_REQUIRE="all")
    assert "NOT RUN: 1 could not import 'no_such_module'" in run.stdout.splitlines()[-1]
    assert run.returncode == 1


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ("reactor.callLater(60, print)", "left in the reactor"),
        ("Deferred().errback(ZeroDivisionError())", "ZeroDivisionError"),
        ("fail(ZeroDivisionError()).addCallback(print)", "ZeroDivisionError"),
        ("Logger().critical('the roof is on fire')", "the roof is on fire"),
        ("wait()", "was never awaited"),
    ],
)
def test_left_behind(tmp_path: Path, left: str, said: str) -> None:
    """A test that leaves a delayed call, an unhandled error or a coroutine behind fails, and the next one does not."""
    text = f"""
        from twisted.internet import reactor
        from twisted.internet.defer import Deferred, fail
        from twisted.logger import Logger

        async def wait(): ...

        async def test_leaves():
            {left}

        async def test_next(): ...
        """
    run = _suite(tmp_path, text)
    assert said in run.stdout
    assert "2 passed, 1 error" in run.stdout or "1 failed, 1 passed" in run.stdout
    assert run.returncode == 1


def test_what_is_not_left_behind(tmp_path: Path) -> None:
    """Calls of no delay get their turn, and a failure that the test expected is taken out by it."""
    text = """
        from twisted.internet import reactor
        from twisted.internet.defer import fail
        from twisted.trial.unittest import SynchronousTestCase

        async def test_soon():
            reactor.callLater(0, reactor.callLater, 0, print)

        async def test_expected(failures):
            fail(ZeroDivisionError())
            assert len(failures.flush(ZeroDivisionError)) == 1

        class TrialTests(SynchronousTestCase):
            def test_expected(self):
                fail(ZeroDivisionError())
                self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        """
    run = _suite(tmp_path, text)
    assert run.returncode == 0, run.stdout
