"""An alert is inhibited while an open alert explains it, and surfaces when that one ends.

`suppress_by` of a rule names the rules that explain it. Such an alert opens and ends by its own readings;
`inhibited_by` only says that nobody needs to be called. Where the explaining alert is open already it is set
when the alert opens (alerts.record), else here. After the end of the explaining alert it stays for the rule's
`settle`, in which the device may recover. So it does after the end of that of another gateway, which could
relay the device again. Must not know sweep rules or notifiers.
"""

from __future__ import annotations

from devices.instants import to_datetime
from store.connection import Connection

# The explaining alert is on what the device hangs on (gateway, circuit, cabinet), or on the device itself. A
# gateway explains nothing of a device that another gateway could relay: one without an alert of any rule that
# explains the device's.
# Rows that another transaction has locked are left for the next time, so that this statement never waits.
INHIBIT = """
WITH RECURSIVE suppressible AS (
    SELECT id, version, suppress_by AS parents
    FROM rule
    WHERE suppress_by <> '{}'
),

-- Once for each list of explaining rules that has the alert's: the other gateways are judged by all of it.
explaining AS (
    SELECT DISTINCT parents FROM suppressible
),

below AS (
    SELECT alert.id AS parent_id, explaining.parents, alert.device_id, alert.inhibited_by, 0 AS depth
    FROM alert
    INNER JOIN explaining ON alert.rule = ANY(explaining.parents)
    WHERE alert.state = 'firing'
    UNION ALL
    SELECT below.parent_id, below.parents, hangs_on.device_id, below.inhibited_by, below.depth + 1
    FROM below
    INNER JOIN hangs_on ON below.device_id = hangs_on.parent_id
    WHERE below.depth < 3 AND (hangs_on.alone OR cut_off(hangs_on.device_id, below.parents))
),

explained AS (
    SELECT DISTINCT ON (alert.id) alert.id, below.parent_id
    FROM below
    INNER JOIN alert ON below.device_id = alert.device_id AND alert.state = 'firing'
    INNER JOIN suppressible
        ON alert.rule = suppressible.id AND alert.rule_version = suppressible.version
            AND below.parents = suppressible.parents
    LEFT JOIN alert AS before ON alert.inhibited_by = before.id
    WHERE alert.id <> below.parent_id
        AND below.inhibited_by IS DISTINCT FROM alert.id
        AND before.state IS DISTINCT FROM 'firing'
    ORDER BY alert.id, below.depth, below.parent_id
),

free AS (
    SELECT alert.id, explained.parent_id
    FROM alert
    INNER JOIN explained ON alert.id = explained.id
    FOR UPDATE OF alert SKIP LOCKED
),

changed AS (
    UPDATE alert SET inhibited_by = free.parent_id
    FROM free
    WHERE alert.id = free.id AND alert.state = 'firing'
    RETURNING alert.id, alert.inhibited_by
),

noted AS (
    INSERT INTO alert_note (alert_id, type, body, created_at)
    SELECT id, 'inhibited', inhibited_by::text, $1 FROM changed ORDER BY id
    RETURNING id
),

told AS (
    SELECT count(*) AS notes FROM noted
)

SELECT notes, CASE WHEN notes > 0 THEN pg_notify('nabd_alert', '') END FROM told
"""

SURFACE = """
WITH ready AS (
    SELECT alert.id, alert.inhibited_by
    FROM alert
    INNER JOIN alert AS parent ON alert.inhibited_by = parent.id
    INNER JOIN rule ON alert.rule = rule.id AND alert.rule_version = rule.version
    WHERE alert.state = 'firing'
        AND (
            (parent.state = 'resolved' AND parent.resolved_at + rule.settle <= $1)
            OR (
                EXISTS (
                    SELECT FROM relay
                    WHERE relay.device_id = alert.device_id AND relay.gateway_id = parent.device_id
                )
                AND NOT cut_off(alert.device_id, rule.suppress_by)
                AND NOT EXISTS (
                    SELECT FROM relay
                    INNER JOIN alert AS back ON relay.gateway_id = back.device_id
                    WHERE relay.device_id = alert.device_id AND back.rule = ANY(rule.suppress_by)
                        AND back.resolved_at + rule.settle > $1
                )
            )
        )
    FOR UPDATE OF alert SKIP LOCKED
),

changed AS (
    UPDATE alert SET inhibited_by = NULL
    FROM ready
    WHERE alert.id = ready.id AND alert.state = 'firing'
    RETURNING alert.id, ready.inhibited_by
),

noted AS (
    INSERT INTO alert_note (alert_id, type, body, created_at)
    SELECT id, 'surfaced', inhibited_by::text, $1 FROM changed ORDER BY id
    RETURNING id
),

told AS (
    SELECT count(*) AS notes FROM noted
)

SELECT notes, CASE WHEN notes > 0 THEN pg_notify('nabd_alert', '') END FROM told
"""


async def settle(connection: Connection, now: int) -> int:
    """Inhibit alerts that an open one explains and surface those it no longer does; return how many changed.

    Args:
        now: microseconds since 1970-01-01Z.
    """
    moved = 0
    for statement in (INHIBIT, SURFACE):
        async with connection.transaction():
            moved += await connection.fetchval(statement, to_datetime(now))
    return moved
