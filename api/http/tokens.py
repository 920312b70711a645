"""Bearer tokens: random, shown once, kept only as a SHA-256 hash.

A plain hash is enough for a random 256-bit token: it cannot be guessed.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from devices.instants import to_datetime

if TYPE_CHECKING:
    from store.connection import Connection

_CREATE = """
INSERT INTO token (name, hash, created_at)
VALUES ($1, $2, $3)
"""


async def create_token(connection: Connection, name: str, now: int) -> str:
    """Store a new token called `name` and return it; it cannot be shown again."""
    token = secrets.token_urlsafe(32)
    await connection.execute(_CREATE, name, digest(token), to_datetime(now))
    return token


_NAME = """
SELECT name
FROM token
WHERE hash = $1 AND (expires_at IS NULL OR expires_at > $2)
"""


async def name_of(connection: Connection, token: str, now: int) -> str | None:
    """Return the name of the token, None when it is unknown or has expired."""
    name: str | None = await connection.fetchval(_NAME, digest(token), to_datetime(now), timeout=5.0)
    return name


_ANY = """
SELECT EXISTS (SELECT FROM token WHERE expires_at IS NULL OR expires_at > $1)
"""


async def any_token(connection: Connection, now: int) -> bool:
    """Tell whether a usable token exists; the first start beyond loopback creates one where none does."""
    found: bool = await connection.fetchval(_ANY, to_datetime(now))
    return found


def digest(token: str) -> bytes:
    """Return what is stored of a token."""
    return hashlib.sha256(token.encode()).digest()
