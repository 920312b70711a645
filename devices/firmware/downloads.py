"""Which image a device may have: what is offered to it. Must not know HTTP, nor who asks."""

from __future__ import annotations

from store.connection import Connection

# A command may reach its device long after its rollout was held: then only what had begun is ended.
_OFFERED = """
SELECT true
FROM rollout_device AS o
INNER JOIN rollout AS r ON o.rollout_id = r.id
WHERE
    r.sha256 = $1 AND o.device_id = $2
    AND (
        (r.state = 'running' AND o.state IN ('offered', 'downloading'))
        OR (r.state IN ('paused', 'stopped') AND o.state = 'downloading')
    )
"""


async def is_offered(connection: Connection, sha256: str, device: int) -> bool:
    """Tell whether a rollout offers an image to a device at present."""
    return await connection.fetchval(_OFFERED, sha256, device) is not None
