"""Whom a sweep rule leaves alone at an instant: who is worked on, who has no power by plan, and for whom its
`when` is closed.

Here is what is read from tables; whether a gate is open is for rules.context.gate to say. What of `when`
needs a reading is refused for sweep rules (rules.loading.reader).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg
import numpy as np

from devices.supply import parse_supply
from rules.context.gate import judge_gate, rests_in_maintenance
from rules.context.local_time import PlaceColumns
from rules.definition.definition import Definition, Gate
from rules.definition.families import ANY_KIND, ChildrenApart, ChildrenDown
from rules.sweeps.core import supply as supply_plan
from store.connection import Connection

# $1: whether it matters where devices stand; without, those of a municipality are one row. $2: kinds.
_PLACES = """
SELECT municipality.time_zone, municipality.weekend,
    CASE WHEN $1 AND own.placed THEN device.lat WHEN $1 THEN municipality.lat END AS lat,
    CASE WHEN $1 AND own.placed THEN device.lon WHEN $1 THEN municipality.lon END AS lon,
    array_agg(device.id) AS devices
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
CROSS JOIN LATERAL (SELECT device.lat IS NOT NULL AND device.lon IS NOT NULL AS placed) AS own
WHERE device.retired_at IS NULL AND ($2::text [] IS NULL OR device.kind = ANY($2))
GROUP BY 1, 2, 3, 4
"""


# Whoever has a plan of power, and what hangs on it, two levels down; of each place one row.
_FED = """
WITH fed AS (
    SELECT id, attributes ->> 'supply' AS supply FROM device
    WHERE attributes ? 'supply' AND retired_at IS NULL
),

below AS (
    SELECT fed.id, fed.supply, 0 AS level FROM fed
    UNION ALL
    SELECT hangs_on.device_id, fed.supply, 1 FROM fed
    INNER JOIN hangs_on ON fed.id = hangs_on.parent_id AND hangs_on.alone
    UNION ALL
    SELECT hangs_on.device_id, fed.supply, 2 FROM fed
    INNER JOIN hangs_on AS between_them ON fed.id = between_them.parent_id AND between_them.alone
    INNER JOIN hangs_on ON between_them.device_id = hangs_on.parent_id AND hangs_on.alone
),

nearest AS (SELECT DISTINCT ON (id) id, supply FROM below ORDER BY id, level)

SELECT nearest.supply, municipality.time_zone, municipality.weekend,
    CASE WHEN own.placed THEN device.lat ELSE municipality.lat END AS lat,
    CASE WHEN own.placed THEN device.lon ELSE municipality.lon END AS lon,
    array_agg(device.id) AS devices
FROM nearest
INNER JOIN device ON nearest.id = device.id
INNER JOIN municipality ON device.municipality_id = municipality.id
CROSS JOIN LATERAL (SELECT device.lat IS NOT NULL AND device.lon IS NOT NULL AS placed) AS own
GROUP BY 1, 2, 3, 4, 5
"""


async def unfed_until(connection: Connection, now: int) -> Mapping[int, int]:
    """Return until when devices without power by plan are left alone, by id (microseconds)."""
    found = await connection.fetch(_FED)
    planned = [(row, supply) for row in found if (supply := parse_supply(row["supply"])) is not None]
    if not planned:
        return {}
    rows = [row for row, _ in planned]
    until = supply_plan.resting_until([supply for _, supply in planned], _places(rows), now)
    return {device: int(until[i]) for i in np.flatnonzero(until) for device in rows[i]["devices"]}


async def resting_until(
    connection: Connection,
    definition: Definition,
    maintained: Mapping[int, int],
    unfed: Mapping[int, int],
    now: int,
) -> Mapping[int, int]:
    """Return until when a rule leaves devices alone, by id (microseconds).

    Args:
        maintained: until when devices are being worked on, see rules.maintenance.spans.
        unfed: until when they have no power by plan, see `unfed_until`.
        now: microseconds since 1970-01-01Z.
    """
    gate = definition.when
    if gate is None and not unfed:
        return maintained
    resting = dict(maintained) if rests_in_maintenance(gate) else {}
    for device, until in unfed.items():
        resting[device] = max(until, resting.get(device, until))
    if gate is None:
        return resting
    # Whoever a gate is closed for is left alone as during maintenance.
    resting |= dict.fromkeys(await _closed_for(connection, gate, _kinds(definition), now), now + 1)
    return resting


async def _closed_for(connection: Connection, gate: Gate, kinds: list[str] | None, now: int) -> list[int]:
    if gate.local_from_min is None and gate.days is None and gate.sun is None:
        return []
    rows = await connection.fetch(_PLACES, gate.sun is not None, kinds)
    closed = np.flatnonzero(judge_gate(gate, _places(rows).at(now)) != 1)
    return [device for i in closed.tolist() for device in rows[i]["devices"]]


def _places(rows: Sequence[asyncpg.Record]) -> PlaceColumns:
    return PlaceColumns.of(
        [r["time_zone"] for r in rows],
        [r["weekend"] for r in rows],
        [r["lat"] for r in rows],
        [r["lon"] for r in rows],
    )


def _kinds(definition: Definition) -> list[str] | None:
    """Return the kinds that a rule looks at, None for all."""
    if definition.kind is None:
        return None
    family = definition.sweep
    if isinstance(family, ChildrenDown) and family.of == ANY_KIND:
        return None
    return [definition.kind, *([family.of] if isinstance(family, ChildrenDown | ChildrenApart) else [])]
