"""Backups: a store and what stands beside it in one file, made while a server goes on, and brought back into either
kind of database.

In the file, which is a tar archive packed by gzip (see :mod:`mythos.store.backup_file`), are in this order::

    manifest.json   what made it, when, from what; rows of each table; size and SHA-256 of what follows
    store.db        the store as a file of SQLite, whatever it was
    data/NAME       files of the data directory; those that hold secrets only if the backup is encrypted
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import msgspec

from mythos import __version__
from mythos.store.backup_file import BackupError, Unpacked, Writer, seal_holds
from mythos.store.copying import Side, SQLiteSide, Table, copy, counts, fill, reading
from mythos.store.file import explained
from mythos.store.fsck import Broken, check
from mythos.store.migrate import SchemaError, migrate, refuse_foreign, steps
from mythos.store.postgres.schema import Target, connected, schema_of
from mythos.store.shelf import name_of

__all__ = ["BEFORE", "SECRETS", "Manifest", "Progress", "back_up", "restore", "verify"]

#: Of the file's form; a version reads those up to its own.
_FORM: Final = 1
#: Files of the data directory that let somebody pass for the server, or for a MUD.
SECRETS: Final = frozenset({"secret", "i3-passwords.json", "i3-router.json"})
#: How names of what a restore replaced end.
BEFORE: Final = ".before-restore"
#: What a server writes anew at each start.
_PASSING: Final = "ports.json"
_MANIFEST, _STORE, _DATA = "manifest.json", "store.db", "data/"
#: Pages of the store that go at once, and bytes.
_PAGES, _PIECE = 2000, 1 << 20

#: Takes what is being done, how much of it is done, and how much there is.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class File:
    """A file in a backup: bytes, and SHA-256 in hex."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself.

    :ivar form: of the file
    :ivar made: UTC, ISO 8601
    :ivar source: the kind of database the store was in
    :ivar rows: of each table
    :ivar files: name in the archive -> what it must be
    """

    form: int
    version: str
    schema: int
    made: str
    source: str
    rows: dict[str, int]
    files: dict[str, File]

    @property
    def kept(self) -> list[str]:
        """Names of the files of the data directory."""
        return [name.removeprefix(_DATA) for name in self.files if name != _STORE]


@contextmanager
def _scratch() -> Iterator[Path]:
    """A directory that nobody else reads, and that is gone afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix="mythos-backup-") as made:
            yield Path(made)
    except (OSError, sqlite3.OperationalError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or getattr(error, "errno", 0) in (errno.ENOSPC, errno.EDQUOT):
            raise BackupError(
                "The disk is full: there must be room where it is written, and for a copy of the store in"
                f" {tempfile.gettempdir()} (TMPDIR names another place). Nothing was written."
            ) from error
        raise


# ── making one ──────────────────────────────────────────────────────────────────────────────────


def back_up(
    store: Path | Target, data: Path, directory: Path, *, now: datetime, key: bytes | None, tell: Progress
) -> tuple[Path, Manifest]:
    """Write a backup into a directory, beside a server or without one; returns its path.

    It is whole and on disk under its name, or not there.

    :param data: the server's data directory
    :param now: UTC
    :raises BackupError: or SchemaError, sqlite3.Error, psycopg2.Error, OSError; nothing was written
    """
    with explained(store) if isinstance(store, Path) else nullcontext(), _scratch() as scratch:
        copied = scratch / _STORE
        source = _copy_postgres(store, copied, tell) if isinstance(store, Target) else _copy_file(store, copied, tell)
        kept = list(_kept(data, secrets=key is not None))
        with reading(copied) as side:
            rows = counts(side)
        files = {_STORE: _file_of(copied)}
        files.update({_DATA + name: File(len(text), hashlib.sha256(text).hexdigest()) for name, text in kept})
        manifest = Manifest(_FORM, __version__, _schema(copied), now.isoformat(), source, rows, files)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = directory / name_of(now, encrypted=key is not None)
        with _whole(path) as file:
            packed = Writer(file, key)
            _archive(packed, manifest, copied, kept, int(now.timestamp()), tell)
            packed.finish()
    return path, manifest


def _copy_file(store: Path, to: Path, tell: Progress) -> str:
    """SQLite's own copy of one instant; the read transaction keeps it from starting again at each commit."""
    if not store.exists():
        raise BackupError(f"There is no {store}: name the server's data directory with --data DIR.")
    database = sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    with closing(database), closing(sqlite3.connect(to, isolation_level=None)) as copied:
        copied.execute("PRAGMA synchronous = OFF")  # nobody waits for it, and players' commits wait for the disk
        database.execute("BEGIN")
        if not refuse_foreign(database):
            raise BackupError(f"{store} is no database of Mythos. Nothing was written.")
        database.backup(
            copied, pages=_PAGES, progress=lambda _, left, total: tell("Copying the store", total - left, total)
        )
        copied.execute("PRAGMA journal_mode = DELETE")  # of one file, not of three
        copied.execute("VACUUM")  # nothing that was deleted goes along in pages that are free
    return f"SQLite {sqlite3.sqlite_version}"


class _Counted:
    """A side whose rows are counted as they are read."""

    def __init__(self, side: Side, tell: Progress) -> None:
        self._side = side
        self._tell = tell
        self._total = sum(counts(side).values())
        self._done = 0
        self.count, self.fill, self.ready = side.count, side.fill, side.ready

    def rows(self, table: Table) -> Generator[tuple[Any, ...], None, None]:
        with closing(self._side.rows(table)) as rows:
            for row in rows:
                self._done += 1
                if not self._done % _PAGES:
                    self._tell("Reading rows", self._done, self._total)
                yield row


def _copy_postgres(store: Target, to: Path, tell: Progress) -> str:
    known = steps("postgresql")
    with connected(store.run) as database:
        cursor = database.cursor()
        number, lacks = schema_of(cursor, known)
        cursor.execute("SHOW server_version")
        (software,) = cursor.fetchone()
    if lacks:
        found = f"has schema {number} of {known[-1].number}" if number else "is no database of Mythos"
        raise BackupError(f"{store} {found}: see mythosctl db status. Nothing was written.")
    with closing(sqlite3.connect(to, isolation_level=None)) as copied:
        migrate(copied)
        copied.execute("PRAGMA synchronous = OFF")
        copied.execute("PRAGMA ignore_check_constraints = ON")  # what is wrong is found by who verifies it
        copied.execute("BEGIN")
        try:
            with reading(store) as source:
                fill(_Counted(source, tell), SQLiteSide(copied))
        except sqlite3.IntegrityError as error:
            raise BackupError(f"{store} has rows twice: {error}. See mythosctl fsck. Nothing was written.") from error
        copied.execute("COMMIT")
    return f"PostgreSQL {software.split()[0]}"


def _kept(data: Path, *, secrets: bool) -> Iterator[tuple[str, bytes]]:
    """Files of a data directory that are not made anew, with what is in them."""
    for path in sorted([*data.glob("*.json"), data / "secret"]):
        if path.name == _PASSING or (path.name in SECRETS and not secrets) or not path.is_file():
            continue
        with suppress(FileNotFoundError):  # a server may take it away meanwhile
            yield path.name, path.read_bytes()


def _schema(path: Path) -> int:
    with closing(sqlite3.connect(path)) as database:
        (number,) = database.execute("SELECT coalesce(max(number), 0) FROM schema_version").fetchone()
        return int(number)


def _file_of(path: Path) -> File:
    with path.open("rb") as file:
        return File(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _archive(
    packed: Writer, manifest: Manifest, store: Path, kept: Iterable[tuple[str, bytes]], at: int, tell: Progress
) -> None:
    def add(name: str, size: int, file: Any) -> None:
        about = tarfile.TarInfo(name)
        about.size, about.mode, about.mtime = size, 0o600, at
        archive.addfile(about, file)

    with tarfile.open(fileobj=cast(BinaryIO, packed), mode="w|", format=tarfile.GNU_FORMAT) as archive:
        text = msgspec.json.format(msgspec.json.encode(asdict(manifest)), indent=2)
        add(_MANIFEST, len(text), io.BytesIO(text))
        size = manifest.files[_STORE].size
        with store.open("rb") as file:
            add(_STORE, size, _Told(file, lambda done: tell("Packing", done, size)))
        for name, content in kept:
            add(_DATA + name, len(content), io.BytesIO(content))


class _Told:
    """A file that says how far it was read."""

    def __init__(self, file: BinaryIO, tell: Callable[[int], None]) -> None:
        self._file = file
        self._tell = tell

    def read(self, size: int) -> bytes:
        found = self._file.read(size)
        self._tell(self._file.tell())
        return found


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that has its name only when all of it is on disk; nobody else may read it."""
    part = path.with_name(f".{path.name}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BackupError(f"{path.parent} cannot be written: {error.strerror}. Nothing was written.") from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync(path.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# ── reading one ─────────────────────────────────────────────────────────────────────────────────


def _unpack(path: Path, key: bytes | None, scratch: Path, tell: Progress) -> Manifest:
    """All that is in a backup, into an empty directory.

    :raises BackupError: it is not whole, or this version cannot read it
    """
    seal_holds(path, key)
    nothing = BackupError(f"{path} is no backup of Mythos.")
    try:
        with tarfile.open(fileobj=cast(BinaryIO, Unpacked(path, key)), mode="r|") as archive:
            first = archive.next()
            text = archive.extractfile(first) if first is not None and first.name == _MANIFEST else None
            if text is None:
                raise nothing
            manifest = _manifest(path, text.read())
            found: dict[str, File] = {}
            while (member := archive.next()) is not None:
                content = archive.extractfile(member)
                if member.name not in manifest.files or not _is_plain(member.name) or content is None:
                    raise nothing
                total = member.size if member.name == _STORE else 0
                found[member.name] = _write(content, scratch / member.name, total, tell)
    except tarfile.TarError as error:
        raise nothing from error
    if wrong := next((name for name, about in manifest.files.items() if found.get(name) != about), None):
        raise BackupError(f"{path} does not hold what it says: {wrong} is not the one that was packed.")
    return manifest


def _is_plain(name: str) -> bool:
    """No name in a backup may lead anywhere else."""
    return name == _STORE or (name.startswith(_DATA) and "/" not in name.removeprefix(_DATA) and name[-1] not in "./")


def _manifest(path: Path, text: bytes) -> Manifest:
    try:
        members = msgspec.json.decode(text, type=dict[str, Any])
        form, version = members.get("form"), members.get("version")
        if type(form) is int and form > _FORM:
            raise BackupError(
                f"{path} was made by Mythos {version}, in a form this version cannot read: start a newer one."
            )
        manifest = msgspec.convert(members, Manifest)
    except msgspec.MsgspecError as error:
        raise BackupError(f"{path} is no backup of Mythos: its manifest cannot be read.") from error
    if _STORE not in manifest.files:
        raise BackupError(f"{path} is no backup of Mythos: it holds no store.")
    return manifest


def _write(content: Any, to: Path, total: int, tell: Progress) -> File:
    to.parent.mkdir(mode=0o700, exist_ok=True)
    hash, size = hashlib.sha256(), 0
    with to.open("xb") as file:
        while piece := content.read(_PIECE):
            hash.update(piece)
            file.write(piece)
            size += len(piece)
            if total:
                tell("Unpacking", size, total)
    return File(size, hash.hexdigest())


@contextmanager
def _unpacked(path: Path, key: bytes | None, tell: Progress) -> Iterator[tuple[Manifest, Path]]:
    """A backup in a directory of its own, its store on today's schema."""
    with _scratch() as scratch:
        manifest = _unpack(path, key, scratch, tell)
        try:
            with closing(sqlite3.connect(scratch / _STORE, isolation_level=None)) as database:
                migrate(database)
        except SchemaError as error:
            raise BackupError(f"{path} was made by Mythos {manifest.version}: {error}.") from error
        except sqlite3.DatabaseError as error:
            raise BackupError(f"The store in {path} is damaged: {error}.") from error
        yield manifest, scratch


def verify(path: Path, key: bytes | None, *, tell: Progress) -> tuple[Manifest, list[Broken]]:
    """Unpack a backup elsewhere and check everything in it; returns what it says of itself, and what does not hold.

    :raises BackupError: it cannot be unpacked
    """
    with _unpacked(path, key, tell) as (manifest, scratch):
        tell("Checking", 0, 1)
        broken = list(check(scratch / _STORE))
        tell("Checking", 1, 1)
        return manifest, broken


# ── bringing one back ───────────────────────────────────────────────────────────────────────────


def restore(
    path: Path,
    key: bytes | None,
    store: Path | Target,
    data: Path,
    *,
    dry_run: bool,
    tell: Progress,
    replace: bool = False,
) -> Manifest:
    """Fill an empty store, and a data directory that lacks the backup's files or has the same. All of it, or nothing.

    No server may run on either, which the caller sees to for the data directory.

    :param replace: what is there is kept beside, under names that end in :data:`BEFORE`; of PostgreSQL, as a file of
        SQLite in the data directory

    :raises BackupError: it cannot be unpacked, is not sound, or something is there already
    :raises CopyError: the store is not empty, or cannot be filled
    :raises SchemaError: it cannot be used
    """
    with _unpacked(path, key, tell) as (manifest, scratch):
        tell("Checking", 0, 1)
        if broken := next(check(scratch / _STORE), None):
            raise BackupError(
                f"The store in {path} is not sound ({broken}): take another backup. Nothing was restored."
            )
        tell("Checking", 1, 1)
        new = [data / name for name in manifest.kept if not _is_same(data / name, scratch / _DATA / name)]
        aside = _aside(manifest, new, store, data) if replace else {}
        if not replace:
            if there := next((there for there in new if there.exists()), None):
                raise BackupError(
                    f"{there} is there already, and is another one: restore into an empty directory, or with --replace."
                    " Nothing was restored."
                )
            if isinstance(store, Path):
                _refuse_filled(store)
        if dry_run:
            return manifest
        made: list[Path] = []
        moved: list[Path] = []
        try:
            if replace and isinstance(store, Target):
                made.append(_kept_of(data))
                _copy_postgres(store, made[0], tell)
            for there, beside in aside.items():
                there.rename(beside)
                moved.append(there)
            for there in new:  # first, for the store says by its rows that all of it is there
                with _whole(there) as file:
                    file.write((scratch / _DATA / there.name).read_bytes())
                made.append(there)
            tell("Filling the store", 0, 1)
            copy(scratch / _STORE, store, replace=replace)
            tell("Filling the store", 1, 1)
        except BaseException:
            for there in made:
                there.unlink(missing_ok=True)
            for there in moved:
                aside[there].rename(there)
            raise
        return manifest


def _is_same(there: Path, new: Path) -> bool:
    return there.exists() and there.read_bytes() == new.read_bytes()


def _kept_of(data: Path) -> Path:
    """Where what was in PostgreSQL is kept."""
    return data / f"postgresql{BEFORE}"


def _aside(manifest: Manifest, new: Iterable[Path], store: Path | Target, data: Path) -> dict[Path, Path]:
    """What has to make room, and where it is kept: the store, files that the backup has too, and files of state that
    belong to the old store alone. Secrets that the backup does not have stay.

    :raises BackupError: something is kept there already
    """
    own = [path for path in sorted(data.glob("*.json")) if path.name not in {_PASSING, *SECRETS, *manifest.kept}]
    aside = {path: path.with_name(path.name + BEFORE) for path in (*new, *own) if path.exists()}
    if isinstance(store, Path):
        for part in ("", "-wal", "-shm"):
            if (path := store.with_name(store.name + part)).exists():
                aside[path] = store.with_name(store.name + BEFORE + part)
    kept = [*aside.values(), *([_kept_of(data)] if isinstance(store, Target) else [])]
    if there := next((path for path in kept if path.exists()), None):
        raise BackupError(f"{there} is there, of a restore before: move it away first. Nothing was restored.")
    return aside


def _refuse_filled(store: Path) -> None:
    """:raises BackupError: a file is there that has rows, or is something else"""
    if not store.exists() or not store.stat().st_size:
        return
    try:
        with reading(store) as side:
            filled = sum(counts(side).values())
    except (SchemaError, sqlite3.Error) as error:
        said = str(error).removeprefix(f"{store} ").rstrip(".")
        raise BackupError(f"{store} is there already, and {said}. Nothing was restored.") from error
    if filled:
        raise BackupError(f"{store} is not empty: it has {filled} rows. Nothing was restored.")
