"""The addresses of NGSI-LD that tell what was: the temporal evolution of entities."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.context import UsesContext, UsesIdentity
from api.http.problems import Problem
from api.http.times import Asked
from api.standards.ngsi_ld import past
from api.standards.ngsi_ld.asked import (
    JSON,
    JSON_LD,
    AskedEntities,
    Attrs,
    accepted,
    attribute_names,
    bad_request,
    context_url,
    one_entity,
)
from api.standards.ngsi_ld.finding import find_devices
from api.standards.ngsi_ld.past import EntityPast, WantedPast
from api.standards.ngsi_ld.routes import Local, Urn, answer
from devices.instants import MICROSECOND, rfc3339

router = APIRouter(prefix="/ngsi-ld/v1/temporal", tags=["ngsi-ld"])

MOST_ENTITIES = 20
"""Of one answer: each may bring a thousand readings."""
TimeRelation = Literal["before", "after", "between"]

_CONTENT: dict[str, Any] = {JSON: {"schema": {}}, JSON_LD: {"schema": {}}}
ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "instances of attributes", "content": _CONTENT},
    206: {
        "description": "the first of them; Content-Range says up to which instant: go on with timerel=after",
        "content": _CONTENT,
    },
}


def wanted_past(
    context: UsesContext,
    attrs: Attrs = None,
    timerel: Annotated[TimeRelation | None, Query(description="with timeAt")] = None,
    time_at: Annotated[Asked | None, Query(alias="timeAt")] = None,
    end_time_at: Annotated[Asked | None, Query(alias="endTimeAt", description="of between")] = None,
    last: Annotated[
        int | None, Query(alias="lastN", ge=1, le=1000, description="of each attribute, the newest first")
    ] = None,
    timeproperty: Annotated[
        Literal["observedAt"], Query(description="observedAt is the only one")
    ] = "observedAt",
) -> WantedPast:
    """Return which instances are asked for.

    Raises:
        Problem: 400, the parameters do not fit together.
    """
    named = None if attrs is None else attribute_names(context.kinds, attrs)
    if timerel is None:
        if time_at is not None or end_time_at is not None:
            raise bad_request("timeAt and endTimeAt need timerel: before, after or between")
        return WantedPast(last=last, attrs=named)
    if time_at is None or (timerel == "between") != (end_time_at is not None):
        raise bad_request("timerel needs timeAt; between needs endTimeAt too, the others have none")
    if timerel == "before":
        return WantedPast(end=time_at, last=last, attrs=named)
    start = time_at + MICROSECOND if timerel == "after" else time_at
    if end_time_at is not None and end_time_at <= time_at:
        raise bad_request("endTimeAt: must be after timeAt")
    return WantedPast(start=start, end=end_time_at or past.LAST, last=last, attrs=named)


AskedPast = Annotated[WantedPast, Depends(wanted_past)]
TemporalOptions = Annotated[
    str | None,
    Query(
        max_length=100,
        examples=["temporalValues"],
        description="temporalValues: lists of values with their instants; count: as `count`",
    ),
]
OPTIONS = ("temporalValues", "count")


@router.get("/entities", responses=ANSWER, response_class=Response, summary="Past of entities")
async def query_past(
    request: Request,
    context: UsesContext,
    asked: AskedEntities,
    wanted: AskedPast,
    type: Annotated[str | None, Query(max_length=2000)] = None,  # noqa: A002 - as the standard calls it
    attrs: Attrs = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ENTITIES)] = MOST_ENTITIES,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    options: TemporalOptions = None,
    count: Annotated[bool, Query(description="say how many there are, in NGSILD-Results-Count")] = False,
    local: Local = True,
) -> Response:
    """Return what the entities that are asked for told, of each a thousand readings at most."""
    if type is None and attrs is None:
        raise bad_request("name a type or attributes: all of the past of all entities is never told")
    chosen = _chosen(options)
    count = count or "count" in chosen
    everybody = await find_devices(context, asked, limit=None if count else offset + limit + 1)
    found = everybody[offset:]
    pasts = [
        await past.past_of(context.past_query, context.kinds.get(one.device.kind), one, wanted)
        for one in found[:limit]
    ]
    url = context_url(request) if accepted(request) == JSON_LD else None
    told = [one for one in pasts if one.instances or wanted.attrs is None]
    body = [past.write(one, values_only="temporalValues" in chosen, context=url) for one in told]
    links = []
    if len(found) > limit:
        following = request.url.include_query_params(offset=offset + limit)
        links.append(f'<{following.path}?{following.query}>; rel="next"; type="{accepted(request)}"')
    headers = {"NGSILD-Results-Count": str(len(everybody))} if count else {}
    return _partial(answer(request, body, headers, links), pasts, wanted)


@router.get("/entities/{entity}", responses=ANSWER, response_class=Response, summary="Past of one entity")
async def get_past(
    request: Request,
    entity: Urn,
    context: UsesContext,
    identity: UsesIdentity,
    wanted: AskedPast,
    options: TemporalOptions = None,
    local: Local = True,
) -> Response:
    """Return what one entity told, of a thousand readings at most."""
    asked = one_entity(identity, context.kinds, entity)
    found = await find_devices(context, asked, limit=1)
    if not found:
        raise Problem(404, "not-found", f"no entity has the id {entity!r}")
    kind = context.kinds.get(found[0].device.kind)
    told = await past.past_of(context.past_query, kind, found[0], wanted)
    body = past.write(told, values_only="temporalValues" in _chosen(options), context=None)
    return _partial(answer(request, body), [told], wanted)


def _chosen(options: str | None) -> list[str]:
    chosen = [one.strip() for one in (options or "").split(",") if one.strip()]
    for one in chosen:
        if one not in OPTIONS:
            raise bad_request(f"options: {one!r} is none of {', '.join(OPTIONS)}")
    return chosen


def _partial(response: Response, pasts: list[EntityPast], wanted: WantedPast) -> Response:
    """Say where an answer stops that does not hold everything (6.3.10)."""
    stops = [one.until for one in pasts if one.until is not None]
    if stops:
        response.status_code = 206
        last = max(stops) if wanted.last is not None else min(stops)
        told = [i.observed_at for p in pasts for s in p.instances.values() for i in s if i.observed_at]
        first = (max(told) if wanted.last is not None else min(told)) if told else last
        response.headers["Content-Range"] = f"date-time {rfc3339(first)}-{rfc3339(last)}/*"
    return response
