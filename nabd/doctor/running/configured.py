"""Devices that are set otherwise than is wanted."""

from __future__ import annotations

from devices.commands.configured import drifting
from devices.texts.translated import say
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
        return fine("configuration", say("check.configured"))
    return note("configuration", say("check.not_configured", n=count), say("check.list_drift"))
