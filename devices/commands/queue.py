"""The queue of commands: what waits for its device, what is with the broker, and when it is sent again.

    queued ──> sent ──> delivered ──> what the device answers (see answered.py)
      ▲          │
      └──────────┘ nobody listened

`sent`: it was handed to the broker, which has not confirmed it; after a while it is sent again, and devices
know an id that comes twice. `delivered`: the broker has it for a session of the device. What network servers
are handed waits here too (see downlinks.py). Must not know MQTT or HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from devices.commands.new_command import NewCommand
from devices.instants import Now, to_datetime
from devices.registry.errors import Conflict
from devices.registry.registry import Device
from devices.wire import channels
from devices.wire.topics import Channel, Topic
from store import audit
from store.audit import Actor, AuditedChange
from store.connection import Connection

MOST_WAITING = 100
"""How many commands may wait for one device."""
UNCONFIRMED = timedelta(seconds=30)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCommand:
    """A command that is to be handed to the broker now; `tries`: how often nobody took it."""

    id: UUID
    municipality: str
    kind: str
    wire_name: str
    name: str
    args: Any
    expires_at: datetime
    tries: int

    @property
    def topic(self) -> str:
        """Where the device listens for it."""
        return str(Topic(self.municipality, self.kind, self.wire_name, Channel.COMMAND))

    @property
    def payload(self) -> bytes:
        """What the device reads."""
        return channels.command(self.id, self.name, self.args, self.expires_at)


_FULL = """
SELECT d.id, d.name
FROM command AS c
INNER JOIN device AS d ON c.device_id = d.id
WHERE c.status IN ('queued', 'sent') AND c.device_id = ANY($1)
GROUP BY d.id, d.name
HAVING count(*) >= $2
"""
# Who is relayed and has nothing to sign in with has no session at our broker; no gateway hears its commands.
_RELAYED_ALONE = """
SELECT d.id FROM device AS d
WHERE
    d.id = ANY($1)
    AND EXISTS (SELECT FROM relay AS r WHERE r.device_id = d.id)
    AND NOT EXISTS (
        SELECT FROM device_credential AS k
        WHERE k.device_id = d.id AND (k.ends_at IS NULL OR k.ends_at > $2)
    )
"""


async def relayed_alone(connection: Connection, devices: Collection[Device], now: Now) -> set[int]:
    """Return those devices that have no session at our broker, because others speak for them."""
    ids = [one.id for one in devices]
    return {row["id"] for row in await connection.fetch(_RELAYED_ALONE, ids, to_datetime(now()))}


async def refusing(connection: Connection, commands: Sequence[NewCommand], now: Now) -> dict[int, Conflict]:
    """Return the devices that take none of these commands now, each with the reason.

    Who is relayed takes what a network server tells it: a command with its `downlink`.
    """
    names = {one.device.id: one.device.name for one in commands}
    listening = [one.device for one in commands if one.downlink is None]
    reasons = {
        number: Conflict(
            f"device {names[number]!r} speaks through gateways alone and hears no command; where it connects"
            f" by itself, `nabd device rotate {names[number]}` lets it in"
        )
        for number in await relayed_alone(connection, listening, now)
    }
    for row in await connection.fetch(_FULL, list(names), MOST_WAITING):
        reasons[row["id"]] = Conflict(
            f"{MOST_WAITING} commands wait for device {row['name']!r}: it does not listen; see its"
            " connection, or wait until they expire"
        )
    return reasons


_ADD = """
INSERT INTO command (
    id, device_id, name, args, status, expires_at, port, payload, confirmed, created_at, updated_at, due_at,
    author_id, request_id
)
SELECT
    c.id, c.device_id, c.name, c.args, 'queued', c.expires_at, c.port, c.payload, c.confirmed, $9, $9, $9,
    $10, $11
