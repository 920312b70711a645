"""Entities found: a page of them, and how many there are.

Without conditions the database counts and skips. With them all devices of the types are looked at, a page
after the other, and only those that fit are kept; each page is judged in a thread, all for a bounded time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alerts.overview.now import DeviceNow, count_devices, devices_now, every_device
from api.context import AppContext
from api.http.problems import Problem
from api.standards.effort import Effort, TooMuch
from api.standards.ngsi_ld.asked import Condition, EntityQuery
from api.standards.ngsi_ld.entity import Entity, entity_of
from devices.kinds import Kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityPage:
    """A page of entities. more: others follow. count: how many there are, None where nobody asked."""

    entities: Sequence[Entity]
    more: bool
    count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice:
    """A device and its entity."""

    device: DeviceNow
    entity: Entity


async def find_devices(context: AppContext, asked: EntityQuery, *, limit: int | None) -> list[FoundDevice]:
    """Return the first devices whose entities are asked for, whichever attributes they have now.

    Raises:
        Problem: 422, judging them took too long.
    """
    effort = Effort(context.long_turn)
    found: list[FoundDevice] = []
    async for page in every_device(context.long_query, asked.devices):
        found += await _judged(effort, context.kinds, asked.conditions, page)
        if limit is not None and len(found) >= limit:
            break
    return found[:limit]


async def find(
    context: AppContext, asked: EntityQuery, *, limit: int, offset: int, count: bool
) -> EntityPage:
    """Return the entities from the `offset`th on, `limit` at most.

    Raises:
        Problem: 422, judging them took too long.
    """
    conditions = asked.now
    if not conditions:
        async with context.long_query() as connection:
            page = await devices_now(connection, asked.devices, limit=limit + 1, offset=offset)
            total = await count_devices(connection, asked.devices) if count else None
        entities = [entity_of(context.kinds, device) for device in page]
        return EntityPage(entities=entities[:limit], more=len(entities) > limit, count=total)
    effort = Effort(context.long_turn)
    kept: list[Entity] = []
    seen = 0
    async for several in every_device(context.long_query, asked.devices):
        fitting = await _judged(effort, context.kinds, conditions, several)
        skipped = max(0, offset - seen)
        kept += [one.entity for one in fitting[skipped:]][: limit + 1 - len(kept)]
        seen += len(fitting)
        if len(kept) > limit and not count:
            break
    return EntityPage(entities=kept[:limit], more=len(kept) > limit, count=seen if count else None)


async def _judged(
    effort: Effort, kinds: Kinds, conditions: Sequence[Condition], devices: Sequence[DeviceNow]
) -> list[FoundDevice]:
    try:
        return await effort.spend(_fitting, kinds, conditions, devices, effort.check)
    except TooMuch as error:
        raise Problem(422, "range-too-wide", str(error)) from None


def _fitting(
    kinds: Kinds, conditions: Sequence[Condition], devices: Sequence[DeviceNow], check: Callable[[], None]
) -> list[FoundDevice]:
    found = []
    for device in devices:
        check()
        entity = entity_of(kinds, device)
        if all(condition(entity) for condition in conditions):
            found.append(FoundDevice(device=device, entity=entity))
    return found
