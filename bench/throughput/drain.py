"""Stage c: a session filled while ingest was away, and how long the real process takes to empty it."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.throughput import children, stored_bytes, usage
from bench.throughput.children import ChildFailed, child, last_words
from bench.throughput.publisher import PublishResult
from bench.throughput.rig import Rig
from bench.throughput.traffic import Stream
from devices import kinds
from ingest.broker import session
from ingest.broker.hearing import Hearing
from ingest.commit import shard
from nabd import clock
from nabd.embedded.broker import Mosquitto
from nabd.settings import Settings, environment
from readings import balance, ledger
from readings.tables import table_name
from store.connection import Connection
from store.pool import connect

START_S, STALLED_S = 180.0, 30.0
SUBSCRIBED = "subscribed"
"""What ingest's log says once messages begin to flow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """One run. CPU is microseconds per message by process; `memory_mb` is the peak of ingest.

    start_s: from the start of the process until it could hear a message; start_cpu_s, start_mb: its CPU until
    then, and its memory.
    `stored` are rows counted in the tables; only what is merged, duplicate or rejected is ingest's own word.
    Bytes are for each stored reading: all that the server logged meanwhile, and what tables of readings take;
    None in lines of versions that did not tell.
    """

    messages: int
    sent: int
    stored: int
    merged: int
    duplicates: int
    rejected: int
    lost: int
    seconds: float
    messages_per_s: float
    batches: int
    alerts: int
    cpu_us: dict[str, float]
    memory_mb: float
    start_s: float
    start_cpu_s: float
    start_mb: float
    wal_bytes_per_reading: float | None = None
    table_bytes_per_reading: float | None = None
    index_bytes_per_reading: float | None = None


async def fill(dsn: str, broker: Mosquitto, stream: Stream, directory: Path) -> PublishResult:
    """Make ingest's session and publish the stream into it."""
    opened = await session.connect(await _broker_of(broker, dsn), Hearing(), clock.wall)
    opened.close()
    await asyncio.sleep(0)
    return await children.publish(directory, stream, host=broker.address.host, port=broker.address.port)


async def _broker_of(broker: Mosquitto, dsn: str) -> session.IngestBroker:
    connection = await connect(dsn)
    try:
        client_id = await shard.client_id(connection, Settings().shard)
    finally:
        await connection.close()
    return session.IngestBroker(host=broker.address.host, port=broker.address.port, client_id=client_id)


def settings_of(dsn: str, broker: Mosquitto) -> dict[str, str]:
    """Return the environment of the real ingest."""
    return environment(Settings(database=dsn, broker=str(broker.address), clock=None))


async def run(
    rig: Rig,
    dsn: str,
    stream: Stream,
    name: str,
    *,
    command: Sequence[str] = (),
    halfway: Callable[[str], Coroutine[None, None, None]] | None = None,
) -> Drain:
    """Fill, start ingest, wait for the last commit.

    Args:
        command: instead of the real ingest.
        halfway: what is begun, given the database, once half of the messages are committed.
    """
    directory = rig.directory / name
    with rig.broker() as broker:
        sent = await fill(dsn, broker, stream, directory)
        log = directory / "ingest.log"
        logged = await _logged(dsn)
        spawned = time.perf_counter()
        async with child(command or ingest_command(), log, settings_of(dsn, broker)) as process:
            await until_said(process, log, SUBSCRIBED)
            start_s, start_mb = time.perf_counter() - spawned, usage.memory_mb(process.pid)
            before = (usage.cpu_s([process.pid]), usage.cpu_s([broker.pid]), rig.database_cpu_s())
            connection = await connect(dsn)
            try:
                if halfway is not None:
                    await until_counted(connection, process, log, len(stream) // 2)
                    begun = asyncio.create_task(halfway(dsn))
                    await until_counted(connection, process, log, len(stream))
                    await begun
                await until_counted(connection, process, log, len(stream))
                after = (usage.cpu_s([process.pid]), usage.cpu_s([broker.pid]), rig.database_cpu_s())
                memory = usage.peak_memory_mb(process.pid)
                logged = await stored_bytes.wal_position(connection) - logged
                sizes = await stored_bytes.of_readings(connection)
                first, last = await span(connection)
                totals = await ledger.total(connection)
                stored = await balance.count_readings(connection, kinds.load())
                batches = await connection.fetchval("SELECT count(*) FROM ledger")
                alerts = await connection.fetchval("SELECT count(*) FROM alert")
            finally:
                await connection.close()
    n = len(stream)
    generator = sent.cpu_s / n * 1e6
    parts = [(b - a) / n * 1e6 for a, b in zip(before, after, strict=True)]
    cpu = {"ingest": parts[0], "broker": parts[1], "database": parts[2], "generator": generator}
    return Drain(
        messages=n,
        sent=stream.readings,
        stored=stored,
        merged=totals.merged,
        duplicates=totals.duplicate,
        rejected=totals.rejected,
        lost=stream.readings - stored - totals.merged - totals.duplicate - totals.rejected,
        seconds=last - first,
        messages_per_s=n / (last - first),
        batches=batches,
        alerts=alerts,
        cpu_us={name: round(us, 2) for name, us in cpu.items()},
        memory_mb=memory,
        start_s=round(start_s, 2),
        start_cpu_s=round(before[0], 2),
        start_mb=round(start_mb),
        wal_bytes_per_reading=round(logged / stored, 1),
        table_bytes_per_reading=round(sizes.tables / stored, 1),
        index_bytes_per_reading=round(sizes.indexes / stored, 1),
    )


async def _logged(dsn: str) -> int:
    connection = await connect(dsn)
    try:
        return await stored_bytes.wal_position(connection)
    finally:
        await connection.close()


def ingest_command() -> list[str]:
    """Return the command of the real process."""
    return [sys.executable, "-m", "nabd", "ingest"]


async def until_said(process: asyncio.subprocess.Process, log: Path, words: str) -> None:
    """Wait until a log holds some words.

    Raises:
        ChildFailed: the process ended, or took too long.
    """
    deadline = time.monotonic() + START_S
    while words not in last_words(log):
        if process.returncode is not None or time.monotonic() > deadline:
            raise ChildFailed(f"ingest did not get as far as {words!r}:\n{last_words(log)}")
        await asyncio.sleep(0.005)


_COUNTED = "SELECT coalesce(sum(messages), 0)::bigint FROM ledger"


async def until_counted(
    connection: Connection, process: asyncio.subprocess.Process, log: Path, messages: int
) -> None:
    """Wait until the ledger has so many messages, or nothing has come for long.

    Raises:
        ChildFailed: ingest ended.
    """
    counted, moved = -1, time.monotonic()
    while counted < messages and time.monotonic() - moved < STALLED_S:
        if process.returncode is not None:
            raise ChildFailed(f"ingest ended:\n{last_words(log)}")
        found = await connection.fetchval(_COUNTED)
        if found != counted:
            counted, moved = found, time.monotonic()
        await asyncio.sleep(0.05)


_LAST = "SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 FROM ledger"


async def span(connection: Connection) -> tuple[float, float]:
    """Return when the first message arrived and when the last batch committed, in seconds."""
    tables = [table_name(name) for name in kinds.load()]
    firsts = [
        await connection.fetchval(f"SELECT extract(epoch FROM min(received_at))::float8 FROM {table}")  # noqa: S608 - a declared name
        for table in tables
    ]
    return min(f for f in firsts if f is not None), await connection.fetchval(_LAST)
