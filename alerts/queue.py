"""Alerts for people: list, get one, comment.

Acknowledging stands in alerts.acknowledgement. A person never changes a condition: alerts open and resolve by
readings (record).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from alerts.listing import DUE, AlertFilter, AlertOrder, choose
from alerts.transition import ConditionState, Severity
from devices.instants import to_datetime
from store import audit
from store.audit import Actor
from store.connection import Connection


class AlertNotFound(LookupError):
    """No alert has this id."""

    def __init__(self, alert_id: int) -> None:
        super().__init__(f"no alert {alert_id}")
        self.alert_id = alert_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of one rule on one device.

    family: what the rule is called to judge: "silent" says that the device itself was not heard of,
    "external" that another system says so (alerts.external). district: code of the one in which the device
    stands now, lat, lon: where it was put; None where that is in another municipality than the alert.
    district_title, street: names by language. parent: what feeds the device. work_due: when its open work
    order is to be accepted, or done.
    opened_at, resolved_at: the device's time; detected_at: our time when it was stored. unknown: still
    firing, but its device is silent, so it cannot be told whether it still holds. inhibited_by: the open
    alert that explains this one, so that nobody is called for this one. held_until: our time until which such
    an alert may still open; None where no rule explains this one's. suppress_by: rules whose open alert
    explains this one. labels: the rule's own names for its values. summary: by language, as of the last
    change of severity; template: the rule's, to render it anew. first: evidence of the beginning, None where
    its transition is gone. newest: what the device measured since, None where it has not or the alert has
    ended; newest_quality: its quality bits. runbook: what to do, by language. assigned_to,
    assignee: whose work it is: name of a person, and as others see it.
    """

    id: int
    rule: str
    rule_version: int
    family: str
    device: str
    device_title: str
    device_titles: Mapping[str, str]
    kind: str
    municipality: str
    district: str | None
    district_title: Mapping[str, str] | None
    street: Mapping[str, str] | None
    parent: str | None
    lat: float | None
    lon: float | None
    work_due: datetime | None
    state: Literal["firing", "resolved"]
    severity: Severity
    opened_at: datetime
    detected_at: datetime
    resolved_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    assigned_to: str | None
    assignee: str | None
    summary: Mapping[str, str]
    evidence: Mapping[str, Any]
    template: Mapping[str, str]
    first: Mapping[str, Any] | None
    newest: Mapping[str, Any] | None
    newest_quality: int | None
    runbook: Mapping[str, str]
    unknown: bool
    inhibited_by: int | None
    held_until: datetime | None
    suppress_by: Sequence[str]
    labels: Mapping[str, Mapping[str, str]]


# A device is silent while an alert of a rule of family `silent` is open; that alert is never unknown, nor is
# one that another system holds.
_SELECT = f"""
SELECT alert.id, alert.rule, alert.rule_version, rule.family, device.name AS device,
    coalesce(nullif(device.title, ''), device.name) AS device_title, device.titles AS device_titles,
    device.kind,
    municipality.name AS municipality, ground_feature.name AS district,
    ground_feature.title AS district_title, street.title AS street, feeder.name AS parent,
    CASE WHEN device.municipality_id = municipality.id THEN device.lat END AS lat,
    CASE WHEN device.municipality_id = municipality.id THEN device.lon END AS lon,
    ({DUE}) AS work_due,
    alert.state, alert.severity, alert.opened_at, alert.detected_at,
    alert.resolved_at, alert.acknowledged_at, acknowledger.name AS acknowledged_by,
    person.name AS assigned_to, coalesce(nullif(person.display_name, ''), person.name) AS assignee,
    alert.summary, alert.evidence, coalesce(rule.definition -> 'summary', '{{}}') AS template,
    beginning.evidence AS first, newest.measurements AS newest, newest.quality AS newest_quality,
    coalesce(rule.definition -> 'runbook', '{{}}') AS runbook,
    alert.state = 'firing' AND rule.family NOT IN ('silent', 'external') AND EXISTS (
        SELECT FROM alert AS other
        JOIN rule AS silent ON silent.id = other.rule AND silent.version = other.rule_version
        WHERE other.device_id = alert.device_id AND other.state = 'firing' AND silent.family = 'silent'
    ) AS unknown,
    CASE WHEN alert.state = 'firing' THEN alert.inhibited_by END AS inhibited_by, alert.held_until,
    rule.suppress_by, rule.labels
FROM alert
JOIN rule ON rule.id = alert.rule AND rule.version = alert.rule_version
JOIN device ON device.id = alert.device_id
LEFT JOIN named_principal AS acknowledger ON acknowledger.id = alert.acknowledger_id
LEFT JOIN person ON person.id = alert.assignee_id
LEFT JOIN latest AS newest ON newest.device_id = alert.device_id AND newest.observed_at > alert.opened_at
    AND alert.state = 'firing' AND rule.family = 'stream'
LEFT JOIN LATERAL (
    SELECT evidence FROM transition WHERE transition.alert_id = alert.id ORDER BY transition.id LIMIT 1
) AS beginning ON true
LEFT JOIN municipality ON municipality.id = CASE
    WHEN device.moved_at > alert.opened_at THEN municipality_at(device, alert.opened_at)
    ELSE device.municipality_id
END
LEFT JOIN ground_feature
    ON ground_feature.id = device.district_id AND ground_feature.municipality_id = municipality.id
LEFT JOIN ground_feature AS street
    ON street.id = device.street_id AND street.municipality_id = municipality.id
LEFT JOIN device AS feeder ON feeder.id = device.parent_id
"""  # noqa: S608 - constants

