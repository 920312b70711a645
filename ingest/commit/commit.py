"""One batch, one transaction: readings, rejections, ledger, consumers; all of it or nothing.

A flat list of steps. Must not know the broker: the caller acknowledges, once this has returned.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from devices.columns import Columns
from devices.commands import configured, queue
from ingest.commit import answers, offsets, shard, tables
from ingest.commit.consumers import BatchConsumer
from ingest.commit.latest import LatestBuffer
from ingest.commit.settled import Settled, count, receipts
from ingest.commit.shard import Shard
from ingest.commit.watermarks import Watermarks
from ingest.decide.allowance import Allowance
from ingest.decide.batch import Batch
from ingest.decide.clocks import Offsets
from ingest.decide.directory import Directory
from ingest.decide.last_values import LastValues
from readings import latest, ledger, presence, quarantine, rejections
from readings.rejections import NewRejection
from store.connection import Connection
from store.readings import Writer

Step = Callable[[str], None]
"""Called with the name of each step when it is done: tests stop the process there, benchmarks read clocks.

Of one batch: taken, decided, fenced, readings, ledger, consumed, committed, acknowledged; of one that is
decided while another commits also "decided ahead", between the steps of that one and from a thread.
"""


class GenerationMoved(Exception):
    """Rules or registry changed since the batch was decided: reload, then decide again."""


@dataclass(slots=True, kw_only=True)
class BatchContext:
    """What batches are decided and committed with, for as long as the shard is ours.

    `prepared` is the result of the present batch, for when its COMMIT is not answered but has succeeded.
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
    last_values: dict[str, LastValues] = field(default_factory=dict)
    prepared: Settled | None = None
    step: Step = lambda _: None


async def commit(
    connection: Connection,
    context: BatchContext,
    batch: Batch,
    *,
    careful: bool,
    caught_up: bool,
    flush_latest: bool,
    fenced: Callable[[], None] = lambda: None,
) -> Settled:
    """Store a batch and everything it causes.

    Args:
        fenced: called once the shard is known to be ours: other work begun before makes the server wait.

    Returns:
        What became of its readings; the caller calls `committed` with it.

    Raises:
        GenerationMoved: decide again with the present registry.
        shard.Fenced: the shard is not ours any more.
        asyncpg.UniqueViolationError, asyncpg.DataError: try again with `careful`.
    """
    number = context.shard.batch + 1
    now = context.now()
    async with connection.transaction():
        generation = await shard.advance(connection, context.shard, now=now, caught_up=caught_up)
        if generation != context.shard.generation:
            raise GenerationMoved
        context.step("fenced")
        fenced()
        _judge_by_the_values_before(context, batch)
        settled = await tables.store(
            connection,
            context.writer,
            batch,
            context.newest,
            partial(_foresee, context),
            now,
            careful=careful,
        )
        context.step("readings")
        await _record(connection, context, batch, settled, number)
        context.step("ledger")
        if flush_latest and context.latest.waiting:
            await latest.flush(connection, context.latest.rows(context.directory))
        new = settled.news()
        for consumer in context.consumers:
            await consumer.consume(connection, number, new, now)
        settled.receipts = receipts(settled, batch, context.directory)
        context.prepared = settled
        context.step("consumed")
    context.step("committed")
    return settled


def committed(context: BatchContext, settled: Settled, *, flushed_latest: bool) -> None:
    """Adopt what the committed batch has changed in memory."""
    context.shard.batch += 1
    context.offsets.adopt(settled.learnt)
    context.allowance.adopt()
    for known in context.last_values.values():
        known.committed()
    if flushed_latest:
        context.latest.flushed()
    new = settled.news()
    for columns in new:
        context.latest.add(columns)
    for columns in (*new, *settled.duplicates):
        context.newest.add(columns)
    for consumer in context.consumers:
        consumer.committed()


async def flush_latest(connection: Connection, context: BatchContext, pieces: int | None = None) -> None:
    """Write the newest values that are not written yet: all of them, or at most so many pieces."""
    while context.latest.waiting and pieces != 0:
        pieces = None if pieces is None else pieces - 1
        await latest.flush(connection, context.latest.rows(context.directory))
        context.latest.flushed()


def rolled_back(context: BatchContext) -> None:
    """Drop what a batch that did not commit has prepared."""
    context.allowance.forget()
    for known in context.last_values.values():
        known.rolled_back()
    for consumer in context.consumers:
        consumer.rolled_back()


def _judge_by_the_values_before(context: BatchContext, batch: Batch) -> None:
    # Not decided ahead: what the batch before has stored must be known.
    for name, accepted in batch.accepted.items():
        kind = accepted.columns.kind
        known = context.last_values.setdefault(name, LastValues(kind))
        parts = None if accepted.merging is None else accepted.merging.row
        accepted.columns.quality = known.judge(accepted.columns, parts)


def _foresee(context: BatchContext, columns: Columns) -> None:
    for consumer in context.consumers:
        consumer.foresee(columns)


async def _record(
    connection: Connection, context: BatchContext, batch: Batch, settled: Settled, number: int
) -> None:
    name = context.shard.name
    counts = count(settled, batch, context.directory, shard=name, number=number)
    await ledger.record(connection, counts)
    context.allowance.forget()
    registered = context.directory.registry.by_name
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
        if context.allowance.admits(
            r.device,
            int(batch.intake.received_at[r.rejected.message]),
            stranger=r.device not in registered,
        )
    ]
    await rejections.record(connection, name, number, kept)
    await offsets.record(connection, batch.learnt, context.now())
    await presence.record(connection, batch.presences)
    await queue.wake(connection, [d for d, (online, _) in batch.presences.items() if online], context.now)
    await answers.record(connection, batch.responses, context.now)
    await configured.record_reports(connection, batch.reports, context.now)
    if batch.intake.rejections:
        await quarantine.mark_replayed(connection, batch.intake.rejections, context.now)
