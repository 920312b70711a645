"""Routing as the database has it: loaded whole, and again only after a change.

The tables are small, so that all of it is a few queries. Must not decide who is told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from alerts.transition import Severity
from devices.instants import to_microseconds
from devices.registry.registry import get_device
from devices.time_zones import zone_named
from notify.facts import AlertFacts
from notify.routing.layers import deciding
from notify.routing.local_clock import LocalCalendar, LocalSpan
from notify.routing.receiver import QuietHours, Receiver
from notify.routing.rotation import OnCallOverride, OnCallRota
from notify.routing.route import Route
from notify.routing.route_reader import RoutesRefused, read_routes
from notify.routing.routing import NOWHERE, Routing
from people.browsers.subscriptions import address_of
from people.contact_settings import BROWSERS, addresses, minute_of
from people.identity import Grant, of_texts
from store.connection import Connection

log = structlog.get_logger(__name__)

DEFAULT = Path(__file__).with_name("default.yaml")

# Rows that are changed have a version; rows that are only added and deleted have a count and a last id.
_GENERATION = """
SELECT concat_ws(
    '.',
    (SELECT max(version) FROM route_document),
    (SELECT concat_ws('-', sum(version), count(*), max(id)) FROM person),
    (SELECT concat_ws('-', sum(version), count(*), max(id)) FROM team),
    (SELECT concat_ws('-', sum(version), count(*), max(id)) FROM on_call_schedule),
    (SELECT concat_ws('-', count(*), max(id)) FROM on_call_override),
    (SELECT concat_ws('-', count(*), max(id)) FROM push_subscription),
    (SELECT concat_ws('-', count(*), count(*) FILTER (WHERE active)) FROM rule),
    (SELECT md5(string_agg(concat_ws(' ', name, time_zone, weekend), ',' ORDER BY id)) FROM municipality)
)
"""


async def generation(connection: Connection) -> str:
    """Return a text that differs after every change of what decides who is told."""
    found: str = await connection.fetchval(_GENERATION)
    return found


async def reload(connection: Connection, routing: Routing) -> Routing:
    """Return routing as it is now: the same object where nothing has changed. One query then."""
    return routing if await generation(connection) == routing.generation else await load(connection)


async def load(connection: Connection) -> Routing:
    """Return routing as it is now."""
    # First: what changes meanwhile is loaded again.
    number = await generation(connection)
    calendars = await _calendars(connection)
    return Routing(
        generation=number,
        routes=await _routes(connection),
        receivers=await _receivers(connection, calendars),
        teams=await _teams(connection),
        schedules=await _schedules(connection, calendars),
        calendars=calendars,
        rule_routes={row["id"]: row["route"] for row in await connection.fetch(_RULE_ROUTES)},
    )


_RULE_ROUTES = """
SELECT id, definition ->> 'route' AS route FROM rule WHERE active AND definition ->> 'route' <> ''
"""
_NEWEST = "SELECT version, document FROM route_document ORDER BY version DESC LIMIT 1"


async def _routes(connection: Connection) -> Route:
    row = await connection.fetchrow(_NEWEST)
    if row is not None:
        try:
            return read_routes(row["document"])
        except RoutesRefused as refused:
            log.error("the routes cannot be read any more: the default ones count",  # noqa: TRY400
                      version=row["version"], reason=str(refused))  # fmt: skip
    return read_routes(DEFAULT.read_text(encoding="utf-8"))


_CALENDARS = "SELECT name, time_zone, weekend FROM municipality ORDER BY id"


async def _calendars(connection: Connection) -> dict[str, LocalCalendar]:
    rows = await connection.fetch(_CALENDARS)
    return {
        row["name"]: LocalCalendar(zone=zone_named(row["time_zone"]), weekend=frozenset(row["weekend"]))
        for row in rows
    }


_RECEIVERS = """
SELECT
    p.id, p.name, p.display_name, p.language, p.email, p.phone, p.channels, p.steps, p.quiet_hours,
    ARRAY(
        SELECT concat_ws('@', g.role, m.name)
        FROM membership AS g
        LEFT JOIN municipality AS m ON g.municipality_id = m.id
        WHERE g.person_id = p.id
    ) AS grants,
    ARRAY(SELECT b.id FROM push_subscription AS b WHERE b.person_id = p.id ORDER BY b.id) AS browsers
