"""What pg_dump writes of the timescale edition comes back between TimescaleDB's own steps, packed chunks too.

The server in WebAssembly takes one connection, no COPY and no long statement, so that rows are dumped as
INSERTs, views of readings are left out, and psql plays the rest; the steps before and after, and what is
counted, are those of `nabd restore`.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import asyncpg

from nabd.backup import database, programs
from store.pool import connect
from tests.conftest import fresh_timescale
from tests.databases import migrate_all, run
from tests.integration.api import builders

PACK = (
    "SELECT compress_chunk(c) FROM show_chunks('bin_reading', older_than => now() - interval '15 days') AS c"
)
# No COPY: this server does not survive it every other time.
STORED = """
INSERT INTO bin_reading (device_id, observed_at, received_at, quality, fill_pct)
SELECT id, now() - interval '{day} days', now(), 0, 50.0 FROM device
"""
CHUNKS = "SELECT count(*) FROM timescaledb_information.chunks"
DAYS = (0, 1, 16, 17)
"""Each a chunk; this server does not survive many new ones."""
DIED = "server closed the connection unexpectedly"
ATTEMPTS = 3
"""How often the script may meet the end of that server, wherever that is; what SQL says is final."""


async def _live(dsn: str) -> dict[str, int]:
    connection: asyncpg.Connection = await connect(dsn)
    await builders.add(connection, "bin-1")
    for day in DAYS:
        await connection.execute(STORED.format(day=day))
    assert await connection.fetch(PACK)
    counts = await database.count(connection)
    await connection.close()
    return counts


async def _step(dsn: str, statement: str) -> None:
    connection: asyncpg.Connection = await connect(dsn, statement_timeout_s=0)
    await connection.execute("SET search_path TO public")
    await connection.execute(statement)
    # All connections of this server share one session, which a real one has ended.
    await connection.execute("SET timescaledb.restoring TO off")
    await connection.close()


async def _found(dsn: str) -> tuple[dict[str, int], int]:
    connection: asyncpg.Connection = await connect(dsn)
    counts, chunks = await database.count(connection), await connection.fetchval(CHUNKS)
    await connection.close()
    return counts, chunks


def call(*command: str | Path) -> str:
    environment = {**os.environ, "PGPASSWORD": "any"}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_dump_comes_back_with_every_chunk(tmp_path: Path) -> None:
    with fresh_timescale() as full:  # not the one that other tests share: it does not survive everything
        _comes_back(full, tmp_path)


def _comes_back(full: str, tmp_path: Path) -> None:
    program = programs.fitting(17).path
    run(migrate_all(full))
    before = run(_live(full))
    dump, script = tmp_path / "dump", tmp_path / "script.sql"
    left_out = "--exclude-table=v_*"
    call(program("pg_dump"), "-Fc", "--rows-per-insert=10000", left_out, f"--file={dump}", full)
    script.write_text(
        "SET timescaledb.restoring TO on;\n" + call(program("pg_restore"), "--file=-", "--no-owner", dump)
    )

    for attempt in range(ATTEMPTS):
        with fresh_timescale() as empty:
            run(_step(empty, database.PRE_RESTORE))
            try:
                call(
                    program("psql"),
                    "--no-psqlrc",
                    "--quiet",
                    "--set=ON_ERROR_STOP=1",
                    f"--file={script}",
                    empty,
                )
            except AssertionError as error:
                if DIED not in str(error) or attempt + 1 == ATTEMPTS:
                    raise
                continue
            run(_step(empty, database.POST_RESTORE))
            counts, chunks = run(_found(empty))
            break

    assert counts == before
    assert counts["bin_reading"] == len(DAYS)
    assert chunks == len(DAYS)
