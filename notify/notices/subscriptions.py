"""Who gets which report by e-mail, again and again: asked for, given up, and listed.

Must not know when a report is due, nor what stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from devices.instants import to_datetime
from devices.registry import registry
from devices.registry.errors import Conflict, Invalid
from notify.outbox.planned import NoticeTopic
from notify.outbox.scheduled import last_due
from people.contact_settings import addresses
from people.person import Person, locked_person
from people.roles import PERMISSIONS, Permission
from store import audit
from store.audit import Actor
from store.connection import Connection

TOPICS = (NoticeTopic.WEEKLY_REPORT, NoticeTopic.AUDIT_HEADS)
NEEDED = {NoticeTopic.WEEKLY_REPORT: Permission.READ, NoticeTopic.AUDIT_HEADS: Permission.READ_AUDIT}
"""What somebody has to be allowed to, where a report is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSubscription:
    """One person gets one report. municipality: None: all of them, and the whole platform."""

    person: str
    topic: NoticeTopic
    municipality: str | None
    created_at: datetime


_LIST = """
SELECT person.name AS person, s.topic, town.name AS municipality, s.created_at
FROM subscription AS s
INNER JOIN person ON s.person_id = person.id
LEFT JOIN municipality AS town ON s.municipality_id = town.id
WHERE $1::text IS NULL OR person.name = $1
ORDER BY person.name, s.topic, town.name NULLS FIRST
"""


async def list_subscriptions(
    connection: Connection, person: str | None = None
) -> Sequence[ReportSubscription]:
    """Return what people get: everybody, or one of them."""
    return [
        ReportSubscription(**{**dict(row), "topic": NoticeTopic(row["topic"])})
        for row in await connection.fetch(_LIST, person)
    ]


_MAY = """
SELECT role FROM membership
LEFT JOIN municipality ON membership.municipality_id = municipality.id
WHERE person_id = $1 AND (membership.municipality_id IS NULL OR municipality.name = $2)
"""


async def may_read(connection: Connection, person: int, permission: Permission, town: str | None) -> bool:
    """Tell whether a person has a permission in a municipality; None: in all of them."""
    roles = [row["role"] for row in await connection.fetch(_MAY, person, town)]
    return any(permission in allowed for role, allowed in PERMISSIONS.items() if role in roles)


_ADD = """
INSERT INTO subscription (person_id, topic, municipality_id, told_for, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING id
"""
_REMOVE = """
DELETE FROM subscription
WHERE person_id = $1 AND topic = $2 AND municipality_id IS NOT DISTINCT FROM $3
RETURNING id
"""


async def subscribe(
    connection: Connection, person: str, topic: NoticeTopic, municipality: str | None, *, by: Actor, now: int
) -> bool:
    """Let a person get a report from the next one on; return whether that is new.

    Raises:
        NotFound: there is no such person, or municipality.
        Invalid: the report is of one municipality, and none is named.
        Conflict: the person may not read it, or has no e-mail address.
    """
    async with connection.transaction():
        who = await locked_person(connection, person)
        town, time_zone = await _town(connection, topic, municipality)
        if not await may_read(connection, who.id, NEEDED[topic], municipality):
            raise Conflict(f"{person} has no role that reads it there")
        if "email" not in addresses(who.email, who.phone, who.channels):
            raise Conflict(f"{person} has no e-mail address to which it could be sent")
        told_for: date = last_due(topic, time_zone, to_datetime(now))
        values = (who.id, topic, town, told_for, to_datetime(now))
        if await connection.fetchval(_ADD, *values) is None:
            return False
        await _record(connection, who, topic, town, municipality, subscribed=True, by=by, now=now)
    return True


async def unsubscribe(
    connection: Connection, person: str, topic: NoticeTopic, municipality: str | None, *, by: Actor, now: int
) -> bool:
    """Let a person not get a report any more; return whether they did.

    Raises:
        NotFound: there is no such person, or municipality.
    """
    async with connection.transaction():
        who = await locked_person(connection, person)
        town, _ = await _town(connection, topic, municipality)
        if await connection.fetchval(_REMOVE, who.id, topic, town) is None:
            return False
        await _record(connection, who, topic, town, municipality, subscribed=False, by=by, now=now)
    return True


async def _town(connection: Connection, topic: NoticeTopic, name: str | None) -> tuple[int | None, str]:
    """Return number and time zone of a municipality; of all of them: none, and UTC."""
    if name is not None:
        found = await registry.get_municipality(connection, name)
        return found.id, found.time_zone
    if topic is NoticeTopic.WEEKLY_REPORT:
        raise Invalid("municipality", "is needed: a weekly report is of one")
    return None, "UTC"


async def _record(
    connection: Connection,
    who: Person,
    topic: NoticeTopic,
    town: int | None,
    municipality: str | None,
    *,
    subscribed: bool,
    by: Actor,
    now: int,
) -> None:
    said = {"report": topic.value, "of": municipality}
    await audit.record(
        connection,
        by=by,
        municipality=town,
        action="person.subscribe" if subscribed else "person.unsubscribe",
        subject=str(who.id),
        before=None if subscribed else said,
        after=said if subscribed else None,
        now=now,
    )
