"""The entities of one request: those of the devices that the caller sees, and where each of them leads.

Observations are not here: they are read where they are asked for (`observations`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from alerts.overview.now import DeviceNow
from api.standards.sensorthings import model
from api.standards.sensorthings.evaluate import Find
from api.standards.sensorthings.model import NAVIGATION, StaEntity, is_one
from api.standards.sensorthings.options import BadOption
from devices.kinds import Kinds


@dataclass(frozen=True, kw_only=True)
class World:
    """Devices and kinds as SensorThings has them. check: raises where looking at them takes too long."""

    kinds: Kinds
    devices: Sequence[DeviceNow]
    check: Callable[[], None]

    @cached_property
    def _by_kind(self) -> dict[str, list[DeviceNow]]:
        found: dict[str, list[DeviceNow]] = {}
        for device in self.devices:
            found.setdefault(device.kind, []).append(device)
        return found

    def entities(self, named: str) -> Iterator[StaEntity]:
        """Yield every entity of a set, Observations excepted."""
        match named:
            case "Sensors":
                yield from map(model.sensor, self.kinds.values())
            case "ObservedProperties":
                for kind in self.kinds.values():
                    yield from (model.observed_property(kind, one) for one in kind.measurements)
            case _:
                for device in self.devices:
                    yield from self._of_device(named, device)

    def related(self, entity: StaEntity, navigation: str) -> Iterator[StaEntity]:
        """Yield what an entity leads to by a navigation property, Observations excepted.

        Raises:
            BadOption: it has no such property.
        """
        target = NAVIGATION[entity.set].get(navigation)
        if target is None:
            known = ", ".join(NAVIGATION[entity.set])
            raise BadOption(f"{entity.set} have no {navigation!r}; there are {known}")
        if target == "Sensors" and entity.kind is not None:
            yield model.sensor(entity.kind)
        elif target == "ObservedProperties" and entity.kind is not None and entity.measurement is not None:
            yield model.observed_property(entity.kind, entity.measurement)
        elif entity.device is not None:
            for one in self._of_device(target, entity.device):
                if entity.set != "Observations" or target != "Datastreams" or _same(one, entity):
                    yield one
        elif entity.kind is not None:
            for device in self._by_kind.get(entity.kind.name, []):
                for one in self._of_device(target, device):
                    if entity.measurement is None or _same(one, entity):
                        yield one

    def seen_from(self, entity: StaEntity) -> Find:
        """Return what finds the values of paths, each once, as `values` does."""
        return cache(lambda path: self.values(entity, path))

    def values(self, entity: StaEntity, path: tuple[str, ...]) -> list[Any]:
        """Return the values of a path, seen from an entity.

        Raises:
            BadOption: an entity on the way has no such property.
        """
        here = [entity]
        for at, part in enumerate(path):
            if part not in NAVIGATION[here[0].set if here else entity.set] and here:
                return [_value(one, path[at:]) for one in here]
            if part == "Observations":
                raise BadOption(
                    "Observations of others cannot be filtered by: ask Datastreams(…)/Observations"
                )
            if not here:
                return []
            here = list(dict.fromkeys(one for many in here for one in self.related(many, part)))
        raise BadOption(f"{'/'.join(path)} leads to entities: name a property of theirs")

    def _of_device(self, named: str, device: DeviceNow) -> Iterator[StaEntity]:
        self.check()
        kind = self.kinds.get(device.kind)
        match named:
            case "Things":
                yield model.thing(device)
            case "Locations":
                yield from _present(model.location(kind, device))
            case "HistoricalLocations":
                yield from _present(model.historical_location(kind, device))
            case "FeaturesOfInterest":
                yield from _present(model.feature_of_interest(kind, device))
            case "Datastreams" if kind is not None:
                yield from model.datastreams(kind, device)


def one_of(world: World, entity: StaEntity, navigation: str) -> StaEntity | None:
    """Return the one entity that another one leads to, None where it leads to none."""
    assert is_one(navigation)
    return next(world.related(entity, navigation), None)


def _present(entity: StaEntity | None) -> Iterator[StaEntity]:
    if entity is not None:
        yield entity


def _same(one: StaEntity, other: StaEntity) -> bool:
    return one.measurement == other.measurement


def _value(entity: StaEntity, path: tuple[str, ...]) -> Any:
    name, *deeper = path
    if name in ("id", "@iot.id"):
        return entity.id
    if name == "@iot.selfLink":
        return None
    value: Any = entity.properties.get(name)
    if name not in entity.properties and name not in _OPTIONAL:
        known = ", ".join(["id", *entity.properties])
        raise BadOption(f"{entity.set} have no property {name!r}; there are {known}")
    for part in deeper:
        value = value.get(part) if isinstance(value, dict) else None
    return value


_OPTIONAL = {
    "properties",
    "observedArea",
    "phenomenonTime",
    "resultTime",
    "resultQuality",
    "validTime",
    "parameters",
}
"""What an entity may lack: filtered by, it is null."""
