"""What became of commands: what their devices answered, and which expired.

    queued | sent | delivered ──> accepted ──> running ──> succeeded | failed
                 └─────────────────┴────────────┴──> succeeded | failed | rejected | expired

A state only ever moves forward; an answer that comes late or twice changes nothing, but for how far one is
that runs. Must not know MQTT or HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

import asyncpg

from devices.commands.details import (
    NEVER_HEARD,
    NO_UPLINK,
    NOT_KNOWN,
    NOT_TOLD,
    SOURCE_DISABLED,
    SOURCE_REMOVED,
    DownlinkSituation,
    situation_of,
    words_of_others,
)
from devices.commands.queue import TELL
from devices.instants import Now, to_datetime
from devices.registry.errors import Invalid, NotFound
from devices.storable import storable, storable_json
from devices.suggestion import meant
from devices.wire.channels import ANSWERS
from store.connection import Connection
from store.expiry import ExpiringRows

_UNANSWERED = ("queued", "sent", "delivered")
_OPEN = (*_UNANSWERED, "accepted", "running")
PRECEDING = {
    "accepted": _UNANSWERED,
    "running": _OPEN,
    "succeeded": _OPEN,
    "failed": _OPEN,
    "rejected": _OPEN,
    "expired": _OPEN,
}
"""The states that each state may follow; what runs may say again how far it is."""

CommandStatus = Literal[
    "queued", "sent", "delivered", "accepted", "running", "succeeded", "failed", "rejected", "expired"
]
STATUSES: tuple[CommandStatus, ...] = get_args(CommandStatus)
SETTLED = ("succeeded", "failed", "rejected", "expired")
DETAIL_LIMIT = 500
RESULT_LIMIT = 4_096
"""Bytes of JSON that are kept of what a device answers with; more is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCommand:
    """One command as it stands; author: None where it was given before authors were kept.

    as_downlink: a network server sends it. situation: what is known of one that waits for or at that server;
    None as well where it is not asked for.
    """

    id: UUID
    device: str
    municipality: str
    kind: str
    author: str | None
    request: int | None
    name: str
    args: Mapping[str, Any]
    status: str
    detail: str | None
    result: Any
    expires_at: datetime
    created_at: datetime
    updated_at: datetime
    as_downlink: bool
    situation: DownlinkSituation | None = None

    @property
    def settled(self) -> bool:
        """Tell whether nothing more will come."""
        return self.status in SETTLED


_RESPONSE = """
WITH moved AS (
    UPDATE command SET
        status = $3, detail = coalesce($4, detail), result = coalesce($5, result), updated_at = $6,
        due_at = NULL
    WHERE
        id = $1 AND device_id = (SELECT d.id FROM device AS d WHERE d.name = $2)
        AND status = ANY($7) AND (status <> $3 OR detail IS DISTINCT FROM $4)
    RETURNING id
)

SELECT moved.id FROM moved CROSS JOIN LATERAL pg_notify('nabd_command', '')
"""


async def record_response(
    connection: Connection,
    device: str,
    id: UUID,  # noqa: A002 - the wire's word
    status: str,
    now: Now,
    *,
    detail: str | None = None,
    result: Any = None,
) -> bool:
    """Move a command on as its device says.

    Returns:
        False when it was not sent to this device, or has moved further already.

    Raises:
        Invalid: no device may answer with this status.
    """
    if status not in ANSWERS:
        raise Invalid("status", f"{status!r} is not an answer; {meant(status, ANSWERS)}")
    told = None if detail is None else words_of_others(storable(detail, DETAIL_LIMIT))
    at, shown = to_datetime(now()), storable_json(result)
    if (size := len(json.dumps(shown))) > RESULT_LIMIT:
        shown, told = None, told or f"a result of {size:,} bytes is not kept; {RESULT_LIMIT:,} are"
    moved = await connection.fetchval(_RESPONSE, id, device, status, told, shown, at, PRECEDING[status])
    return moved is not None


_KNOWN = "SELECT id FROM command WHERE id = ANY($1)"


