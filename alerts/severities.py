"""Open alerts whose severity their rule, as it is now, cannot give: they get the nearest that it can.

That is the highest it has below, else its lowest: what the evaluator takes an open alert for when it loads a
new version, so that the next reading moves it on from there. Run with every sweep. Must not know what a rule
judges.
"""

from __future__ import annotations

from devices.instants import to_datetime
from store.connection import Connection

MOVE = """
WITH ranked AS (
    SELECT * FROM unnest(ARRAY['warning', 'minor', 'major', 'critical']) WITH ORDINALITY AS s (severity, rank)
),

moved AS (
    UPDATE alert SET severity = (
        SELECT possible.severity
        FROM ranked AS possible
        INNER JOIN ranked AS present ON present.severity = alert.severity
        WHERE possible.severity = ANY(rule.severities)
        ORDER BY possible.rank > present.rank, abs(possible.rank - present.rank)
        LIMIT 1
    )
    FROM rule
    WHERE
        rule.id = alert.rule
        AND rule.active
        AND alert.state = 'firing'
        AND rule.severities <> '{}'
        AND alert.severity <> ALL(rule.severities)
    RETURNING alert.id, alert.severity, rule.version
),

told AS (
    INSERT INTO transition
        (alert_id, from_state, to_state, severity, observed_at, received_at, detected_at, evidence)
    SELECT id, 'firing', 'firing', severity, $1, $1, $1, jsonb_build_object(
        'condition', format('version %s of the rule has other severities', version)
    )
    FROM moved
    ORDER BY id
    RETURNING id
),

counted AS (
    SELECT count(*) AS alerts FROM told
)

SELECT alerts, CASE WHEN alerts > 0 THEN pg_notify('nabd_alert', '') END FROM counted
"""


async def move_severities(connection: Connection, now: int) -> int:
    """Change the severity of such alerts, with the reason as evidence, and return how many there were.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    moved: int = await connection.fetchval(MOVE, to_datetime(now))
    return moved
