"""The addresses of SensorThings 1.1: the service, and everything below it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse

from alerts.overview.now import DeviceNow, WantedDevices, count_devices, devices_now, every_device
from api.context import AppContext, UsesContext, UsesIdentity
from api.http.problems import Problem
from api.standards.effort import Effort, TooMuch
from api.standards.sensorthings import address as addresses
from api.standards.sensorthings import model
from api.standards.sensorthings.address import OF_KINDS, Address, NoSuchAddress, Segment
from api.standards.sensorthings.answering import EntityWriter, page_of, written
from api.standards.sensorthings.model import NAVIGATION, StaEntity
from api.standards.sensorthings.observations import ObservationReader, TooWide, instants_of
from api.standards.sensorthings.options import BadOption, Options, read
from api.standards.sensorthings.world import World
from devices.instants import MICROSECOND, to_datetime
from people.roles import Permission
from readings import history

router = APIRouter(tags=["sensorthings"])

ROOT = "/sensorthings/v1.1"
CONFORMANCE = [
    f"http://www.opengis.net/spec/iot_sensing/1.1/req/{part}"
    for part in (
        "datamodel",
        "resource-path/resource-path-to-entities",
        "request-data",
    )
]
JSON: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "entities, one of them, a property, or its bare value",
        "content": {"application/json": {"schema": {"type": "object"}}, "text/plain": {"schema": {}}},
    }
}


@router.get(ROOT, summary="The SensorThings service")
async def get_service(request: Request) -> dict[str, Any]:
    """Return the addresses of the sets of entities."""
    root = _root(request)
    return {
        "value": [{"name": name, "url": f"{root}/{name}"} for name in NAVIGATION],
        "serverSettings": {"conformance": CONFORMANCE},
    }


@router.get(
    ROOT + "/{path:path}", responses=JSON, response_class=Response, summary="Entities of SensorThings"
)
async def get_entities(
    request: Request,
    path: Annotated[str, Path(max_length=1000, examples=["Things"])],
    context: UsesContext,
    identity: UsesIdentity,
    asked_filter: Annotated[
        str | None, Query(alias="$filter", max_length=10_000, examples=["result gt 80"])
    ] = None,
    expand: Annotated[str | None, Query(alias="$expand", max_length=4000)] = None,
    select: Annotated[str | None, Query(alias="$select", max_length=1000)] = None,
    orderby: Annotated[str | None, Query(alias="$orderby", max_length=1000)] = None,
    top: Annotated[str | None, Query(alias="$top", max_length=9)] = None,
    skip: Annotated[str | None, Query(alias="$skip", max_length=9)] = None,
    count: Annotated[str | None, Query(alias="$count", max_length=5)] = None,
) -> Response:
    """Return what an address and its options name, as OGC SensorThings 1.1 says (OGC 18-088)."""
    if not path.strip("/"):
        return _json(await get_service(request))
    texts = {
        "$filter": asked_filter, "$expand": expand, "$select": select, "$orderby": orderby, "$top": top,
        "$skip": skip, "$count": count,
    }  # fmt: skip
    try:
        options = read({name: text for name, text in texts.items() if text is not None})
        return await _answer(request, context, identity.towns(Permission.READ), path, options)
    except NoSuchAddress as error:
        raise Problem(404, "not-found", str(error)) from None
    except BadOption as error:
        raise Problem(400, "bad-request", str(error)) from None
    except (TooWide, TooMuch) as error:
        raise Problem(422, "range-too-wide", str(error)) from None


async def _answer(
    request: Request, context: AppContext, within: list[str] | None, path: str, options: Options
) -> Response:
    address = addresses.parse(path)
    now = to_datetime(context.now())
    counted: int | None = None
    if _is_page_of_things(address, options):
        wanted = WantedDevices(within=within)
        async with context.long_query() as connection:
            devices = await devices_now(connection, wanted, limit=options.top + 1, offset=options.skip)
            counted = await count_devices(connection, wanted) if options.count else None
        more, devices = len(devices) > options.top, devices[: options.top]
        paged: bool | None = more
    else:
        devices = await _devices(context, within, address, options)
        paged = None
    effort = Effort(context.long_turn)
    world = World(kinds=context.kinds, devices=devices, check=effort.check)
    reader = ObservationReader(lend=context.past_query, effort=effort, world=world, now=now)
    writer = EntityWriter(world=world, reader=reader, root=_root(request))
    if paged is not None:
        page, is_more = [model.thing(device) for device in devices], paged
    else:
        found = await _resolve(context, effort, world, address)
        if isinstance(found, StaEntity):
            return await _one(writer, found, address, options)
        observed = addresses.set_of(address.segments) == "Observations"
        if observed:
            several = await reader.observed(found, options)
            page, is_more, counted = list(several.page), several.more, several.count
        else:
            page, is_more, counted = await effort.spend(page_of, world, found, options, now)
    if address.links:
        return _json({"value": [{"@iot.selfLink": writer.link(one)} for one in page]})
    body = await writer.collection(
        page, options, more=is_more, count=counted, address=f"{_root(request)}/{path.strip('/')}"
    )
    return _json(body)


def _is_page_of_things(address: Address, options: Options) -> bool:
    """Tell whether the database can page: all Things, by name."""
    return address.segments == (Segment(name="Things"),) and not (options.filter or options.order)


async def _devices(
    context: AppContext, within: list[str] | None, address: Address, options: Options
) -> list[DeviceNow]:
    alone = len(address.segments) == 1 and address.segments[0].name in OF_KINDS
    if alone and not (options.expand or options.filter or options.order):
        return []
    names = None if address.device is None else [address.device]
    wanted = WantedDevices(names=names, within=within)
    return [device async for page in every_device(context.long_query, wanted) for device in page]


async def _resolve(
    context: AppContext, effort: Effort, world: World, address: Address
) -> StaEntity | list[StaEntity]:
    """Return the entity to which an address leads, or the entities; of Observations, their Datastreams.

    Raises:
        NoSuchAddress: it leads to nothing.
    """
    first, *others = address.segments
    if first.id is None:
        named = "Datastreams" if first.name == "Observations" else first.name
        return await effort.spend(list, world.entities(named))
    entity = await _entity(context, effort, world, first)
    for at, segment in enumerate(others):
        target = addresses.set_of(address.segments[: at + 2])
        if target == "Observations":
            alone = entity.set == "Datastreams"
            streams = [entity] if alone else await effort.spend(list, world.entities("Datastreams"))
            if segment.id is None:
                return streams
            observation = Segment(name="Observations", id=segment.id)
            entity = await _entity(context, effort, world, observation)
            continue
        related = await effort.spend(list, world.related(entity, segment.name))
        if segment.name in NAVIGATION and segment.id is None:
            return related
        chosen = [one for one in related if segment.id in (None, one.id)]
        if not chosen:
            raise NoSuchAddress(f"there is no {segment.name} there")
        entity = chosen[0]
    return entity


async def _entity(context: AppContext, effort: Effort, world: World, segment: Segment) -> StaEntity:
    assert segment.id is not None
    missing = NoSuchAddress(f"there is no {segment.name}({segment.id!r})")
    if segment.name != "Observations":
        found = await effort.spend(_by_id, world, segment.name, segment.id)
        if found is None:
            raise missing
        return found
    stream_id = segment.id.rpartition(":")[0]
    stream = await effort.spend(_by_id, world, "Datastreams", stream_id)
    instant = instants_of(segment.id)
    if stream is None or instant is None or stream.device is None or stream.kind is None:
        raise missing
    assert stream.measurement is not None
    async with context.past_query() as connection:
        readings = await history.readings(
            connection,
            stream.kind,
            stream.device.id,
            measurements=[stream.measurement.name],
            start=instant,
            end=instant + MICROSECOND,
            limit=1,
        )
    observation = model.observation(stream, readings[0]) if readings else None
    if observation is None:
        raise missing
    return observation


def _by_id(world: World, named: str, wanted: str) -> StaEntity | None:
    return next((one for one in world.entities(named) if one.id == wanted), None)


async def _one(writer: EntityWriter, found: StaEntity, address: Address, options: Options) -> Response:
    for name in ("$filter", "$orderby", "$top", "$skip", "$count"):
        if name in options.texts:
            raise BadOption(f"{name} is of several entities, and this is one")
    if address.member is None:
        if address.links:
            return _json({"@iot.selfLink": writer.link(found)})
        return _json(await writer.entity(found, options))
    name = address.member
    document = await writer.entity(found, Options())
    named = "@iot.id" if name == "id" else name
    if named not in document:
        raise NoSuchAddress(f"{found.set}({found.id!r}) has no {name!r}")
    if not address.raw:
        return _json({name: document[named]})
    value = written(document[named])
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return PlainTextResponse(text)


def _root(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}{ROOT}"


def _json(body: Any) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")
