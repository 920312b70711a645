"""Which device shows a password, elsewhere than at the broker. Must not know HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from devices.credentials.scheme import verify
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDevice:
    """A device that has shown its password; username: what it calls itself on the wire."""

    id: int
    name: str
    username: str
    kind: str
    municipality: str


_CREDENTIALS = """
SELECT d.id, d.name, c.username, d.kind, municipality.name AS municipality, c.password_hash
FROM device_credential AS c
INNER JOIN device AS d ON c.device_id = d.id
INNER JOIN municipality ON d.municipality_id = municipality.id
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
            return KnownDevice(**{name: row[name] for name in KnownDevice.__slots__})
    return None
