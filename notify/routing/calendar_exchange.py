"""On-call schedules out to calendars, and who stands in from them, with the database.

Must not know HTTP or the command line.
"""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from notify.routing import calendars, overrides
from notify.routing.load import load
from notify.routing.overrides import StandIn
from notify.routing.schedules import OnCallSchedule
from store.audit import Actor
from store.connection import Connection

BEFORE, AFTER = timedelta(days=7), timedelta(days=183)


async def exported(connection: Connection, schedule: OnCallSchedule, now: int) -> bytes:
    """Return the shifts of the last week and of the next half year as iCalendar.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    # From midnight on: an entry keeps its id from one reading to the next.
    today = to_datetime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    found = await overrides.shifts(connection, schedule, today - BEFORE, today + AFTER)
    title = schedule.title.get("en") or next(iter(schedule.title.values()), schedule.name)
    return calendars.to_calendar(schedule.name, title, found, to_datetime(now))


# What two people are called names neither.
_NAMES = """
SELECT said.said, min(p.name) AS name
FROM person AS p
CROSS JOIN LATERAL (VALUES (lower(p.name)), (lower(p.display_name)), (lower(p.email))) AS said (said)
WHERE p.disabled_at IS NULL AND said.said <> ''
GROUP BY said.said
HAVING count(DISTINCT p.id) = 1
"""


async def imported(
    connection: Connection, schedule: OnCallSchedule, data: bytes, now: int, *, by: Actor
) -> list[StandIn]:
    """Have people stand in by the entries of a calendar, all or none.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        Invalid: it is no calendar, or an entry cannot be taken.
    """
    zone = (await load(connection)).schedules[schedule.name].calendar.zone
    names = {row["said"]: row["name"] for row in await connection.fetch(_NAMES)}
    new = calendars.of_calendar(data, names, zone)
    return await overrides.add_stand_ins(connection, schedule, new, now, by=by)
