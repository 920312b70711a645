"""All readings of one kind in a municipality, page by page: device after device, each by its instants.

Must not know what becomes of the rows, nor what of it somebody may see.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from devices.kinds.kind import Kind
from readings.history import STATEMENT_TIMEOUT_S, suspect
from readings.tables import table_name
from store.connection import Connection

if TYPE_CHECKING:
    import asyncpg

PAGE = 10_000
"""Rows that are held at once."""
FEW, MOST = 8, 1000
"""Devices that one statement reads, at first and at most: as many as have said about a page."""

Lend = Callable[[], AbstractAsyncContextManager[Connection]]
"""Lends a connection for one page: who reads slowly keeps none from others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingExport:
    """What is asked for: readings observed in [start, end) while their device stood in the municipality."""

    kind: Kind
    municipality_id: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPage:
    """Some readings, and of how many devices everything has been read."""

    rows: list[dict[str, Any]]
    devices: int
    of_devices: int


# Those that stand there, and those that stood there when something of the span was observed.
_DEVICES = """
SELECT d.id FROM device AS d
WHERE d.kind = $1 AND (
    d.municipality_id = $2
    OR EXISTS (
        SELECT FROM device_move AS m
        WHERE m.device_id = d.id AND m.municipality_id = $2 AND m.moved_at > $3
    )
)
ORDER BY d.id
"""


async def export(
    lend: Lend, wanted: ReadingExport, *, page: int = PAGE, timeout_s: float | None = STATEMENT_TIMEOUT_S
) -> AsyncIterator[ExportPage]:
    """Yield every reading as a row, some of them at a time; the last page may be empty.

    A row has `device`, the columns of a reading and each measurement; `suspect` names those not believed.

    Args:
        lend: see above.
        wanted: what is asked for.
        page: rows in one.
        timeout_s: of one statement; None: as long as the connection lets it.
    """
    async with lend() as connection:
        found = await connection.fetch(_DEVICES, wanted.kind.name, wanted.municipality_id, wanted.start)
    devices = [row["id"] for row in found]
    query = _query(wanted.kind)
    place, together = 0, FEW
    after: tuple[int, datetime] = (0, wanted.start)
    while place < len(devices):
        chunk = devices[place : place + together]
        async with lend() as connection:
            rows = await connection.fetch(
                query, chunk, wanted.start, wanted.end, *after, page, wanted.municipality_id,
                timeout=timeout_s,
            )  # fmt: skip
        if len(rows) == page:
            after = (rows[-1]["device_id"], rows[-1]["observed_at"])
            place = bisect_left(devices, after[0])
            together = len({row["device_id"] for row in rows})
        else:
            after = (0, wanted.start)
            place += len(chunk)
            together = together if len(rows) > page / 2 else min(MOST, together * 2)
        shown = await asyncio.to_thread(_rows, wanted.kind, rows)
        yield ExportPage(rows=shown, devices=place, of_devices=len(devices))


def _query(kind: Kind) -> str:
    measured = ", ".join(f'r."{m.name}"' for m in kind.measurements)
    return f"""
SELECT d.name AS device, r.observed_at, r.received_at, r.quality, r.boot, r.seq, r.extra, {measured},
    r.device_id
FROM {table_name(kind.name)} AS r
INNER JOIN device AS d ON r.device_id = d.id
WHERE
    r.device_id = ANY($1::integer []) AND r.observed_at >= $2 AND r.observed_at < $3
    AND (r.device_id, r.observed_at) > ($4, $5)
    AND $7 = CASE
        WHEN d.moved_at > r.observed_at THEN municipality_at(d, r.observed_at) ELSE d.municipality_id
    END
ORDER BY r.device_id, r.observed_at
LIMIT $6
"""  # noqa: S608 - names of a checked declaration


def _rows(kind: Kind, records: Sequence[asyncpg.Record]) -> list[dict[str, Any]]:
    names = ("device", "observed_at", "received_at", "quality", "boot", "seq", "extra")
    wanted = (*names, *(m.name for m in kind.measurements))
    marked = kind.measurement_mask
    return [
        {
            **dict(zip(wanted, record, strict=False)),  # device_id is left over
            "suspect": " ".join(suspect(kind, record["quality"])) if record["quality"] & marked else "",
        }
        for record in records
    ]
