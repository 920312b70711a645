"""Rows that alerts stand on: a municipality, devices, rules."""

from __future__ import annotations

from typing import Any

import asyncpg

from devices.instants import to_datetime

NOON = 1_760_000_400_000_000
"""An instant to count from, microseconds since 1970-01-01Z: 2025-10-09 09:00:00 UTC."""

MINUTE = 60_000_000


async def add_device(connection: asyncpg.Connection, name: str, kind: str = "bin", **attributes: Any) -> int:
    """Register a device in tripoli and return its id."""
    municipality = await connection.fetchval(
        "INSERT INTO municipality (name, title, time_zone, lat, lon)"
        " VALUES ('tripoli', '{}', 'Africa/Tripoli', 32.9, 13.2)"
        " ON CONFLICT (name) DO UPDATE SET lat = 32.9 RETURNING id"
    )
    device: int = await connection.fetchval(
        "INSERT INTO device (name, municipality_id, kind, attributes, installed_at)"
        " VALUES ($1, $2, $3, $4, 'epoch') RETURNING id",
        name,
        municipality,
        kind,
        attributes,
    )
    return device


async def add_rule(connection: asyncpg.Connection, name: str, family: str = "stream") -> None:
    """Store version 1 of a rule that nobody evaluates."""
    await connection.execute(
        "INSERT INTO rule (id, version, definition, created_at, family) VALUES ($1, 1, '{}', $2, $3)",
        name,
        to_datetime(NOON),
        family,
    )
