"""Whether hours and days keep up with readings."""

from __future__ import annotations

from devices import kinds
from devices.instants import to_microseconds
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
        return bad(
            "rollups",
            f"hours and days are {behind_s / 60:.0f} minutes behind the readings",
            "start `nabd sweep`, read its log",
        )
    made = await backfill.progress(connection)
    being_made = [one for one in made if one.share < 1 and one.kind in declared]
    if being_made:
        said = ", ".join(f"{one.kind} {one.share:.0%}" for one in being_made)
        return note("rollups", f"hours and days of older readings are being made: {said}", "wait")
    return fine("rollups", "hours and days keep up with the readings")
