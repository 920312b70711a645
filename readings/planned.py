"""Planned devices that speak already: somebody forgot to say that they are installed. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from devices.registry.life import Life

if TYPE_CHECKING:
    from devices.registry.registry import Device
    from store.connection import Connection

_SPEAKING = """
SELECT device.name FROM device
INNER JOIN latest ON device.id = latest.device_id
WHERE device.installed_at IS NULL AND device.retired_at IS NULL
    AND ($1::text [] IS NULL OR device.name = ANY($1))
ORDER BY device.name
"""


async def speaking_planned(connection: Connection, names: Sequence[str] | None = None) -> list[str]:
    """Return the names of planned devices of which something is stored, of all or of those named."""
    return [row["name"] for row in await connection.fetch(_SPEAKING, names)]


def hint_of(device: Device, *, speaks: bool) -> str | None:
    """Return what should be done about a device, None where there is nothing to do."""
    if device.life is not Life.PLANNED or not speaks:
        return None
    return f"it speaks but is planned: `nabd device install {device.name}` lets rules judge it"
