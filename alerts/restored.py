"""Events of a database that was restored into another cluster of PostgreSQL.

Their transaction numbers are the old cluster's. Where the new one counts lower, they would come after
whatever happens from now on. They get the lowest numbers, those that were read before those that were not.
"""

from __future__ import annotations

from alerts.events import Cursor
from store.connection import Connection

READ, UNREAD = 1, 2
"""Numbers that no transaction has."""
TAKES_S = 3600.0
"""Every event is written again."""

# No number that is stored can be one that the cluster has not given yet; ids go on counting.
_NEWEST_OF_THE_OLD = """
SELECT max(id) FROM (
    SELECT id FROM transition WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
    UNION ALL
    SELECT id FROM alert_note WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
    UNION ALL
    SELECT $2::bigint WHERE $1::xid8 >= pg_snapshot_xmax(pg_current_snapshot())
) AS old
"""
_UNHURRIED = "SET LOCAL statement_timeout = 0"
_NUMBER_TRANSITIONS = """
UPDATE transition SET xid = CASE WHEN (xid, id) <= ($1::xid8, $2::bigint) THEN $4::xid8 ELSE $5::xid8 END
WHERE id <= $3
"""
_NUMBER_NOTES = """
UPDATE alert_note SET xid = CASE WHEN (xid, id) <= ($1::xid8, $2::bigint) THEN $4::xid8 ELSE $5::xid8 END
WHERE id <= $3
"""


async def put_first(connection: Connection, cursor: Cursor) -> Cursor:
    """Put events of another cluster before all others, and return the cursor to go on from. In a transaction.

    Args:
        cursor: of the last event that was read; it is returned where no event is another cluster's.
    """
    newest: int | None = await connection.fetchval(_NEWEST_OF_THE_OLD, *cursor)
    if newest is None:
        return cursor
    await connection.execute(_UNHURRIED)
    for statement in (_NUMBER_TRANSITIONS, _NUMBER_NOTES):
        await connection.execute(statement, *cursor, newest, READ, UNREAD, timeout=TAKES_S)
    return READ, newest
