"""Enforces the retention classes: old rows go piece by piece, and what was done is noted.

A piece is one statement of at most PIECE rows (the audit: a month); between two of them others have a turn.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from devices.instants import Now, to_datetime
from nabd.retention.classes import RetentionClass
from store.connection import Connection

log = structlog.get_logger(__name__)

PIECE = 5_000
PIECES = 20
"""Of one class in one turn: 100,000 rows, so that a class that is far behind does not keep others waiting."""
EVERY = timedelta(minutes=10)
"""How often a class is looked at in which nothing more was old."""

_LOOKED = "SELECT class, looked_at, behind_since FROM retention_run"
_NOTE = """
INSERT INTO retention_run AS r (class, looked_at, removed, behind_since) VALUES ($1, $2, $3, $4)
ON CONFLICT (class) DO UPDATE SET
    looked_at = excluded.looked_at, removed = r.removed + excluded.removed,
    behind_since = CASE
        WHEN excluded.behind_since IS NOT NULL THEN coalesce(r.behind_since, excluded.behind_since)
    END
"""


async def enforce(
    connection: Connection,
    classes: Sequence[RetentionClass],
    now: Now,
    real_now: Now,
    *,
    piece: int = PIECE,
    pieces: int = PIECES,
) -> dict[str, int]:
    """Remove what is older than its class is kept, of the classes that are due; return how many rows went.

    Args:
        connection: the database.
        classes: in the order in which they go.
        now: the clock of readings and alerts.
        real_now: the clock of people.
        piece: most rows that one statement removes.
        pieces: most statements for one class.
    """
    looked = {row["class"]: row for row in await connection.fetch(_LOOKED)}
    removed: dict[str, int] = {}
    for one in classes:
        at = to_datetime(now())
        last = looked.get(one.name)
        # A look ahead of us is of a clock that was set back.
        if last and last["behind_since"] is None and last["looked_at"] <= at < last["looked_at"] + EVERY:
            continue
        aged = to_datetime(real_now()) if one.real else at
        removed[one.name], behind = await _forget(connection, one, aged, piece, pieces)
        await connection.execute(_NOTE, one.name, at, removed[one.name], at if behind else None)
        if removed[one.name]:
            log.info("old rows removed", retention_class=one.name, rows=removed[one.name], behind=behind)
    return removed


async def _forget(
    connection: Connection, one: RetentionClass, now: datetime, piece: int, pieces: int
) -> tuple[int, bool]:
    """Remove a class's old rows; return how many went and whether more are old."""
    removed = 0
    for _ in range(pieces):
        gone = await one.expiring.forget_before(connection, now - one.keep, limit=piece, now=now)
        removed += gone
        if gone < piece:
            return removed, False
    return removed, True
