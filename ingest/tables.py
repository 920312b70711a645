"""Accepted rows into their tables: the fast way for rows that must be new, the careful one for others.

The careful way tells repeats from conflicts and finds the row that the database refuses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.tables import table_of
from devices.wire import Reason
from ingest.accept import Accepted
from ingest.batch import Batch, locate
from ingest.newest import Newest
from ingest.rows import copy_columns
from ingest.settled import Settled
from store import readings
from store.connection import Connection
from store.readings import Writer


async def store(
    connection: Connection,
    writer: Writer,
    batch: Batch,
    newest: Newest,
    foresee: Callable[[Columns], None],
    *,
    careful: bool,
) -> Settled:
    """Store the rows of a batch that are new; tell duplicates, conflicts and unstorable rows apart.

    Args:
        newest: tells which rows may be repeats. The others are appended, unless we are `careful`.
        foresee: told, while the server takes them, what a kind's new rows will be if nothing goes wrong.

    Raises:
        asyncpg.UniqueViolationError, asyncpg.DataError: an appended row is not new, or not storable;
            nothing of the transaction can be kept.
    """
    settled = Settled(refused=list(batch.refused), learnt=batch.learnt)
    for kind, accepted in batch.accepted.items():
        columns = accepted.columns
        later = newest.before(columns)
        new = np.zeros(len(columns), dtype=np.bool_) if careful else later
        # Most others are repeats: asking for them takes one question, storing none of them takes five.
        known = await _stored(connection, columns, np.flatnonzero(~new))
        part = columns if new.all() else columns.take(new)
        settled.stored[kind] = part
        if len(part):
            meanwhile = partial(foresee, part) if None not in known.values() else _nothing
            table = table_of(columns.kind).name
            await writer.append(connection, table, copy_columns(part), len(part), meanwhile)
        if new.all():
            settled.duplicates.append(accepted.repeats)
        else:
            await _settle(connection, writer, batch, kind, new.copy(), later, known, settled)
    return settled


def _nothing() -> None:
    pass


async def _settle(
    connection: Connection,
    writer: Writer,
    batch: Batch,
    kind: str,
    new: NDArray[np.bool_],
    later: NDArray[np.bool_],
    stored: dict[int, dict[str, Any] | None],
    settled: Settled,
) -> None:
    """Store the other rows that are new, completing `new`, and say what became of the rest.

    Args:
        stored: what is stored under the keys of the rows that are not `new`.
    """
    accepted = batch.accepted[kind]
    columns = accepted.columns
    faults: dict[int, str] = {}
    absent = [row for row, values in stored.items() if values is None]
    await _merge_rows(connection, writer, columns, np.array(absent, dtype=np.int64), new, faults)
    for row, detail in faults.items():
        settled.refused.append(locate(batch, kind, int(accepted.row[row]), Reason.BAD_VALUE, detail))
    known = np.flatnonzero(~new)
    known = known[~np.isin(known, list(faults))]
    settled.surprises += int(np.count_nonzero(later[known]))
    # One that was absent and is not new now is there all the same.
    stored |= await _stored(connection, columns, known[[stored[row] is None for row in known.tolist()]])
    conflicts = [row for row in known.tolist() if not _says_the_same(accepted, row, stored[row])]
    for row in conflicts:
        detail = "another reading of this instant is stored"
        settled.refused.append(locate(batch, kind, int(accepted.row[row]), Reason.CONFLICT, detail))
    if absent:
        settled.stored[kind] = columns.take(new)
    settled.duplicates += [columns.take(known[~np.isin(known, conflicts)]), accepted.repeats]


async def _merge_rows(
    connection: Connection,
    writer: Writer,
    columns: Columns,
    rows: NDArray[np.int64],
    new: NDArray[np.bool_],
    faults: dict[int, str],
) -> None:
    """Merge rows under a savepoint, halving them until the ones at fault stand alone."""
    if not len(rows):
        return
    part = columns.take(rows)
    try:
        async with connection.transaction():
            new[rows] = await writer.merge(
                connection, table_of(part.kind).name, copy_columns(part), len(part)
            )
    except readings.DATA_ERRORS as error:
        if len(rows) == 1:
            faults[int(rows[0])] = str(error)
            return
        half = len(rows) // 2
        await _merge_rows(connection, writer, columns, rows[:half], new, faults)
        await _merge_rows(connection, writer, columns, rows[half:], new, faults)


async def _stored(
    connection: Connection, columns: Columns, rows: NDArray[np.int64]
) -> dict[int, dict[str, Any] | None]:
    """Return what is stored under the keys of some rows, None where nothing is."""
    if not len(rows):
        return {}
    names = [m.name for m in columns.kind.measurements]
    ids, observed = columns.device_id[rows].tolist(), columns.observed_at[rows].tolist()
    found = await readings.stored(connection, table_of(columns.kind).name, [*names, "extra"], ids, observed)
    keys = zip(ids, observed, strict=True)
    return {row: found.get(key) for row, key in zip(rows.tolist(), keys, strict=True)}


def _says_the_same(accepted: Accepted, row: int, stored: dict[str, Any] | None) -> bool:
    assert stored is not None
    columns = accepted.columns
    for name, values in columns.values.items():
        reported = accepted.reported.get(name)
        if reported is not None and np.isnan(reported[row]):
            continue  # what is stored may be derived, from attributes of another day
        value = values[row] if reported is None else reported[row]
        if value is None or value != value:
            value = None
        if value != stored[name]:
            return False
    extra = columns.extra[row]
    return bool((None if extra is None else msgspec.json.decode(extra)) == stored["extra"])
