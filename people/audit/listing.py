"""The audit as it is read: who changed what, by page and as a stream. How it is written: store.audit.

Must not know what was changed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from store.connection import Connection

PAGE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which rows are wanted; None takes any.

    municipality: by name. who: a principal's number, or the name it is shown by. action: a whole one, or its
    noun: `device` is every change of devices. since, until: the end is not included.
    """

    municipality: str | None = None
    who: str | None = None
    subject: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One change. municipality: None for the whole platform. who: the name of the principal, as it is now.

    The other fields are those that `hash` is made of (docs/audit.md).
    """

    id: int
    municipality_id: int | None
    municipality: str | None
    month: date
    number: int
    changed_at: datetime
    principal_id: int
    who: str
    address: str
    action: str
    subject: str
    before: Any
    after: Any
    previous: str
    hash: str


_COLUMNS = """
SELECT a.id, c.municipality_id, m.name AS municipality, c.month, a.number, a.changed_at, a.principal_id,
    p.name AS who, a.address, a.action, a.subject, a.before, a.after, a.previous, a.hash
"""
_WANTED = """
    ($1::text IS NULL OR m.name = $1)
    AND ($2::text IS NULL OR p.name = $2 OR a.principal_id::text = $2)
    AND ($3::text IS NULL OR a.subject = $3)
    AND ($4::text IS NULL OR a.action = $4 OR split_part(a.action, '.', 1) = $4)
    AND ($5::timestamptz IS NULL OR a.changed_at >= $5)
    AND ($6::timestamptz IS NULL OR a.changed_at < $6)
"""
_NEWEST = f"""
{_COLUMNS}
FROM audit AS a
INNER JOIN audit_chain AS c ON a.chain_id = c.id
INNER JOIN named_principal AS p ON a.principal_id = p.id
LEFT JOIN municipality AS m ON c.municipality_id = m.id
WHERE {_WANTED} AND ($7::bigint IS NULL OR a.id < $7)
ORDER BY a.id DESC
LIMIT $8
"""
# The newest of each chain by its index, and of these the newest: no rows of other municipalities are read.
_NEWEST_OF_TOWN = f"""
SELECT newest.*
FROM audit_chain AS c
INNER JOIN municipality AS m ON c.municipality_id = m.id
CROSS JOIN LATERAL (
    {_COLUMNS}
    FROM audit AS a
    INNER JOIN named_principal AS p ON a.principal_id = p.id
    WHERE a.chain_id = c.id AND {_WANTED} AND ($7::bigint IS NULL OR a.id < $7)
    ORDER BY a.id DESC
    LIMIT $8
) AS newest
WHERE m.name = $1
ORDER BY newest.id DESC
LIMIT $8
"""  # noqa: S608 - of the two texts above
_OF_CHAIN = f"""
{_COLUMNS}
FROM audit AS a
INNER JOIN audit_chain AS c ON a.chain_id = c.id
INNER JOIN named_principal AS p ON a.principal_id = p.id
LEFT JOIN municipality AS m ON c.municipality_id = m.id
WHERE a.chain_id = $9 AND {_WANTED} AND a.number > $7
ORDER BY a.number
LIMIT $8
"""
_CHAINS = """
SELECT c.id
FROM audit_chain AS c
LEFT JOIN municipality AS m ON c.municipality_id = m.id
WHERE
    ($1::text IS NULL OR m.name = $1)
    AND ($2::timestamptz IS NULL OR c.month >= date_trunc('month', $2 AT TIME ZONE 'UTC'))
    AND ($3::timestamptz IS NULL OR c.month < $3 AT TIME ZONE 'UTC')
ORDER BY c.month, c.municipality_id NULLS FIRST
"""


async def list_audit(
    connection: Connection, wanted: AuditFilter, *, before: int | None = None, limit: int = 100
) -> list[AuditRow]:
    """Return rows, the newest first; `before` is the last id of the page before this one."""
    statement = _NEWEST if wanted.municipality is None else _NEWEST_OF_TOWN
    return await _fetch(connection, statement, wanted, before, limit)


async def chains_of(connection: Connection, wanted: AuditFilter) -> list[int]:
    """Return the chains that may hold such rows in the order of an export: by month, the platform's first."""
    rows = await connection.fetch(_CHAINS, wanted.municipality, wanted.since, wanted.until)
    return [row["id"] for row in rows]


async def export_page(
    connection: Connection, wanted: AuditFilter, chain: int, *, after: int = 0
) -> list[AuditRow]:
    """Return a page of a chain in its order; `after` is the last number of the page before this one.

    A chain's rows are committed in the order of their numbers, so that none is passed over that is written at
    the same time. Ids of all chains together are not.
    """
    return await _fetch(connection, _OF_CHAIN, wanted, after, PAGE, chain)


async def export(connection: Connection, wanted: AuditFilter) -> AsyncIterator[list[AuditRow]]:
    """Yield every row by page, chain by chain, each in its order."""
    for chain in await chains_of(connection, wanted):
        last = 0
        while page := await export_page(connection, wanted, chain, after=last):
            last = page[-1].number
            yield page


async def _fetch(
    connection: Connection, statement: str, wanted: AuditFilter, cursor: int | None, limit: int, *more: int
) -> list[AuditRow]:
    rows = await connection.fetch(
        statement,
        wanted.municipality,
        wanted.who,
        wanted.subject,
        wanted.action,
        wanted.since,
        wanted.until,
        cursor,
        limit,
        *more,
    )
    return [AuditRow(**row) for row in rows]
