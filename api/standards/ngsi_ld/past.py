"""What devices told before: instances of attributes over time (temporal evolution), bounded.

Must not know HTTP.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alerts.overview.now import Lend
from api.standards.ngsi_ld.entity import Entity
from api.standards.ngsi_ld.finding import FoundDevice
from api.standards.ngsi_ld.values import EntityAttribute, of_reading
from api.standards.positions import LAT, LON, POSITION
from devices.instants import MICROSECOND, rfc3339
from devices.kinds.kind import Kind
from readings import history
from readings.history import Reading

READINGS = 1000
"""Of one entity that are looked at for one answer."""
PAGE = 250
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPast:
    """Which instances: observed in [start, end); last: only so many of each attribute, the newest ones first.

    attrs: of these attributes, None: of all.
    """

    start: datetime = FIRST
    end: datetime = LAST
    last: int | None = None
    attrs: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPast:
    """Instances of an entity's attributes by name. until: the last instant, None where nothing follows."""

    entity: Entity
    instances: Mapping[str, list[EntityAttribute]]
    until: datetime | None = None


async def past_of(lend: Lend, kind: Kind | None, found: FoundDevice, wanted: WantedPast) -> EntityPast:
    """Return the past of one entity, of READINGS readings at most."""
    instances: dict[str, list[EntityAttribute]] = {}
    if kind is None:
        return EntityPast(entity=found.entity, instances=instances)
    start, end = wanted.start, wanted.end
    looked_at = 0
    while looked_at < READINGS:
        page = await _page(lend, kind, found, wanted, start, end)
        for reading in page:
            for one in _told(kind, reading):
                if wanted.attrs is None or one.name in wanted.attrs:
                    several = instances.setdefault(one.name, [])
                    if wanted.last is None or len(several) < wanted.last:
                        several.append(one)
        looked_at += len(page)
        if len(page) < PAGE or _is_full(instances, wanted):
            return EntityPast(entity=found.entity, instances=instances)
        if wanted.last is None:
            start = page[-1].observed_at + MICROSECOND
        else:
            end = page[-1].observed_at
    return EntityPast(entity=found.entity, instances=instances, until=page[-1].observed_at)


async def _page(
    lend: Lend, kind: Kind, found: FoundDevice, wanted: WantedPast, start: datetime, end: datetime
) -> list[Reading]:
    query = history.readings if wanted.last is None else history.newest
    async with lend() as connection:
        return await query(
            connection,
            kind,
            found.device.id,
            measurements=[m.name for m in kind.measurements],
            start=start,
            end=end,
            limit=PAGE,
        )


def _is_full(instances: Mapping[str, list[EntityAttribute]], wanted: WantedPast) -> bool:
    """Tell whether every attribute that came has as many as are wanted."""
    if wanted.last is None or not instances:
        return False
    named = instances.keys() >= set(wanted.attrs) if wanted.attrs is not None else True
    return named and all(len(several) >= wanted.last for several in instances.values())


def _told(kind: Kind, reading: Reading) -> Iterator[EntityAttribute]:
    yield from of_reading(kind, reading.values, reading.suspect, reading.observed_at)
    lat, lon = (reading.values.get(name) for name in POSITION)
    if lat is not None and lon is not None and not {LAT, LON} & set(reading.suspect):
        point = {"type": "Point", "coordinates": [lon, lat]}
        yield EntityAttribute(
            name="location", value=point, type="GeoProperty", observed_at=reading.observed_at
        )


def write(past: EntityPast, *, values_only: bool, context: str | None) -> dict[str, Any]:
    """Return the past of an entity as JSON: lists of instances, or of values with their instants."""
    document: dict[str, Any] = {"id": past.entity.id, "type": past.entity.type}
    for name, instances in past.instances.items():
        if values_only:
            pairs = [[one.value, _observed_at(one)] for one in instances]
            document[name] = {"type": instances[0].type, "values": pairs}
        else:
            document[name] = [_instance(one) for one in instances]
    return document if context is None else document | {"@context": context}


def _instance(one: EntityAttribute) -> dict[str, Any]:
    unit = {"unitCode": one.unit_code} if one.unit_code else {}
    return {"type": one.type, "value": one.value, **unit, "observedAt": _observed_at(one)}


def _observed_at(one: EntityAttribute) -> str:
    assert one.observed_at is not None
    return rfc3339(one.observed_at)
