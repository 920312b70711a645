"""Alerts that somebody gave to somebody else."""

from __future__ import annotations

from collections.abc import Sequence

from store.connection import Connection

_STILL = """
SELECT alert.id, person.name
FROM alert_note AS note
INNER JOIN alert ON note.alert_id = alert.id
INNER JOIN person ON alert.assignee_id = person.id
WHERE note.id = ANY($1::bigint []) AND note.type = 'assigned' AND note.body = person.id::text
    AND note.author_id IS DISTINCT FROM person.id AND alert.state = 'firing'
ORDER BY note.id
"""


async def still_given(connection: Connection, notes: Sequence[int]) -> dict[int, str]:
    """Return to whom open alerts were given by others, by alert, where they still are theirs.

    Args:
        notes: numbers of the events.
    """
    return {row["id"]: row["name"] for row in await connection.fetch(_STILL, list(notes))}
