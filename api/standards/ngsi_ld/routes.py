"""The addresses of NGSI-LD that tell what is now: entities, types, attributes, and the context."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from api.context import UsesContext, UsesIdentity
from api.http.problems import Problem
from api.standards.ngsi_ld import context as names
from api.standards.ngsi_ld.asked import (
    GEOJSON,
    JSON,
    JSON_LD,
    MOST,
    AskedEntities,
    Attrs,
    Format,
    Options,
    accepted,
    context_link,
    context_url,
    entities_of_type,
    how_written,
    one_entity,
)
from api.standards.ngsi_ld.entity import Entity, Written, feature, write
from api.standards.ngsi_ld.finding import find
from api.standards.ngsi_ld.values import type_of_attribute
from devices.kinds import Kinds

router = APIRouter(prefix="/ngsi-ld/v1", tags=["ngsi-ld"])

Urn = Annotated[
    str, Path(max_length=300, examples=["urn:ngsi-ld:WasteContainer:bin-0007"], description="an entity's id")
]
Local = Annotated[bool, Query(description="all that is told here is local")]
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "entities; `application/ld+json` holds its context, others name it in Link",
        "content": {
            JSON: {"schema": {"type": "array", "items": {"type": "object"}}},
            JSON_LD: {"schema": {"type": "array", "items": {"type": "object"}}},
            GEOJSON: {"schema": {"type": "object"}},
        },
    }
}
ONE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "an entity; `application/ld+json` holds its context, others name it in Link",
        "content": {
            JSON: {"schema": {"type": "object"}},
            JSON_LD: {"schema": {"type": "object"}},
            GEOJSON: {"schema": {"type": "object"}},
        },
    }
}
OBJECT: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSON: {"schema": {"type": "object"}}, JSON_LD: {"schema": {"type": "object"}}}}
}
LISTED: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            form: {"schema": {"oneOf": [{"type": "object"}, {"type": "array"}]}} for form in (JSON, JSON_LD)
        }
    }
}


@router.get("/entities", responses=ANSWER, response_class=Response, summary="Query entities")
async def query_entities(
    request: Request,
    context: UsesContext,
    asked: AskedEntities,
    attrs: Attrs = None,
    limit: Annotated[int, Query(ge=0, le=MOST, description="0 with `count` only counts")] = 20,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    count: Annotated[bool, Query(description="say how many there are, in NGSILD-Results-Count")] = False,
    options: Options = None,
    form: Format = None,
    local: Local = True,
) -> Response:
    """Return the devices that are asked for as entities, by name, what is now."""
    how = how_written(request, context.kinds, attrs=attrs, options=options, form=form)
    found = await find(context, asked, limit=limit, offset=offset, count=count)
    headers = {}
    if count:
        headers["NGSILD-Results-Count"] = str(found.count)
    links = []
    if found.more and limit:
        links.append(_page_link(request, "next", offset + limit))
    if offset and limit:
        links.append(_page_link(request, "prev", max(0, offset - limit)))
    return answer(request, _written(request, found.entities, how), headers, links)


@router.get("/entities/{entity}", responses=ONE, response_class=Response, summary="One entity")
async def get_entity(
    request: Request,
    entity: Urn,
    context: UsesContext,
    identity: UsesIdentity,
    attrs: Attrs = None,
    options: Options = None,
    form: Format = None,
    local: Local = True,
) -> Response:
    """Return one device as an entity."""
    how = how_written(request, context.kinds, attrs=attrs, options=options, form=form)
    asked = one_entity(identity, context.kinds, entity)
    found = await find(context, asked, limit=1, offset=0, count=False)
    if not found.entities:
        raise Problem(404, "not-found", f"no entity has the id {entity!r}")
    shown = found.entities[0]
    is_feature = accepted(request) == GEOJSON
    return answer(request, feature(shown, how) if is_feature else write(shown, how))


@router.get("/types", responses=LISTED, response_class=Response, summary="Entity types")
async def list_types(
    request: Request,
    context: UsesContext,
    details: Annotated[bool, Query(description="with the attributes of each")] = False,
    local: Local = True,
) -> Response:
    """Return the types of entities that devices here may have."""
    attributes = names.attributes_of_type(context.kinds)
    if details:
        iris = names.terms(context.kinds)
        return answer(request, [_type(name, iris, listed) for name, listed in attributes.items()])
    body = {"id": "urn:ngsi-ld:EntityTypeList:nabd", "type": "EntityTypeList", "typeList": [*attributes]}
    return answer(request, body)


@router.get("/types/{entity_type}", responses=OBJECT, response_class=Response, summary="One entity type")
async def get_type(
    request: Request,
    entity_type: Annotated[str, Path(max_length=300, examples=["WasteContainer"])],
    context: UsesContext,
    identity: UsesIdentity,
    local: Local = True,
) -> Response:
    """Return one type: its attributes, and how many entities the caller sees."""
    name = names.short_name(context.kinds, entity_type)
    listed = names.attributes_of_type(context.kinds).get(name)
    if listed is None:
        raise Problem(404, "not-found", f"no entity here has the type {entity_type!r}")
    asked = entities_of_type(identity, context.kinds, name)
    found = await find(context, asked, limit=1, offset=0, count=True)
    iris = names.terms(context.kinds)
    details = [_attribute(context.kinds, one, iris) for one in listed]
    body = {**_type(name, iris, listed), "type": "EntityTypeInfo", "entityCount": found.count or 0}
    return answer(request, body | {"attributeDetails": details})


@router.get("/attributes", responses=LISTED, response_class=Response, summary="Attributes of entities")
async def list_attributes(
    request: Request,
    context: UsesContext,
    details: Annotated[bool, Query(description="with the types that have each")] = False,
    local: Local = True,
) -> Response:
    """Return the names of attributes that entities here may have."""
    by_type = names.attributes_of_type(context.kinds)
    every = sorted({name for listed in by_type.values() for name in listed})
    if details:
        iris = names.terms(context.kinds)
        return answer(request, [_attribute(context.kinds, one, iris, by_type) for one in every])
    body = {"id": "urn:ngsi-ld:AttributeList:nabd", "type": "AttributeList", "attributeList": every}
    return answer(request, body)


@router.get("/attributes/{attribute}", responses=OBJECT, response_class=Response, summary="One attribute")
async def get_attribute(
    request: Request,
    attribute: Annotated[str, Path(max_length=300, examples=["fillingLevel"])],
    context: UsesContext,
    local: Local = True,
) -> Response:
    """Return one attribute and the types that have it."""
    name = names.short_name(context.kinds, attribute)
    by_type = names.attributes_of_type(context.kinds)
    if not any(name in listed for listed in by_type.values()):
        raise Problem(404, "not-found", f"no entity here has the attribute {attribute!r}")
    return answer(request, _attribute(context.kinds, name, names.terms(context.kinds), by_type))


@router.get(
    "/context.jsonld",
    responses={200: {"content": {JSON_LD: {"schema": {"type": "object"}}}}},
    response_class=Response,
    summary="The JSON-LD context of our entities",
)
async def get_context(context: UsesContext) -> Response:
    """Return what each short name means, for programs that read JSON-LD; it says nothing of any town."""
    return JSONResponse(names.document(context.kinds), media_type=JSON_LD)


def _written(request: Request, entities: Sequence[Entity], how: Written) -> Any:
    """Return entities as the answer holds them: a list, or a FeatureCollection."""
    if accepted(request) != GEOJSON:
        return [write(one, how) for one in entities]
    return {"type": "FeatureCollection", "features": [feature(one, how) for one in entities]}


def _type(name: str, iris: dict[str, str], attributes: list[str]) -> dict[str, Any]:
    return {"id": iris[name], "type": "EntityType", "typeName": name, "attributeNames": attributes}


def _attribute(
    kinds: Kinds, name: str, iris: dict[str, str], by_type: dict[str, list[str]] | None = None
) -> dict[str, Any]:
    body = {
        "id": iris[name],
        "type": "Attribute",
        "attributeName": name,
        "attributeTypes": [type_of_attribute(kinds, name)],
    }
    if by_type is None:
        return body
    return body | {"typeNames": [one for one, listed in by_type.items() if name in listed]}


def _page_link(request: Request, rel: str, offset: int) -> str:
    url = request.url.include_query_params(offset=offset)
    return f'<{url.path}?{url.query}>; rel="{rel}"; type="{accepted(request)}"'


def answer(
    request: Request, body: Any, headers: dict[str, str] | None = None, links: list[str] | None = None
) -> Response:
    """Return a body of JSON as it was asked for, with the context that it has."""
    media_type = accepted(request)
    if media_type == JSON_LD and isinstance(body, dict):
        body = {"@context": context_url(request), **body}
    named = [*(links or [])]
    if media_type != JSON_LD:
        named.append(context_link(request))
    shown = {**(headers or {}), "Vary": "Accept", **({"Link": ", ".join(named)} if named else {})}
    return Response(msgspec.json.encode(body), media_type=media_type, headers=shown)
