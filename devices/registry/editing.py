"""Changes of a registered device: edited, moved below another parent, retired, put back into service.

Each change is one transaction that ends by advancing the generation. Must not know HTTP, MQTT or files.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.registry import generation
from devices.registry.errors import Conflict, Invalid
from devices.registry.ground import located
from devices.registry.ground.feature import AUTO, set_by_hand
from devices.registry.hardware import set_serial
from devices.registry.life import check_installed_at
from devices.registry.new_device import NewDevice, check
from devices.registry.registration import fields_of, find_parents, municipalities_by_name, placed
from devices.registry.registry import Device, get_device
from devices.registry.relays import keep_relays, parent_as_relay, refuse_circle
from devices.suggestion import meant
from store import audit
from store.audit import Actor, AuditedChange
from store.connection import Connection

FIELDS = (
    *("municipality", "parent", "title", "titles", "lat", "lon", "attributes"),
    *("installed_at", "relays", "serial", "district"),
)
"""What can change. Name and kind cannot, since readings are stored by them."""

ON_GROUND = frozenset({"municipality", "lat", "lon", "district"})
"""What decides about district and street."""

REASON_LIMIT = 500

_MOVED = "INSERT INTO device_move (device_id, moved_at, municipality_id) VALUES ($1, $2, $3)"

_UPDATE = """
UPDATE device SET
    municipality_id = $2, parent_id = $3, title = $4, lat = $5, lon = $6, attributes = $7,
    installed_at = $10, titles = $11, version = version + 1, updated_at = $8,
    moved_at = CASE WHEN municipality_id = $2 THEN moved_at ELSE $8 END
WHERE id = $1 AND version = $9
RETURNING version
"""


async def edit_device(
    connection: Connection,
    kinds: Kinds,
    name: str,
    changes: Mapping[str, Any],
    *,
    version: int | None = None,
    now: Now,
    by: Actor,
) -> Device:
    """Change a device.

    Args:
        connection: the database.
        kinds: the declared kinds.
        name: the device.
        changes: values by field, of FIELDS; attributes are merged, one set to None is taken away, and so are
            titles, where an empty one goes. A device
            whose installed_at becomes None is planned again; a district set to None is found from the
            position again.
        version: refuse if the device is no longer at this version.
        now: the clock.
        by: who.

    Raises:
        NotFound: no device has that name.
        Conflict: it changed since the given version was read.
        Invalid: a field is not acceptable, or names something that does not exist.
    """
    async with connection.transaction():
        device = await get_device(connection, name)
        if version is not None and device.version != version:
            raise _stale(name)
        async with grounded(connection, [(device, changes)]):
            await change_device(connection, kinds, device, changes, now)
        edited = await get_device(connection, name)
        await audit.record_many(connection, edits(device, edited), by=by, now=now())
        await generation.advance(connection)
    return edited


@asynccontextmanager
async def grounded(
    connection: Connection, edits: Iterable[tuple[Device, Mapping[str, Any]]]
) -> AsyncIterator[None]:
    """Keep district and street of devices right that are changed within, in the caller's transaction.

    Raises:
        Invalid: field `district`: there is none of that code where the device then stands.
    """
    moving = [(device, changes) for device, changes in edits if ON_GROUND & changes.keys()]
    if moving:
        here = {device.municipality for device, _ in moving}
        there = {changes["municipality"] for _, changes in moving if "municipality" in changes}
        await located.hold(connection, here | there)
    yield
    await located.settle(
        connection,
        {
            device.id: (changes["district"] or AUTO) if "district" in changes else None
            for device, changes in moving
        },
    )


async def change_device(
    connection: Connection, kinds: Kinds, device: Device, changes: Mapping[str, Any], now: Now
) -> Device:
    """Do what `edit_device` does within the caller's transaction.

    That is to record it in the audit and to advance the generation.

    Within `grounded`, which keeps the district right.

    Raises:
        Conflict: it changed since `device` was read.
        Invalid: a field is not acceptable, or names something that does not exist.
    """
    changed = _changed(device, changes)
    check(kinds, _as_new(changed))
    if changed.municipality != device.municipality:
        await _refuse_left_children(connection, device)
    named = {name for name in (device.parent, changed.parent, *changed.relays) if name is not None}
    parents = await find_parents(connection, named)
    # A gateway given as the parent takes the place of the gateways before, as a parent would.
    before = changed.relays if "relays" in changes or "parent" not in changes else ()
    wanted = parent_as_relay(replace(_as_new(changed), relays=before), parents, fed_by=device.parent)
    if wanted.parent == changed.parent:
        wanted = _as_new(changed)
    stays = device.relays if changed.municipality == device.municipality else ()
    at = placed(wanted, await municipalities_by_name(connection), parents, stays)
    await refuse_circle(connection, replace(at, id=device.id), [parents[name].id for name in at.relays])
    moment = to_datetime(now())
    check_installed_at(changes.get("installed_at"), moment)
    version = await connection.fetchval(
        _UPDATE,
        device.id,
        at.municipality_id,
        at.parent_id,
        at.title,
        at.lat,
        at.lon,
        at.attributes,
        moment,
        device.version,
        at.installed_at,
        dict(at.titles),
    )
    if version is None:
        raise _stale(device.name)
    if at.relays != device.relays:
        await keep_relays(connection, [replace(at, id=device.id)], parents, new=False)
    if at.serial != device.serial:
        await set_serial(connection, device, at.serial)
    if at.municipality_id != device.municipality_id:
        await connection.execute(_MOVED, device.id, moment, device.municipality_id)
    return replace(
        at,
        id=device.id,
        wire_name=device.wire_name,
        replaced=device.replaced,
        version=version,
        retired_at=device.retired_at,
        retired_reason=device.retired_reason,
    )


def edits(before: Device, after: Device) -> list[AuditedChange]:
    """Return what the audit is to have of a device's change: a move stands in both municipalities."""
    old, new = audit.differing(fields_of(before), fields_of(after))
    where = dict.fromkeys((before.municipality_id, after.municipality_id))
    action = "device.edit" if len(where) == 1 else "device.move"
    return [
        AuditedChange(municipality=number, action=action, subject=after.name, before=old, after=new)
        for number in where
    ]


