"""Who sends more than it may."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from devices.storable import storable
from devices.texts.translated import say, some_of
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from readings import over_quota
from store.connection import Connection

WITHIN = timedelta(days=1)


async def check_quotas(connection: Connection, settings: Settings) -> CheckResult:
    """Tell which devices were over their quota within a day, the worst first."""
    since = to_datetime(clock.parse(settings.clock)[0]()) - WITHIN
    found = await over_quota.by_device(connection, since)
    if not found:
        return fine("quotas", say("check.quotas_kept"))
    devices = some_of([f"{storable(name, 80)} ({n:,})" for name, n in found.items()])
    return note("quotas", say("check.quotas_exceeded", devices=devices), say("check.raise_quota"))
