"""A physical replica of the database, for reading the past: used while it follows, done without else.

It follows while it has replayed all that the primary had written at the look before: it is at most two looks
behind. A replica that has lost its primary goes on answering, and would give an old past for the present.
Must not know what is read.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import asyncpg
import structlog

from store.connection import Connection
from store.failures import DATABASE_ERRORS
from store.outage import Outage

LOOK_EVERY_S = 2.0
LOOK_TIMEOUT_S = 2.0

_WRITTEN = "SELECT pg_current_wal_lsn()::text"
_REPLAYED = "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= $1::text::pg_lsn"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Whether it is one, bytes of WAL that it is behind, whether its primary hears what it reads."""

    in_recovery: bool
    behind_bytes: int
    feedback: bool


class Replica:
    """The replica's pool; `pool` is None while it does not follow. `run` looks after it."""

    def __init__(self, replica: asyncpg.Pool, primary: asyncpg.Pool) -> None:
        """Take open pools; whoever opened them closes them."""
        self._replica, self._primary = replica, primary
        self._written: str | None = None
        self._follows = False
        self._outage = Outage(log, "the replica does not follow: the primary is read", "the replica follows")

    @property
    def pool(self) -> asyncpg.Pool | None:
        """The pool to read from."""
        return self._replica if self._follows else None

    async def run(self) -> None:
        """Look again and again whether it follows."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Compare what it has replayed with what was written at the look before."""
        before = self._written
        try:
            async with asyncio.timeout(LOOK_TIMEOUT_S):
                self._written = await self._primary.fetchval(_WRITTEN)
                if before is None:
                    return
                row = await self._replica.fetchrow(_REPLAYED, before)
        except (*DATABASE_ERRORS, TimeoutError) as error:
            self._judge(error)
        else:
            assert row is not None
            recovering, replayed = row
            if not recovering:
                self._judge("it is no replica, it takes writes of its own")
            else:
                self._judge(None if replayed else "it is behind")

    def _judge(self, wrong: BaseException | str | None) -> None:
        self._follows = wrong is None
        if wrong is None:
            self._outage.over()
        else:
            self._outage.lasts(wrong)


async def replay_of(replica: Connection, primary: Connection) -> Replay:
    """Return how far a replica is."""
    written = await primary.fetchval(_WRITTEN)
    row = await replica.fetchrow(
        "SELECT pg_is_in_recovery(), current_setting('hot_standby_feedback')::bool,"
        " CASE WHEN pg_is_in_recovery()"
        " THEN greatest(pg_wal_lsn_diff($1::text::pg_lsn, pg_last_wal_replay_lsn()), 0)::bigint ELSE 0 END",
        written,
    )
    assert row is not None
    return Replay(in_recovery=row[0], feedback=row[1], behind_bytes=row[2])
