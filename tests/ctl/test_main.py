"""``mythosctl`` without a server: its help, its version, fsck."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mythos import __version__
from mythos.store.migrate import migrate
from mythos.store.sqlite import connect
from tests.ctl.conftest import Run


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_version(run: Run, words: list[str]) -> None:
    result = run(*words)
    assert result.exit_code == 0
    assert __version__ in result.stdout


#: Every command, what stands in its usage, and options of its own.
HELP = (
    ("account", "COMMAND [ARGS]", ()),
    ("account create", "NAME", ("--keeper",)),
    ("account delete", "NAME", ("--now", "--dry-run", "--yes")),
    ("account export", "NAME FILE", ()),
    ("account keep", "NAME", ()),
    ("account list", "", ()),
    ("account lock", "NAME", ("--reason",)),
    ("account passwd", "NAME", ("--yes",)),
    ("account role", "NAME {player|keeper}", ()),
    ("account show", "NAME", ()),
    ("account unlock", "NAME", ()),
    ("audit", "", ("--lines",)),
    ("backup", "[DIR]", ("--encrypt", "--keep", "--no-verify", "--data", "--json")),
    ("ban", "{address|account|name} WHAT", ("--for", "--reason", "--dry-run")),
    ("bans", "", ()),
    ("bots", "COUNT", ("--minutes", "--against", "--telnet", "--doors", "--pace", "--json")),
    ("breaker", "COMMAND [ARGS]", ()),
    ("breaker list", "", ()),
    ("breaker reset", "NAME", ()),
    ("broadcast", "TEXT", ()),
    ("cache", "COMMAND [ARGS]", ()),
    ("cache clear", "NAMESPACE", ("--yes",)),
    ("cache show", "", ()),
    ("completion", "{bash|zsh|fish}", ()),
    ("config", "COMMAND [ARGS]", ()),
    ("db", "COMMAND [ARGS]", ()),
    ("db downgrade-check", "SCHEMA", ("--data", "--json")),
    ("db vacuum", "", ("--data", "--json")),
    ("doctor", "", ("--data", "--json")),
    ("drain", "", ("--message", "--timeout")),
    ("fsck", "", ("--data", "--json")),
    ("gateway", "COMMAND [ARGS]", ()),
    ("gateway keys", "COMMAND [ARGS]", ()),
    ("gateway keys create", "MUD", ("--permissions", "--rate", "--allow", "--deny")),
    ("gateway keys list", "", ()),
    ("gateway keys revoke", "ID", ("--yes",)),
    ("gateway keys rotate", "ID", ("--overlap",)),
    ("health", "", ()),
    ("jobs", "COMMAND [ARGS]", ()),
    ("jobs delete", "[ID]", ("--all", "--yes")),
    ("jobs list", "", ()),
    ("jobs replay", "[ID]", ("--all",)),
    ("jobs show", "ID", ()),
    ("kick", "NAME", ("--reason", "--dry-run")),
    ("logs", "", ("--follow", "--lines", "--player")),
    ("memory", "", ("--types",)),
    ("metrics", "[NAME]", ()),
    ("mute", "NAME", ("--for", "--reason")),
    ("reload", "[config|tls|world]", ("--dry-run",)),
    ("restore", "FILE", ("--key", "--replace", "--dry-run", "--yes", "--data", "--json")),
    ("resume", "", ()),
    ("session", "NAME", ()),
    ("shutdown", "", ("--in", "--reason", "--dry-run", "--yes")),
    ("status", "", ()),
    ("token", "COMMAND [ARGS]", ()),
    ("token create", "NAME", ("--rights", "--for")),
    ("token list", "", ()),
    ("token revoke", "ID", ("--yes",)),
    ("top", "", ("--every",)),
    ("unban", "{address|account|name} WHAT", ()),
    ("unmute", "NAME", ()),
    ("upgrade", "", ("--timeout", "--yes")),
    ("verify", "FILE", ("--key", "--json")),
    ("version", "", ("--json",)),
    ("who", "", ()),
    ("world", "COMMAND [ARGS]", ()),
)
#: These ask no server.
ALONE = ("backup", "bots", "completion", "config", "db", "doctor", "fsck", "restore", "verify", "version", "world")


@pytest.mark.parametrize(("command", "usage", "options"), HELP, ids=[command for command, *_ in HELP])
def test_help(run: Run, command: str, usage: str, options: tuple[str, ...]) -> None:
    """What it is given, and its options; whatever asks a server can be told which, and how to answer."""
    result = run(*command.split(), "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{command} [OPTIONS] {usage}".strip() in " ".join(result.stdout.split())
    group = usage.startswith("COMMAND")
    asks = not group and command.split()[0] not in ALONE
    everywhere = ("--data", "--url", "--token-file", "--json", "--plain") if asks else ()
    for option in (*options, *everywhere):
        assert option in result.stdout


def test_every_command_is_listed(run: Run) -> None:
    """With what it does, in one line that is not cut."""
    listed = re.findall(r"^  ([a-z]+)  +(\S.*)", run("--help").stdout, re.MULTILINE)
    assert [name for name, _ in listed] == [command for command, *_ in HELP if " " not in command]
    for _, does in listed:
        assert not does.endswith("...")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert "_MYTHOSCTL_COMPLETE" in result.stdout


def test_completion_of_words(run: Run) -> None:
    """What the shell's function asks, and what it gets."""
    asked = {"_MYTHOSCTL_COMPLETE": "bash_complete", "COMP_WORDS": "mythosctl sh", "COMP_CWORD": "1"}
    done = subprocess.run(
        [Path(sys.executable).with_name("mythosctl")], env={**os.environ, **asked}, capture_output=True, text=True
    )
    assert done.stdout.split() == ["plain,shutdown"]


