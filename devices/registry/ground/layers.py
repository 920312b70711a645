"""The layers of municipalities: listed, read, imported, taken away.

Each change is one transaction in which the devices get their districts and streets anew. Must not know HTTP,
files or terminals.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from devices.instants import Now, to_datetime
from devices.registry.errors import NotFound
from devices.registry.ground import geojson
from devices.registry.ground.feature import Feature, FeatureProblem, Layer, NewFeature
from devices.registry.ground.geometry import shape_of
from devices.registry.ground.located import settle_all
from devices.registry.ground.plan import LayerPlan, plan
from devices.registry.registry import get_municipality
from store import audit
from store.audit import Actor
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSummary:
    """One layer of one municipality; `devices` is how many of those in service stand in its features."""

    municipality: str
    layer: str
    features: int
    devices: int
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerImport:
    """What an import did, or would do; `devices` is of how many devices district or street changed.

    kept: features that are stored and not in the file. Nothing is written where there are problems.
    """

    written: bool
    added: int
    changed: int
    unchanged: int
    removed: int
    kept: int
    devices: int
    problems: Sequence[FeatureProblem]


_SUMMARIES = """
SELECT
    m.name AS municipality, f.layer, count(*) AS features, sum(devices)::bigint AS devices,
    max(f.updated_at) AS updated_at
FROM ground_feature AS f
INNER JOIN municipality AS m ON f.municipality_id = m.id
CROSS JOIN LATERAL (
    SELECT count(*) AS devices FROM device AS d
    WHERE (d.district_id = f.id OR d.street_id = f.id) AND d.retired_at IS NULL
) AS standing
WHERE $1::text IS NULL OR m.name = $1
GROUP BY m.name, f.layer
ORDER BY m.name, f.layer
"""


async def list_layers(connection: Connection, municipality: str | None = None) -> list[LayerSummary]:
    """Return the layers that have features.

    Raises:
        NotFound: there is no such municipality.
    """
    if municipality is not None:
        await get_municipality(connection, municipality)
    return [LayerSummary(**row) for row in await connection.fetch(_SUMMARIES, municipality)]


_FEATURES = """
SELECT
    f.id, f.name, f.title, f.geometry, f.updated_at,
    (
        SELECT count(*) FROM device AS d
        WHERE (d.district_id = f.id OR d.street_id = f.id) AND d.retired_at IS NULL
    ) AS devices
FROM ground_feature AS f
WHERE f.municipality_id = $1 AND f.layer = $2
ORDER BY f.name COLLATE "C"
"""


async def list_features(connection: Connection, municipality: str, layer: Layer) -> list[Feature]:
    """Return the features of a layer by code; none where nothing was imported.

    Raises:
        NotFound: there is no such municipality.
    """
    found = await get_municipality(connection, municipality)
    return [Feature(**row) for row in await connection.fetch(_FEATURES, found.id, layer)]


async def district_codes(connection: Connection, municipalities: Collection[str]) -> dict[str, set[str]]:
    """Return the codes of districts by municipality, of those that have any."""
    codes: dict[str, set[str]] = {}
    for row in await connection.fetch(_CODES, list(municipalities)):
        codes.setdefault(row["municipality"], set()).add(row["name"])
    return codes


_CODES = """
SELECT m.name AS municipality, f.name
FROM ground_feature AS f
INNER JOIN municipality AS m ON f.municipality_id = m.id
WHERE f.layer = 'districts' AND m.name = ANY($1)
"""

# Devices wait, see located.hold; so does another import of the same municipality.
_LOCK = "SELECT id FROM municipality WHERE id = $1 FOR NO KEY UPDATE"


async def import_layer(
    connection: Connection,
    municipality: str,
    layer: Layer,
    content: bytes,
    *,
    remove_missing: bool,
    dry_run: bool = False,
    now: Now,
    by: Actor,
) -> LayerImport:
    """Store the features of a GeoJSON file by their codes, all of them, or none when one has a problem.

    Args:
        connection: the database.
        municipality: whose layer it is.
        layer: which one.
        content: the file.
        remove_missing: take away stored features that are not in the file.
        dry_run: write nothing.
        now: the clock.
        by: who.

    Raises:
        NotFound: there is no such municipality.
    """
    owner = await get_municipality(connection, municipality)
    read = await asyncio.to_thread(geojson.read, content, layer, owner)
    stored = await _stored(connection, owner.id, layer)
    planned = await asyncio.to_thread(plan, layer, stored, read, remove_missing=remove_missing)
    if dry_run or planned.problems:
        return _done(planned, written=False, devices=0)
    async with connection.transaction():
        # Devices wait from here on: what takes long was done before, and again only after another import.
        await connection.execute(_LOCK, owner.id)
        locked = await _stored(connection, owner.id, layer)
        if locked != stored:
            planned = await asyncio.to_thread(plan, layer, locked, read, remove_missing=remove_missing)
        if planned.problems:
            return _done(planned, written=False, devices=0)
        writes = bool(planned.add or planned.change or planned.remove)
        devices = 0
        if writes:
            await _write(connection, owner.id, layer, [*planned.add, *planned.change], now)
            devices = await _remove(connection, owner.id, [feature.id for feature in planned.remove])
            await _record(connection, owner.id, layer, "import", _codes(planned), by, now)
    return _done(planned, written=True, devices=devices)


async def _stored(connection: Connection, municipality_id: int, layer: Layer) -> list[Feature]:
    """Return the features of a layer; how many devices stand in them is not counted."""
    rows = await connection.fetch(_FEATURES, municipality_id, layer)
    return [Feature(**{**row, "devices": 0}) for row in rows]


def _done(planned: LayerPlan, *, written: bool, devices: int) -> LayerImport:
    return LayerImport(
        written=written,
        added=len(planned.add),
        changed=len(planned.change),
        unchanged=planned.unchanged,
        removed=len(planned.remove),
        kept=planned.kept,
        devices=devices,
        problems=planned.problems,
    )


_UPSERT = """
INSERT INTO ground_feature AS f (
    municipality_id, layer, name, title, geometry, west, south, east, north, created_at, updated_at
)
SELECT $1, $2, r.name, r.title, r.geometry, r.west, r.south, r.east, r.north, $10, $10
FROM unnest(
    $3::text [], $4::jsonb [], $5::jsonb [], $6::float8 [], $7::float8 [], $8::float8 [], $9::float8 []
) AS r (name, title, geometry, west, south, east, north)
ON CONFLICT (municipality_id, layer, name) DO UPDATE SET
    title = excluded.title, geometry = excluded.geometry, west = excluded.west, south = excluded.south,
    east = excluded.east, north = excluded.north, updated_at = excluded.updated_at
