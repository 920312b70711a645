"""Stage b, the limit: the same rows, encoded beforehand, through nothing but COPY into the same tables."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.throughput.recorded import EncodedBatch
from bench.throughput.rig import Rig
from store.connection import Connection
from store.pool import connect


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCopy:
    """One run: messages and readings a second, and the database's CPU microseconds per message."""

    batch_messages: int
    messages_per_s: float
    readings_per_s: float
    database_cpu_us: float


async def run(rig: Rig, dsn: str, batches: Sequence[EncodedBatch], messages: int, size: int) -> RawCopy:
    """Copy into empty tables, one transaction for each batch of messages, and empty them again."""
    connection = await connect(dsn, statement_timeout_s=0)
    try:
        await connection.execute("CHECKPOINT")
        cpu, start = rig.database_cpu_s(), time.perf_counter()
        for number in sorted({b.number for b in batches}):
            await _copy(connection, [b for b in batches if b.number == number])
        seconds, cpu = time.perf_counter() - start, rig.database_cpu_s() - cpu
        for table in sorted({b.table for b in batches}):
            await connection.execute(f"TRUNCATE {table}")
    finally:
        await connection.close()
    return RawCopy(
        batch_messages=size,
        messages_per_s=messages / seconds,
        readings_per_s=sum(b.rows for b in batches) / seconds,
        database_cpu_us=cpu / messages * 1e6,
    )


async def _copy(connection: Connection, batches: Sequence[EncodedBatch]) -> None:
    async with connection.transaction():
        for batch in batches:
            await connection.copy_to_table(
                batch.table,
                source=memoryview(batch.data),  # type: ignore[arg-type]  # any buffer is read
                columns=batch.names,
                format="binary",
            )
