"""The token of a new installation: printed once, whatever happens before."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from nabd import processes
from nabd.settings import Settings
from tests.waiting import eventually


async def test_token_is_printed_although_the_database_failed_at_first(
    dsn: str,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(processes, "MIGRATION_EVERY_S", 0.05)
    await connection.execute("ALTER TABLE token RENAME TO elsewhere")
    announcing = asyncio.create_task(processes._announce_token(Settings(database=dsn)))
    said: list[str] = []

    async def warned() -> bool:
        said.append(capsys.readouterr().out)
        return "waits for the database" in "".join(said)

    await eventually(warned)
    await connection.execute("ALTER TABLE elsewhere RENAME TO token")
    await asyncio.wait_for(announcing, 30)

    assert "token (shown once" in capsys.readouterr().out
    assert await connection.fetchval("SELECT count(*) FROM token") == 1
