"""Whether hours and days keep up with readings."""

from __future__ import annotations

from devices import kinds
from devices.instants import to_microseconds
from devices.texts.translated import say
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from readings.rollups import backfill, marks
from store.connection import Connection

LATE_S = 600.0


async def check_rollups(connection: Connection, settings: Settings) -> CheckResult:
    """Check how long readings have waited for their hours, and how much of the past is made."""
    now, speed = clock.parse(settings.clock)
    declared = kinds.load(settings.kinds_dir)
    oldest = await marks.oldest_mark(connection, declared)
    behind_s = 0.0 if oldest is None else (now() - to_microseconds(oldest)) / 1e6 / speed
    if behind_s > LATE_S:
        behind = say("check.rollups_behind", n=round(behind_s / 60))
        return bad("rollups", behind, say("check.restart_sweep"))
    made = await backfill.progress(connection)
    being_made = [one for one in made if one.share < 1 and one.kind in declared]
    if being_made:
        shares = tuple(f"{one.kind} {one.share:.0%}" for one in being_made)
        return note("rollups", say("check.rollups_made", shares=shares), say("check.wait"))
    return fine("rollups", say("check.rollups_keep_up"))
