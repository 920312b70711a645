"""The heartbeat: heard while all is well, withheld while it is not, and no trouble of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from nabd import clock
from nabd.settings import Settings
from nabd.watching import heartbeat
from store.pool import open_pool
from tests.integration.api import builders
from tests.waiting import eventually

EVERY_S = 0.05
WELL = "UPDATE shard SET alive_at = now() + interval '1 hour', caught_up_at = now()"
SILENT = "UPDATE shard SET alive_at = now() - interval '1 minute'"
SWEPT = """
INSERT INTO sweep_run (one, swept_at) VALUES (true, now() + interval '1 hour')
ON CONFLICT (one) DO UPDATE SET swept_at = excluded.swept_at
"""


@dataclass(slots=True)
class Elsewhere:
    """A service that hears heartbeats, on a port of its own."""

    status: int = 200
    heard: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append((await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[0])
        writer.write(f"HTTP/1.1 {self.status} so\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    service = Elsewhere()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    service.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/secret-of-the-town"
    async with server:
        yield service


async def test_heartbeat_is_heard_while_all_is_well_and_only_then(
    dsn: str, connection: asyncpg.Connection, elsewhere: Elsewhere, tmp_path: Path
) -> None:
    await connection.execute(WELL)
    await connection.execute(SWEPT)
    pool = await open_pool(dsn)
    settings = Settings(database=dsn, data_dir=tmp_path, broker=None)
    checks = heartbeat.checks(settings, pool, builders.KINDS, clock.wall, 1.0)
    with capture_logs() as logs:
        beating = asyncio.create_task(heartbeat.run(elsewhere.url, checks, every_s=EVERY_S))

        async def heard_again() -> bool:
            return len(elsewhere.heard) >= 2

        async def said(event: str) -> bool:
            return any(event in one["event"] for one in logs)

        await eventually(heard_again)
        assert elsewhere.heard[0] == "GET /secret-of-the-town HTTP/1.1"

        await connection.execute(SILENT)
        await eventually(lambda: said("withheld"))
        elsewhere.heard.clear()
        await asyncio.sleep(EVERY_S * 6)  # six more would have come
        assert elsewhere.heard == []

        elsewhere.status = 503
        await connection.execute(WELL)
        await eventually(lambda: said("not taken"))
        elsewhere.status = 200
        await eventually(lambda: said("taken again"))
        assert not beating.done()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
    await pool.close()

    events = [one["event"] for one in logs]
    assert events == [
        "heartbeat withheld: not all is well",
        "heartbeat again: all is well",
        "heartbeat not taken: NABD_HEARTBEAT_URL",
        "heartbeat taken again",
    ]
    assert "ingest silent for" in logs[0]["error"]
    assert "secret-of-the-town" not in str(logs)
