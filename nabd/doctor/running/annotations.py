"""Whether alerts are posted to the servers of Grafana that are to have them."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from devices.texts.translated import say
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from store.connection import Connection

LATE_S = 600.0

# Whoever posts to a server holds its name as long as its session lives: store/holder.py.
_SERVERS = """
SELECT
    p.server,
    EXISTS (
        SELECT FROM nabd_holder AS h
        INNER JOIN pg_stat_activity AS a ON h.pid = a.pid AND h.session_began_at = a.backend_start
        WHERE h.name = 'annotate ' || p.server
    ) AS is_alive,
    bool_or(EXISTS (
        SELECT FROM transition AS t
        WHERE
            (t.xid, t.id) > (p.xid, p.event_id) AND t.detected_at < $1
            AND t.xid < pg_snapshot_xmin(pg_current_snapshot())
    )) AS waits
FROM annotation_place AS p
GROUP BY p.server
ORDER BY p.server
"""


async def check_annotations(connection: Connection, settings: Settings) -> CheckResult:
    """Check that somebody posts to each server that has been posted to, and that no alert waits."""
    now, speed = clock.parse(settings.clock)
    late = to_datetime(now()) - timedelta(seconds=LATE_S * speed)
    rows = await connection.fetch(_SERVERS, late)
    if not rows:
        return fine("annotations", say("check.annotations_none"))
    waiting = [row["server"] for row in rows if row["waits"]]
    dead = [row["server"] for row in rows if not row["is_alive"]]
    if waiting:
        late_alerts = say("check.annotations_wait", n=round(LATE_S / 60), servers=tuple(waiting))
        return bad("annotations", late_alerts, say("check.start_annotate"))
    if dead:
        nobody = say("check.annotations_unposted", servers=tuple(dead))
        return note("annotations", nobody, say("check.annotate_by_timer"))
    return fine("annotations", say("check.annotations_posted", servers=tuple(row["server"] for row in rows)))
