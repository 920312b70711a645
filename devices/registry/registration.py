"""Registering devices, one or a hundred thousand, each below its parent.

One transaction, which ends by advancing the generation. Changes of a registered device are in `editing`.
Must not know HTTP, MQTT or files.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from devices.instants import Now, to_datetime
from devices.kinds import Kinds
from devices.registry import generation
from devices.registry.bans import refuse_banned
from devices.registry.errors import AlreadyExists, Invalid
from devices.registry.ground import located
from devices.registry.ground.feature import set_by_hand
from devices.registry.hardware import check_serial, insert_hardware
from devices.registry.life import check_installed_at
from devices.registry.new_device import NewDevice, Parent, check, check_parent, find_municipality
from devices.registry.placement import check_near
from devices.registry.registry import Device, Municipality, get_device, list_municipalities
from devices.registry.relays import check_relays, keep_relays, parent_as_relay
from store import audit
from store.audit import Actor, AuditedChange
from store.connection import Connection

__all__ = [
    "NewDevice",
    "add_device",
    "add_devices",
    "additions",
    "fields_of",
    "find_parents",
    "insert_devices",
    "municipalities_by_name",
    "placed",
]

INSERTED_AT_ONCE = 2_000


_PARENTS = """
SELECT d.name, d.id, d.kind, m.name AS municipality, d.retired_at IS NOT NULL AS retired
FROM device AS d
INNER JOIN municipality AS m ON d.municipality_id = m.id
WHERE d.name = ANY($1)
FOR SHARE OF d
"""

_INSERT = """
INSERT INTO device (
    name, municipality_id, kind, parent_id, title, titles, lat, lon, attributes, installed_at,
    created_at, updated_at
)
SELECT r.name, r.municipality_id, r.kind, r.parent_id, r.title, r.titles, r.lat, r.lon, r.attributes,
    r.installed_at, $10, $10
