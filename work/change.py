"""One change of a work order: its row, what happened, the hold on its device's alerts, the audit.

A change is made of the row as it is locked and as it shall be, in one transaction. Two people who act at
once come one after the other, and the later one is told what the other did. Must not know which steps there
are, nor who may take them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from alerts import holds
from alerts.record import NOTIFY
from alerts.transition import Severity
from devices.instants import rfc3339, to_datetime
from devices.registry.errors import Conflict, Invalid, NotFound
from store import audit
from store.audit import Actor
from store.connection import Connection
from work.event import WorkEventType, add_event
from work.order import Verification, WorkState

OLDEST = timedelta(days=7)
"""For how long somebody may have had no network."""
AHEAD = timedelta(minutes=5)
"""How far the clock of a phone may be ahead of ours: it is taken for the present."""
HELD_AT_LEAST = timedelta(hours=8)
"""How long a step holds alerts of the device back, whenever the work is due: it may be forgotten."""
PLATFORM_NAME = "Nabd"
"""Who moved an order when nobody did."""
UNDER_WORK = frozenset({WorkState.ACCEPTED, WorkState.ON_THE_WAY, WorkState.IN_PROGRESS})
"""States in which alerts of the device are held back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkStep:
    """Somebody does something to an order.

    now: our time, microseconds since 1970-01-01Z. happened_at: by the clock of who did it; None: now.
    version: of the order as they read it; None: whatever it is. own_only: they may act on their own only.
    """

    by: Actor
    now: int
    happened_at: datetime | None = None
    version: int | None = None
    own_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOrder:
    """The row of a work order while it is locked: people, teams and places by number."""

    id: int
    municipality_id: int
    municipality: str
    device_id: int
    severity: Severity
    state: WorkState
    assignee_id: int | None
    team_id: int | None
    created_at: datetime
    repair_due_at: datetime | None
    accepted_at: datetime | None
    arrived_at: datetime | None
    ended_at: datetime | None
    reopened: int
    verification: Verification | None
    verify_until: datetime | None
    verified_at: datetime | None
    version: int

    @property
    def accepted_for_good(self) -> datetime | None:
        """What stands of the acceptance when somebody else has to accept: nothing before somebody arrived."""
        return None if self.arrived_at is None else self.accepted_at

    @property
    def holder(self) -> str:
        """By what name the order holds alerts of its device back."""
        return f"work order {self.id}"


_LOCK = """
SELECT
    o.id, o.municipality_id, municipality.name AS municipality, o.device_id, o.severity, o.state,
    o.assignee_id, o.team_id, o.created_at, o.repair_due_at, o.accepted_at, o.arrived_at, o.ended_at,
    o.reopened, o.verification, o.verify_until, o.verified_at, o.version
FROM work_order AS o
INNER JOIN municipality ON o.municipality_id = municipality.id
WHERE o.id = $1
FOR UPDATE OF o
"""


async def locked(connection: Connection, order: int, version: int | None = None) -> StoredOrder:
    """Return an order that nobody else changes until the transaction ends.

    Raises:
        NotFound: there is none of this number.
        Conflict: it is not of that version any more.
    """
    row = await connection.fetchrow(_LOCK, order)
    if row is None:
        raise NotFound("work order", str(order), "`nabd work list` shows them")
    verification = row["verification"]
    found = StoredOrder(
        **{
            **dict(row),
            "severity": Severity(row["severity"]),
            "state": WorkState(row["state"]),
            "verification": None if verification is None else Verification(verification),
        }
    )
    if version not in (None, found.version):
        last = await last_event(connection, found)
        raise Conflict(
            f"work order {order} was changed since it was read: {last.said};"
            f" it is version {found.version} now",
            key="conflict.order_changed", order=str(order), name=last.by,
        )  # fmt: skip
    return found


