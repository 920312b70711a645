"""Steps of the work: accepted, declined, on the way, in progress, done, cancelled; and comments.

Each may be said twice: the second time changes nothing. Whoever may act on their own work only is refused
where an order is somebody else's. Must not know roles.
"""

from __future__ import annotations

from dataclasses import replace

import asyncpg

from devices.registry.errors import Conflict, Invalid
from store.connection import Connection
from work.change import (
    UNDER_WORK,
    StoredOrder,
    WorkStep,
    last_event,
    locked,
    moment,
    refuse_of_state,
    store_change,
    store_event,
)
from work.event import WorkEventType
from work.order import WorkState, may_follow
from work.report import WorkReport, check_report, store_report

REASON_LENGTH = 500
TEXT_LENGTH = 4000

_ACTOR = """
SELECT person.id, ARRAY(SELECT team_id FROM team_member WHERE person_id = person.id) AS teams
FROM person
WHERE person.id = $1
FOR KEY SHARE
"""


async def accept(connection: Connection, order: int, step: WorkStep) -> bool:
    """Take an order in hand; return whether that is new.

    One that is a team's, or nobody's, is from then on the person's who accepts it. One that was given to
    somebody stays theirs, whoever says that they accept it.

    Raises:
        NotFound: there is no such order.
        Conflict: somebody else has it, it was changed since it was read, or it is no person who accepts.
    """
    async with connection.transaction():
        me = await connection.fetchrow(_ACTOR, step.by.principal)
        found = await locked(connection, order, step.version)
        if found.state in UNDER_WORK and me is not None and found.assignee_id == me["id"]:
            return False
        if found.state is not WorkState.OPEN:
            await refuse_foreign(connection, found, step, me)
        await _refuse_unless(connection, found, WorkState.ACCEPTED)
        assignee = found.assignee_id or (me["id"] if me else None)
        if assignee is None:
            raise Conflict(
                f"work order {order} is no person's: assign it to whoever accepts it",
                key="conflict.order_nobodys", order=str(order),
            )  # fmt: skip
        at = await moment(connection, found, step)
        after = replace(
            found,
            state=WorkState.ACCEPTED,
            assignee_id=assignee,
            accepted_at=found.accepted_at or at,
        )
        body = {"assignee": assignee}
        await store_change(
            connection, found, after, WorkEventType.ACCEPTED, step, verb="accept", body=body, happened_at=at
        )
    return True


async def decline(connection: Connection, order: int, reason: str, step: WorkStep) -> bool:
    """Give an order back: to its team, else to nobody; return whether that is new.

    What no person of a team has in hand stays the team's: one member does not decline it for the others.

    Raises:
        NotFound: there is no such order.
        Conflict: it is not theirs, done, cancelled, or was changed since it was read.
        Invalid: there is no reason, or it is too long.
    """
    reason = _reason(reason)
    async with connection.transaction():
        me = await connection.fetchrow(_ACTOR, step.by.principal)
        found = await locked(connection, order, step.version)
        if found.state is WorkState.OPEN:
            return False
        await refuse_foreign(connection, found, step, me)
        if found.assignee_id is None and found.state is WorkState.ASSIGNED:
            return False  # its team has it already
        state = WorkState.OPEN if found.team_id is None else WorkState.ASSIGNED
        if found.state is WorkState.DONE or not may_follow(state, found.state):
            await _refuse(connection, found, "declined")
        after = replace(found, state=state, assignee_id=None, accepted_at=found.accepted_for_good)
        body = {"assignee": found.assignee_id, "team": found.team_id, "reason": reason}
        await store_change(
            connection, found, after, WorkEventType.DECLINED, step, verb="decline", body=body,
            happened_at=await moment(connection, found, step),
        )  # fmt: skip
    return True


async def go(connection: Connection, order: int, step: WorkStep) -> bool:
    """Say that somebody is on the way; return whether that is new. Raises as `accept`."""
    return await _move(connection, order, WorkState.ON_THE_WAY, step)


async def begin(connection: Connection, order: int, step: WorkStep) -> bool:
    """Say that somebody is there and works; return whether that is new. Raises as `accept`."""
    return await _move(connection, order, WorkState.IN_PROGRESS, step)


async def _move(connection: Connection, order: int, state: WorkState, step: WorkStep) -> bool:
    async with connection.transaction():
        me = await connection.fetchrow(_ACTOR, step.by.principal)
        found = await locked(connection, order, step.version)
        await refuse_foreign(connection, found, step, me)
        if found.state is state:
            return False
        await _refuse_unless(connection, found, state)
        at = await moment(connection, found, step)
        arrived = at if state is WorkState.IN_PROGRESS else None
        after = replace(found, state=state, arrived_at=found.arrived_at or arrived)
        event = WorkEventType(state.value)
        await store_change(connection, found, after, event, step, verb=state.value, happened_at=at)
    return True


