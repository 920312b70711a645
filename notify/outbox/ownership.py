"""Which process tells people: a session that holds the name, and a row that fences whoever lost it.

Every batch of events begins by moving the row's counter, every attempt by reading it locked; a process that
cannot do so stops. The same means as ingest's shard. Must not know what batches hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from alerts import restored
from alerts.events import Cursor
from devices.instants import to_datetime
from store import holder
from store.connection import Connection

HELD = "notify"


class NotLeader(Exception):
    """Another process tells people now: stop, and write nothing."""


@dataclass(slots=True, kw_only=True)
class Leader:
    """The row as its owner knows it.

    cursor: of the last event that was read. looked_at: when it was looked whether silences were ended early.
    """

    owner: UUID
    batch: int = 0
    cursor: Cursor = (0, 0)
    looked_at: int = 0


# FOR UPDATE waits for attempts that the owner before is just marking, so that none is overlooked.
_LOCK = "SELECT FROM notifier FOR UPDATE"
_CLAIM = "UPDATE notifier SET owner = $1, alive_at = $2 RETURNING batch, xid, event_id"
_READ_UP_TO = "UPDATE notifier SET xid = $1::xid8, event_id = $2"


async def claim(connection: Connection, leader: Leader, now: int) -> bool:
    """Lead while this session lives, where no other does; tell whether it is so. In a transaction."""
    if not await holder.claim(connection, HELD):
        return False
    await connection.execute(_LOCK)
    row = await connection.fetchrow(_CLAIM, leader.owner, to_datetime(now))
    assert row is not None
    stored = row["xid"], row["event_id"]
    leader.batch, leader.cursor = row["batch"], await restored.put_first(connection, stored)
    if leader.cursor != stored:
        await connection.execute(_READ_UP_TO, *leader.cursor)
    return True


_ADVANCE = """
UPDATE notifier SET batch = $2, xid = $3::xid8, event_id = $4, alive_at = $5
WHERE owner = $1 AND batch = $2 - 1
RETURNING true
"""


async def advance(connection: Connection, leader: Leader, cursor: Cursor, now: int) -> None:
    """Move the counter and the cursor, first in a batch's transaction.

    Raises:
        NotLeader: another process owns the row.
    """
    xid, event = cursor
    if not await connection.fetchval(_ADVANCE, leader.owner, leader.batch + 1, xid, event, to_datetime(now)):
        raise NotLeader


_STILL = "SELECT true FROM notifier WHERE owner = $1 FOR KEY SHARE"


async def still(connection: Connection, owner: UUID) -> None:
    """Make sure that nobody else leads until the transaction ends.

    Raises:
        NotLeader: another process owns the row.
    """
    if not await connection.fetchval(_STILL, owner):
        raise NotLeader


_BEAT = "UPDATE notifier SET alive_at = $2 WHERE owner = $1 RETURNING true"


async def beat(connection: Connection, owner: UUID, now: int) -> None:
    """Write that the owner is alive.

    Raises:
        NotLeader: another process owns the row.
    """
    if not await connection.fetchval(_BEAT, owner, to_datetime(now)):
        raise NotLeader
