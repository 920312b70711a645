"""Who stands in on an on-call schedule: said one by one, or read from a calendar; and the shifts that follow.

Must not know HTTP or the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from devices.instants import to_datetime, to_microseconds
from devices.registry.errors import Invalid, NotFound
from notify.routing.load import load
from notify.routing.ownership import people_ids
from notify.routing.schedules import OnCallSchedule
from store import audit
from store.audit import Actor
from store.connection import Connection

LONGEST = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandIn:
    """Somebody who stands in for the turns; the end is not included. uid: of its calendar entry."""

    id: int
    person: str
    from_at: datetime
    until_at: datetime
    uid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStandIn:
    """A stand-in to add; see StandIn. One with the uid of another replaces it."""

    person: str
    from_at: datetime
    until_at: datetime
    uid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonShift:
    """A span in which one person is on call; None: nobody. override: they stand in."""

    person: str | None
    display_name: str | None
    from_at: datetime
    until_at: datetime
    override: bool


_LIST = """
SELECT o.id, p.name AS person, o.from_at, o.until_at, o.uid
FROM on_call_override AS o
INNER JOIN person AS p ON o.person_id = p.id
WHERE o.schedule_id = $1 AND o.until_at > $2
ORDER BY o.from_at, o.id
"""


async def list_stand_ins(connection: Connection, schedule: OnCallSchedule, now: int) -> list[StandIn]:
    """Return who stands in now or later, the soonest first.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    rows = await connection.fetch(_LIST, schedule.id, to_datetime(now))
    return [StandIn(**row) for row in rows]


_TOWN = "SELECT municipality_id FROM on_call_schedule WHERE id = $1 FOR UPDATE"
_REPLACE = "DELETE FROM on_call_override WHERE schedule_id = $1 AND uid = $2"
_INSERT = """
INSERT INTO on_call_override (schedule_id, person_id, from_at, until_at, uid, author_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id
"""


async def add_stand_ins(
    connection: Connection, schedule: OnCallSchedule, new: Sequence[NewStandIn], now: int, *, by: Actor
) -> list[StandIn]:
    """Add who stands in, all or nobody.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such person.
        Invalid: somebody holds no role there, or a span is none.
    """
    for one in new:
        _check(one)
    async with connection.transaction():
        town = await connection.fetchval(_TOWN, schedule.id)
        ids = await people_ids(connection, [one.person for one in new], town, "person")
        added = []
        for one in new:
            if one.uid is not None:
                await connection.execute(_REPLACE, schedule.id, one.uid)
            number = await connection.fetchval(
                _INSERT, schedule.id, ids[one.person], one.from_at, one.until_at, one.uid, by.principal,
                to_datetime(now),
            )  # fmt: skip
            span = {"from_at": one.from_at.astimezone(UTC), "until_at": one.until_at.astimezone(UTC)}
            added.append(StandIn(id=number, person=one.person, uid=one.uid, **span))
        state = [_state(one.id, ids[one.person], one.from_at, one.until_at) for one in added]
        if state:
            await _record(connection, schedule, town, "override", None, {"added": state}, by, now)
    return added


def _check(new: NewStandIn) -> None:
    if not timedelta() < new.until_at - new.from_at <= LONGEST:
        raise Invalid("until_at", f"is after from_at, at most {LONGEST.days} days")
    if new.uid is not None and not 1 <= len(new.uid) <= 255:
        raise Invalid("uid", "has 1 to 255 characters")


_REMOVE = """
DELETE FROM on_call_override WHERE schedule_id = $1 AND id = $2 RETURNING id, person_id, from_at, until_at
"""


async def remove_stand_in(
    connection: Connection, schedule: OnCallSchedule, number: int, now: int, *, by: Actor
) -> None:
    """Take back that somebody stands in.

    Raises:
        NotFound: there is no such override of this schedule.
    """
    async with connection.transaction():
        town = await connection.fetchval(_TOWN, schedule.id)
        row = await connection.fetchrow(_REMOVE, schedule.id, number)
        if row is None:
            raise NotFound("override", str(number), f"`nabd on-call show {schedule.name}` shows them")
        before = {"removed": [_state(*row)]}
        await _record(connection, schedule, town, "turns", before, None, by, now)


def _state(number: int, person: int, start: datetime, end: datetime) -> dict[str, Any]:
    """Return a stand-in as the audit has it: the person by number."""
    return {"id": number, "person": person, "from_at": start, "until_at": end}


async def _record(
    connection: Connection,
    schedule: OnCallSchedule,
    town: int | None,
    verb: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    by: Actor,
    now: int,
) -> None:
    await audit.record(
        connection,
        by=by,
        municipality=town,
        action=f"on-call.{verb}",
        subject=schedule.name,
        before=before,
        after=after,
        now=now,
    )


async def shifts(
    connection: Connection, schedule: OnCallSchedule, start: datetime, end: datetime
) -> list[PersonShift]:
    """Return who is on call from one instant to another, in their order; a person None where nobody is.

    Raises:
        Invalid: the span is none, or too long.
    """
    if not timedelta() < end - start <= LONGEST:
        raise Invalid("until", f"is after the beginning, at most {LONGEST.days} days")
    routing = await load(connection)
    rota = routing.schedules[schedule.name]
    present = routing.present(schedule.municipality)
    found = rota.shifts(to_microseconds(start), to_microseconds(end), present)
    return [
        PersonShift(
            person=routing.receivers[s.person].name if s.person is not None else None,
            display_name=routing.receivers[s.person].display_name if s.person is not None else None,
            from_at=to_datetime(s.from_at),
            until_at=to_datetime(s.until_at),
            override=s.override,
        )
        for s in found
    ]
