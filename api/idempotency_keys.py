"""How long the answers to repeated requests are kept; see api.idempotency.

Apart from it, so that housekeeping starts without the web framework.
"""

from __future__ import annotations

from datetime import timedelta

from store.expiry import ExpiringRows

REMEMBERED = timedelta(hours=24)
"""How long a repeat gets the first answer, at least."""

KEYS = ExpiringRows(
    tables=("idempotency_key",),
    first="SELECT min(created_at) FROM idempotency_key",
    forget="""
WITH gone AS (
    DELETE FROM idempotency_key
    WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM idempotency_key WHERE created_at < $1 ORDER BY created_at LIMIT $2
    ))
    RETURNING key
)

SELECT count(*) FROM gone
""",
)