FROM unnest(
    $1::uuid[], $2::integer[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::smallint[], $7::bytea[],
    $8::boolean[]
) AS c (id, device_id, name, args, expires_at, port, payload, confirmed)
ON CONFLICT (id) DO NOTHING
RETURNING id
"""
TELL = "SELECT pg_notify('nabd_command', '')"
"""Wakes who sends commands and who shows them."""


async def enqueue(
    connection: Connection, commands: Sequence[NewCommand], now: Now, *, by: Actor, request: int | None = None
) -> None:
    """Let commands wait for their devices; whose id is known stays as it is.

    Args:
        request: the number of the request to many devices that they carry out.

    Raises:
        Conflict: one of the devices takes none, for example because too many wait.
    """
    at = to_datetime(now())
    async with connection.transaction():
        reasons = await refusing(connection, commands, now)
        if reasons:
            raise min(reasons.values(), key=str)
        columns = (
            [c.id for c in commands],
            [c.device.id for c in commands],
            [c.name for c in commands],
            [c.args for c in commands],
            [to_datetime(c.expires_at) for c in commands],
            [c.downlink and c.downlink.port for c in commands],
            [c.downlink and c.downlink.payload for c in commands],
            [c.downlink and c.downlink.confirmed for c in commands],
        )
        added = {row["id"] for row in await connection.fetch(_ADD, *columns, at, by.principal, request)}
        changes = [
            AuditedChange(
                municipality=c.device.municipality_id,
                action="command.send",
                subject=c.device.name,
                after={"id": c.id, "name": c.name, "args": c.args, "expires_at": to_datetime(c.expires_at)},
            )
            for c in commands
            if c.id in added
        ]
        if changes:
            await audit.record_many(connection, changes, by=by, now=now())
        await connection.execute(TELL)


# What is locked is being answered at this moment: it comes with the next look.
_TAKE = """
WITH due AS (
    UPDATE command SET status = 'sent', updated_at = $1, due_at = $1::timestamptz + $2::interval
    WHERE id = ANY(ARRAY(
        SELECT c.id
        FROM command AS c
        INNER JOIN device AS d ON c.device_id = d.id
        WHERE
            c.status IN ('queued', 'sent') AND c.due_at <= $1 AND c.expires_at > $1 AND d.retired_at IS NULL
            AND c.payload IS NULL
        ORDER BY c.due_at, c.id
        LIMIT $3
        FOR UPDATE OF c SKIP LOCKED
    ))
    RETURNING id, device_id, name, args, expires_at, tries, created_at
)

SELECT
    due.id, m.name AS municipality, d.kind, coalesce(h.wire_name, d.name) AS wire_name, due.name, due.args,
    due.expires_at, due.tries
FROM due
INNER JOIN device AS d ON due.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
ORDER BY due.created_at, due.id
"""


async def take_due(connection: Connection, now: Now, limit: int) -> list[DueCommand]:
    """Mark commands as sent that are due, and return them in the order in which they were given."""
    rows = await connection.fetch(_TAKE, to_datetime(now()), UNCONFIRMED, limit)
    return [DueCommand(**row) for row in rows]


# Whoever waits for a row holds none: ingest may answer several in one transaction. What is locked moves on.
_DELIVERED = """
UPDATE command SET status = 'delivered', updated_at = $2, due_at = NULL
WHERE id = ANY(ARRAY(
    SELECT id FROM command WHERE id = ANY($1) AND status = 'sent' FOR UPDATE SKIP LOCKED
))
"""


async def mark_delivered(connection: Connection, ids: Collection[UUID], now: Now) -> None:
    """Note that the broker has them for a session of their device; what was answered already stays."""
    await connection.execute(_DELIVERED, list(ids), to_datetime(now()))
    await connection.execute(TELL)


_PUT_BACK = """
UPDATE command SET
    status = 'queued', updated_at = $2, tries = tries + 1,
    due_at = $2::timestamptz + least($4::interval, $3::interval * power(2, least(tries, 10)))
WHERE id = ANY(ARRAY(
    SELECT id FROM command WHERE id = ANY($1) AND status = 'sent' FOR UPDATE SKIP LOCKED
))
"""


async def put_back(connection: Connection, ids: Collection[UUID], now: Now) -> None:
    """Let commands wait on that nobody took, each time longer; a device that comes back is told at once."""
    await connection.execute(_PUT_BACK, list(ids), to_datetime(now()), FIRST_PAUSE, LONGEST_PAUSE)
    await connection.execute(TELL)


_WAKE = """
WITH woken AS (
    UPDATE command SET due_at = CASE WHEN status = 'queued' THEN $2 ELSE due_at END, tries = 0
    WHERE device_id = ANY($1) AND status IN ('queued', 'sent') AND due_at > $2
    RETURNING id
)

SELECT pg_notify('nabd_command', '') FROM woken LIMIT 1
"""


async def wake(connection: Connection, device_ids: Collection[int], now: Now) -> None:
    """Send what waits for devices that are back; should they not listen yet, soon again."""
    if device_ids:
        await connection.execute(_WAKE, list(device_ids), to_datetime(now()))


_WITHDRAW = """
UPDATE command SET status = 'expired', detail = 'withdrawn', updated_at = $2, due_at = NULL
WHERE id = ANY(ARRAY(
    SELECT id FROM command WHERE id = ANY($1) AND status = 'queued' FOR UPDATE SKIP LOCKED
))
RETURNING id
"""


async def withdraw(connection: Connection, ids: Collection[UUID], now: Now) -> list[UUID]:
    """Let commands expire that still wait for their device; return which."""
    found = [row["id"] for row in await connection.fetch(_WITHDRAW, list(ids), to_datetime(now()))]
    await connection.execute(TELL)
    return found