FROM unnest(
    $1::text [], $2::integer [], $3::text [], $4::integer [], $5::text [], $6::float8 [], $7::float8 [],
    $8::jsonb [], $9::timestamptz [], $11::jsonb []
) WITH ORDINALITY AS r (
    name, municipality_id, kind, parent_id, title, lat, lon, attributes, installed_at, titles, position
)
ORDER BY r.position
ON CONFLICT (name) DO NOTHING
RETURNING id, name
"""


async def add_device(connection: Connection, kinds: Kinds, new: NewDevice, now: Now, *, by: Actor) -> Device:
    """Register one device.

    Raises:
        AlreadyExists: the name is taken, perhaps by a retired device.
        Invalid: a field is not acceptable, or names something that does not exist.
        Conflict: a name is banned.
    """
    await add_devices(connection, kinds, [new], now, by=by)
    return await get_device(connection, new.name)


async def add_devices(
    connection: Connection, kinds: Kinds, new: Sequence[NewDevice], now: Now, *, by: Actor
) -> list[Device]:
    """Register many devices at once, all or none; a parent may be among them, before its children.

    Those returned do not say yet in which district and street they stand.

    Raises:
        AlreadyExists: a name is taken, or given twice.
        Invalid: a field is not acceptable, or names something that does not exist.
        Conflict: a name is banned.
    """
    async with connection.transaction():
        added = await insert_devices(connection, kinds, new, now)
        if added:
            await audit.record_many(connection, additions(added), by=by, now=now())
            await generation.advance(connection)
    return added


async def insert_devices(
    connection: Connection,
    kinds: Kinds,
    new: Sequence[NewDevice],
    now: Now,
    *,
    on_progress: Callable[[int], None] = lambda _: None,
) -> list[Device]:
    """Do what `add_devices` does within the caller's transaction.

    That is to record it in the audit and to advance the generation.

    `on_progress` is called with how many more are registered.

    Raises:
        AlreadyExists: a name is taken, or given twice.
        Invalid: a field is not acceptable, or names something that does not exist.
        Conflict: a name is banned.
    """
    for one in new:
        check(kinds, one)
    _refuse_repeats(new)
    await refuse_banned(connection, [one.name for one in new])
    added: dict[str, Device] = {}
    municipalities = await municipalities_by_name(connection)
    on_ground = [one for one in new if one.lat is not None or one.district is not None]
    if on_ground:
        await located.hold(connection, {one.municipality for one in on_ground})
    for level in _levels(new):
        for start in range(0, len(level), INSERTED_AT_ONCE):
            several = level[start : start + INSERTED_AT_ONCE]
            added |= await _insert(connection, municipalities, several, now)
            on_progress(len(several))
    await located.settle(connection, {added[one.name].id: one.district for one in on_ground})
    return [added[one.name] for one in new]


def additions(devices: Sequence[Device]) -> list[AuditedChange]:
    """Return what the audit is to have of registered devices, one change each."""
    return [
        AuditedChange(municipality=d.municipality_id, action="device.add", subject=d.name, after=fields_of(d))
        for d in devices
    ]


_NOT_SAID = frozenset(
    {
        *("id", "name", "municipality_id", "parent_id", "version", "retired_at", "retired_reason"),
        *("wire_name", "replaced"),
        *("district_title", "district_by_hand", "street", "street_title"),
    }
)


def fields_of(device: Device) -> dict[str, Any]:
    """Return the fields of a device that people enter, and that have a value."""
    said = {
        field.name: getattr(device, field.name) for field in fields(Device) if field.name not in _NOT_SAID
    }
    if not device.district_by_hand:
        del said["district"]  # its position says it, or will
    return {name: value for name, value in said.items() if value not in (None, "", {}, ())}


def _refuse_repeats(new: Sequence[NewDevice]) -> None:
    seen: set[str] = set()
    serials: dict[str, str] = {}
    for one in new:
        if one.name in seen:
            raise AlreadyExists("device", one.name, "it stands twice among those to register")
        seen.add(one.name)
        if one.serial is not None and serials.setdefault(one.serial, one.name) != one.name:
            raise Invalid("serial", f"{one.serial!r} is that of {serials[one.serial]} and of {one.name}")


def _levels(new: Sequence[NewDevice]) -> list[list[NewDevice]]:
    """Split so that parents among the new devices come a level before their children."""
    waiting = {one.name: one for one in new}
    levels: list[list[NewDevice]] = []
    while waiting:
        level = [one for one in waiting.values() if waiting.keys().isdisjoint((one.parent, *one.relays))]
        if not level:
            raise Invalid(
                "parent", f"{', '.join(sorted(waiting)[:5])} are below each other, or relay each other"
            )
        for one in level:
            del waiting[one.name]
        levels.append(level)
    return levels


async def municipalities_by_name(connection: Connection) -> dict[str, Municipality]:
    """Return every municipality by name."""
    return {m.name: m for m in await list_municipalities(connection)}


async def _insert(
    connection: Connection, municipalities: Mapping[str, Municipality], new: Sequence[NewDevice], now: Now
) -> dict[str, Device]:
    parents = await find_parents(connection, {n for one in new for n in (one.parent, *one.relays) if n})
    moment = to_datetime(now())
    devices = [_installed(placed(one, municipalities, parents), one, moment) for one in new]
    rows = await connection.fetch(
        _INSERT,
        [d.name for d in devices],
        [d.municipality_id for d in devices],
        [d.kind for d in devices],
        [d.parent_id for d in devices],
        [d.title for d in devices],
        [d.lat for d in devices],
        [d.lon for d in devices],
        [d.attributes for d in devices],
        [d.installed_at for d in devices],
        moment,
        [dict(d.titles) for d in devices],
    )
    ids = {row["name"]: row["id"] for row in rows}
    for device in devices:
        if device.name not in ids:
            hint = f"`nabd device show {device.name}` shows it, `nabd device edit` changes it"
            raise AlreadyExists("device", device.name, hint)
    made = [replace(device, id=ids[device.name], wire_name=device.name) for device in devices]
    await insert_hardware(connection, made, moment)
    await keep_relays(connection, made, parents, new=True)
    return {device.name: device for device in made}


def _installed(device: Device, new: NewDevice, moment: datetime) -> Device:
    """Return the device as installed now, unless something else is said of it."""
    check_installed_at(device.installed_at, moment)
    return device if new.planned or device.installed_at else replace(device, installed_at=moment)


def placed(
    new: NewDevice,
    municipalities: Mapping[str, Municipality],
    parents: Mapping[str, Parent],
    stays: Collection[str] = (),
) -> Device:
    """Return the device with its municipality, parent and relays found; its id is not known yet.

    `stays` are gateways that relay it already, where it is.

    Raises:
        Invalid: one of them does not exist, or the parent or the place is not acceptable.
    """
    new = parent_as_relay(new, parents)
    municipality = find_municipality(new.municipality, municipalities)
    check_relays(new, parents, stays)
    check_serial(new.serial)
    check_near(new.lat, new.lon, new.attributes, municipality)
    parent = None
    if new.parent is not None:
        parent = parents.get(new.parent)
        check_parent(new.parent, parent, new.municipality)
    return Device(
        id=0,
        name=new.name,
        kind=new.kind,
        municipality=new.municipality,
        municipality_id=municipality.id,
        parent=new.parent,
        parent_id=parent.id if parent else None,
        title=new.title,
        titles={language: text for language, text in new.titles.items() if text},
        lat=new.lat,
        lon=new.lon,
        attributes={name: value for name, value in new.attributes.items() if value is not None},
        relays=tuple(sorted(new.relays)),
        serial=new.serial,
        installed_at=new.installed_at,
        district=set_by_hand(new.district),
        district_by_hand=set_by_hand(new.district) is not None,
    )


async def find_parents(connection: Connection, names: set[str]) -> dict[str, Parent]:
    """Return those of the named devices that exist, locked against changes until the transaction ends."""
    if not names:
        return {}
    rows = [dict(row) for row in await connection.fetch(_PARENTS, list(names))]
    return {row.pop("name"): Parent(**row) for row in rows}
