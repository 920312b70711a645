"""Who relays a device: its gateways, apart from what feeds it.

A gateway given as a parent, as it was before there were relays, is taken for a relay. Changes are made inside
the caller's transaction. Must not know HTTP, MQTT or files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from devices.registry.errors import Invalid
from devices.registry.new_device import NewDevice, Parent
from devices.registry.registry import Device, Registry
from devices.wire.topics import GATEWAY
from store.connection import Connection

MOST = 16
"""So many gateways may relay one device."""


def parent_as_relay(new: NewDevice, known: Mapping[str, Parent], fed_by: str | None = None) -> NewDevice:
    """Return the device with a gateway that stands as its parent among its relays.

    Args:
        known: what is known of the device named as parent, if it exists.
        fed_by: the parent that it has instead.
    """
    parent = new.parent
    if parent is None or parent not in known or known[parent].kind != GATEWAY:
        return new
    return replace(new, parent=fed_by, relays=tuple(dict.fromkeys((*new.relays, parent))))


def check_relays(new: NewDevice, known: Mapping[str, Parent], stays: Collection[str] = ()) -> None:
    """Refuse gateways that do not exist, are none, are retired, or are of another municipality.

    Args:
        known: what is known of the gateways.
        stays: those that relay the device already, not judged again: one of several may have retired.

    Raises:
        Invalid: field `relays`.
    """
    if len(new.relays) > MOST:
        raise Invalid("relays", f"{len(new.relays)} gateways; at most {MOST} relay one device")
    for name in new.relays:
        if name in stays:
            continue
        if name == new.name:
            raise Invalid("relays", "a device does not relay itself")
        if name not in known:
            raise Invalid("relays", f"{name!r} is not registered; register it first")
        gateway = known[name]
        if gateway.kind != GATEWAY:
            raise Invalid(
                "relays", f"{name!r} is a {gateway.kind}; only a {GATEWAY} relays, parent is what feeds"
            )
        if gateway.municipality != new.municipality:
            raise Invalid("relays", f"{name!r} stands in {gateway.municipality}, not in {new.municipality}")
        if gateway.retired:
            raise Invalid(
                "relays", f"{name!r} is retired; `nabd device edit {name} --reinstate` puts it back"
            )


_KEEP = """
WITH gone AS (
    DELETE FROM relay
    WHERE device_id = ANY($1) AND NOT (device_id, gateway_id) IN (
        SELECT * FROM unnest($2::integer [], $3::integer [])
    )
)
INSERT INTO relay (device_id, gateway_id)
SELECT * FROM unnest($2::integer [], $3::integer [])
ON CONFLICT DO NOTHING
"""


async def keep_relays(
    connection: Connection, devices: Sequence[Device], gateways: Mapping[str, Parent], *, new: bool
) -> None:
    """Store which gateways relay devices, as these say; those that are new had none before."""
    pairs = [(device.id, gateways[name].id) for device in devices for name in device.relays]
    if pairs or not new:
        await connection.execute(
            _KEEP, [d.id for d in devices], [device for device, _ in pairs], [gateway for _, gateway in pairs]
        )


_ABOVE = """
WITH RECURSIVE above AS (
    SELECT unnest($2::integer []) AS id
    UNION
    SELECT relay.gateway_id FROM above INNER JOIN relay ON above.id = relay.device_id
)

SELECT EXISTS (SELECT FROM above WHERE id = $1)
"""


async def refuse_circle(connection: Connection, device: Device, gateways: Collection[int]) -> None:
    """Refuse that a gateway is relayed by one that it relays itself, however far away.

    Raises:
        Invalid: field `relays`.
    """
    if device.kind == GATEWAY and gateways and await connection.fetchval(_ABOVE, device.id, list(gateways)):
        raise Invalid("relays", f"{', '.join(device.relays)}: they would relay each other in a circle")


def in_use(device: Device) -> bool:
    """Tell whether a gateway can relay: it stands there."""
    return device.installed_at is not None and device.retired_at is None


def above(registry: Registry, device: Device) -> list[Device]:
    """Return what a device hangs on alone: what feeds it, and its gateway where no other could relay it."""
    feeder = registry.devices.get(device.parent_id) if device.parent_id is not None else None
    found = [] if feeder is None else [feeder]
    gateways = [registry.by_name[name] for name in device.relays if name in registry.by_name]
    living = [gateway for gateway in gateways if in_use(gateway)]
    return found + [g for g in gateways if not any(other is not g for other in living)]
