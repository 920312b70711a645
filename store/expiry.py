"""Rows that have an end: how the oldest are found, and removed piece by piece.

Each area declares its own; the shell says how long they are kept. Must not know what the rows mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from store.connection import Connection


class Expiring(Protocol):
    """Something that grows and whose old part can be removed."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that it fills; none where it is kept elsewhere."""

    async def oldest(self, connection: Connection) -> datetime | None:
        """Return the instant of the oldest that can be removed once it is old; None: there is nothing."""

    async def forget_before(
        self, connection: Connection, before: datetime, *, limit: int, now: datetime
    ) -> int:
        """Remove up to about `limit` of what is older than `before`; return how many went.

        What is less than `limit` was all there was.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpiringRows:
    """Rows that one statement removes.

    first: SQL that gives the instant of the oldest row. forget: SQL that removes up to $2 rows older than $1
    and gives their number.
    """

    tables: tuple[str, ...]
    first: str
    forget: str

    async def oldest(self, connection: Connection) -> datetime | None:
        """Return the instant of the oldest row."""
        found: datetime | None = await connection.fetchval(self.first)
        return found

    async def forget_before(
        self,
        connection: Connection,
        before: datetime,
        *,
        limit: int,
        now: datetime,
    ) -> int:
        """Remove up to `limit` rows older than `before`, in one statement; return how many."""
        gone: int = await connection.fetchval(self.forget, before, limit)
        return gone
