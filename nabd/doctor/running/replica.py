"""Whether the replica that the API reads the past from follows. Without one nothing is wrong."""

from __future__ import annotations

from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from store.connection import Connection
from store.errors import Unavailable
from store.pool import connect
from store.standing.replica import replay_of

SUBJECT = "replica"
MUCH_BYTES = 64 * 2**20
"""So much WAL that has not been replayed is more than a look in between: four segments."""


async def check_replica(connection: Connection, settings: Settings) -> CheckResult:
    """Check that it can be read, is one, and how far behind it is."""
    if not settings.replica:
        return fine(SUBJECT, "none is named, the primary answers all")
    try:
        replica = await connect(settings.replica)
    except Unavailable as error:
        return note(SUBJECT, f"{error}; the primary answers all", "see to that server, or empty NABD_REPLICA")
    try:
        found = await replay_of(replica, connection)
    finally:
        await replica.close()
    if not found.in_recovery:
        fix = "NABD_REPLICA must name a physical replica of NABD_DATABASE: docs/scale.md"
        return bad(SUBJECT, "takes writes of its own: it is no replica", fix)
    if found.behind_bytes > MUCH_BYTES:
        fix = "is it connected? SELECT * FROM pg_stat_replication on the primary; docs/scale.md"
        return note(SUBJECT, f"is {found.behind_bytes / 2**20:,.0f} MiB of WAL behind", fix)
    if not found.feedback:
        fix = "ALTER SYSTEM SET hot_standby_feedback = on; SELECT pg_reload_conf() there"
        return note(SUBJECT, "ends long queries when rows that they read are cleaned away", fix)
    return fine(SUBJECT, f"follows, {found.behind_bytes:,} bytes of WAL behind")
