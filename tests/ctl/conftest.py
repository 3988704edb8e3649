"""``mythosctl`` in an empty directory, without the settings of the machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mythos.config.model import DECLARED
from mythos.ctl.main import main
from tests.ctl.stub import Stub

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs it with words, standard input and variables; whatever happens, it ends without a traceback."""
    names = [name for setting in DECLARED.settings() for name in setting.names]
    runner = CliRunner(env=dict.fromkeys([*names, "MYTHOS_CONFIG", "MYTHOS_ENV_FILE"]))

    def invoke(*words: str, stdin: str = "", **env: str) -> Result:
        result = runner.invoke(main, words, input=stdin, env=env)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    with contextlib.chdir(tmp_path):
        yield invoke


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[Stub]:
    """A server's socket where ``mythosctl`` looks for it when nothing says otherwise."""
    with Stub(tmp_path / "mythos-data") as server:
        yield server
