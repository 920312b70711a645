"""Whether the replica that the API reads the past from follows. Without one nothing is wrong."""

from __future__ import annotations

from devices.texts.translated import say
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from store.connection import Connection
from store.errors import Unavailable
from store.pool import connect
from store.standing.replica import replay_of

MUCH_BYTES = 64 * 2**20
"""So much WAL that has not been replayed is more than a look in between: four segments."""


async def check_replica(connection: Connection, settings: Settings) -> CheckResult:
    """Check that it can be read, is one, and how far behind it is."""
    if not settings.replica:
        return fine("replica", say("check.replica_none"))
    try:
        replica = await connect(settings.replica)
    except Unavailable as error:
        return note("replica", say("check.replica_away", error=str(error)), say("check.see_to_replica"))
    try:
        found = await replay_of(replica, connection)
    finally:
        await replica.close()
    if not found.in_recovery:
        return bad("replica", say("check.replica_writes"), say("check.name_replica"))
    if found.behind_bytes > MUCH_BYTES:
        behind = say("check.replica_behind", mib=round(found.behind_bytes / 2**20))
        return note("replica", behind, say("check.look_at_replication"))
    if not found.feedback:
        return note("replica", say("check.replica_ends_queries"), say("check.set_feedback"))
    return fine("replica", say("check.replica_follows", bytes=found.behind_bytes))
