"""Rows of readings into their table: plain COPY, or COPY beside a merge that tells repeats apart.

`Writer` is the seam to servers that take no COPY, as one in the tests. Must not know kinds, devices or
acknowledgements.
"""

# ruff: noqa: S608 - names of tables and columns come from declarations whose grammar leaves nothing to quote

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from store.connection import Connection
from store.copy import CopyColumn, encode, order
from store.tables import ColumnType

Meanwhile = Iterator[object]
"""Work to do while the server stores rows, a piece for each step; it may be left unfinished.

Must not raise, and must not use the connection.
"""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
COPY_TIMEOUT_S = 60.0

HANDING_OVER_S = 0.001
"""How often to look whether rows have left."""
TURNS = 4
"""Turns of the event loop after which an answer that has been sent has mostly been read."""


class Writer(Protocol):
    """Puts rows of one table into the transaction of `connection`."""

    async def append(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[CopyColumn],
        rows: int,
        meanwhile: Meanwhile,
    ) -> None:
        """Store rows that are expected to be new, and do `meanwhile` while the server stores them.

        Raises:
            asyncpg.UniqueViolationError: one of them is stored already; the transaction is lost.
        """

    async def merge(
        self, connection: Connection, table: str, columns: Sequence[CopyColumn], rows: int
    ) -> NDArray[np.bool_]:
        """Store the rows that are new; return (n,) bool, True where the row was.

        Keys (device_id, observed_at) must differ among the rows.
        """


class CopyWriter:
    """Binary COPY: the way for every real server."""

    async def append(
        self,
        connection: Connection,
        table: str,
        columns: Sequence[CopyColumn],
        rows: int,
        meanwhile: Meanwhile,
    ) -> None:
        """Store rows that are expected to be new (one COPY)."""
        copying = asyncio.create_task(self._copy(connection, table, columns, rows))
        try:
            if not await _handed_over(connection, copying):
                for _ in meanwhile:
                    if await _over(copying):
                        break
            await copying
        except BaseException:
            # A rollback needs the connection for itself.
            copying.cancel()
            await asyncio.gather(copying, return_exceptions=True)
            raise

    async def merge(
        self, connection: Connection, table: str, columns: Sequence[CopyColumn], rows: int
    ) -> NDArray[np.bool_]:
        """COPY into a temporary table, then insert what is not there yet."""
        staging = f"incoming_{table}"
        await connection.execute(
            f"CREATE TEMP TABLE IF NOT EXISTS {staging} (LIKE {table}) ON COMMIT DELETE ROWS"
        )
        await connection.execute(f"DELETE FROM {staging}")
        await self._copy(connection, staging, columns, rows)
        names = ", ".join(c.name for c in columns)
        inserted = await connection.fetch(
            f"INSERT INTO {table} ({names}) SELECT {names} FROM {staging}"
            " ON CONFLICT (device_id, observed_at) DO NOTHING"
            " RETURNING device_id, (extract(epoch FROM observed_at) * 1000000)::bigint"
        )
        return present(columns, {(r[0], r[1]) for r in inserted})

    async def _copy(
        self, connection: Connection, table: str, columns: Sequence[CopyColumn], rows: int
    ) -> None:
        ordered = order(columns)
        # A memoryview: asyncpg would take bytes for the name of a file, and handing over pieces it hangs when
        # the connection is lost.
        source = memoryview(encode(ordered, rows))
        await connection.copy_to_table(
            table,
            source=source,  # type: ignore[arg-type]  # any buffer is read, whatever the stubs say
            columns=[c.name for c in ordered],
            format="binary",
            timeout=COPY_TIMEOUT_S,
        )


async def _handed_over(connection: Connection, copying: asyncio.Task[None]) -> bool:
    """Wait until the rows have left this process, or COPY has ended; return whether it has.

    With TLS some rows may still be buffered here; work that is done meanwhile delays them.
    """
    # asyncpg has no public way to tell.
    while not (over := await _over(copying)) and connection._transport.get_write_buffer_size():  # type: ignore[union-attr]
        await asyncio.wait({copying}, timeout=HANDING_OVER_S)
    return over


async def _over(copying: asyncio.Task[None]) -> bool:
    for _ in range(TURNS):
        await asyncio.sleep(0)
        if copying.done():
            return True
    return False


def present(columns: Sequence[CopyColumn], keys: set[tuple[int, int]]) -> NDArray[np.bool_]:
    """Tell whose keys (device id, microseconds) are among those given, (n,)."""
    by_name = {c.name: c.values for c in columns}
    pairs = zip(by_name["device_id"].tolist(), by_name["observed_at"].tolist(), strict=True)
    return np.array([pair in keys for pair in pairs], dtype=np.bool_)


async def fill(connection: Connection, table: str, columns: Sequence[CopyColumn], rows: int) -> None:
    """Write columns of stored rows anew, found by their keys (device_id, observed_at).

    Each row is a statement of its own, with its key as parameters: of what is compressed, only where that key
    lies is opened.
    """
    by_name = {c.name: c for c in columns}
    keys = [by_name.pop("device_id"), by_name.pop("observed_at")]
    changed = list(by_name.values())
    arguments = zip(*(_plain(c, rows) for c in (*keys, *changed)), strict=True)
    await connection.executemany(
        f"UPDATE {table} SET {', '.join(f'{c.name} = ${i}' for i, c in enumerate(changed, start=3))}"
        " WHERE device_id = $1 AND observed_at = $2",
        list(arguments),
    )


def _plain(column: CopyColumn, rows: int) -> list[Any]:
    """Return a column as what the driver takes, None where it is NULL."""
    values: list[Any] = column.values.tolist()
    match column.type:
        case ColumnType.TIME:
            values = [_EPOCH + timedelta(microseconds=at) for at in values]
        case ColumnType.BOOLEAN:
            values = [value == 1 for value in values]
        case ColumnType.JSON:
            values = [None if value is None else msgspec.json.decode(value) for value in values]
    if column.null is None:
        return values
    return [None if null else value for value, null in zip(values, column.null.tolist(), strict=True)]


async def stored(
    connection: Connection, table: str, names: Sequence[str], device_ids: list[int], observed_at: list[int]
) -> dict[tuple[int, int], dict[str, Any]]:
    """Return the stored rows of the given keys (device id, microseconds), with the named columns."""
    # OFFSET 0 makes the planner look each key up by itself. A join that is planned while the partitions are
    # empty reads them whole, and as plans are kept it would still do so when they have grown.
    rows = await connection.fetch(
        "SELECT r.* FROM unnest($1::integer [], $2::bigint []) AS k (device_id, observed_us)"
        f" CROSS JOIN LATERAL (SELECT r.device_id, k.observed_us, {', '.join('r.' + n for n in names)}"
        f" FROM {table} AS r WHERE r.device_id = k.device_id"
        " AND r.observed_at = 'epoch'::timestamptz + k.observed_us * '1 microsecond'::interval"
        " OFFSET 0) AS r",
        device_ids,
        observed_at,
    )
    return {(r["device_id"], r["observed_us"]): dict(r) for r in rows}
