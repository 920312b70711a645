"""Whether alerts are posted to the servers of Grafana that are to have them."""

from __future__ import annotations

from datetime import timedelta

from devices.instants import to_datetime
from nabd import clock
from nabd.doctor.check import CheckResult, bad, fine, note
from nabd.settings import Settings
from store.connection import Connection

SUBJECT = "annotations"
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
        return fine(SUBJECT, "no Grafana is posted to")
    waiting = [row["server"] for row in rows if row["waits"]]
    dead = [row["server"] for row in rows if not row["is_alive"]]
    if waiting:
        fix = "start `nabd grafana annotate`, read its log"
        return bad(SUBJECT, f"alerts have waited for {LATE_S / 60:.0f} minutes: {', '.join(waiting)}", fix)
    if dead:
        fix = "start `nabd grafana annotate`, unless a timer runs it with --once"
        return note(SUBJECT, f"nobody posts to {', '.join(dead)} just now; no alert waits", fix)
    return fine(SUBJECT, f"alerts are posted to {', '.join(row['server'] for row in rows)}")
