"""One batch, one transaction: readings, rejections, ledger, consumers; all of it or nothing.

A flat list of steps. Must not know the broker: who called acknowledges, once this has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from devices.columns import Columns
from devices.commands.sent import record_response
from ingest.commit import offsets, tables
from ingest.commit import shard as shards
from ingest.commit.consumers import BatchConsumer
from ingest.commit.latest import LatestBuffer
from ingest.commit.settled import Settled, count, receipts
from ingest.commit.shard import Shard
from ingest.commit.watermarks import Watermarks
from ingest.decide.allowance import Allowance
from ingest.decide.batch import Batch
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from readings import latest, ledger, presence, quarantine, rejections
from readings.rejections import NewRejection
from store.connection import Connection
from store.readings import Writer

Step = Callable[[str], None]
"""Told the name of each step as it is done; tests stop the process there."""


class GenerationMoved(Exception):
    """Rules or registry changed since the batch was decided: look again, then decide again."""


@dataclass(slots=True, kw_only=True)
class BatchContext:
    """What batches are decided and committed with; lives as long as the shard is ours.

    `prepared` is what the batch at hand comes to if its COMMIT, unanswered, turns out to have worked.
    """

    shard: Shard
    directory: Directory
    offsets: Offsets
    writer: Writer
    consumers: Sequence[BatchConsumer]
    now: Callable[[], int]
    retention: int
    allowance: Allowance = field(default_factory=Allowance)
    latest: LatestBuffer = field(default_factory=LatestBuffer)
    newest: Watermarks = field(default_factory=Watermarks)
    prepared: Settled | None = None
    step: Step = lambda _: None


async def commit(
    connection: Connection,
    desk: BatchContext,
    batch: Batch,
    *,
    careful: bool,
    caught_up: bool,
    flush_latest: bool,
) -> Settled:
    """Store a batch and everything it causes.

    Returns:
        What became of its readings; the caller calls `committed` with it.

    Raises:
        GenerationMoved: decide again with the present registry.
        shards.Fenced: the shard is not ours any more.
        asyncpg.UniqueViolationError, asyncpg.DataError: try again, carefully.
    """
    number = desk.shard.batch + 1
    now = desk.now()
    async with connection.transaction():
        generation = await shards.advance(connection, desk.shard, now=now, caught_up=caught_up)
        if generation != desk.shard.generation:
            raise GenerationMoved
        desk.step("fenced")
        settled = await tables.store(
            connection, desk.writer, batch, desk.newest, partial(_foresee, desk), now, careful=careful
        )
        desk.step("readings")
        await _record(connection, desk, batch, settled, number)
        desk.step("ledger")
        if flush_latest and desk.latest.waiting:
            await latest.flush(connection, desk.latest.rows(desk.directory))
        new = [columns for columns in settled.stored.values() if len(columns)]
        for consumer in desk.consumers:
            await consumer.consume(connection, number, new, now)
        settled.receipts = receipts(settled, batch, desk.directory)
        desk.prepared = settled
        desk.step("consumed")
    desk.step("committed")
    return settled


def committed(desk: BatchContext, settled: Settled, *, flushed_latest: bool) -> None:
    """Adopt what the committed batch has changed in memory."""
    desk.shard.batch += 1
    desk.offsets.adopt(settled.learnt)
    desk.allowance.adopt()
    if flushed_latest:
        desk.latest.flushed()
    for columns in settled.stored.values():
        if len(columns):
            desk.latest.add(columns)
    for columns in (*settled.stored.values(), *settled.duplicates):
        desk.newest.add(columns)
    for consumer in desk.consumers:
        consumer.committed()


async def flush_latest(connection: Connection, desk: BatchContext) -> None:
    """Write every newest value that is not written yet."""
    while desk.latest.waiting:
        await latest.flush(connection, desk.latest.rows(desk.directory))
        desk.latest.flushed()


def rolled_back(desk: BatchContext) -> None:
    """Forget what a batch that did not commit has prepared."""
    desk.allowance.forget()
    for consumer in desk.consumers:
        consumer.rolled_back()


def _foresee(desk: BatchContext, columns: Columns) -> None:
    for consumer in desk.consumers:
        consumer.foresee(columns)


async def _record(
    connection: Connection, desk: BatchContext, batch: Batch, settled: Settled, number: int
) -> None:
    name = desk.shard.name
    counts = count(settled, batch, desk.directory, shard=name, number=number)
    await ledger.record(connection, counts)
    desk.allowance.forget()
    kept = [
        NewRejection(
            received_at=int(batch.intake.received_at[r.rejected.message]),
            topic=batch.intake.topics[r.rejected.message],
            device=r.device,
            reason=r.rejected.reason,
            pointer=r.rejected.pointer,
            detail=r.rejected.detail,
            payload=r.rejected.payload,
        )
        for r in settled.refused
        if desk.allowance.admits(r.device, int(batch.intake.received_at[r.rejected.message]))
    ]
    await rejections.record(connection, name, number, kept)
    await offsets.record(connection, batch.learnt, desk.now())
    await presence.record(connection, batch.presences)
    for device, answer in batch.responses:
        await record_response(
            connection,
            device,
            answer.id,
            answer.status,
            desk.now,
            detail=answer.detail,
            result=answer.result,
        )
    if batch.intake.rejections:
        await quarantine.mark_replayed(connection, batch.intake.rejections, desk.now)
