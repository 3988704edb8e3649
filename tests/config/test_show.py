"""The commented file, and ``mythosctl config``."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mythos.config import options, shown, template
from mythos.config.model import DECLARED
from mythos.ctl.config import config
from tests.config.reading import mistakes, read

ROOT = Path(__file__).parents[2]


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[CliRunner]:
    """In an empty directory, without the settings of the machine."""
    names = [name for setting in DECLARED.settings() for name in setting.names]
    with contextlib.chdir(tmp_path):
        yield CliRunner(env=dict.fromkeys([*names, "MYTHOS_CONFIG", "MYTHOS_ENV_FILE"]))


def run(runner: CliRunner, *words: str, **env: str) -> Result:
    return runner.invoke(config, words, env=env)


def test_the_shipped_file_is_the_template() -> None:
    assert (ROOT / "etc/mythos.yaml").read_text(encoding="utf-8") == template()


def test_the_template_changes_nothing() -> None:
    assert read(template()).config == read().config


def test_the_template_without_comments_is_the_default() -> None:
    """Every line can be used by removing '# ', and says what holds anyway."""
    text = re.sub(r"(?m)^( *)# ([a-z_]+:)(?= |$)(?!.*[;,])", r"\1\2", template())
    text = re.sub(r"(?m)^( *)(variable|default|default by size):.*\n", "", text)
    loaded = read(text)
    assert loaded.config == read().config
    assert str(loaded.sources["telnet.listen"]).startswith("mythos.yaml:")


def test_every_key_is_in_the_template() -> None:
    for setting in DECLARED.settings():
        assert re.search(rf"(?m)^ *# {setting.name}{'_file' if setting.secret else ''}:", template()), setting.key
        assert setting.help in template()


def test_what_is_shown_can_be_read() -> None:
    """Values are shown as they can be written."""
    for part in shown(read(options={"public": "yes"})):
        known = {setting.key: setting for setting in DECLARED.settings()}[part.key]
        if not known.secret:
            env = {"MYTHOS_" + part.key.upper().replace(".", "_"): part.value}
            assert mistakes(env=env) == []
            assert {again.key: again.value for again in shown(read(env=env))}[part.key] == part.value


def test_options_are_those_of_the_server() -> None:
    assert [option.name for option in options()] == [
        "config", "env-file", "debug", "public", "roles", "data", "world", "telnet", "http", "metrics", "log-level",
        "log-format", "profile-memory", "i3-router", "private", "gateway",
    ]  # fmt: skip
    assert [option.name for option in options() if not option.metavar] == [
        "debug", "public", "profile-memory", "i3-router", "private",
    ]  # fmt: skip
    assert {option.letter: option.name for option in options() if option.letter} == {"c": "config", "e": "env-file"}


def test_init_writes_and_never_overwrites(runner: CliRunner) -> None:
    assert run(runner, "init").exit_code == 0
    assert Path("mythos.yaml").read_text(encoding="utf-8") == template()
    Path("mythos.yaml").write_text("mine", encoding="utf-8")
    again = run(runner, "init")
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == "mythos.yaml is already there; it stays as it is.\n"
    assert Path("mythos.yaml").read_text(encoding="utf-8") == "mine"


def test_check(runner: CliRunner) -> None:
    good = run(runner, "check", ARCHIVE_BACKEND="s3")
    assert (good.exit_code, good.stdout) == (0, "The configuration is good.\n")
    assert good.stderr == "Accepted, without effect, as this version does not have an archive: ARCHIVE_BACKEND.\n"
    Path("other.yaml").write_text("debug: x\nsize: y\n", encoding="utf-8")
    bad = run(runner, "check", "-c", "other.yaml")
    assert (bad.exit_code, bad.stdout) == (1, "")
    assert bad.stderr.splitlines() == [
        "other.yaml:1:8: error: expected yes or no, not 'x'",
        "other.yaml:2:7: error: expected one of small, medium, large, enterprise, not 'y'",
    ]
    report = json.loads(run(runner, "check", "--config", "other.yaml", "--json").stdout)
    assert report["ok"] is False
    assert report["problems"][0] == {
        "path": "other.yaml", "line": 1, "column": 8, "message": "expected yes or no, not 'x'",
    }  # fmt: skip


def test_check_names_what_production_refuses(runner: CliRunner) -> None:
    result = run(runner, "check", "--public", DEBUG="yes")
    assert result.exit_code == 1
    assert "debug (DEBUG) is on: turn it off." in result.stderr.splitlines()


def test_show_masks_secrets(runner: CliRunner) -> None:
    Path("key").write_text("hush-hush", encoding="utf-8")
    for words in (["show"], ["show", "--source"], ["show", "--json"], ["show", "--json", "--source"]):
        result = run(runner, *words, SECRET_KEY="hush-hush", SECRET_KEY_PREVIOUS_FILE="key")
        assert result.exit_code == 0
        assert "hush" not in result.output
        assert result.stdout.count("********") == 2


def test_show(runner: CliRunner) -> None:
    shown = run(runner, "show", "telnet.listen", "limits.player", "limits.connections", "--source", "--telnet", "4001")
    assert shown.stdout.splitlines() == [
        "telnet.listen: tcp:4001:interface=127.0.0.1  # --telnet",
        "limits.connections: 100  # preset small",
        "limits.player.per_minute: 1200  # default",
        "limits.player.burst: 40  # default",
    ]
    assert json.loads(run(runner, "show", "size", "--json").stdout) == {"size": "small"}
    assert run(runner, "show", "--public", "size").stdout == "size: medium\n"


def test_wrong_usage(runner: CliRunner) -> None:
    assert run(runner, "show", "--nothing").exit_code == 2
    unknown = run(runner, "show", "telnet.lisen")
    assert unknown.exit_code == 2
    assert "there is no setting telnet.lisen; did you mean 'telnet.listen'?" in unknown.stderr


def test_show_of_a_wrong_configuration(runner: CliRunner) -> None:
    result = run(runner, "show", MUD_PORT="x")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("MUD_PORT: error: ")
