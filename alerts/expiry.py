"""How alerts that ended end for good: with all that happened to them. Their days are counted first.

Must not know for how long they are kept, nor who reads the counts.
"""

from __future__ import annotations

from store.expiry import ExpiringRows

# Counted as figures count them: in the municipality where the device stood when the alert opened. What
# people are still to be told of stays, whatever its age. All that points at an alert goes, or is cut off, in
# the same statement; keys are arrays, so that every table is read by its index whatever the planner thinks of
# LIMIT.
_FORGET = """
WITH old AS MATERIALIZED (
    SELECT alert.id
    FROM alert
    WHERE alert.state = 'resolved' AND alert.resolved_at < $1 AND NOT EXISTS (
        SELECT FROM escalation AS e WHERE e.alert_id = alert.id AND e.next_at IS NOT NULL
    )
    ORDER BY alert.resolved_at
    LIMIT $2
),

transitions AS (
    DELETE FROM transition WHERE alert_id = ANY(ARRAY(SELECT id FROM old))
),

notes AS (
    DELETE FROM alert_note WHERE alert_id = ANY(ARRAY(SELECT id FROM old))
),

told AS (
    DELETE FROM escalation WHERE alert_id = ANY(ARRAY(SELECT id FROM old))
),

messages AS (
    DELETE FROM delivery_alert WHERE alert_id = ANY(ARRAY(SELECT id FROM old))
),

orders AS (
    DELETE FROM work_order_alert WHERE alert_id = ANY(ARRAY(SELECT id FROM old))
),

freed AS (
    UPDATE alert SET inhibited_by = NULL
    WHERE inhibited_by = ANY(ARRAY(SELECT id FROM old)) AND id <> ALL(ARRAY(SELECT id FROM old))
),

gone AS (
    DELETE FROM alert WHERE id = ANY(ARRAY(SELECT id FROM old))
    RETURNING device_id, rule, opened_at, resolved_at
),

placed AS (
    SELECT town.id AS town, town.time_zone, device.kind, coalesce(district.name, '') AS district, gone.rule,
        gone.opened_at, gone.resolved_at
    FROM gone
    INNER JOIN device ON gone.device_id = device.id
    INNER JOIN municipality AS town ON town.id = CASE
        WHEN device.moved_at > gone.opened_at THEN municipality_at(device, gone.opened_at)
        ELSE device.municipality_id
    END
    LEFT JOIN ground_feature AS district
        ON device.district_id = district.id AND district.municipality_id = town.id
),

counted AS (
    INSERT INTO alert_day AS d (municipality_id, began_at, kind, district, rule, opened, resolved)
    SELECT town, date_trunc('day', happened.at, time_zone), kind, district, rule,
        sum(happened.opened), sum(happened.resolved)
    FROM placed
    CROSS JOIN LATERAL (VALUES (opened_at, 1, 0), (resolved_at, 0, 1)) AS happened (at, opened, resolved)
    GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (municipality_id, began_at, kind, district, rule) DO UPDATE SET
        opened = d.opened + excluded.opened, resolved = d.resolved + excluded.resolved
)

SELECT count(*) FROM gone
"""

ENDED_ALERTS = ExpiringRows(
    tables=("alert", "transition", "alert_note", "escalation", "work_order_alert"),
    first="SELECT resolved_at FROM alert WHERE state = 'resolved' ORDER BY resolved_at LIMIT 1",
    forget=_FORGET,
)
