"""Accepted rows into their tables: the fast way for rows that must be new, the careful one for others.

The careful way tells repeats from conflicts and finds the row that the database refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from devices.kinds.kind import CLOCK_CORRECTED
from devices.wire import Reason
from ingest.commit.rows import copy_columns
from ingest.commit.settled import Settled
from ingest.commit.watermarks import Watermarks
from ingest.decide.accept import Accepted, by_receipt, stands_still
from ingest.decide.batch import Batch, locate
from ingest.decide.clocks import AHEAD_LIMIT
from readings.tables import table_of
from store import readings
from store.connection import Connection
from store.failures import DATA_ERRORS
from store.readings import Writer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What is known of a kind's rows before any is stored.

    later, new: (n,) bool, rows that are later than all we know of their device, and those that are appended.
    rows: the latter. known: what is stored under the keys of the others, by row; None where nothing is.
    """

    later: NDArray[np.bool_]
    new: NDArray[np.bool_]
    rows: Columns
    known: dict[int, dict[str, Any] | None]


async def store(
    connection: Connection,
    writer: Writer,
    batch: Batch,
    newest: Watermarks,
    foresee: Callable[[Columns], None],
    now: int,
    *,
    careful: bool,
) -> Settled:
    """Store the rows of a batch that are new; tell duplicates, conflicts and unstorable rows apart.

    Args:
        newest: tells which rows may be repeats. The others are appended, unless we are `careful`.
        foresee: told, while the server takes rows, what a kind's new ones will be if nothing goes wrong.
        now: what our clock says, microseconds since 1970-01-01Z.

    Raises:
        asyncpg.UniqueViolationError, asyncpg.DataError: an appended row is not new, or not storable;
            nothing of the transaction can be kept.
    """
    settled = Settled(refused=list(batch.refused), learnt=batch.learnt)
    parts = [await _sort_out(connection, a, newest, now, careful=careful) for a in batch.accepted.values()]
    meanwhile = _foreseeing(parts, foresee)
    for (kind, accepted), part in zip(batch.accepted.items(), parts, strict=True):
        settled.stored[kind] = part.rows
        if len(part.rows):
            table = table_of(part.rows.kind).name
            await writer.append(connection, table, copy_columns(part.rows), len(part.rows), meanwhile)
        if part.new.all():
            settled.duplicates.append(accepted.repeats)
        else:
            await _settle(connection, writer, batch, kind, part, settled)
    return settled


async def _sort_out(
    connection: Connection, accepted: Accepted, newest: Watermarks, now: int, *, careful: bool
) -> _Part:
    columns = accepted.columns
    later = newest.before(columns)
    as_told = await _stored_as_told(connection, accepted, now)
    later[list(as_told)] = False
    new = np.zeros(len(columns), dtype=np.bool_) if careful else later
    # Most others are repeats: asking for them takes one question, storing none of them takes five.
    known = await _stored(connection, columns, columns.observed_at, np.flatnonzero(~new)) | as_told
    return _Part(later=later, new=new, rows=columns if new.all() else columns.take(new), known=known)


def _foreseeing(parts: Sequence[_Part], foresee: Callable[[Columns], None]) -> Iterator[None]:
    for part in parts:
        if len(part.rows) and None not in part.known.values():
            foresee(part.rows)
            yield


async def _settle(
    connection: Connection,
    writer: Writer,
    batch: Batch,
    kind: str,
    part: _Part,
    settled: Settled,
) -> None:
    """Store the other rows that are new, and say what became of the rest."""
    accepted = batch.accepted[kind]
    new, stored = part.new.copy(), dict(part.known)
    columns = accepted.columns
    faults: dict[int, str] = {}
    absent = [row for row, values in stored.items() if values is None]
    await _merge_rows(connection, writer, columns, np.array(absent, dtype=np.int64), new, faults)
    for row, detail in faults.items():
        settled.refused.append(locate(batch, kind, int(accepted.row[row]), Reason.BAD_VALUE, detail))
    known = np.flatnonzero(~new)
    known = known[~np.isin(known, list(faults))]
    settled.surprises += int(np.count_nonzero(part.later[known]))
    # One that was absent and is not new now is there all the same.
    unforeseen = known[[stored[row] is None for row in known.tolist()]]
    stored |= await _stored(connection, columns, columns.observed_at, unforeseen)
    conflicts = [row for row in known.tolist() if not _says_the_same(accepted, row, stored[row])]
    stuck = [
        row
        for row in conflicts
        if (known_row := stored[row]) and stands_still(columns, row, known_row["boot"], known_row["seq"])
    ]
    if stuck:
        columns = by_receipt(columns, np.array(stuck, dtype=np.intp))
        await _merge_rows(connection, writer, columns, np.array(stuck, dtype=np.int64), new, faults)
        conflicts = [row for row in conflicts if not new[row]]
    for row in conflicts:
        detail = "another reading of this instant is stored"
        settled.refused.append(locate(batch, kind, int(accepted.row[row]), Reason.CONFLICT, detail))
    if absent or stuck:
        stays = np.flatnonzero(new)
        arrival = np.lexsort((columns.observed_at[stays], columns.message[stays]))
        settled.stored[kind] = columns.take(stays[arrival] if stuck else stays)
    settled.duplicates += [columns.take(known[~np.isin(known, [*conflicts, *stuck])]), accepted.repeats]


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
    except DATA_ERRORS as error:
        if len(rows) == 1:
            faults[int(rows[0])] = str(error)
            return
        half = len(rows) // 2
        await _merge_rows(connection, writer, columns, rows[:half], new, faults)
        await _merge_rows(connection, writer, columns, rows[half:], new, faults)


async def _stored_as_told(
    connection: Connection, accepted: Accepted, now: int
) -> dict[int, dict[str, Any] | None]:
    """Return what is stored of rows of corrected time that were taken as right when first said, by row.

    Only a number tells such a repeat: a clock that is set back tells the same times twice.
    """
    columns = accepted.columns
    corrected = columns.numbered() & (columns.quality & CLOCK_CORRECTED > 0)
    # Of what was said before, nothing was later than this.
    latest = np.maximum(columns.received_at, now) + AHEAD_LIMIT
    rows = np.flatnonzero(corrected & (accepted.told <= latest))
    found = await _stored(connection, columns, accepted.told, rows)
    return {
        row: values
        for row, values in found.items()
        if values
        and (values["boot"], values["seq"]) == (columns.boot[row], columns.seq[row])
        and _says_the_same(accepted, row, values)
    }


async def _stored(
    connection: Connection, columns: Columns, at: NDArray[np.int64], rows: NDArray[np.int64]
) -> dict[int, dict[str, Any] | None]:
    """Return what is stored of some rows' devices at instants (len(columns),), None where nothing is."""
    if not len(rows):
        return {}
    names = [*(m.name for m in columns.kind.measurements), "extra", "boot", "seq"]
    ids, observed = columns.device_id[rows].tolist(), at[rows].tolist()
    found = await readings.stored(connection, table_of(columns.kind).name, names, ids, observed)
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
    return bool(columns.unknown(row) == stored["extra"])
