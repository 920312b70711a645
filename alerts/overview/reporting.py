"""How many devices report: the number that a desk begins with. Must not know HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from alerts.overview.standing import STANDING, DeviceFilter, arguments
from devices.kinds import Kinds
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingDevices:
    """How many devices in service there are, and how many of them were heard of and are not silent."""

    devices: int
    reporting: int


_REPORTING = f"""
{STANDING}
SELECT
    count(*) AS devices,
    count(*) FILTER (
        WHERE s.rank <> 2 AND EXISTS (SELECT FROM latest AS l WHERE l.device_id = s.id)
    ) AS reporting
FROM standing AS s
"""  # noqa: S608 - a constant of this room


async def count_reporting(connection: Connection, kinds: Kinds, asked: DeviceFilter) -> ReportingDevices:
    """Return how many devices of kinds that report do."""
    row = await connection.fetchrow(_REPORTING, *arguments(kinds, asked))
    assert row is not None
    return ReportingDevices(**row)
