"""Which devices a source may speak of, as the registry is. Reads only."""

from __future__ import annotations

from devices.registry.registry import Device, load
from store.connection import Connection


class InstalledDevices:
    """Devices that are not retired, by their name on the wire."""

    def __init__(self) -> None:
        self._by_wire: dict[str, Device] = {}
        self._generation = -1

    def get(self, name: str) -> Device | None:
        """Return a device as it was when the registry was looked at; None: a stranger."""
        return self._by_wire.get(name)

    async def look(self, connection: Connection) -> None:
        """Read the registry again where it has changed."""
        generation = await connection.fetchval("SELECT max(generation) FROM shard")
        if generation != self._generation:
            registry = await load(connection)
            self._by_wire = {one.wire: one for one in registry.devices.values() if one.retired_at is None}
            self._generation = generation
