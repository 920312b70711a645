"""How the audit ends: by whole months; how many rows they had and their heads stay, and are recorded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from devices.instants import to_datetime, to_microseconds
from people.audit.check import ChainHead
from store import audit
from store.audit import PLATFORM, Actor, month_of
from store.connection import Connection

AT_ONCE = 10_000
"""Rows that one statement deletes; a month can hold the import of 100,000 devices."""

_EXPIRE = """
UPDATE audit_chain AS c SET expired_at = $2
WHERE c.month < $1 AND c.expired_at IS NULL
RETURNING c.id, (SELECT m.name FROM municipality AS m WHERE m.id = c.municipality_id) AS municipality,
    c.month, c.rows, c.head
"""
_DELETE = """
WITH gone AS (
    DELETE FROM audit
    WHERE id = ANY(ARRAY(SELECT id FROM audit WHERE chain_id = $1 ORDER BY id LIMIT $2))
    RETURNING id
)

SELECT count(*) FROM gone
"""


async def expire(connection: Connection, *, keep_months: int, by: Actor, now: int) -> list[ChainHead]:
    """Delete the rows of months that are over and older than the last so many; return the heads, which stay.

    Args:
        keep_months: whole months before the present one, at least 1.
        by: who.
        now: microseconds since 1970-01-01Z.
    """
    first = month_of(to_datetime(now))
    for _ in range(keep_months):
        first = (first - timedelta(days=1)).replace(day=1)
    return await _expire_before(connection, first, by=by, now=now)


async def _expire_before(connection: Connection, first: date, *, by: Actor, now: int) -> list[ChainHead]:
    """Delete the rows of the months before that of `first`, and record it, in one transaction."""
    async with connection.transaction():
        gone = await connection.fetch(_EXPIRE, first, to_datetime(now))
        if not gone:
            return []
        for chain in gone:
            while await connection.fetchval(_DELETE, chain["id"], AT_ONCE) == AT_ONCE:
                pass
        fields = [{name: row[name] for name in ("municipality", "month", "rows", "head")} for row in gone]
        heads = [ChainHead(**of_chain) for of_chain in fields]
        heads.sort(key=lambda head: (head.month, head.municipality or ""))
        after = {"heads": [msgspec.to_builtins(head) for head in heads]}
        await audit.record(
            connection,
            by=by,
            municipality=None,
            action="audit.expire",
            subject=f"{first:%Y-%m}",
            after=after,
            now=now,
        )
    return heads


_OLDEST = "SELECT min(month) FROM audit_chain WHERE expired_at IS NULL AND rows > 0"


@dataclass(frozen=True, slots=True)
class ExpiringAudit:
    """The months of the audit; the platform's own doing."""

    tables: tuple[str, ...] = ("audit",)

    async def oldest(self, connection: Connection) -> datetime | None:
        """Return where the oldest month begins whose rows are there: it goes once all of it is old."""
        month: date | None = await connection.fetchval(_OLDEST)
        return None if month is None else datetime.combine(month, time(), UTC)

    async def forget_before(
        self, connection: Connection, before: datetime, *, limit: int, now: datetime
    ) -> int:
        """Expire the oldest month, if it was over before `before`; return at least `limit` if it did."""
        month: date | None = await connection.fetchval(_OLDEST)
        if month is None or _next(month) > month_of(before):
            return 0
        heads = await _expire_before(connection, _next(month), by=PLATFORM, now=to_microseconds(now))
        return max(limit, sum(head.rows for head in heads))


AUDIT = ExpiringAudit()


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
