"""Whether what is old is removed."""

from __future__ import annotations

from datetime import timedelta

from devices import kinds
from devices.instants import to_datetime
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
        fix = "correct NABD_KIND_RETENTION_DAYS"
        return note("retention", f"lengths are set for kinds that do not exist: {', '.join(unknown)}", fix)
    now, _ = clock.parse(settings.clock)
    at = to_datetime(now())
    if await connection.fetchval(_LOOKED) is None:
        return note("retention", "what is old was never looked for", "start `nabd sweep`: it does so")
    late = await connection.fetch(_RUNS, at - LATE)
    unseen = [row["class"] for row in late if row["unseen"]]
    if unseen:
        return note("retention", f"not looked at for a day: {', '.join(unseen)}", "start `nabd sweep`")
    if late:
        behind = ", ".join(f"{row['class']} (since {row['behind_since']:%Y-%m-%d})" for row in late)
        fix = "`nabd store status` shows it; 100,000 rows go every half minute: is the disk too slow?"
        return note("retention", f"more is old than was removed: {behind}", fix)
    return fine("retention", "nothing is kept longer than asked")
