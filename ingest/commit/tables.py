"""Accepted rows into their tables: the fast way for rows that must be new, the careful one for others.

The careful way tells repeats from conflicts and finds the row that the database refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns, joined
from devices.kinds.kind import CLOCK_CORRECTED
from devices.wire import Reason
from ingest.commit import faulty_rows
from ingest.commit.filling import fill
from ingest.commit.rows import copy_columns
from ingest.commit.settled import Settled
from ingest.commit.stored_rows import stored_rows
from ingest.commit.watermarks import Watermarks
from ingest.decide.accept import Accepted, by_receipt, stands_still
from ingest.decide.batch import Batch, locate
from ingest.decide.clocks import AHEAD_LIMIT
from readings.tables import table_of
from store.connection import Connection
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
    if accepted.merging is not None:
        later &= ~accepted.merging.part
    new = np.zeros(len(columns), dtype=np.bool_) if careful else later
    # Most others are repeats: asking for them takes one question, storing none of them takes five.
    asked = np.flatnonzero(~new if (m := accepted.merging) is None else ~new & ~m.part)
    known = await stored_rows(connection, columns, columns.observed_at, asked) | as_told
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
    absent = np.array([row for row, values in stored.items() if values is None], dtype=np.int64)
    merge = partial(_merge_rows, connection, writer, columns, new=new, faults=faults)
    await merge(absent)
    known = np.flatnonzero(~new if accepted.merging is None else ~new & ~accepted.merging.part)
    known = known[~np.isin(known, list(faults))]
    settled.surprises += int(np.count_nonzero(part.later[known]))
    # One that was absent and is not new now is there all the same.
    unforeseen = known[[stored[row] is None for row in known.tolist()]]
    stored |= await stored_rows(connection, columns, columns.observed_at, unforeseen)
    others = [row for row in known.tolist() if not _says_the_same(accepted, row, stored[row])]
    repeats = known[~np.isin(known, others)].tolist()
    conflicts: list[int] = []
    if (merging := accepted.merging) is not None:
        parts = [*(row for row in others if merging.row[row]), *np.flatnonzero(merging.part).tolist()]
        filling = await fill(connection, accepted, sorted(parts), faults, merge)
        if filling.filled:
            settled.filled[kind] = joined(filling.filled)
        repeats += filling.repeats
        conflicts += filling.contradicting
        others = [row for row in others if not merging.row[row]]
    for row, detail in faults.items():
        settled.refused.append(locate(batch, kind, int(accepted.row[row]), Reason.BAD_VALUE, detail))
    stuck = [
        row
        for row in others
        if (known_row := stored[row]) and stands_still(columns, row, known_row["boot"], known_row["seq"])
    ]
    if stuck:
        columns = by_receipt(columns, np.array(stuck, dtype=np.intp))
        await _merge_rows(
            connection, writer, columns, np.array(stuck, dtype=np.int64), new=new, faults=faults
        )
    for row in sorted([*conflicts, *(row for row in others if not new[row])]):
        detail = "another reading of this instant is stored"
        settled.refused.append(locate(batch, kind, int(accepted.row[row]), Reason.CONFLICT, detail))
    if new.sum() > part.new.sum():
        stays = np.flatnonzero(new)
        arrival = np.lexsort((columns.observed_at[stays], columns.message[stays]))
        settled.stored[kind] = columns.take(stays[arrival] if stuck else stays)
    settled.duplicates += [columns.take(np.array(sorted(repeats), dtype=np.int64)), accepted.repeats]


async def _merge_rows(
    connection: Connection,
    writer: Writer,
    columns: Columns,
    rows: NDArray[np.int64],
    *,
    new: NDArray[np.bool_],
    faults: dict[int, str],
) -> None:
    """Store the rows that are not there yet and tell so in `new`; those that are refused become faults."""

    async def merge(some: NDArray[np.int64]) -> None:
        part = columns.take(some)
        new[some] = await writer.merge(connection, table_of(part.kind).name, copy_columns(part), len(part))

    await faulty_rows.sort_out(connection, rows, faults, merge)


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
    found = await stored_rows(connection, columns, accepted.told, rows)
    return {
        row: values
        for row, values in found.items()
        if values
        and (values["boot"], values["seq"]) == (columns.boot[row], columns.seq[row])
        and _says_the_same(accepted, row, values)
    }


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
