"""Rejections: what was not stored, where, why, and the bytes that arrived.

Written by ingest in the batch's transaction, read by people. Adopting unknown devices and replay are in
`readings.quarantine`. Must not know what is rejected and why.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.instants import to_datetime
from devices.storable import storable
from store.connection import Connection

TOPIC_LIMIT = 512
DEVICE_LIMIT = 128
"""A topic level may be 64 KiB of anything; a longer one is no device's name and does not fit an index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRejection:
    """One element or message that is not stored. `received_at` is in microseconds since 1970-01-01Z.

    `device` is the element's own device where a gateway relays, else the topic's; empty where there is none.
    `pointer` is a JSON pointer into the message, empty for all of it.
    """

    received_at: int
    topic: str
    device: str
    reason: str
    pointer: str
    detail: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """One stored rejection; `replayed_at` is set once ingest has received it again."""

    id: int
    shard: str
    batch: int
    received_at: datetime
    topic: str
    device: str
    reason: str
    pointer: str
    detail: str
    payload: bytes
    replay_requested_at: datetime | None
    replayed_at: datetime | None


_RECORD = """
INSERT INTO rejection (shard, batch, received_at, topic, device, reason, pointer, detail, payload)
SELECT
    $1, $2, 'epoch'::timestamptz + r.received_at * '1 microsecond'::interval,
    r.topic, r.device, r.reason, r.pointer, r.detail, r.payload
FROM unnest($3::bigint [], $4::text [], $5::text [], $6::text [], $7::text [], $8::text [], $9::bytea [])
    WITH ORDINALITY AS r (received_at, topic, device, reason, pointer, detail, payload, position)
ORDER BY r.position
"""


async def record(connection: Connection, shard: str, batch: int, rows: Sequence[NewRejection]) -> None:
    """Store the rejections of one batch, in one statement of the caller's transaction."""
    if not rows:
        return
    await connection.execute(
        _RECORD,
        shard,
        batch,
        [r.received_at for r in rows],
        [storable(r.topic, TOPIC_LIMIT) for r in rows],
        [storable(r.device, DEVICE_LIMIT) for r in rows],
        [r.reason for r in rows],
        [storable(r.pointer, TOPIC_LIMIT) for r in rows],
        [storable(r.detail, TOPIC_LIMIT) for r in rows],
        [r.payload for r in rows],
    )


_NEWEST = """
SELECT
    id, shard, batch, received_at, topic, device, reason, pointer, detail, payload,
    replay_requested_at, replayed_at
FROM rejection
WHERE
    ($1::text IS NULL OR device = $1)
    AND ($2::text IS NULL OR reason = $2)
    AND ($3::text IS NULL OR split_part(topic, '/', 3) = $3)
    AND ($4::bigint IS NULL OR id < $4)
    AND ($6::text [] IS NULL OR split_part(topic, '/', 3) = ANY($6))
ORDER BY id DESC
LIMIT $5
"""

_FOLLOWING = """
SELECT
    id, shard, batch, received_at, topic, device, reason, pointer, detail, payload,
    replay_requested_at, replayed_at
FROM rejection
WHERE
    ($1::text IS NULL OR device = $1)
    AND ($2::text IS NULL OR reason = $2)
    AND ($3::text IS NULL OR split_part(topic, '/', 3) = $3)
    AND id > $4
ORDER BY id
LIMIT $5
"""


async def list_rejections(
    connection: Connection,
    *,
    device: str | None = None,
    reason: str | None = None,
    municipality: str | None = None,
    before: int | None = None,
    after: int | None = None,
    limit: int = 100,
    within: Sequence[str] | None = None,
) -> list[Rejection]:
    """Return a page of rejections, newest first; with `after`, oldest first from there on.

    Args:
        connection: the database.
        device: only those of the device of this name.
        reason: only this reason.
        municipality: only those whose topic names this municipality.
        before: the last id of the page before.
        after: the newest id already seen, to follow new ones.
        limit: at most so many.
        within: of the newest, only those whose topic names one of these municipalities.
    """
    if after is not None:
        rows = await connection.fetch(_FOLLOWING, device, reason, municipality, after, limit)
    else:
        rows = await connection.fetch(_NEWEST, device, reason, municipality, before, limit, within)
    return [Rejection(**row) for row in rows]


_KEPT_SINCE = "SELECT device, count(*) AS kept FROM rejection WHERE received_at >= $1 GROUP BY device"


async def kept_since(connection: Connection, since: int) -> dict[str, int]:
    """Return by device how many rejections of messages received since then (microseconds) are stored."""
    rows = await connection.fetch(_KEPT_SINCE, to_datetime(since))
    return {row["device"]: row["kept"] for row in rows}
