"""What happened to work orders: read for people, and stored by whoever changes an order.

Must not know which step may follow which.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from store.connection import Connection


class WorkEventType(StrEnum):
    """What happened; beside each the members of `body`. People and teams stand there by number."""

    CREATED = "created"
    """origin"""
    ASSIGNED = "assigned"
    """assignee, team: to whom, null where it is none"""
    UNASSIGNED = "unassigned"
    """assignee, team: whose it was"""
    ACCEPTED = "accepted"
    """assignee: whose it is"""
    DECLINED = "declined"
    """assignee, team: whose it was; reason"""
    ON_THE_WAY = "on-the-way"
    IN_PROGRESS = "in-progress"
    DONE = "done"
    """report: its number"""
    CANCELLED = "cancelled"
    """reason"""
    REOPENED = "reopened"
    VERIFIED = "verified"
    FAILED = "failed"
    """alert: its number; it goes on, and another order has it"""
    COMMENT = "comment"
    """text"""
    ALERT_ADDED = "alert-added"
    """alert: its number"""
    PHOTO_ADDED = "photo-added"
    """photo: its id"""
    RESPONSE_NEAR = "response-near"
    RESPONSE_MISSED = "response-missed"
    REPAIR_NEAR = "repair-near"
    REPAIR_MISSED = "repair-missed"


FREE_TEXTS = frozenset({"reason", "text"})
"""Members of a body that people wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEvent:
    """One thing that happened. author: None: the platform itself. body: see WorkEventType, with names.

    happened_at: by the clock of who did it; created_at: when we heard of it.
    """

    id: int
    type: WorkEventType
    author: str | None
    body: Mapping[str, Any]
    happened_at: datetime
    created_at: datetime


_ADD = """
INSERT INTO work_event (order_id, type, author_id, body, happened_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id
"""


async def add_event(
    connection: Connection,
    order: int,
    event: WorkEventType,
    *,
    author: int | None,
    body: Mapping[str, Any] | None = None,
    happened_at: datetime,
    created_at: datetime,
) -> int:
    """Store that something happened, in the transaction of the change, and return its number."""
    number: int = await connection.fetchval(
        _ADD, order, event, author, dict(body or {}), happened_at, created_at
    )
    return number


_OF_ORDER = """
SELECT e.id, e.type, author.name AS author, e.happened_at, e.created_at,
    e.body
    || CASE WHEN jsonb_typeof(e.body -> 'assignee') = 'number'
        THEN jsonb_build_object('assignee', coalesce(assignee.name, '')) ELSE '{}' END
    || CASE WHEN jsonb_typeof(e.body -> 'team') = 'number'
        THEN jsonb_build_object('team', coalesce(team.name, '')) ELSE '{}' END AS body
FROM work_event AS e
LEFT JOIN named_principal AS author ON e.author_id = author.id
LEFT JOIN named_principal AS assignee ON assignee.id = (e.body ->> 'assignee')::integer
LEFT JOIN team ON team.id = (e.body ->> 'team')::integer
WHERE e.order_id = $1
ORDER BY e.id
"""


async def history(connection: Connection, order: int) -> Sequence[WorkEvent]:
    """Return everything that happened to an order, in the order in which we heard of it."""
    return [
        WorkEvent(**{**dict(row), "type": WorkEventType(row["type"])})
        for row in await connection.fetch(_OF_ORDER, order)
    ]
