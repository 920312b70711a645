"""What the broker is to know of devices: lists of passwords, and certificates it is to refuse.

Read from the database; a device in service that calls itself as its credential does is let in. Must not know
where the files lie, nor how the broker is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.credentials.authority import RevokedCertificate
from store.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLists:
    """Who may sign in.

    passwords: those that work longest: of a device with two, the older one. next: the newest. They are files
    of mosquitto, whose first line says how many follow. revoked: certificates that do not count any more.
    due: when the lists change by themselves, None where they do not.
    """

    passwords: bytes
    next: bytes
    revoked: Sequence[RevokedCertificate]
    due: datetime | None


_STAMP = """
SELECT
    (SELECT max(shard.generation) FROM shard) AS generation,
    coalesce(max(c.id), 0) AS newest,
    count(c.ends_at) AS ended,
    coalesce(sum(extract(EPOCH FROM c.ends_at)), 0) AS ends
FROM device_credential AS c
"""


async def stamp(connection: Connection) -> tuple[object, ...]:
    """Return what differs whenever the lists may: asked every few seconds, so cheap."""
    row = await connection.fetchrow(_STAMP)
    assert row is not None
    return tuple(row)


# One row a name on the wire: the first password that works, and the last.
_PASSWORDS = """
SELECT
    c.username,
    (array_agg(c.password_hash ORDER BY c.id))[1] AS first,
    (array_agg(c.password_hash ORDER BY c.id DESC))[1] AS last
FROM device_credential AS c
INNER JOIN device ON c.device_id = device.id AND device.retired_at IS NULL
INNER JOIN hardware AS h ON c.device_id = h.device_id AND h.removed_at IS NULL AND c.username = h.wire_name
WHERE c.form = 'password' AND (c.ends_at IS NULL OR c.ends_at > $1)
GROUP BY c.username
ORDER BY c.username
"""

_REVOKED = """
SELECT c.serial, least(c.ends_at, device.retired_at, h.removed_at, $1) AS since
FROM device_credential AS c
INNER JOIN device ON c.device_id = device.id
LEFT JOIN hardware AS h ON c.device_id = h.device_id AND h.wire_name = c.username AND h.removed_at IS NULL
WHERE
    c.form = 'certificate' AND c.not_after > $1
    AND (c.ends_at <= $1 OR device.retired_at IS NOT NULL OR h.device_id IS NULL)
ORDER BY c.serial
"""

_DUE = "SELECT min(ends_at) FROM device_credential WHERE ends_at > $1"


async def broker_lists(connection: Connection, now: datetime) -> BrokerLists:
    """Return who may sign in at an instant."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        rows = await connection.fetch(_PASSWORDS, now)
        revoked = await connection.fetch(_REVOKED, now)
        due = await connection.fetchval(_DUE, now)
    return BrokerLists(
        passwords=_listed([(row["username"], row["first"]) for row in rows]),
        next=_listed([(row["username"], row["last"]) for row in rows]),
        revoked=[RevokedCertificate(serial=row["serial"], since=row["since"]) for row in revoked],
        due=due,
    )


def _listed(passwords: Sequence[tuple[str, str]]) -> bytes:
    lines = [f"# nabd: {len(passwords)} devices", *(f"{name}:{kept}" for name, kept in passwords)]
    return ("\n".join(lines) + "\n").encode()


# Those that the broker refuses by now, each once: taken away, out of service, over, of hardware that is gone.
# The broker does not say which certificate opened a session: where the next was made before this one
# ended, the device has had the overlap to come in by it, and ending its session would drop what waits for it.
_TO_DISCONNECT = """
WITH ended AS (
    SELECT
        c.username, c.disconnected_at,
        greatest(
            CASE
                WHEN least(c.ends_at, c.not_after) <= $2 AND NOT (c.ending = 'rotated' AND EXISTS (
                    SELECT FROM device_credential AS later
                    WHERE
                        later.device_id = c.device_id AND later.form = c.form AND later.id > c.id
                        AND later.made_at < c.ends_at
                ))
                    THEN least(c.ends_at, c.not_after)
            END,
            device.retired_at,
            CASE WHEN stands.wire_name <> c.username THEN stands.installed_at END
        ) AS since
    FROM device_credential AS c
    INNER JOIN device ON c.device_id = device.id
    INNER JOIN hardware AS stands ON c.device_id = stands.device_id AND stands.removed_at IS NULL
    WHERE c.form = 'certificate' AND (c.serial = ANY($1) OR c.not_after <= $2)
)

SELECT DISTINCT username FROM ended
WHERE since IS NOT NULL AND (disconnected_at IS NULL OR disconnected_at < since)
ORDER BY username
"""
_DISCONNECTED = """
UPDATE device_credential SET disconnected_at = $2 WHERE form = 'certificate' AND username = ANY($1)
"""


async def to_disconnect(connection: Connection, refused: Sequence[str], now: datetime) -> list[str]:
    """Return the names on the wire whose certificate has ended since their session was last ended.

    Args:
        refused: serials that the broker refuses by now: before that, a device would be back at once.
    """
    return [row["username"] for row in await connection.fetch(_TO_DISCONNECT, list(refused), now)]


async def disconnected(connection: Connection, usernames: Sequence[str], now: datetime) -> None:
    """Note that these have no session any more that an ended certificate had opened."""
    await connection.execute(_DISCONNECTED, list(usernames), now)