FROM person AS p
WHERE p.disabled_at IS NULL
ORDER BY p.name
"""


async def _receivers(connection: Connection, calendars: Mapping[str, LocalCalendar]) -> dict[int, Receiver]:
    usual = Counter(calendar.zone.key for calendar in calendars.values()).most_common(1)
    zone = usual[0][0] if usual else NOWHERE.zone.key
    rows = await connection.fetch(_RECEIVERS)
    return {row["id"]: _receiver(row, calendars, zone) for row in rows}


def _receiver(row: asyncpg.Record, calendars: Mapping[str, LocalCalendar], usual_zone: str) -> Receiver:
    grants: frozenset[Grant] = of_texts(row["grants"])
    towns = sorted(g.municipality for g in grants if g.municipality)
    return Receiver(
        id=row["id"],
        name=row["name"],
        display_name=row["display_name"] or row["name"],
        language=row["language"],
        time_zone=calendars[towns[0]].zone.key if towns else usual_zone,
        grants=grants,
        addresses=_addresses(row),
        steps=tuple((step["channel"], float(step["after_s"])) for step in row["steps"]),
        quiet_hours=tuple(map(_quiet, row["quiet_hours"])),
    )


def _addresses(row: asyncpg.Record) -> dict[str, tuple[str, ...]]:
    found = addresses(row["email"], row["phone"], row["channels"])
    if row["browsers"]:
        found[BROWSERS] = tuple(map(address_of, row["browsers"]))
    return found


def _quiet(span: Mapping[str, str]) -> QuietHours:
    return QuietHours(
        span=LocalSpan(start_min=minute_of(span["from"]) or 0, end_min=minute_of(span["until"]) or 0),
        below=Severity(span["below"]),
    )


_TEAMS = """
SELECT t.name, ARRAY(SELECT m.person_id FROM team_member AS m WHERE m.team_id = t.id ORDER BY 1) AS members
FROM team AS t
"""


async def _teams(connection: Connection) -> dict[str, tuple[int, ...]]:
    return {row["name"]: tuple(row["members"]) for row in await connection.fetch(_TEAMS)}


_SCHEDULES = """
SELECT s.id, s.name, s.time_zone, s.layers, m.name AS municipality
FROM on_call_schedule AS s
LEFT JOIN municipality AS m ON s.municipality_id = m.id
"""
_OVERRIDES = "SELECT id, schedule_id, person_id, from_at, until_at FROM on_call_override"


async def _schedules(connection: Connection, calendars: Mapping[str, LocalCalendar]) -> dict[str, OnCallRota]:
    overrides: dict[int, list[OnCallOverride]] = defaultdict(list)
    for row in await connection.fetch(_OVERRIDES):
        overrides[row["schedule_id"]].append(override_of(row))
    found = {}
    for row in await connection.fetch(_SCHEDULES):
        town = calendars.get(row["municipality"] or "", NOWHERE)
        found[row["name"]] = rota_of(row["layers"], row["time_zone"], town, overrides[row["id"]])
    return found


def rota_of(
    layers: list[Mapping[str, Any]],
    time_zone: str | None,
    town: LocalCalendar,
    overrides: list[OnCallOverride],
) -> OnCallRota:
    """Return a schedule as it decides.

    Args:
        layers: as stored.
        time_zone: its own; None: that of the municipality.
        town: the municipality's clock and weekend.
    """
    zone = town.zone if time_zone is None else zone_named(time_zone)
    return OnCallRota(
        calendar=LocalCalendar(zone=zone, weekend=town.weekend),
        layers=tuple(map(deciding, layers)),
        overrides=tuple(overrides),
    )


def override_of(row: asyncpg.Record) -> OnCallOverride:
    """Return a stored override as it decides."""
    return OnCallOverride(
        id=row["id"],
        person=row["person_id"],
        from_at=to_microseconds(row["from_at"]),
        until_at=to_microseconds(row["until_at"]),
    )


async def facts_of(connection: Connection, device: str, severity: Severity, rule: str) -> AlertFacts:
    """Return what routes would see of an alert of a device.

    Raises:
        NotFound: there is no such device.
    """
    found = await get_device(connection, device)
    return AlertFacts(
        municipality=found.municipality,
        kind=found.kind,
        severity=severity,
        rule=rule,
        device=found.name,
        district=found.district,
    )
