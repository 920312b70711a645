"""Backups that were taken, and restores that were compared, as the database remembers them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from store.connection import Connection

_KEEP = """
INSERT INTO backup (id, made_at, rows, bytes) VALUES ($1, $2, $3, $4)
ON CONFLICT (id) DO NOTHING
"""
_KEEP_VERIFIED = """
INSERT INTO backup (id, made_at, rows, bytes, verified_at, verify_s) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET verified_at = excluded.verified_at, verify_s = excluded.verify_s
"""
_STANDING = "SELECT max(made_at) AS made_at, max(verified_at) AS verified_at FROM backup"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBackup:
    """What a database remembers of one backup."""

    id: UUID
    made_at: datetime
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupStanding:
    """When a backup was made last, and when one was last restored and found whole."""

    made_at: datetime | None
    verified_at: datetime | None


async def note_made(connection: Connection, made: StoredBackup) -> None:
    """Remember that a backup was made."""
    await connection.execute(_KEEP, made.id, made.made_at, made.rows, made.bytes)


async def note_verified(connection: Connection, made: StoredBackup, at: datetime, took_s: float) -> None:
    """Remember that a backup was restored elsewhere and had every row."""
    await connection.execute(_KEEP_VERIFIED, made.id, made.made_at, made.rows, made.bytes, at, took_s)


async def standing(connection: Connection) -> BackupStanding:
    """Return when what happened last."""
    row = await connection.fetchrow(_STANDING)
    assert row is not None
    return BackupStanding(made_at=row["made_at"], verified_at=row["verified_at"])
