"""What became of commands.

    sent ──> accepted ──> running ──> succeeded | failed
      └────────┴───────────┴──> succeeded | failed | rejected | expired

A state only ever moves forward; an answer that comes late or twice changes nothing. Must not know MQTT or
HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from devices.commands.new_command import NewCommand
from devices.instants import Now, to_datetime
from devices.registry.errors import Invalid, NotFound
from devices.storable import storable, storable_json
from devices.suggestion import meant
from devices.wire.channels import ANSWERS
from store import audit
from store.audit import Actor
from store.connection import Connection
from store.expiry import ExpiringRows

PRECEDING = {
    "accepted": ("sent",),
    "running": ("sent", "accepted"),
    "succeeded": ("sent", "accepted", "running"),
    "failed": ("sent", "accepted", "running"),
    "rejected": ("sent", "accepted", "running"),
    "expired": ("sent", "accepted", "running"),
}
"""The states that each state may follow."""

SETTLED = ("succeeded", "failed", "rejected", "expired")
DETAIL_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCommand:
    """One command as it stands."""

    id: UUID
    device: str
    name: str
    args: Mapping[str, Any]
    status: str
    detail: str | None
    result: Any
    expires_at: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def settled(self) -> bool:
        """Tell whether nothing more will come."""
        return self.status in SETTLED


_SENT = """
INSERT INTO command (id, device_id, name, args, expires_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $6)
ON CONFLICT (id) DO NOTHING
RETURNING id
"""


async def record_sent(connection: Connection, command: NewCommand, now: Now, *, by: Actor) -> None:
    """Store a command as sent; do it before sending, so that no answer can come too early."""
    at = to_datetime(now())
    expires_at = to_datetime(command.expires_at)
    sent = (command.id, command.device.id, command.name, command.args, expires_at, at)
    async with connection.transaction():
        if await connection.fetchval(_SENT, *sent) is None:
            return
        await audit.record(
            connection,
            by=by,
            municipality=command.device.municipality_id,
            action="command.send",
            subject=command.device.name,
            after={"id": command.id, "name": command.name, "args": command.args, "expires_at": expires_at},
            now=now(),
        )


_RESPONSE = """
UPDATE command SET
    status = $3, detail = coalesce($4, detail), result = coalesce($5, result), updated_at = $6
WHERE
    id = $1 AND device_id = (SELECT d.id FROM device AS d WHERE d.name = $2)
    AND status = ANY($7)
RETURNING id
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
    told = None if detail is None else storable(detail, DETAIL_LIMIT)
    at, shown = to_datetime(now()), storable_json(result)
    moved = await connection.fetchval(_RESPONSE, id, device, status, told, shown, at, PRECEDING[status])
    return moved is not None


_KNOWN = "SELECT id FROM command WHERE id = ANY($1)"


async def known(connection: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Return those of the ids that are commands, in one question."""
    return {row["id"] for row in await connection.fetch(_KNOWN, list(ids))} if ids else set()


_EXPIRE = """
UPDATE command SET status = 'expired', updated_at = $1
WHERE status = ANY($2) AND expires_at <= $1
RETURNING id
"""


async def expire(connection: Connection, now: Now) -> int:
    """Give up commands whose time is over without an end; return how many."""
    expired = await connection.fetch(_EXPIRE, to_datetime(now()), PRECEDING["expired"])
    return len(expired)


_ONE = """
SELECT
    c.id, d.name AS device, c.name, c.args, c.status, c.detail, c.result,
    c.expires_at, c.created_at, c.updated_at
FROM command AS c
INNER JOIN device AS d ON c.device_id = d.id
WHERE c.id = $1
"""


async def get_command(connection: Connection, id: UUID) -> SentCommand:  # noqa: A002 - the wire's word
    """Return one command as it stands.

    Raises:
        NotFound: none has that id.
    """
    row = await connection.fetchrow(_ONE, id)
    if row is None:
        raise NotFound("command", str(id))
    return SentCommand(**row)


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
