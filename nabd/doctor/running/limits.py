"""Who sends more than it may."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from devices.storable import storable
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from readings import over_quota
from store.connection import Connection

WITHIN = timedelta(days=1)
SHOWN = 5


async def check_quotas(connection: Connection, settings: Settings) -> CheckResult:
    """Tell which devices were over their quota within a day, the worst first."""
    since = to_datetime(clock.parse(settings.clock)[0]()) - WITHIN
    found = await over_quota.by_device(connection, since)
    if not found:
        return fine("quotas", "no device has sent more than it may within a day")
    named = ", ".join(f"{storable(name, 80)} ({n:,})" for name, n in list(found.items())[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    fix = (
        "see what it sends (`nabd rejections --reason quota`) and mend or revoke it; where it is right, raise"
        " NABD_KIND_QUOTAS or NABD_QUOTA_*, or give the device its attribute interval_s: docs/limits.md"
    )
    return note("quotas", f"messages over the quota within a day: {named}{more}", fix)
