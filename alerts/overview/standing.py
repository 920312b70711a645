"""How each device stands at an instant, in SQL that the queries of this room begin with.

A device is silent while an alert of the family says so, else as its worst open alert, else well once it has
reported. Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts.transition import Severity
from devices.kinds import Kinds

STATUSES = ("critical", "major", "silent", "minor", "warning", "ok", "none")
"""How a device can stand, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """Which devices in service are meant; None: any, and no kinds: all.

    within: municipalities that the reader may see, None: all. at: the instant, None for now. severity, rule:
    devices with an open alert of that severity, of that rule. words: each, or what it means
    (devices.texts.searching), in name, title, or a name of its district or street.
    """

    within: Collection[str] | None = None
    municipality: str | None = None
    district: str | None = None
    kinds: Collection[str] = field(default=())
    severity: Severity | None = None
    rule: str | None = None
    words: Sequence[str] = ()
    at: datetime | None = None


# $1 instant or NULL, $2 kinds or NULL, $3 municipalities or NULL, $4 municipality, $5 district, $6 severity,
# $7 rule, $8 words, $9 kinds that move, $10 quality bits of their positions. Ranks are those of STATUSES.
# What stays where it was put is apart from what may move: its position has an index, and its reading is not
# read. OFFSET 0: a position is taken out of JSON once, not again wherever it is compared.
STANDING = """
WITH
open AS (
    SELECT
        a.device_id, count(*) AS alerts,
        CASE WHEN bool_or(r.family = 'silent') THEN 2 ELSE min(
            CASE a.severity WHEN 'critical' THEN 0 WHEN 'major' THEN 1 WHEN 'minor' THEN 3 ELSE 4 END
        ) END AS rank,
        bool_or(
            ($6::text IS NULL OR a.severity = $6) AND ($7::text IS NULL OR a.rule = $7)
        ) AS asked
    FROM alert AS a
    INNER JOIN rule AS r ON a.rule = r.id AND a.rule_version = r.version
    WHERE
        CASE
            WHEN $1::timestamptz IS NULL THEN a.state = 'firing'
            ELSE a.opened_at <= $1 AND (a.resolved_at IS NULL OR a.resolved_at > $1)
        END
    GROUP BY a.device_id
),
placed AS (
    SELECT
        d.id, d.name, d.title, d.titles, d.kind, d.municipality_id, d.district_id, d.street_id, d.searched,
        d.installed_at, d.lat, d.lon
    FROM device AS d
    WHERE d.retired_at IS NULL AND d.installed_at IS NOT NULL AND d.kind <> ALL($9::text [])
    UNION ALL
    SELECT
        d.id, d.name, d.title, d.titles, d.kind, d.municipality_id, d.district_id, d.street_id, d.searched,
        d.installed_at, coalesce(said.lat, d.lat), coalesce(said.lon, d.lon)
    FROM device AS d
    INNER JOIN unnest($9::text [], $10::bigint []) AS mover (kind, bits) ON d.kind = mover.kind
    LEFT JOIN latest AS l ON d.id = l.device_id
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN l.quality & mover.bits = 0 THEN (l.measurements ->> 'lat')::float8 END AS lat,
            CASE WHEN l.quality & mover.bits = 0 THEN (l.measurements ->> 'lon')::float8 END AS lon
        OFFSET 0
    ) AS said
    WHERE d.retired_at IS NULL AND d.installed_at IS NOT NULL
),
standing AS (
    SELECT
        p.id, p.name, p.title, p.titles, p.kind, p.lat, p.lon, coalesce(o.alerts, 0) AS alerts,
        coalesce(
            o.rank, CASE WHEN EXISTS (SELECT FROM latest AS l WHERE l.device_id = p.id) THEN 5 ELSE 6 END
        ) AS rank
    FROM placed AS p
    LEFT JOIN open AS o ON p.id = o.device_id
    WHERE
        ($2::text [] IS NULL OR p.kind = ANY($2))
        AND ($3::text [] IS NULL OR p.municipality_id IN (SELECT id FROM municipality WHERE name = ANY($3)))
        AND ($4::text IS NULL OR p.municipality_id IN (SELECT id FROM municipality WHERE name = $4))
        AND ($5::text IS NULL OR p.district_id IN (SELECT id FROM ground_feature WHERE name = $5))
        AND (($6::text IS NULL AND $7::text IS NULL) OR o.asked)
        AND (
            $8::text [] = '{}'
            OR concat_ws(
                ' ', p.searched, 'kind:' || p.kind || '.',
                (SELECT searched FROM ground_feature WHERE id = p.district_id),
                (SELECT searched FROM ground_feature WHERE id = p.street_id)
            ) ~ ALL($8::text [])
        )
        AND ($1::timestamptz IS NULL OR p.installed_at <= $1)
)
"""


def arguments(kinds: Kinds, asked: DeviceFilter, *, only_declared: bool = True) -> list[object]:
    """Return what STANDING needs.

    only_declared: leave out devices of kinds that are not declared: they report nothing.
    """
    wanted = [name for name in kinds if not asked.kinds or name in asked.kinds]
    # Of the past nobody knows where they were.
    movers = [] if asked.at else [(name, bits) for name, bits in _movers(kinds) if name in wanted]
    return [
        asked.at,
        wanted if only_declared else list(asked.kinds) or None,
        None if asked.within is None else list(asked.within),
        asked.municipality,
        asked.district,
        asked.severity,
        asked.rule,
        list(asked.words),
        [name for name, _ in movers],
        [bits for _, bits in movers],
    ]


def _movers(kinds: Kinds) -> Iterable[tuple[str, int]]:
    """Return kinds that measure where they are, with the quality bits that say it is not to be believed."""
    for kind in kinds.values():
        bits = {one.name: 1 << one.bit for one in kind.measurements if one.name in ("lat", "lon")}
        if len(bits) == 2:
            yield kind.name, sum(bits.values())


def by_status(counts: Sequence[int]) -> dict[str, int]:
    """Return counts in the order of STATUSES by their names, without those that are 0."""
    return {status: count for status, count in zip(STATUSES, counts, strict=True) if count}