"""


async def _write(
    connection: Connection, municipality_id: int, layer: Layer, written: Sequence[NewFeature], now: Now
) -> None:
    west, south, east, north = _bounds(written)
    await connection.execute(
        _UPSERT,
        municipality_id,
        layer,
        [feature.name for feature in written],
        [dict(feature.title) for feature in written],
        [dict(feature.geometry) for feature in written],
        west,
        south,
        east,
        north,
        to_datetime(now()),
    )


def _bounds(features: Iterable[NewFeature]) -> list[list[float]]:
    """Return west, south, east and north of features, a list each."""
    bounds = [shape_of(feature.geometry).bounds for feature in features]
    return [[float(one) for one in column] for column in np.array(bounds).reshape(-1, 4).T]


_REMOVE = "DELETE FROM ground_feature WHERE id = ANY($1)"


async def _remove(connection: Connection, municipality_id: int, features: Collection[int]) -> int:
    """Take features away and find where the devices stand then; return of how many that changed."""
    devices = await settle_all(connection, municipality_id, without=features)
    await connection.execute(_REMOVE, list(features))
    return devices


def _codes(planned: LayerPlan) -> dict[str, list[str]]:
    said: dict[str, Sequence[NewFeature | Feature]] = {
        "added": planned.add,
        "changed": planned.change,
        "removed": planned.remove,
    }
    return {what: [one.name for one in features] for what, features in said.items() if features}


async def _record(
    connection: Connection,
    municipality_id: int,
    layer: Layer,
    verb: str,
    codes: Mapping[str, Sequence[str]],
    by: Actor,
    now: Now,
) -> None:
    await audit.record(
        connection,
        by=by,
        municipality=municipality_id,
        action=f"layer.{verb}",
        subject=layer.value,
        after=codes,
        now=now(),
    )


async def remove_features(
    connection: Connection,
    municipality: str,
    layer: Layer,
    codes: Collection[str] | None,
    now: Now,
    *,
    by: Actor,
) -> int:
    """Take features away, all of a layer without codes; return how many.

    Devices that were set to one of them get theirs from their position.

    Raises:
        NotFound: there is no such municipality, or the layer has no feature of a code.
    """
    owner = await get_municipality(connection, municipality)
    async with connection.transaction():
        await connection.execute(_LOCK, owner.id)
        stored = {row["name"]: row["id"] for row in await connection.fetch(_FEATURES, owner.id, layer)}
        for code in codes or ():
            if code not in stored:
                hint = (
                    f"`nabd municipality layer show --municipality {municipality} --layer {layer}` lists them"
                )
                raise NotFound(f"feature of {municipality}'s {layer}", code, hint)
        gone = sorted(stored if codes is None else set(codes))
        if gone:
            await _remove(connection, owner.id, [stored[code] for code in gone])
            await _record(connection, owner.id, layer, "remove", {"removed": gone}, by, now)
    return len(gone)
