"""Commands that network servers send: what is handed to them, and what they say became of it.

    queued ──> sent ──> delivered ──> succeeded | failed
      ▲          │
      └──────────┘ the server's broker did not take it

`sent`: it was handed over, and is not known to have arrived. `delivered`: the network server's broker has it;
what the server says of it meanwhile is its detail. Must not know MQTT, nor how each server says things.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from devices.commands.answered import DETAIL_LIMIT
from devices.commands.details import (
    CONFIRMED,
    NO_SOURCE,
    NOT_KNOWN,
    REFUSED,
    SENT,
    SENT_UNCONFIRMED,
    UNCONFIRMED_EVER,
    UNCONFIRMED_ONCE,
    UNHEARD,
    words_of_others,
)
from devices.commands.queue import FIRST_PAUSE, LONGEST_PAUSE, TELL, UNCONFIRMED
from devices.instants import Now, to_datetime
from devices.registry.registry import Device
from devices.storable import storable
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDownlink:
    """A command that is to be handed to a network server now; see downlink_topic for `topic` and `json`."""

    id: UUID
    port: int
    payload: bytes
    confirmed: bool
    expires_at: datetime
    topic: str
    json: bool


_DUE_AT = """
SELECT DISTINCT way.source_id
FROM command AS c
INNER JOIN downlink_way AS way ON c.device_id = way.device_id
WHERE
    c.status IN ('queued', 'sent') AND c.payload IS NOT NULL AND c.due_at <= $1 AND c.expires_at > $1
    AND (c.status = 'queued' OR c.source_id = way.source_id)
"""
_NOWHERE = """
WITH nowhere AS (
    SELECT c.id, told.why
    FROM command AS c
    INNER JOIN device AS d ON c.device_id = d.id
    CROSS JOIN LATERAL (
        SELECT CASE WHEN EXISTS (
            SELECT FROM downlink_topic AS known
            LEFT JOIN hardware AS h ON known.device_id = h.device_id AND h.removed_at IS NULL
            WHERE known.device_id = d.id AND known.wire_name = coalesce(h.wire_name, d.name)
        ) THEN $3 ELSE $2 END AS why
    ) AS told
    WHERE
        c.status = 'queued' AND c.payload IS NOT NULL AND c.expires_at > $1 AND d.retired_at IS NULL
        AND c.detail IS DISTINCT FROM told.why
        AND NOT EXISTS (SELECT FROM downlink_way AS way WHERE way.device_id = c.device_id)
    FOR UPDATE OF c SKIP LOCKED
),

waiting AS (
    UPDATE command SET detail = nowhere.why, updated_at = $1
    FROM nowhere
    WHERE command.id = nowhere.id
    RETURNING command.id
)

SELECT pg_notify('nabd_command', '') FROM waiting LIMIT 1
"""


async def due_at(connection: Connection, now: Now) -> set[int]:
    """Return the sources that are to be handed something now; what no source can be handed says why."""
    at = to_datetime(now())
    await connection.execute(_NOWHERE, at, UNHEARD, NO_SOURCE)
    return {row["source_id"] for row in await connection.fetch(_DUE_AT, at)}


# What is locked is being answered at this moment: it comes with the next look.
_TAKE = """
WITH due AS (
    UPDATE command SET
        status = 'sent', source_id = $1, updated_at = $2, detail = $5,
        due_at = CASE WHEN $4 THEN $2::timestamptz + $3::interval END
    WHERE id = ANY(ARRAY(
        SELECT c.id
        FROM command AS c
        INNER JOIN downlink_way AS way ON c.device_id = way.device_id
        WHERE
            c.status IN ('queued', 'sent') AND c.payload IS NOT NULL AND c.due_at <= $2 AND c.expires_at > $2
            AND way.source_id = $1 AND (c.status = 'queued' OR c.source_id = $1)
        ORDER BY c.due_at, c.id
        LIMIT 1
        FOR UPDATE OF c SKIP LOCKED
    ))
    RETURNING id, device_id, port, payload, confirmed, expires_at
)

SELECT due.id, due.port, due.payload, due.confirmed, due.expires_at, way.topic, way.json
FROM due
INNER JOIN downlink_way AS way ON due.device_id = way.device_id
"""


async def take(connection: Connection, source: int, now: Now, *, repeats: bool) -> DueDownlink | None:
    """Mark the first command as sent that a source is to be handed; None: there is none.

    What is not known to have arrived is handed over again by who did so, and by nobody else.

    Args:
        repeats: its server knows an id that comes twice: what is not known to have arrived is handed over
            again after a while. Else it never is.
    """
    detail = None if repeats else NOT_KNOWN
    row = await connection.fetchrow(_TAKE, source, to_datetime(now()), UNCONFIRMED, repeats, detail)
    return None if row is None else DueDownlink(**row)


_WAIT = """
UPDATE command SET due_at = $2::timestamptz + $3::interval
WHERE status = 'sent' AND source_id = $1 AND due_at IS NOT NULL
"""


async def let_answers_come(connection: Connection, source: int, now: Now) -> None:
    """Hand nothing over again for a while: what became of it may wait at the server's broker to be heard."""
    await connection.execute(_WAIT, source, to_datetime(now()), UNCONFIRMED)


