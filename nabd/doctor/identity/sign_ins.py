"""Whether somebody is refused at the broker again and again."""

from __future__ import annotations

from devices.credentials import refusals
from devices.credentials.refusals import MANY
from devices.instants import to_datetime
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from store.connection import Connection


async def check_sign_ins(connection: Connection, settings: Settings) -> CheckResult:
    """Look at the last ten minutes."""
    now, _ = clock.parse(settings.clock)
    found = await refusals.recent(connection, to_datetime(now()))
    said = f"{found.count} refused at the broker within ten minutes"
    if found.count < MANY:
        return fine("sign ins", said)
    where = f", most from {', '.join(found.addresses)}" if found.addresses else ""
    fix = "a device with an old password, or somebody who guesses: docs/credentials.md, Who is refused"
    return note("sign ins", f"{said}{where}", fix)
