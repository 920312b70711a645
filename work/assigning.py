"""To whom a work order is given: a technician, a team, or nobody any more.

Must not know who may give work to others (people.roles), but for this: whoever it is given to works there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from devices.registry.errors import Invalid, NotFound
from people.person import Person, locked_person, was_disabled
from people.roles import PERMISSIONS, Permission
from store.connection import Connection
from work.change import StoredOrder, WorkStep, locked, moment, refuse_of_state, store_change
from work.event import WorkEventType
from work.order import WorkState, may_follow


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """A person, or a team, or both: a team of which the person has it in hand. By name."""

    assignee: str | None = None
    team: str | None = None


async def assign(connection: Connection, order: int, to: Crew, step: WorkStep) -> bool:
    """Give an order to somebody, whoever had it, or to nobody; return whether that is new.

    Raises:
        NotFound: there is no such order, person or team.
        Conflict: it is done or cancelled, was changed since it was read, or the person was disabled.
        Invalid: the person or the team does not work in that municipality.
    """
    async with connection.transaction():
        # Before the order, as who deletes a person does.
        person = await locked_person(connection, to.assignee) if to.assignee is not None else None
        found = await locked(connection, order, step.version)
        team = await _team(connection, to.team, found.municipality) if to.team is not None else None
        if person is not None:
            _check_person(person, found.municipality)
        return await give(connection, found, person.id if person else None, team, step)


async def give(
    connection: Connection, order: StoredOrder, assignee: int | None, team: int | None, step: WorkStep
) -> bool:
    """Give a locked order to a person and a team by number, None: to none; return whether that is new.

    Raises:
        Conflict: it is done or cancelled.
    """
    if (order.assignee_id, order.team_id) == (assignee, team):
        return False
    nobody = assignee is None and team is None
    state = WorkState.OPEN if nobody else WorkState.ASSIGNED
    # What is done is reopened by readings alone, not by giving it to another one.
    if order.state is WorkState.DONE or (order.state is not state and not may_follow(state, order.state)):
        await refuse_of_state(connection, order, "is not assigned any more")
    after = replace(
        order, state=state, assignee_id=assignee, team_id=team, accepted_at=order.accepted_for_good
    )
    whose = order if nobody else after
    await store_change(
        connection,
        order,
        after,
        WorkEventType.UNASSIGNED if nobody else WorkEventType.ASSIGNED,
        step,
        verb="assign",
        body={"assignee": whose.assignee_id, "team": whose.team_id},
        happened_at=await moment(connection, order, step),
    )
    return True


def _check_person(person: Person, municipality: str) -> None:
    if person.disabled_at is not None:
        raise was_disabled(person)
    if not works_in(person, municipality):
        raise Invalid("to", f"{person.name} has no role in {municipality} with which one works on orders")


def works_in(person: Person, municipality: str) -> bool:
    """Tell whether work of a municipality can be given to a person. Pure."""
    return any(
        grant.municipality in (None, municipality) and Permission.DO_WORK in PERMISSIONS[grant.role]
        for grant in person.grants
    )


_TEAM = """
SELECT team.id, municipality.name AS municipality
FROM team
LEFT JOIN municipality ON team.municipality_id = municipality.id
WHERE team.name = $1
FOR SHARE OF team
"""


async def _team(connection: Connection, name: str, municipality: str) -> int:
    row = await connection.fetchrow(_TEAM, name)
    if row is None:
        raise NotFound("team", name, "`nabd team list` shows them")
    if row["municipality"] not in (None, municipality):
        raise Invalid("team", f"{name} is a team of {row['municipality']}")
    team: int = row["id"]
    return team
