"""Who was told what: an alert's escalation and deliveries as people read them. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One attempt. ended_at, answer: None while it is under way, or when nobody knows what became of it."""

    number: int
    began_at: datetime
    ended_at: datetime | None
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRecord:
    """One message to one address. person: their name, None where they were deleted. alerts: what it is about.

    needed: false where, of the alert that was asked for, nothing had to be said any more. answer: the last
    one of the service, or why nothing was sent. occasion: None where it is about a topic, such as
    work, or says that failing_channel fails. order: number of the work order.
    """

    id: str
    person: str | None
    channel: str
    address: str
    occasion: str | None
    failing_channel: str | None
    topic: str | None
    order: int | None
    digest: bool
    state: str
    needed: bool
    due_at: datetime
    answer: str | None
    created_at: datetime
    handed_over_at: datetime | None
    alerts: Sequence[int]
    attempts: Sequence[AttemptRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRecord:
    """How far the telling of an alert is. route: whose plan it follows; step: the next of its `steps`."""

    state: str
    occasion: str
    route: str | None
    step: int
    steps: int
    next_at: datetime | None
    waits_for: str | None


_ESCALATION = """
SELECT state, occasion, plan ->> 'route' AS route, step, next_at, waits_for,
    coalesce(jsonb_array_length(plan -> 'steps'), 0) AS steps
FROM escalation WHERE alert_id = $1
"""


async def escalation_of(connection: Connection, alert: int) -> EscalationRecord | None:
    """Return how far the telling of an alert is; None where it is not told."""
    row = await connection.fetchrow(_ESCALATION, alert)
    return EscalationRecord(**dict(row)) if row else None


_SELECT = """
SELECT d.id::text AS id, p.name AS person, d.channel, d.address, d.occasion, d.failing_channel, d.topic,
    d.order_id AS order, d.digest,
    d.state, d.due_at, d.answer, d.created_at, d.handed_over_at,
    coalesce((
        SELECT about.needed FROM delivery_alert AS about
        WHERE about.delivery_id = d.id AND about.alert_id = $1
    ), true) AS needed,
    ARRAY(
        SELECT about.alert_id FROM delivery_alert AS about
        WHERE about.delivery_id = d.id ORDER BY about.alert_id
    ) AS alerts,
    coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'number', a.number, 'began_at', a.began_at, 'ended_at', a.ended_at, 'answer', a.answer
        ) ORDER BY a.number)
        FROM delivery_attempt AS a WHERE a.delivery_id = d.id
    ), '[]') AS attempts
FROM delivery AS d
LEFT JOIN person AS p ON d.person_id = p.id
"""
_OF_ALERT = """
WHERE d.id IN (SELECT delivery_id FROM delivery_alert WHERE alert_id = $1)
ORDER BY d.created_at, d.due_at, d.id
"""
_NEWEST = """
WHERE ($2::text IS NULL OR d.channel = $2) AND ($3::text IS NULL OR d.state = $3)
ORDER BY d.created_at DESC, d.id
LIMIT $4
"""


async def deliveries_of(connection: Connection, alert: int) -> list[DeliveryRecord]:
    """Return the messages about an alert, the oldest first."""
    return [_delivery(row) for row in await connection.fetch(_SELECT + _OF_ALERT, alert)]


async def newest_deliveries(
    connection: Connection, *, channel: str | None = None, state: str | None = None, limit: int = 100
) -> list[DeliveryRecord]:
    """Return the newest messages, of one channel, or in one state."""
    rows = await connection.fetch(_SELECT + _NEWEST, None, channel, state, limit)
    return [_delivery(row) for row in rows]


def _delivery(row: asyncpg.Record) -> DeliveryRecord:
    attempts = [_attempt(one) for one in row["attempts"]]
    return DeliveryRecord(**{**dict(row), "attempts": attempts})


def _attempt(values: dict[str, Any]) -> AttemptRecord:
    ended_at = values["ended_at"]
    return AttemptRecord(
        number=values["number"],
        began_at=datetime.fromisoformat(values["began_at"]),
        ended_at=None if ended_at is None else datetime.fromisoformat(ended_at),
        answer=values["answer"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifierStanding:
    """How the notifier does. alive_at: its last sign of life, None where it never ran.

    waiting: messages that are due and not handed over; the oldest since waiting_since. doubtful: messages
    of which an attempt ended without an answer, so that they may have arrived twice.
    """

    alive_at: datetime | None
    waiting: int
    waiting_since: datetime | None
    doubtful: int


_STANDING = """
SELECT n.alive_at, d.waiting, d.waiting_since, d.doubtful
FROM notifier AS n
CROSS JOIN (
    SELECT
        count(*) FILTER (WHERE state = 'planned' AND (due_at <= $1 OR attempts > 0)) AS waiting,
        min(created_at) FILTER (WHERE state = 'planned' AND (due_at <= $1 OR attempts > 0)) AS waiting_since,
        count(*) FILTER (WHERE ambiguous) AS doubtful
    FROM delivery
    WHERE state IN ('planned', 'sending') OR ambiguous
) AS d
"""


async def standing(connection: Connection, now: datetime) -> NotifierStanding:
    """Return how the notifier does."""
    row = await connection.fetchrow(_STANDING, now)
    return (
        NotifierStanding(**dict(row))
        if row
        else NotifierStanding(alive_at=None, waiting=0, waiting_since=None, doubtful=0)
    )
