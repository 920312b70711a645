"""Which device asks for an image, and whether it may have it: its own password, and what it is offered.

Must not know HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from devices.credentials.scheme import verify
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDevice:
    """A device that has shown its password."""

    id: int
    name: str


_CREDENTIALS = """
SELECT d.id, d.name, c.password_hash
FROM device_credential AS c
INNER JOIN device AS d ON c.device_id = d.id
LEFT JOIN hardware AS h ON d.id = h.device_id AND h.removed_at IS NULL
WHERE
    c.username = $1 AND c.form = 'password' AND (c.ends_at IS NULL OR c.ends_at > $2)
    AND d.retired_at IS NULL AND coalesce(h.wire_name, d.name) = c.username
ORDER BY c.id DESC
"""


async def sign_in(connection: Connection, username: str, password: str, now: datetime) -> KnownDevice | None:
    """Return the device in service that signs in at the broker by these; None where there is none."""
    for row in await connection.fetch(_CREDENTIALS, username, now):
        if verify(password, row["password_hash"]):
            return KnownDevice(id=row["id"], name=row["name"])
    return None


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
