"""The ingest process: own the shard, keep the session, commit what arrives, acknowledge, flush when idle.

Composes the other files of this package; decides nothing itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

import numpy as np
import structlog

from devices.instants import to_microseconds
from devices.kinds import Kinds
from devices.registry import registry
from devices.wire import Decoder, Kernel, Splitter
from ingest import collector
from ingest.broker import session
from ingest.broker.hearing import Hearing, hearing_of
from ingest.broker.intake import Intake
from ingest.broker.received import BrokerSession, increasing
from ingest.broker.session import BrokerRefused, IngestBroker
from ingest.commit import commit, known_values, offsets, shard, unflushed
from ingest.commit.commit import BatchContext, Step
from ingest.commit.consumers import BatchConsumer
from ingest.commit.latest import FLUSH_BEHIND_S, FLUSH_EVERY_S, PIECES
from ingest.commit.shard import Shard
from ingest.decide.directory import Directory
from ingest.decide.quotas import QuotaPlan, Quotas
from ingest.pipeline import Pipeline
from readings import quarantine, rejections
from store.connection import Connection
from store.failures import DATABASE_ERRORS, is_outage
from store.outage import Outage
from store.readings import CopyWriter, Writer

log = structlog.get_logger(__name__)

IDLE_S = 1.0
"""How often an owner with nothing to commit writes that it is alive."""
REPLAY_EVERY_S = 2.0
REPLAY_MESSAGES = 1_000
DRAIN_S = 10.0
RETRY_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 5.0
SETTLED_S = 1.0
"""A session that ended sooner counts as failed: the next one waits, so that two clients with the same id do
not disconnect each other without end."""
LOOK_AHEAD = 0.1
"""Waiting messages, as a share of a full batch, from which on the next batch is decided while one commits."""


UNTRACED: AbstractContextManager[object] = nullcontext()
Traced = Callable[[int], AbstractContextManager[object]]
"""Gives what surrounds the work on a batch of so many messages."""
OpenSession = Callable[[IngestBroker, Hearing, Callable[[], int], Kernel], Awaitable[BrokerSession]]
"""Connects; raises OSError, TimeoutError or BrokerRefused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestOptions:
    """What the ingest process is started with. `open_database` waits while the database is away."""

    broker: IngestBroker
    open_database: Callable[[], Awaitable[Connection]]
    kinds: Kinds
    now: Callable[[], int]
    owner: UUID
    shard: str = "main"
    consumers: Sequence[BatchConsumer] = ()
    writer: Writer = field(default_factory=CopyWriter)
    retention: int = 90 * 86_400 * 1_000_000
    batch_messages: int = 30_000
    quotas: QuotaPlan = field(default_factory=QuotaPlan)
    open_session: OpenSession = session.connect
    kernel: Kernel = field(default_factory=Kernel)  # found by the next batch once something is in it
    random: Random = field(default_factory=Random)  # spreads reconnections, keeps no secret
    step: Step = lambda _: None
    traced: Traced = lambda _: UNTRACED


