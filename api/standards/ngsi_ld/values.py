"""What a device tells as properties of its data model: values, units, instants. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from alerts.overview.now import DeviceNow
from api.standards.positions import POSITION, position_of
from devices.instants import rfc3339
from devices.kinds import STRUCTURAL_MODELS, Kinds
from devices.kinds.kind import Kind, ModelProperty
from readings.history import suspect

UNIT_CODES = {
    "1": "C62", "%": "P1", "A": "AMP", "Cel": "CEL", "L": "LTR", "L/min": "L2", "V": "VLT", "W": "WTT",
    "[ppm]": "59", "bar": "BAR", "dB": "2N", "dB[mW]": "DBM", "deg": "DD", "h": "HUR", "kW.h": "KWH",
    "kg": "KGM", "lx": "LUX", "m": "MTR", "m/s": "MTS", "m/s2": "MSK", "mm": "MMT",
}  # fmt: skip
"""Common codes of UN/CEFACT (recommendation 20), which NGSI-LD writes units in, by our units (UCUM)."""
URN = "urn:ngsi-ld"

AttributeType = Literal["Property", "GeoProperty", "Relationship"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityAttribute:
    """One attribute of an entity; `value` is that of a relationship's object too."""

    name: str
    value: Any
    type: AttributeType = "Property"
    unit_code: str = ""
    observed_at: datetime | None = None


def type_of(kinds: Kinds, kind: str) -> str | None:
    """Return the entity type of a kind of device; None where its devices are no entities."""
    declared = kinds.get(kind)
    if declared is None:
        return STRUCTURAL_MODELS.get(kind)
    return declared.model or declared.name


def urn_of(entity_type: str, device: str) -> str:
    """Return the id of a device's entity."""
    return f"{URN}:{entity_type}:{device}"


def attributes_of(kinds: Kinds, device: DeviceNow) -> dict[str, EntityAttribute]:
    """Return all that is told of a device, by name; what its sensors should not be believed is left out."""
    kind = kinds.get(device.kind)
    found = [EntityAttribute(name="name", value=device.title or device.name)]
    where = position_of(kind, device)
    if where is not None:
        found.append(
            EntityAttribute(
                name="location", value=where.point, type="GeoProperty", observed_at=where.observed_at
            )
        )
    if device.street or device.district:
        address = {"streetAddress": _first(device.street), "district": _first(device.district)}
        found.append(
            EntityAttribute(name="address", value={part: text for part, text in address.items() if text})
        )
    found.append(EntityAttribute(name="areaServed", value=device.municipality))
    found.append(EntityAttribute(name="dateServiceStarted", value=_date_time(device.installed_at)))
    if kind is not None:
        found += _of_registry(kind, device)
        if device.observed_at is not None:
            marked = suspect(kind, device.quality)
            found += of_reading(kind, device.measurements, marked, device.observed_at)
    return {one.name: one for one in found}


def of_reading(
    kind: Kind, values: Mapping[str, Any], marked: Collection[str], observed_at: datetime
) -> Iterator[EntityAttribute]:
    """Yield what one reading tells, but for where the device was.

    Args:
        kind: of the device.
        values: by measurement.
        marked: measurements that are not to be believed.
        observed_at: when.
    """
    for measurement in kind.measurements:
        value = values.get(measurement.name)
        if value is None or measurement.name in marked or measurement.name in POSITION:
            continue
        called = [one for one in kind.properties if one.of == measurement.name]
        for one in called:
            told = _told(one, value)
            if told is not None:
                yield EntityAttribute(
                    name=one.name, value=told, unit_code=one.unit_code, observed_at=observed_at
                )
        if not any(one.is_whole for one in called):
            yield EntityAttribute(
                name=measurement.name,
                value=value,
                unit_code=UNIT_CODES.get(measurement.unit, ""),
                observed_at=observed_at,
            )


def names_of(kinds: Kinds, kind: str) -> list[str]:
    """Return the names of all attributes that entities of a kind may have."""
    general = ["address", "areaServed", "dateServiceStarted", "location", "name"]
    declared = kinds.get(kind)
    if declared is None:
        return general
    whole = {one.of for one in declared.properties if one.is_whole}
    own = [m.name for m in declared.measurements if m.name not in whole and m.name not in POSITION]
    return sorted({*general, *own, *(one.name for one in declared.properties)})


def type_of_attribute(kinds: Kinds, name: str) -> AttributeType:
    """Return the type that an attribute of this name has."""
    if name == "location":
        return "GeoProperty"
    refers = any(one.name == name and one.refers for kind in kinds.values() for one in kind.properties)
    return "Relationship" if refers else "Property"


def _of_registry(kind: Kind, device: DeviceNow) -> Iterator[EntityAttribute]:
    defaults = {attribute.name: attribute.default for attribute in kind.attributes}
    for one in kind.properties:
        if one.alerts:
            words = (word for rule, word in one.alerts.items() if rule in device.alerts)
            if word := next(words, one.otherwise):
                yield EntityAttribute(name=one.name, value=word)
        elif one.of in defaults:
            value = device.attributes.get(one.of, defaults[one.of])
            told = None if value is None else _told(one, value)
            if told is not None and one.refers:
                yield EntityAttribute(name=one.name, value=urn_of(one.refers, told), type="Relationship")
            elif told is not None:
                yield EntityAttribute(name=one.name, value=told, unit_code=one.unit_code)


def _told(one: ModelProperty, value: Any) -> Any:
    """Return a value as the model writes it, None where it has no word for it."""
    if one.words:
        return one.words.get(str(value).lower() if isinstance(value, bool) else str(value))
    if one.steps:
        number = isinstance(value, int | float)
        return next((word for most, word in one.steps if value <= most), None) if number else None
    if one.factor != 1.0 and isinstance(value, int | float):
        return round(value * one.factor, 9)
    return value


def _first(title: Mapping[str, str]) -> str:
    return title.get("en") or next(iter(title.values()), "")


def _date_time(instant: datetime) -> dict[str, str]:
    return {"@type": "DateTime", "@value": rfc3339(instant)}
