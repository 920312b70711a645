"""How devices stand now: each with its newest values and its open alerts, filtered, sorted and by page.

Must not know rules or screens. A device is silent while an alert of a rule of family `silent` is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from store.connection import Connection


class StandingStatus(StrEnum):
    """What a list of devices can be narrowed to."""

    SILENT = "silent"
    ALERTING = "alerting"
    OK = "ok"
    NONE = "none"


class StandingOrder(StrEnum):
    """What stands first: names, the worst, who was heard longest ago, the highest or lowest value."""

    NAME = "name"
    WORST = "worst"
    HEARD = "heard"
    HIGHEST = "highest"
    LOWEST = "lowest"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingFilter:
    """Which devices in service; all that is named applies.

    words: each in name, title, or a name of its district or street, or what it means
    (devices.texts.searching).
    status: `alerting` are those with open alerts that are not silent, `none` those that were never heard.
    measurement: a name; above, below: only those whose newest value is so. within: only those of these
    municipalities; None: of all.
    """

    municipality: str | None = None
    district: str | None = None
    kind: str | None = None
    words: Sequence[str] = ()
    status: StandingStatus | None = None
    measurement: str | None = None
    above: float | None = None
    below: float | None = None
    within: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One device as it stands.

    status: silent, the severity of its worst open alert, ok, or none while nothing was heard of it.
    alerts: how many are open. Times and values are of its newest reading, None where there is none.
    """

    name: str
    title: str
    kind: str
    municipality: str
    district: str | None
    district_title: Mapping[str, str]
    street: str | None
    street_title: Mapping[str, str]
    lat: float | None
    lon: float | None
    status: str
    alerts: int
    observed_at: datetime | None
    received_at: datetime | None
    quality: int
    measurements: Mapping[str, Any]


_PAGE = """
WITH firing AS (
    SELECT
        alert.device_id, count(*) AS alerts, bool_or(rule.family = 'silent') AS silent,
        min(array_position(ARRAY['critical', 'major', 'minor', 'warning'], alert.severity)) AS worst
    FROM alert
    INNER JOIN rule ON alert.rule = rule.id AND alert.rule_version = rule.version
    WHERE alert.state = 'firing'
    GROUP BY alert.device_id
),

stood AS (
    SELECT
        d.id, d.name, l.received_at,
        CASE
            WHEN f.silent THEN 'silent'
            WHEN f.worst IS NOT NULL THEN (ARRAY['critical', 'major', 'minor', 'warning'])[f.worst]
            WHEN l.device_id IS NULL THEN 'none'
            ELSE 'ok'
        END AS status,
        coalesce(f.alerts, 0) AS alerts,
        CASE
            WHEN $6::text IS NOT NULL AND jsonb_typeof(l.measurements -> $6) = 'number'
                THEN (l.measurements -> $6)::float8
        END AS value
    FROM device AS d
    INNER JOIN municipality AS m ON d.municipality_id = m.id
    LEFT JOIN ground_feature AS g ON d.district_id = g.id
    LEFT JOIN ground_feature AS s ON d.street_id = s.id
    LEFT JOIN latest AS l ON d.id = l.device_id
    LEFT JOIN firing AS f ON d.id = f.device_id
    WHERE
        d.retired_at IS NULL AND d.installed_at IS NOT NULL
        AND ($1::text IS NULL OR m.name = $1)
        AND ($2::text IS NULL OR g.name = $2)
        AND ($3::text IS NULL OR d.kind = $3)
        AND NOT EXISTS (
            SELECT FROM unnest($4::text []) AS word
            WHERE NOT EXISTS (
                SELECT FROM unnest(string_to_array(word, '|')) AS meant
                WHERE strpos(
                    concat_ws(' ', d.searched, g.searched, s.searched, 'kind:' || d.kind || '.'), meant
                ) > 0
            )
        )
        AND ($9::text [] IS NULL OR m.name = ANY($9))
),

ranked AS (
    SELECT
        stood.*,
        array_position(
            ARRAY['critical', 'major', 'silent', 'minor', 'warning', 'none', 'ok'], stood.status
        ) AS rank
    FROM stood
),

chosen AS (
    SELECT stood.*
    FROM ranked AS stood
    WHERE
        CASE $5::text
            WHEN 'alerting' THEN stood.status NOT IN ('silent', 'ok', 'none')
            ELSE coalesce(stood.status = $5, true)
        END
        AND ($7::float8 IS NULL OR stood.value > $7)
        AND ($8::float8 IS NULL OR stood.value < $8)
    ORDER BY
        CASE $10
            WHEN 'worst' THEN stood.rank
            WHEN 'heard' THEN extract(epoch FROM stood.received_at)
            WHEN 'highest' THEN -stood.value
            WHEN 'lowest' THEN stood.value
        END,
        stood.name
    OFFSET $11
    LIMIT $12
)

SELECT
    d.name, d.title, d.kind, m.name AS municipality, g.name AS district,
    coalesce(g.title, '{}') AS district_title, s.name AS street, coalesce(s.title, '{}') AS street_title,
    d.lat, d.lon, c.status, c.alerts, l.observed_at, l.received_at, coalesce(l.quality, 0) AS quality,
    coalesce(l.measurements, '{}') AS measurements
FROM chosen AS c
INNER JOIN device AS d ON c.id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
LEFT JOIN ground_feature AS g ON d.district_id = g.id
LEFT JOIN ground_feature AS s ON d.street_id = s.id
LEFT JOIN latest AS l ON d.id = l.device_id
ORDER BY
    CASE $10
        WHEN 'worst' THEN c.rank
        WHEN 'heard' THEN extract(epoch FROM c.received_at)
        WHEN 'highest' THEN -c.value
        WHEN 'lowest' THEN c.value
    END,
    c.name
"""


async def list_standings(
    connection: Connection,
    chosen: StandingFilter,
    *,
    order: StandingOrder = StandingOrder.NAME,
    skip: int = 0,
    limit: int = 100,
) -> list[Standing]:
    """Return a page of devices; `skip` of them come before it. What has no value stands last."""
    rows = await connection.fetch(
        _PAGE,
        chosen.municipality,
        chosen.district,
        chosen.kind,
        list(chosen.words),
        chosen.status,
        chosen.measurement,
        chosen.above,
        chosen.below,
        chosen.within,
        order,
        skip,
        limit,
    )
    return [Standing(**row) for row in rows]
