"""Plans reports that are due: the week's on Monday at 07:00 of the town, the month's an hour after its end.

One that was missed is planned late, once: of several weeks only the last. Instants are microseconds.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from devices.instants import to_datetime
from devices.time_zones import zone_named
from notify.facts import Contact
from notify.outbox.planned import NoticeTopic, PlannedNotice, plan
from notify.outbox.ports import RoutePlans
from store.connection import Connection

AT = time(7)
"""When the report of the week before is sent on Monday, on the municipality's clock."""
AFTER_MONTH = timedelta(hours=1)
"""As the heads that are kept in files: what was under way at the end of the month is in them."""
EMAIL = "email"

_SUBSCRIBED = """
SELECT s.id, s.person_id, s.topic, s.told_for, town.name AS municipality,
    coalesce(town.time_zone, 'UTC') AS time_zone
FROM subscription AS s
LEFT JOIN municipality AS town ON s.municipality_id = town.id
ORDER BY s.id
FOR UPDATE OF s
"""
_TOLD = "UPDATE subscription SET told_for = $2 WHERE id = $1"


def last_due(topic: NoticeTopic, time_zone: str, now: datetime) -> date:
    """Return the first day of the last week, or month, whose report is due. Pure."""
    if topic is NoticeTopic.AUDIT_HEADS:
        this = (now - AFTER_MONTH).astimezone(UTC).date().replace(day=1)
        return (this - timedelta(days=1)).replace(day=1)
    zone = zone_named(time_zone)
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    begun = now >= datetime.combine(monday, AT, zone)
    return monday - timedelta(days=7 if begun else 14)


async def plan_due(connection: Connection, routing: RoutePlans, now: int) -> int:
    """Plan every report that is due and was not planned; return how many messages. In a transaction.

    Who has no e-mail address that can be reached gets it when they have one, unless the next is due by then.
    """
    planned = 0
    for row in await connection.fetch(_SUBSCRIBED):
        topic = NoticeTopic(row["topic"])
        due = last_due(topic, row["time_zone"], to_datetime(now))
        if due <= row["told_for"]:
            continue
        # Not by their own steps, nor quiet hours: it was asked for by e-mail.
        there = routing.addresses(row["person_id"], EMAIL)
        if not there:
            continue
        contact = Contact(person_id=row["person_id"], channel=EMAIL, address=there[0], after_s=0.0)
        first = "month" if topic is NoticeTopic.AUDIT_HEADS else "monday"
        about = {"municipality": row["municipality"], first: due.isoformat()}
        planned += await plan(connection, [PlannedNotice(topic=topic, contacts=[contact], about=about)], now)
        await connection.execute(_TOLD, row["id"], due)
    return planned
