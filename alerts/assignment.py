"""To whom an alert is assigned: by somebody, or by themselves.

It never changes a condition. While an alert is assigned its acknowledgement does not lapse by age
(alerts.acknowledgement). Must not know who may assign whom, but for this: a person who has a role where the
alert was opened.
"""

from __future__ import annotations

from alerts.queue import AlertNotFound
from devices.instants import to_datetime
from devices.registry.errors import Invalid
from people.person import Person, locked_person, was_disabled
from store import audit
from store.audit import Actor
from store.connection import Connection

_LOCK = """
SELECT alert.assignee_id, municipality.id AS municipality_id, municipality.name AS municipality
FROM alert
INNER JOIN device ON alert.device_id = device.id
INNER JOIN municipality ON municipality.id = municipality_at(device, alert.opened_at)
WHERE alert.id = $1
FOR UPDATE OF alert
"""
_ASSIGN = """
WITH changed AS (
    UPDATE alert SET assignee_id = $2 WHERE id = $1
)
INSERT INTO alert_note (alert_id, type, author_id, body, created_at)
VALUES ($1, $3, $4, coalesce($2::integer::text, ''), $5)
"""
_NOTIFY = "SELECT pg_notify('nabd_alert', '')"


async def assign(connection: Connection, alert_id: int, to: str | None, *, by: Actor, now: int) -> bool:
    """Assign an alert to a person, or to nobody; return whether that is new.

    Args:
        to: the person's name, None for nobody.
        now: microseconds since 1970-01-01Z.

    Raises:
        AlertNotFound: no alert has this id.
        NotFound: there is no such person.
        Conflict: the person was disabled.
        Invalid: the person has no role where the alert was opened.
    """
    async with connection.transaction():
        # Before the alert, as who deletes a person does.
        person = await locked_person(connection, to) if to is not None else None
        alert = await connection.fetchrow(_LOCK, alert_id)
        if alert is None:
            raise AlertNotFound(alert_id)
        if person is not None:
            _check(person, alert["municipality"])
        before, after = alert["assignee_id"], person.id if person else None
        if before == after:
            return False
        note = "assigned" if person else "unassigned"
        await connection.execute(_ASSIGN, alert_id, after, note, by.principal, to_datetime(now))
        await audit.record(
            connection,
            by=by,
            municipality=alert["municipality_id"],
            action="alert.assign",
            subject=str(alert_id),
            before={"assignee": before},
            after={"assignee": after},
            now=now,
        )
        await connection.execute(_NOTIFY)
    return True


def _check(person: Person, municipality: str) -> None:
    if person.disabled_at is not None:
        raise was_disabled(person)
    if not any(grant.municipality in (None, municipality) for grant in person.grants):
        raise Invalid("to", f"{person.name} has no role in {municipality}")
