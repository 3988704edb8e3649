"""Which backups are kept, and which go."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mythos.store.shelf import mark, name_of, prune, shelf

NOW = datetime(2026, 11, 21, 12, 34, 56, 789_000, tzinfo=UTC)
DAY = timedelta(days=1)


def put(directory: Path, days: float, *, verified: bool = True) -> Path:
    path = directory / name_of(NOW - days * DAY, encrypted=days == 2)
    path.write_text("backup")
    if verified:
        mark(path)
    return path


def test_what_is_there(tmp_path: Path) -> None:
    """By its name, the oldest first; other files are not meant."""
    new, old = put(tmp_path, 0, verified=False), put(tmp_path, 2)
    for name in ("mythos-20261341T000000.000Z.tar.gz", "notes.txt", ".mythos-20261121T123456.789Z.tar.gz.part"):
        (tmp_path / name).touch()
    assert [(one.path, one.made, one.verified) for one in shelf(tmp_path)] == [
        (old, NOW - 2 * DAY, True),
        (new, NOW, False),
    ]
    assert (new.name, old.name) == ("mythos-20261121T123456.789Z.tar.gz", "mythos-20261119T123456.789Z.tar.gz.enc")
    assert shelf(tmp_path / "none") == []


def test_the_mark(tmp_path: Path) -> None:
    """``sha256sum`` can check it again."""
    path = put(tmp_path, 0)
    words = ["sha256sum", "--check", f"{path.name}.verified"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True, text=True).stdout == f"{path.name}: OK\n"
    path.write_text("changed")
    assert subprocess.run(words, cwd=tmp_path, capture_output=True).returncode == 1


@pytest.mark.parametrize(
    ("there", "kept"),
    [
        ([(1, True), (29, True), (31, True), (40, False)], [1, 29]),
        ([(31, True), (40, True)], [31]),  # the last verified one stays however old it is
        ([(1, False), (31, False), (40, True), (50, True)], [1, 40]),
        ([(31, False)], []),
        ([], []),
    ],
)
def test_retention(there: list[tuple[int, bool]], kept: list[int], tmp_path: Path) -> None:
    paths = {days: put(tmp_path, days, verified=verified) for days, verified in there}
    gone = prune(tmp_path, 30 * DAY, NOW)
    assert set(gone) == {path for days, path in paths.items() if days not in kept}
    assert [one.path for one in shelf(tmp_path)] == [paths[days] for days in sorted(kept, reverse=True)]
    assert len(list(tmp_path.iterdir())) == sum(2 if verified else 1 for days, verified in there if days in kept)


def test_what_was_broken_off(tmp_path: Path) -> None:
    """A kill leaves a part of a file; it goes a day later."""
    new, old = tmp_path / ".mythos-new.part", tmp_path / ".mythos-old.part"
    for path, days in ((new, 0.5), (old, 1.5)):
        path.touch()
        os.utime(path, ((NOW - days * DAY).timestamp(),) * 2)
    prune(tmp_path, 30 * DAY, NOW)
    assert list(tmp_path.iterdir()) == [new]
