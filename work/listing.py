"""Work orders as people read them: one, or a page of a list in its order. Must not know who may read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import asyncpg

from alerts.transition import Severity
from devices.instants import to_datetime
from devices.registry.errors import NotFound
from store.connection import Connection
from work.order import Verification, WorkOrder, WorkOrigin, WorkState

NOBODY = "nobody"
"""In lists: orders that are no person's and no team's."""


class ListOrder(StrEnum):
    """Which order comes first."""

    NEWEST = "newest"
    LATE = "late"
    """The one whose deadline comes or passed first, to be accepted or to be done; without one: last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFilter:
    """Which orders; all that is named applies.

    municipality, district, device, kind, rule: by name. state: one; active: those that are open, or those
    that ended. assignee: a person's name, or NOBODY. mine: number of a person: theirs, and what nobody of
    their team has accepted. overdue: a deadline has passed. words: each, or what it means
    (devices.texts.searching), in title, device, its title or district. alert: a
    number. within: only those of these municipalities; None: of all.
    """

    municipality: str | None = None
    district: str | None = None
    device: str | None = None
    kind: str | None = None
    rule: str | None = None
    state: WorkState | None = None
    active: bool | None = None
    severity: Severity | None = None
    assignee: str | None = None
    team: str | None = None
    mine: int | None = None
    overdue: bool | None = None
    words: Sequence[str] = ()
    alert: int | None = None
    within: Sequence[str] | None = None


_SELECT = """
SELECT
    o.id, municipality.name AS municipality, device.name AS device, device.kind,
    ground_feature.name AS district, o.origin, o.rule, o.severity, o.title, o.state,
    person.name AS assignee, team.name AS team, author.name AS author,
    ARRAY(SELECT a.alert_id FROM work_order_alert AS a WHERE a.order_id = o.id ORDER BY a.alert_id) AS alerts,
    o.created_at, o.response_due_at, o.repair_due_at, o.accepted_at, o.arrived_at, o.ended_at, o.reopened,
    o.verification, o.verify_until, o.verified_at, o.version, o.earlier,
    device.title AS device_title, device.titles AS device_titles,
    CASE WHEN device.municipality_id = municipality.id THEN device.lat END AS lat,
    CASE WHEN device.municipality_id = municipality.id THEN device.lon END AS lon,
    coalesce(ground_feature.title, '{}') AS district_title, coalesce(street.title, '{}') AS street_title,
    coalesce((
        SELECT alert.summary FROM work_order_alert AS a
        INNER JOIN alert ON a.alert_id = alert.id
        WHERE a.order_id = o.id
        ORDER BY a.alert_id
        LIMIT 1
    ), '{}') AS summary
FROM work_order AS o
INNER JOIN municipality ON o.municipality_id = municipality.id
INNER JOIN device ON o.device_id = device.id
INNER JOIN named_principal AS author ON o.author_id = author.id
LEFT JOIN ground_feature
    ON device.district_id = ground_feature.id AND ground_feature.municipality_id = municipality.id
LEFT JOIN ground_feature AS street
    ON device.street_id = street.id AND street.municipality_id = municipality.id
LEFT JOIN person ON o.assignee_id = person.id
LEFT JOIN team ON o.team_id = team.id
"""
_CHOSEN = (
    _SELECT  # noqa: S608 - constants
    + """
WHERE
    ($1::text IS NULL OR municipality.name = $1)
    AND ($2::text IS NULL OR ground_feature.name = $2)
    AND ($3::text IS NULL OR device.name = $3)
    AND ($4::text IS NULL OR device.kind = $4)
    AND ($5::text IS NULL OR o.rule = $5)
    AND ($6::text IS NULL OR o.state = $6)
    AND ($7::boolean IS NULL OR (o.state NOT IN ('done', 'cancelled')) = $7)
    AND ($8::text IS NULL OR o.severity = $8)
    AND ($9::text IS NULL OR person.name = $9)
    AND (NOT $10::boolean OR (o.assignee_id IS NULL AND o.team_id IS NULL))
    AND ($11::text IS NULL OR team.name = $11)
    AND (
        $12::integer IS NULL OR o.assignee_id = $12
        OR (
            o.state IN ('open', 'assigned')
            AND o.team_id IN (SELECT member.team_id FROM team_member AS member WHERE member.person_id = $12)
        )
    )
    AND (
        $13::boolean IS NULL
        OR (
            o.state NOT IN ('done', 'cancelled')
            AND (
                coalesce(o.repair_due_at <= $14, false)
                OR (o.accepted_at IS NULL AND coalesce(o.response_due_at <= $14, false))
            )
        ) = $13
    )
    AND (
        $15::text [] = '{}'
        OR concat_ws(
            ' ', o.searched, device.searched, ground_feature.searched,
            'kind:' || device.kind || '.', 'severity:' || o.severity || '.'
        ) ~ ALL($15::text [])
    )
    AND (
        $16::bigint IS NULL
        OR o.id IN (SELECT a.order_id FROM work_order_alert AS a WHERE a.alert_id = $16)
    )
    AND ($17::text [] IS NULL OR municipality.name = ANY($17))
"""
)
_NEWEST = (
    _CHOSEN
    + """
    AND ($18::bigint IS NULL OR o.id < $18)
ORDER BY o.id DESC
LIMIT $19
"""
)
_DUE = """coalesce(
    least(CASE WHEN o.accepted_at IS NULL THEN o.response_due_at END, o.repair_due_at), 'infinity'
)"""
_LATE = (
    _CHOSEN  # noqa: S608 - constants
    + f"""
    AND (
        $18::bigint IS NULL
        OR ({_DUE}, o.id) > ((SELECT {_DUE} FROM work_order AS o WHERE o.id = $18), $18)
    )
ORDER BY {_DUE}, o.id
LIMIT $19
"""  # noqa: S608 - constants
)
_LISTS: Mapping[ListOrder, str] = {ListOrder.NEWEST: _NEWEST, ListOrder.LATE: _LATE}


