"""What a backup says of itself, in `manifest.json` beside its encrypted files: readable without a key.

Counts and versions only; nothing of people or devices. It is written last: a directory without one is no
backup.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec

from nabd.backup.errors import BackupRefused
from nabd.backup.sealed import SealedFile
from store.standing.backups import StoredBackup

NAME = "manifest.json"
FORMAT = 1


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is in a backup.

    counts: rows of each table, in the snapshot that was dumped. files: how many of each sort lie beside the
    database. roles: accounts of the server that have rights in the database, and must exist where it is
    restored.
    """

    format: int
    id: UUID
    made_at: datetime
    nabd: str
    edition: str
    timescaledb: str
    postgresql: int
    dumped_by: int
    migration: int
    migration_name: str
    counts: dict[str, int]
    files: dict[str, int]
    roles: list[str]
    recipient: str
    sealed: list[SealedFile]

    @property
    def remembered(self) -> StoredBackup:
        """Return what a database remembers of it."""
        return StoredBackup(id=self.id, made_at=self.made_at, rows=self.rows, bytes=self.bytes)

    @property
    def rows(self) -> int:
        """Number of all rows."""
        return sum(self.counts.values())

    @property
    def bytes(self) -> int:
        """Size of the encrypted files."""
        return sum(one.bytes for one in self.sealed)


class _Written(msgspec.Struct, frozen=True, kw_only=True):
    manifest: Manifest
    sha256: str


def write(manifest: Manifest, directory: Path) -> None:
    """Write the manifest, with a digest of itself."""
    written = _Written(manifest=manifest, sha256=_digest(manifest))
    with (directory / NAME).open("xb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(written), indent=1))
        file.flush()
        os.fsync(file.fileno())


def read(directory: Path) -> Manifest:
    """Return what the backup in a directory says of itself.

    Raises:
        BackupRefused: there is no manifest, or it is not as it was written, or of a format to come.
    """
    try:
        text = (directory / NAME).read_bytes()
    except FileNotFoundError:
        raise BackupRefused(
            f"{directory} is no backup, or was cut while it was made: it has no {NAME}; name another"
        ) from None
    except OSError as error:
        raise BackupRefused(f"{directory / NAME} cannot be read: {error.strerror}") from error
    try:
        found = msgspec.json.decode(text, type=_Written)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BackupRefused(_format_of(text, directory)) from None
    if _digest(found.manifest) != found.sha256:
        raise BackupRefused(
            f"{directory / NAME} was altered since it was made; take another copy of this backup"
        )
    return found.manifest


def _format_of(text: bytes, directory: Path) -> str:
    try:
        said = msgspec.json.decode(text)["manifest"]["format"]
        if said > FORMAT:
            return (
                f"{directory} is of format {said}, this program reads up to {FORMAT}: install the newer Nabd"
            )
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        pass
    return f"{directory / NAME} is cut or was altered; take another copy of this backup"


def _digest(manifest: Manifest) -> str:
    return hashlib.sha256(msgspec.json.encode(manifest, order="deterministic")).hexdigest()
