"""The numbers of a whole town: devices that report or are silent, alerts that wait or were acknowledged.

Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alerts.overview.standing import STANDING, DeviceFilter, arguments
from alerts.transition import Severity
from devices.kinds import Kinds
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class TownSummary:
    """Counts of devices in service and of open alerts.

    reporting: have reported and are not silent. unheard: never reported. waiting: open alerts by severity
    that nobody has acknowledged; acknowledged: those that somebody has.
    """

    devices: int
    reporting: int
    silent: int
    unheard: int
    waiting: Mapping[str, int]
    acknowledged: Mapping[str, int]


_DEVICES = f"""
{STANDING}
SELECT
    count(*) AS devices,
    count(*) FILTER (WHERE s.rank = 2) AS silent,
    count(*) FILTER (WHERE s.rank <> 2 AND s.heard) AS reporting,
    count(*) FILTER (WHERE s.rank <> 2 AND NOT s.heard) AS unheard
FROM standing AS s
"""  # noqa: S608 - a constant of this room

_ALERTS = """
SELECT a.severity, a.acknowledged_at IS NOT NULL AS acknowledged, count(*) AS alerts
FROM alert AS a
INNER JOIN device AS d ON a.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
WHERE
    a.state = 'firing'
    AND ($1::text [] IS NULL OR m.name = ANY($1))
    AND ($2::text IS NULL OR m.name = $2)
    AND ($3::text IS NULL OR g.name = $3)
GROUP BY a.severity, a.acknowledged_at IS NOT NULL
"""


async def town_summary(connection: Connection, kinds: Kinds, asked: DeviceFilter) -> TownSummary:
    """Return the numbers of the devices that are meant, by municipality and district."""
    counts = await connection.fetchrow(_DEVICES, *arguments(kinds, asked))
    assert counts is not None, "an aggregate has one row"
    within = None if asked.within is None else list(asked.within)
    rows = await connection.fetch(_ALERTS, within, asked.municipality, asked.district)
    waiting, acknowledged = (
        {row["severity"]: row["alerts"] for row in rows if row["acknowledged"] is seen}
        for seen in (False, True)
    )
    return TownSummary(**counts, waiting=_every(waiting), acknowledged=_every(acknowledged))


def _every(found: Mapping[str, int]) -> dict[str, int]:
    """Return counts by every severity, those of which there is none too."""
    return {severity.value: found.get(severity.value, 0) for severity in Severity}
