"""Principals: whoever can do something, by number. Names of people and tokens are not kept here."""

from __future__ import annotations

from typing import Literal

from store.connection import Connection

PrincipalKind = Literal["token", "command", "former"]

_FIND = "SELECT id FROM principal WHERE kind = $1 AND name = $2"
_ADD = """
INSERT INTO principal (kind, name) VALUES ($1, $2)
ON CONFLICT (kind, name) WHERE name IS NOT NULL DO UPDATE SET name = excluded.name
RETURNING id
"""


async def named(connection: Connection, kind: PrincipalKind, name: str) -> int:
    """Return the number of the principal of a name, which is added the first time."""
    found: int | None = await connection.fetchval(_FIND, kind, name)
    return found or await connection.fetchval(_ADD, kind, name)