async def run(options: IngestOptions, stop: asyncio.Event) -> None:
    """Ingest until `stop` is set, then finish the batch at hand and leave within DRAIN_S."""
    claimed = asyncio.Event()
    ingesting = asyncio.create_task(_run(options, stop, claimed))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({ingesting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    # A process that does not own the shard has nothing to finish.
    await asyncio.wait({ingesting}, timeout=DRAIN_S if claimed.is_set() else 0)
    if not ingesting.done():
        # What is not committed is not acknowledged: the broker keeps it.
        ingesting.cancel()
    with suppress(asyncio.CancelledError):
        await ingesting


async def _run(options: IngestOptions, stop: asyncio.Event, claimed: asyncio.Event) -> None:
    outage = Outage(log, "database is away, trying again", "database is back")
    while not stop.is_set():
        try:
            async with _owning(options, claimed) as service:
                outage.over()
                await service.serve(stop)
        except shard.Fenced as error:
            log.warning("lost the shard, standing by", reason=str(error))
        except Exception as error:  # anything but an outage ends the process
            if not is_outage(error):
                raise
            outage.lasts(error)
            await asyncio.sleep(RETRY_S)
        finally:
            claimed.clear()


@asynccontextmanager
async def _owning(options: IngestOptions, claimed: asyncio.Event) -> AsyncIterator[_Service]:
    """Claim the shard, set `claimed`, and load what batches are decided with."""
    connection = await options.open_database()
    try:
        service = await _own(connection, options, claimed)
    except BaseException:
        await _close(connection)
        raise
    try:
        yield service
    finally:
        await service.leave()


async def _close(connection: Connection) -> None:
    with suppress(*DATABASE_ERRORS):
        await connection.close(timeout=2)


async def _own(connection: Connection, options: IngestOptions, claimed: asyncio.Event) -> _Service:
    owned = Shard(name=options.shard, owner=options.owner)
    await shard.claim(connection, owned, options.now, lambda: log.info("standing by", shard=owned.name))
    claimed.set()
    context = BatchContext(
        shard=owned,
        directory=Directory(await registry.load(connection), options.kinds),
        offsets=await offsets.load(connection, options.now() - options.retention),
        writer=options.writer,
        consumers=options.consumers,
        now=options.now,
        retention=options.retention,
        step=options.step,
    )
    await _restore_allowance(connection, context)
    await unflushed.restore(connection, context.directory, owned.name)
    context.last_values = await known_values.load(connection, options.kinds.values())
    for consumer in options.consumers:
        await consumer.load(connection, owned.name, context.directory.registry)
    collector.freeze()
    log.info("owning", shard=owned.name, batch=owned.batch, devices=len(context.directory.registry.devices))
    pipeline = Pipeline(
        connection=connection,
        context=context,
        decoders={name: Decoder(kind, options.kernel) for name, kind in options.kinds.items()},
        splitter=Splitter(options.kernel),
        reconnect=options.open_database,
    )
    return _Service(options, pipeline, await shard.newest_received(connection, owned))


async def _restore_allowance(connection: Connection, context: BatchContext) -> None:
    hour = context.now() // 3_600_000_000 * 3_600_000_000
    kept = await rejections.kept_since(connection, hour)
    registered = context.directory.registry.by_name
    strangers = sum(number for device, number in kept.items() if device not in registered)
    context.allowance.restore(hour, kept, strangers=strangers)


class _Every:
    """Tells when something is due again: after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._done_at = 0.0

    def due(self, seconds: float = 0.0) -> bool:
        """Tell whether it is due, and was last done `seconds` ago or longer; if so it counts as done now."""
        time = asyncio.get_running_loop().time()
        if time - self._done_at < max(self._seconds, seconds):
            return False
        self._done_at = time
        return True


class _Service:
    def __init__(self, options: IngestOptions, pipeline: Pipeline, newest_received: int) -> None:
        self._options = options
        self._pipeline = pipeline
        self._newest_received = newest_received
        self._quotas = Quotas(options.quotas)
        self._beat_again, self._flush, self._flush_piece, self._look_for_replay = map(
            _Every, (IDLE_S, FLUSH_EVERY_S, FLUSH_EVERY_S / PIECES, REPLAY_EVERY_S)
        )
        self._ask_for_more = _Every(IDLE_S / 4)

    async def leave(self) -> None:
        """Flush the newest readings that are not flushed yet, and close."""
        pipeline, context = self._pipeline, self._pipeline.context
        with suppress(*DATABASE_ERRORS):
            await commit.flush_latest(pipeline.connection, context)
        await _close(pipeline.connection)

    async def serve(self, stop: asyncio.Event) -> None:
        """Connect to the broker again and again until told to stop."""
        loop = asyncio.get_running_loop()
        pause, told = FIRST_PAUSE_S, False
        while not stop.is_set():
            try:
                hearing = self._hearing()
                connection = await self._options.open_session(
                    self._options.broker, hearing, self._options.now, self._options.kernel
                )
            except (OSError, TimeoutError, BrokerRefused) as error:
                if not told:
                    log.warning(
                        "broker is away, trying again", broker=str(self._options.broker), error=str(error)
                    )
                told = True
                await self._rest(pause * self._options.random.random(), stop)
                pause = min(pause * 2, LONGEST_PAUSE_S)
                continue
            resumed = "resumed" if connection.resumed else "new"
            log.info("subscribed", broker=str(self._options.broker), session=resumed)
            if connection.resumed and hearing.drops:
                # Whoever lost the shard meanwhile must not drop what its new owner has subscribed to.
                try:
                    await self._beat(caught_up=False)
                except BaseException:
                    connection.close()
                    raise
                # The registry may be another by now.
                connection.hear(self._hearing())
            told, since = False, loop.time()
            await self._serve_connection(connection, stop)
            if loop.time() - since >= SETTLED_S:
                pause = FIRST_PAUSE_S
            else:
                await self._rest(pause, stop)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    async def _serve_connection(self, connection: BrokerSession, stop: asyncio.Event) -> None:
        keeping_alive = asyncio.create_task(connection.keep_alive())
        try:
            await self._pump(connection, stop)
        finally:
            keeping_alive.cancel()
            connection.close()
            await connection.closed()
        if connection.lost.done() and not stop.is_set():
            log.warning("session interrupted", reason=connection.lost.result())
            if connection.taken_over:
                await self._taken_over()

    async def _taken_over(self) -> None:
        """Tell that another client has our id; an ingest that owns the shard now has it by right (Fenced)."""
        pipeline, context = self._pipeline, self._pipeline.context
        times = await pipeline.outlasting(
            lambda: shard.taken_over(pipeline.connection, context.shard, context.now())
        )
        log.error(
            "session taken over by another client", client_id=self._options.broker.client_id, times=times
        )

    async def _pump(self, connection: BrokerSession, stop: asyncio.Event) -> None:
        """Take everything that has arrived, commit it, acknowledge it; repeat."""
        following: Intake | None = None
        directory: Directory | None = None
        while not stop.is_set() and not connection.lost.done():
            if directory is not self._pipeline.context.directory:
                directory = self._pipeline.context.directory
                if connection.hearing != (hearing := self._hearing()):
                    connection.hear(hearing)
            self._pipeline.context.shard.compiled = self._options.kernel.scan is not None
            intake = following or self._take(connection)
            if intake is None:
                if self._ask_for_more.due() and connection.has_emptied():
                    self._pipeline.context.shard.emptied_at = self._options.now()
                await self._idle(connection)
                continue
            plenty = len(connection.waiting) >= LOOK_AHEAD * self._options.batch_messages
            following = self._take(connection) if plenty else None
            await self._process(intake, following, connection)
            if self._look_for_replay.due():
                await self._replay()
        if following is not None:
            self._quotas.give_back(following, self._pipeline.context.directory)

    def _hearing(self) -> Hearing:
        municipalities = self._pipeline.context.directory.registry.municipalities
        return hearing_of(self._options.shard, municipalities.values())

    def _take(self, connection: BrokerSession) -> Intake | None:
        intake = connection.take(self._options.batch_messages, self._newest_received)
        if intake is None:
            return None
        self._newest_received = int(intake.received_at[-1])
        self._options.step("taken")
        # Once, as it is taken: deciding again must not fill the buckets again.
        return self._quotas.judge(intake, self._pipeline.context.directory)

    async def _process(self, intake: Intake, following: Intake | None, connection: BrokerSession) -> None:
        waiting = len(intake) + len(following or ()) + len(connection.waiting)
        caught_up = waiting < self._options.broker.receive_maximum // 2
        if self._pipeline.context.latest.flushing:
            flush_latest = self._flush_piece.due(0.0 if caught_up else FLUSH_BEHIND_S / PIECES)
        else:
            flush_latest = self._flush.due(0.0 if caught_up else FLUSH_BEHIND_S)
        with self._options.traced(len(intake)):
            settled = await self._pipeline.process(
                intake, caught_up=caught_up, flush_latest=flush_latest, following=following
            )
        # Packet ids belong to one connection; on another they would acknowledge other messages.
        if intake.connection is connection and not connection.lost.done():
            connection.acknowledge(intake.packet_ids)
            connection.publish(settled.receipts)
        self._options.step("acknowledged")

    async def _idle(self, connection: BrokerSession) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S / 4):
                await connection.arrived.wait()
                return
        if self._beat_again.due():
            await self._beat(caught_up=True)
        if self._look_for_replay.due():
            await self._replay()

    async def _rest(self, seconds: float, stop: asyncio.Event) -> None:
        """Pause while the broker is away, writing meanwhile that ingest is alive and not caught up."""
        until = asyncio.get_running_loop().time() + seconds
        while not stop.is_set() and (left := until - asyncio.get_running_loop().time()) > 0:
            if self._beat_again.due():
                await self._beat(caught_up=False)
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, IDLE_S)):
                    await stop.wait()

    async def _beat(self, *, caught_up: bool) -> None:
        pipeline, context = self._pipeline, self._pipeline.context

        async def write() -> None:
            async with pipeline.connection.transaction():
                moved = await shard.beat(
                    pipeline.connection, context.shard, now=context.now(), caught_up=caught_up
                )
            # Messages wait meanwhile: a large fleet takes several beats.
            await commit.flush_latest(pipeline.connection, context, PIECES)
            if moved != context.shard.generation:
                await pipeline.reload()

        await pipeline.outlasting(write)

    async def _replay(self) -> None:
        """Receive quarantined messages again whose replay an operator has requested."""
        pipeline = self._pipeline
        found = await pipeline.outlasting(
            lambda: quarantine.take_replay(pipeline.connection, self._options.shard, REPLAY_MESSAGES)
        )
        if not found:
            return
        received_at = np.array([to_microseconds(r.received_at) for r in found], dtype=np.int64)
        intake = Intake(
            topics=[r.topic for r in found],
            payloads=[r.payload for r in found],
            received_at=increasing(received_at, 0),
            packet_ids=[],
            connection=None,
            origin="replay",
            rejections=tuple(r.id for r in found),
        )
        await pipeline.process(intake, caught_up=True, flush_latest=False)
