"""Maintenance windows: spans of event time in which rules do not look at a device.

Must not know how rules are evaluated: only which devices are worked on, and when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.instants import to_datetime, to_microseconds
from devices.registry.columns import DeviceColumns, columns_of
from devices.registry.generation import advance
from devices.registry.registry import Device, Registry
from devices.registry.relays import above
from devices.wire.topics import GATEWAY
from store import audit
from store.audit import Actor
from store.connection import Connection

Spans = Mapping[int, Sequence[tuple[int, int]]]
"""By device id: from and until, microseconds; the end is not included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """One window over a municipality, or over a device and everything below it."""

    id: int
    municipality_id: int | None
    device_id: int | None
    from_at: datetime
    until_at: datetime
    reason: str
    author: str


_WINDOWS = """
SELECT w.id, w.municipality_id, w.device_id, w.from_at, w.until_at, w.reason, author.name AS author
FROM maintenance_window AS w
INNER JOIN named_principal AS author ON w.author_id = author.id
LEFT JOIN maintenance_plan AS p ON w.plan_id = p.id
WHERE $1 OR p.id IS NULL OR w.until_at > p.windows_until - interval '50 days'
ORDER BY w.from_at, w.id
"""
# A plan's windows are made 8 to 15 days ahead, so these are those of the last five weeks at least.


async def windows(connection: Connection, *, ever: bool = True) -> list[MaintenanceWindow]:
    """Return every window, oldest first; without `ever` only the newer ones of those that come again."""
    return [MaintenanceWindow(**row) for row in await connection.fetch(_WINDOWS, ever)]


_PLAN = """
INSERT INTO maintenance_window
    (municipality_id, device_id, from_at, until_at, reason, author_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
RETURNING id
"""


async def plan(
    connection: Connection,
    *,
    from_at: datetime,
    until_at: datetime,
    reason: str,
    by: Actor,
    now: int,
    municipality_id: int | None = None,
    device_id: int | None = None,
) -> int:
    """Add a window over a municipality or a device and advance the generation; return its id.

    Args:
        until_at: not included; after `from_at`.
        now: microseconds since 1970-01-01Z.
    """
    async with connection.transaction():
        window: int = await connection.fetchval(
            _PLAN, municipality_id, device_id, from_at, until_at, reason, by.principal, to_datetime(now)
        )
        after = {"device_id": device_id, "from_at": from_at, "until_at": until_at, "reason": reason}
        await record(connection, window, "plan", by=by, after=after, now=now)
        await advance(connection)
    return window


_MUNICIPALITY = """
SELECT coalesce(w.municipality_id, d.municipality_id)
FROM maintenance_window AS w
LEFT JOIN device AS d ON w.device_id = d.id
WHERE w.id = $1
"""


async def record(
    connection: Connection,
    window: int,
    verb: str,
    *,
    by: Actor,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: int,
) -> None:
    """Record a change of a window in the audit, while its row is there."""
    await audit.record(
        connection,
        by=by,
        municipality=await connection.fetchval(_MUNICIPALITY, window),
        action=f"maintenance.{verb}",
        subject=str(window),
        before=before,
        after=after,
        now=now,
    )


async def spans(connection: Connection, registry: Registry, *, ever: bool = False) -> Spans:
    """Return the windows of every device, those of its municipality and of its ancestors included.

    ever: of windows that come again those of more than five weeks ago too, which rules that judge what
    arrives now need not keep for every device.
    """
    by_municipality: dict[int, list[tuple[int, int]]] = defaultdict(list)
    by_device: dict[int | None, list[tuple[int, int]]] = defaultdict(list)
    for w in await windows(connection, ever=ever):
        span = to_microseconds(w.from_at), to_microseconds(w.until_at)
        if w.municipality_id is None:
            by_device[w.device_id].append(span)
        else:
            by_municipality[w.municipality_id].append(span)
    columns = columns_of(registry)
    found: dict[int, Sequence[tuple[int, int]]] = {}
    for town, own in by_municipality.items():
        of_town = sorted(own)
        ids = columns.ids[columns.municipality_id == town]
        found.update(dict.fromkeys(ids.tolist(), of_town))
    for device_id in columns.ids[_below(registry, columns, by_device)].tolist():
        more = [
            span
            for one in _and_above(registry.devices[device_id], registry)
            for span in by_device.get(one, ())
        ]
        if more:
            found[device_id] = sorted([*found.get(device_id, ()), *more])
    return found


def _below(registry: Registry, columns: DeviceColumns, device_ids: Iterable[int | None]) -> NDArray[np.intp]:
    """Return the rows of devices and of all that might hang on them."""
    known = np.zeros(len(columns.ids), dtype=np.bool_)
    ids = np.array([one for one in device_ids if one in registry.devices], dtype=np.int32)
    news = columns.find(ids)
    while len(news):
        known[news] = True
        fed = np.isin(columns.parent_id, columns.ids[news])
        above = [registry.devices[one] for one in columns.ids[news].tolist()]
        if gateways := {device.name for device in above if device.kind == GATEWAY}:
            fed[[row for row, names in columns.relays.items() if not gateways.isdisjoint(names)]] = True
        news = np.flatnonzero(fed & ~known)
    return np.flatnonzero(known)


_OF_DEVICE = """
WITH RECURSIVE above AS (
    SELECT $1::integer AS id
    UNION
    SELECT hangs_on.parent_id
    FROM above
    INNER JOIN hangs_on ON above.id = hangs_on.device_id
    WHERE hangs_on.alone
)

SELECT w.from_at, w.until_at
FROM maintenance_window AS w
WHERE
    w.device_id IN (SELECT id FROM above)
    OR w.municipality_id = (SELECT municipality_id FROM device WHERE id = $1)
ORDER BY w.from_at
"""


async def of_device(connection: Connection, device_id: int) -> Spans:
    """Return what `spans` says of one device, without the registry."""
    rows = await connection.fetch(_OF_DEVICE, device_id)
    own = [(to_microseconds(row["from_at"]), to_microseconds(row["until_at"])) for row in rows]
    return {device_id: own} if own else {}


# Windows that ended lately are returned too: rules that wait for something begin to wait at their end.
_RESTING = """
WITH RECURSIVE near AS (
    SELECT municipality_id, device_id, until_at FROM maintenance_window
    WHERE from_at <= $1 AND until_at > $1 - interval '1 day'
),

below AS (
    SELECT device.id, near.until_at, 0 AS depth
    FROM near
    INNER JOIN device ON near.device_id = device.id OR near.municipality_id = device.municipality_id
    UNION ALL
    SELECT hangs_on.device_id, below.until_at, below.depth + 1
    FROM below
    INNER JOIN hangs_on ON below.id = hangs_on.parent_id
    WHERE below.depth < 4 AND hangs_on.alone
)

SELECT id, max(until_at) AS until_at FROM below GROUP BY id
"""


async def under_maintenance(connection: Connection, now: int) -> dict[int, int]:
    """Return until when devices are being worked on, by id, those whose window ended within a day included.

    Args:
        now: microseconds since 1970-01-01Z; the ends too.
    """
    rows = await connection.fetch(_RESTING, to_datetime(now))
    return {row["id"]: to_microseconds(row["until_at"]) for row in rows}


def _and_above(device: Device, registry: Registry) -> set[int | None]:
    """Return the ids of a device and of its ancestors."""
    ids: set[int | None] = set()
    waiting = [device]
    while waiting:
        at = waiting.pop()
        if at.id not in ids:
            ids.add(at.id)
            waiting += above(registry, at)
    return ids
