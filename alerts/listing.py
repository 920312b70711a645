"""Which alerts somebody wants to see, in which order, and how many there are.

Must not know what is said of an alert (alerts.queue).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from alerts.silences import COVERED
from alerts.transition import Severity
from devices.instants import to_datetime
from store.connection import Connection

NOBODY = "nobody"
"""In lists: alerts that are no person's work."""


class AlertOrder(StrEnum):
    """Which alert comes first."""

    NEWEST = "newest"
    OLDEST = "oldest"
    WORST = "worst"
    """Then the newest; those that another open alert explains come last."""
    DEADLINE = "deadline"
    """The one whose work is due soonest; those without a deadline come last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts; None: whatever it is.

    within: only those of these municipalities. silenced: only open ones that somebody silences at `now`, or
    only others. assigned_to: only those of a person, or of NOBODY; assignee_id: the same by number. team: of
    one of its members, or in an open work order of it. words: each, or what it means
    (devices.texts.searching), stands in the sentence, the device, the district, the street, the kind, the
    rule or the severity, or is its number. since, until: those that were open then, until not included.
    """

    state: Literal["firing", "resolved"] | None = None
    severity: Severity | None = None
    device: str | None = None
    kind: str | None = None
    municipality: str | None = None
    district: str | None = None
    within: Sequence[str] | None = None
    silenced: bool | None = None
    assigned_to: str | None = None
    assignee_id: int | None = None
    rule: str | None = None
    acknowledged: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    team: str | None = None
    words: Sequence[str] = ()


_SAID = (
    "concat_ws(' ', alert.searched, device.searched, ground_feature.searched, street.searched,"
    " 'kind:' || device.kind || '.', 'severity:' || alert.severity || '.', alert.id)"
)
_CHOSEN = f"""
FROM alert
JOIN device ON device.id = alert.device_id
LEFT JOIN municipality ON municipality.id = CASE
    WHEN device.moved_at > alert.opened_at THEN municipality_at(device, alert.opened_at)
    ELSE device.municipality_id
END
LEFT JOIN ground_feature
    ON ground_feature.id = device.district_id AND ground_feature.municipality_id = municipality.id
LEFT JOIN ground_feature AS street
    ON street.id = device.street_id AND street.municipality_id = municipality.id
WHERE ($1::text IS NULL OR alert.state = $1)
    AND ($2::text IS NULL OR alert.severity = $2)
    AND ($3::text IS NULL OR device.name = $3)
    AND ($4::text IS NULL OR device.kind = $4)
    AND ($5::text IS NULL OR municipality.name = $5)
    AND ($6::text IS NULL OR ground_feature.name = $6)
    AND ($7::text [] IS NULL OR municipality.name = ANY($7))
    AND ($8::boolean IS NULL OR $8 = (alert.state = 'firing' AND {COVERED.format(at="$9")}))
    AND ($10::text IS NULL OR alert.assignee_id = (SELECT person.id FROM person WHERE person.name = $10))
    AND ($11::integer IS NULL OR alert.assignee_id = $11)
    AND ($12::boolean IS FALSE OR alert.assignee_id IS NULL)
    AND ($13::text IS NULL OR alert.rule = $13)
    AND ($14::boolean IS NULL OR $14 = (alert.acknowledged_at IS NOT NULL))
    AND ($15::timestamptz IS NULL OR coalesce(alert.resolved_at >= $15, true))
    AND ($16::timestamptz IS NULL OR alert.opened_at < $16)
    AND ($17::text IS NULL OR EXISTS (
        SELECT FROM team
        WHERE team.name = $17 AND (
            EXISTS (
                SELECT FROM team_member AS member
                WHERE member.team_id = team.id AND member.person_id = alert.assignee_id
            )
            OR EXISTS (
                SELECT FROM work_order_alert AS a
                JOIN work_order AS o ON o.id = a.order_id
                WHERE a.alert_id = alert.id AND o.team_id = team.id AND o.state NOT IN ('done', 'cancelled')
            )
        )
    ))
    AND ($18::text [] = '{{}}' OR {_SAID} ~ ALL($18::text []))
"""  # noqa: S608 - all parts are constants