_LAST = """
SELECT e.type, e.created_at, author.name AS author
FROM work_event AS e
LEFT JOIN named_principal AS author ON e.author_id = author.id
WHERE e.order_id = $1 AND NOT e.type = ANY($2::text [])
ORDER BY e.id DESC
LIMIT 1
"""
_MOVES_NOTHING = [
    "comment", "alert-added", "photo-added",
    "response-near", "response-missed", "repair-near", "repair-missed",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LastEvent:
    """Who brought an order where it is: by name, and in words with the time."""

    by: str
    said: str


async def last_event(connection: Connection, order: StoredOrder) -> LastEvent:
    """Return who brought an order where it is, and when."""
    row = await connection.fetchrow(_LAST, order.id, _MOVES_NOTHING)
    if row is None:
        return LastEvent(by=PLATFORM_NAME, said=f"it is {order.state}")
    by = f" by {row['author']}" if row["author"] else ""
    said = f"{row['type']}{by} at {rfc3339(row['created_at'])}"
    return LastEvent(by=row["author"] or PLATFORM_NAME, said=said)


async def refuse_of_state(connection: Connection, order: StoredOrder, what: str) -> NoReturn:
    """Refuse a step that the state of an order does not allow.

    Raises:
        Conflict: always.
    """
    last = await last_event(connection, order)
    raise Conflict(
        f"work order {order.id} is {order.state} and {what}: {last.said}",
        key=f"conflict.order_is_{order.state}", order=str(order.id), name=last.by,
    )  # fmt: skip


_LAST_MOVE = """
SELECT max(happened_at) FROM work_event WHERE order_id = $1 AND NOT type = ANY($2::text [])
"""


async def moment(connection: Connection, order: StoredOrder, step: WorkStep) -> datetime:
    """Return when a step happened: never before the one it follows, as clocks differ.

    Raises:
        Invalid: it lies in the future, or too far back.
    """
    now = to_datetime(step.now)
    said = claimed_moment(step.happened_at, now)
    before = await connection.fetchval(_LAST_MOVE, order.id, _MOVES_NOTHING) or order.created_at
    return min(max(said, before), now)


def claimed_moment(happened_at: datetime | None, now: datetime) -> datetime:
    """Return when somebody says that they did something. Pure.

    Raises:
        Invalid: it lies in the future, or too far back.
    """
    if happened_at is None:
        return now
    if happened_at > now + AHEAD:
        raise Invalid("happened_at", f"lies in the future: it is {rfc3339(now)} now")
    if happened_at < now - OLDEST:
        raise Invalid("happened_at", f"lies more than {OLDEST.days} days back")
    return min(happened_at, now)


_WRITE = """
UPDATE work_order SET
    state = $3, assignee_id = $4, team_id = $5, accepted_at = $6, arrived_at = $7, ended_at = $8,
    reopened = $9, verification = $10, verify_until = $11, verified_at = $12, version = version + 1
WHERE id = $1 AND version = $2
"""
# Whoever tells people of work, and whoever shows it, looks again.
_AUDITED = ("state", "assignee_id", "team_id")


async def store_change(
    connection: Connection,
    before: StoredOrder,
    after: StoredOrder,
    event: WorkEventType,
    step: WorkStep,
    *,
    verb: str,
    body: Mapping[str, Any] | None = None,
    happened_at: datetime,
) -> None:
    """Store a change of an order that is locked, what happened, and who did it.

    Args:
        verb: what the audit calls it.
        body: of the event.
    """
    await connection.execute(
        _WRITE, before.id, before.version, after.state, after.assignee_id, after.team_id, after.accepted_at,
        after.arrived_at, after.ended_at, after.reopened, after.verification, after.verify_until,
        after.verified_at,
    )  # fmt: skip
    await _hold(connection, before, after, step.now)
    await store_event(
        connection, before, event, step, verb=verb, body=body, happened_at=happened_at, to=after
    )


def hold_until(repair_due_at: datetime | None, now: datetime) -> datetime:
    """Return until when a step holds alerts back: the work should be done by then. Pure."""
    return max(repair_due_at or now, now + HELD_AT_LEAST)


async def _hold(connection: Connection, before: StoredOrder, after: StoredOrder, now: int) -> None:
    if after.state in UNDER_WORK and before.state is not after.state:
        until = hold_until(after.repair_due_at, to_datetime(now))
        await holds.hold(connection, after.device_id, after.holder, after.severity, now, until)
    elif before.state in UNDER_WORK and after.state not in UNDER_WORK:
        await holds.release(connection, after.holder, now)


async def store_event(
    connection: Connection,
    order: StoredOrder,
    event: WorkEventType,
    step: WorkStep,
    *,
    verb: str,
    body: Mapping[str, Any] | None = None,
    happened_at: datetime,
    to: StoredOrder | None = None,
) -> int:
    """Store that something happened to an order, and that in the audit; return the event's number.

    Args:
        to: the order as the change left it; None: it moved nothing.
    """
    number = await add_event(
        connection,
        order.id,
        event,
        author=step.by.principal or None,
        body=body,
        happened_at=happened_at,
        created_at=to_datetime(step.now),
    )
    before, after = audit.differing(_audited(order), _audited(to or order))
    await audit.record(
        connection,
        by=step.by,
        municipality=order.municipality_id,
        action=f"work.{verb}",
        subject=str(order.id),
        before=before or None,
        after=after or {"event": number},
        now=step.now,
    )
    await connection.execute(NOTIFY)
    return number


def _audited(order: StoredOrder) -> dict[str, Any]:
    return {name: getattr(order, name) for name in _AUDITED}
