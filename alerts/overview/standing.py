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
    """Which devices are meant; None: any. within: municipalities that the reader may see, None: all.

    at: the instant, None for now. severity, rule: devices with an open alert of that severity, of that rule.
    words: each, or what it means (devices.texts.searching), in name, title, or a name
    of its district or street.
    """

    within: Collection[str] | None = None
    municipality: str | None = None
    district: str | None = None
    kinds: Collection[str] = field(default=())
    severity: Severity | None = None
    rule: str | None = None
    words: Sequence[str] = ()
    at: datetime | None = None


# $1 instant or NULL, $2 kinds, $3 municipalities or NULL, $4 municipality, $5 district, $6 severity, $7 rule,
# $8 words, $9 kinds that move, $10 quality bits of their positions. Ranks are those of STATUSES.
STANDING = """
WITH
open AS (
    SELECT
        a.device_id,
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
standing AS (
    SELECT
        d.name, d.title, d.kind,
        coalesce(
            CASE WHEN l.quality & mover.bits = 0 THEN (l.measurements ->> 'lat')::float8 END, d.lat
        ) AS lat,
        coalesce(
            CASE WHEN l.quality & mover.bits = 0 THEN (l.measurements ->> 'lon')::float8 END, d.lon
        ) AS lon,
        coalesce(o.rank, CASE WHEN l.device_id IS NULL THEN 6 ELSE 5 END) AS rank
    FROM device AS d
    LEFT JOIN open AS o ON d.id = o.device_id
    LEFT JOIN latest AS l ON d.id = l.device_id
    LEFT JOIN
        unnest($9::text [], $10::bigint []) AS mover (kind, bits)
        ON d.kind = mover.kind AND $1::timestamptz IS NULL
    WHERE
        d.retired_at IS NULL AND d.installed_at IS NOT NULL
        AND d.kind = ANY($2)
        AND ($3::text [] IS NULL OR d.municipality_id IN (SELECT id FROM municipality WHERE name = ANY($3)))
        AND ($4::text IS NULL OR d.municipality_id IN (SELECT id FROM municipality WHERE name = $4))
        AND ($5::text IS NULL OR d.district_id IN (SELECT id FROM ground_feature WHERE name = $5))
        AND (($6::text IS NULL AND $7::text IS NULL) OR o.asked)
        AND (
            cardinality($8::text []) = 0
            OR NOT EXISTS (
                SELECT FROM unnest($8) AS word
                WHERE NOT EXISTS (
                    SELECT FROM unnest(string_to_array(word, '|')) AS meant
                    WHERE strpos(
                        concat_ws(
                            ' ', d.searched, 'kind:' || d.kind || '.',
                            (SELECT searched FROM ground_feature WHERE id = d.district_id),
                            (SELECT searched FROM ground_feature WHERE id = d.street_id)
                        ),
                        meant
                    ) > 0
                )
            )
        )
        AND ($1::timestamptz IS NULL OR d.installed_at <= $1)
)
"""


def arguments(kinds: Kinds, asked: DeviceFilter) -> list[object]:
    """Return what STANDING needs; kinds that are not declared report nothing and are left out."""
    wanted = [name for name in kinds if not asked.kinds or name in asked.kinds]
    movers = [*_movers(kinds)]
    return [
        asked.at,
        wanted,
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
