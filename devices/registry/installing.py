"""Installing a planned device: from then on it is expected to report, and rules judge it.

One transaction that ends by advancing the generation. Must not know HTTP, MQTT or files.
"""

from __future__ import annotations

from datetime import datetime

from devices.instants import Now, rfc3339, to_datetime
from devices.registry import generation
from devices.registry.errors import Conflict
from devices.registry.life import check_installed_at
from devices.registry.registry import Device, get_device
from store import audit
from store.audit import Actor
from store.connection import Connection

_INSTALL = """
UPDATE device SET installed_at = $2, version = version + 1, updated_at = $3
WHERE id = $1 AND installed_at IS NULL AND retired_at IS NULL
RETURNING id
"""


async def install_device(
    connection: Connection, name: str, at: datetime | None, now: Now, *, by: Actor
) -> Device:
    """Install a planned device, now or since an instant that has passed.

    Raises:
        NotFound: no device has that name.
        Conflict: it is installed already, or retired.
        Invalid: the instant is yet to come.
    """
    moment = to_datetime(now())
    check_installed_at(at, moment)
    async with connection.transaction():
        device = await get_device(connection, name)
        if device.retired_at is not None:
            raise Conflict(f"device {name!r} is retired; `nabd device edit {name} --reinstate` puts it back")
        if await connection.fetchval(_INSTALL, device.id, at or moment, moment) is None:
            raise Conflict(_already(device))
        installed = await get_device(connection, name)
        await audit.record(
            connection,
            by=by,
            municipality=device.municipality_id,
            action="device.install",
            subject=name,
            after={"installed_at": installed.installed_at},
            now=now(),
        )
        await generation.advance(connection)
    return installed


def _already(device: Device) -> str:
    since = f" since {rfc3339(device.installed_at)}" if device.installed_at is not None else ""
    fix = f"`nabd device edit {device.name} --installed-at` corrects when"
    return f"device {device.name!r} is installed{since}; {fix}"