DUE = """
SELECT min(least(CASE WHEN o.accepted_at IS NULL THEN o.response_due_at END, o.repair_due_at))
FROM work_order_alert AS a
JOIN work_order AS o ON o.id = a.order_id
WHERE a.alert_id = alert.id AND o.state NOT IN ('done', 'cancelled')
"""
"""When the work of `alert` is due: to be accepted, or to be done."""

_KEYS: Mapping[AlertOrder, str] = {
    AlertOrder.OLDEST: "extract(epoch FROM alert.opened_at)",
    AlertOrder.WORST: (
        "ARRAY[(alert.state = 'firing' AND alert.inhibited_by IS NOT NULL)::integer,"
        " array_position(ARRAY['critical', 'major', 'minor', 'warning'], alert.severity),"
        " - extract(epoch FROM alert.opened_at)]"
    ),
    AlertOrder.DEADLINE: f"coalesce(extract(epoch FROM ({DUE})), 'infinity')",
}
"""By which an order sorts, ascending; equal ones by their number."""
_NEWEST = f"""
SELECT alert.id {_CHOSEN}
    AND ($19::bigint IS NULL OR alert.id < $19)
ORDER BY alert.id DESC
LIMIT $20
"""
_LISTS: Mapping[AlertOrder, str] = {AlertOrder.NEWEST: _NEWEST} | {
    order: f"""
SELECT alert.id {_CHOSEN}
    AND ($19::bigint IS NULL OR ({key}, alert.id) > ((SELECT {key} FROM alert WHERE alert.id = $19), $19))
ORDER BY {key}, alert.id
LIMIT $20
"""  # noqa: S608 - constants
    for order, key in _KEYS.items()
}


async def choose(
    connection: Connection,
    chosen: AlertFilter,
    *,
    order: AlertOrder = AlertOrder.NEWEST,
    past: int | None = None,
    limit: int = 100,
    now: int = 0,
) -> list[int]:
    """Return the numbers of a page of alerts in their order.

    Args:
        past: the last number of the page before this one.
        now: our time, microseconds since 1970-01-01Z; what is silenced depends on it.
    """
    rows = await connection.fetch(_LISTS[order], *_arguments(chosen, now), past, limit)
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCount:
    """How many alerts have all of this. unseen: of them, those that nobody has acknowledged or need not."""

    severity: Severity
    kind: str
    rule: str
    municipality: str
    district: str | None
    district_title: Mapping[str, str] | None
    alerts: int
    unseen: int


_COUNTS = f"""
SELECT alert.severity, device.kind, alert.rule, municipality.name AS municipality,
    ground_feature.name AS district, ground_feature.title AS district_title, count(*) AS alerts,
    count(*) FILTER (
        WHERE alert.state = 'firing' AND alert.acknowledged_at IS NULL AND alert.inhibited_by IS NULL
    ) AS unseen
{_CHOSEN}
GROUP BY 1, 2, 3, 4, 5, 6
ORDER BY 1, 2, 3, 4, 5
"""


async def count(connection: Connection, chosen: AlertFilter, *, now: int) -> list[AlertCount]:
    """Return how many alerts there are, by all that the desk filters by."""
    rows = await connection.fetch(_COUNTS, *_arguments(chosen, now))
    return [AlertCount(**{**row, "severity": Severity(row["severity"])}) for row in rows]


def _arguments(chosen: AlertFilter, now: int) -> tuple[object, ...]:
    c = chosen
    nobody = c.assigned_to == NOBODY
    return (
        c.state, c.severity, c.device, c.kind, c.municipality, c.district, c.within, c.silenced,
        to_datetime(now), None if nobody else c.assigned_to, c.assignee_id, nobody, c.rule, c.acknowledged,
        c.since, c.until, c.team, list(c.words),
    )  # fmt: skip