def store(path: Path, *sql: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    database = connect(str(path))
    migrate(database)
    for statement in sql:
        database.execute(statement)
    database.close()
    return path


def test_fsck_of_a_sound_store(run: Run, tmp_path: Path) -> None:
    path = store(tmp_path / "mythos-data" / "mythos.db")
    before = path.read_bytes()
    result = run("fsck")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{path} is sound: I0, I1, I2, I3, I4, I5, I6, I7 hold.\n"
    assert json.loads(run("fsck", "--json").stdout) == {"ok": True, "problems": []}
    assert path.read_bytes() == before


def test_fsck_of_a_broken_store(run: Run, tmp_path: Path) -> None:
    """Each violation is a line; what it breaks is said once."""
    store(tmp_path / "d" / "mythos.db", "INSERT INTO balance VALUES ('t:inn', 'gold', 5, 0)")
    result = run("fsck", "--data", "d")
    assert (result.exit_code, result.stdout) == (1, "I2: t:inn has 5 gold, by the ledger 0\n")
    assert result.stderr.splitlines()[1:] == ["I2: each balance is the sum of its lines"]
    as_json = run("fsck", "--data", "d", "--json")
    problem = {"invariant": "I2", "message": "t:inn has 5 gold, by the ledger 0"}
    assert (as_json.exit_code, json.loads(as_json.stdout)) == (1, {"ok": False, "problems": [problem]})


def test_fsck_of_the_configured_store(run: Run, tmp_path: Path) -> None:
    """The database need not be in the data directory."""
    path = store(tmp_path / "other" / "world.db")
    result = run("fsck", DATABASE_URL=f"sqlite:///{path}")
    assert (result.exit_code, result.stdout.split(" is ")[0]) == (0, str(path))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        ("nothing", "name the server's data directory with --data DIR."),
        ("text", "mythos.db is no database of SQLite: name another file"),
        ("directory", "mythos.db is a directory, and no database of SQLite: name another file"),
    ],
)
def test_fsck_of_no_store(run: Run, tmp_path: Path, make: str, said: str) -> None:
    path = tmp_path / "mythos-data" / "mythos.db"
    path.parent.mkdir()
    if make == "text":
        path.write_text("something else entirely\n" * 100)
    elif make == "directory":
        path.mkdir()
    result = run("fsck")
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert path.exists() == (make != "nothing")


def test_fsck_of_memory(run: Run) -> None:
    result = run("fsck", DATABASE_URL="memory:")
    assert result.exit_code == 1
    assert result.stderr == "The configuration keeps everything in memory: there is no store to check.\n"