_DELIVERED = """
UPDATE command SET status = 'delivered', detail = NULL, updated_at = $2, due_at = NULL
WHERE id = $1 AND status = 'sent'
"""
_PUT_BACK = """
UPDATE command SET
    status = 'queued', detail = $5, updated_at = $2, tries = tries + 1,
    due_at = $2::timestamptz + least($4::interval, $3::interval * power(2, least(tries, 10)))
WHERE id = $1 AND status = 'sent'
"""


async def mark_delivered(connection: Connection, id: UUID, now: Now) -> None:  # noqa: A002 - the wire's word
    """Note that the network server's broker has it; what the server said of it already stays."""
    await connection.execute(_DELIVERED, id, to_datetime(now()))
    await connection.execute(TELL)


async def put_back(connection: Connection, id: UUID, why: str, now: Now) -> None:  # noqa: A002 - the wire's word
    """Let a command wait on that nobody took, each time longer, and say why."""
    await connection.execute(_PUT_BACK, id, to_datetime(now()), FIRST_PAUSE, LONGEST_PAUSE, why)
    await connection.execute(TELL)


Became = Literal["queued", "sent", "confirmed", "unconfirmed", "given_up", "failed"]
"""What a network server says of a downlink; `unconfirmed`: it tries again, `given_up`: it does not."""
_BECOMES: Final[Mapping[Became, tuple[str, str | None]]] = {
    "queued": ("delivered", None),
    "sent": ("delivered", SENT),
    "confirmed": ("succeeded", CONFIRMED),
    "unconfirmed": ("delivered", UNCONFIRMED_ONCE),
    "given_up": ("failed", UNCONFIRMED_EVER),
    "failed": ("failed", REFUSED),
}
_SAID_LATER: Final[Mapping[Became, tuple[str, ...]]] = {
    "queued": ("", SENT, UNCONFIRMED_ONCE),
    "sent": (SENT, UNCONFIRMED_ONCE),
    "unconfirmed": (UNCONFIRMED_ONCE,),
}
"""The details of what is delivered (none: empty) that are left as they are: said already, or later than this.

So the end is the same in whatever order a server's words come, and however often.
"""
_HEARD = """
WITH moved AS (
    UPDATE command AS c SET
        status = CASE WHEN $7 AND NOT c.confirmed THEN 'succeeded' ELSE $4 END,
        detail = CASE WHEN $7 AND NOT c.confirmed THEN $8 ELSE $5 END,
        updated_at = $6, due_at = NULL
    WHERE
        c.id = ANY($3) AND c.device_id = $2 AND c.payload IS NOT NULL
        AND c.status IN ('queued', 'sent', 'delivered')
        AND (c.status <> 'delivered' OR coalesce(c.detail, '') <> ALL($9))
        AND EXISTS (
            SELECT FROM relay INNER JOIN source ON relay.gateway_id = source.gateway_id
            WHERE relay.device_id = c.device_id AND source.id = $1
        )
    RETURNING c.id
)

SELECT pg_notify('nabd_command', '') FROM moved LIMIT 1
"""


async def record_heard(
    connection: Connection,
    source: int,
    device: int,
    ids: Collection[UUID],
    became: Became,
    now: Now,
    *,
    why: str = "",
) -> None:
    """Move a command on as a device's network server says, where there is anything to move.

    Only a source that relays the device is heard, and only forward: words that come late or twice change
    nothing. What a device is not asked to confirm
    has ended once a gateway sent it.

    Args:
        ids: names of the downlink that may be ours.
        why: what the server says of its end.
    """
    status, detail = _BECOMES[became]
    stays = _SAID_LATER.get(became, ())
    told = detail if stays else words_of_others(storable(why, DETAIL_LIMIT)) or detail
    ended = (to_datetime(now()), became == "sent", SENT_UNCONFIRMED)
    await connection.execute(_HEARD, source, device, list(ids), status, told, *ended, list(stays))


_LEARN = """
INSERT INTO downlink_topic AS known (device_id, wire_name, source_id, topic, json)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (device_id) DO UPDATE SET
    wire_name = excluded.wire_name, source_id = excluded.source_id, topic = excluded.topic,
    json = excluded.json
"""


async def learn_topic(connection: Connection, device: Device, source: int, topic: str, *, json: bool) -> None:
    """Keep where the hardware of a device is told something: at the source that heard it last."""
    await connection.execute(_LEARN, device.id, device.wire, source, topic, json)
