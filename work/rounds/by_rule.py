"""Orders that rules ask for: made of alerts by the platform, in municipalities that want it.

A rule says so in its text (`work: {make: true}`); a municipality says from when on. An alert that another one
explains, that is silenced, or whose device is being worked on already, makes none. Must not know how rules
are written.
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial

import structlog

from alerts.silences import silenced
from alerts.transition import Severity
from devices.instants import to_datetime
from devices.registry.errors import RegistryError
from devices.registry.registry import get_municipality
from store import audit
from store.audit import PLATFORM, Actor
from store.connection import Connection
from work.attempts import Attempts
from work.change import WorkStep
from work.clocks.deadlines import DeadlineTerms, deadline_terms
from work.order import WorkOrigin
from work.orders import MOST_ALERTS, NewOrder, make

log = structlog.get_logger(__name__)

AT_ONCE = 100
"""Orders that are made in one round, at most."""
PAGE = 500
"""Alerts that are read in one statement."""

_SINCE = "SELECT since FROM work_by_rule WHERE municipality_id = $1"
_LOCK = "LOCK TABLE work_by_rule IN SHARE ROW EXCLUSIVE MODE"
_ON = """
INSERT INTO work_by_rule (municipality_id, since, author_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
"""
_OFF = "DELETE FROM work_by_rule WHERE municipality_id = $1"


async def is_on(connection: Connection, municipality: str) -> bool:
    """Tell whether rules make orders in a municipality.

    Raises:
        NotFound: there is no such municipality.
    """
    town = await get_municipality(connection, municipality)
    return await connection.fetchval(_SINCE, town.id) is not None


async def switch(connection: Connection, municipality: str, *, on: bool, by: Actor, now: int) -> bool:
    """Let rules make orders in a municipality, of alerts from now on, or no more; return whether that is new.

    Args:
        now: microseconds since 1970-01-01Z.

    Raises:
        NotFound: there is no such municipality.
    """
    town = await get_municipality(connection, municipality)
    async with connection.transaction():
        await connection.execute(_LOCK)
        was_on = await connection.fetchval(_SINCE, town.id) is not None
        if was_on is on:
            return False
        if on:
            await connection.execute(_ON, town.id, to_datetime(now), by.principal)
        else:
            await connection.execute(_OFF, town.id)
        await audit.record(
            connection,
            by=by,
            municipality=town.id,
            action="work.by-rule",
            subject=municipality,
            before={"on": was_on},
            after={"on": on},
            now=now,
        )
    return True


# While an order of the device is open its new alerts are added to it; to preventive work once it has begun.
_WANTED = """
SELECT alert.id, alert.device_id
FROM alert
INNER JOIN rule ON alert.rule = rule.id AND alert.rule_version = rule.version
INNER JOIN device ON alert.device_id = device.id
INNER JOIN work_by_rule AS wanted ON device.municipality_id = wanted.municipality_id
WHERE alert.state = 'firing' AND rule.work_from IS NOT NULL AND alert.id > $4
    AND array_position($2::text [], alert.severity) >= array_position($2::text [], rule.work_from)
    AND alert.detected_at >= wanted.since
    AND alert.inhibited_by IS NULL AND (alert.held_until IS NULL OR alert.held_until <= $1)
    AND NOT EXISTS (SELECT FROM work_order_alert AS a WHERE a.alert_id = alert.id)
    AND NOT EXISTS (
        SELECT FROM work_order AS o
        WHERE o.device_id = alert.device_id AND o.municipality_id = device.municipality_id
            AND o.state NOT IN ('done', 'cancelled')
            AND (o.origin <> 'plan' OR o.state IN ('on-the-way', 'in-progress'))
    )
ORDER BY alert.id
LIMIT $3
"""
_BY_RANK = [severity.value for severity in sorted(Severity, key=lambda severity: severity.rank)]


async def make_orders(connection: Connection, now: int, attempts: Attempts | None = None) -> list[int]:
    """Make orders of alerts whose rules ask for them, one a device, and return their numbers.

    Each in a transaction of its own: one that fails does not stop the others.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    of_device = await _wanted(connection, now)
    if not of_device:
        return []
    attempts, by, made = attempts or Attempts(), await deadline_terms(connection), []
    for alerts in of_device[:AT_ONCE]:
        act = partial(_make, connection, alerts[:MOST_ALERTS], by, now)
        made.append(await attempts.attempt("make by rule", alerts[0], now, act))
    return [order for order in made if order is not None]


async def _wanted(connection: Connection, now: int) -> list[list[int]]:
    """Return alerts of which orders are to be made, by device; silenced ones stand in nobody's way."""
    of_device: defaultdict[int, list[int]] = defaultdict(list)
    after = 0
    while len(of_device) < AT_ONCE:
        rows = await connection.fetch(_WANTED, to_datetime(now), _BY_RANK, PAGE, after)
        quiet = await silenced(connection, [row["id"] for row in rows], now) if rows else {}
        for row in rows:
            if row["id"] not in quiet:
                of_device[row["device_id"]].append(row["id"])
        if len(rows) < PAGE:
            break
        after = rows[-1]["id"]
    return list(of_device.values())


async def _make(connection: Connection, alerts: list[int], by: DeadlineTerms, now: int) -> int | None:
    try:
        new = NewOrder(alerts=alerts, origin=WorkOrigin.RULE)
        return (await make(connection, new, WorkStep(by=PLATFORM, now=now), by)).id
    except RegistryError as refused:  # somebody made one meanwhile
        log.info("no order was made by rule", alerts=alerts, why=str(refused))
        return None
