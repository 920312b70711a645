"""How messages end, and with them what was tried and answered; links in them end elsewhere.

Must not know for how long they are kept.
"""

from __future__ import annotations

from store.expiry import ExpiringRows

# What is to be sent stays, and what was said of an alert whose end is still to be told: it goes to whoever
# was told of its beginning, however long that is ago.
DELIVERIES = ExpiringRows(
    tables=("delivery", "delivery_alert", "delivery_attempt"),
    first="""
SELECT created_at FROM delivery
WHERE state NOT IN ('planned', 'sending')
ORDER BY created_at
LIMIT 1
""",
    forget="""
WITH old AS MATERIALIZED (
    SELECT d.id FROM delivery AS d
    WHERE d.created_at < $1 AND d.state NOT IN ('planned', 'sending') AND NOT EXISTS (
        SELECT FROM delivery_alert AS about
        INNER JOIN escalation AS e ON about.alert_id = e.alert_id
        WHERE about.delivery_id = d.id AND e.state <> 'ended'
    )
    ORDER BY d.created_at
    LIMIT $2
),

about AS (
    DELETE FROM delivery_alert WHERE delivery_id = ANY(ARRAY(SELECT id FROM old))
),

attempts AS (
    DELETE FROM delivery_attempt WHERE delivery_id = ANY(ARRAY(SELECT id FROM old))
),

gone AS (
    DELETE FROM delivery WHERE id = ANY(ARRAY(SELECT id FROM old)) RETURNING id
)

SELECT count(*) FROM gone
""",
)
