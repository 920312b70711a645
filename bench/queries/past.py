"""A database with a past of many devices, and its hours and days."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench.queries.lives import columns_of, life_of
from devices.instants import to_datetime
from devices.kinds import Kinds
from devices.kinds.kind import Kind
from devices.registry.municipalities import NewMunicipality, add_municipality
from devices.registry.registration import NewDevice, add_devices
from firmware_sim.physics.model import SECOND
from firmware_sim.specs import SimulatedDevice
from firmware_sim.town import make_town
from ingest.commit.rows import copy_columns
from nabd import rollups
from readings.kept.retention import Retention, chunk_for
from readings.rollups import backfill, marks
from readings.rollups.roll_up import roll_up
from readings.tables import table_name, tables_of
from store.audit import PLATFORM
from store.connection import Connection
from store.edition import Edition
from store.migrate import migrate
from store.readings import CopyWriter, Writer
from store.standing.sizes import table_sizes
from store.tables import RETENTION, Resolution

TEMPLATES = 40
"""Devices whose physics is computed; the others live the same lives, some minutes later."""
MOST_AT_ONCE = 500
MOST_A_DAY = 150
"""Readings of a device, about: what bins say, every ten minutes."""
COPY = CopyWriter()

Tell = Callable[[str, float], None]
"""Told what is being done, and which share of it is done: 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSize:
    """What a past takes.

    bytes_per_row: with indexes. compression_ratio: row store's bytes / columnstore's. column_bytes: those of
    a value in the columnstore, by kind and column. Both are None on the plain edition.
    """

    readings: int
    bytes_per_row: float
    rollup_bytes_per_reading: float
    compression_ratio: float | None
    column_bytes: Mapping[str, float] | None
    made_s: float
    rolled_s: float
    rollup_lag_s: float


