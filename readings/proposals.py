"""What the quarantine proposes for a device that nobody registered: what it is, and whose place it has taken.

A place is proposed where it fell silent before the stranger was first heard, and the stranger says that it
stands beside it, or where nothing else of its kind is silent behind the stranger's gateway. Reads only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from devices.distance import distance_m
from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.recognition import RecognisedMessage, recognise
from devices.wire.adapters.profile import Profile
from readings.quarantine import UnknownDevice
from store.connection import Connection

BESIDE_M = 50.0
"""A receiver in a street says where it is within this."""
MISSED = 3.0
"""So many intervals without a word make a place silent here; rules may wait longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentPlace:
    """A place that is silent. distance_m: from where the stranger says that it is, None where it does not."""

    device: str
    title: str
    titles: Mapping[str, str]
    since: datetime
    distance_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What a stranger probably is, and the place whose hardware it probably replaces."""

    recognised: RecognisedMessage | None = None
    place: SilentPlace | None = None


_SILENT = """
SELECT
    d.name AS device, d.title, d.titles, d.kind, m.name AS municipality, d.lat, d.lon, l.received_at AS since,
    array(
        SELECT g.name FROM relay INNER JOIN device AS g ON relay.gateway_id = g.id
        WHERE relay.device_id = d.id
    ) AS relays
FROM latest AS l
INNER JOIN device AS d ON l.device_id = d.id
INNER JOIN municipality AS m ON d.municipality_id = m.id
WHERE
    d.retired_at IS NULL AND m.name = ANY($1)
    AND l.received_at + l.interval_s * $2::float8 * interval '1 second' < $3
ORDER BY d.name
"""


# What waits to be received again is known by now.
_STAND = """
SELECT coalesce(array_agg(wire_name), '{}') FROM hardware WHERE removed_at IS NULL AND wire_name = ANY($1)
"""


async def proposals(
    connection: Connection,
    kinds: Kinds,
    profiles: Mapping[str, Profile],
    unknown: Sequence[UnknownDevice],
    now: Now,
) -> list[Proposal]:
    """Return what is proposed for each device in quarantine, in their order."""
    stand = await connection.fetchval(_STAND, [one.device for one in unknown])
    strangers = [one for one in unknown if one.device not in stand]
    towns = sorted({one.municipality for one in strangers})
    silent = await connection.fetch(_SILENT, towns, MISSED, to_datetime(now())) if towns else []
    return [Proposal() if one.device in stand else _proposal(kinds, profiles, one, silent) for one in unknown]


def _proposal(
    kinds: Kinds, profiles: Mapping[str, Profile], one: UnknownDevice, silent: Sequence[asyncpg.Record]
) -> Proposal:
    recognised = recognise(kinds, profiles, one.device, one.payload)
    kind = one.kind if one.kind in kinds else recognised.kind if recognised else ""
    places = [
        row
        for row in silent
        if row["municipality"] == one.municipality and row["kind"] == kind and row["since"] <= one.first_at
    ]
    return Proposal(recognised=recognised, place=_beside(one, places))


def _beside(one: UnknownDevice, places: Sequence[asyncpg.Record]) -> SilentPlace | None:
    where = _position(one.payload)
    if where is not None:
        away = [
            (float(distance_m(*where, row["lat"], row["lon"])), row)
            for row in places
            if row["lat"] is not None
        ]
        nearest = min(away, key=lambda pair: pair[0], default=None)
        return None if nearest is None or nearest[0] > BESIDE_M else _silent(nearest[1], nearest[0])
    if one.gateway is None:
        return None
    behind = [row for row in places if one.gateway in row["relays"]]
    return _silent(behind[0], None) if len(behind) == 1 else None


def _silent(row: asyncpg.Record, distance: float | None) -> SilentPlace:
    return SilentPlace(
        device=row["device"],
        title=row["title"],
        titles=row["titles"],
        since=row["since"],
        distance_m=distance and round(distance, 1),
    )


def _position(payload: bytes) -> tuple[float, float] | None:
    """Return where a message says that its device is."""
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    said = said[-1] if isinstance(said, list) and said else said
    if not isinstance(said, dict):
        return None
    lat, lon = said.get("lat"), said.get("lon")
    if isinstance(lat, bool) or isinstance(lon, bool):
        return None
    return (lat, lon) if isinstance(lat, int | float) and isinstance(lon, int | float) else None
