"""Whether backups are made, and whether one was shown to be good lately."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from devices.texts.translated import say
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
        return note("backup", say("check.backup_none"), say("check.begin_backups"))
    if found.verified_at is None:
        return note("backup", say("check.backup_never_compared"), say("check.compare_backup"))
    if now - found.verified_at > VERIFIED_WITHIN:
        compared = say("check.backup_compared_long_ago", n=(now - found.verified_at).days)
        return note("backup", compared, say("check.compare_backup"))
    if found.made_at is None:
        return note("backup", say("check.backup_never_made"), say("check.backup_by_timer"))
    if now - found.made_at > MADE_WITHIN:
        made = say("check.backup_old", n=(now - found.made_at).days)
        return note("backup", made, say("check.backup_by_timer"))
    made_at, compared_on = f"{found.made_at:%Y-%m-%d %H:%MZ}", f"{found.verified_at:%Y-%m-%d}"
    return fine("backup", say("check.backup_good", made=made_at, compared=compared_on))
