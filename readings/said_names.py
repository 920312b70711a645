"""What a device calls its values: which names became measurements, which are only kept, what those may mean.

Reads the stored readings of one device; names in SQL are those of checked declarations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from devices.instants import EPOCH
from devices.kinds.kind import Kind
from devices.naming import hint
from devices.wire.gateway import ENTRY
from readings.tables import table_name
from store.connection import Connection

MOST_NAMES = 100
"""How many unknown names are told, those said most often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidNames:
    """Names that one device's readings carry, each with how many readings have it.

    measured: of its kind. extra: of nobody's, kept. hints: what an unknown one probably means.
    """

    measured: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, int] = field(default_factory=dict)
    hints: Mapping[str, str] = field(default_factory=dict)


_EXTRA = """
SELECT name, count(*) AS readings
FROM {table} AS r
CROSS JOIN jsonb_object_keys(r.extra) AS name
WHERE r.device_id = $1 AND r.received_at >= $2 AND r.received_at < $3 AND name <> $5
GROUP BY name
ORDER BY readings DESC, name
LIMIT $4
"""


async def of_device(
    connection: Connection, kind: Kind, device_id: int, *, since: datetime | None, until: datetime
) -> SaidNames:
    """Return the names in the readings of a device that were received in [since, until)."""
    bounds = (device_id, since or EPOCH, until)
    table = table_name(kind.name)
    counts = ", ".join(f'count("{m.name}") AS "{m.name}"' for m in kind.measurements)
    row = await connection.fetchrow(
        f"SELECT {counts} FROM {table}"  # noqa: S608 - names of a checked declaration
        " WHERE device_id = $1 AND received_at >= $2 AND received_at < $3",
        *bounds,
    )
    assert row is not None
    measured = {name: n for name, n in row.items() if n}
    extra = await connection.fetch(_EXTRA.format(table=table), *bounds, MOST_NAMES, ENTRY)
    hints = {r["name"]: hint(kind, r["name"], measured) for r in extra}
    return SaidNames(
        measured=measured,
        extra={r["name"]: r["readings"] for r in extra},
        hints={name: meant for name, meant in hints.items() if meant is not None},
    )
