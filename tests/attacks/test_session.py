"""Another client takes the session of ingest: ingest takes it back, and people are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import mqtt5
import pytest
import structlog
from structlog.testing import capture_logs

from api.metrics import platform
from api.metrics.platform import Ages
from ingest.broker.session import IngestBroker
from ingest.commit import shard
from ingest.service import IngestOptions, run
from nabd import doctor
from nabd.doctor import CheckResult, Verdict
from nabd.settings import Settings
from store.pool import connect
from tests.integration.api import builders
from tests.waiting import eventually, now

pytestmark = pytest.mark.attack("the session of ingest")

KINDS = builders.KINDS


async def lets_in_and_gives_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be a broker that lets a client in, and gives its session to another one at once."""
    await reader.read(1000)
    writer.write(mqtt5.ConnAckPacket(session_present=True).write())
    await reader.read(1000)
    granted = [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE] * 3
    writer.write(mqtt5.SubAckPacket(1, granted).write())
    taken = mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
    writer.write(mqtt5.DisconnectPacket(reason_code=taken).write())
    writer.close()


@asynccontextmanager
async def ingesting(dsn: str) -> AsyncIterator[None]:
    """Run ingest on a broker whose sessions are stolen."""
    server = await asyncio.start_server(lets_in_and_gives_away, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    options = IngestOptions(
        broker=IngestBroker(host="127.0.0.1", port=port, client_id="nabd-0123"),
        open_database=lambda: connect(dsn),
        kinds=KINDS,
        now=now,
        owner=uuid4(),
    )
    stop = asyncio.Event()
    running = asyncio.create_task(run(options, stop))
    try:
        yield
    finally:
        stop.set()
        await running
        server.close()


async def of_session(dsn: str, directory: Path) -> CheckResult:
    """Return what doctor says of ingest's session."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]  # pydantic-settings' own argument, unknown to its types
        database=dsn,
        data_dir=directory,
    )
    return next(f for f in await doctor.examine(settings) if f.subject == "session")


async def test_session_that_was_taken_is_told_in_the_log_in_the_metrics_and_by_doctor(
    connection: asyncpg.Connection, dsn: str, tmp_path: Path
) -> None:
    assert (await of_session(dsn, tmp_path)).verdict is Verdict.FINE

    async def taken_twice() -> bool:
        return bool(await connection.fetchval("SELECT takeovers >= 2 FROM shard"))

    structlog.reset_defaults()
    with capture_logs() as lines:
        async with ingesting(dsn):
            await eventually(taken_twice)

    told = [line for line in lines if line["event"] == "session taken over by another client"]
    assert told[0] == {**told[0], "log_level": "error", "client_id": "nabd-0123", "times": 1}
    figures = platform.families(await platform.read(connection, (), now()), None, Ages(now=now(), speed=1.0))
    counted = next(f for f in figures if f.name == "nabd_ingest_session_takeovers")
    assert counted.samples[0].value == await connection.fetchval("SELECT takeovers FROM shard")
    found = await of_session(dsn, tmp_path)
    assert found.verdict is Verdict.BAD
    assert "last 0 h ago" in found.said


async def test_session_that_another_ingest_took_with_the_shard_is_no_theft(
    connection: asyncpg.Connection,
) -> None:
    former = shard.Shard(name="main", owner=uuid4())
    await connection.execute("UPDATE shard SET owner = gen_random_uuid()")

    with pytest.raises(shard.Fenced):
        await shard.taken_over(connection, former, now())

    assert await connection.fetchval("SELECT takeovers FROM shard") == 0
