"""Ingest started before its database, or while that comes and goes, waits and then works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import pytest

from nabd.embedded.postgres import EmbeddedPostgres
from nabd.settings import Settings, environment
from nabd.supervisor import Child, Supervisor
from store.pool import connect
from tests import databases
from tests.brokers import Broker
from tests.waiting import eventually


@asynccontextmanager
async def ingest(dsn: str, broker: Broker, directory: Path) -> AsyncIterator[Child]:
    """Run `nabd ingest` as a process of its own."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        database=dsn,
        broker=f"mqtt://{broker.host}:{broker.port}",
        data_dir=directory,
    )
    child = Child(name="ingest", arguments=["ingest"], log=directory / "ingest.log")
    async with Supervisor(environment(settings)) as supervisor:
        await supervisor.start(child)
        yield child


def says(child: Child, words: str) -> Callable[[], Awaitable[bool]]:
    """Return a condition: the child's log holds these words."""

    async def said() -> bool:
        return words in child.log.read_text(encoding="utf-8")

    return said


class Gate:
    """A socket of PostgreSQL that lets so many connections through, and refuses further ones until opened."""

    def __init__(self, directory: Path, dsn: str, admitted: int) -> None:
        self._socket = str(directory / ".s.PGSQL.5432")
        parts = urlsplit(dsn)
        self._behind = parse_qs(parts.query)["host"][0] + "/.s.PGSQL.5432"
        self.dsn = f"postgresql://postgres@{parts.path}?host={directory}"
        self._left: float = admitted
        self.refused = asyncio.Event()

    def open(self) -> None:
        """Let everybody through from now on."""
        self._left = float("inf")

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(self._serve, self._socket)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._left <= 0:
            self.refused.set()
            writer.close()
            return
        self._left -= 1
        there, back = await asyncio.open_unix_connection(self._behind)
        await asyncio.gather(_pump(reader, back), _pump(there, writer), return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()


async def test_ingest_works_once_a_database_comes_up_that_was_away_at_its_start(
    tmp_path: Path, broker: Broker
) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres", settings=databases.FAST)
    await asyncio.to_thread(server.start)
    try:
        dsn = server.dsn()
        await databases.migrate_all(dsn)
        await asyncio.to_thread(server.stop_server)
        async with ingest(dsn, broker, tmp_path) as child:
            await eventually(says(child, "waiting for the database"))
            await asyncio.to_thread(server.start)
            await eventually(says(child, "subscribed"))
            assert child.restarts == 0
    finally:
        await asyncio.to_thread(server.delete)


@pytest.mark.parametrize("admitted", [0, 1, 2])
async def test_ingest_works_after_a_database_went_away_again_while_it_started(
    tmp_path: Path, dsn: str, broker: Broker, admitted: int
) -> None:
    async with Gate(tmp_path, dsn, admitted) as gate, ingest(gate.dsn, broker, tmp_path) as child:
        await asyncio.wait_for(gate.refused.wait(), 30)
        gate.open()
        await eventually(says(child, "subscribed"))

        assert child.restarts == 0
        connection = await connect(dsn)
        assert await connection.fetchval("SELECT alive_at FROM shard WHERE name = 'main'") is not None
        await connection.close()
