"""The way into a new installation: said once, whatever happens before; a link that is good once."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from nabd import first_link, processes
from nabd.settings import Settings
from people import links
from people.identity import Grant
from people.person import get_person
from people.roles import Role
from tests.waiting import eventually, now


async def test_what_to_do_is_said_although_the_database_failed_at_first(
    dsn: str,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(processes, "MIGRATION_EVERY_S", 0.05)
    await connection.execute("ALTER TABLE token RENAME TO elsewhere")
    announcing = asyncio.create_task(processes._announce_first(Settings(database=dsn)))
    said: list[str] = []

    async def warned() -> bool:
        said.append(capsys.readouterr().out)
        return "waits for the database" in "".join(said)

    await eventually(warned)
    await connection.execute("ALTER TABLE elsewhere RENAME TO token")
    await asyncio.wait_for(announcing, 30)

    assert "`nabd user first`" in capsys.readouterr().out


async def test_nothing_is_said_once_there_is_an_administrator(
    dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await first_link.link_of(Settings(database=dsn))

    await processes._announce_first(Settings(database=dsn))

    assert "nabd user first" not in capsys.readouterr().out


async def test_each_start_gives_a_link_for_the_same_administrator(
    dsn: str, connection: asyncpg.Connection
) -> None:
    settings = Settings(database=dsn, http_host="0.0.0.0", http_port=8123)

    first, second = [await first_link.link_of(settings) for _ in range(2)]

    assert first != second
    assert first.startswith("http://127.0.0.1:8123/signin?link=")
    admin = await get_person(connection, "admin")
    assert admin.grants == {Grant(role=Role.ADMIN)}
    assert not admin.has_password
    secret = first.partition("link=")[2]
    assert await links.use_link(connection, secret, now()) == admin.id
    assert await links.use_link(connection, secret, now()) is None