async def finish(connection: Connection, order: int, report: WorkReport, step: WorkStep) -> bool:
    """Report an order done; return whether that is new.

    A report that stands already is kept: who says it a second time, for want of an answer, changes nothing.

    Raises:
        NotFound: there is no such order.
        Conflict: it is not theirs, nobody accepted it, or it was changed since it was read.
        Invalid: the report cannot be kept.
    """
    check_report(report)
    async with connection.transaction():
        me = await connection.fetchrow(_ACTOR, step.by.principal)
        found = await locked(connection, order, step.version)
        await refuse_foreign(connection, found, step, me)
        if found.state is WorkState.DONE:
            return False
        await _refuse_unless(connection, found, WorkState.DONE)
        at = await moment(connection, found, step)
        number = await store_report(connection, order, report, step, reported_at=at)
        after = replace(found, state=WorkState.DONE, ended_at=at)
        await store_change(
            connection, found, after, WorkEventType.DONE, step, verb="done", body={"report": number},
            happened_at=at,
        )  # fmt: skip
    return True


async def cancel(connection: Connection, order: int, reason: str, step: WorkStep) -> bool:
    """Call an order off; return whether that is new.

    Raises:
        NotFound: there is no such order.
        Conflict: it is done, or was changed since it was read.
        Invalid: there is no reason, or it is too long.
    """
    reason = _reason(reason)
    async with connection.transaction():
        found = await locked(connection, order, step.version)
        if found.state is WorkState.CANCELLED:
            return False
        await _refuse_unless(connection, found, WorkState.CANCELLED)
        at = await moment(connection, found, step)
        after = replace(found, state=WorkState.CANCELLED, ended_at=at)
        await store_change(
            connection, found, after, WorkEventType.CANCELLED, step, verb="cancel", body={"reason": reason},
            happened_at=at,
        )  # fmt: skip
    return True


async def comment(connection: Connection, order: int, text: str, step: WorkStep) -> int:
    """Add a comment, whatever the order's state, and return the event's number.

    Raises:
        NotFound: there is no such order.
        Conflict: they may comment on their own work only, and it is not theirs.
        Invalid: there is no text, or it is too long.
    """
    text = text.strip()
    if not 1 <= len(text) <= TEXT_LENGTH:
        raise Invalid("text", f"has 1 to {TEXT_LENGTH} characters")
    async with connection.transaction():
        me = await connection.fetchrow(_ACTOR, step.by.principal)
        found = await locked(connection, order)
        await refuse_foreign(connection, found, step, me)
        at = await moment(connection, found, step)
        return await store_event(
            connection,
            found,
            WorkEventType.COMMENT,
            step,
            verb="comment",
            body={"text": text},
            happened_at=at,
        )


def _reason(text: str) -> str:
    reason = text.strip()
    if not 1 <= len(reason) <= REASON_LENGTH:
        raise Invalid("reason", f"say in 1 to {REASON_LENGTH} characters why")
    return reason


def is_theirs(order: StoredOrder, person: int, teams: list[int]) -> bool:
    """Tell whether an order is a person's own work: given to them, or to a team of theirs. Pure.

    What somebody of the team has accepted is that person's alone.
    """
    if order.assignee_id is not None:
        return order.assignee_id == person
    return order.team_id in teams


async def refuse_foreign(
    connection: Connection, order: StoredOrder, step: WorkStep, me: asyncpg.Record | None = None
) -> None:
    """Refuse who acts on the work of others.

    Args:
        me: who acts, as `_ACTOR` finds them; looked up without it.

    Raises:
        Conflict: it is somebody else's.
    """
    if not step.own_only:
        return
    me = me or await connection.fetchrow(_ACTOR, step.by.principal)
    if me is not None and is_theirs(order, me["id"], me["teams"]):
        return
    last = await last_event(connection, order)
    raise Conflict(
        f"work order {order.id} is not yours: {last.said}",
        key="conflict.order_not_yours", order=str(order.id), name=last.by,
    )  # fmt: skip


async def _refuse_unless(connection: Connection, order: StoredOrder, state: WorkState) -> None:
    if not may_follow(state, order.state):
        await _refuse(connection, order, state.value)


async def _refuse(connection: Connection, order: StoredOrder, state: str) -> None:
    await refuse_of_state(connection, order, f"cannot become {state}")
