"""How much is stored, since when and for how long, and when old rows are looked for next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from nabd.retention.classes import RetentionClass
from nabd.retention.keeping import EVERY
from readings.stored.size import StoredReadings, stored_readings
from store.connection import Connection
from store.edition import Edition, stored
from store.standing.sizes import TableSize, table_sizes
from store.tables import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStanding:
    """How a class stands.

    rows: about. oldest: None where there is nothing, or nobody looks. keep_days: 0: it goes as soon as it is
    over. looked_at: None: never; next_at: when it is looked at next, None: not known, or at once.
    """

    name: str
    tables: tuple[str, ...]
    rows: int
    bytes: int
    oldest: datetime | None
    keep_days: float
    setting: str
    survives: str
    looked_at: datetime | None
    next_at: datetime | None
    removed: int
    behind_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStanding:
    """Everything that is stored. kept: tables whose rows stay, or that do not grow."""

    edition: Edition
    bytes: int
    readings: Sequence[StoredReadings]
    classes: Sequence[ClassStanding]
    kept: Sequence[TableSize]


_RUNS = "SELECT class, looked_at, removed, behind_since FROM retention_run"
_BYTES = "SELECT pg_database_size(current_database())"


async def standing(
    connection: Connection, classes: Sequence[RetentionClass], tables: Iterable[Table]
) -> StoreStanding:
    """Return how everything stands; reads sizes and ends only, so that it is quick after years."""
    sizes = await table_sizes(connection)
    edition = await stored(connection)
    readings = await stored_readings(connection, tables, edition, sizes)
    found = await _classes(connection, classes, sizes)
    named = {one.table for one in readings} | {name for one in found for name in one.tables}
    return StoreStanding(
        edition=edition,
        bytes=await connection.fetchval(_BYTES),
        readings=readings,
        classes=found,
        kept=sorted(
            (size for name, size in sizes.items() if name not in named), key=lambda size: -size.bytes
        ),
    )


async def _classes(
    connection: Connection, classes: Sequence[RetentionClass], sizes: Mapping[str, TableSize]
) -> list[ClassStanding]:
    runs = {row["class"]: row for row in await connection.fetch(_RUNS)}
    found = []
    for one in classes:
        run = runs.get(one.name)
        own = [sizes[name] for name in one.expiring.tables if name in sizes]
        waits = run is not None and run["behind_since"] is None
        found.append(
            ClassStanding(
                name=one.name,
                tables=one.expiring.tables,
                rows=sum(size.rows for size in own),
                bytes=sum(size.bytes for size in own),
                oldest=await one.expiring.oldest(connection),
                keep_days=one.keep / timedelta(days=1),
                setting=one.setting,
                survives=one.survives,
                looked_at=run["looked_at"] if run else None,
                next_at=run["looked_at"] + EVERY if run and waits else None,
                removed=run["removed"] if run else 0,
                behind_since=run["behind_since"] if run else None,
            )
        )
    return found
