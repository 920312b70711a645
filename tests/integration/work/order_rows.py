"""Work orders as rows, for tests of what only reads them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import asyncpg

from devices.registry.registry import Device
from tests.integration.api.builders import NOON

_INSERT = """
INSERT INTO work_order (
    municipality_id, device_id, origin, rule, severity, title, state, assignee_id, team_id, author_id,
    created_at, response_due_at, repair_due_at, accepted_at, ended_at, verification, verified_at
)
SELECT municipality_id, id, 'person', $2, $3, $4, $5, $6, $7, 0, $8, $9, $10, $11, $12, $13, $14
FROM device WHERE id = $1
RETURNING id
"""
_EVENT = """
INSERT INTO work_event (order_id, type, author_id, body, happened_at, created_at)
VALUES ($1, $2, $3, $4, $5, $5)
"""


async def add_order(connection: asyncpg.Connection, device: Device, **more: Any) -> int:
    """Add an order, open and of yesterday's noon unless `more` says otherwise; return its number."""
    usual = {
        "rule": None, "severity": "major", "title": "", "state": "open", "assignee_id": None, "team_id": None,
        "created_at": NOON, "response_due_at": NOON + timedelta(hours=2),
        "repair_due_at": NOON + timedelta(days=2), "accepted_at": None, "ended_at": None,
        "verification": None, "verified_at": None,
    }  # fmt: skip
    order: int = await connection.fetchval(_INSERT, device.id, *{**usual, **more}.values())
    return order


async def happen(
    connection: asyncpg.Connection,
    order: int,
    event: str,
    *,
    at: datetime = NOON,
    author: int | None = None,
    body: dict[str, Any] | None = None,
) -> None:
    """Add what happened to an order."""
    await connection.execute(_EVENT, order, event, author, body or {}, at)
