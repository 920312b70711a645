"""Connections to PostgreSQL: one way to open them, with the same settings everywhere.

jsonb and json are Python objects in and out. Must not know tables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg
import msgspec

from store.connection import Connection
from store.errors import Unavailable

CONNECT_TIMEOUT_S = 10.0
STATEMENT_TIMEOUT_S = 60.0
ANSWER_GRACE_S = 15.0
"""Seconds beyond the server's own time-out after which a server that does not answer counts as frozen."""

_JSONB_VERSION = b"\x01"
_UNREACHABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
)


def name_of(dsn: str) -> str:
    """Return 'database X at HOST' for messages to people; never the user's password."""
    parts = urlsplit(dsn)
    query = parse_qs(parts.query)
    try:
        port = parts.port
    except ValueError:
        port = None
    host = query.get("host", [""])[0] or (parts.hostname or "localhost")
    database = unquote(parts.path.lstrip("/")) or query.get("dbname", ["default"])[0]
    return f"database {database} at {host}{f':{port}' if port else ''}"


def _encode_jsonb(value: Any) -> bytes:
    return _JSONB_VERSION + msgspec.json.encode(value)


def _decode_jsonb(data: bytes) -> Any:
    return msgspec.json.decode(data[1:])


async def set_codecs(connection: asyncpg.Connection) -> None:
    """Make jsonb and json Python objects; in binary, so that COPY can carry them too."""
    for name, encoder, decoder in (
        ("jsonb", _encode_jsonb, _decode_jsonb),
        ("json", msgspec.json.encode, msgspec.json.decode),
    ):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=encoder, decoder=decoder, format="binary"
        )


def _settings(statement_timeout_s: float) -> dict[str, str]:
    return {
        "application_name": "nabd",
        "timezone": "UTC",
        "statement_timeout": str(int(statement_timeout_s * 1000)),
        "idle_in_transaction_session_timeout": str(int(statement_timeout_s * 1000)),
    }


def _command_timeout(statement_timeout_s: float) -> float | None:
    return statement_timeout_s + ANSWER_GRACE_S if statement_timeout_s else None


async def connect(
    dsn: str, *, statement_timeout_s: float = STATEMENT_TIMEOUT_S, timeout_s: float = CONNECT_TIMEOUT_S
) -> asyncpg.Connection:
    """Open one connection; `statement_timeout_s=0` means statements may take as long as they need.

    Raises:
        Unavailable: the database cannot be reached, refuses us, or the DSN is malformed.
    """
    opening = partial(
        asyncpg.connect,
        dsn,
        timeout=timeout_s,
        command_timeout=_command_timeout(statement_timeout_s),
        server_settings=_settings(statement_timeout_s),
    )
    connection: asyncpg.Connection = await _reach(dsn, opening)
    await set_codecs(connection)
    return connection


async def open_pool(
    dsn: str,
    *,
    max_size: int = 10,
    min_size: int = 1,
    statement_timeout_s: float = STATEMENT_TIMEOUT_S,
    timeout_s: float = CONNECT_TIMEOUT_S,
) -> asyncpg.Pool:
    """Open a pool whose connections are set up like those of `connect`.

    Raises:
        Unavailable: the database cannot be reached, refuses us, or the DSN is malformed.
    """

    async def opening() -> asyncpg.Pool:
        return await asyncpg.create_pool(
            dsn,
            min_size=min_size,
            max_size=max_size,
            init=set_codecs,
            timeout=timeout_s,
            command_timeout=_command_timeout(statement_timeout_s),
            server_settings=_settings(statement_timeout_s),
        )

    pool: asyncpg.Pool = await _reach(dsn, opening)
    return pool


async def _reach(dsn: str, opening: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await opening()
    except _UNREACHABLE as error:
        reason = str(error) or type(error).__name__
        if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
            reason += "; `nabd store accounts` makes accounts and sets their passwords"
        raise Unavailable(f"{name_of(dsn)} cannot be reached: {reason}") from error
    except (ValueError, asyncpg.InterfaceError) as error:
        # asyncpg repeats parts of a malformed DSN, and with them perhaps the password.
        raise Unavailable("the database address is malformed: postgresql://user@host:port/name") from error


async def keep_plans(connection: asyncpg.Connection) -> None:
    """Have each statement planned once: planning a look-up of a few duplicates takes longer than the look-up.

    Sequential scans are off: a plan made while a table is empty must not read it whole once it has grown.
    """
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute("SET enable_seqscan = off")


async def plan_by_values(connection: Connection) -> None:
    """Have each statement planned for the values that it is asked with, until the connection is given back.

    After five runs PostgreSQL may take one plan for all values: of a list with many filters, or of a year of
    days, it is one that takes twenty times as long.
    """
    await connection.execute("SET plan_cache_mode = force_custom_plan")
