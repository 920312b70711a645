"""Which entities are asked for, and how they are to be written, from the parameters of a request."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Query, Request

from alerts.overview.now import WantedDevices
from api.context import UsesContext, UsesIdentity
from api.http.problems import Problem
from api.standards.ngsi_ld import context as names
from api.standards.ngsi_ld import geography, query
from api.standards.ngsi_ld.entity import Entity, Representation, Written
from api.standards.ngsi_ld.geography import BadGeoquery
from api.standards.ngsi_ld.patterns import BadPattern, Pattern
from api.standards.ngsi_ld.query import BadQuery
from api.standards.ngsi_ld.values import URN
from devices.kinds import Kinds
from people.identity import Identity
from people.roles import Permission

JSON, JSON_LD, GEOJSON = "application/json", names.JSON_LD, "application/geo+json"
CONTEXT_PATH = "/ngsi-ld/v1/context.jsonld"
MOST = 1000

Condition = Callable[[Entity], bool]

Types = Annotated[
    str | None, Query(max_length=2000, description="entity types, separated by commas or |; names or IRIs")
]
Attrs = Annotated[
    str | None,
    Query(max_length=2000, description="only these attributes, and only entities that have one of them"),
]
Options = Annotated[
    str | None,
    Query(max_length=200, description="of keyValues, concise, sysAttrs, separated by commas"),
]
Format = Annotated[
    str | None, Query(alias="format", max_length=20, description="normalized, concise, simplified")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityQuery:
    """Which entities are asked for.

    devices: who may be one. conditions: what its entity must fulfil. attrs: what it must have one of, now;
    None: anything.
    """

    devices: WantedDevices
    conditions: Sequence[Condition] = field(default=())
    attrs: Collection[str] | None = None

    @property
    def now(self) -> Sequence[Condition]:
        """All conditions, for entities as they are."""
        if self.attrs is None:
            return self.conditions
        wanted = frozenset(self.attrs)
        return [*self.conditions, lambda entity: not wanted.isdisjoint(entity.attributes)]


def asked_entities(
    context: UsesContext,
    identity: UsesIdentity,
    type: Types = None,  # noqa: A002 - as the standard calls it
    id: Annotated[  # noqa: A002 - as the standard calls it
        str | None, Query(max_length=8000, description="URNs, separated by commas")
    ] = None,
    id_pattern: Annotated[
        str | None, Query(alias="idPattern", max_length=200, description="a regular expression")
    ] = None,
    attrs: Attrs = None,
    q: Annotated[
        str | None,
        Query(max_length=2000, examples=["fillingLevel>0.8"], description="the query language of NGSI-LD"),
    ] = None,
    georel: Annotated[
        str | None, Query(max_length=60, examples=["near;maxDistance==500"], description="a relation")
    ] = None,
    geometry: Annotated[str | None, Query(max_length=20, examples=["Point"])] = None,
    coordinates: Annotated[str | None, Query(max_length=60_000, examples=["[35.84,34.43]"])] = None,
    geoproperty: Annotated[str, Query(max_length=20, description="location is the only one")] = "location",
) -> EntityQuery:
    """Return which entities are asked for.

    Raises:
        Problem: 400, a parameter cannot be understood.
    """
    conditions: list[Condition] = []
    ids = _listed(id)
    if ids:
        chosen = frozenset(ids)
        conditions.append(lambda entity: entity.id in chosen)
    if id_pattern is not None:
        conditions.append(_pattern(id_pattern))
    if q is not None:
        conditions.append(_query(context.kinds, q))
    if georel is not None or geometry is not None or coordinates is not None:
        conditions.append(_geography(georel, geometry, coordinates, geoproperty))
    return EntityQuery(
        devices=WantedDevices(
            kinds=_kinds(context.kinds, type),
            names=[_device_of(one) for one in ids] if ids else None,
            within=identity.towns(Permission.READ),
        ),
        conditions=conditions,
        attrs=None if attrs is None else attribute_names(context.kinds, attrs),
    )


AskedEntities = Annotated[EntityQuery, Depends(asked_entities)]


def one_entity(identity: Identity, kinds: Kinds, urn: str) -> EntityQuery:
    """Return the query for one entity."""
    known = sorted(kind for behind in names.kinds_of_type(kinds).values() for kind in behind)
    return EntityQuery(
        devices=WantedDevices(kinds=known, names=[_device_of(urn)], within=identity.towns(Permission.READ)),
        conditions=[lambda entity: entity.id == urn],
    )


def entities_of_type(identity: Identity, kinds: Kinds, name: str) -> EntityQuery:
    """Return the query for all entities of a type, by its short name."""
    within = identity.towns(Permission.READ)
    return EntityQuery(devices=WantedDevices(kinds=_kinds(kinds, name), within=within))


def attribute_names(kinds: Kinds, attrs: str) -> frozenset[str]:
    """Return the short names of attributes that are listed."""
    return frozenset(names.short_name(kinds, one) for one in _listed(attrs))


def accepted(request: Request) -> str:
    """Return the media type of the answer, by Accept: JSON where it names none of ours."""
    for part in request.headers.get("accept", "").split(","):
        wanted = part.split(";")[0].strip().lower()
        if wanted in (JSON, JSON_LD, GEOJSON):
            return wanted
    return JSON


def context_url(request: Request) -> str:
    """Return where the context of our entities can be fetched."""
    return f"{request.url.scheme}://{request.url.netloc}{CONTEXT_PATH}"


def context_link(request: Request) -> str:
    """Return the Link header that names the context, for answers that do not hold it."""
    return f'<{context_url(request)}>; rel="{names.REL}"; type="{JSON_LD}"'


def how_written(
    request: Request, kinds: Kinds, *, attrs: str | None, options: str | None, form: str | None
) -> Written:
    """Return how entities are to be written.

    Raises:
        Problem: 400, there is no such option or format.
    """
    chosen = _listed(options)
    known = ("keyValues", "simplified", "concise", "normalized", "sysAttrs")
    for one in chosen:
        if one not in known:
            raise bad_request(f"options: {one!r} is none of {', '.join(known)}")
    if form is not None:
        chosen.append(form)
    representation = Representation.NORMALIZED
    for one in chosen:
        if one in ("keyValues", "simplified"):
            representation = Representation.SIMPLIFIED
        elif one in ("concise", "normalized"):
            representation = Representation(one)
        elif one != "sysAttrs":
            raise bad_request(f"format: {one!r} is none of normalized, concise, simplified")
    return Written(
        representation=representation,
        attrs=None if attrs is None else attribute_names(kinds, attrs),
        system="sysAttrs" in chosen,
        context=context_url(request) if accepted(request) == JSON_LD else None,
    )


def bad_request(detail: str) -> Problem:
    """Return the problem of a request that cannot be understood (BadRequestData of the standard)."""
    return Problem(400, "bad-request", detail)


def _listed(text: str | None) -> list[str]:
    return [one.strip() for one in (text or "").split(",") if one.strip()]


def _kinds(kinds: Kinds, types: str | None) -> list[str]:
    behind = names.kinds_of_type(kinds)
    if types is None:
        return sorted(kind for several in behind.values() for kind in several)
    wanted = [names.short_name(kinds, one.strip("() ")) for one in re.split(r"[,|]", types)]
    return sorted({kind for one in wanted for kind in behind.get(one, [])})


def _device_of(urn: str) -> str:
    """Return the device of an entity's id; what is no such id is nobody's name."""
    parts = urn.split(":", 3)
    return parts[3] if len(parts) == 4 and ":".join(parts[:2]) == URN else ""


def _pattern(pattern: str) -> Condition:
    try:
        wanted = Pattern(pattern)
    except BadPattern as error:
        raise bad_request(f"idPattern: {error}") from None
    return lambda entity: wanted.begins(entity.id)


def _query(kinds: Kinds, q: str) -> Condition:
    try:
        condition = query.condition(q, lambda name: names.short_name(kinds, name))
    except BadQuery as error:
        raise bad_request(str(error)) from None
    return lambda entity: condition(entity.attributes)


def _geography(
    georel: str | None, geometry: str | None, coordinates: str | None, geoproperty: str
) -> Condition:
    if georel is None or geometry is None or coordinates is None:
        raise bad_request("a geoquery needs georel, geometry and coordinates")
    if geoproperty != "location":
        raise bad_request("geoproperty: location is the only one")
    try:
        condition = geography.condition(georel, geometry, coordinates)
    except BadGeoquery as error:
        raise bad_request(str(error)) from None

    def fits(entity: Entity) -> bool:
        where = entity.attributes.get("location")
        return where is not None and condition(where.value)

    return fits
