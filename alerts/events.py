"""What happened to alerts, in one order for every client: transitions of conditions and notes of people.

The order is (xid, id). Rows of a transaction that still runs may get an earlier position than committed
ones, so only rows below the oldest running transaction are read: no event appears before one already read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import asyncpg

from alerts.transition import Severity
from store.connection import Connection

Cursor = tuple[int, int]
"""(xid, id) of the last event seen."""


class EventType(StrEnum):
    """What happened."""

    OPENED = "opened"
    SEVERITY = "severity"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    LAPSED = "lapsed"
    COMMENT = "comment"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    INHIBITED = "inhibited"
    SURFACED = "surfaced"
    DECLINED = "declined"
    """Somebody who was told cannot come; the body says why, if they wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertEvent:
    """One thing that happened to one alert.

    at: when it was stored (detected_at of a transition, creation of a note). severity: the alert's after a
    transition, the present one for a note. observed_at, received_at and evidence belong to transitions,
    author and body to notes. Lapsed, inhibited and surfaced are notes without an author; the body says why an
    acknowledgement lapsed ("severity", "age"), or is the other alert's id. The body of assigned is the
    assignee's name.
    """

    xid: int
    id: int
    alert_id: int
    type: EventType
    at: datetime
    rule: str
    device: str
    kind: str
    municipality: str
    severity: Severity
    summary: Mapping[str, str]
    observed_at: datetime | None
    received_at: datetime | None
    evidence: Mapping[str, Any] | None
    author: str | None
    body: str | None

    @property
    def cursor(self) -> Cursor:
        """The cursor to continue from after this event."""
        return self.xid, self.id


_TRANSITION = """
SELECT xid, id, alert_id,
    CASE WHEN to_state = 'resolved' THEN 'resolved' WHEN from_state = 'firing' THEN 'severity'
        ELSE 'opened' END AS type,
    detected_at AS at, severity, observed_at, received_at, evidence,
    NULL::integer AS author_id, NULL::text AS body
FROM transition
"""
_NOTE = """
SELECT xid, id, alert_id, type, created_at AS at, NULL::text AS severity, NULL::timestamptz AS observed_at,
    NULL::timestamptz AS received_at, NULL::jsonb AS evidence, author_id, body
FROM alert_note
"""
_BESIDE = """
SELECT event.xid, event.id, event.alert_id, event.type, event.at, alert.rule, device.name AS device,
    device.kind, municipality.name AS municipality, coalesce(event.severity, alert.severity) AS severity,
    alert.summary, event.observed_at, event.received_at, event.evidence,
    CASE WHEN event.body IS NOT NULL THEN coalesce(author.name, '') END AS author,
    CASE WHEN event.type = 'assigned' THEN coalesce(assignee.name, '') ELSE event.body END AS body
FROM event
LEFT JOIN named_principal AS author ON author.id = event.author_id
LEFT JOIN named_principal AS assignee
    ON assignee.id = CASE WHEN event.type = 'assigned' THEN event.body::integer END
JOIN alert ON alert.id = event.alert_id
JOIN device ON device.id = alert.device_id
JOIN municipality ON municipality.id = CASE
    WHEN device.moved_at > alert.opened_at THEN municipality_at(device, alert.opened_at)
    ELSE device.municipality_id
END
"""
_PAGE = """
WHERE (xid, id) > ($1::xid8, $2::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id LIMIT $3
"""

EVENTS_AFTER = (
    f"WITH event AS (({_TRANSITION}{_PAGE}) UNION ALL ({_NOTE}{_PAGE}) ORDER BY xid, id LIMIT $3)"
    f"{_BESIDE} ORDER BY event.xid, event.id"
)

HISTORY = (
    f"WITH event AS ({_TRANSITION} WHERE alert_id = $1 UNION ALL {_NOTE} WHERE alert_id = $1)"
    f"{_BESIDE} ORDER BY event.id"
)

LATEST_CURSOR = """
SELECT xid, id FROM (
    (SELECT xid, id FROM transition WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid DESC, id DESC LIMIT 1)
    UNION ALL
    (SELECT xid, id FROM alert_note WHERE xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xid DESC, id DESC LIMIT 1)
) AS newest
ORDER BY xid DESC, id DESC LIMIT 1
"""


async def events_after(
    connection: Connection, cursor: Cursor | None = None, limit: int = 1000
) -> list[AlertEvent]:
    """Return settled events after `cursor` in order, at most `limit`; None starts with the first ever.

    An event of a transaction that committed while an older one still runs is returned by a later call.
    """
    xid, event = cursor or (0, 0)
    return [_event(row) for row in await connection.fetch(EVENTS_AFTER, xid, event, limit)]


async def latest_cursor(connection: Connection) -> Cursor:
    """Return the cursor of the newest settled event, from which a new client continues."""
    row = await connection.fetchrow(LATEST_CURSOR)
    return (row["xid"], row["id"]) if row else (0, 0)


async def history(connection: Connection, alert_id: int) -> list[AlertEvent]:
    """Return everything that happened to one alert, oldest first; empty when there is no such alert."""
    return [_event(row) for row in await connection.fetch(HISTORY, alert_id)]


def _event(row: asyncpg.Record) -> AlertEvent:
    values = dict(row)
    return AlertEvent(
        **{**values, "type": EventType(values["type"]), "severity": Severity(values["severity"])}
    )