async def make_past(
    connection: Connection,
    declared: Kinds,
    *,
    devices: int,
    days: int,
    end: int,
    cache: Path,
    tell: Tell = lambda what, share: None,
    writer: Writer = COPY,
) -> PastSize:
    """Fill a database with readings of lights and bins up to `end`, and roll them up.

    writer: for servers that take no COPY. What a making that was cut has stored of the same past stays; the
    seconds are those of this one.
    """
    lengths = {**RETENTION, Resolution.READING: timedelta(days=days + 30)}
    chunk = chunk_for(devices // 2 * MOST_A_DAY)
    tables = tables_of(declared.values(), Retention(lengths=lengths, chunk=chunk))
    report = await migrate(connection, tables, now=end)
    town = make_town(1, declared, bins=TEMPLATES, lights=TEMPLATES, drones=0, others=0, strangers=0)
    if not await connection.fetchval("SELECT true FROM municipality WHERE name = $1", town.municipality):
        await add_municipality(
            connection,
            NewMunicipality(
                name=town.municipality, title={"en": "Town"}, time_zone=town.place.time_zone, locale="en"
            ),
            lambda: end,
            by=PLATFORM,
        )
    began = time.monotonic()
    kinds = [declared["light"], declared["bin"]]
    for kind in kinds:
        lives = [one for one in town.sensing if one.kind == kind.name][: max(1, min(TEMPLATES, devices // 2))]
        await _register(connection, declared, kind, lives[0].municipality, devices // 2, days, end)
        await _store(connection, kind, lives, days, end, cache, tell, writer)
    made_s = time.monotonic() - began
    began = time.monotonic()
    while await rollups.turn(connection, kinds, lambda: end):
        shares = [one.share for one in await backfill.progress(connection)]
        tell("rolling up", sum(shares) / len(kinds))
    rolled_s = time.monotonic() - began
    lag_s = await _lag_s(connection, kinds, end)
    await connection.execute("ANALYZE")
    return await _size(connection, kinds, report.edition, made_s, rolled_s, lag_s)


async def _register(
    connection: Connection, declared: Kinds, kind: Kind, municipality: str, devices: int, days: int, end: int
) -> None:
    there = {row["name"] for row in await connection.fetch("SELECT name FROM device")}
    new = [
        NewDevice(
            name=name,
            kind=kind.name,
            municipality=municipality,
            attributes={"circuit": f"C{n % 20}"} if kind.name == "light" else {},
            installed_at=to_datetime(end - days * 86_400 * SECOND),
        )
        for n in range(devices)
        if (name := f"{kind.name}-{n:05d}") not in there
    ]
    for first in range(0, len(new), MOST_AT_ONCE):
        await add_devices(connection, declared, new[first : first + MOST_AT_ONCE], lambda: end, by=PLATFORM)


async def _store(
    connection: Connection,
    kind: Kind,
    lives: Sequence[SimulatedDevice],
    days: int,
    end: int,
    cache: Path,
    tell: Tell,
    writer: Writer,
) -> None:
    name = table_name(kind.name)
    rows = await connection.fetch(
        f"SELECT d.id, EXISTS (SELECT FROM {name} AS r WHERE r.device_id = d.id) AS stored"  # noqa: S608
        " FROM device AS d WHERE d.kind = $1 ORDER BY d.id",
        kind.name,
    )
    start = end - days * 86_400 * SECOND
    for n, row in enumerate(rows):
        if row["stored"]:  # all of a device at once
            continue
        life = life_of(lives[n % len(lives)], kind, start, days, cache)
        columns = columns_of(kind, life, row["id"], (n // len(lives)) * 7 * SECOND)
        columns = columns.take(columns.observed_at < end)
        await writer.append(connection, name, copy_columns(columns), len(columns), iter(()))
        tell(f"storing {kind.name}s", (n + 1) / len(rows))


async def _lag_s(connection: Connection, kinds: Sequence[Kind], end: int) -> float:
    """Return how long after a reading of every device its hour is there: the pause, and one turn."""
    for kind in kinds:
        rows = await connection.fetch("SELECT id FROM device WHERE kind = $1", kind.name)
        ids = np.array([row["id"] for row in rows], dtype=np.int32)
        at = np.full(len(ids), end - SECOND)
        await marks.mark(connection, kind.name, marks.Touched(device_id=ids, first=at, last=at), end)
    began = time.monotonic()
    for kind in kinds:
        while await roll_up(connection, kind):
            pass
    return rollups.EVERY_S + time.monotonic() - began


_HYPERTABLE = "SELECT hypertable_size($1::text::regclass)"
_COMPRESS = "SELECT compress_chunk(c, if_not_compressed => true) FROM show_chunks($1::text::regclass) AS c"


async def _size(
    connection: Connection,
    kinds: Sequence[Kind],
    edition: Edition,
    made_s: float,
    rolled_s: float,
    lag_s: float,
) -> PastSize:
    readings = 0
    sizes = dict.fromkeys(Resolution, 0)
    compressed = 0
    values: Counter[str] = Counter()
    for kind in kinds:
        rows = await connection.fetchval(f"SELECT count(*) FROM {table_name(kind.name)}")  # noqa: S608
        readings += rows
        for resolution in Resolution:
            name = f"{kind.name}_{resolution}"
            if edition is Edition.PLAIN:
                sizes[resolution] += (await table_sizes(connection))[name].bytes
                continue
            sizes[resolution] += await connection.fetchval(_HYPERTABLE, name)
            if resolution is Resolution.READING:
                await connection.fetch(_COMPRESS, name)
                compressed += await connection.fetchval(_HYPERTABLE, name)
                for column, size in (await _column_bytes(connection, name)).items():
                    values[f"{kind.name}.{column}"] = round(size / rows, 2)
    rolled = sizes[Resolution.HOUR] + sizes[Resolution.DAY]
    return PastSize(
        readings=readings,
        bytes_per_row=round(sizes[Resolution.READING] / readings, 1),
        rollup_bytes_per_reading=round(rolled / readings, 1),
        compression_ratio=round(sizes[Resolution.READING] / compressed, 2) if compressed else None,
        column_bytes=dict(values.most_common()) if compressed else None,
        made_s=round(made_s, 1),
        rolled_s=round(rolled_s, 1),
        rollup_lag_s=round(lag_s, 2),
    )


_CHUNKS = (
    "SELECT format('%I.%I', c.schema_name, c.table_name) AS name FROM _timescaledb_catalog.chunk AS p"
    " JOIN _timescaledb_catalog.chunk AS c ON c.id = p.compressed_chunk_id"
    " JOIN _timescaledb_catalog.hypertable AS h ON h.id = p.hypertable_id WHERE h.table_name = $1"
)
_COLUMNS = (
    "SELECT quote_ident(attname) AS name FROM pg_attribute"
    " WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped"
)


async def _column_bytes(connection: Connection, name: str) -> Mapping[str, int]:
    """Return the bytes of every column in the columnstore of a hypertable."""
    found: Counter[str] = Counter()
    for chunk in [row["name"] for row in await connection.fetch(_CHUNKS, name)]:
        columns = [row["name"] for row in await connection.fetch(_COLUMNS, chunk)]
        sums = ", ".join(f"sum(pg_column_size({column})) AS {column}" for column in columns)
        for row in await connection.fetch(f"SELECT {sums} FROM {chunk}"):  # noqa: S608
            found.update({column: size or 0 for column, size in row.items()})
    return found
