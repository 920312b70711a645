"""What somebody may do now who is known by the number of their principal alone: person or token.

For what they left to be done in their name. Must not know what that is.
"""

from __future__ import annotations

from people import tokens
from people.identity import Identity, of_texts
from store.connection import Connection

_PERSON = """
SELECT
    p.name,
    ARRAY(
        SELECT concat_ws('@', g.role, m.name)
        FROM membership AS g
        LEFT JOIN municipality AS m ON g.municipality_id = m.id
        WHERE g.person_id = p.id
    ) AS grants
FROM person AS p
WHERE p.id = $1 AND p.disabled_at IS NULL
"""


async def identity_now(connection: Connection, principal: int, now: int) -> Identity | None:
    """Return who a principal is and what they may do; None: they are gone, disabled, revoked or expired.

    Args:
        now: by the clock of people, microseconds since 1970-01-01Z.
    """
    row = await connection.fetchrow(_PERSON, principal)
    if row is None:
        return await tokens.identity_again(connection, principal, now)
    return Identity(principal=principal, kind="person", name=row["name"], grants=of_texts(row["grants"]))
