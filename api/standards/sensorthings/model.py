"""The entities of SensorThings, how they are called and hang together, and what devices are among them. Pure.

A device is a Thing with its Location, a measurement of it a Datastream, a kind a Sensor, a measurement of a
kind an ObservedProperty, a value of a reading an Observation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts.overview.now import DeviceNow
from api.standards.positions import Position, position_of
from devices.instants import to_microseconds
from devices.kinds.kind import Kind, Measurement, ValueType
from readings.history import Reading

NAVIGATION: Mapping[str, Mapping[str, str]] = {
    "Things": {
        "Locations": "Locations",
        "HistoricalLocations": "HistoricalLocations",
        "Datastreams": "Datastreams",
    },
    "Locations": {"Things": "Things", "HistoricalLocations": "HistoricalLocations"},
    "HistoricalLocations": {"Thing": "Things", "Locations": "Locations"},
    "Datastreams": {
        "Thing": "Things",
        "Sensor": "Sensors",
        "ObservedProperty": "ObservedProperties",
        "Observations": "Observations",
    },
    "Sensors": {"Datastreams": "Datastreams"},
    "ObservedProperties": {"Datastreams": "Datastreams"},
    "Observations": {"Datastream": "Datastreams", "FeatureOfInterest": "FeaturesOfInterest"},
    "FeaturesOfInterest": {"Observations": "Observations"},
}
"""By set: what each of its entities leads to, and of which set that is. In the singular it is one."""
GEOJSON = "application/geo+json"
OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/"
OBSERVATION_TYPES = {
    ValueType.NUMBER: f"{OM}OM_Measurement",
    ValueType.BOOLEAN: f"{OM}OM_TruthObservation",
    ValueType.TEXT: f"{OM}OM_CategoryObservation",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StaEntity:
    """One entity: its properties as they are told, and what of ours it stands for."""

    set: str
    id: str
    properties: Mapping[str, Any] = field(compare=False)
    device: DeviceNow | None = field(default=None, compare=False)
    kind: Kind | None = field(default=None, compare=False)
    measurement: Measurement | None = field(default=None, compare=False)


def is_one(navigation: str) -> bool:
    """Tell whether a navigation property leads to one entity."""
    return navigation not in NAVIGATION


def thing(device: DeviceNow) -> StaEntity:
    """Return a device as a Thing."""
    more = {
        "kind": device.kind,
        "municipality": device.municipality,
        "district": device.district.get("en"),
        "street": device.street.get("en"),
        "fedBy": device.parent,
        "openAlerts": list(device.alerts),
    }
    properties = {
        "name": device.title or device.name,
        "description": f"{device.kind} {device.name}",
        "properties": {name: value for name, value in more.items() if value is not None},
    }
    return StaEntity(set="Things", id=device.name, properties=properties, device=device)


def location(kind: Kind | None, device: DeviceNow) -> StaEntity | None:
    """Return where a device is, None where nobody knows."""
    where = position_of(kind, device)
    if where is None:
        return None
    properties = {
        "name": device.title or device.name,
        "description": "where the device says that it is" if where.observed_at else "where it was put",
        "encodingType": GEOJSON,
        "location": where.point,
    }
    return StaEntity(set="Locations", id=device.name, properties=properties, device=device, kind=kind)


def historical_location(kind: Kind | None, device: DeviceNow) -> StaEntity | None:
    """Return since when a device has been where it is, None where nobody knows the place."""
    where = position_of(kind, device)
    if where is None:
        return None
    properties = {"time": where.observed_at or device.installed_at}
    return StaEntity(set="HistoricalLocations", id=device.name, properties=properties, device=device)


def feature_of_interest(kind: Kind | None, device: DeviceNow) -> StaEntity | None:
    """Return what the observations of a device are of: the place where it stands."""
    found = location(kind, device)
    if found is None:
        return None
    properties = {
        "name": found.properties["name"],
        "description": "the surroundings of the device",
        "encodingType": GEOJSON,
        "feature": found.properties["location"],
    }
    return StaEntity(
        set="FeaturesOfInterest", id=device.name, properties=properties, device=device, kind=kind
    )


def sensor(kind: Kind) -> StaEntity:
    """Return a kind of devices as a Sensor."""
    properties = {
        "name": kind.title.get("en", kind.name),
        "description": f"devices of the kind {kind.name}",
        "encodingType": "text/plain",
        "metadata": kind.model or kind.name,
    }
    return StaEntity(set="Sensors", id=kind.name, properties=properties, kind=kind)


def observed_property(kind: Kind, measurement: Measurement) -> StaEntity:
    """Return a measurement of a kind as an ObservedProperty."""
    called = next((p.name for p in kind.properties if p.of == measurement.name and p.is_whole), None)
    known = called is not None and kind.model_home
    definition = f"{kind.model_home}{called}" if known else f"urn:nabd:term:{measurement.name}"
    properties = {
        "name": measurement.label.get("en", measurement.name),
        "description": f"{measurement.name} of a {kind.name}",
        "definition": definition,
    }
    return StaEntity(
        set="ObservedProperties",
        id=f"{kind.name}:{measurement.name}",
        properties=properties,
        kind=kind,
        measurement=measurement,
    )


def datastreams(kind: Kind, device: DeviceNow) -> Iterator[StaEntity]:
    """Yield the measurements of a device as Datastreams."""
    where = position_of(kind, device)
    for measurement in kind.measurements:
        yield _datastream(kind, device, measurement, where)


def _datastream(kind: Kind, device: DeviceNow, measurement: Measurement, where: Position | None) -> StaEntity:
    unit = measurement.unit or None
    properties = {
        "name": f"{device.title or device.name}: {measurement.label.get('en', measurement.name)}",
        "description": f"{measurement.name} of {device.name}",
        "observationType": OBSERVATION_TYPES[measurement.type],
        "unitOfMeasurement": {
            "name": unit,
            "symbol": unit,
            "definition": f"http://unitsofmeasure.org/ucum.html#{unit}" if unit else None,
        },
        **({"observedArea": where.point} if where else {}),
        "properties": {"measurement": measurement.name},
    }
    return StaEntity(
        set="Datastreams",
        id=f"{device.name}:{measurement.name}",
        properties=properties,
        device=device,
        kind=kind,
        measurement=measurement,
    )


def observation(stream: StaEntity, reading: Reading) -> StaEntity | None:
    """Return the value of a reading in a Datastream as an Observation, None where it has none."""
    assert stream.measurement is not None
    name = stream.measurement.name
    value = reading.values.get(name)
    if value is None:
        return None
    properties = {
        "phenomenonTime": reading.observed_at,
        "resultTime": reading.observed_at,
        "result": value,
        **({"resultQuality": "suspect"} if name in reading.suspect else {}),
        "parameters": {"receivedAt": reading.received_at},
    }
    return StaEntity(
        set="Observations",
        id=f"{stream.id}:{to_microseconds(reading.observed_at)}",
        properties=properties,
        device=stream.device,
        kind=stream.kind,
        measurement=stream.measurement,
    )
