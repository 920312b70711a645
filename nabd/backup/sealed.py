"""Encrypted files of a backup: written and read as streams, their digests taken on the way.

age authenticates each 64 KiB and the end, so that what opens is what was written; the digest tells before a
key is needed whether a copy is whole. Blocking: call in a thread.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyrage

from nabd.backup import keys
from nabd.backup.errors import BackupRefused
from nabd.backup.keys import BackupKey

PIECE = 1 << 20
NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL

Told = Callable[[str, int], None]
"""Hears how many bytes of which file have been written or read."""


class Readable(Protocol):
    """What has bytes to be sealed."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedFile:
    """An encrypted file of a backup."""

    name: str
    bytes: int
    sha256: str


class _Counted:
    """A file that is written to, and what has been."""

    def __init__(self, file: BinaryIO, name: str, told: Told) -> None:
        self._file, self._name, self._told = file, name, told
        self.digest, self.bytes = hashlib.sha256(), 0

    def write(self, piece: bytes) -> int:
        self._file.write(piece)
        self.digest.update(piece)
        self.bytes += len(piece)
        self._told(self._name, len(piece))
        return len(piece)

    def flush(self) -> None:
        self._file.flush()


def seal(source: Readable, directory: Path, name: str, recipient: str, told: Told) -> SealedFile:
    """Encrypt what `source` has into a new file, which is on the disk when this returns.

    Raises:
        BackupRefused: the disk is full, or may not be written to.
    """
    try:
        with os.fdopen(os.open(directory / name, NEW, 0o600), "wb") as file:
            counted = _Counted(file, name, told)
            pyrage.encrypt_io(source, counted, [keys.recipient(recipient)])
            file.flush()
            os.fsync(file.fileno())
    except (pyrage.EncryptError, OSError) as error:
        raise BackupRefused(
            f"{directory / name} cannot be written: {error}; make room or name another disk"
        ) from error
    return SealedFile(name=name, bytes=counted.bytes, sha256=counted.digest.hexdigest())


def check(directory: Path, sealed: SealedFile, told: Told) -> None:
    """Compare a file with what its backup says of it.

    Raises:
        BackupRefused: it is missing, cut or altered.
    """
    file = directory / sealed.name
    try:
        size = file.stat().st_size
        if size < sealed.bytes:
            raise BackupRefused(
                f"{file} is cut: {size:,} of {sealed.bytes:,} bytes are there; copy the backup anew"
            )
        digest = hashlib.sha256()
        with file.open("rb") as source:
            while piece := source.read(PIECE):
                digest.update(piece)
                told(sealed.name, len(piece))
    except FileNotFoundError:
        raise BackupRefused(f"{file} is missing: this backup is not whole; copy it anew") from None
    except OSError as error:
        raise BackupRefused(f"{file} cannot be read: {error.strerror}") from error
    if digest.hexdigest() != sealed.sha256:
        raise BackupRefused(f"{file} was altered since it was made; take another copy of this backup")


def open_into(directory: Path, name: str, key: BackupKey, sink: BinaryIO) -> None:
    """Decrypt a file of a backup into `sink`, and close that.

    Raises:
        BackupRefused: the key is another, or the file is not what was written.
    """
    with (directory / name).open("rb") as source, sink:
        try:
            pyrage.decrypt_io(source, sink, [keys.identity(key.secret)])
        except pyrage.DecryptError as error:
            if "matching" in str(error).lower():
                raise BackupRefused(
                    f"{directory / name} was encrypted for another key than {key.recipient}:"
                    " `nabd backup show` names the right one"
                ) from None
            raise BackupRefused(f"{directory / name} is cut or was altered: {error}") from None
        except BrokenPipeError:
            pass  # whoever read has ended, and says why
        except OSError as error:
            if error.errno is not None:
                raise
            raise BackupRefused(f"{directory / name} is cut or was altered: {error}") from None


def fed(feed: Callable[[BinaryIO], None], take: Callable[[BinaryIO], None]) -> None:
    """Let one write into a pipe while the other reads; of two failures that of who writes is raised."""
    reading, writing = os.pipe()
    failed: list[Exception] = []

    def work() -> None:
        try:
            with os.fdopen(writing, "wb") as output, suppress(BrokenPipeError):
                feed(output)
        except Exception as error:  # raised again below, in the thread that waits
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb") as source:
            take(source)
    except Exception:
        thread.join()
        if failed:
            raise failed[0] from None
        raise
    thread.join()
    if failed:
        raise failed[0]
