"""Connections: what they carry and what they say when there is nobody to talk to."""

from typing import Any

import asyncpg
import pytest

from nabd.embedded.broker import free_port
from store.errors import Unavailable
from store.pool import connect, open_pool


@pytest.mark.parametrize("type_", ["jsonb", "json"])
@pytest.mark.parametrize("value", [None, 1, 1.5, "نبض", [1, [None]], {"a": {"b": True}}])
async def test_json_goes_in_and_out_as_python_objects(pool: asyncpg.Pool, type_: str, value: Any) -> None:
    wrapped = {"value": value}

    assert await pool.fetchval(f"SELECT $1::{type_}", wrapped) == wrapped


async def test_jsonb_travels_in_copy_too(connection: asyncpg.Connection) -> None:
    await connection.execute("CREATE TEMP TABLE kite (extra jsonb)")
    await connection.copy_records_to_table("kite", records=[({"tail": 3},), (None,)])

    assert [row["extra"] for row in await connection.fetch("SELECT extra FROM kite")] == [{"tail": 3}, None]


async def test_connection_speaks_utc_and_waits_for_the_disk(connection: asyncpg.Connection) -> None:
    assert await connection.fetchval("SHOW timezone") == "UTC"
    assert await connection.fetchval("SHOW synchronous_commit") == "on"
    assert await connection.fetchval("SHOW statement_timeout") == "1min"


async def test_unreachable_database_is_named_without_its_password() -> None:
    port = free_port()

    with pytest.raises(Unavailable, match=f"database town at 127.0.0.1:{port} cannot be reached") as caught:
        await connect(f"postgresql://nabd:secret@127.0.0.1:{port}/town")

    assert "secret" not in str(caught.value)


async def test_missing_database_is_unavailable(dsn: str) -> None:
    with pytest.raises(Unavailable, match='database "absent" does not exist'):
        await open_pool(f"postgresql://postgres@/absent?{dsn.partition('?')[2]}")


@pytest.mark.parametrize("dsn", ["mysql://nabd:secret@host/x", "postgresql://nabd:secret@host:port/x"])
async def test_malformed_address_does_not_show_the_password(dsn: str) -> None:
    with pytest.raises(Unavailable, match="malformed") as caught:
        await connect(dsn)

    assert "secret" not in str(caught.value)
