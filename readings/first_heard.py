"""What became of the first message of a device since an instant: its reading, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from devices.registry.registry import Device
from readings.latest import get_latest
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstHeard:
    """A reading that was stored, with its measurements, or a rejection with its reason.

    note: what is odd about a stored one, empty: nothing.
    """

    stored: bool
    received_at: datetime
    observed_at: datetime | None = None
    measurements: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    topic: str = ""
    reason: str = ""
    pointer: str = ""
    detail: str = ""


_REJECTED = """
SELECT received_at, topic, reason, pointer, detail
FROM rejection
WHERE device = ANY($1) AND received_at >= $2 AND replayed_at IS NULL
ORDER BY id
LIMIT 1
"""


async def of_device(connection: Connection, device: Device, since: datetime) -> FirstHeard | None:
    """Return what became of what a device has said since an instant; None: nothing came.

    A stored reading counts before a rejection: a device that has both is heard.
    """
    newest = await get_latest(connection, device.name)
    if newest is not None and newest.received_at >= since:
        return FirstHeard(
            stored=True,
            received_at=newest.received_at,
            observed_at=newest.observed_at,
            measurements=newest.measurements,
            note="" if newest.measurements else _EMPTY,
        )
    row = await connection.fetchrow(_REJECTED, list({device.name, device.wire}), since)
    return None if row is None else FirstHeard(stored=False, **row)


_EMPTY = (
    "None of its names is a measurement of its kind: they are kept as they are, and mean nothing to rules."
)
