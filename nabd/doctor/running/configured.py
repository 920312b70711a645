"""Devices that are set otherwise than is wanted."""

from __future__ import annotations

from devices.commands.configured import drifting
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from store.connection import Connection

PATIENCE = 3_600_000_000
"""Microseconds after which a device should have learned what is wanted of it."""


async def check_configured(connection: Connection, settings: Settings) -> CheckResult:
    """Find devices that have not been set as wanted for an hour."""
    now, _ = clock.parse(settings.clock)
    count = await drifting(connection, now() - PATIENCE)
    if not count:
        return fine("configuration", "every device is set as it is wanted")
    said = f"{count} devices have not been set as is wanted for an hour"
    return note("configuration", said, "`nabd device config --drift` lists them, with what they refuse")
