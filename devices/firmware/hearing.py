"""What devices say of the image that a rollout offered them. Must not know HTTP or MQTT."""

from __future__ import annotations

from devices.instants import Now, to_datetime
from store.connection import Connection

# What a device says of its command is what it says of the image. While a rollout is held, one that had not
# begun is given no image: what it answers then says nothing of the image, and it waits again.
_HEAR = """
WITH said AS (
    SELECT
        o.device_id, c.status, c.detail,
        r.state <> 'running' AND o.state = 'offered'
        AND c.status IN ('running', 'failed', 'rejected', 'expired')
        AND NOT coalesce(c.result @> '{"rolled_back": true}', false) AS held,
        c.status = 'failed' AND coalesce(c.result @> '{"rolled_back": true}', false) AS rolled_back
    FROM rollout_device AS o
    INNER JOIN rollout AS r ON o.rollout_id = r.id
    INNER JOIN command AS c ON o.command_id = c.id
    WHERE
        o.rollout_id = $1 AND o.state IN ('offered', 'downloading')
        AND c.status IN ('running', 'succeeded', 'failed', 'rejected', 'expired')
        AND NOT (o.state = 'downloading' AND c.status = 'running' AND o.detail IS NOT DISTINCT FROM c.detail)
)

UPDATE rollout_device AS o SET
    state = CASE
        WHEN said.held THEN 'waiting'
        WHEN said.status = 'succeeded' THEN 'updated'
        WHEN said.status = 'running' THEN 'downloading'
        WHEN said.rolled_back THEN 'rolled-back'
        ELSE 'failed'
    END,
    detail = CASE
        WHEN said.held THEN NULL
        ELSE coalesce(said.detail, CASE WHEN said.status = 'expired' THEN 'it did not answer in time' END)
    END,
    command_id = CASE WHEN NOT said.held THEN o.command_id END,
    offered_at = CASE WHEN NOT said.held THEN o.offered_at END,
    changed_at = $2
FROM said
WHERE o.rollout_id = $1 AND o.device_id = said.device_id AND NOT (said.held AND said.status = 'running')
"""


async def hear(connection: Connection, number: int, now: Now) -> None:
    """Note how far each device of a rollout is, by what it answered last."""
    await connection.execute(_HEAR, number, to_datetime(now()))