GET_ALERTS = _SELECT + "WHERE alert.id = ANY($1::bigint [])"

COMMENT = """
WITH noted AS (
    INSERT INTO alert_note (alert_id, type, author_id, body, created_at)
    SELECT id, 'comment', $3, $4, $2 FROM alert WHERE id = $1
    RETURNING id
)
SELECT id, pg_notify('nabd_alert', '') FROM noted
"""


_MUNICIPALITY = """
SELECT municipality_at(device, alert.opened_at)
FROM alert
INNER JOIN device ON alert.device_id = device.id
WHERE alert.id = $1
"""


async def list_page(
    connection: Connection,
    wanted: AlertFilter,
    *,
    order: AlertOrder = AlertOrder.NEWEST,
    before: int | None = None,
    limit: int = 100,
    now: int = 0,
) -> list[Alert]:
    """Return a page of alerts in their order; `before` is the last number of the page before this one.

    `now`: our time, microseconds since 1970-01-01Z; what is silenced depends on it.
    """
    numbers = await choose(connection, wanted, order=order, past=before, limit=limit, now=now)
    found = {alert.id: alert for alert in await get_alerts(connection, numbers)}
    return [found[number] for number in numbers if number in found]


async def list_alerts(
    connection: Connection, *, before: int | None = None, limit: int = 100, now: int = 0, **wanted: Any
) -> list[Alert]:
    """Return a page of alerts, newest first; `wanted` are members of alerts.listing.AlertFilter."""
    return await list_page(connection, AlertFilter(**wanted), before=before, limit=limit, now=now)


async def get_alert(connection: Connection, alert_id: int) -> Alert | None:
    """Return one alert, or None when there is none with this id."""
    found = await get_alerts(connection, [alert_id])
    return found[0] if found else None


async def get_alerts(connection: Connection, alert_ids: Iterable[int]) -> list[Alert]:
    """Return those of the alerts that there are, in no order."""
    return [_alert(row) for row in await connection.fetch(GET_ALERTS, list(alert_ids))]


async def comment(connection: Connection, alert_id: int, *, by: Actor, body: str, now: int) -> int:
    """Add a comment and return its event id.

    The audit has the number of the event only: what people write may name people.

    Raises:
        AlertNotFound: no alert has this id.
    """
    async with connection.transaction():
        note = await connection.fetchrow(COMMENT, alert_id, to_datetime(now), by.principal, body)
        if note is None:
            raise AlertNotFound(alert_id)
        await audit.record(
            connection,
            by=by,
            municipality=await connection.fetchval(_MUNICIPALITY, alert_id),
            action="alert.comment",
            subject=str(alert_id),
            after={"event": note["id"]},
            now=now,
        )
    return int(note["id"])


def _alert(row: asyncpg.Record) -> Alert:
    values = dict(row)
    values["severity"] = Severity(values["severity"])
    values["state"] = str(ConditionState(values["state"]))
    return Alert(**values)
