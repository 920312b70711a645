"""Whether what is old is removed."""

from __future__ import annotations

from datetime import timedelta

from devices import kinds
from devices.instants import to_datetime
from devices.texts.translated import say, several
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from store.connection import Connection

LATE = timedelta(days=1)

_RUNS = """
SELECT class, looked_at < $1 AS unseen, behind_since FROM retention_run
WHERE looked_at < $1 OR behind_since < $1
ORDER BY class
"""
_LOOKED = "SELECT max(looked_at) FROM retention_run"


async def check_retention(connection: Connection, settings: Settings) -> CheckResult:
    """Tell which class of what grows has been behind for more than a day, or is not looked at."""
    if unknown := set(settings.kind_retention_days) - set(kinds.load(settings.kinds_dir)):
        strange = say("check.retention_unknown", kinds=tuple(sorted(unknown)))
        return note("retention", strange, say("check.correct_retention"))
    now, _ = clock.parse(settings.clock)
    at = to_datetime(now())
    if await connection.fetchval(_LOOKED) is None:
        return note("retention", say("check.retention_never"), say("check.sweep_does"))
    late = await connection.fetch(_RUNS, at - LATE)
    unseen = [row["class"] for row in late if row["unseen"]]
    if unseen:
        found = say("check.retention_unseen", classes=tuple(unseen))
        return note("retention", found, say("check.start_sweep"))
    if late:
        behind = [
            say("check.class_since", name=one["class"], since=f"{one['behind_since']:%Y-%m-%d}")
            for one in late
        ]
        found = say("check.retention_behind", classes=several(behind))
        return note("retention", found, say("check.look_at_store"))
    return fine("retention", say("check.retention_kept"))
