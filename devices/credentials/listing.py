"""Credentials of devices as people read them, and which devices are meant by a filter."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from devices.credentials.credential import CredentialForm, DeviceCredential
from devices.registry.registry import get_device
from devices.wire.topics import GATEWAY
from store.connection import Connection

_OF = """
SELECT
    c.id, device.name AS device, c.form, c.username, c.serial, c.fingerprint, c.made_at,
    author.name AS author, c.not_after, c.ends_at, c.ending
FROM device_credential AS c
INNER JOIN device ON c.device_id = device.id
INNER JOIN named_principal AS author ON c.author_id = author.id
WHERE device.name = ANY($1)
ORDER BY device.name, c.id DESC
"""


async def list_credentials(connection: Connection, device: str) -> list[DeviceCredential]:
    """Return what a device signs in with and signed in with before, the newest first.

    Raises:
        NotFound: no device has that name.
    """
    await get_device(connection, device)
    return await credentials_of(connection, [device])


async def credentials_of(connection: Connection, devices: Sequence[str]) -> list[DeviceCredential]:
    """Return the credentials of several devices, by device, the newest first."""
    rows = await connection.fetch(_OF, list(devices))
    return [DeviceCredential(**{**dict(row), "form": CredentialForm(row["form"])}) for row in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFilter:
    """Which devices are meant: those named, or all of a municipality, a kind; `missing`: without any yet."""

    names: Sequence[str] | None = None
    municipality: str | None = None
    kind: str | None = None
    missing: bool = False


# Circuits and cabinets have no voice of their own.
_MEANT = """
SELECT device.name
FROM device
INNER JOIN municipality ON device.municipality_id = municipality.id
WHERE
    device.retired_at IS NULL
    AND ($1::text [] IS NULL OR device.name = ANY($1))
    AND ($2::text IS NULL OR municipality.name = $2)
    AND ($3::text IS NULL OR device.kind = $3)
    AND (device.kind = $5 OR device.kind = ANY($6))
    AND (NOT $4 OR NOT EXISTS (
        SELECT FROM device_credential AS c WHERE c.device_id = device.id AND c.ends_at IS NULL
    ))
ORDER BY device.name
"""


async def devices_meant(connection: Connection, asked: CredentialFilter, kinds: Collection[str]) -> list[str]:
    """Return the names of devices in service that can sign in, among those meant.

    Args:
        kinds: the declared kinds.
    """
    names = None if asked.names is None else list(asked.names)
    rows = await connection.fetch(
        _MEANT, names, asked.municipality, asked.kind, asked.missing, GATEWAY, list(kinds)
    )
    return [row["name"] for row in rows]


_ABLE = """
SELECT device.name
FROM device
LEFT JOIN hardware AS h ON device.id = h.device_id AND h.removed_at IS NULL
WHERE device.name = ANY($1) AND position(':' IN coalesce(h.wire_name, device.name)) = 0
ORDER BY device.name
"""


async def able_to_have_passwords(connection: Connection, names: Sequence[str]) -> list[str]:
    """Return those whose name on the wire a list of passwords can hold: one without a colon."""
    return [row["name"] for row in await connection.fetch(_ABLE, list(names))]


_WORKING = """
SELECT count(DISTINCT c.device_id)
FROM device_credential AS c
INNER JOIN device ON c.device_id = device.id
WHERE
    device.name = ANY($1) AND c.form = $2
    AND (c.ends_at IS NULL OR c.ends_at > $3) AND (c.not_after IS NULL OR c.not_after > $3)
"""


async def count_working(
    connection: Connection, names: Sequence[str], form: CredentialForm, now: datetime
) -> int:
    """Return how many of these devices have a credential of a form that works."""
    found: int = await connection.fetchval(_WORKING, list(names), form, now)
    return found
