"""What somebody may do wrong, as data: how it is done, and what the answer must have in it."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.house.server import PATIENCE

__all__ = [
    "PYTHON",
    "ROOT",
    "Answer",
    "Do",
    "Wrong",
    "asked",
    "directory",
    "judge",
    "rows",
    "snapshot",
    "sqlite",
    "written",
]

ROOT: Final = Path(__file__).parents[2]
#: The process without what makes root more than others where files are concerned.
_AS_OTHERS: Final = "setpriv --bounding-set -dac_override,-dac_read_search,-net_bind_service".split()
_MOUNT: Final = 'mount -t tmpfs -o {how} none disk && cd "$PWD" || exit 99; exec "$@"'

#: Does something in the place where the program is going to run.
Do = Callable[[Path], object]


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that is wrong.

    :ivar says: what must stand in the answer, in this order: the thing, and the way out. ``{p}`` is the place
    :ivar do: what is done before
    :ivar words: on the command line; ``{p}`` is the place, as in ``env``
    :ivar code: how the program ends
    :ivar shell: words of a shell before the program: limits, redirections behind it as ``{}``
    :ivar disk: options of a file system that is mounted on ``disk``
    :ivar rights: without those that root has
    """

    name: str
    says: tuple[str, ...]
    do: Do = lambda place: None
    words: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    code: int = 78
    shell: str = ""
    disk: str = ""
    rights: bool = True

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str


def asked(program: Sequence[str], wrong: Wrong, place: Path) -> Answer:
    """Run a program in a place, without the settings of the machine."""
    given = {name: text.format(p=place) for name, text in wrong.env.items()}
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(place), **given}
    line = [*program, *(word.format(p=place) for word in wrong.words)]
    if wrong.shell:
        line = ["sh", "-c", wrong.shell.replace("{}", '"$@"').replace("{p}", str(place)), "sh", *line]
    if not wrong.rights and os.geteuid() == 0:
        line = [*_AS_OTHERS, *line]
    if wrong.disk:
        (place / "disk").mkdir()
        line = ["unshare", "--mount", "--map-root-user", "sh", "-c", _MOUNT.format(how=wrong.disk), "sh", *line]
    done = subprocess.run(line, cwd=place, env=env, capture_output=True, timeout=PATIENCE, check=False)
    if wrong.disk and done.returncode == 99:
        pytest.skip("this user may not mount a file system of its own")
    return Answer(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def judge(wrong: Wrong, answer: Answer, place: Path) -> None:
    """One sentence, which names the thing and the way out; and no traceback anywhere."""
    said = answer.out + answer.err
    assert answer.code == wrong.code, said
    assert "Traceback" not in said
    assert not re.search(r"\[Errno \d+\]|^\S*(?:Error|Exception): ", said, re.MULTILINE), said
    lines = [line for line in answer.err.splitlines() if line.strip()]
    sentence = "\n".join(lines)
    at = 0
    for part in wrong.says:
        found = sentence.find(part.format(p=place), at)
        assert found >= 0, f"{part.format(p=place)!r} is not in {sentence!r}"
        at = found + 1
    if wrong.says:
        assert len(lines) == 1, sentence


# ── places ──────────────────────────────────────────────────────────────────────────────────────


def snapshot(place: Path) -> dict[str, tuple[int, bytes]]:
    """Everything there, byte for byte, with its mode; without what comes and goes with each process."""
    passing = {"lock", "ports.json", "control.sock", "mythos.db-wal", "mythos.db-shm"}
    found = {}
    for path in sorted(place.rglob("*")):
        if path.name not in passing and path.relative_to(place).parts[0] != "disk":
            mode = path.lstat().st_mode
            found[str(path.relative_to(place))] = mode, path.read_bytes() if stat.S_ISREG(mode) else b""
    return found


def rows(file: Path) -> dict[str, int]:
    """How many rows each table of a database has."""
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names}  # noqa: S608


def written(name: str, text: str | bytes, mode: int = 0o600) -> Do:
    """A file; directories it is in are made."""

    def do(place: Path) -> None:
        path = place / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)

    return do


def directory(name: str, mode: int = 0o700) -> Do:
    def do(place: Path) -> None:
        (place / name).mkdir(parents=True)
        (place / name).chmod(mode)

    return do


def sqlite(name: str, script: str) -> Do:
    """A database in place of whatever is there."""

    def do(place: Path) -> None:
        path = place / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with closing(sqlite3.connect(path)) as database:
            database.executescript(script)

    return do


PYTHON: Final = sys.executable