async def known(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Return those of the ids that are commands, in one question."""
    return {row["id"] for row in await connection.fetch(_KNOWN, list(ids))} if ids else set()


# The states stand here, not in an argument: only so the index over open ones is used.
_EXPIRE = """
WITH over AS (
    SELECT id, device_id, status, payload, source_id, detail, updated_at
    FROM command
    WHERE status IN ('queued', 'sent', 'delivered', 'accepted', 'running') AND expires_at <= $1
    FOR UPDATE SKIP LOCKED
)

UPDATE command AS c SET status = 'expired', detail = told.why, updated_at = $1, due_at = NULL
FROM (
    SELECT
        over.id,
        CASE
            WHEN over.payload IS NULL OR over.status NOT IN ('sent', 'delivered') THEN over.detail
            WHEN over.detail <> $2 THEN over.detail
            WHEN source.id IS NULL THEN $3
            WHEN NOT source.enabled THEN $4
            WHEN over.detail IS NOT NULL THEN over.detail
            WHEN l.received_at IS NULL THEN $5
            WHEN l.received_at > over.updated_at THEN $6
            ELSE $7 || to_char(l.received_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
        END AS why
    FROM over
    LEFT JOIN source ON over.source_id = source.id
    LEFT JOIN latest AS l ON over.device_id = l.device_id
) AS told
WHERE c.id = told.id
RETURNING c.id
"""
_WHY = (NOT_KNOWN, SOURCE_REMOVED, SOURCE_DISABLED, NEVER_HEARD, NOT_TOLD, NO_UPLINK)


async def expire(connection: Connection, now: Now) -> int:
    """Give up commands whose time is over without an end; return how many.

    What a network server has had, and nothing became of, says why.
    """
    expired = await connection.fetch(_EXPIRE, to_datetime(now()), *_WHY)
    if expired:
        await connection.execute(TELL)
    return len(expired)


_SELECT = """
SELECT
    c.id, d.name AS device, m.name AS municipality, d.kind, author.name AS author, c.request_id AS request,
    c.name, c.args, c.status, c.detail, c.result, c.expires_at, c.created_at, c.updated_at,
    c.payload IS NOT NULL AS as_downlink, source.name AS source, town.name AS source_municipality,
    source.enabled, state.connected, CASE WHEN source.way = 'mqtt' THEN state.alive_at END AS alive_at,
    state.last_message_at AS source_heard_at, l.received_at AS device_heard_at
FROM command AS c
INNER JOIN device AS d ON c.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN named_principal AS author ON c.author_id = author.id
LEFT JOIN downlink_way AS way ON c.device_id = way.device_id AND c.status = 'queued'
LEFT JOIN source ON source.id = CASE WHEN c.status = 'queued' THEN way.source_id ELSE c.source_id END
LEFT JOIN municipality AS town ON source.municipality_id = town.id
LEFT JOIN source_state AS state ON source.id = state.source_id
LEFT JOIN latest AS l ON c.device_id = l.device_id AND c.payload IS NOT NULL
"""
_OF_DOWNLINKS = (
    "source",
    "source_municipality",
    "enabled",
    "connected",
    "alive_at",
    "source_heard_at",
    "device_heard_at",
)
_ONE = _SELECT + "WHERE c.id = $1"


async def get_command(
    connection: Connection,
    id: UUID,  # noqa: A002 - the wire's word
    *,
    alive_after: datetime | None = None,
) -> SentCommand:
    """Return one command as it stands.

    Args:
        alive_after: a source whose last sign of life is older is away, whatever was said of it before
            (devices.sources.states); None: situations are not asked for.

    Raises:
        NotFound: none has that id.
    """
    row = await connection.fetchrow(_ONE, id)
    if row is None:
        raise NotFound("command", str(id))
    return _command(row, alive_after)


def _command(row: asyncpg.Record, alive_after: datetime | None) -> SentCommand:
    told: dict[str, Any] = dict(row)
    known = {name: told.pop(name) for name in _OF_DOWNLINKS}
    if not told["as_downlink"] or alive_after is None:
        return SentCommand(**told)
    alive_at = known.pop("alive_at")
    if alive_at is not None and alive_at < alive_after:
        known["connected"] = False
    return SentCommand(**told, situation=situation_of(told["status"], since=told["updated_at"], **known))


_PAGE = """
WHERE
    ($1::text IS NULL OR d.name = $1) AND ($2::bigint IS NULL OR c.request_id = $2)
    AND ($3::text IS NULL OR c.status = $3) AND ($4::text[] IS NULL OR m.name = ANY($4))
    AND ($5::uuid IS NULL OR (c.created_at, c.id) < (
        SELECT p.created_at, p.id FROM command AS p WHERE p.id = $5
    ))
ORDER BY c.created_at DESC, c.id DESC
LIMIT $6
"""
_LIST = _SELECT + _PAGE


async def list_commands(
    connection: Connection,
    *,
    device: str | None = None,
    request: int | None = None,
    status: str | None = None,
    within: Collection[str] | None = None,
    before: UUID | None = None,
    limit: int = 100,
    alive_after: datetime | None = None,
) -> list[SentCommand]:
    """Return a page of commands, the last given first.

    Args:
        within: municipalities; None: all.
        before: the last one of the page before.
        alive_after: see get_command.
    """
    towns = None if within is None else sorted(within)
    rows = await connection.fetch(_LIST, device, request, status, towns, before, limit)
    return [_command(row, alive_after) for row in rows]


_CHANGED = """
WHERE (c.updated_at, c.id) > ($1, $2)
ORDER BY c.updated_at, c.id
LIMIT $3
"""
_SINCE = _SELECT + _CHANGED


async def changed_since(
    connection: Connection,
    after: tuple[datetime, UUID],
    limit: int,
    *,
    alive_after: datetime | None = None,
) -> list[SentCommand]:
    """Return a page of commands in the order of their last change.

    Args:
        after: that of the last one known.
        alive_after: see get_command.
    """
    return [_command(row, alive_after) for row in await connection.fetch(_SINCE, *after, limit)]


SETTLED_COMMANDS = ExpiringRows(
    tables=("command",),
    first="""
SELECT created_at FROM command
WHERE status IN ('succeeded', 'failed', 'rejected', 'expired')
ORDER BY created_at
LIMIT 1
""",
    forget="""
WITH gone AS (
    DELETE FROM command
    WHERE id = ANY(ARRAY(
        SELECT id FROM command
        WHERE created_at < $1 AND status IN ('succeeded', 'failed', 'rejected', 'expired')
        ORDER BY created_at
        LIMIT $2
    ))
    RETURNING id
)

SELECT count(*) FROM gone
""",
)
