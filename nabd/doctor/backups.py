"""Whether backups are made, and whether one was shown to be good lately."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from nabd import clock
from nabd.doctor.check import CheckResult, fine, note
from nabd.settings import Settings
from store.connection import Connection
from store.standing import backups

MADE_WITHIN = timedelta(days=7)
VERIFIED_WITHIN = timedelta(days=30)


async def check_backups(connection: Connection, _: Settings) -> CheckResult:
    """Tell how old the newest backup is, and the last restore that was compared."""
    found = await backups.standing(connection)
    now = to_datetime(clock.wall())  # people's clock: a demo's runs away from it
    if found.made_at is None and found.verified_at is None:
        fix = "`nabd backup key FILE`, then `nabd backup make` every night: docs/backup.md"
        return note("backup", "none was made that this database knows of", fix)
    if found.verified_at is None or now - found.verified_at > VERIFIED_WITHIN:
        last = "never" if found.verified_at is None else f"{(now - found.verified_at).days} days ago"
        fix = "`nabd restore --verify DIRECTORY --key FILE` with NABD_DATABASE set"
        return note("backup", f"a restore was compared {last}: whether backups are good is unknown", fix)
    if found.made_at is None or now - found.made_at > MADE_WITHIN:
        last = "ever" if found.made_at is None else f"for {(now - found.made_at).days} days"
        return note("backup", f"none was made {last}", "let a timer run `nabd backup make` every night")
    return fine(
        "backup",
        f"the last is of {found.made_at:%Y-%m-%d %H:%MZ}; one was compared {found.verified_at:%Y-%m-%d}",
    )
