"""Entities as JSON: what is selected, what is told beside them, and where the rest is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from api.standards.sensorthings.model import NAVIGATION, StaEntity, is_one
from api.standards.sensorthings.observations import ObservationReader, TooWide, fits, in_order
from api.standards.sensorthings.options import BadOption, Options
from api.standards.sensorthings.world import World
from devices.instants import rfc3339

MOST_WRITTEN = 20_000
"""Entities of one answer, those told beside others included."""
BREATH = 100
"""Entities that are written before others get their turn."""


@dataclass
class EntityWriter:
    """Writes the entities of one answer. root: the address of the service."""

    world: World
    reader: ObservationReader
    root: str
    left: int = field(default=MOST_WRITTEN)

    async def entity(self, one: StaEntity, options: Options) -> dict[str, Any]:
        """Return an entity as JSON.

        Raises:
            BadOption: something is selected or expanded that it does not have.
            TooWide: too much would have to be told.
        """
        self.left -= 1
        if self.left < 0:
            raise TooWide(f"more than {MOST_WRITTEN} entities: expand less, or ask for fewer by $top")
        if self.left % BREATH == 0:
            await asyncio.sleep(0)
        navigation = NAVIGATION[one.set]
        chosen = options.select
        self._check(one, options)
        document: dict[str, Any] = {}
        if chosen is None or {"id", "@iot.id"} & set(chosen):
            document["@iot.id"] = one.id
        if chosen is None or "@iot.selfLink" in chosen:
            document["@iot.selfLink"] = self.link(one)
        for name, value in one.properties.items():
            if chosen is None or name in chosen:
                document[name] = written(value)
        for name in navigation:
            if name in options.expand:
                document |= await self._beside(one, name, options.expand[name])
            elif chosen is None or name in chosen:
                document[f"{name}@iot.navigationLink"] = f"{self.link(one)}/{name}"
        return document

    async def collection(
        self, entities: Sequence[StaEntity], options: Options, *, more: bool, count: int | None, address: str
    ) -> dict[str, Any]:
        """Return a page of entities as JSON, with the address of the next one where there is more."""
        document: dict[str, Any] = {}
        if count is not None:
            document["@iot.count"] = count
        if more:
            document["@iot.nextLink"] = next_link(address, options, len(entities))
        document["value"] = [await self.entity(one, options) for one in entities]
        return document

    def link(self, one: StaEntity) -> str:
        """Return the address of an entity."""
        return f"{self.root}/{one.set}('{quote(one.id.replace(chr(39), chr(39) * 2), safe=':')}')"

    async def _beside(self, one: StaEntity, name: str, options: Options) -> dict[str, Any]:
        target = NAVIGATION[one.set][name]
        if is_one(name):
            found = next(self.world.related(one, name), None)
            return {name: None if found is None else await self.entity(found, options)}
        if target == "Observations":
            streams = [one] if one.set == "Datastreams" else list(self.world.related(one, "Datastreams"))
            observed = await self.reader.beside(streams[0], options)
            page, more, count = observed.page, observed.more, observed.count
        else:
            related = self.world.related(one, name)
            spend = self.reader.effort.spend
            page, more, count = await spend(page_of, self.world, related, options, self.reader.now)
        several = await self.collection(
            page, options, more=more, count=count, address=f"{self.link(one)}/{name}"
        )
        beside = {name: several["value"]}
        for annotation in ("@iot.count", "@iot.nextLink"):
            if annotation in several:
                beside[name + annotation] = several[annotation]
        return beside

    def _check(self, one: StaEntity, options: Options) -> None:
        navigation = NAVIGATION[one.set]
        for name in options.expand:
            if name not in navigation:
                raise BadOption(f"$expand: {one.set} have no {name!r}; there are {', '.join(navigation)}")
        known = {"id", "@iot.id", "@iot.selfLink", *_PROPERTIES[one.set], *navigation}
        for name in options.select or ():
            if name not in known:
                raise BadOption(f"$select: {one.set} have no {name!r}; there are {', '.join(sorted(known))}")


_DESCRIBED = ("name", "description")
_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "Things": (*_DESCRIBED, "properties"),
    "Locations": (*_DESCRIBED, "encodingType", "location", "properties"),
    "HistoricalLocations": ("time",),
    "Datastreams": (
        *_DESCRIBED, "observationType", "unitOfMeasurement", "observedArea", "phenomenonTime", "resultTime",
        "properties",
    ),
    "Sensors": (*_DESCRIBED, "encodingType", "metadata", "properties"),
    "ObservedProperties": (*_DESCRIBED, "definition", "properties"),
    "Observations": ("phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters"),
    "FeaturesOfInterest": (*_DESCRIBED, "encodingType", "feature", "properties"),
}  # fmt: skip
"""What the standard knows of each set, also where we have nothing to tell."""


def page_of(
    world: World, entities: Iterable[StaEntity], options: Options, now: datetime
) -> tuple[list[StaEntity], bool, int | None]:
    """Return a page of entities, whether others follow, and how many there are where that is asked."""
    fitting = (one for one in entities if fits(world, one, options.filter, now))
    if options.order or options.count:
        found = in_order(world, list(fitting), options, now)
        page = found[options.skip : options.skip + options.top]
        more = len(found) > options.skip + options.top
        return page, more, len(found) if options.count else None
    page = list(islice(fitting, options.skip, options.skip + options.top + 1))
    return page[: options.top], len(page) > options.top, None


def next_link(address: str, options: Options, told: int) -> str:
    """Return the address of the page after one of `told` entities."""
    asked = {**options.texts, "$top": str(options.top), "$skip": str(options.skip + told)}
    query = "&".join(f"{name}={quote(text, safe='')}" for name, text in asked.items())
    return f"{address}?{query}"


def written(value: Any) -> Any:
    """Return a property as JSON has it."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        return {name: written(one) for name, one in value.items()}
    return value
