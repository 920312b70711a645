"""Ownership of a shard: a session that holds it, for which a second one waits, and a counter that fences.

Every batch begins by increasing the counter in the shard's row; a process that cannot do so has lost the
shard. Must not know what batches hold.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from devices.instants import to_datetime, to_microseconds
from store import holder
from store.connection import Connection


class Fenced(Exception):
    """Another process owns the shard now: drop everything that is not committed."""


class UnknownShard(Exception):
    """The shard's row does not exist; `nabd migrate` makes `main`, `nabd shard add` others."""


class CommitOutcome(Enum):
    """What became of a batch whose COMMIT was not answered."""

    COMMITTED = auto()
    NOT_COMMITTED = auto()


@dataclass(slots=True, kw_only=True)
class Shard:
    """The shard as its owner knows it; `batch` is the number of the last committed one.

    emptied_at: when the broker last had nothing for us. compiled: whether compiled code decodes. The row is
    told both with the next batch or sign of life.
    """

    name: str
    owner: UUID
    batch: int = 0
    generation: int = -1
    emptied_at: int | None = None
    compiled: bool = False

    @property
    def emptied(self) -> datetime | None:
        """The same as an instant of the database."""
        return None if self.emptied_at is None else to_datetime(self.emptied_at)


_CLIENT_ID = "SELECT client_id FROM shard WHERE name = $1"


async def client_id(connection: Connection, name: str) -> str:
    """Return the client id of the shard's session at the broker: never changed, and unique to this database.

    Raises:
        UnknownShard: there is no such row.
    """
    found: str | None = await connection.fetchval(_CLIENT_ID, name)
    if found is None:
        raise _unknown(name)
    return found


def _unknown(name: str) -> UnknownShard:
    return UnknownShard(
        f"there is no shard {name!r}: `nabd shard add {name}` makes it; NABD_SHARD names another"
    )


_CLAIM = """
UPDATE shard SET owner = $2, alive_at = $3, caught_up_at = NULL
WHERE name = $1
RETURNING batch, generation
"""


_ARRIVING = "SELECT EXISTS (SELECT FROM municipality WHERE shard = $1 AND leaving IS NOT NULL)"


async def claim(
    connection: Connection, shard: Shard, now: Callable[[], int], on_standby: Callable[[], None]
) -> None:
    """Wait until no other session holds the shard and no municipality is on its way to it, then own it.

    Raises:
        UnknownShard: there is no such row.
    """
    stood_by = False
    while not await holder.claim(connection, f"shard {shard.name}") or await connection.fetchval(
        _ARRIVING, shard.name
    ):
        if not stood_by:
            on_standby()
            stood_by = True
        await asyncio.sleep(0.5)
    row = await connection.fetchrow(_CLAIM, shard.name, shard.owner, to_datetime(now()))
    if row is None:
        raise _unknown(shard.name)
    shard.batch, shard.generation = row["batch"], row["generation"]


_RESUME = "SELECT owner, batch FROM shard WHERE name = $1"


async def resume(connection: Connection, shard: Shard, attempted: int) -> CommitOutcome:
    """Lock again after losing the session in the middle of batch `attempted`; return whether it committed.

    Raises:
        Fenced: another process has owned the shard meanwhile.
    """
    if not await holder.claim(connection, f"shard {shard.name}"):
        raise Fenced(f"shard {shard.name} is held by another process")
    row = await connection.fetchrow(_RESUME, shard.name)
    if row is None or row["owner"] != shard.owner:
        raise Fenced(f"shard {shard.name} is owned by {row and row['owner']}")
    return CommitOutcome.COMMITTED if row["batch"] == attempted else CommitOutcome.NOT_COMMITTED


_ADVANCE = """
UPDATE shard
SET
    batch = $2, alive_at = $4, caught_up_at = CASE WHEN $5 THEN coalesce(caught_up_at, $4) END,
    emptied_at = coalesce($6, emptied_at), compiled = $7
WHERE name = $1 AND owner = $3 AND batch = $2 - 1
RETURNING generation
"""


async def advance(connection: Connection, shard: Shard, *, now: int, caught_up: bool) -> int:
    """Increase the counter, first in the batch's transaction; return the generation of rules and registry.

    Raises:
        Fenced: another process owns the shard.
    """
    generation: int | None = await connection.fetchval(
        _ADVANCE,
        *(
            shard.name,
            shard.batch + 1,
            shard.owner,
            to_datetime(now),
            caught_up,
            shard.emptied,
            shard.compiled,
        ),
    )
    if generation is None:
        raise Fenced(f"shard {shard.name} is not ours any more")
    return generation


_GENERATION = "SELECT generation FROM shard WHERE name = $1"


async def generation(connection: Connection, shard: Shard) -> int:
    """Return the generation of rules and registry."""
    found: int = await connection.fetchval(_GENERATION, shard.name)
    return found


# A replay's batch keeps older receive times, so the last batch need not have the newest one.
_NEWEST = """
SELECT max(l.received_at)
FROM (SELECT received_at FROM ledger WHERE shard = $1 ORDER BY batch DESC LIMIT 1000) AS l
"""


async def newest_received(connection: Connection, shard: Shard) -> int:
    """Return the receive time, in microseconds, that those of the next batch must exceed."""
    newest = await connection.fetchval(_NEWEST, shard.name)
    return 0 if newest is None else to_microseconds(newest)


_BEAT = """
UPDATE shard
SET
    alive_at = $3, caught_up_at = CASE WHEN $4 THEN coalesce(caught_up_at, $3) END,
    emptied_at = coalesce($5, emptied_at), compiled = $6
WHERE name = $1 AND owner = $2
RETURNING generation
"""


async def beat(connection: Connection, shard: Shard, *, now: int, caught_up: bool) -> int:
    """Write that the owner is alive although there is nothing to commit.

    Raises:
        Fenced: another process owns the shard.
    """
    generation: int | None = await connection.fetchval(
        _BEAT, shard.name, shard.owner, to_datetime(now), caught_up, shard.emptied, shard.compiled
    )
    if generation is None:
        raise Fenced(f"shard {shard.name} is not ours any more")
    return generation


_TAKEN_OVER = """
UPDATE shard SET takeovers = takeovers + 1, taken_over_at = $3
WHERE name = $1 AND owner = $2
RETURNING takeovers
"""


async def taken_over(connection: Connection, shard: Shard, now: int) -> int:
    """Count that another client took the session from the owner; return how often that was so far.

    Raises:
        Fenced: another process owns the shard, and the session with it.
    """
    takeovers: int | None = await connection.fetchval(_TAKEN_OVER, shard.name, shard.owner, to_datetime(now))
    if takeovers is None:
        raise Fenced(f"shard {shard.name} is not ours any more")
    return takeovers