def _changed(device: Device, changes: Mapping[str, Any]) -> Device:
    for unknown in changes.keys() - set(FIELDS):
        raise Invalid(unknown, f"cannot be changed; {meant(unknown, FIELDS)}")
    attributes = {**device.attributes, **(changes.get("attributes") or {})}
    relays = tuple(sorted({*changes.get("relays", device.relays)}))
    titles = {**device.titles, **(changes.get("titles") or {})}
    changed = replace(device, **{**changes, "attributes": attributes, "relays": relays, "titles": titles})
    if "district" in changes:
        code = set_by_hand(changes["district"])
    else:
        stays = device.district_by_hand and changed.municipality == device.municipality
        code = device.district if stays else None
    return replace(changed, district=code, district_by_hand=code is not None)


def _as_new(device: Device) -> NewDevice:
    return NewDevice(
        name=device.name,
        kind=device.kind,
        municipality=device.municipality,
        parent=device.parent,
        title=device.title,
        titles=device.titles,
        lat=device.lat,
        lon=device.lon,
        attributes=device.attributes,
        installed_at=device.installed_at,
        planned=device.installed_at is None,
        relays=device.relays,
        serial=device.serial,
        district=device.district,
    )


def _stale(name: str) -> Conflict:
    return Conflict(f"device {name!r} was changed meanwhile; read it again, then decide")


_CHILDREN = """
SELECT device.name FROM hangs_on
INNER JOIN device ON hangs_on.device_id = device.id
WHERE hangs_on.parent_id = $1 AND (hangs_on.alone OR $2) AND device.retired_at IS NULL
ORDER BY device.name
LIMIT 3
"""


async def _refuse_left_children(connection: Connection, device: Device) -> None:
    children = [row["name"] for row in await connection.fetch(_CHILDREN, device.id, True)]
    if children:
        raise Invalid(
            "municipality",
            f"{', '.join(children)} stand below {device.name!r}: give them another parent first",
        )


_RETIRE = """
UPDATE device SET
    retired_at = $2, retired_reason = $3, version = version + 1, updated_at = $2
WHERE name = $1 AND retired_at IS NULL
RETURNING id
"""

_REINSTATE = """
UPDATE device SET
    retired_at = NULL, retired_reason = NULL, version = version + 1, updated_at = $2
WHERE name = $1 AND retired_at IS NOT NULL
RETURNING id
"""


async def retire_device(connection: Connection, name: str, reason: str, now: Now, *, by: Actor) -> Device:
    """Take a device out of service; its readings stay, those it sends from now on are rejected.

    Raises:
        NotFound: no device has that name.
        Conflict: it is retired already.
        Invalid: no reason is given, or devices in service hang on it alone.
    """
    if not reason.strip() or len(reason) > REASON_LIMIT or "\x00" in reason:
        raise Invalid("reason", f"say why it is retired, in at most {REASON_LIMIT} characters")
    async with connection.transaction():
        device = await get_device(connection, name)
        children = [row["name"] for row in await connection.fetch(_CHILDREN, device.id, False)]
        if children:
            raise Invalid("parent", f"{', '.join(children)} stand below {name!r}: retire or move them first")
        return await _switch(connection, _RETIRE, device, now, reason.strip(), by=by)


async def reinstate(connection: Connection, name: str, now: Now, *, by: Actor) -> Device:
    """Put a retired device back into service.

    Raises:
        NotFound: no device has that name.
        Conflict: it is in service.
    """
    async with connection.transaction():
        device = await get_device(connection, name)
        return await _switch(connection, _REINSTATE, device, now, by=by)


async def _switch(
    connection: Connection,
    statement: str,
    before: Device,
    now: Now,
    *more: str,
    by: Actor,
) -> Device:
    retiring = statement == _RETIRE
    if await connection.fetchval(statement, before.name, to_datetime(now()), *more) is None:
        raise Conflict(f"device {before.name!r} is {'retired' if retiring else 'in service'} already")
    device = await get_device(connection, before.name)
    names = ("retired_at", "retired_reason")
    await audit.record(
        connection,
        by=by,
        municipality=device.municipality_id,
        action=f"device.{'retire' if retiring else 'reinstate'}",
        subject=device.name,
        before={name: getattr(before, name) for name in names},
        after={name: getattr(device, name) for name in names},
        now=now(),
    )
    await generation.advance(connection)
    return device
