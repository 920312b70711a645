"""The drill: a server is killed with its disk, and comes back from base backup and archive.

All of it is real (kill -9, files removed, another server), beside whatever runs: it has servers of its own.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from nabd.backup import database
from nabd.backup.errors import BackupRefused
from nabd.backup.recovery.base import make_base
from nabd.backup.recovery.recover import recover
from nabd.embedded.parts import migrated
from nabd.embedded.postgres import EmbeddedPostgres
from nabd.settings import Settings
from store.connection import Connection
from store.pool import connect

ARCHIVE = Path(__file__).with_name("archive-wal")
EVERY_S = 0.05
READY_S = 120.0
MARGIN_S = 30.0
"""How much longer than archive_timeout handing over a segment may take on a busy machine."""

_DEVICE = """
WITH town AS (
    INSERT INTO municipality (name, title, time_zone) VALUES ('drill', '{}', 'Asia/Beirut') RETURNING id
)
INSERT INTO device (name, municipality_id, kind, attributes, installed_at)
SELECT 'DRILL-1', town.id, 'bin', '{}', 'epoch' FROM town RETURNING id
"""
_WRITE = """
INSERT INTO bin_reading (device_id, observed_at, received_at, quality, seq) VALUES ($1, $2, $2, 0, $3)
"""
_READ = "SELECT count(*) AS rows, max(seq) AS last, max(observed_at) AS at FROM bin_reading"
_RECOVERING = "SELECT pg_is_in_recovery()"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillReport:
    """What a drill has shown.

    rpo_s: how old, at the kill, the newest reading was that came back. rto_s: from the kill until the new
    server took writes. committed, restored: readings. gaps: readings missing before the newest that came
    back. other_tables: that had as many rows as before; differing: that had not.
    """

    rpo_s: float
    rto_s: float
    archive_timeout_s: int
    committed: int
    restored: int
    gaps: int
    other_tables: int
    differing: dict[str, tuple[int, int]]

    @property
    def passed(self) -> bool:
        """Tell whether nothing was lost but what the archive may lose: what is younger than its timeout."""
        whole = not self.gaps and not self.differing and self.restored > 0
        return whole and self.rpo_s <= self.archive_timeout_s + MARGIN_S


async def drill(directory: Path, *, archive_timeout_s: int, write_s: float) -> DrillReport:
    """Run the drill below `directory`, which is left empty.

    Args:
        directory: for two servers, a base backup and an archive; a few hundred MB.
        archive_timeout_s: how often WAL is handed over at least.
        write_s: for how many seconds readings are written before the kill.
    """
    archive = directory / "archive"
    archive.mkdir(parents=True)
    archive.chmod(0o777)
    first = EmbeddedPostgres(directory / "first", settings=_archiving(archive, archive_timeout_s))
    second = EmbeddedPostgres(directory / "second")
    try:
        dsn = await asyncio.to_thread(first.start)
        counts, written = await _life(dsn, directory / "bases", archive_timeout_s, write_s)
        killed_at, killed = datetime.now(UTC), time.monotonic()
        _kill(first)
        base = next((directory / "bases").iterdir())
        second.directory.mkdir(exist_ok=True)
        second.prepare()
        await asyncio.to_thread(recover, base, archive, second.pgdata)
        await _recovered(await asyncio.to_thread(second.start))
        rto_s = time.monotonic() - killed
        connection = await connect(second.dsn())
        try:
            row = await connection.fetchrow(_READ)
            after = await database.count(connection)
        finally:
            await connection.close()
        assert row is not None
    finally:
        for server in (second, first):
            await asyncio.to_thread(server.delete)
        await asyncio.to_thread(shutil.rmtree, directory, ignore_errors=True)
    others = {name: rows for name, rows in counts.items() if name != "bin_reading"}
    return DrillReport(
        rpo_s=(killed_at - row["at"]).total_seconds() if row["at"] else float("inf"),
        rto_s=rto_s,
        archive_timeout_s=archive_timeout_s,
        committed=written,
        restored=row["rows"],
        gaps=(row["last"] or 0) - row["rows"],
        other_tables=len(others),
        differing={name: (of, after.get(name, 0)) for name, of in others.items() if after.get(name) != of},
    )


def _archiving(archive: Path, timeout_s: int) -> Mapping[str, str]:
    command = f'/bin/sh {shlex.quote(str(ARCHIVE))} "%p" "%f" {shlex.quote(str(archive))}'
    return {"archive_mode": "on", "archive_command": command, "archive_timeout": str(timeout_s)}


async def _life(dsn: str, bases: Path, archive_timeout_s: int, write_s: float) -> tuple[dict[str, int], int]:
    """Write readings, copy the server in between; return the rows of each table, and how many readings."""
    await migrated(Settings(_env_file=None, database=dsn))  # type: ignore[call-arg]  # pydantic-settings' own
    connection = await connect(dsn)
    try:
        device = await connection.fetchval(_DEVICE)
        written = await _write(connection, device, 0, write_s / 4)
        await make_base(dsn, bases, datetime.now(UTC), most_lost_s=max(300, archive_timeout_s))
        counts = await database.count(connection)
        return counts, await _write(connection, device, written, write_s)
    finally:
        connection.terminate()


async def _write(connection: Connection, device: int, number: int, seconds: float) -> int:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        number += 1
        await connection.execute(_WRITE, device, datetime.now(UTC), number)
        await asyncio.sleep(EVERY_S)
    return number


def _kill(server: EmbeddedPostgres) -> None:
    """Kill the server and everything it started, and lose its disk."""
    os.killpg(os.getpgid(server.pid), signal.SIGKILL)
    shutil.rmtree(server.pgdata)


async def _recovered(dsn: str) -> None:
    """Wait until the server has read the archive to its end and takes writes."""
    try:
        async with asyncio.timeout(READY_S):
            connection = await connect(dsn)
            try:
                while await connection.fetchval(_RECOVERING):  # noqa: ASYNC110 - the server tells nobody
                    await asyncio.sleep(0.02)
            finally:
                await connection.close()
    except TimeoutError:
        raise BackupRefused(f"the server did not come back within {READY_S:.0f} s: read its log") from None
