"""Everything that is kept of a person, to be handed to them: rows of any table that name them by number.

Which tables these are is read from the database, so that one that is added later is not forgotten. What only
proves who they are (passwords, sessions' secrets, keys of browsers) stays here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from people.person import get_person

if TYPE_CHECKING:
    from store.connection import Connection

PROOFS = [
    "password_hash", "totp_secret", "totp_step", "recovery_codes", "hash", "former_hash", "token_hash",
    "code", "code_hash", "endpoint", "p256dh", "auth",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One row. column: where the person stands in it; a row that names them twice comes twice."""

    table: str
    column: str
    row: dict[str, Any]


_COLUMNS = """
SELECT c.conrelid::regclass::text AS name, a.attname::text AS column_name
FROM pg_constraint AS c
INNER JOIN pg_attribute AS a ON c.conrelid = a.attrelid AND a.attnum = c.conkey[1]
WHERE c.contype = 'f' AND c.confrelid IN ('person'::regclass, 'principal'::regclass)
    AND cardinality(c.conkey) = 1 AND c.conparentid = 0
UNION
SELECT 'person', 'id'
ORDER BY 1, 2
"""


async def rows_of(connection: Connection, name: str) -> AsyncIterator[PersonRow]:
    """Yield every row that names a person, table by table, as of one moment.

    Raises:
        NotFound: there is nobody of that name.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        person = await get_person(connection, name)
        for found in await connection.fetch(_COLUMNS):
            # Names are the catalogue's own, quoted by regclass.
            statement = (
                f"SELECT to_jsonb(t) - $2::text [] AS said FROM {found['name']} AS t"  # noqa: S608
                f' WHERE "{found["column_name"]}" = $1'
            )
            async for row in connection.cursor(statement, person.id, PROOFS):
                yield PersonRow(table=found["name"], column=found["column_name"], row=row["said"])
