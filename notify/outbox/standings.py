"""Reads how alerts stand at the moment, and which transitions a replay made. Must not know escalations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg

from alerts.events import AlertEvent
from alerts.transition import Severity
from devices.instants import to_microseconds
from notify.facts import AlertFacts
from notify.outbox.escalation import AlertStanding
from notify.outbox.ports import SilencedUntil
from store.connection import Connection

_STANDINGS = """
SELECT alert.id, alert.rule, alert.severity, alert.state = 'firing' AS firing,
    alert.acknowledged_at IS NOT NULL AS acknowledged, alert.assignee_id IS NOT NULL AS assigned,
    alert.state = 'firing' AND alert.inhibited_by IS NOT NULL AS inhibited, alert.held_until,
    device.name AS device, device.kind, municipality.name AS municipality, ground_feature.name AS district,
    latest.observed_at, latest.received_at
FROM alert
INNER JOIN device ON alert.device_id = device.id
INNER JOIN municipality ON municipality.id = CASE
    WHEN device.moved_at > alert.opened_at THEN municipality_at(device, alert.opened_at)
    ELSE device.municipality_id
END
LEFT JOIN ground_feature
    ON device.district_id = ground_feature.id AND ground_feature.municipality_id = municipality.id
LEFT JOIN latest ON device.id = latest.device_id
WHERE alert.id = ANY($1::bigint [])
"""


async def standings(
    connection: Connection, alerts: Collection[int], silenced: SilencedUntil, now: int
) -> dict[int, AlertStanding]:
    """Return how alerts stand, by alert."""
    rows = await connection.fetch(_STANDINGS, list(alerts))
    until = await silenced(connection, [row["id"] for row in rows if row["firing"]], now)
    return {row["id"]: _standing(row, until.get(row["id"])) for row in rows}


def _standing(row: asyncpg.Record, silenced_until: int | None) -> AlertStanding:
    facts = AlertFacts(
        municipality=row["municipality"],
        kind=row["kind"],
        severity=Severity(row["severity"]),
        rule=row["rule"],
        device=row["device"],
        district=row["district"],
    )
    return AlertStanding(
        facts=facts,
        firing=row["firing"],
        acknowledged=row["acknowledged"],
        assigned=row["assigned"],
        inhibited=row["inhibited"],
        held_until=_instant(row["held_until"]),
        newest_observed=_instant(row["observed_at"]),
        newest_received=_instant(row["received_at"]),
        silenced_until=silenced_until,
    )


def _instant(found: datetime | None) -> int | None:
    return None if found is None else to_microseconds(found)


# Readings of a replay keep the receive time of the message that was put aside.
_REPLAYED = """
SELECT DISTINCT received_at FROM rejection
WHERE received_at = ANY($1::timestamptz []) AND replayed_at IS NOT NULL
"""
_REPLAY_TAKES_S = 1.0


async def replayed(connection: Connection, events: Sequence[AlertEvent]) -> set[int]:
    """Return the ids of transitions that readings out of the quarantine have made."""
    old = [
        e
        for e in events
        if e.received_at is not None and (e.at - e.received_at).total_seconds() > _REPLAY_TAKES_S
    ]
    if not old:
        return set()
    rows = await connection.fetch(_REPLAYED, list({e.received_at for e in old}))
    found = {row["received_at"] for row in rows}
    return {e.id for e in old if e.received_at in found}
