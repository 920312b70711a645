"""Which alerts a person wants no notification of for a while, and until when.

A silence moves no condition and hides nothing: alerts open and end as always. Whoever tells people of alerts
asks here whether one is silenced; that the end of an alert is told to whoever was told of its beginning is
theirs. Must not know who is told, nor who may silence what.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from devices.instants import to_datetime
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceFacts:
    """What silences look at, of one alert.

    municipality: in which it was opened. district: code of that in which the device stands, if there is one.
    attributes: the device's.
    """

    municipality: str
    device: str
    rule: str
    kind: str
    district: str | None
    attributes: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Alerts to which all of this applies; None applies to every one.

    attribute_values: what the attribute may be: as text, and as the number or the truth that the text means.
    from_at, until_at: until_at is not included, and is when somebody ended it if that was before.
    """

    id: int
    municipality: str | None
    device: str | None
    rule: str | None
    kind: str | None
    district: str | None
    attribute: str | None
    attribute_values: Sequence[str | float | bool] | None
    from_at: datetime
    until_at: datetime


def matches(silence: Silence, facts: SilenceFacts) -> bool:
    """Tell whether a silence covers an alert, whatever the time. Pure."""
    named = (
        (silence.municipality, facts.municipality),
        (silence.device, facts.device),
        (silence.rule, facts.rule),
        (silence.kind, facts.kind),
        (silence.district, facts.district),
    )
    if any(wanted is not None and wanted != found for wanted, found in named):
        return False
    if silence.attribute is None:
        return True
    value = facts.attributes.get(silence.attribute)
    return any(_same(value, wanted) for wanted in silence.attribute_values or ())


def _same(value: object, wanted: object) -> bool:
    # In Python 1 is True.
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


COVERED = """EXISTS (
    SELECT FROM silence
    WHERE silence.from_at <= {at} AND silence.until_at > {at} AND coalesce(silence.ended_at > {at}, true)
        AND coalesce(silence.municipality_id = municipality.id, silence.municipality_id IS NULL)
        AND coalesce(silence.device_id = device.id, silence.device_id IS NULL)
        AND coalesce(silence.rule = alert.rule, silence.rule IS NULL)
        AND coalesce(silence.kind = device.kind, silence.kind IS NULL)
        AND (silence.district IS NULL OR silence.district = ground_feature.name)
        AND (
            silence.attribute IS NULL
            OR device.attributes -> silence.attribute = ANY(silence.attribute_values)
        )
)"""
"""`matches`, for lists of alerts, which are filtered where they are; `at` is a parameter's place."""

_AT = """
SELECT
    s.id, m.name AS municipality, d.name AS device, s.rule, s.kind, s.district, s.attribute,
    s.attribute_values, s.from_at, least(s.until_at, s.ended_at) AS until_at
FROM silence AS s
LEFT JOIN municipality AS m ON s.municipality_id = m.id
LEFT JOIN device AS d ON s.device_id = d.id
WHERE s.from_at <= $1 AND s.until_at > $1 AND coalesce(s.ended_at > $1, true)
ORDER BY least(s.until_at, s.ended_at) DESC, s.id
"""


async def silences_at(connection: Connection, at: int) -> list[Silence]:
    """Return the silences that stand at an instant, those that end last first.

    Args:
        at: our time, microseconds since 1970-01-01Z.
    """
    return [_silence(row) for row in await connection.fetch(_AT, to_datetime(at))]


_FACTS = """
SELECT
    alert.id, municipality.name AS municipality, device.name AS device, alert.rule, device.kind,
    ground_feature.name AS district, device.attributes
FROM alert
INNER JOIN device ON alert.device_id = device.id
INNER JOIN municipality ON municipality.id = CASE
    WHEN device.moved_at > alert.opened_at THEN municipality_at(device, alert.opened_at)
    ELSE device.municipality_id
END
LEFT JOIN ground_feature
    ON device.district_id = ground_feature.id AND municipality.id = ground_feature.municipality_id
WHERE alert.id = ANY($1::bigint []) AND alert.state = 'firing'
"""


async def silenced(connection: Connection, alert_ids: Iterable[int], at: int) -> dict[int, Silence]:
    """Return by alert the silence that covers it longest; of open alerts only.

    Args:
        alert_ids: any number of them.
        at: our time, microseconds since 1970-01-01Z.
    """
    standing = await silences_at(connection, at)
    if not standing:
        return {}
    found: dict[int, Silence] = {}
    for row in await connection.fetch(_FACTS, list(alert_ids)):
        values = dict(row)
        alert = values.pop("id")
        facts = SilenceFacts(**values)
        covering = next((silence for silence in standing if matches(silence, facts)), None)
        if covering is not None:
            found[alert] = covering
    return found


def _silence(row: asyncpg.Record) -> Silence:
    return Silence(**row)
