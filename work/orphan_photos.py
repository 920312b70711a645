"""Files of photos that no row knows: left by a kill between the file and its row.

Must not know what a photo shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from store.connection import Connection

_KNOWN = "SELECT id FROM work_photo WHERE id = ANY($1::uuid [])"
_ANY = "SELECT EXISTS (SELECT FROM work_photo)"


@dataclass(slots=True)
class OrphanPhotos:
    """The files in the directory of photos that have no row; looked for folder by folder, one a time.

    Where there is no row at all nothing is removed: rather than the files the database is another one.
    """

    root: Path
    tables: tuple[str, ...] = ()
    _next: int = 0

    async def oldest(self, connection: Connection) -> datetime | None:
        """Return nothing: that would mean to read every folder."""

    async def forget_before(
        self, connection: Connection, before: datetime, *, limit: int, now: datetime
    ) -> int:
        """Remove files without a row, last written before `before`, from the next folder; return how many."""
        folder = self.root / f"{self._next:02x}"
        self._next = (self._next + 1) % 256
        old = await asyncio.to_thread(lambda: dict(_older(folder, before)))
        if not old or not await connection.fetchval(_ANY):
            return 0
        asked = [photo for photo in old.values() if photo]
        known = {row["id"] for row in await connection.fetch(_KNOWN, asked)}
        orphans = [path for path, photo in old.items() if photo not in known][: limit - 1]
        await asyncio.to_thread(_remove, orphans)
        return len(orphans)


def _older(folder: Path, before: datetime) -> Iterator[tuple[Path, UUID | None]]:
    """Yield the files of a folder that are old, with their photo's id; None: one that was never finished."""
    if not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.suffix != ".partial" and _id(path) is None:
            continue
        with suppress(FileNotFoundError):  # it was just finished, or taken away
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < before:
                yield path, _id(path)


def _remove(files: Iterable[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)


def _id(path: Path) -> UUID | None:
    try:
        return UUID(hex=path.name)
    except ValueError:
        return None
