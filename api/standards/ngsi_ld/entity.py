"""Entities as they are written: normalized, concise, simplified, or as GeoJSON. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerts.overview.now import DeviceNow
from api.standards.ngsi_ld.values import EntityAttribute, attributes_of, type_of, urn_of
from devices.instants import rfc3339
from devices.kinds import Kinds


class Representation(StrEnum):
    """How attributes are written (ETSI GS CIM 009, 4.5)."""

    NORMALIZED = "normalized"
    CONCISE = "concise"
    SIMPLIFIED = "simplified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One device as an entity."""

    id: str
    type: str
    attributes: Mapping[str, EntityAttribute]
    created_at: datetime
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How entities are to be written. attrs: only these attributes, None: all. system: with changed when."""

    representation: Representation = Representation.NORMALIZED
    attrs: Collection[str] | None = None
    system: bool = False
    context: str | None = None


def entity_of(kinds: Kinds, device: DeviceNow) -> Entity:
    """Return the entity of a device whose kind has a type."""
    entity_type = type_of(kinds, device.kind)
    assert entity_type is not None
    return Entity(
        id=urn_of(entity_type, device.name),
        type=entity_type,
        attributes=attributes_of(kinds, device),
        created_at=device.installed_at,
        modified_at=device.received_at or device.installed_at,
    )


def write(entity: Entity, how: Written) -> dict[str, Any]:
    """Return an entity as JSON."""
    shown = shown_of(entity, how.attrs)
    document: dict[str, Any] = {"id": entity.id, "type": entity.type}
    if how.system:
        document |= _system(entity)
    document |= {one.name: _attribute(one, how, entity) for one in shown}
    return document if how.context is None else document | {"@context": how.context}


def feature(entity: Entity, how: Written) -> dict[str, Any]:
    """Return an entity as a GeoJSON feature (4.5.16); its geometry is null where nobody knows its place."""
    where = entity.attributes.get("location")
    properties = {"type": entity.type} | {
        one.name: _attribute(one, how, entity) for one in shown_of(entity, how.attrs)
    }
    written: dict[str, Any] = {
        "type": "Feature",
        "id": entity.id,
        "geometry": where.value if where else None,
        "properties": properties,
    }
    return written if how.context is None else written | {"@context": how.context}


def shown_of(entity: Entity, attrs: Collection[str] | None) -> list[EntityAttribute]:
    """Return the attributes of an entity that are asked for."""
    return [one for one in entity.attributes.values() if attrs is None or one.name in attrs]


def _system(entity: Entity) -> dict[str, str]:
    return {"createdAt": rfc3339(entity.created_at), "modifiedAt": rfc3339(entity.modified_at)}


def _attribute(one: EntityAttribute, how: Written, entity: Entity) -> Any:
    member = "object" if one.type == "Relationship" else "value"
    if how.representation is Representation.SIMPLIFIED:
        return one.value
    beside: dict[str, Any] = {}
    if one.unit_code:
        beside["unitCode"] = one.unit_code
    if one.observed_at is not None:
        beside["observedAt"] = rfc3339(one.observed_at)
    if how.system:
        beside |= _system(entity)
    if how.representation is Representation.NORMALIZED:
        return {"type": one.type, member: one.value, **beside}
    if not beside and member == "value" and not isinstance(one.value, dict):
        return one.value
    if one.type == "GeoProperty" and not beside:
        return one.value
    return {member: one.value, **beside}
