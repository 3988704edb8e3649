"""The file of a backup: packed by gzip, sealed, and encrypted if there is a key.

The seal is a second member of gzip, empty, with the SHA-256 of all before it in its extra field: ``tar`` and ``gzip``
open the file as any other, and whoever changed one byte of it, or lost its end, is found out. With a key that whole is
encrypted in chunks by AES-256-GCM, as age does it: each chunk has its number and whether it is the last one in its
nonce::

    line that names the form, salt (16), check of the key (16),
    chunks of 65536 bytes and a tag (16), the last one shorter
"""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from mythos.errors import Fault

__all__ = ["BackupError", "Unpacked", "Writer", "is_encrypted", "read_key", "seal_holds"]

#: Fewest bytes of a key file: what 128 random bits take in hex.
_LEAST_KEY: Final = 32
_MOST_KEY: Final = 65536
_FORM: Final = b"Mythos backup, AES-256-GCM, form 1\n"
_SALT, _CHECK, _TAG, _CHUNK = 16, 16, 16, 65536
#: A member of gzip with an extra field of one part, ``My``, of 32 bytes; and an empty content.
_SEAL: Final = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x24\0My\x20\0%b\x03\0\0\0\0\0\0\0\0\0"
_SEAL_SIZE: Final = len(_SEAL) - 2 + 32
_GZIP: Final = 31  # zlib's number for the largest window and gzip's frame
#: Players wait for the processor, nobody for the last tenth of the size.
_LEVEL: Final = 3
_PIECE: Final = 1 << 18


class BackupError(Fault):
    """Nothing was done; the sentence says why."""


def read_key(path: Path) -> bytes:
    """What a key file holds, without space around it.

    :raises BackupError: it cannot be read, or is too short for a key
    """
    try:
        with path.open("rb") as file:
            key = file.read(_MOST_KEY + 1).strip()
    except OSError as error:
        raise BackupError(
            f"The key file {path} cannot be read ({error.strerror or error}): name the one that holds the key."
        ) from error
    if not _LEAST_KEY <= len(key) <= _MOST_KEY:
        raise BackupError(
            f"The key file {path} has {len(key)} bytes, a key {_LEAST_KEY} and more: make one with"
            " openssl rand -hex 32 > FILE, and keep it elsewhere than the backups."
        )
    return key


def is_encrypted(path: Path) -> bool:
    """:raises BackupError: it cannot be read"""
    with _opened(path) as file:
        return file.read(len(_FORM)) == _FORM


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise BackupError(
            f"{path} cannot be read ({error.strerror or error}): name a backup that you may read."
        ) from error


# ── writing ─────────────────────────────────────────────────────────────────────────────────────


class Writer:
    """Takes what is to be packed, by :meth:`write`; :meth:`finish` ends the file, without closing it."""

    def __init__(self, file: BinaryIO, key: bytes | None) -> None:
        self._out = file if key is None else _Encrypting(file, key)
        self._pack = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._put(self._pack.compress(data))
        return len(data)

    def finish(self) -> None:
        self._put(self._pack.flush())
        self._out.write(_SEAL % self._hash.digest())
        if isinstance(self._out, _Encrypting):
            self._out.finish()

    def _put(self, packed: bytes) -> None:
        self._hash.update(packed)
        self._out.write(packed)


def _keys(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    """The cipher, and the bytes by which a wrong key is told from a damaged file."""
    made = HKDF(SHA256(), 32 + _CHECK, salt, b"Mythos backup").derive(key)
    return AESGCM(made[:32]), made[32:]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class _Encrypting:
    def __init__(self, file: BinaryIO, key: bytes) -> None:
        salt = secrets.token_bytes(_SALT)
        self._cipher, check = _keys(key, salt)
        self._file = file
        self._held = bytearray()
        self._number = 0
        file.write(_FORM + salt + check)

    def write(self, data: bytes) -> None:
        self._held += data
        while len(self._held) > _CHUNK:
            self._chunk(last=False)

    def finish(self) -> None:
        self._chunk(last=True)

    def _chunk(self, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), bytes(self._held[:_CHUNK]), _FORM))
        del self._held[:_CHUNK]
        self._number += 1


# ── reading ─────────────────────────────────────────────────────────────────────────────────────


def _pieces(path: Path, key: bytes | None) -> Iterator[bytes]:
    """The packed bytes with their seal, decrypted."""
    with _opened(path) as file:
        form = file.read(len(_FORM))
        if form != _FORM:
            if form[:3] != _SEAL[:3]:
                raise BackupError(f"{path} is no backup of Mythos: name one that mythosctl backup made.")
            file.seek(0)
            yield from iter(lambda: file.read(_PIECE), b"")
            return
        if key is None:
            raise BackupError(f"{path} is encrypted: name the file of its key with --key FILE.")
        cipher, check = _keys(key, file.read(_SALT))
        if not secrets.compare_digest(file.read(_CHECK), check):
            raise BackupError(
                f"{path} was encrypted with another key, or its beginning is damaged: name its key with --key"
                " FILE, or take another backup."
            )
        chunk = file.read(_CHUNK + _TAG)
        for number in count():
            following = file.read(_CHUNK + _TAG)
            try:
                yield cipher.decrypt(_nonce(number, last=not following), chunk, _FORM)
            except (InvalidTag, ValueError) as error:
                raise _damaged(path) from error
            if not following:
                return
            chunk = following


def _damaged(path: Path) -> BackupError:
    return BackupError(f"{path} is damaged or cut short, or is no backup of Mythos: take another one.")


def _without_seal(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Each piece, and at the end nothing with the seal."""
    held = b""
    for piece in pieces:
        held += piece
        yield held[:-_SEAL_SIZE], b""
        held = held[-_SEAL_SIZE:]
    yield b"", held


def seal_holds(path: Path, key: bytes | None) -> None:
    """Read a file to its end, before anything in it is believed.

    :raises BackupError: it is damaged, cut, encrypted with another key, or something else than a backup
    """
    hash = hashlib.sha256()
    seal = b""
    try:
        for piece, seal in _without_seal(_pieces(path, key)):  # noqa: B007
            hash.update(piece)
    except OSError as error:
        raise BackupError(
            f"{path} cannot be read ({error.strerror or error}): name a backup that you may read."
        ) from error
    if not secrets.compare_digest(seal, _SEAL % hash.digest()):
        raise _damaged(path)


class Unpacked:
    """What was packed into a file, for one who reads it once from its beginning.

    :raises BackupError: see :func:`seal_holds`, which comes first
    """

    def __init__(self, path: Path, key: bytes | None) -> None:
        self._path = path
        self._pieces = _without_seal(_pieces(path, key))
        self._unpack = zlib.decompressobj(_GZIP)

    def read(self, size: int) -> bytes:
        """At most so many bytes; none only at the end."""
        try:
            while True:
                if found := self._unpack.decompress(self._unpack.unconsumed_tail, size):
                    return found
                if self._unpack.eof:
                    return b""
                piece, seal = next(self._pieces)
                if seal:
                    raise _damaged(self._path)
                if found := self._unpack.decompress(self._unpack.unconsumed_tail + piece, size):
                    return found
        except zlib.error as error:
            raise _damaged(self._path) from error
        except OSError as error:
            raise BackupError(f"{self._path} cannot be read: {error.strerror or error}.") from error