async def list_orders(
    connection: Connection,
    chosen: WorkFilter,
    *,
    now: int,
    order: ListOrder = ListOrder.NEWEST,
    before: int | None = None,
    limit: int = 100,
) -> list[WorkOrder]:
    """Return a page of orders.

    Args:
        order: which comes first.
        now: our time, microseconds since 1970-01-01Z; what is overdue depends on it.
        before: the last id of the page before this one.
    """
    c = chosen
    nobody = c.assignee == NOBODY
    rows = await connection.fetch(
        _LISTS[order], c.municipality, c.district, c.device, c.kind, c.rule, c.state, c.active, c.severity,
        None if nobody else c.assignee, nobody, c.team, c.mine, c.overdue, to_datetime(now), list(c.words),
        c.alert, c.within, before, limit,
    )  # fmt: skip
    return [_order(row) for row in rows]


_ONE = _SELECT + "WHERE o.id = $1"


async def get_order(connection: Connection, order: int) -> WorkOrder:
    """Return one order.

    Raises:
        NotFound: there is none of this number.
    """
    row = await connection.fetchrow(_ONE, order)
    if row is None:
        raise NotFound("work order", str(order), "`nabd work list` shows them")
    return _order(row)


_OF_ALERTS = """
SELECT DISTINCT ON (a.alert_id) a.alert_id, o.id, o.state
FROM work_order_alert AS a
INNER JOIN work_order AS o ON a.order_id = o.id
WHERE a.alert_id = ANY($1::bigint [])
ORDER BY a.alert_id, o.state IN ('done', 'cancelled'), o.id DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWork:
    """The order that an alert is in: the open one, else the newest."""

    order: int
    state: WorkState


async def work_of_alerts(connection: Connection, alerts: Collection[int]) -> dict[int, AlertWork]:
    """Return by alert the order that it is in; those that are in none are left out."""
    rows = await connection.fetch(_OF_ALERTS, list(alerts))
    return {r["alert_id"]: AlertWork(order=r["id"], state=WorkState(r["state"])) for r in rows}


_OF_TEAM = """
SELECT id FROM work_order WHERE team_id = $1 AND state NOT IN ('done', 'cancelled') ORDER BY id
"""


async def open_orders_of_team(connection: Connection, team: int) -> list[int]:
    """Return the open orders of a team, by number."""
    return [row["id"] for row in await connection.fetch(_OF_TEAM, team)]


Deadline = Literal["response", "repair"]


def overdue(order: WorkOrder, now: int) -> list[Deadline]:
    """Return which deadlines an open order has missed. Pure."""
    if order.state in (WorkState.DONE, WorkState.CANCELLED):
        return []
    at = to_datetime(now)
    response = order.accepted_at is None and order.response_due_at is not None and order.response_due_at <= at
    repair = order.repair_due_at is not None and order.repair_due_at <= at
    missed: list[tuple[Deadline, bool]] = [("response", response), ("repair", repair)]
    return [name for name, is_missed in missed if is_missed]


def _order(row: asyncpg.Record) -> WorkOrder:
    verification = row["verification"]
    return WorkOrder(
        **{
            **dict(row),
            "origin": WorkOrigin(row["origin"]),
            "severity": Severity(row["severity"]),
            "state": WorkState(row["state"]),
            "verification": None if verification is None else Verification(verification),
        }
    )
