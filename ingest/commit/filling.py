"""Parts of readings that are stored: each fills what is absent there, in the order in which they came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from devices.columns import Columns
from ingest.commit import faulty_rows
from ingest.commit.rows import copy_columns
from ingest.commit.stored_rows import as_columns, stored_rows
from ingest.decide.accept import Accepted
from ingest.decide.parts import complete
from readings.tables import table_of
from store import readings
from store.connection import Connection

_DELIVERED = ("received_at", "boot", "seq")
"""What stays as the first part brought it."""


@dataclass(slots=True, kw_only=True)
class Filling:
    """What became of parts. filled: the readings as they became, by part, in pieces in order of arrival."""

    filled: list[Columns] = field(default_factory=list)
    repeats: list[int] = field(default_factory=list)
    contradicting: list[int] = field(default_factory=list)


async def fill(
    connection: Connection,
    accepted: Accepted,
    rows: Sequence[int],
    faults: dict[int, str],
    insert: Callable[[NDArray[np.int64]], Awaitable[None]],
) -> Filling:
    """Have rows of accepted columns fill what is stored of their instants.

    Args:
        rows: ascending, as they came.
        faults: gains the rows that the database refuses.
        insert: stores rows of which nothing is stored: what they are parts of was refused.
    """
    filling = Filling()
    waiting = list(rows)
    while waiting:
        turn = _first_of_each_key(accepted.columns, waiting)
        waiting = [row for row in waiting if row not in turn]
        found = np.array(sorted(turn), dtype=np.int64)
        known = await stored_rows(connection, accepted.columns, accepted.columns.observed_at, found)
        await insert(found[[known[row] is None for row in found.tolist()]])
        found = found[[known[row] is not None for row in found.tolist()]]
        if len(found):
            stored = [row for row in known.values() if row is not None]
            part = accepted.columns.take(found)
            await _fill(connection, accepted, part, as_columns(part, stored), found, faults, filling)
    return filling


def _first_of_each_key(columns: Columns, rows: Sequence[int]) -> set[int]:
    first: dict[tuple[int, int], int] = {}
    for row in rows:
        first.setdefault((int(columns.device_id[row]), int(columns.observed_at[row])), row)
    return set(first.values())


async def _fill(
    connection: Connection,
    accepted: Accepted,
    part: Columns,
    stored: Columns,
    rows: NDArray[np.int64],
    faults: dict[int, str],
    filling: Filling,
) -> None:
    assert accepted.merging is not None
    reported = {name: values[rows] for name, values in accepted.reported.items()}
    done = complete(part, reported, stored, accepted.merging.attributes)
    table = table_of(part.kind).name

    async def write(places: NDArray[np.int64]) -> None:
        whole = done.whole.take(places)
        columns = [c for c in copy_columns(whole) if c.name not in _DELIVERED]
        await readings.fill(connection, table, columns, len(whole))

    places = np.flatnonzero(done.news)
    refused: dict[int, str] = {}
    await faulty_rows.sort_out(connection, places, refused, write)
    faults |= {int(rows[place]): detail for place, detail in refused.items()}
    places = places[~np.isin(places, list(refused))]
    if len(places):
        filling.filled.append(done.whole.take(places))
    filling.contradicting += rows[done.contradicts].tolist()
    filling.repeats += rows[~done.contradicts & ~done.news].tolist()
