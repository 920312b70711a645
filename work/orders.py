"""Making work orders: from alerts of a device, by a person's hand, or by the platform itself.

An alert is in one open order at most. Must not know how deadlines are reckoned, nor who may make an order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import asyncpg

from alerts.queue import AlertNotFound
from alerts.record import NOTIFY
from alerts.transition import Severity
from devices.instants import rfc3339, to_datetime
from devices.registry.errors import Conflict, Invalid
from devices.registry.registry import get_device
from people.person import locked_person
from store import audit
from store.connection import Connection
from work.assigning import Crew, assign
from work.change import WorkStep
from work.clocks.deadlines import DeadlineTerms, reckon
from work.event import WorkEventType, add_event
from work.listing import get_order
from work.order import WorkOrder, WorkOrigin

TITLE_LENGTH = 200
MOST_ALERTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder:
    """An order to make.

    device: that of the alerts without it. alerts: numbers, of one device. title: what is to be done; may be
    left out where there are alerts. severity: without it the worst of the alerts, minor where there are none.
    origin: without it whether there are alerts. plan_id, plan_day: of the preventive plan that makes it, and
    for which day. to: whose.
    """

    device: str | None = None
    alerts: Sequence[int] = ()
    title: str = ""
    severity: Severity | None = None
    origin: WorkOrigin | None = None
    plan_id: int | None = None
    plan_day: date | None = None
    to: Crew = field(default_factory=Crew)


_INSERT = """
INSERT INTO work_order (
    municipality_id, device_id, origin, plan_id, plan_day, rule, severity, title, state, author_id, created_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $10)
RETURNING id
"""
_ADD_ALERT = "INSERT INTO work_order_alert (order_id, alert_id) SELECT $1, unnest($2::bigint [])"
_LOCK_TEAM = "SELECT FROM team WHERE name = $1 FOR SHARE"


async def make(
    connection: Connection, new: NewOrder, step: WorkStep, by: DeadlineTerms | None = None
) -> WorkOrder:
    """Make an order, give it to whom it is for, and return it.

    Args:
        by: what its deadlines are reckoned by, where it is known already.

    Raises:
        AlertNotFound: no alert has one of the numbers.
        NotFound: there is no such device, person or team.
        Conflict: an alert is in an open order already, or none of them is open any more.
        Invalid: it names no device, says nothing, or the alerts are of several devices.
    """
    title = new.title.strip()
    _check(new, title)
    async with connection.transaction():
        if new.to.assignee is not None:
            # Before alerts and orders, as who deletes a person does.
            await locked_person(connection, new.to.assignee)
        if new.to.team is not None:
            # The same for who removes a team.
            await connection.execute(_LOCK_TEAM, new.to.team)
        rows = await _locked_alerts(connection, new.alerts)
        device = await get_device(connection, new.device or rows[0]["device"])
        if any(row["device_id"] != device.id for row in rows):
            raise Invalid("alerts", "all alerts of an order are of its one device")
        await _refuse_second(connection, new.alerts)
        _refuse_over(rows)
        origin = new.origin or (WorkOrigin.ALERT if rows else WorkOrigin.PERSON)
        order: int = await connection.fetchval(
            _INSERT,
            device.municipality_id,
            device.id,
            origin,
            new.plan_id,
            new.plan_day,
            rows[0]["rule"] if rows else None,
            new.severity or _worst(rows),
            title,
            step.by.principal,
            to_datetime(step.now),
        )
        await connection.execute(_ADD_ALERT, order, sorted(set(new.alerts)))
        await _told(connection, order, origin, device.municipality_id, step)
        await reckon(connection, order=order, by=by)
        if new.to != Crew():
            await assign(connection, order, new.to, step)
        return await get_order(connection, order)


def _check(new: NewOrder, title: str) -> None:
    if not new.alerts and new.device is None:
        raise Invalid("device", "name the device, or alerts of it")
    if not new.alerts and not title:
        raise Invalid("title", "say what is to be done")
    if len(title) > TITLE_LENGTH:
        raise Invalid("title", f"has at most {TITLE_LENGTH} characters")
    if len(new.alerts) > MOST_ALERTS:
        raise Invalid("alerts", f"are at most {MOST_ALERTS}")


# In one order, so that two who make orders of the same alerts never wait for each other.
_LOCK_ALERTS = """
SELECT alert.id, alert.rule, alert.severity, alert.resolved_at, alert.device_id, device.name AS device
FROM alert
INNER JOIN device ON alert.device_id = device.id
WHERE alert.id = ANY($1::bigint [])
ORDER BY alert.id
FOR NO KEY UPDATE OF alert
"""


async def _locked_alerts(connection: Connection, alerts: Sequence[int]) -> list[asyncpg.Record]:
    """Return the alerts in the order in which they are named, locked against a second order."""
    found = {row["id"]: row for row in await connection.fetch(_LOCK_ALERTS, list(alerts))}
    for alert in alerts:
        if alert not in found:
            raise AlertNotFound(alert)
    return [found[alert] for alert in alerts]


_SECOND = """
SELECT a.alert_id, a.order_id
FROM work_order_alert AS a
INNER JOIN work_order AS o ON a.order_id = o.id
WHERE a.alert_id = ANY($1::bigint []) AND o.state NOT IN ('done', 'cancelled')
ORDER BY a.alert_id
LIMIT 1
"""


async def _refuse_second(connection: Connection, alerts: Sequence[int]) -> None:
    row = await connection.fetchrow(_SECOND, list(alerts))
    if row is not None:
        alert, order = row["alert_id"], row["order_id"]
        raise Conflict(
            f"alert {alert} is in work order {order} already, which is open",
            key="conflict.alert_in_order", alert=str(alert), order=str(order),
        )  # fmt: skip


def _refuse_over(rows: Sequence[asyncpg.Record]) -> None:
    over = [row["resolved_at"] for row in rows]
    if over and all(over):
        raise Conflict(
            f"what alert {rows[0]['id']} says is over since {rfc3339(max(over))}: for other work there, "
            "name the device and say what is to be done",
            key="conflict.alert_over", alert=str(rows[0]["id"]),
        )  # fmt: skip


def _worst(rows: Sequence[asyncpg.Record]) -> Severity:
    return max((Severity(r["severity"]) for r in rows), key=lambda s: s.rank, default=Severity.MINOR)


async def _told(
    connection: Connection, order: int, origin: WorkOrigin, municipality: int, step: WorkStep
) -> None:
    at = to_datetime(step.now)
    author = step.by.principal or None
    await add_event(
        connection,
        order,
        WorkEventType.CREATED,
        author=author,
        body={"origin": origin},
        happened_at=at,
        created_at=at,
    )
    await audit.record(
        connection,
        by=step.by,
        municipality=municipality,
        action="work.create",
        subject=str(order),
        after={"origin": origin.value},
        now=step.now,
    )
    await connection.execute(NOTIFY)
